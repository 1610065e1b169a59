/*
 * rates.h - how fast counters rose in the last minute: a ring of samples, one
 * a second.
 */
#ifndef BULKHEAD_BULKHEAD_RATES_H
#define BULKHEAD_BULKHEAD_RATES_H

#include "base/buf.h"
#include "bulkhead/metrics.h"

#define RATES_SAMPLES 61

/* All zero at first; one thread at a time. */
struct rates {
	struct rates_sample {
		int64_t at; /* clock_monotonic() */
		uint64_t v[METRIC_COUNT];
	} ring[RATES_SAMPLES];
	unsigned n, next;
};

/* Takes a sample, unless less than a second went by since the last one. */
void rates_take(struct rates *r, const struct metrics *m, int64_t now);

/*
 * A JSON object of what rose since the oldest sample, each a second with three
 * digits: {"seconds": 60, "clicks": 12.500}.  Gauges are left out.
 */
void rates_write(const struct rates *r, const struct metrics *m, int64_t now,
    struct buf *out);

#endif
