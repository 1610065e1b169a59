/*
 * wish_record.h - an unsubscription as a line of the wish spool:
 * "1 TAB put TAB address TAB domain TAB stream TAB list TAB reason TAB
 * created TAB expires TAB source TAB evidence TAB check sum".  Control
 * characters and backslashes are \xHH; the check sum is hash_id32() of what
 * stands before its tab, in hexadecimal.
 */
#ifndef BULKHEAD_TRACKD_WISH_RECORD_H
#define BULKHEAD_TRACKD_WISH_RECORD_H

#include "store/suppress.h"

#define WISH_RECORD_MAX 8192 /* octets of a line, its end included */

/* Appends the line with its end.  0, or -1 when it would be too long. */
int wish_record_write(const struct suppress_entry *e, struct buf *out);

/* Reads a line without its end into the arena.  0, or -1: damaged. */
int wish_record_read(struct arena *a, struct str line,
    struct suppress_entry *out);

#endif
