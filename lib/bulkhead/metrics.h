/*
 * metrics.h - counters of a daemon; the exporter comes with trackd.
 */
#ifndef BULKHEAD_BULKHEAD_METRICS_H
#define BULKHEAD_BULKHEAD_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

enum metric {
	METRIC_MESSAGES,     /* ended, whatever came of them */
	METRIC_NOT_OURS,     /* passed: not from a client of ours */
	METRIC_PASSED,	     /* ours, left as they came */
	METRIC_SIGNED,	     /* left with a signature */
	METRIC_REJECTED,     /* refused with a 4yz or 5yz of ours */
	METRIC_DISCARDED,
	METRIC_TEMPFAILED,   /* something of ours failed */
	METRIC_LINKS,	     /* links rewritten */
	METRIC_PIXELS,	     /* open pixels inserted */
	METRIC_MALFORMED,    /* signed without being changed */
	METRIC_COUNT
};

struct metrics {
	_Atomic uint64_t v[METRIC_COUNT];
};

/* Adds n; any thread.  m may be NULL. */
void metrics_add(struct metrics *m, enum metric which, uint64_t n);
uint64_t metrics_get(const struct metrics *m, enum metric which);

/* The name in log lines and the exporter: "messages". */
const char *metric_name(enum metric which);

#endif
