/*
 * metrics.c - counters of a daemon.
 */
#include "bulkhead/metrics.h"

#include <stddef.h>

void
metrics_add(struct metrics *m, enum metric which, uint64_t n)
{
	if (m != NULL)
		atomic_fetch_add_explicit(&m->v[which], n,
		    memory_order_relaxed);
}

uint64_t
metrics_get(const struct metrics *m, enum metric which)
{
	return atomic_load_explicit(&m->v[which], memory_order_relaxed);
}

const char *
metric_name(enum metric which)
{
	static const char *const names[METRIC_COUNT] = {
		[METRIC_MESSAGES] = "messages",
		[METRIC_NOT_OURS] = "not_ours",
		[METRIC_PASSED] = "passed",
		[METRIC_SIGNED] = "signed",
		[METRIC_REJECTED] = "rejected",
		[METRIC_DISCARDED] = "discarded",
		[METRIC_TEMPFAILED] = "tempfailed",
		[METRIC_LINKS] = "links",
		[METRIC_PIXELS] = "pixels",
		[METRIC_MALFORMED] = "malformed",
	};

	return names[which];
}
