/*
 * report_gather.c - adds the rows of the roll-ups up to what a report shows.
 */
#include "cli/report.h"

#include <stdlib.h>
#include <sysexits.h>


#define FIRST_SLOTS 256

uint64_t
report_human(const struct report_counts *c, enum event_kind kind)
{
	return c->n[kind][EVENT_HUMAN] + c->n[kind][EVENT_UNKNOWN];
}

uint64_t
report_robot(const struct report_counts *c, enum event_kind kind)
{
	return c->n[kind][EVENT_PREFETCH] + c->n[kind][EVENT_SCANNER];
}

uint64_t
report_total(const struct report_counts *c, enum event_kind kind)
{
	return c->n[kind][EVENT_NOBODY] + report_human(c, kind) +
	    report_robot(c, kind);
}

int64_t
report_rate(const struct report_counts *c, enum event_kind kind)
{
	uint64_t handed = report_total(c, EVENT_HANDED);

	if (handed == 0)
		return -1;
	return (int64_t)((c->unique[kind] * 1000 + handed / 2) / handed);
}

size_t
report_bucket(const struct report *r, size_t day)
{
	return day * r->nbuckets / r->ndays;
}

/* Lines by name while they are found. */
struct gather {
	struct report *r;
	size_t cap;
	uint32_t *slots; /* number of a line, from 1 */
	size_t nslots;   /* a power of 2 */
	uint32_t day;	 /* of the last row, and its number */
	size_t day_number;
};

static uint64_t
hash_of(uint32_t stream, struct str campaign)
{
	uint64_t h = 14695981039346656037u ^ stream;

	for (size_t i = 0; i < campaign.n; i++)
		h = (h ^ (unsigned char)campaign.p[i]) * 1099511628211u;
	return h ^ h >> 32;
}

static size_t
slot_of(const struct gather *g, uint32_t stream, struct str campaign)
{
	size_t i = (size_t)hash_of(stream, campaign) & (g->nslots - 1);

	for (; g->slots[i] != 0; i = (i + 1) & (g->nslots - 1)) {
		const struct report_line *l = &g->r->lines[g->slots[i] - 1];

		if (l->stream == stream && str_eq(l->campaign, campaign))
			break;
	}
	return i;
}

static void
grow_slots(struct gather *g)
{
	if (g->r->nlines * 2 < g->nslots)
		return;
	g->nslots = g->nslots == 0 ? FIRST_SLOTS : g->nslots * 2;
	g->slots = arena_array(g->r->arena, g->nslots, sizeof(g->slots[0]));
	for (size_t i = 0; i < g->r->nlines; i++)
		g->slots[slot_of(g, g->r->lines[i].stream,
		    g->r->lines[i].campaign)] = (uint32_t)i + 1;
}

/* A stream that was renamed has events under both ids. */
static uint32_t
newest_id(const struct report *r, uint32_t stream)
{
	const struct stream_settings *s = settings_stream(r->settings, stream);

	return s != NULL ? s->id : stream;
}

/* Of all and of a campaign: the streams; of a stream: its campaigns. */
static struct report_line *
line_of(struct gather *g, const struct rollup_row *row)
{
	struct report *r = g->r;
	bool by_campaign = r->about == REPORT_STREAM;
	uint32_t stream = by_campaign ? 0 : newest_id(r, row->stream);
	struct str campaign = by_campaign ? row->campaign : STR("");
	struct report_line *l;
	size_t i;

	grow_slots(g);
	i = slot_of(g, stream, campaign);
	if (g->slots[i] != 0)
		return &r->lines[g->slots[i] - 1];
	r->lines = arena_grow(r->arena, r->lines, r->nlines, &g->cap,
	    sizeof(*r->lines));
	l = &r->lines[r->nlines];
	*l = (struct report_line){ .stream = stream,
		.campaign = arena_copy(r->arena, campaign),
		.first_day = row->day };
	l->name = !by_campaign ? report_stream_name(r, stream) :
	    campaign.n == 0 ? STR("(none)") : l->campaign;
	g->slots[i] = (uint32_t)++r->nlines;
	return l;
}

static void
add_counts(struct report_counts *c, const struct rollup_row *row)
{
	c->n[row->kind][row->verdict] += row->n;
	c->unique[row->kind] += row->unique;
}

static bool
add_row(void *arg, const struct rollup_row *row)
{
	struct gather *g = arg;
	struct report *r = g->r;
	struct report_line *l;
	size_t bucket;

	if ((unsigned)row->kind >= EVENT_KINDS ||
	    (unsigned)row->verdict >= EVENT_VERDICTS)
		return true;
	if (row->day != g->day)
		g->day_number = (size_t)report_day_span(r->from, row->day);
	g->day = row->day;
	if (g->day_number >= r->ndays)
		return true;
	l = line_of(g, row);
	add_counts(&l->counts, row);
	add_counts(&r->total, row);
	add_counts(&r->by_day[g->day_number], row);
	bucket = report_bucket(r, g->day_number);
	if (row->kind == EVENT_HANDED)
		l->handed[bucket] += row->n;
	if (row->kind == EVENT_OPENED && (row->verdict == EVENT_HUMAN ||
	    row->verdict == EVENT_UNKNOWN))
		l->opened[bucket] += row->n;
	return true;
}

static bool
add_link(void *arg, const struct rollup_link *link)
{
	struct report *r = arg;
	struct report_link *l = &r->links[r->nlinks++];

	*l = (struct report_link){ .unique = link->unique,
		.stream = report_stream_name(r, link->stream),
		.campaign = arena_copy(r->arena, link->campaign),
		.url = arena_copy(r->arena, link->url) };
	memcpy(l->n, link->n, sizeof(l->n));
	return true;
}

/* Campaigns: the latest first; streams: most mail first. */
static int
by_age(const void *x, const void *y)
{
	const struct report_line *a = x, *b = y;

	if (a->first_day != b->first_day)
		return a->first_day > b->first_day ? -1 : 1;
	return str_cmp(a->campaign, b->campaign);
}

static int
by_size(const void *x, const void *y)
{
	const struct report_line *a = x, *b = y;
	uint64_t m = report_total(&a->counts, EVENT_HANDED);
	uint64_t n = report_total(&b->counts, EVENT_HANDED);

	if (m != n)
		return m > n ? -1 : 1;
	return str_cmp(a->name, b->name);
}

static void
make_days(struct report *r)
{
	int64_t start = event_day_start(r->from);

	r->ndays = (size_t)report_day_span(r->from, r->until) + 1;
	r->nbuckets = r->ndays < REPORT_BUCKETS ? r->ndays : REPORT_BUCKETS;
	r->by_day = arena_array(r->arena, r->ndays, sizeof(r->by_day[0]));
	r->days = arena_array(r->arena, r->ndays, sizeof(r->days[0]));
	for (size_t i = 0; i < r->ndays; i++)
		r->days[i] = event_day(start +
		    (int64_t)i * 86400 * INT64_C(1000000));
}

static int
by_clicks(const void *x, const void *y)
{
	const struct report_link *a = x, *b = y;
	uint64_t m = a->n[EVENT_HUMAN] + a->n[EVENT_UNKNOWN];
	uint64_t n = b->n[EVENT_HUMAN] + b->n[EVENT_UNKNOWN];

	if (m != n)
		return m > n ? -1 : 1;
	return str_cmp(a->url, b->url);
}

static enum store_answer
gather(struct gather *g, const struct rollup_filter *f)
{
	struct report *r = g->r;
	enum store_answer answer = store_rollup_walk(r->store, f, add_row, g);

	if (answer == STORE_YES && r->about != REPORT_ALL)
		answer = store_rollup_links(r->store, f, REPORT_LINKS,
		    add_link, r);
	return answer;
}

/* Under all the ids that a stream had. */
static enum store_answer
gather_all(struct gather *g)
{
	struct report *r = g->r;
	const struct stream_settings *s = settings_stream(r->settings,
	    r->stream);
	size_t naliases = s != NULL && r->about == REPORT_STREAM ?
	    s->naliases : 0;
	struct rollup_filter f = { .domain = r->domain,
		.has_stream = r->about == REPORT_STREAM,
		.stream = r->stream,
		.has_campaign = r->about == REPORT_CAMPAIGN,
		.campaign = r->about == REPORT_CAMPAIGN ? r->title : STR(""),
		.from_day = r->from,
		.until_day = report_day_add(r->until, 1) };
	enum store_answer answer;

	r->links = arena_array(r->arena, REPORT_LINKS * (naliases + 1),
	    sizeof(r->links[0]));
	answer = gather(g, &f);
	for (size_t i = 0; i < naliases && answer == STORE_YES; i++) {
		f.stream = s->aliases[i];
		answer = gather(g, &f);
	}
	return answer;
}

int
report_gather(struct report *r)
{
	struct gather g = { .r = r };

	make_days(r);
	if (gather_all(&g) != STORE_YES) {
		report_say("%s", store_error(r->store, STORE_EVENTS));
		return EX_UNAVAILABLE;
	}
	if (r->nlines > 0)
		qsort(r->lines, r->nlines, sizeof(r->lines[0]),
		    r->about == REPORT_STREAM ? by_age : by_size);
	if (r->nlinks > 0)
		qsort(r->links, r->nlinks, sizeof(r->links[0]), by_clicks);
	if (r->nlinks > REPORT_LINKS)
		r->nlinks = REPORT_LINKS;
	return EX_OK;
}
