/*
 * batch.c - questions are taken in, and the checks decide them together.
 */
#include "policyd/batch.h"

#include <stdarg.h>
#include <stdio.h>

#include "policyd/check.h"
#include "policyd/facts.h"

void
batch_init(struct batch *b, struct desk *desk)
{
	*b = (struct batch){ .arena = arena_new(), .desk = desk };
	b->last = &b->first;
}

void
batch_free(struct batch *b)
{
	arena_free(&b->arena);
}

void
batch_begin(struct batch *b)
{
	struct arena *a = b->arena;

	arena_reset(a);
	*b = (struct batch){ .arena = a, .desk = b->desk };
	b->last = &b->first;
}

struct question *
batch_add(struct batch *b, struct str block, bool is_control, void *from,
    const char **why)
{
	struct question *q = arena_alloc(b->arena, sizeof(*q));

	*q = (struct question){ .from = from, .rate = NO_RATE };
	if (policy_request_read(b->arena, block, &q->request, why) != 0)
		return NULL;
	if (q->request.kind == POLICY_OTHER ||
	    (!is_control && q->request.kind != POLICY_ACCESS)) {
		*why = "a request= that is not answered here";
		return NULL;
	}
	*b->last = q;
	b->last = &q->next;
	b->n++;
	return q;
}

bool
question_is_at(const struct question *q, const char *state)
{
	return q->request.kind == POLICY_ACCESS &&
	    str_eq(q->request.protocol_state, str_from(state));
}

void
question_refuse(struct batch *b, struct question *q, enum cause cause,
    const char *code, const char *status, const char *fmt, ...)
{
	char text[POLICY_TEXT_MAX + 1];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	q->is_decided = true;
	q->cause = cause;
	q->reply.answer = code[0] == '4' ? POLICY_DEFER : POLICY_REFUSE;
	q->reply.code = str_from(code);
	q->reply.status = str_from(status);
	q->reply.text = arena_copy(b->arena, str_from(text));
	q->reply.was_open = false;
}

static const char *
why_unknown(const struct desk *desk, unsigned kind)
{
	const struct store *s = kind == STORE_RATES ? desk->rates :
						      desk->lists;

	return s != NULL ? store_error(s, kind) : "it is not open";
}

void
question_unknown(struct batch *b, struct question *q, unsigned kind)
{
	bool is_open = b->settings->on_store_failure == ON_FAILURE_ACCEPT;

	outage_note(&b->desk->outage, kind, why_unknown(b->desk, kind),
	    is_open ? "accepted" : "deferred", b->now / 1000000);
	metrics_add(b->desk->metrics, METRIC_STORE_UNKNOWN, 1);
	if (is_open) {
		q->reply.was_open = true;
		return;
	}
	question_refuse(b, q, CAUSE_STORE, "450", "4.3.0",
	    "%s cannot be looked up now: try again later",
	    kind == STORE_RATES ? "limits" : "suppressions");
}

/* An outage is over when all was told that was asked. */
static void
note_answers(struct batch *b)
{
	int64_t now = b->now / 1000000;
	size_t nunknown = 0;

	for (size_t i = 0; i < b->nqueries; i++)
		nunknown += b->queries[i].answer == STORE_UNKNOWN;
	if (b->nqueries > 0 && nunknown == 0)
		outage_over(&b->desk->outage, STORE_SUPPRESS, now);
	nunknown = 0;
	for (size_t i = 0; i < b->nrates; i++)
		nunknown += b->rates[i].answer == STORE_UNKNOWN;
	if (b->nrates > 0 && nunknown == 0)
		outage_over(&b->desk->outage, STORE_RATES, now);
}

static void
run_check(struct batch *b, const struct check *c)
{
	struct question *q;

	for (q = b->first; c->ask != NULL && q != NULL; q = q->next)
		if (!q->is_decided)
			c->ask(b, q);
	if (c->look_up != NULL)
		c->look_up(b);
	for (q = b->first; c->judge != NULL && q != NULL; q = q->next)
		if (!q->is_decided)
			c->judge(b, q);
}

/* What no check spoke against. */
static void
accept_rest(struct batch *b)
{
	for (struct question *q = b->first; q != NULL; q = q->next) {
		if (q->is_decided)
			continue;
		q->is_decided = true;
		q->reply.answer = POLICY_ACCEPT;
		for (const struct check *const *c = checks; *c != NULL; c++)
			if ((*c)->accepted != NULL)
				(*c)->accepted(b, q);
	}
}

void
batch_decide(struct batch *b, const struct settings *s, unsigned millis)
{
	b->settings = s;
	b->now = clock_micros(&b->desk->clock);
	b->deadline = store_deadline(millis);
	for (struct question *q = b->first; q != NULL; q = q->next)
		facts_find(b, q);
	for (const struct check *const *c = checks; *c != NULL; c++)
		run_check(b, *c);
	note_answers(b);
	accept_rest(b);
}
