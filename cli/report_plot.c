/*
 * report_plot.c - bars of days as inline SVG, and text in HTML.  Labels are
 * HTML beside it: what is drawn may be stretched to any width.
 */
#include "cli/report.h"

#include <inttypes.h>

#define HEIGHT 100.0
#define STEP   10 /* of a bar, with the gap */

static const char *
entity_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void
report_html_text(struct buf *out, struct str s)
{
	struct buf clean;
	const char *entity;

	/* a character of one octet may become three */
	buf_init(&clean, s.n * 3 + 1);
	report_name(&clean, s, 0);
	for (size_t i = 0; i < clean.n; i++) {
		entity = entity_of(clean.p[i]);
		if (entity != NULL)
			buf_puts(out, entity);
		else
			buf_char(out, clean.p[i]);
	}
	buf_free(&clean);
}

struct sums {
	uint64_t most, lower, upper;
	size_t when; /* it was most */
};

static struct sums
sum_up(const struct report *r, const struct report_plot *p)
{
	struct sums s = { .most = 0 };

	for (size_t i = 0; i < r->ndays; i++) {
		uint64_t lower = p->value(&r->by_day[i], false);
		uint64_t upper = p->upper != NULL ? p->value(&r->by_day[i],
		    true) : 0;

		s.lower += lower;
		s.upper += upper;
		if (lower + upper > s.most) {
			s.most = lower + upper;
			s.when = i;
		}
	}
	return s;
}

static void
put_bar(struct buf *out, const char *class, size_t i, double from, double to)
{
	if (to > from)
		buf_printf(out, "<rect class=\"%s\" x=\"%zu\" y=\"%.2f\" "
		    "width=\"%d\" height=\"%.2f\"/>", class, i * STEP + 1,
		    HEIGHT - to, STEP - 2, to - from);
}

static void
put_day(const struct report *r, struct buf *out, const struct report_plot *p,
    size_t i, uint64_t most)
{
	uint64_t lower = p->value(&r->by_day[i], false);
	uint64_t upper = p->upper != NULL ? p->value(&r->by_day[i], true) : 0;
	double a = (double)lower * HEIGHT / (double)most;
	double b = (double)(lower + upper) * HEIGHT / (double)most;
	char day[REPORT_DAY_TEXT];

	if (lower + upper == 0)
		return;
	report_day_format(r->days[i], day);
	buf_printf(out, "<g><title>%s: %" PRIu64 " %s", day, lower, p->lower);
	if (p->upper != NULL)
		buf_printf(out, ", %" PRIu64 " %s", upper, p->upper);
	buf_puts(out, "</title>");
	put_bar(out, "a", i, 0, a);
	put_bar(out, "b", i, a, b);
	buf_puts(out, "</g>\n");
}

static void
put_description(const struct report *r, struct buf *out,
    const struct report_plot *p, const struct sums *s)
{
	char from[REPORT_DAY_TEXT], until[REPORT_DAY_TEXT],
	    when[REPORT_DAY_TEXT];

	report_day_format(r->from, from);
	report_day_format(r->until, until);
	report_day_format(r->days[s->when], when);
	buf_printf(out, "Per day from %s to %s: %" PRIu64 " %s", from, until,
	    s->lower, p->lower);
	if (p->upper != NULL)
		buf_printf(out, ", %" PRIu64 " %s", s->upper, p->upper);
	if (s->most > 0)
		buf_printf(out, "; %" PRIu64 " at most, on %s", s->most, when);
	buf_char(out, '.');
}

void
report_plot(const struct report *r, struct buf *out,
    const struct report_plot *p)
{
	struct sums s = sum_up(r, p);
	char from[REPORT_DAY_TEXT], until[REPORT_DAY_TEXT];

	report_day_format(r->from, from);
	report_day_format(r->until, until);
	buf_printf(out, "<figure>\n<figcaption><b>%s</b> <span class=\"key\">"
	    "<i class=\"a\"></i>%s", p->title, p->lower);
	if (p->upper != NULL)
		buf_printf(out, " <i class=\"b\"></i>%s", p->upper);
	buf_printf(out, "</span></figcaption>\n<p class=\"most\">%" PRIu64
	    "</p>\n<svg viewBox=\"0 0 %zu %d\" preserveAspectRatio=\"none\" "
	    "role=\"img\" aria-labelledby=\"%st %sd\">\n<title id=\"%st\">%s"
	    "</title>\n<desc id=\"%sd\">", s.most, r->ndays * STEP,
	    (int)HEIGHT, p->id, p->id, p->id, p->title, p->id);
	put_description(r, out, p, &s);
	buf_puts(out, "</desc>\n");
	for (size_t i = 0; i < r->ndays && s.most > 0; i++)
		put_day(r, out, p, i, s.most);
	buf_printf(out, "</svg>\n<p class=\"axis\"><span>%s</span> "
	    "<span>%s</span></p>\n</figure>\n", from, until);
}
