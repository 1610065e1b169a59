/*
 * suppress_export.c - `bulkhead suppress export`: entries as a file that
 * import takes back, and what changed since a time.
 */
#include "cli/suppress.h"

#include <stdlib.h>
#include <sysexits.h>

struct export {
	struct suppress_run *r;
	struct suppress_writer w;
	const struct suppress_filter *filter;
	int64_t since;
	uint64_t *imports; /* those that ended since then, ascending */
	size_t nimports, cap;
};

static int
parse_format(const char *text, enum suppress_format *out)
{
	static const char *const names[] = { [FORMAT_CSV] = "csv",
		[FORMAT_JSON] = "json",
		[FORMAT_TXT] = "txt" };

	for (int i = FORMAT_CSV; i <= FORMAT_TXT; i++)
		if (strcmp(text, names[i]) == 0) {
			*out = (enum suppress_format)i;
			return 0;
		}
	suppress_say("--format: \"%s\" is none of csv, json, txt", text);
	return -1;
}

/* An import's entries may bear older dates, but they came with the import. */
static bool
take_import(void *arg, const struct suppress_import *i)
{
	struct export *x = arg;

	if (i->ended != 0 && i->ended < x->since)
		return true;
	x->imports = arena_grow(x->r->arena, x->imports, x->nimports, &x->cap,
	    sizeof(*x->imports));
	x->imports[x->nimports++] = i->id;
	return true;
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool
is_since(const struct export *x, const struct suppress_entry *e)
{
	return e->created >= x->since ||
	    (e->import != 0 && x->nimports > 0 &&
		bsearch(&e->import, x->imports, x->nimports,
		    sizeof(*x->imports), by_number) != NULL);
}

static bool
export_entry(void *arg, const struct suppress_entry *e)
{
	struct export *x = arg;

	if (x->since != 0 && !is_since(x, e))
		return true;
	return suppress_write_entry(&x->w, e, "added");
}

/* The filters hold for what was removed, too. */
static bool
is_chosen(const struct export *x, const struct suppress_entry *e)
{
	const struct suppress_filter *f = x->filter;
	const struct suppress_scope *s = f->scope;
	size_t n = f->rcpt_domain.n;

	return (f->reason == 0 || f->reason == e->reason) &&
	    (f->address.n == 0 || str_eq(f->address, e->address)) &&
	    (f->source.n == 0 || str_eq(f->source, e->source)) &&
	    (f->import == 0 || f->import == e->import) &&
	    (n == 0 || (e->address.n > n &&
		e->address.p[e->address.n - n - 1] == '@' &&
		str_eq(str_sub(e->address, e->address.n - n, e->address.n),
		    f->rcpt_domain))) &&
	    (s == NULL || (str_eq(s->domain, e->scope.domain) &&
		s->stream == e->scope.stream &&
		str_eq(s->list, e->scope.list)));
}

static bool
export_removed(void *arg, const struct suppress_event *e)
{
	struct export *x = arg;

	return !is_chosen(x, &e->entry) ||
	    suppress_write_entry(&x->w, &e->entry, "removed");
}

/*
 * Bare addresses cannot say that they were removed.  Removals come first, so
 * that who does as the lines say one after the other ends with what is so.
 */
static enum store_answer
export_all(struct export *x)
{
	enum store_answer answer = STORE_YES;

	if (x->since != 0 && x->w.format != FORMAT_TXT)
		answer = store_suppress_removed(x->r->store, x->since,
		    export_removed, x);
	if (answer != STORE_YES || x->w.failed)
		return answer;
	return store_suppress_walk(x->r->store, x->filter, export_entry, x);
}

int
suppress_export(struct suppress_run *r)
{
	struct export x = { .r = r };
	enum suppress_format format = r->o->json ? FORMAT_JSON : FORMAT_CSV;
	struct suppress_filter filter;
	struct suppress_scope scope;
	int rc, rc2;

	rc = suppress_arg_filter(r, &filter, &scope);
	if (rc != EX_OK)
		return rc;
	if (r->o->format != NULL && parse_format(r->o->format, &format) != 0)
		return EX_USAGE;
	x.since = filter.since;
	filter.since = 0;
	rc = suppress_open(r, STORE_READ);
	if (rc != EX_OK)
		return rc;
	if (x.since != 0 &&
	    store_import_walk(r->store, take_import, &x) != STORE_YES)
		return suppress_store_failed(r);
	suppress_writer_init(&x.w, r->settings, format);
	x.w.with_change = x.since != 0;
	suppress_writer_head(&x.w);
	x.filter = &filter;
	if (export_all(&x) != STORE_YES)
		rc = suppress_store_failed(r);
	rc2 = suppress_writer_end(&x.w);
	return rc != EX_OK ? rc : rc2;
}
