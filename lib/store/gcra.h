/*
 * gcra.h - the arithmetic of one bucket: the generic cell rate algorithm in
 * its form of a leaky bucket (ITU-T I.371, annex A).  No clock, no memory.
 *
 * The rate is count tokens for each period.  A token is cut into as many units
 * as a period has microseconds, so that exactly count units are won back in a
 * microsecond: whole numbers, nothing is ever rounded while the period stays.
 */
#ifndef BULKHEAD_STORE_GCRA_H
#define BULKHEAD_STORE_GCRA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/num.h"

/* Longer periods count as this long: a year. */
#define GCRA_PERIOD_MAX (UINT64_C(366) * 86400)

/* A full bucket is all zeros but for the rate. */
struct gcra {
	int64_t at;	  /* microseconds; what is below was true then */
	uint64_t used;	  /* whole tokens not yet won back */
	uint64_t part;	  /* units of one more token, less than a token has */
	struct rate rate; /* that it is filled with */
};

/*
 * Brings the bucket to the time now and under this rate and burst (0 counts as
 * 1 in either), by the slower of the old and the new rate.  What was used
 * stays used, at most the burst.  A clock that was set back wins nothing back
 * and loses nothing: the bucket goes on from there.
 */
void gcra_settle(struct gcra *g, const struct rate *rate, uint64_t burst,
    int64_t now);

/*
 * A bucket of which is known that it is full at full_at (gcra_full_at(): the
 * algorithm's theoretical arrival time), settled.  The rate is as for settle.
 */
struct gcra gcra_from(int64_t full_at, const struct rate *rate, uint64_t burst,
    int64_t now);

/* All of these: of a bucket that was settled with that burst. */

/*
 * Microseconds, rounded up, until cost would pass: 0 now, -1 never (it is over
 * the burst), INT64_MAX: that long or longer.
 */
int64_t gcra_wait(const struct gcra *g, uint64_t burst, uint64_t cost);

/* Takes cost out, which must pass (gcra_wait() is 0); and puts it back. */
void gcra_charge(struct gcra *g, uint64_t cost);
void gcra_undo(struct gcra *g, uint64_t cost);

/* Whole tokens there are to take, and those used, rounded up. */
uint64_t gcra_left(const struct gcra *g, uint64_t burst);
uint64_t gcra_used(const struct gcra *g);
bool gcra_is_full(const struct gcra *g);

/* Microseconds since 1970 when it is full again; at most INT64_MAX. */
int64_t gcra_full_at(const struct gcra *g);

#endif
