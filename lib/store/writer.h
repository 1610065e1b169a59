/*
 * writer.h - the thread that makes changes durable for others: a bounded
 * queue, one transaction for all that waits (group commit), a call-back when
 * it is on disk.  No libmilter callback and no HTTP handler opens a store.
 */
#ifndef BULKHEAD_STORE_WRITER_H
#define BULKHEAD_STORE_WRITER_H

#include "store/events.h"
#include "store/meta.h"
#include "store/suppress.h"

struct writer;

/*
 * Called by the writer's thread, once for each job that was taken: STORE_YES
 * is durable.  change: the suppression, with its outcome when STORE_YES; NULL
 * for an item.  Must not block.
 */
typedef void writer_done(void *arg, enum store_answer answer,
    const struct suppress_change *change);

/*
 * Starts the thread, which opens its own handle by spec (copied) and opens it
 * again after failures.  At most max jobs wait.  NULL with errors as
 * store_open(); a store that is down now is no error when may_be_down.
 */
struct writer *writer_start(const struct store_spec *spec, size_t max,
    bool may_be_down, struct buf *errors);

/* Finishes what waits, up to that many milliseconds; the rest is answered
 * STORE_UNKNOWN.  Every job was answered when it returns: how many events were
 * lost since it started. */
uint64_t writer_stop(struct writer **w, unsigned millis);

/*
 * Hands a job over; it is copied.  deadline as store_deadline(): what waits
 * longer is answered STORE_UNKNOWN.  False: the queue is full, done() will not
 * be called.  Any thread.
 */
bool writer_suppress(struct writer *w, const struct suppress_change *change,
    int64_t deadline, writer_done *done, void *arg);
bool writer_meta(struct writer *w, const struct meta_item *item,
    int64_t deadline, writer_done *done, void *arg);

/*
 * Hands an event over, which is copied: committed within 200 ms, several at
 * once, in a queue of their own behind which no suppression waits.  False, and
 * counted: the queue is full (65,536 events or 64 MB), and the event is lost;
 * while the store is down it keeps what it has.  Any thread; never waits
 * for the store.  What waits when it stops has the same time as suppressions.
 */
bool writer_event(struct writer *w, const struct event *e, bool as_hash);

/* Events lost so far: no room, or not committed when it stopped. */
uint64_t writer_events_lost(const struct writer *w);

#define WRITER_ERROR_SIZE 512

/*
 * True, with a line that says why, while the last attempt to open the events'
 * store, or to commit some, failed.  Any thread.
 */
bool writer_events_failing(const struct writer *w, char out[WRITER_ERROR_SIZE]);

/*
 * True while the last attempt at a suppression failed: do not wait for it to
 * be tried until its deadline where there is another way.  Any thread.
 */
bool writer_is_down(const struct writer *w);

#endif
