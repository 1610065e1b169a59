/*
 * driver_fail.h - how to write a store that fails, for tests: "fail:PLAN:INNER"
 * wraps the store INNER ("sqlite:/DIR", "memory:").
 *
 * PLAN is one or more of [KIND.]WHAT[@WHEN], joined by commas; the first that
 * holds for a call decides.  WHAT:
 *	fail		nothing is done, STORE_UNKNOWN at once
 *	late		nothing is done, STORE_UNKNOWN when the deadline passed
 *	uncertain	it is done, and the answer is STORE_UNKNOWN all the same
 *	open		the store cannot be opened (WHEN: only while=FILE)
 * WHEN, by the number of the call, from 1, over all kinds; without it always:
 *	N		the call N
 *	N-		that and all later ones
 *	N-M		from N to M
 *	while=/FILE	while there is such a file
 * KIND: suppress, meta, rates or events alone; without it all.
 * "fail@3,late@7-" fails the third call, and from the seventh on every call
 * takes its time.
 */
#ifndef BULKHEAD_STORE_DRIVER_FAIL_H
#define BULKHEAD_STORE_DRIVER_FAIL_H

#include <stdint.h>

#include "base/str.h"

enum fail_what { FAIL_NOT, FAIL_AT_ONCE, FAIL_LATE, FAIL_UNCERTAIN, FAIL_OPEN };

struct fail_rule {
	enum fail_what what;
	unsigned kinds;	     /* STORE_ bits */
	uint64_t from, to;   /* calls */
	struct str path;     /* while there is that file; empty: no matter */
};

/* One rule of a PLAN; 0, or -1 when it is none.  Texts borrow. */
int fail_rule_parse(struct str text, struct fail_rule *out);

#endif
