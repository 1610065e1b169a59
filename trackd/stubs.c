/*
 * stubs.c - what is not there yet, answered with nothing.
 */
#include "store/rollup.h"

#define WEAK __attribute__((weak))

WEAK enum store_answer
store_rollup_step(struct store *s, size_t max, uint64_t *ndone, bool *more,
    int64_t deadline)
{
	(void)s;
	(void)max;
	(void)deadline;
	*ndone = 0;
	*more = false;
	return STORE_YES;
}
