/*
 * rate_table.h - buckets and charged ids in memory, for drivers that keep
 * rates there, with a list of what was changed since it was last saved.  Opens
 * no file; one thread at a time.
 */
#ifndef BULKHEAD_STORE_RATE_TABLE_H
#define BULKHEAD_STORE_RATE_TABLE_H

#include "store/gcra.h"
#include "store/rate.h"

/* How long an id that was charged is known, in microseconds. */
#define RATE_ID_LIFE (INT64_C(600) * 1000000)

struct rate_table_spec {
	size_t max_buckets; /* that are not full; further ones: UNKNOWN */
	size_t max_ids;	    /* beyond it the oldest go */
	bool is_saved;	    /* keep the list of changes */
};

/* 4 million buckets, 1 million ids: some 600 and 60 MB at the very most. */
#define RATE_TABLE_BUCKETS 4000000
#define RATE_TABLE_IDS	   1000000

struct rate_table;

/* An empty table; freeing one that is NULL is fine. */
struct rate_table *rate_table_new(const struct rate_table_spec *spec);
void rate_table_free(struct rate_table **t);

/*
 * store_rate_decide() at that time.  STORE_UNKNOWN only for a CHARGE that
 * needs a bucket more than max_buckets.
 */
void rate_table_decide(struct rate_table *t, struct rate_request *v, size_t n,
    int64_t now);

/*
 * The buckets whose key begins so and that are not full, in any order, until
 * each() returns false; it must not change the table.
 */
void rate_table_walk(struct rate_table *t, struct str prefix, int64_t now,
    bool (*each)(void *arg, const struct rate_state *r), void *arg);

/* Fills the buckets whose key begins so; returns how many. */
uint64_t rate_table_reset(struct rate_table *t, struct str prefix,
    int64_t now);

/* A bucket as it is saved. */
struct rate_record {
	struct str key;
	struct rate rate;
	uint64_t burst;
	int64_t full_at; /* microseconds since 1970; 0: it is full, forget it */
};

/*
 * Puts a saved bucket back (copied) in place of what is there of that key.
 * One from the future is empty at most, whatever the clock was then.  False:
 * nonsense, or there is no room: left out.
 */
bool rate_table_load(struct rate_table *t, const struct rate_record *r,
    int64_t now);

/*
 * Calls each() for what was changed and not saved since, in the order in which
 * it was changed first, until each() returns false.
 */
void rate_table_unsaved(struct rate_table *t,
    bool (*each)(void *arg, const struct rate_record *r), void *arg);
/* The first n that rate_table_unsaved() gave are saved. */
void rate_table_saved(struct rate_table *t, size_t n);

/*
 * Looks at up to max buckets and drops those that are full: to be called now
 * and then, so that memory is what is in use.
 */
void rate_table_sweep(struct rate_table *t, size_t max, int64_t now);

/* How many buckets and ids are in memory. */
size_t rate_table_count(const struct rate_table *t);
size_t rate_table_ids(const struct rate_table *t);

#endif
