/*
 * breaker.h - stops asking who does not answer: after some time-outs in a row
 * nobody is asked for a while, then one call tries again.
 */
#ifndef BULKHEAD_STORE_BREAKER_H
#define BULKHEAD_STORE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

/* Time-outs in a row that open it. */
#define BREAKER_LATE 3
/* Milliseconds that it stays open: doubled each time, up to the maximum. */
#define BREAKER_PAUSE 500
#define BREAKER_PAUSE_MAX 8000

/* All zero at first.  Times are nanoseconds of clock_monotonic(). */
struct breaker {
	unsigned nlate;
	unsigned pause; /* milliseconds, of the last opening */
	int64_t until;	/* open until then */
};

/* True while nobody is to be asked. */
bool breaker_is_open(const struct breaker *b, int64_t now);

/* A call timed out; a call did not. */
void breaker_late(struct breaker *b, int64_t now);
void breaker_well(struct breaker *b);

#endif
