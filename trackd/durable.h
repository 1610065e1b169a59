/*
 * durable.h - makes a wish come true: by the store's writer, or, while the
 * store is down, by the spool, which is replayed into the store when it is
 * back.
 */
#ifndef BULKHEAD_TRACKD_DURABLE_H
#define BULKHEAD_TRACKD_DURABLE_H

#include "bulkhead/metrics.h"
#include "store/writer.h"
#include "trackd/request.h"

struct durable;

/*
 * Takes the spool directory ("" : none) and replays what lies there, by a
 * thread of its own.  NULL, logged.  The writer must outlive it; metrics may
 * be NULL.
 */
struct durable *durable_start(struct writer *w, struct str spool,
    struct metrics *metrics);

/*
 * Every wish was answered when it returns.  What is in the spool goes on to
 * the store for so long, where the store takes it.
 */
void durable_stop(struct durable **d, unsigned millis);

/*
 * Hands a wish over, which must live until done(arg): called once, by another
 * thread, with wish->result set.  Never waits.  Any thread.
 */
void durable_wish(struct durable *d, struct request_wish *wish,
    void (*done)(void *arg), void *arg);

/*
 * Unsubscriptions in the spool whose files still exist.  While there are any
 * nothing is undone: their replay would do it again.
 */
uint64_t durable_waiting(const struct durable *d);

#endif
