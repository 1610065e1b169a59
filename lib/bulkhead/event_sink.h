/*
 * event_sink.h - where a daemon of mail puts its events: a writer that is
 * never waited for, and whose store may be down.
 */
#ifndef BULKHEAD_BULKHEAD_EVENT_SINK_H
#define BULKHEAD_BULKHEAD_EVENT_SINK_H

#include "bulkhead/metrics.h"
#include "bulkhead/settings.h"
#include "store/events.h"
#include "store/writer.h"

/* All zero: not started; what it is given is dropped. */
struct event_sink {
	_Atomic(struct writer *) writer;
	_Atomic(struct metrics *) metrics;
	atomic_bool as_hash;
	/* event_sink_tick()'s */
	uint64_t lost; /* counted so far */
	atomic_bool is_down; /* and that was said */
};

/*
 * Opens the store of events, which makes its files but never its directory,
 * and goes on trying when that fails; says so in the log.  After fork(2).
 * Counts METRIC_EVENTS and METRIC_EVENTS_LOST in m.
 */
void event_sink_start(struct event_sink *sink, const struct settings *s,
    struct metrics *m);

/* The same with a writer that serves others, too; event_sink_stop() ends it. */
void event_sink_share(struct event_sink *sink, struct writer *writer,
    const struct settings *s, struct metrics *m);

/* Addresses are stored as these settings say from now on.  Any thread. */
void event_sink_use(struct event_sink *sink, const struct settings *s);

/* Takes a struct event_sink; never waits.  Any thread. */
void event_sink_add(void *sink, const struct event *e);

/*
 * To be called every second, by one thread: counts what was lost, and says
 * once when events do not get to the store, and once when they do again.
 */
void event_sink_tick(struct event_sink *sink);

/*
 * Waits up to that many milliseconds for the last ones; what is lost then is
 * counted and said.  Nobody may be within event_sink_add() or
 * event_sink_tick() any more.
 */
void event_sink_stop(struct event_sink *sink, unsigned millis);

/* True when events go elsewhere by the new settings: a restart is needed. */
bool event_sink_has_moved(const struct settings *old,
    const struct settings *fresh);

#endif
