/*
 * report_html.c - a report as one page that loads nothing: styles and plots are
 * in it, scripts are not.
 */
#include "cli/report.h"

#include <inttypes.h>

static const char style[] =
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1a1d21;--dim:#57606a;"
    "--line:#d0d7de;--box:#f6f8fa;--a:#0b63b5;--b:#c98a14}\n"
    "@media (prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e8ebee;"
    "--dim:#a3adb8;--line:#343b44;--box:#1d2127;--a:#6cb2f5;--b:#e0b04a}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1rem;max-width:72rem;background:var(--bg);"
    "color:var(--fg);font:1rem/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.5rem;line-height:1.2;margin:.5rem 0;"
    "overflow-wrap:anywhere}\n"
    "h2{font-size:1.15rem;margin:2rem 0 .5rem}\n"
    "p{margin:.25rem 0}.dim,.axis,.most{color:var(--dim);font-size:.875rem}\n"
    "dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr))"
    ";gap:.75rem;margin:1rem 0}\n"
    "dl div{background:var(--box);border:1px solid var(--line);"
    "border-radius:.5rem;padding:.6rem .75rem}\n"
    "dt{color:var(--dim);font-size:.875rem}dd{margin:0;font-size:1.35rem}\n"
    "dd small{display:block;font-size:.8125rem;color:var(--dim)}\n"
    "figure{margin:1.5rem 0}svg{display:block;width:100%;height:8rem;"
    "border-bottom:1px solid var(--line);border-top:1px dashed var(--line)}\n"
    "rect.a{fill:var(--a)}rect.b{fill:var(--b)}\n"
    ".key{display:inline-block;color:var(--dim);font-size:.875rem}\n"
    ".key i{display:inline-block;width:.75em;height:.75em;"
    "margin:0 .35em 0 .6em}i.a{background:var(--a)}i.b{background:var(--b)}\n"
    ".axis{display:flex;justify-content:space-between}\n"
    ".scroll{overflow-x:auto}.scroll:focus-visible{outline:2px solid "
    "var(--a)}\n"
    "table{border-collapse:collapse;width:100%;font-size:.9375rem;"
    "font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);"
    "text-align:right;white-space:nowrap}\n"
    "th:first-child,td:first-child{text-align:left}\n"
    "thead th{color:var(--dim);font-size:.8125rem;font-weight:600}\n"
    "tbody th{font-weight:600;white-space:normal;overflow-wrap:anywhere;"
    "min-width:9rem;max-width:26rem}\n"
    "td.url{white-space:normal;overflow-wrap:anywhere;text-align:left;"
    "min-width:12rem}\n";

static void
put_title(const struct report *r, struct buf *out)
{
	if (r->about == REPORT_ALL) {
		buf_puts(out, "All streams");
	} else {
		buf_puts(out, r->about == REPORT_STREAM ? "Stream " :
		    "Campaign ");
		report_html_text(out, r->title.n > 0 ? r->title :
		    STR("(none)"));
	}
	if (r->domain.n > 0) {
		buf_puts(out, ", domain ");
		report_html_text(out, r->domain);
	}
}

static void
put_head(const struct report *r, struct buf *out)
{
	char from[REPORT_DAY_TEXT], until[REPORT_DAY_TEXT], at[CLOCK_TEXT];

	buf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
	    "content=\"width=device-width, initial-scale=1\">\n"
	    "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
	put_title(r, out);
	buf_printf(out, " - Bulkhead</title>\n<style>\n%s</style>\n</head>\n"
	    "<body>\n<main>\n<h1>", style);
	put_title(r, out);
	report_day_format(r->from, from);
	report_day_format(r->until, until);
	buf_printf(out, "</h1>\n<p class=\"dim\">%s to %s (UTC)", from, until);
	if (r->as_of != 0) {
		clock_rfc3339(r->as_of / 1000000, at);
		buf_printf(out, ", as of %s%s", at, r->is_current ? "" :
		    ": newer events are not in it");
	}
	buf_puts(out, "</p>\n");
}

static void
put_rate(struct buf *out, const struct report_counts *c, enum event_kind kind)
{
	int64_t rate = report_rate(c, kind);

	if (rate < 0)
		buf_puts(out, "–");
	else
		buf_printf(out, "%" PRId64 ".%" PRId64 " %%", rate / 10,
		    rate % 10);
}

static void
put_box(struct buf *out, const char *name, const struct report_counts *c,
    enum event_kind kind)
{
	buf_printf(out, "<div><dt>%s</dt><dd>%" PRIu64 "<small>", name,
	    c->unique[kind]);
	put_rate(out, c, kind);
	buf_puts(out, " of those handed</small></dd></div>\n");
}

static void
put_number_box(struct buf *out, const char *name, uint64_t n,
    const char *note)
{
	buf_printf(out, "<div><dt>%s</dt><dd>%" PRIu64 "<small>%s</small></dd>"
	    "</div>\n", name, n, note);
}

static void
put_boxes(const struct report *r, struct buf *out)
{
	const struct report_counts *c = &r->total;

	buf_puts(out, "<dl>\n");
	put_number_box(out, "Handed to the MTA", report_total(c,
	    EVENT_HANDED), "which is not delivered");
	put_box(out, "Opened (estimate)", c, EVENT_OPENED);
	put_box(out, "Clicked", c, EVENT_CLICKED);
	put_box(out, "Unsubscribed", c, EVENT_UNSUBSCRIBED);
	put_number_box(out, "Suppressed", report_total(c, EVENT_SUPPRESSED),
	    "recipients refused or removed");
	put_number_box(out, "Limited", report_total(c, EVENT_LIMITED),
	    "put off by a limit or a pause");
	buf_puts(out, "</dl>\n");
}

/* ---- plots ---- */

static uint64_t
handed(const struct report_counts *c, bool is_upper)
{
	return is_upper ? 0 : report_total(c, EVENT_HANDED);
}

static uint64_t
opened(const struct report_counts *c, bool is_upper)
{
	return is_upper ? report_robot(c, EVENT_OPENED) :
	    report_human(c, EVENT_OPENED);
}

static uint64_t
clicked(const struct report_counts *c, bool is_upper)
{
	return is_upper ? report_robot(c, EVENT_CLICKED) :
	    report_human(c, EVENT_CLICKED);
}

static uint64_t
unsubscribed(const struct report_counts *c, bool is_upper)
{
	return is_upper ? 0 : report_total(c, EVENT_UNSUBSCRIBED);
}

static const struct report_plot plots[] = {
	{ "p1", "Handed to the MTA", "messages to recipients", NULL, handed },
	{ "p2", "Opens", "by humans", "by programs", opened },
	{ "p3", "Clicks", "by humans", "by programs", clicked },
	{ "p4", "Unsubscribes", "wishes", NULL, unsubscribed },
};

/* ---- tables ---- */

static void
begin_table(struct buf *out, const char *title, const char *head)
{
	buf_printf(out, "<h2>%s</h2>\n<div class=\"scroll\" role=\"region\" "
	    "aria-label=\"%s\" tabindex=\"0\">\n<table>\n<thead><tr>%s</tr>"
	    "</thead>\n<tbody>\n", title, title, head);
}

static void
end_table(struct buf *out)
{
	buf_puts(out, "</tbody>\n</table>\n</div>\n");
}

#define COUNTS_HEAD                                                            \
	"<th scope=\"col\">Handed</th><th scope=\"col\">Opened</th>"           \
	"<th scope=\"col\">%</th><th scope=\"col\">by humans</th>"             \
	"<th scope=\"col\">by programs</th><th scope=\"col\">Clicked</th>"     \
	"<th scope=\"col\">%</th><th scope=\"col\">by humans</th>"             \
	"<th scope=\"col\">by programs</th><th scope=\"col\">Unsubscribed</th>" \
	"<th scope=\"col\">%</th><th scope=\"col\">Suppressed</th>"            \
	"<th scope=\"col\">Limited</th>"

static void
put_cell(struct buf *out, uint64_t n)
{
	buf_printf(out, "<td>%" PRIu64 "</td>", n);
}

static void
put_rate_cell(struct buf *out, const struct report_counts *c,
    enum event_kind kind)
{
	buf_puts(out, "<td>");
	put_rate(out, c, kind);
	buf_puts(out, "</td>");
}

static void
put_row(struct buf *out, struct str name, const struct report_counts *c)
{
	buf_puts(out, "<tr><th scope=\"row\">");
	report_html_text(out, name);
	buf_puts(out, "</th>");
	put_cell(out, report_total(c, EVENT_HANDED));
	for (enum event_kind k = EVENT_OPENED; k <= EVENT_CLICKED; k++) {
		put_cell(out, c->unique[k]);
		put_rate_cell(out, c, k);
		put_cell(out, report_human(c, k));
		put_cell(out, report_robot(c, k));
	}
	put_cell(out, c->unique[EVENT_UNSUBSCRIBED]);
	put_rate_cell(out, c, EVENT_UNSUBSCRIBED);
	put_cell(out, report_total(c, EVENT_SUPPRESSED));
	put_cell(out, report_total(c, EVENT_LIMITED));
	buf_puts(out, "</tr>\n");
}

static void
put_lines(const struct report *r, struct buf *out)
{
	size_t n = r->nlines < REPORT_LINES ? r->nlines : REPORT_LINES;

	if (r->about == REPORT_STREAM)
		begin_table(out, "Campaigns",
		    "<th scope=\"col\">Campaign</th>" COUNTS_HEAD);
	else
		begin_table(out, "Streams",
		    "<th scope=\"col\">Stream</th>" COUNTS_HEAD);
	for (size_t i = 0; i < n; i++)
		put_row(out, r->lines[i].name, &r->lines[i].counts);
	end_table(out);
	if (n < r->nlines)
		buf_printf(out, "<p class=\"dim\">and %zu more: --json and "
		    "--csv have all</p>\n", r->nlines - n);
}

static void
put_days(const struct report *r, struct buf *out)
{
	char day[REPORT_DAY_TEXT];

	begin_table(out, "Days", "<th scope=\"col\">Day</th>" COUNTS_HEAD);
	for (size_t i = r->ndays; i > 0; i--) {
		report_day_format(r->days[i - 1], day);
		put_row(out, str_from(day), &r->by_day[i - 1]);
	}
	end_table(out);
}

static void
put_links(const struct report *r, struct buf *out)
{
	if (r->nlinks == 0)
		return;
	begin_table(out, "Links, of all days",
	    "<th scope=\"col\">Link</th><th scope=\"col\">Clicked</th>"
	    "<th scope=\"col\">by humans</th><th scope=\"col\">by programs"
	    "</th>");
	for (size_t i = 0; i < r->nlinks; i++) {
		const struct report_link *l = &r->links[i];

		buf_puts(out, "<tr><td class=\"url\">");
		report_html_text(out, l->url.n > 0 ? l->url : STR("(others)"));
		if (l->campaign.n > 0 && r->about == REPORT_STREAM) {
			buf_puts(out, "<br><span class=\"dim\">");
			report_html_text(out, l->campaign);
			buf_puts(out, "</span>");
		}
		buf_puts(out, "</td>");
		put_cell(out, l->unique);
		put_cell(out, l->n[EVENT_HUMAN] + l->n[EVENT_UNKNOWN]);
		put_cell(out, l->n[EVENT_PREFETCH] + l->n[EVENT_SCANNER]);
		buf_puts(out, "</tr>\n");
	}
	end_table(out);
}

static const char notes[] =
    "<h2>What the numbers mean</h2>\n"
    "<p>Handed: what was handed to the MTA for a recipient; it may still be "
    "refused or bounce, so this is not what was delivered.</p>\n"
    "<p>Opened, clicked, unsubscribed: mails with which a human did it at "
    "least once, in % of those handed in the same days. By humans, by "
    "programs: every time it happened.</p>\n"
    "<p>Opens are an estimate: mail programs and providers fetch images "
    "without a reader, and readers keep images from loading. Who it was is "
    "judged from the request; what cannot be told counts as a human.</p>\n";

void
report_write_html(const struct report *r, struct buf *out)
{
	put_head(r, out);
	put_boxes(r, out);
	for (size_t i = 0; i < sizeof(plots) / sizeof(plots[0]); i++)
		report_plot(r, out, &plots[i]);
	put_lines(r, out);
	put_links(r, out);
	put_days(r, out);
	buf_printf(out, "%s</main>\n</body>\n</html>\n", notes);
}
