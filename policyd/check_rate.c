/*
 * check_rate.c - limits: asked at RCPT, cumulated over the message's
 * recipients so far; charged for the milter, or at DATA where there is none.
 */
#include "policyd/check.h"

#include "base/num.h"

/* Beyond it a recipient_count is no count. */
#define COUNT_MAX 100000

static bool
is_charge_at_data(const struct batch *b, const struct question *q)
{
	return question_is_at(q, "DATA") &&
	    b->settings->policyd.charge_at == CHARGE_AT_DATA;
}

/*
 * The message's recipients by what was remembered of its RCPTs and by
 * smtpd's count, which rules: one that nobody remembers, after a restart say,
 * is an empty text; of those that another restriction refused the last are
 * left out.
 */
static void
find_recipients(struct batch *b, struct question *q)
{
	const struct instance *i = instances_find(b->desk->instances,
	    q->request.message.instance);
	struct str *v;
	uint64_t n;

	if (num_parse(q->request.recipient_count, COUNT_MAX, &n) != 0 ||
	    n == 0)
		n = i != NULL ? instance_recipients(i, NULL, 0) : 1;
	if (n == 1 && q->nrecipients == 1 && q->recipients[0].n > 0)
		return; /* DATA names a single one */
	v = arena_array(b->arena, (size_t)n, sizeof(*v));
	if (i != NULL)
		instance_recipients(i, v, (size_t)n);
	q->recipients = v;
	q->nrecipients = (size_t)n;
}

static void
make_plan(struct batch *b, struct question *q)
{
	struct limit_facts f = {
		.domain = q->domain,
		.stream = q->stream_title,
		.sasl_user = q->facts.sasl_user,
		.client = q->facts.has_client ? &q->facts.client : NULL,
		.knows_domain = q->knows_scope,
		.knows_stream = q->knows_scope,
		.recipients = q->recipients,
		.nrecipients = q->nrecipients,
		.now = b->now / 1000000,
	};

	q->plan = limit_plan(b->arena, b->settings, &f);
}

static void
add_request(struct batch *b, struct question *q, enum rate_mode mode,
    struct str id)
{
	if (q->plan.n == 0)
		return;
	b->rates = arena_grow(b->arena, b->rates, b->nrates, &b->cap_rates,
	    sizeof(*b->rates));
	q->rate = b->nrates++;
	b->rates[q->rate] = (struct rate_request){
		.mode = mode,
		.id = id,
		.buckets = q->plan.buckets,
		.nbuckets = q->plan.n,
	};
}

/* What the recipients before this one cost, on top of what it does. */
static void
add_former(struct batch *b, struct question *q, const struct instance *i)
{
	q->own = arena_array(b->arena, q->plan.n, sizeof(*q->own));
	for (size_t k = 0; k < q->plan.n; k++) {
		struct rate_bucket *bucket = &q->plan.buckets[k];

		q->own[k] = bucket->cost;
		if (i == NULL)
			continue;
		if (q->plan.limits[k]->count_messages &&
		    instance_cost(i, bucket->key) > 0)
			q->own[k] = 0; /* one message, however many */
		bucket->cost = q->own[k] + instance_cost(i, bucket->key);
	}
}

static void
ask_rcpt(struct batch *b, struct question *q)
{
	const struct instance *i = instances_find(b->desk->instances,
	    q->request.message.instance);

	if (i != NULL && instance_has(i, q->recipients[0]))
		return; /* asked again: it got DUNNO */
	make_plan(b, q);
	add_former(b, q, i);
	add_request(b, q, RATE_PEEK, STR(""));
}

/* Queue ids are unique at one MTA only; a NUL is in neither. */
static struct str
charge_id(struct batch *b, const struct policy_message *m)
{
	const struct str parts[] = { m->instance, { "", 1 }, m->queue_id };

	return m->queue_id.n > 0 ? arena_join(b->arena, parts, 3) : STR("");
}

static void
ask(struct batch *b, struct question *q)
{
	struct policy_message *m = &q->request.message;

	if (b->settings->nlimits == 0)
		return;
	if (question_is_at(q, "RCPT")) {
		if (q->nrecipients == 1)
			ask_rcpt(b, q);
	} else if (is_charge_at_data(b, q)) {
		const struct str parts[] = { STR("data"), { "", 1 },
			m->instance };

		find_recipients(b, q);
		make_plan(b, q);
		add_request(b, q, RATE_CHARGE, m->instance.n > 0 ?
		    arena_join(b->arena, parts, 3) : STR(""));
	} else if (q->request.kind == POLICY_CHARGE) {
		make_plan(b, q);
		add_request(b, q, m->is_dry ? RATE_PEEK : RATE_CHARGE,
		    charge_id(b, m));
	}
}

static void
look_up(struct batch *b)
{
	if (b->nrates > 0 && b->desk->rates != NULL)
		store_rate_decide(b->desk->rates, b->rates, b->nrates,
		    b->deadline);
}

/*
 * A message whose recipients together are more than a bucket ever holds: this
 * one may come with the next message, if it is not too much alone.
 */
static bool
is_too_many_together(const struct question *q)
{
	bool is_some = false;

	if (q->own == NULL)
		return false;
	for (size_t k = 0; k < q->plan.n; k++) {
		const struct rate_bucket *bucket = &q->plan.buckets[k];

		if (bucket->wait >= 0)
			continue;
		if (q->own[k] > bucket->burst)
			return false;
		is_some = true;
	}
	return is_some;
}

/* What was remembered of a message may go before the others are answered. */
static void
keep_recipients(struct batch *b, struct question *q)
{
	struct str *v = arena_array(b->arena, q->nrecipients, sizeof(*v));

	for (size_t i = 0; i < q->nrecipients; i++)
		v[i] = arena_copy(b->arena, q->recipients[i]);
	q->recipients = v;
}

static void
refuse(struct batch *b, struct question *q)
{
	struct str code, status, text, limit;

	limit_reply(b->arena, &q->plan, &code, &status, &text, &limit);
	if (is_too_many_together(q))
		question_refuse(b, q, CAUSE_LIMIT, "450", "4.7.1",
		    "over limit \"%.*s\": too many recipients for one "
		    "message, send the others in another", STR_ARG(limit));
	else
		question_refuse(b, q, CAUSE_LIMIT, arena_cstr(b->arena, code),
		    arena_cstr(b->arena, status), "%.*s", STR_ARG(text));
	q->reply.limit = limit;
	keep_recipients(b, q);
	metrics_add(b->desk->metrics, METRIC_OVER_LIMIT, 1);
}

static void
count_charge(struct batch *b, const struct rate_request *r)
{
	if (r->mode != RATE_CHARGE)
		return;
	metrics_add(b->desk->metrics, r->was_charged_before ?
	    METRIC_CHARGED_BEFORE : METRIC_CHARGED, 1);
}

static void
judge(struct batch *b, struct question *q)
{
	const struct rate_request *r;

	if (q->rate == NO_RATE)
		return;
	r = &b->rates[q->rate];
	switch (r->answer) {
	case STORE_YES:
		count_charge(b, r);
		break;
	case STORE_NO:
		refuse(b, q);
		break;
	case STORE_UNKNOWN:
		question_unknown(b, q, STORE_RATES);
		break;
	}
}

/* The recipient will be the message's, as far as we are asked. */
static void
note(struct batch *b, struct question *q)
{
	struct instance *i;

	if (b->settings->nlimits == 0 || !question_is_at(q, "RCPT") ||
	    q->nrecipients != 1 || q->request.message.instance.n == 0)
		return;
	i = instances_make(b->desk->instances, q->request.message.instance,
	    b->now / 1000000);
	if (instance_has(i, q->recipients[0]))
		return;
	instance_add(i, q->recipients[0],
	    b->settings->policyd.charge_at == CHARGE_AT_DATA);
	for (size_t k = 0; k < q->plan.n; k++)
		instance_charge(i, q->plan.buckets[k].key, q->own[k]);
}

const struct check check_rate = {
	.name = "rate",
	.ask = ask,
	.look_up = look_up,
	.judge = judge,
	.accepted = note,
};
