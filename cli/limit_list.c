/*
 * limit_list.c - `bulkhead limit list`: the limits as they are today, and what
 * is paused.
 */
#include "cli/limit.h"

#include <inttypes.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/json.h"
#include "bulkhead/settings_table.h"
#include "bulkhead/settings_write.h"
#include "cli/load.h"

#define DAY 86400

/* What holds today of a limit, or of one override. */
struct today {
	struct str value; /* the override's; empty: the limit itself */
	const struct limit_warm_up *warm;
	struct rate rate, later; /* later: when it is warm */
	uint64_t burst;
	size_t stage; /* from 1; 0: none or over */
};

static struct today
today_of(struct limit_run *r, const struct limit_settings *l, size_t i)
{
	struct today t = { .warm = &l->warm_up, .later = l->rate };

	if (i > 0) {
		const struct limit_override *o = &l->overrides[i - 1];

		t.value = o->value;
		t.warm = &o->warm_up;
		t.later = o->rate;
	}
	t.stage = limit_rate(l, t.value, r->now, &t.rate, &t.burst);
	return t;
}

/* "day 2 of 6, 20000/h from 2026-12-07"; empty without a warm-up. */
static struct str
stage_text(struct limit_run *r, const struct today *t)
{
	int64_t end = t->warm->from + (int64_t)t->warm->nstages * DAY;

	if (t->stage == 0)
		return STR("");
	if (r->now < t->warm->from)
		return arena_printf(r->arena, "warm-up begins on %.*s",
		    STR_ARG(text_of_day(r->arena, t->warm->from)));
	return arena_printf(r->arena, "warm-up day %zu of %zu, %.*s from %.*s",
	    t->stage, t->warm->nstages,
	    STR_ARG(text_of_rate(r->arena, &t->later)),
	    STR_ARG(text_of_day(r->arena, end)));
}

static void
write_today(struct limit_run *r, struct buf *out, struct str name,
    const struct limit_settings *l, const struct today *t)
{
	struct str rate = text_of_rate(r->arena, &t->rate);

	buf_printf(out, "%-20.*s  %-16s  %-10s  %12.*s  %10" PRIu64 "  %.*s",
	    STR_ARG(name), t->value.n ? "" : settings_per_words[l->per],
	    t->value.n ? "" : settings_count_words[l->count_messages],
	    STR_ARG(rate), t->burst, STR_ARG(stage_text(r, t)));
	while (out->n > 0 && out->p[out->n - 1] == ' ')
		out->n--;
	buf_char(out, '\n');
}

static void
write_text(struct limit_run *r, struct buf *out,
    const struct limit_pause *pauses, size_t npauses)
{
	char since[CLOCK_TEXT];

	if (r->settings->nlimits == 0)
		buf_puts(out, "no limits are set\n");
	else
		buf_printf(out, "%-20s  %-16s  %-10s  %12s  %10s\n", "LIMIT",
		    "PER", "COUNT", "RATE TODAY", "BURST");
	for (size_t i = 0; i < r->settings->nlimits; i++) {
		const struct limit_settings *l = &r->settings->limits[i];

		for (size_t j = 0; j <= l->noverrides; j++) {
			struct today t = today_of(r, l, j);
			struct str name = j == 0 ? l->name :
			    arena_printf(r->arena, "  %.*s", STR_ARG(t.value));

			write_today(r, out, name, l, &t);
		}
	}
	for (size_t i = 0; i < npauses; i++) {
		const struct limit_pause *p = &pauses[i];

		clock_rfc3339(p->since, since);
		buf_printf(out, "%s%.*s %.*s is paused since %s by %.*s",
		    i == 0 ? "\n" : "", STR_ARG(p->kind), STR_ARG(p->name),
		    since, STR_ARG(p->by));
		buf_printf(out, "%s%.*s\n", p->note.n ? ": " : "",
		    STR_ARG(p->note));
	}
}

static void
write_rate_json(struct limit_run *r, struct buf *out, const struct today *t)
{
	json_key(out, "rate");
	json_string(out, text_of_rate(r->arena, &t->rate));
	json_key(out, "burst");
	json_number(out, (int64_t)t->burst);
	json_key(out, "stage");
	if (t->stage != 0)
		json_number(out, (int64_t)t->stage);
	else
		buf_puts(out, "null");
	json_key(out, "stages");
	json_number(out, (int64_t)t->warm->nstages);
	json_key(out, "from");
	json_string_or_null(out, t->warm->nstages != 0 ?
	    text_of_day(r->arena, t->warm->from) : STR(""));
	json_key(out, "rate_later");
	json_string(out, text_of_rate(r->arena, &t->later));
}

static void
write_limit_json(struct limit_run *r, struct buf *out,
    const struct limit_settings *l)
{
	struct today t = today_of(r, l, 0);

	buf_char(out, '{');
	json_key(out, "limit");
	json_string(out, l->name);
	json_key(out, "per");
	json_string(out, str_from(settings_per_words[l->per]));
	json_key(out, "count");
	json_string(out, str_from(settings_count_words[l->count_messages]));
	write_rate_json(r, out, &t);
	json_key(out, "overrides");
	buf_char(out, '[');
	for (size_t j = 1; j <= l->noverrides; j++) {
		t = today_of(r, l, j);
		buf_puts(out, j > 1 ? ", {" : "{");
		json_key(out, "value");
		json_string(out, t.value);
		write_rate_json(r, out, &t);
		buf_char(out, '}');
	}
	buf_puts(out, "]}");
}

static void
write_json(struct limit_run *r, struct buf *out,
    const struct limit_pause *pauses, size_t npauses)
{
	buf_char(out, '{');
	json_key(out, "limits");
	buf_char(out, '[');
	for (size_t i = 0; i < r->settings->nlimits; i++) {
		buf_puts(out, i ? ",\n " : "");
		write_limit_json(r, out, &r->settings->limits[i]);
	}
	buf_char(out, ']');
	json_key(out, "paused");
	buf_char(out, '[');
	for (size_t i = 0; i < npauses; i++) {
		buf_puts(out, i ? ",\n {" : "{");
		json_key(out, "kind");
		json_string(out, pauses[i].kind);
		json_key(out, "name");
		json_string(out, pauses[i].name);
		json_key(out, "since");
		json_number(out, pauses[i].since);
		json_key(out, "by");
		json_string_or_null(out, pauses[i].by);
		json_key(out, "note");
		json_string_or_null(out, pauses[i].note);
		buf_char(out, '}');
	}
	buf_puts(out, "]}\n");
}

int
limit_list(struct limit_run *r)
{
	struct limit_pause *pauses = NULL;
	size_t npauses = 0;
	int rc = limit_pauses(r, &pauses, &npauses), rc2;
	struct buf out;

	buf_init(&out, LIMIT_OUTPUT_MAX);
	if (!r->o->json)
		write_text(r, &out, pauses, npauses);
	else if (rc == EX_OK)
		write_json(r, &out, pauses, npauses);
	rc2 = load_flush(&out, "limit");
	return rc != EX_OK ? rc : rc2;
}
