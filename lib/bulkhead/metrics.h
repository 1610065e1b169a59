/*
 * metrics.h - counters of a daemon, lock-free.  docs/LOGGING.md says what each
 * counts; exporter.h tells them.
 */
#ifndef BULKHEAD_BULKHEAD_METRICS_H
#define BULKHEAD_BULKHEAD_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum metric {
	/* connections of the MTA */
	METRIC_SESSIONS,	 /* begun */
	METRIC_SESSIONS_OPEN,	 /* gauge */
	METRIC_SESSIONS_REFUSED, /* over max-sessions, or draining */

	/* messages and what came of them */
	METRIC_MESSAGES,     /* ended, whatever came of them */
	METRIC_OCTETS,	     /* of their bodies */
	METRIC_RECIPIENTS,
	METRIC_NOT_OURS,     /* passed: not from a client of ours */
	METRIC_ALREADY_DONE, /* passed: signed by us before */
	METRIC_PASSED,	     /* ours, left as they came */
	METRIC_SIGNED,	     /* left with a signature */
	METRIC_REJECTED,     /* refused with a 4yz or 5yz of ours */
	METRIC_DISCARDED,
	METRIC_TEMPFAILED,   /* something of ours failed */
	METRIC_SPILLED,	     /* bodies that went to a file */
	METRIC_NO_MEMORY,    /* put off: max-memory was reached */

	/* what the stages did */
	METRIC_REMOVED_RECIPIENTS, /* suppressed */
	METRIC_OVER_LIMIT,	   /* put off or refused by a limit */
	METRIC_POLICY_DOWN, /* accepted though policyd or its store was down */
	METRIC_RETURN_PATHS,
	METRIC_UNSUBSCRIBES,	  /* List-Unsubscribe of ours */
	METRIC_UNSUBSCRIBES_KEPT, /* the application's */
	METRIC_PLACEHOLDERS,
	METRIC_LINKS,	   /* rewritten */
	METRIC_LINKS_LEFT, /* not */
	METRIC_PIXELS,
	METRIC_ENCODED,		  /* parts made fit for any hop */
	METRIC_HAZARDS,		  /* messages that a later hop may break */
	METRIC_MALFORMED,	  /* signed without being changed */
	METRIC_SIGNATURES,
	METRIC_SIGNATURES_REMOVED, /* the application's, broken by us */

	/* policyd */
	METRIC_REQUESTS,	/* answered */
	METRIC_BATCHES,		/* in which they were decided */
	METRIC_REQUESTS_BROKEN, /* not answered: malformed, too large, late */
	METRIC_DEFERRED,	/* answered with 4yz, or DEFER_IF_PERMIT */
	METRIC_REFUSED,		/* answered with 5yz */
	METRIC_SUPPRESSED,	/* recipients named as suppressed */
	METRIC_PAUSED,
	METRIC_MAY_NOT_SEND,
	METRIC_CHARGED,		/* messages that limits were charged for */
	METRIC_CHARGED_BEFORE,	/* the same again, not charged */
	METRIC_STORE_UNKNOWN,	/* questions that the store did not answer */
	METRIC_OPENED,		/* of them, accepted (on-store-failure) */
	METRIC_SAVES_FAILED,	/* of rates */
	METRIC_PURGED_SLICES,	/* of expired entries */

	/* trackd */
	METRIC_HTTP_REQUESTS,	 /* answered */
	METRIC_HTTP_CONNECTIONS, /* gauge */
	METRIC_CLICKS,		 /* redirected */
	METRIC_OPENS,
	METRIC_UNSUBSCRIBED,	 /* made durable, spooled ones included */
	METRIC_UNDONE,		 /* unsubscriptions taken back */
	METRIC_ROBOTS,		 /* of clicks and opens */
	METRIC_CORRECTED,	 /* of clicks: judged again as a burst */
	METRIC_TOKENS_REFUSED,	 /* 404 */
	METRIC_HTTP_REFUSED,	 /* other 4xx */
	METRIC_SPOOLED,		 /* unsubscriptions; the store was down */
	METRIC_SPOOL_WAITING,	 /* gauge: not in the store yet */
	METRIC_UNSUBSCRIBES_FAILED, /* 503: neither store nor spool */

	/* all */
	METRIC_EVENTS,		 /* handed to the store's writer */
	METRIC_EVENTS_LOST,	 /* no room: the store is down or slow */
	METRIC_RELOADS,
	METRIC_RELOADS_FAILED,
	METRIC_COUNT
};

/* As many stages as an engine may have; stage.h holds their names. */
#define METRICS_STAGES 16

struct metrics {
	_Atomic uint64_t v[METRIC_COUNT];
	struct {
		_Atomic uint64_t runs;
		_Atomic uint64_t nanos;	/* that they took */
		_Atomic uint64_t stops;	 /* it said the last word */
	} stages[METRICS_STAGES];
};

/* Adds n; any thread.  m may be NULL, here and below. */
void metrics_add(struct metrics *m, enum metric which, uint64_t n);

/* For a gauge, when what was added is over. */
void metrics_subtract(struct metrics *m, enum metric which, uint64_t n);
uint64_t metrics_get(const struct metrics *m, enum metric which);

/* One run of a stage by its place in the table; beyond the last: nothing. */
void metrics_add_stage(struct metrics *m, unsigned stage, uint64_t nanos,
    bool has_stopped);

/* What metrics_add_stage() added up; zeros beyond the last. */
void metrics_get_stage(const struct metrics *m, unsigned stage, uint64_t *runs,
    uint64_t *stops, uint64_t *nanos);

/* The name in log lines and the exporter: "messages". */
const char *metric_name(enum metric which);

/* True when it may fall. */
bool metric_is_gauge(enum metric which);

/*
 * All that are not zero, as " name=value" each, and the stages as
 * " stage-NAME=RUNS/STOPS/MICROS": stage_name gives the name of a place in the
 * table, NULL behind the last; it may be NULL itself.
 */
void metrics_write(const struct metrics *m,
    const char *(*stage_name)(unsigned place), struct buf *out);

#endif
