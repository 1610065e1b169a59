/*
 * report_json.c - a report as one JSON object; bulkhead-report(1) has its
 * members.
 */
#include "cli/report.h"

#include "base/json.h"

static void
put_number(struct buf *out, const char *name, uint64_t v)
{
	json_key(out, name);
	json_number(out, (int64_t)v);
}

/* Verdicts, total and unique of one kind. */
static void
put_kind(struct buf *out, const struct report_counts *c, enum event_kind kind)
{
	json_key(out, event_kind_name(kind));
	buf_char(out, '{');
	put_number(out, "unique", c->unique[kind]);
	put_number(out, "total", report_total(c, kind));
	for (enum event_verdict v = EVENT_HUMAN; v < EVENT_VERDICTS; v++)
		put_number(out, event_verdict_name(v), c->n[kind][v]);
	buf_char(out, '}');
}

static void
put_rate(struct buf *out, const struct report_counts *c, enum event_kind kind)
{
	uint64_t n = report_total(c, EVENT_HANDED);

	json_key(out, event_kind_name(kind));
	if (n == 0)
		buf_puts(out, "null");
	else
		buf_printf(out, "%.6f", (double)c->unique[kind] / (double)n);
}

/* The members that all counts have. */
static void
put_counts(struct buf *out, const struct report_counts *c)
{
	put_number(out, "handed", report_total(c, EVENT_HANDED));
	put_kind(out, c, EVENT_OPENED);
	put_kind(out, c, EVENT_CLICKED);
	put_kind(out, c, EVENT_UNSUBSCRIBED);
	put_number(out, "suppressed", report_total(c, EVENT_SUPPRESSED));
	put_number(out, "limited", report_total(c, EVENT_LIMITED));
	json_key(out, "rates");
	buf_char(out, '{');
	put_rate(out, c, EVENT_OPENED);
	put_rate(out, c, EVENT_CLICKED);
	put_rate(out, c, EVENT_UNSUBSCRIBED);
	buf_char(out, '}');
}

static void
put_day(struct buf *out, const char *name, uint32_t day)
{
	char text[REPORT_DAY_TEXT];

	report_day_format(day, text);
	json_key(out, name);
	json_string(out, str_from(text));
}

static void
put_lines(const struct report *r, struct buf *out)
{
	bool by_campaign = r->about == REPORT_STREAM;

	json_key(out, by_campaign ? "campaigns" : "streams");
	buf_char(out, '[');
	for (size_t i = 0; i < r->nlines; i++) {
		const struct report_line *l = &r->lines[i];

		buf_puts(out, i > 0 ? ",\n {" : "\n {");
		json_key(out, by_campaign ? "campaign" : "stream");
		json_string(out, by_campaign ? l->campaign : l->name);
		if (!by_campaign)
			put_number(out, "id", l->stream);
		put_day(out, "first_day", l->first_day);
		put_counts(out, &l->counts);
		buf_char(out, '}');
	}
	buf_char(out, ']');
}

static void
put_days(const struct report *r, struct buf *out)
{
	json_key(out, "days");
	buf_char(out, '[');
	for (size_t i = 0; i < r->ndays; i++) {
		buf_puts(out, i > 0 ? ",\n {" : "\n {");
		put_day(out, "day", r->days[i]);
		put_counts(out, &r->by_day[i]);
		buf_char(out, '}');
	}
	buf_char(out, ']');
}

static void
put_links(const struct report *r, struct buf *out)
{
	json_key(out, "links");
	buf_char(out, '[');
	for (size_t i = 0; i < r->nlinks; i++) {
		const struct report_link *l = &r->links[i];

		buf_puts(out, i > 0 ? ",\n {" : "\n {");
		json_key(out, "url");
		json_string_or_null(out, l->url);
		json_key(out, "stream");
		json_string(out, l->stream);
		json_key(out, "campaign");
		json_string(out, l->campaign);
		put_number(out, "unique", l->unique);
		for (enum event_verdict v = EVENT_HUMAN; v < EVENT_VERDICTS;
		     v++)
			put_number(out, event_verdict_name(v), l->n[v]);
		buf_char(out, '}');
	}
	buf_char(out, ']');
}

static void
put_time(struct buf *out, int64_t micros)
{
	char text[CLOCK_TEXT];

	json_key(out, "as_of");
	clock_rfc3339(micros / 1000000, text);
	json_string_or_null(out, micros != 0 ? str_from(text) : STR(""));
}

void
report_write_json(const struct report *r, struct buf *out)
{
	buf_char(out, '{');
	put_time(out, r->as_of);
	json_key(out, "is_current");
	json_bool(out, r->is_current);
	put_day(out, "since", r->from);
	put_day(out, "until", r->until);
	json_key(out, "domain");
	json_string_or_null(out, r->domain);
	json_key(out, "stream");
	json_string_or_null(out, r->about == REPORT_STREAM ? r->title :
	    STR(""));
	json_key(out, "campaign");
	if (r->about == REPORT_CAMPAIGN)
		json_string(out, r->title);
	else
		buf_puts(out, "null");
	json_key(out, "all");
	buf_char(out, '{');
	put_counts(out, &r->total);
	buf_char(out, '}');
	put_lines(r, out);
	put_days(r, out);
	if (r->about != REPORT_ALL)
		put_links(r, out);
	buf_puts(out, "}\n");
}
