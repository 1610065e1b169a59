/*
 * rollup_batch.h - events added up in memory, for one transaction of a
 * driver.  Bounded by who fills it: see ROLLUP_BATCH_MAX.
 */
#ifndef BULKHEAD_STORE_ROLLUP_BATCH_H
#define BULKHEAD_STORE_ROLLUP_BATCH_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "store/rollup.h"

#define ROLLUP_BATCH_MAX 262144 /* events of one step, at most */
#define ROLLUP_KEY_SIZE	 32

/* What a row of counts changes by. */
struct rollup_change {
	struct rollup_row row; /* its key; n and unique are not used */
	int64_t n, unique;
	uint64_t hash;
};

/* The same of a link. */
struct rollup_link_change {
	struct rollup_link link; /* its key */
	int64_t n[EVENT_VERDICTS], unique;
	uint64_t hash;
};

/*
 * A human did something to a mail, or did not after all (delta -1).  Those of
 * one mail have the same hours and key.
 */
struct rollup_touch {
	uint64_t key;
	uint32_t hours, order;
	uint32_t day;
	uint32_t target; /* the number of the row or link */
	uint8_t verdict;
	int8_t delta;
	bool is_link;
};

/* Numbers of members by hash; 0: free. */
struct rollup_slots {
	uint32_t *v;
	size_t n; /* a power of 2 */
};

struct rollup_batch {
	struct arena *arena; /* for the texts */
	struct hash_mac *mac;
	struct buf text; /* what is hashed */
	struct rollup_change *rows;
	size_t nrows, rows_cap;
	struct rollup_link_change *links;
	size_t nlinks, links_cap;
	struct rollup_touch *touches;
	size_t ntouches, touches_cap;
	struct rollup_slots row_slots, link_slots;
	uint64_t nevents;
};

/* An empty batch; mails are told apart by a MAC under that key. */
void rollup_batch_init(struct rollup_batch *b,
    const unsigned char key[ROLLUP_KEY_SIZE]);
void rollup_batch_free(struct rollup_batch *b);

/* Adds one event, or what a correction changes; texts are copied. */
void rollup_batch_add(struct rollup_batch *b, const struct event *e);

/*
 * The change of that row, made where there is none: valid until the next
 * call.  Its texts are borrowed: only for rows whose texts the batch has.
 */
struct rollup_change *rollup_batch_row(struct rollup_batch *b,
    const struct rollup_row *row);

/* Touches by hours, key and order; for rollup_batch_sort_rows() see below. */
void rollup_batch_sort_touches(struct rollup_batch *b);

/*
 * Rows and links in the order of their keys, when all touches were looked at:
 * what touches name by number moves.
 */
void rollup_batch_sort_rows(struct rollup_batch *b);

/* Did a human do it, for all we know? */
static inline bool
rollup_is_human(enum event_verdict verdict)
{
	return verdict == EVENT_HUMAN || verdict == EVENT_UNKNOWN;
}

#endif
