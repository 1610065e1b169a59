/*
 * rollup_batch.c - adds events up: rows of counts and links in hash tables,
 * and what humans did to mails as a list to be sorted.
 */
#include "store/rollup_batch.h"

#include <stdlib.h>

#define FIRST_SLOTS 1024

void
rollup_batch_init(struct rollup_batch *b,
    const unsigned char key[ROLLUP_KEY_SIZE])
{
	*b = (struct rollup_batch){ .arena = arena_new(),
		.mac = hash_mac_new(str_make((const char *)key,
		    ROLLUP_KEY_SIZE)) };
	/* all texts of an event are shorter: see store_events_add() */
	buf_init(&b->text, (size_t)64 * 1024);
}

void
rollup_batch_free(struct rollup_batch *b)
{
	if (b->arena == NULL)
		return;
	arena_free(&b->arena);
	hash_mac_free(&b->mac);
	buf_free(&b->text);
	free(b->rows);
	free(b->links);
	free(b->touches);
	free(b->row_slots.v);
	free(b->link_slots.v);
	*b = (struct rollup_batch){ .arena = NULL };
}

/* Room for one more, doubled when it has to grow. */
static void *
grow(void *v, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return v;
	*cap = *cap == 0 ? 256 : *cap * 2;
	return mem_realloc(v, *cap * size);
}

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

static uint64_t
mix_str(uint64_t h, struct str s)
{
	uint64_t word;
	size_t i = 0;

	for (; i + 8 <= s.n; i += 8) {
		memcpy(&word, s.p + i, 8);
		h = mix(h, word);
	}
	for (word = 0; i < s.n; i++)
		word = word << 8 | (unsigned char)s.p[i];
	return mix(mix(h, word), s.n);
}

static uint64_t
hash_of_row(const struct rollup_row *r)
{
	uint64_t h = mix((uint64_t)r->day << 32 | r->stream,
	    (uint64_t)r->kind << 8 | (uint64_t)r->verdict);

	return mix_str(mix_str(mix_str(h, r->domain), r->campaign), r->list);
}

static uint64_t
hash_of_link(const struct rollup_link *l)
{
	return mix_str(mix_str(mix_str(l->stream, l->domain), l->campaign),
	    l->url);
}

static bool
same_row(const struct rollup_row *a, const struct rollup_row *b)
{
	return a->day == b->day && a->stream == b->stream &&
	    a->kind == b->kind && a->verdict == b->verdict &&
	    str_eq(a->campaign, b->campaign) && str_eq(a->list, b->list) &&
	    str_eq(a->domain, b->domain);
}

static bool
same_link(const struct rollup_link *a, const struct rollup_link *b)
{
	return a->stream == b->stream && str_eq(a->url, b->url) &&
	    str_eq(a->campaign, b->campaign) && str_eq(a->domain, b->domain);
}

/* Twice as many slots, refilled from the hashes that hash_at() tells. */
static void
grow_slots(struct rollup_slots *s, const struct rollup_batch *b, size_t n,
    uint64_t (*hash_at)(const struct rollup_batch *b, size_t i))
{
	if (n * 2 < s->n)
		return;
	s->n = s->n == 0 ? FIRST_SLOTS : s->n * 2;
	s->v = mem_realloc(s->v, s->n * sizeof(s->v[0]));
	memset(s->v, 0, s->n * sizeof(s->v[0]));
	for (size_t i = 0; i < n; i++) {
		size_t at = (size_t)hash_at(b, i) & (s->n - 1);

		while (s->v[at] != 0)
			at = (at + 1) & (s->n - 1);
		s->v[at] = (uint32_t)i + 1;
	}
}

static uint64_t
row_hash_at(const struct rollup_batch *b, size_t i)
{
	return b->rows[i].hash;
}

static uint64_t
link_hash_at(const struct rollup_batch *b, size_t i)
{
	return b->links[i].hash;
}

static uint32_t
find_row(struct rollup_batch *b, const struct rollup_row *row, bool copy)
{
	uint64_t h = hash_of_row(row);
	struct rollup_change *c;
	size_t at;

	grow_slots(&b->row_slots, b, b->nrows, row_hash_at);
	at = (size_t)h & (b->row_slots.n - 1);
	for (; b->row_slots.v[at] != 0; at = (at + 1) & (b->row_slots.n - 1)) {
		c = &b->rows[b->row_slots.v[at] - 1];
		if (c->hash == h && same_row(&c->row, row))
			return b->row_slots.v[at] - 1;
	}
	b->rows = grow(b->rows, b->nrows, &b->rows_cap, sizeof(b->rows[0]));
	c = &b->rows[b->nrows];
	*c = (struct rollup_change){ .row = *row, .hash = h };
	if (copy) {
		c->row.domain = arena_copy(b->arena, row->domain);
		c->row.campaign = arena_copy(b->arena, row->campaign);
		c->row.list = arena_copy(b->arena, row->list);
	}
	b->row_slots.v[at] = (uint32_t)++b->nrows;
	return (uint32_t)b->nrows - 1;
}

static uint32_t
find_link(struct rollup_batch *b, const struct rollup_link *link)
{
	uint64_t h = hash_of_link(link);
	struct rollup_link_change *c;
	size_t at;

	grow_slots(&b->link_slots, b, b->nlinks, link_hash_at);
	at = (size_t)h & (b->link_slots.n - 1);
	for (; b->link_slots.v[at] != 0;
	     at = (at + 1) & (b->link_slots.n - 1)) {
		c = &b->links[b->link_slots.v[at] - 1];
		if (c->hash == h && same_link(&c->link, link))
			return b->link_slots.v[at] - 1;
	}
	b->links = grow(b->links, b->nlinks, &b->links_cap,
	    sizeof(b->links[0]));
	c = &b->links[b->nlinks];
	*c = (struct rollup_link_change){ .link = *link, .hash = h };
	c->link.domain = arena_copy(b->arena, link->domain);
	c->link.campaign = arena_copy(b->arena, link->campaign);
	c->link.url = arena_copy(b->arena, link->url);
	b->link_slots.v[at] = (uint32_t)++b->nlinks;
	return (uint32_t)b->nlinks - 1;
}

struct rollup_change *
rollup_batch_row(struct rollup_batch *b, const struct rollup_row *row)
{
	return &b->rows[find_row(b, row, false)];
}

static void
add_text(struct buf *out, struct str s)
{
	uint32_t n = (uint32_t)s.n;

	buf_add(out, &n, sizeof(n));
	buf_str(out, s);
}

/* What tells this mail, and what was done to it, from all others. */
static uint64_t
key_of(struct rollup_batch *b, const struct event *e, struct str url)
{
	unsigned char mac[SHA256_SIZE];
	uint32_t numbers[3] = { (uint32_t)e->kind, e->stream, e->hours };
	uint64_t key;

	buf_clear(&b->text);
	buf_add(&b->text, numbers, sizeof(numbers));
	add_text(&b->text, e->recipient);
	add_text(&b->text, e->domain);
	add_text(&b->text, e->campaign);
	add_text(&b->text, e->list);
	buf_str(&b->text, url);
	hash_mac(b->mac, buf_view(&b->text), mac);
	memcpy(&key, mac, sizeof(key));
	return key;
}

static void
touch(struct rollup_batch *b, const struct rollup_touch *t)
{
	b->touches = grow(b->touches, b->ntouches, &b->touches_cap,
	    sizeof(b->touches[0]));
	b->touches[b->ntouches] = *t;
	b->touches[b->ntouches].order = (uint32_t)b->ntouches;
	b->ntouches++;
}

/*
 * What it means for the unique ones: a change of the human's opinion on itself
 * (human to unknown) is a step back and one forth.
 */
static void
touch_mail(struct rollup_batch *b, const struct event *e, struct str url,
    const struct rollup_touch *target)
{
	bool was = rollup_is_human(e->was), is = rollup_is_human(e->verdict);
	struct rollup_touch t = *target;

	if (e->recipient.n == 0 || (!was && !is) || e->was == e->verdict)
		return;
	t.hours = e->hours;
	t.key = key_of(b, e, url);
	if (was) {
		t.verdict = (uint8_t)e->was;
		t.delta = -1;
		touch(b, &t);
	}
	if (is) {
		t.verdict = (uint8_t)e->verdict;
		t.delta = 1;
		touch(b, &t);
	}
}

static void
add_link(struct rollup_batch *b, const struct event *e, uint32_t day)
{
	struct rollup_link key = { .domain = e->domain,
		.stream = e->stream,
		.campaign = e->campaign,
		.url = e->url };
	uint32_t i = find_link(b, &key);
	struct rollup_touch t = { .is_link = true, .target = i, .day = day };

	b->links[i].n[e->verdict]++;
	if (e->was != EVENT_NOBODY)
		b->links[i].n[e->was]--;
	touch_mail(b, e, e->url, &t);
}

void
rollup_batch_add(struct rollup_batch *b, const struct event *e)
{
	struct rollup_row key = { .day = event_day(e->at),
		.domain = e->domain,
		.stream = e->stream,
		.campaign = e->campaign,
		.list = e->list,
		.kind = e->kind,
		.verdict = e->verdict };
	struct rollup_touch t = { .day = key.day };

	b->nevents++;
	if ((unsigned)e->verdict >= EVENT_VERDICTS ||
	    (unsigned)e->was >= EVENT_VERDICTS)
		return;
	t.target = find_row(b, &key, true);
	b->rows[t.target].n++;
	if (e->was != EVENT_NOBODY) {
		key.verdict = e->was;
		b->rows[find_row(b, &key, true)].n--;
	}
	touch_mail(b, e, STR(""), &t);
	if (e->kind == EVENT_CLICKED && e->url.n > 0)
		add_link(b, e, key.day);
}

static int
compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int
by_mail(const void *x, const void *y)
{
	const struct rollup_touch *a = x, *b = y;

	if (a->hours != b->hours)
		return compare(a->hours, b->hours);
	if (a->key != b->key) /* as SQLite has it: signed */
		return (int64_t)a->key < (int64_t)b->key ? -1 : 1;
	return compare(a->order, b->order);
}

static int
by_row(const void *x, const void *y)
{
	const struct rollup_row *a = &((const struct rollup_change *)x)->row;
	const struct rollup_row *b = &((const struct rollup_change *)y)->row;
	int c = compare(a->day, b->day);

	if (c == 0)
		c = str_cmp(a->domain, b->domain);
	if (c == 0)
		c = compare(a->stream, b->stream);
	if (c == 0)
		c = str_cmp(a->campaign, b->campaign);
	if (c == 0)
		c = str_cmp(a->list, b->list);
	if (c == 0)
		c = compare((uint64_t)a->kind << 8 | (uint64_t)a->verdict,
		    (uint64_t)b->kind << 8 | (uint64_t)b->verdict);
	return c;
}

static int
by_link(const void *x, const void *y)
{
	const struct rollup_link *a =
	    &((const struct rollup_link_change *)x)->link;
	const struct rollup_link *b =
	    &((const struct rollup_link_change *)y)->link;
	int c = str_cmp(a->domain, b->domain);

	if (c == 0)
		c = compare(a->stream, b->stream);
	if (c == 0)
		c = str_cmp(a->campaign, b->campaign);
	return c != 0 ? c : str_cmp(a->url, b->url);
}

void
rollup_batch_sort_touches(struct rollup_batch *b)
{
	if (b->ntouches > 0)
		qsort(b->touches, b->ntouches, sizeof(b->touches[0]), by_mail);
}

void
rollup_batch_sort_rows(struct rollup_batch *b)
{
	if (b->nrows > 0)
		qsort(b->rows, b->nrows, sizeof(b->rows[0]), by_row);
	if (b->nlinks > 0)
		qsort(b->links, b->nlinks, sizeof(b->links[0]), by_link);
}
