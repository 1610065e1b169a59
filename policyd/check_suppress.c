/*
 * check_suppress.c - who must not get mail.  At RCPT the recipient is refused;
 * admit is told which ones are.
 */
#include "policyd/check.h"

#include "base/hash.h"

#define EVIDENCE_MAX 200
/* Look-ups of one question from which on all others come before it. */
#define LARGE 1000

static bool
is_asked(const struct question *q)
{
	return q->request.kind == POLICY_ADMIT || question_is_at(q, "RCPT");
}

static void
add_query(struct batch *b, struct str address,
    const struct suppress_scope *scope)
{
	b->queries = arena_grow(b->arena, b->queries, b->nqueries,
	    &b->cap_queries, sizeof(*b->queries));
	b->queries[b->nqueries++] = (struct suppress_query){
		.address = address,
		.scope = *scope,
	};
}

/*
 * Entries of a stream's former titles hold for it, too: each of its ids is a
 * scope of its own.
 */
static size_t
nscopes(const struct question *q)
{
	return q->stream != NULL && q->knows_scope ? 1 + q->stream->naliases :
						     1;
}

static struct suppress_scope
scope_of(const struct question *q, size_t i)
{
	struct suppress_scope scope = { .domain = STR("") };

	if (!q->knows_scope)
		return scope;
	scope.domain = q->domain;
	scope.list = q->request.message.list;
	if (q->stream == NULL)
		scope.stream = q->stream_title.n > 0 ?
		    hash_id32(q->stream_title) : 0;
	else
		scope.stream = i == 0 ? q->stream->id :
					q->stream->aliases[i - 1];
	return scope;
}

static bool
is_large(const struct question *q)
{
	return q->nrecipients * nscopes(q) >= LARGE;
}

/* One without a normal form has no entry; its place is kept. */
static void
add_queries(struct batch *b, struct question *q)
{
	q->first_query = b->nqueries;
	q->nscopes = nscopes(q);
	for (size_t r = 0; r < q->nrecipients; r++)
		for (size_t i = 0; i < q->nscopes; i++) {
			struct suppress_scope scope = scope_of(q, i);

			add_query(b, q->recipients[r], &scope);
		}
}

static void
ask(struct batch *b, struct question *q)
{
	if (is_asked(q) && !is_large(q))
		add_queries(b, q);
}

/* What is late stays UNKNOWN, without a call that would tell it of all. */
static void
find_from(struct batch *b, size_t from)
{
	if (b->desk->lists == NULL || from == b->nqueries ||
	    clock_monotonic() >= b->deadline)
		return;
	store_suppress_find(b->desk->lists, b->arena, b->queries + from,
	    b->nqueries - from, b->deadline);
}

/*
 * The store tells all of a call or nothing: a question about thousands, which
 * may be late, has one of its own.
 */
static void
look_up(struct batch *b)
{
	find_from(b, 0);
	for (struct question *q = b->first; q != NULL; q = q->next) {
		size_t from = b->nqueries;

		if (q->is_decided || !is_asked(q) || !is_large(q))
			continue;
		add_queries(b, q);
		find_from(b, from);
	}
}

/* The strongest of what was found for the scopes of one recipient. */
static enum store_answer
find_strongest(const struct batch *b, const struct question *q, size_t r,
    const struct suppress_entry **out)
{
	const struct suppress_query *v =
	    &b->queries[q->first_query + r * q->nscopes];
	enum store_answer answer = STORE_NO;

	*out = NULL;
	if (q->recipients[r].n == 0)
		return STORE_NO;
	for (size_t i = 0; i < q->nscopes; i++) {
		if (v[i].answer == STORE_UNKNOWN)
			answer = STORE_UNKNOWN;
		else if (v[i].answer == STORE_YES && (*out == NULL ||
		    v[i].entry.reason < (*out)->reason))
			*out = &v[i].entry;
	}
	return *out != NULL ? STORE_YES : answer;
}

/* "suppressed (hard-bounce 2026-11-01: 550 5.1.1 no such user)" */
static struct str
describe(struct arena *a, const struct suppress_entry *e)
{
	struct str evidence = str_sub(e->evidence, 0, EVIDENCE_MAX);
	char when[CLOCK_TEXT];

	clock_rfc3339(e->created, when);
	return arena_printf(a, "suppressed (%s %.10s%s%.*s)",
	    suppress_reason_name(e->reason), when, evidence.n > 0 ? ": " : "",
	    STR_ARG(evidence));
}

static void
note_suppressed(struct batch *b, struct question *q, size_t r,
    const struct suppress_entry *e)
{
	struct policy_reply *reply = &q->reply;

	if (reply->suppressed == NULL)
		reply->suppressed = arena_array(b->arena, q->nrecipients,
		    sizeof(*reply->suppressed));
	reply->suppressed[reply->nsuppressed++] = (struct policy_suppressed){
		.recipient = r,
		.reason = str_from(suppress_reason_name(e->reason)),
		.text = describe(b->arena, e),
	};
}

/* Which ones are is one answer; it refuses nothing. */
static void
judge_admit(struct batch *b, struct question *q)
{
	bool is_unknown = false;

	for (size_t r = 0; r < q->nrecipients; r++) {
		const struct suppress_entry *e;
		enum store_answer answer = find_strongest(b, q, r, &e);

		if (answer == STORE_YES)
			note_suppressed(b, q, r, e);
		else if (answer == STORE_UNKNOWN)
			is_unknown = true;
	}
	if (is_unknown)
		question_unknown(b, q, STORE_SUPPRESS);
	if (q->is_decided) {
		q->reply.nsuppressed = 0;
		return;
	}
	if (q->reply.nsuppressed > 0) {
		q->cause = CAUSE_SUPPRESSED;
		q->reason = q->reply.suppressed[0].reason;
	}
	metrics_add(b->desk->metrics, METRIC_SUPPRESSED,
	    q->reply.nsuppressed);
}

static void
judge_rcpt(struct batch *b, struct question *q)
{
	const struct suppress_entry *e;
	struct str text;

	switch (find_strongest(b, q, 0, &e)) {
	case STORE_YES:
		text = describe(b->arena, e);
		q->reason = str_from(suppress_reason_name(e->reason));
		metrics_add(b->desk->metrics, METRIC_SUPPRESSED, 1);
		question_refuse(b, q, CAUSE_SUPPRESSED, "550", "5.7.1",
		    "<%.*s>: %.*s", STR_ARG(q->request.message.recipients[0]),
		    STR_ARG(text));
		break;
	case STORE_UNKNOWN:
		question_unknown(b, q, STORE_SUPPRESS);
		break;
	case STORE_NO:
		break;
	}
}

static void
judge(struct batch *b, struct question *q)
{
	if (!is_asked(q) || q->nrecipients == 0)
		return;
	if (q->request.kind == POLICY_ADMIT)
		judge_admit(b, q);
	else
		judge_rcpt(b, q);
}

const struct check check_suppress = {
	.name = "suppress",
	.ask = ask,
	.look_up = look_up,
	.judge = judge,
};
