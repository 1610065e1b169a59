/*
 * crash.h - what the tests of crashes share: a process that changes a store in
 * every way until it dies, and what must be true of the store afterwards.
 */
#ifndef BULKHEAD_TESTS_CRASH_H
#define BULKHEAD_TESTS_CRASH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

#define CRASH_MAX     200000
#define CRASH_IMPORTS 4000
/* Entries of one import, of one slice of it. */
#define CRASH_IMPORT  400
#define CRASH_SLICE   20

/*
 * In memory that outlives the process that works.  Job i puts address i, but
 * each fifth one removes address i - 4.  Told once the writer's call-back was
 * called with STORE_YES, in that very call.
 */
struct crash_shared {
	atomic_uint nbegun;
	atomic_uchar is_done[CRASH_MAX];
	atomic_uchar is_ended[CRASH_IMPORTS]; /* imports, by id */
};

struct crash {
	const char *dir;
	char spec[1100];
	struct crash_shared *shared;
};

/* Prepares it with a new empty directory. */
void crash_begin(struct crash *c);
void crash_renew(struct crash *c); /* and forgets what was before */
void crash_end(struct crash *c);

/*
 * Adds, removes and keeps meta items through a writer, with imports and undos
 * beside it, until that many jobs were done, and closes everything.  For a
 * process of its own; exits with 1 when something fails.
 */
void crash_work(struct crash *c, unsigned njobs);

/* What was found. */
struct crash_result {
	unsigned nacknowledged, nlost;
	unsigned ncut; /* imports that were under way */
	char first[200]; /* what was lost first, in words */
};

/*
 * The store opens, is whole, and what it says of imports is true of their
 * entries: else the test fails, or, when may_be_damaged, that counts as a
 * loss.  Imports that ended are undone, some of those that were cut too.
 */
void crash_check(struct crash *c, bool may_be_damaged,
    struct crash_result *result);

#endif
