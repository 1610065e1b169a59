/*
 * report.h - what is told of a message: its one log line (queue id first,
 * key=value), counters, events.
 */
#ifndef BULKHEAD_ENGINE_REPORT_H
#define BULKHEAD_ENGINE_REPORT_H

#include "bulkhead/metrics.h"
#include "engine/message.h"
#include "engine/session.h"

/*
 * Logs what became of the message (or, in observe mode, what would have) and
 * how many microseconds of CPU the stages took.
 */
void report_log(const struct message *m, int64_t cpu_micros);

/*
 * Logs that mail of this client passes as it came, being none of ours: said
 * once a connection, as nothing more of it is seen.
 */
void report_stranger(const struct settings *s, struct arena *a,
    const struct client *c);

/* Counts it. */
void report_count(const struct message *m, struct metrics *metrics);

/*
 * Gives its events to env->event, if there is one: a recipient each, once the
 * MTA was told.  Nothing in observe mode.
 */
void report_events(struct message *m, const struct session_env *env);

#endif
