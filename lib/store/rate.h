/*
 * rate.h - buckets that fill with time: GCRA (the generic cell rate algorithm,
 * ITU-T I.371) in microseconds of the store's clock.  What limits mean is
 * bulkhead/limit.h's.
 */
#ifndef BULKHEAD_STORE_RATE_H
#define BULKHEAD_STORE_RATE_H

#include "base/arena.h"
#include "base/num.h"
#include "store/store.h"

/*
 * One bucket that a request touches.  The key does not contain the rate: a
 * bucket whose rate or burst changed keeps what was used, at most the new
 * burst.
 */
struct rate_bucket {
	struct str key;
	struct rate rate;
	uint64_t burst; /* tokens of a full bucket; at least 1 */
	uint64_t cost;	/* tokens asked for */
	/* what came of it */
	int64_t wait;	/* microseconds until it could pass; 0: it passes;
			 * -1: never, cost is over burst */
	uint64_t left;	/* whole tokens left after the decision */
};

enum rate_mode {
	RATE_PEEK,  /* would it pass?  Charges nothing */
	RATE_CHARGE /* all buckets, or none */
};

struct rate_request {
	enum rate_mode mode;
	/*
	 * CHARGE: who asks; the same id charged within 10 minutes is answered
	 * STORE_YES and not charged again.  Empty: always charged.
	 */
	struct str id;
	struct rate_bucket *buckets;
	size_t nbuckets;
	/* what came of it: STORE_YES passes, STORE_NO some bucket waits */
	enum store_answer answer;
	bool was_charged_before;
};

/*
 * Decides all in order, as one atomic batch: a request sees what those before
 * it charged.  One that does not pass charges nothing.
 */
void store_rate_decide(struct store *s, struct rate_request *v, size_t n,
    int64_t deadline);

/* What is known of a bucket: for `limit show`. */
struct rate_state {
	struct str key;
	struct rate rate;
	uint64_t burst;
	uint64_t used;	/* whole tokens not yet won back, rounded up */
	int64_t full_at; /* microseconds since 1970 when it is full again */
};

/* The buckets whose key begins so, in any order; full ones may be left out. */
enum store_answer store_rate_walk(struct store *s, struct str prefix,
    bool (*each)(void *arg, const struct rate_state *r), void *arg);

/* Fills the buckets whose key begins so; how many in *n. */
enum store_answer store_rate_reset(struct store *s, struct str prefix,
    uint64_t *n, int64_t deadline);

/*
 * Saves what a driver that keeps rates in memory has not saved (to be called
 * every second and at the end), some thousand buckets in 100 ms.  STORE_YES:
 * nothing is left to save; STORE_NO: some are, for the next call, because the
 * deadline came near.  Only one process may own the rates of a SQLite store:
 * the one that opened STORE_RATES with STORE_CHANGE, others are refused by
 * name (pid) on opening.
 */
enum store_answer store_rate_save(struct store *s, int64_t deadline);

#endif
