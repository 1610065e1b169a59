/*
 * exporter.h - a daemon's counters over HTTP, for this host: /metrics for
 * Prometheus (text format 0.0.4), /status as JSON for `bulkhead status`.
 */
#ifndef BULKHEAD_BULKHEAD_EXPORTER_H
#define BULKHEAD_BULKHEAD_EXPORTER_H

#include "base/buf.h"
#include "bulkhead/metrics.h"

struct exporter;

struct exporter_spec {
	const char *program; /* "bulkhead-milter": the label of all metrics */
	const struct metrics *metrics;
	const char *(*stage_name)(unsigned place); /* may be NULL */
	/*
	 * Adds members of the JSON object ("key": value, ...) that are the
	 * program's own; by the exporter's thread; may be NULL.
	 */
	void (*status)(void *arg, struct buf *out);
	void *arg;
};

/*
 * Listens at a socket as settings have it, in a thread of its own.  While
 * somebody else holds the address (a predecessor that drains) it goes on
 * trying, logged once.  NULL, logged, when there can be no thread.
 */
struct exporter *exporter_start(const struct exporter_spec *spec,
    const char *socket);
void exporter_stop(struct exporter **e);

/* The whole of /metrics: for tests. */
void exporter_write(const struct exporter_spec *spec, struct buf *out);

#endif
