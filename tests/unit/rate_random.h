/*
 * rate_random.h - random rates, bursts, costs and times for the tests of
 * buckets; not a test itself.  The seed is fixed unless BULKHEAD_SEED says
 * otherwise, so that what failed fails again.
 */
#ifndef BULKHEAD_TESTS_RATE_RANDOM_H
#define BULKHEAD_TESTS_RATE_RANDOM_H

#include "unit.h"

#include "base/num.h"

#define MICROS INT64_C(1000000)
#define START  (INT64_C(1796000000) * MICROS)

struct random {
	uint64_t state;
};

static inline struct random
random_start(uint64_t salt)
{
	const char *seed = getenv("BULKHEAD_SEED");
	struct random r = { UINT64_C(0x9e3779b97f4a7c15) * (salt + 1) };

	if (seed != NULL)
		r.state ^= strtoull(seed, NULL, 10) * 2654435761u;
	return r;
}

/* xorshift64*: below n. */
static inline uint64_t
random_below(struct random *r, uint64_t n)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return n ? (r->state * UINT64_C(2685821657736338717)) % n : 0;
}

/* Small numbers as often as big ones: from 1 to 2^bits. */
static inline uint64_t
random_log(struct random *r, unsigned bits)
{
	return 1 + random_below(r, UINT64_C(1) << random_below(r, bits + 1));
}

static inline struct rate
random_rate(struct random *r)
{
	static const uint64_t periods[] = { 1, 60, 3600, 86400 };

	return (struct rate){ random_log(r, 40),
		periods[random_below(r, 4)] };
}

/* Microseconds in which that rate gives about so many tokens, or some. */
static inline int64_t
random_span(struct random *r, const struct rate *rate, uint64_t tokens)
{
	long double most = (long double)tokens * rate->period * MICROS /
	    rate->count;

	if (most > 9e15L)
		most = 9e15L;
	if (random_below(r, 4) == 0)
		return (int64_t)random_below(r, 3 * MICROS);
	return (int64_t)random_below(r, (uint64_t)most + 2);
}

#endif
