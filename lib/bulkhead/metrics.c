/*
 * metrics.c - counters of a daemon.
 */
#include "bulkhead/metrics.h"

#include <inttypes.h>
#include <stddef.h>

static void
add(_Atomic uint64_t *v, uint64_t n)
{
	atomic_fetch_add_explicit(v, n, memory_order_relaxed);
}

static uint64_t
get(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

void
metrics_add(struct metrics *m, enum metric which, uint64_t n)
{
	if (m != NULL && n > 0)
		add(&m->v[which], n);
}

void
metrics_subtract(struct metrics *m, enum metric which, uint64_t n)
{
	if (m != NULL)
		atomic_fetch_sub_explicit(&m->v[which], n,
		    memory_order_relaxed);
}

uint64_t
metrics_get(const struct metrics *m, enum metric which)
{
	return m != NULL ? get(&m->v[which]) : 0;
}

void
metrics_add_stage(struct metrics *m, unsigned stage, uint64_t nanos,
    bool has_stopped)
{
	if (m == NULL || stage >= METRICS_STAGES)
		return;
	add(&m->stages[stage].runs, 1);
	add(&m->stages[stage].nanos, nanos);
	if (has_stopped)
		add(&m->stages[stage].stops, 1);
}

void
metrics_get_stage(const struct metrics *m, unsigned stage, uint64_t *runs,
    uint64_t *stops, uint64_t *nanos)
{
	bool is_there = m != NULL && stage < METRICS_STAGES;

	*runs = is_there ? get(&m->stages[stage].runs) : 0;
	*stops = is_there ? get(&m->stages[stage].stops) : 0;
	*nanos = is_there ? get(&m->stages[stage].nanos) : 0;
}

const char *
metric_name(enum metric which)
{
	static const char *const names[METRIC_COUNT] = {
		[METRIC_SESSIONS] = "sessions",
		[METRIC_SESSIONS_OPEN] = "sessions_open",
		[METRIC_SESSIONS_REFUSED] = "sessions_refused",
		[METRIC_MESSAGES] = "messages",
		[METRIC_OCTETS] = "octets",
		[METRIC_RECIPIENTS] = "recipients",
		[METRIC_NOT_OURS] = "not_ours",
		[METRIC_ALREADY_DONE] = "already_done",
		[METRIC_PASSED] = "passed",
		[METRIC_SIGNED] = "signed",
		[METRIC_REJECTED] = "rejected",
		[METRIC_DISCARDED] = "discarded",
		[METRIC_TEMPFAILED] = "tempfailed",
		[METRIC_SPILLED] = "spilled",
		[METRIC_NO_MEMORY] = "no_memory",
		[METRIC_REMOVED_RECIPIENTS] = "removed_recipients",
		[METRIC_OVER_LIMIT] = "over_limit",
		[METRIC_POLICY_DOWN] = "policy_down",
		[METRIC_RETURN_PATHS] = "return_paths",
		[METRIC_UNSUBSCRIBES] = "unsubscribes",
		[METRIC_UNSUBSCRIBES_KEPT] = "unsubscribes_kept",
		[METRIC_PLACEHOLDERS] = "placeholders",
		[METRIC_LINKS] = "links",
		[METRIC_LINKS_LEFT] = "links_left",
		[METRIC_PIXELS] = "pixels",
		[METRIC_ENCODED] = "encoded",
		[METRIC_HAZARDS] = "hazards",
		[METRIC_MALFORMED] = "malformed",
		[METRIC_SIGNATURES] = "signatures",
		[METRIC_SIGNATURES_REMOVED] = "signatures_removed",
		[METRIC_REQUESTS] = "requests",
		[METRIC_BATCHES] = "batches",
		[METRIC_REQUESTS_BROKEN] = "requests_broken",
		[METRIC_DEFERRED] = "deferred",
		[METRIC_REFUSED] = "refused",
		[METRIC_SUPPRESSED] = "suppressed",
		[METRIC_PAUSED] = "paused",
		[METRIC_MAY_NOT_SEND] = "may_not_send",
		[METRIC_CHARGED] = "charged",
		[METRIC_CHARGED_BEFORE] = "charged_before",
		[METRIC_STORE_UNKNOWN] = "store_unknown",
		[METRIC_OPENED] = "opened",
		[METRIC_SAVES_FAILED] = "saves_failed",
		[METRIC_PURGED_SLICES] = "purged_slices",
		[METRIC_HTTP_REQUESTS] = "http_requests",
		[METRIC_HTTP_CONNECTIONS] = "http_connections",
		[METRIC_CLICKS] = "clicks",
		[METRIC_OPENS] = "opens",
		[METRIC_UNSUBSCRIBED] = "unsubscribed",
		[METRIC_UNDONE] = "undone",
		[METRIC_ROBOTS] = "robots",
		[METRIC_CORRECTED] = "corrected",
		[METRIC_TOKENS_REFUSED] = "tokens_refused",
		[METRIC_HTTP_REFUSED] = "http_refused",
		[METRIC_SPOOLED] = "spooled",
		[METRIC_SPOOL_WAITING] = "spool_waiting",
		[METRIC_UNSUBSCRIBES_FAILED] = "unsubscribes_failed",
		[METRIC_EVENTS] = "events",
		[METRIC_EVENTS_LOST] = "events_lost",
		[METRIC_RELOADS] = "reloads",
		[METRIC_RELOADS_FAILED] = "reloads_failed",
	};

	return names[which];
}

bool
metric_is_gauge(enum metric which)
{
	return which == METRIC_SESSIONS_OPEN ||
	    which == METRIC_HTTP_CONNECTIONS || which == METRIC_SPOOL_WAITING;
}

void
metrics_write(const struct metrics *m,
    const char *(*stage_name)(unsigned place), struct buf *out)
{
	const char *name;

	for (int i = 0; i < METRIC_COUNT; i++) {
		uint64_t n = get(&m->v[i]);

		if (n > 0)
			buf_printf(out, " %s=%" PRIu64,
			    metric_name((enum metric)i), n);
	}
	for (unsigned i = 0; stage_name != NULL && i < METRICS_STAGES &&
	    (name = stage_name(i)) != NULL; i++) {
		uint64_t runs = get(&m->stages[i].runs);

		if (runs > 0)
			buf_printf(out, " stage-%s=%" PRIu64 "/%" PRIu64
			    "/%" PRIu64, name, runs,
			    get(&m->stages[i].stops),
			    get(&m->stages[i].nanos) / 1000);
	}
}
