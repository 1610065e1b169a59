/*
 * limit_show.c - `bulkhead limit show` and `reset`: how much of each bucket is
 * used, and making buckets full again.
 */
#include "cli/limit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "bulkhead/policy_proto.h"
#include "bulkhead/settings_write.h"
#include "cli/load.h"
#include "store/rate.h"

#define RESET_MILLIS 5000

static uint64_t
left_of(const struct limit_bucket *b)
{
	return b->used < b->burst ? b->burst - b->used : 0;
}

static void
write_json(struct buf *out, const struct limit_buckets *b)
{
	buf_char(out, '{');
	json_key(out, "source");
	json_string(out, b->is_saved ? STR("store") : STR("policyd"));
	json_key(out, "more");
	json_bool(out, b->has_more);
	json_key(out, "buckets");
	buf_char(out, '[');
	for (size_t i = 0; i < b->n; i++) {
		buf_puts(out, i ? ",\n {" : "{");
		json_key(out, "limit");
		json_string(out, b->v[i].limit);
		json_key(out, "value");
		json_string_or_null(out, b->v[i].value);
		json_key(out, "rate");
		json_string(out, b->v[i].rate);
		json_key(out, "burst");
		json_number(out, (int64_t)b->v[i].burst);
		json_key(out, "used");
		json_number(out, (int64_t)b->v[i].used);
		json_key(out, "left");
		json_number(out, (int64_t)left_of(&b->v[i]));
		json_key(out, "full_at");
		json_number(out, b->v[i].full_at);
		buf_char(out, '}');
	}
	buf_puts(out, "]}\n");
}

static void
write_text(struct buf *out, const struct limit_buckets *b, int64_t now)
{
	char full[CLOCK_TEXT];

	buf_printf(out, "%-16s  %-24s  %12s  %10s  %10s  %s\n", "LIMIT",
	    "VALUE", "RATE", "USED", "LEFT", "FULL AT");
	for (size_t i = 0; i < b->n; i++) {
		const struct limit_bucket *v = &b->v[i];

		/* past the year 9999 a date says nothing */
		clock_rfc3339(v->full_at < now + INT64_C(100000000000) ?
		    v->full_at : now, full);
		buf_printf(out, "%-16.*s  %-24.*s  %12.*s  %10" PRIu64
		    "  %10" PRIu64 "  %s\n", STR_ARG(v->limit),
		    STR_ARG(v->value.n ? v->value : STR("-")),
		    STR_ARG(v->rate), v->used, left_of(v), full);
	}
	if (b->has_more)
		buf_puts(out, "... and more: name a limit, or one value of "
		    "it\n");
}

/* A bucket that was asked for by name is there even when it is full. */
static void
add_full(struct limit_run *r, const struct limit_settings *l,
    struct str value, struct limit_buckets *b)
{
	struct limit_bucket *v = arena_alloc(r->arena, sizeof(*v));
	struct rate rate;

	*v = (struct limit_bucket){ .limit = l->name, .value = value,
		.full_at = r->now };
	limit_rate(l, value, r->now, &rate, &v->burst);
	v->rate = text_of_rate(r->arena, &rate);
	b->v = v;
	b->n = 1;
}

int
limit_show(struct limit_run *r)
{
	const struct limit_settings *l = NULL;
	struct limit_buckets b;
	struct str value = STR("");
	struct buf out;
	int rc;

	if (r->o->argc > 0 && (l = limit_of_arg(r)) == NULL)
		return EX_DATAERR;
	if (l != NULL)
		value = limit_value(r->arena, l, limit_arg(r, 1));
	rc = limit_find_buckets(r, l ? l->name : STR(""), value, &b);
	if (rc != EX_OK)
		return rc;
	if (b.n == 0 && l != NULL &&
	    (value.n != 0 || l->per == LIMIT_PER_NONE))
		add_full(r, l, value, &b);
	buf_init(&out, LIMIT_OUTPUT_MAX);
	if (r->o->json)
		write_json(&out, &b);
	else if (b.n != 0)
		write_text(&out, &b, r->now);
	else
		buf_puts(&out, "every bucket is full\n");
	return load_flush(&out, "limit");
}

static int
reset_saved(struct limit_run *r, struct str prefix, uint64_t *n)
{
	struct store *s = limit_store(r, STORE_RATES, STORE_CHANGE);
	int rc = EX_OK;

	if (s == NULL)
		return EX_UNAVAILABLE;
	if (store_rate_reset(s, prefix, n, store_deadline(RESET_MILLIS)) !=
	    STORE_YES) {
		limit_say("%s", store_error(s, STORE_RATES));
		rc = EX_UNAVAILABLE;
	}
	store_close(&s);
	return rc;
}

/* Makes them full: policyd does, or, where it is down, we do in the store. */
static int
reset(struct limit_run *r, struct str name, struct str value, uint64_t *n)
{
	struct str lines, error, key, text;
	int rc = limit_ask(r, "limit_reset", name, value, &lines, &error);

	if (rc > 0)
		return EX_UNAVAILABLE;
	if (rc < 0)
		return reset_saved(r, limit_key(r->arena, name, value), n);
	while (policy_next_attr(&lines, &key, &text))
		if (str_eq(key, STR("count")))
			num_parse(text, UINT64_MAX, n);
	return EX_OK;
}

int
limit_reset(struct limit_run *r)
{
	const struct limit_settings *l = limit_of_arg(r);
	struct limit_buckets b;
	struct str value;
	struct buf out;
	uint64_t n = 0;
	int rc;

	if (l == NULL)
		return EX_DATAERR;
	value = limit_value(r->arena, l, limit_arg(r, 1));
	if (r->o->dry_run) {
		rc = limit_find_buckets(r, l->name, value, &b);
		n = b.n;
	} else {
		rc = reset(r, l->name, value, &n);
	}
	if (rc != EX_OK)
		return rc;
	buf_init(&out, LIMIT_OUTPUT_MAX);
	if (r->o->json) {
		buf_char(&out, '{');
		json_key(&out, "limit");
		json_string(&out, l->name);
		json_key(&out, "value");
		json_string_or_null(&out, value);
		json_key(&out, "count");
		json_number(&out, (int64_t)n);
		json_key(&out, "dry_run");
		json_bool(&out, r->o->dry_run);
		buf_puts(&out, "}\n");
	} else {
		buf_printf(&out, "%" PRIu64 " bucket%s %s full again\n", n,
		    n == 1 ? "" : "s", r->o->dry_run ? "would be" :
		    n == 1 ? "is" : "are");
	}
	return load_flush(&out, "limit");
}
