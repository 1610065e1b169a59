/*
 * pauses.h - which streams and domains are paused, as the store said last.
 */
#ifndef BULKHEAD_POLICYD_PAUSES_H
#define BULKHEAD_POLICYD_PAUSES_H

#include "base/buf.h"
#include "store/meta.h"

struct pauses;

/* None are known yet. */
struct pauses *pauses_new(void);
/* NULL is fine, and *p becomes NULL. */
void pauses_free(struct pauses **p);

/*
 * Reads them if they may have changed since, or in any case if forced.
 * STORE_UNKNOWN when they cannot be read: what was known before stays.  A
 * store that is NULL is down.
 */
enum store_answer pauses_update(struct pauses *p, struct store *s,
    bool is_forced, int64_t deadline);

/* Was it ever read? */
bool pauses_are_known(const struct pauses *p);

/* False: nothing is, whatever the key. */
bool pauses_are_any(const struct pauses *p);

/* Is anything of that key (limit_pause_key()) paused at that second? */
bool pauses_has(const struct pauses *p, struct str key, int64_t now);

/* Adds them as a JSON list of "stream/TITLE" and "domain/NAME". */
void pauses_write_json(const struct pauses *p, int64_t now, struct buf *out);

#endif
