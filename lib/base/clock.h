/*
 * clock.h - where the time comes from.  Code that needs the time takes a
 * struct clock, so that tests and preview can say what time it is.
 */
#ifndef BULKHEAD_BASE_CLOCK_H
#define BULKHEAD_BASE_CLOCK_H

#include <stdint.h>

#include "base/str.h"

struct clock {
	int64_t (*now)(const struct clock *c); /* microseconds since 1970 UTC */
	int64_t fixed;			       /* for clock_fixed() */
};

/* The system's clock; safe from any thread. */
struct clock clock_system(void);

/* A clock that stands still at the given microsecond. */
struct clock clock_fixed(int64_t micros);

/* Microseconds and whole seconds since 1970 UTC. */
int64_t clock_micros(const struct clock *c);
int64_t clock_seconds(const struct clock *c);

/* Microseconds of CPU that this thread has used: for benches and logs. */
int64_t clock_thread_cpu(void);

/* Nanoseconds that never go back, for spans; without a system call. */
int64_t clock_monotonic(void);

/*
 * Reads RFC 3339 ("2026-12-01T08:00:00Z", an offset instead of Z, a fraction,
 * a blank instead of T) or seconds since 1970 (with a fraction).  0, or -1.
 */
int clock_parse(struct str s, int64_t *micros);

#define CLOCK_TEXT 64

/* RFC 3339 in UTC with whole seconds: "2026-12-01T08:00:00Z". */
void clock_rfc3339(int64_t seconds, char out[CLOCK_TEXT]);

/* RFC 5322 date-time in UTC: "Tue, 01 Dec 2026 08:00:00 +0000". */
void clock_rfc5322(int64_t seconds, char out[CLOCK_TEXT]);

#endif
