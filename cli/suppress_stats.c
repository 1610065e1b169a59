/*
 * suppress_stats.c - `bulkhead suppress stats`: how many entries of what.
 */
#include "cli/suppress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/json.h"
#include "cli/load.h"

#define OUTPUT_MAX ((size_t)64 * 1024 * 1024)
#define NSLOTS	   4096
/* More scopes than that (one a list key) are counted together. */
#define NSCOPES_MAX 2000

enum what { BY_REASON, BY_SCOPE, BY_SOURCE, NWHATS };

static const char *const titles[] = { "reason", "scope", "source" };

struct tally {
	struct str name;
	enum what what;
	uint64_t n;
};

struct stats {
	struct suppress_run *r;
	struct tally v[NSLOTS]; /* an open hash table */
	size_t ntallies;
	uint64_t total, nexpired;
	struct buf name;
};

static size_t
slot_of(enum what what, struct str name)
{
	uint64_t h = 14695981039346656037u + (uint64_t)what;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (unsigned char)name.p[i]) * 1099511628211u;
	return (size_t)(h >> 32) % NSLOTS;
}

static void
count(struct stats *s, enum what what, struct str name)
{
	size_t i = slot_of(what, name);

	for (; s->v[i].name.p != NULL; i = (i + 1) % NSLOTS)
		if (s->v[i].what == what && str_eq(s->v[i].name, name)) {
			s->v[i].n++;
			return;
		}
	if (s->ntallies >= NSCOPES_MAX && !str_eq(name, STR("(others)"))) {
		count(s, what, STR("(others)"));
		return;
	}
	s->ntallies++;
	s->v[i] = (struct tally){ .name = str_from(arena_cstr(s->r->arena,
				      name)),
		.what = what,
		.n = 1 };
}

static bool
count_entry(void *arg, const struct suppress_entry *e)
{
	struct stats *s = arg;

	s->total++;
	if (e->expires != 0 && e->expires <= s->r->now) {
		s->nexpired++;
		return true;
	}
	count(s, BY_REASON, str_from(suppress_reason_name(e->reason)));
	count(s, BY_SOURCE, e->source.n > 0 ? e->source : STR("(unknown)"));
	buf_clear(&s->name);
	suppress_scope_write(&s->name, s->r->settings, &e->scope);
	count(s, BY_SCOPE, buf_view(&s->name));
	return true;
}

static int
by_count(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;

	if (x->what != y->what)
		return x->what < y->what ? -1 : 1;
	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return str_cmp(x->name, y->name);
}

static void
write_json(struct stats *s, struct buf *out, size_t n)
{
	size_t i = 0;

	buf_char(out, '{');
	json_key(out, "entries");
	json_number(out, (int64_t)(s->total - s->nexpired));
	json_key(out, "expired");
	json_number(out, (int64_t)s->nexpired);
	for (int what = 0; what < NWHATS; what++) {
		json_key(out, titles[what]);
		buf_char(out, '{');
		for (size_t first = i;
		     i < n && s->v[i].what == (enum what)what; i++) {
			buf_puts(out, i > first ? ", " : "");
			json_string(out, s->v[i].name);
			buf_puts(out, ": ");
			json_number(out, (int64_t)s->v[i].n);
		}
		buf_char(out, '}');
	}
	buf_puts(out, "}\n");
}

static void
write_table(struct stats *s, struct buf *out, size_t n)
{
	uint64_t nlive = s->total - s->nexpired;

	buf_printf(out, "%" PRIu64 " %s", nlive, nlive == 1 ? "entry" :
	    "entries");
	if (s->nexpired > 0)
		buf_printf(out, ", and %" PRIu64 " that expired", s->nexpired);
	buf_char(out, '\n');
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || s->v[i].what != s->v[i - 1].what)
			buf_printf(out, "by %s:\n", titles[s->v[i].what]);
		buf_printf(out, "  %12" PRIu64 "  %.*s\n", s->v[i].n,
		    STR_ARG(s->v[i].name));
	}
}

int
suppress_stats(struct suppress_run *r)
{
	struct suppress_filter filter = { .with_expired = true };
	struct stats *s;
	struct buf out;
	size_t n = 0;
	int rc = suppress_open(r, STORE_READ);

	if (rc != EX_OK)
		return rc;
	s = arena_alloc(r->arena, sizeof(*s));
	s->r = r;
	buf_init(&s->name, OUTPUT_MAX);
	buf_init(&out, OUTPUT_MAX);
	if (store_suppress_walk(r->store, &filter, count_entry, s) ==
	    STORE_YES) {
		for (size_t i = 0; i < NSLOTS; i++)
			if (s->v[i].name.p != NULL)
				s->v[n++] = s->v[i];
		qsort(s->v, n, sizeof(s->v[0]), by_count);
		if (r->o->json)
			write_json(s, &out, n);
		else
			write_table(s, &out, n);
		rc = load_flush(&out, "suppress");
	} else {
		rc = suppress_store_failed(r);
	}
	buf_free(&s->name);
	buf_free(&out);
	return rc;
}
