/*
 * report_text.c - a report for people at a terminal.
 */
#include "cli/report.h"

#include <inttypes.h>

/* Of the first column: as wide as what is in it, within these. */
#define NAME_LEAST 12
#define NAME_MOST  32

static void
put_rate(struct buf *out, const struct report_counts *c, enum event_kind kind)
{
	int64_t rate = report_rate(c, kind);

	if (rate < 0)
		buf_puts(out, "     -");
	else
		buf_printf(out, " %3" PRId64 ".%" PRId64, rate / 10, rate % 10);
}

/* Without the blanks at its end. */
static void
end_line(struct buf *out)
{
	while (out->n > 0 && out->p[out->n - 1] == ' ')
		out->p[--out->n] = '\0';
	buf_char(out, '\n');
}

static size_t
name_width(const struct report *r)
{
	size_t width = NAME_LEAST, n;

	for (size_t i = 0; i < r->nlines && i < REPORT_LINES; i++) {
		n = report_name_width(r->lines[i].name);
		if (n > width)
			width = n;
	}
	return width < NAME_MOST ? width : NAME_MOST;
}

static void
put_unique(struct buf *out, struct str name, int width,
    const struct report_counts *c)
{
	report_name(out, name, (size_t)width);
	buf_printf(out, " %8" PRIu64, report_total(c, EVENT_HANDED));
	buf_printf(out, " %8" PRIu64, c->unique[EVENT_OPENED]);
	put_rate(out, c, EVENT_OPENED);
	buf_printf(out, " %7" PRIu64, c->unique[EVENT_CLICKED]);
	put_rate(out, c, EVENT_CLICKED);
	buf_printf(out, " %6" PRIu64, c->unique[EVENT_UNSUBSCRIBED]);
	put_rate(out, c, EVENT_UNSUBSCRIBED);
}

static void
put_all(struct buf *out, struct str name, int width,
    const struct report_counts *c)
{
	report_name(out, name, (size_t)width);
	for (enum event_kind k = EVENT_OPENED; k <= EVENT_CLICKED; k++)
		buf_printf(out, " %9" PRIu64 " %9" PRIu64 " %9" PRIu64,
		    report_total(c, k), report_human(c, k),
		    report_robot(c, k));
	buf_printf(out, " %7" PRIu64 " %7" PRIu64,
	    report_total(c, EVENT_SUPPRESSED), report_total(c, EVENT_LIMITED));
	end_line(out);
}

static const char *
line_title(const struct report *r)
{
	return r->about == REPORT_STREAM ? "CAMPAIGN" : "STREAM";
}

/* What a hundred mails came to, by mail. */
static void
put_lines(const struct report *r, struct buf *out, size_t n)
{
	int width = (int)name_width(r);

	buf_printf(out, "%-*s %8s %8s %5s %7s %5s %6s %5s %s\n", width,
	    line_title(r), "HANDED", "OPENED", "%", "CLICKED", "%", "UNSUB",
	    "%", r->about == REPORT_STREAM ? "OPENED" : "HANDED");
	for (size_t i = 0; i < n; i++) {
		const struct report_line *l = &r->lines[i];

		put_unique(out, l->name, width, &l->counts);
		buf_char(out, ' ');
		report_sparkline(out, r->about == REPORT_STREAM ? l->opened :
		    l->handed, r->nbuckets);
		end_line(out);
	}
	if (r->nlines > 1) {
		put_unique(out, STR("all"), width, &r->total);
		end_line(out);
	}
}

static void
put_every(const struct report *r, struct buf *out, size_t n)
{
	int width = (int)name_width(r);

	buf_printf(out, "\n%-*s %29s %29s\n", width, "",
	    "------- opened -------", "------- clicked ------");
	buf_printf(out, "%-*s %9s %9s %9s %9s %9s %9s %7s %7s\n", width,
	    line_title(r), "TOTAL", "HUMAN", "ROBOT", "TOTAL", "HUMAN",
	    "ROBOT", "SUPPR.", "LIMITED");
	for (size_t i = 0; i < n; i++)
		put_all(out, r->lines[i].name, width, &r->lines[i].counts);
	if (r->nlines > 1)
		put_all(out, STR("all"), width, &r->total);
}

/* One sparkline over all days, and when it was most. */
static void
put_series(const struct report *r, struct buf *out, const char *name,
    uint64_t (*value)(const struct report_counts *c))
{
	uint64_t v[REPORT_BUCKETS] = { 0 }, most = 0;
	char day[REPORT_DAY_TEXT];
	size_t when = 0;

	for (size_t i = 0; i < r->ndays; i++) {
		uint64_t n = value(&r->by_day[i]);

		v[report_bucket(r, i)] += n;
		if (n > most) {
			most = n;
			when = i;
		}
	}
	buf_printf(out, "  %-13s ", name);
	report_sparkline(out, v, r->nbuckets);
	report_day_format(r->days[when], day);
	if (most > 0)
		buf_printf(out, "  %" PRIu64 " at most, on %s", most, day);
	buf_char(out, '\n');
}

static uint64_t
handed(const struct report_counts *c)
{
	return report_total(c, EVENT_HANDED);
}

static uint64_t
opened(const struct report_counts *c)
{
	return report_human(c, EVENT_OPENED);
}

static uint64_t
clicked(const struct report_counts *c)
{
	return report_human(c, EVENT_CLICKED);
}

static uint64_t
unsubscribed(const struct report_counts *c)
{
	return report_total(c, EVENT_UNSUBSCRIBED);
}

static bool
is_quiet(const struct report_counts *c)
{
	for (enum event_kind k = EVENT_HANDED; k < EVENT_KINDS; k++)
		if (report_total(c, k) > 0 || c->unique[k] > 0)
			return false;
	return true;
}

static void
put_days(const struct report *r, struct buf *out)
{
	int width = (int)name_width(r);
	char day[REPORT_DAY_TEXT];

	buf_puts(out, "\nper day, by humans:\n");
	put_series(r, out, "handed", handed);
	put_series(r, out, "opened", opened);
	put_series(r, out, "clicked", clicked);
	put_series(r, out, "unsubscribed", unsubscribed);
	buf_printf(out, "\n%-*s %8s %8s %5s %7s %5s %6s %5s\n", width,
	    "DAY", "HANDED", "OPENED", "%", "CLICKED", "%", "UNSUB", "%");
	for (size_t i = 0; i < r->ndays; i++) {
		const struct report_counts *c = &r->by_day[i];

		if (is_quiet(c))
			continue;
		report_day_format(r->days[i], day);
		put_unique(out, str_from(day), width, c);
		end_line(out);
	}
}

static void
put_links(const struct report *r, struct buf *out)
{
	if (r->nlinks == 0)
		return;
	buf_puts(out, "\nlinks, of all days; the most clicked first:\n");
	buf_printf(out, "%9s %9s %9s  LINK\n", "UNIQUE", "HUMAN", "ROBOT");
	for (size_t i = 0; i < r->nlinks; i++) {
		const struct report_link *l = &r->links[i];

		buf_printf(out, "%9" PRIu64 " %9" PRIu64 " %9" PRIu64 "  ",
		    l->unique, l->n[EVENT_HUMAN] + l->n[EVENT_UNKNOWN],
		    l->n[EVENT_PREFETCH] + l->n[EVENT_SCANNER]);
		report_name(out, l->url.n > 0 ? l->url : STR("(others)"), 0);
		if (l->campaign.n > 0 && r->about == REPORT_STREAM) {
			buf_puts(out, "  of ");
			report_name(out, l->campaign, 0);
		}
		buf_char(out, '\n');
	}
}

static void
put_head(const struct report *r, struct buf *out)
{
	char from[REPORT_DAY_TEXT], until[REPORT_DAY_TEXT], at[CLOCK_TEXT];

	if (r->about != REPORT_ALL) {
		buf_puts(out, r->about == REPORT_STREAM ? "stream " :
		    "campaign ");
		report_name(out, r->title.n > 0 ? r->title : STR("(none)"), 0);
		buf_puts(out, ", ");
	}
	if (r->domain.n > 0) {
		buf_puts(out, "domain ");
		report_name(out, r->domain, 0);
		buf_puts(out, ", ");
	}
	report_day_format(r->from, from);
	report_day_format(r->until, until);
	buf_printf(out, "%s to %s (UTC)", from, until);
	if (r->as_of != 0) {
		clock_rfc3339(r->as_of / 1000000, at);
		buf_printf(out, ", as of %s", at);
	}
	buf_puts(out, "\n\n");
}

void
report_write_text(const struct report *r, struct buf *out)
{
	size_t n = r->nlines < REPORT_LINES ? r->nlines : REPORT_LINES;

	put_head(r, out);
	if (r->nlines == 0) {
		buf_puts(out, "nothing happened in these days\n");
		return;
	}
	put_lines(r, out, n);
	put_every(r, out, n);
	if (n < r->nlines)
		buf_printf(out, "\nand %zu more: --json and --csv have all\n",
		    r->nlines - n);
	if (r->about != REPORT_ALL) {
		put_days(r, out);
		put_links(r, out);
	}
	buf_puts(out, "\nHANDED: handed to the MTA, which is not delivered. "
	    "OPENED, CLICKED, UNSUB: mails with\nwhich a human did it, in % "
	    "of those handed. Opens are estimates: programs fetch images\nfor "
	    "readers, and readers block them.\n");
}
