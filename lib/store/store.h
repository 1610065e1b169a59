/*
 * store.h - what Bulkhead has to remember, behind one front: suppressions,
 * rates, small keyed state (meta), and events, each a kind of its own.  A
 * driver serves any subset of the kinds; callers never see which one it is.
 *
 * A handle belongs to one thread.  Every call takes a deadline and a batch,
 * and has three answers that are never confused.  Calls that time out again
 * and again open a breaker: for a while the answer is STORE_UNKNOWN at once.
 */
#ifndef BULKHEAD_STORE_STORE_H
#define BULKHEAD_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

#define STORE_SUPPRESS 1u
#define STORE_RATES    2u
#define STORE_META     4u
#define STORE_EVENTS   8u

enum store_answer {
	STORE_UNKNOWN, /* cannot be known now: down, late, or uncertain */
	STORE_NO,      /* known not to be so */
	STORE_YES      /* known to be so; for a change: done and durable */
};

enum store_access {
	STORE_READ,  /* looks only; nothing is created */
	STORE_CHANGE /* creates what is missing, migrates an older schema */
};

struct store_spec {
	/*
	 * "sqlite:/DIR", "memory:", or, for tests, "fail:PLAN:INNER" (see
	 * driver_fail.h); rates and events may be empty: as store.
	 */
	struct str store, rates, events;
	unsigned kinds; /* STORE_ bits wanted */
	enum store_access access;
	struct clock clock; /* what time entries are compared with */
};

struct store;

/*
 * Opens a store, or returns NULL with one line for each error added to
 * *errors ("suppress.db: schema 7 is newer than this program's 1: ...").
 */
struct store *store_open(const struct store_spec *spec, struct buf *errors);
void store_close(struct store **s);

/*
 * A deadline that many milliseconds from now, in nanoseconds of
 * clock_monotonic().
 */
int64_t store_deadline(unsigned millis);

/*
 * Why the last call of that kind (a STORE_ bit) answered STORE_UNKNOWN: one
 * line without line break that names the file, until the next call.
 */
const char *store_error(const struct store *s, unsigned kind);

/* True while a breaker of that kind is open: of looking, or of changing. */
bool store_is_tripped(const struct store *s, unsigned kind);

#endif
