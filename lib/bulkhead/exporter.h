/*
 * exporter.h - a daemon's counters over HTTP, for this host: /metrics for
 * Prometheus (text format 0.0.4), /status as JSON for `bulkhead status`.
 */
#ifndef BULKHEAD_BULKHEAD_EXPORTER_H
#define BULKHEAD_BULKHEAD_EXPORTER_H

#include "base/buf.h"
#include "bulkhead/metrics.h"
#include "bulkhead/rates.h"

/* Octets of an answer, at most. */
#define EXPORTER_MAX (256 * 1024)

struct exporter;

struct exporter_spec {
	const char *program; /* "bulkhead-milter": the label of all metrics */
	const struct metrics *metrics;
	const char *(*stage_name)(unsigned place); /* may be NULL */
	int64_t started; /* seconds since 1970 */
	/* When settings were loaded, seconds since 1970; may be NULL. */
	int64_t (*loaded)(void *arg);
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

/* The whole of /metrics, and of /status; rates may be NULL: for tests. */
void exporter_write(const struct exporter_spec *spec, struct buf *out);
void exporter_write_status(const struct exporter_spec *spec,
    const struct rates *rates, struct buf *out);

/*
 * Is that what a Host field on a loopback address may say: localhost or a
 * loopback address, with a port or without?  Others come from a browser that
 * was lured here by a name that points to this host.
 */
bool exporter_is_host(struct str host);

#endif
