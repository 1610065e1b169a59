/*
 * writer_events.h - the writer's queue of events and the thread that commits
 * them, beside the one of suppressions; for writer.c alone.
 */
#ifndef BULKHEAD_STORE_WRITER_EVENTS_H
#define BULKHEAD_STORE_WRITER_EVENTS_H

#include "store/events.h"
#include "store/writer.h"

struct writer_events;

/*
 * Prepares the queue.  spec: with STORE_EVENTS alone, STORE_CHANGE; its texts
 * must outlive it.  must_wait(arg): whether more important work waits for the
 * disk now, so that a commit is put off a little; any thread.
 */
struct writer_events *writer_events_new(const struct store_spec *spec,
    bool (*must_wait)(void *arg), void *arg);

/* Opens the store, for its errors; false: it is down now. */
bool writer_events_open(struct writer_events *w, struct buf *errors);

/* 0, or an errno value. */
int writer_events_start(struct writer_events *w);

/* See writer_event(). */
bool writer_events_put(struct writer_events *w, const struct event *e,
    bool as_hash);
uint64_t writer_events_count_lost(const struct writer_events *w);
bool writer_events_error(struct writer_events *w, char out[WRITER_ERROR_SIZE]);

/* From now on: finish by that time (clock_monotonic()), then end. */
void writer_events_stop(struct writer_events *w, int64_t stop_by);

/*
 * Waits for the end, where it was started, and frees it; how many were lost in
 * all its life.
 */
uint64_t writer_events_free(struct writer_events **w);

#endif
