/*
 * wish_spool.h - unsubscriptions that wait on disk for the store: files of
 * lines (wish_record.h) in a directory, oldest first.  Several processes may
 * have one directory: each writes files of its own, the one that holds its
 * lock reads them all.  For one thread; only wish_spool_waiting() is for any.
 */
#ifndef BULKHEAD_TRACKD_WISH_SPOOL_H
#define BULKHEAD_TRACKD_WISH_SPOOL_H

#include "base/arena.h"
#include "store/suppress.h"

/* A file that is as long is followed by another. */
#define WISH_SPOOL_FILE_MAX (4u << 20)

struct wish_spool;

/* Takes the directory and what lies in it.  NULL, logged: there is none. */
struct wish_spool *wish_spool_open(struct str directory);
void wish_spool_close(struct wish_spool **s);

/*
 * Writes them, durable when it returns 0; -1, logged when it did not fail
 * before: none of them counts, even if some may be there.
 */
int wish_spool_write(struct wish_spool *s,
    const struct suppress_entry *const *v, size_t n);

/*
 * Looks who holds the lock and what is new in the directory; is_up: the store
 * takes changes.  To be called each second.
 */
void wish_spool_look(struct wish_spool *s, bool is_up);

/*
 * Up to max records that come next, in the arena; 0: none.  The same again
 * until they are done.
 */
size_t wish_spool_next(struct wish_spool *s, struct arena *a,
    struct suppress_entry *v, size_t max);

/*
 * What wish_spool_next() gave is in the store: a file of which that is true in
 * full is removed, or, where a line of it is damaged, kept as FILE.damaged.
 */
void wish_spool_done(struct wish_spool *s);

/* One of what wish_spool_next() gave is no entry: its file is damaged. */
void wish_spool_refused(struct wish_spool *s);

/* Records in files that were not removed yet, as far as known.  Any thread. */
uint64_t wish_spool_waiting(const struct wish_spool *s);

#endif
