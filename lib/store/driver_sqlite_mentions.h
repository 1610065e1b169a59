/*
 * driver_sqlite_mentions.h - mentions(URL, ADDRESS) in SQL: is a person's
 * address in a link?
 */
#ifndef BULKHEAD_STORE_DRIVER_SQLITE_MENTIONS_H
#define BULKHEAD_STORE_DRIVER_SQLITE_MENTIONS_H

#include "store/driver_sqlite_open.h"

/*
 * The address as it is or percent-encoded (RFC 3986), up to three times, in
 * upper or lower case, and not within a longer word.
 */
bool sqlite_has_mention(struct str url, struct str address);

/*
 * Opens the file and lets its statements call mentions(); STORE_YES or
 * STORE_UNKNOWN.
 */
enum store_answer sqlite_add_mentions(struct sqlite_file *f,
    struct driver_call *call);

/*
 * Empties the log, so that nothing of what was overwritten (secure_delete) is
 * left in the file's pages nor in the log's.
 */
enum store_answer sqlite_empty_log(struct sqlite_file *f,
    struct driver_call *call);

#endif
