/*
 * batch.h - what all connections have ready, decided at once: one look-up of
 * suppressions, one decision over limits.  No sockets: those are loop.h's and
 * client.h's.
 */
#ifndef BULKHEAD_POLICYD_BATCH_H
#define BULKHEAD_POLICYD_BATCH_H

#include "base/arena.h"
#include "base/clock.h"
#include "bulkhead/limit.h"
#include "bulkhead/metrics.h"
#include "bulkhead/policy_proto.h"
#include "bulkhead/settings.h"
#include "bulkhead/stream.h"
#include "policyd/instances.h"
#include "policyd/outage.h"
#include "policyd/pauses.h"
#include "store/events.h"
#include "store/suppress.h"

/*
 * What lives from batch to batch; all belongs to the thread that decides.
 * A store that is NULL is down.
 */
struct desk {
	struct store *lists; /* suppressions and meta */
	struct store *rates;
	struct pauses *pauses;
	struct instances *instances;
	struct outage outage;
	struct metrics *metrics;
	struct clock clock;
	/* Takes events; never waits.  NULL: nobody does. */
	void (*event)(void *arg, const struct event *e);
	void *event_arg;
};

/* Why a question was answered with a no; for the log. */
enum cause {
	CAUSE_NONE,
	CAUSE_MAY_SEND,
	CAUSE_PAUSED,
	CAUSE_SUPPRESSED,
	CAUSE_LIMIT,
	CAUSE_STORE
};

/* One request under decision. */
struct question {
	struct question *next; /* of the batch */
	void *from;	       /* the client */
	struct policy_request request;

	/* what is known of the message */
	struct stream_facts facts; /* headers NULL */
	const struct stream_settings *stream; /* NULL: none, or not known */
	struct str stream_title; /* control socket: as it was said */
	const struct domain_settings *section; /* NULL: none, or not known */
	struct str domain;		       /* its name */
	bool knows_scope; /* stream and domain are those of the message */
	const struct str *recipients; /* normal forms */
	size_t nrecipients;

	/* where its part of the batch's look-ups is */
	size_t first_query, nscopes; /* nscopes for each recipient */
	size_t rate;		     /* index; NO_RATE: none */
	struct limit_plan plan;
	uint64_t *own; /* RCPT: what this recipient alone costs, by bucket */

	/* what came of it */
	bool is_decided;
	enum cause cause;
	struct str reason; /* CAUSE_SUPPRESSED: the first one's, for the log */
	struct policy_reply reply;
};

#define NO_RATE ((size_t)-1)

struct batch {
	struct arena *arena; /* reset by batch_begin() */
	struct desk *desk;
	const struct settings *settings;
	int64_t now;	  /* microseconds since 1970 */
	int64_t deadline; /* store_deadline() */
	struct question *first, **last;
	size_t n;
	struct suppress_query *queries;
	size_t nqueries, cap_queries;
	struct rate_request *rates;
	size_t nrates, cap_rates;
};

/* A batch for that desk, empty. */
void batch_init(struct batch *b, struct desk *desk);
void batch_free(struct batch *b);

/* Forgets what was decided. */
void batch_begin(struct batch *b);

/*
 * Takes a request in; the block must live until the batch was decided.  On the
 * policy socket (not is_control) only smtpd's are taken.  NULL with a static
 * text in *why when it is malformed.
 */
struct question *batch_add(struct batch *b, struct str block, bool is_control,
    void *from, const char **why);

/*
 * Decides all that were taken in, in their order, by these settings, within
 * millis; questions of kinds that are not decided here (limits, status) are
 * left alone.
 */
void batch_decide(struct batch *b, const struct settings *s, unsigned millis);

/* For checks: the last word on a question. */
void question_refuse(struct batch *b, struct question *q, enum cause cause,
    const char *code, const char *status, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/*
 * For checks: it cannot be known.  Puts the question off, or notes that it
 * goes on unchecked, as on-store-failure says.
 */
void question_unknown(struct batch *b, struct question *q, unsigned kind);

/* Is it smtpd's at that protocol_state? */
bool question_is_at(const struct question *q, const char *state);

#endif
