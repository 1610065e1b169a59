/*
 * report_csv.c - a report as CSV (RFC 4180): one table, the first column of
 * which says what kind of line it is.
 */
#include "cli/report.h"

#include <inttypes.h>

static void
put_text(struct buf *out, struct str s)
{
	buf_char(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_char(out, '"');
		buf_char(out, s.p[i]);
	}
	buf_char(out, '"');
}

static void
put_key(struct buf *out, const char *line, struct str stream,
    struct str campaign, uint32_t day, struct str url)
{
	char text[REPORT_DAY_TEXT] = "";

	buf_puts(out, line);
	buf_char(out, ',');
	put_text(out, stream);
	buf_char(out, ',');
	put_text(out, campaign);
	if (day != 0)
		report_day_format(day, text);
	buf_printf(out, ",%s,", text);
	put_text(out, url);
}

static void
put_verdicts(struct buf *out, uint64_t unique, const uint64_t *n)
{
	buf_printf(out, ",%" PRIu64, unique);
	for (enum event_verdict v = EVENT_HUMAN; v < EVENT_VERDICTS; v++)
		buf_printf(out, ",%" PRIu64, n[v]);
}

static void
put_counts(struct buf *out, const struct report_counts *c)
{
	buf_printf(out, ",%" PRIu64, report_total(c, EVENT_HANDED));
	put_verdicts(out, c->unique[EVENT_OPENED], c->n[EVENT_OPENED]);
	put_verdicts(out, c->unique[EVENT_CLICKED], c->n[EVENT_CLICKED]);
	buf_printf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\r\n",
	    c->unique[EVENT_UNSUBSCRIBED],
	    report_total(c, EVENT_UNSUBSCRIBED),
	    report_total(c, EVENT_SUPPRESSED), report_total(c, EVENT_LIMITED));
}

static void
put_links(const struct report *r, struct buf *out)
{
	for (size_t i = 0; i < r->nlinks; i++) {
		const struct report_link *l = &r->links[i];

		put_key(out, "link", l->stream, l->campaign, 0, l->url);
		buf_puts(out, ",,,,,,");
		put_verdicts(out, l->unique, l->n);
		buf_puts(out, ",,,,\r\n");
	}
}

void
report_write_csv(const struct report *r, struct buf *out)
{
	bool by_campaign = r->about == REPORT_STREAM;
	struct str stream = by_campaign ? r->title : STR("");
	struct str campaign = r->about == REPORT_CAMPAIGN ? r->title : STR("");

	buf_puts(out, "line,stream,campaign,day,url,handed,"
	    "opened_unique,opened_human,opened_prefetch,opened_scanner,"
	    "opened_unknown,clicked_unique,clicked_human,clicked_prefetch,"
	    "clicked_scanner,clicked_unknown,unsubscribed_unique,"
	    "unsubscribed,suppressed,limited\r\n");
	put_key(out, "all", stream, campaign, 0, STR(""));
	put_counts(out, &r->total);
	for (size_t i = 0; i < r->nlines; i++) {
		const struct report_line *l = &r->lines[i];

		put_key(out, by_campaign ? "campaign" : "stream",
		    by_campaign ? stream : l->name,
		    by_campaign ? l->campaign : campaign, 0, STR(""));
		put_counts(out, &l->counts);
	}
	for (size_t i = 0; i < r->ndays; i++) {
		put_key(out, "day", stream, campaign, r->days[i], STR(""));
		put_counts(out, &r->by_day[i]);
	}
	put_links(r, out);
}
