/*
 * control.c - answers about policyd itself.
 */
#include "policyd/control.h"

#include <inttypes.h>

#include "base/json.h"
#include "bulkhead/settings_write.h"
#include "config.h"

#define MILLIS	  500
#define JSON_MAX  (64 * 1024)
#define ERROR_MAX 300
/* Of the lines of a listing: more would not be a reply. */
#define BUCKETS_OCTETS (POLICY_REPLY_MAX / 2)

/* Nothing was found to say. */
static void
fail(struct question *q, struct batch *b, const char *code,
    const char *status, struct str text)
{
	q->reply.answer = code[0] == '4' ? POLICY_DEFER : POLICY_REFUSE;
	q->reply.code = str_from(code);
	q->reply.status = str_from(status);
	q->reply.text = arena_copy(b->arena, str_sub(text, 0, ERROR_MAX));
}

static void
fail_store(struct question *q, struct batch *b, const struct store *s,
    unsigned kind)
{
	fail(q, b, "450", "4.3.0", arena_printf(b->arena, "the store: %s",
	    s != NULL ? store_error(s, kind) : "it is not open"));
}

/*
 * All buckets, those of a limit, or one: what a key begins with.  False: no
 * limit has that name, which was said.
 */
static bool
find_prefix(struct batch *b, struct question *q, struct str *prefix)
{
	const struct limit_settings *l = limit_named(b->settings,
	    q->request.name);
	struct str value = q->request.value;

	*prefix = STR("");
	if (q->request.name.n == 0)
		return true;
	if (l == NULL) {
		fail(q, b, "550", "5.5.4", arena_printf(b->arena,
		    "no limit is named \"%.*s\"", STR_ARG(q->request.name)));
		return false;
	}
	if (value.n > 0)
		value = limit_value(b->arena, l, value);
	*prefix = limit_key(b->arena, l->name, value);
	return true;
}

struct listing {
	struct arena *arena;
	struct buf out; /* lines */
	size_t n;
	bool is_more;
};

static void
write_bucket(struct buf *out, struct str limit, struct str value,
    struct str rate, const struct rate_state *r)
{
	buf_puts(out, "bucket={");
	json_key(out, "limit");
	json_string(out, limit);
	json_key(out, "value");
	json_string(out, value);
	json_key(out, "rate");
	json_string(out, rate);
	json_key(out, "burst");
	buf_printf(out, "%" PRIu64, r->burst);
	json_key(out, "used");
	buf_printf(out, "%" PRIu64, r->used);
	json_key(out, "full_at");
	/* rounded up: then it is */
	json_number(out, r->full_at / 1000000 + (r->full_at % 1000000 > 0));
	buf_puts(out, "}\n");
}

static bool
list_bucket(void *arg, const struct rate_state *r)
{
	struct listing *l = arg;
	struct str name, value;

	if (!limit_key_split(r->key, &name, &value))
		return true;
	if (l->n == CONTROL_BUCKETS_MAX || l->out.n > BUCKETS_OCTETS) {
		l->is_more = true;
		return false;
	}
	write_bucket(&l->out, name, value, text_of_rate(l->arena, &r->rate),
	    r);
	l->n++;
	return true;
}

static void
answer_limits(struct desk *d, struct batch *b, struct question *q,
    struct buf *out)
{
	struct listing l = { .arena = b->arena };
	struct str prefix;

	buf_init(&l.out, POLICY_REPLY_MAX);
	if (find_prefix(b, q, &prefix) && (d->rates == NULL ||
	    store_rate_walk(d->rates, prefix, list_bucket, &l) != STORE_YES))
		fail_store(q, b, d->rates, STORE_RATES);
	policy_write_action(out, &q->reply);
	if (q->reply.answer == POLICY_ACCEPT)
		buf_str(out, buf_view(&l.out));
	if (l.is_more)
		policy_write_attr(out, "more", STR("1"));
	buf_free(&l.out);
}

static void
answer_reset(struct desk *d, struct batch *b, struct question *q,
    struct buf *out)
{
	struct str prefix;
	uint64_t n = 0;

	if (q->request.name.n == 0)
		fail(q, b, "550", "5.5.4", STR("name= says which limit"));
	else if (find_prefix(b, q, &prefix) && (d->rates == NULL ||
	    store_rate_reset(d->rates, prefix, &n, store_deadline(MILLIS)) !=
	    STORE_YES))
		fail_store(q, b, d->rates, STORE_RATES);
	policy_write_action(out, &q->reply);
	if (q->reply.answer == POLICY_ACCEPT)
		buf_printf(out, "count=%" PRIu64 "\n", n);
}

static void
answer_refresh(struct desk *d, struct batch *b, struct question *q,
    struct buf *out)
{
	if (pauses_update(d->pauses, d->lists, true,
	    store_deadline(MILLIS)) != STORE_YES)
		fail_store(q, b, d->lists, STORE_META);
	policy_write_action(out, &q->reply);
}

/* "up", or why not. */
static struct str
state_of(const struct store *s, unsigned kind, bool is_down)
{
	if (s == NULL)
		return STR("it is not open");
	return is_down ? str_from(store_error(s, kind)) : STR("up");
}

static void
write_state(struct buf *json, const char *name, const struct store *s,
    unsigned kind, bool is_down)
{
	json_key(json, name);
	json_string(json, state_of(s, kind, is_down));
}

/* Both kinds in one word: that which is down says why. */
static void
write_store(const struct desk *d, struct buf *json)
{
	struct str lists = state_of(d->lists, STORE_SUPPRESS,
	    d->outage.lists.is_down);
	struct str rates = state_of(d->rates, STORE_RATES,
	    d->outage.rates.is_down);
	bool is_open = (d->lists != NULL &&
	    store_is_tripped(d->lists, STORE_SUPPRESS)) ||
	    (d->rates != NULL && store_is_tripped(d->rates, STORE_RATES));

	json_key(json, "store");
	json_string(json, str_eq(lists, STR("up")) ? rates : lists);
	json_key(json, "breaker");
	json_string(json, is_open ? STR("open") : STR("closed"));
}

void
control_write_state(const struct desk *d, unsigned nclients, struct buf *json)
{
	json_key(json, "clients");
	json_number(json, nclients);
	write_store(d, json);
	write_state(json, "suppressions", d->lists, STORE_SUPPRESS,
	    d->outage.lists.is_down);
	write_state(json, "limits", d->rates, STORE_RATES,
	    d->outage.rates.is_down);
	json_key(json, "paused");
	pauses_write_json(d->pauses, clock_seconds(&d->clock), json);
}

static void
write_counters(struct buf *json, const struct metrics *m)
{
	json_key(json, "counters");
	buf_char(json, '{');
	for (int i = 0; m != NULL && i < METRIC_COUNT; i++) {
		uint64_t n = metrics_get(m, (enum metric)i);

		if (n == 0)
			continue;
		json_key(json, metric_name((enum metric)i));
		buf_printf(json, "%" PRIu64, n);
	}
	buf_char(json, '}');
}

static void
answer_status(struct desk *d, struct batch *b, struct question *q,
    unsigned nclients, struct buf *out)
{
	struct buf json;

	buf_init(&json, JSON_MAX);
	buf_char(&json, '{');
	json_key(&json, "version");
	json_string(&json, STR(VERSION));
	json_key(&json, "clients");
	json_number(&json, nclients);
	write_state(&json, "suppressions", d->lists, STORE_SUPPRESS,
	    d->outage.lists.is_down);
	write_state(&json, "rates", d->rates, STORE_RATES,
	    d->outage.rates.is_down);
	json_key(&json, "paused");
	pauses_update(d->pauses, d->lists, false, store_deadline(MILLIS));
	pauses_write_json(d->pauses, b->now / 1000000, &json);
	write_counters(&json, d->metrics);
	buf_char(&json, '}');
	policy_write_action(out, &q->reply);
	policy_write_attr(out, "status", buf_view(&json));
	buf_free(&json);
}

bool
control_answer(struct desk *d, struct batch *b, struct question *q,
    unsigned nclients, struct buf *out)
{
	switch (q->request.kind) {
	case POLICY_LIMITS:
		answer_limits(d, b, q, out);
		break;
	case POLICY_LIMIT_RESET:
		answer_reset(d, b, q, out);
		break;
	case POLICY_REFRESH:
		answer_refresh(d, b, q, out);
		break;
	case POLICY_STATUS:
		answer_status(d, b, q, nclients, out);
		break;
	default:
		return false;
	}
	policy_write_end(out);
	return true;
}
