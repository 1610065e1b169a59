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

int
suppress_export(struct suppress_run *r)
{
	struct export x = { .r = r };
	enum suppress_format format = r->o->json ? FORMAT_JSON : FORMAT_CSV;
	struct suppress_filter filter;
	struct suppress_scope scope;
	int rc, rc2;

	if (suppress_arg_filter(r, &filter, &scope) != 0 ||
	    (r->o->format != NULL &&
		parse_format(r->o->format, &format) != 0))
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
	if (store_suppress_walk(r->store, &filter, export_entry, &x) !=
	    STORE_YES)
		rc = suppress_store_failed(r);
	rc2 = suppress_writer_end(&x.w);
	return rc != EX_OK ? rc : rc2;
}
