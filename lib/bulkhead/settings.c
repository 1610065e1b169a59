/*
 * settings.c - loading bulkhead.conf and looking things up in what it says.
 */
#include "bulkhead/settings.h"

#include <confuse.h>
#include <stdlib.h>

#include "bulkhead/settings_build.h"
#include "bulkhead/settings_check.h"
#include "bulkhead/settings_report.h"
#include "bulkhead/settings_scan.h"
#include "bulkhead/settings_table.h"

/* The scan has said all that can be said; see parse(). */
static void
no_message(cfg_t *cfg, const char *fmt, va_list ap)
{
	(void)cfg;
	(void)fmt;
	(void)ap;
}

/* The text without its bad parts, by libconfuse; NULL is a bug of the scan. */
static cfg_t *
parse(struct arena *a, struct settings_scan *scan,
    struct settings_report *report)
{
	cfg_t *cfg = cfg_init(settings_table_options(a), CFGF_NONE);

	if (cfg == NULL) {
		settings_error(report, scan->root.pos, "out of memory");
		return NULL;
	}
	cfg_set_error_function(cfg, no_message);
	if (cfg_parse_buf(cfg, scan->text.p) == CFG_SUCCESS)
		return cfg;
	settings_error(report, settings_scan_at(scan,
	    (unsigned)cfg->line)->pos, "libconfuse cannot read this");
	cfg_free(cfg);
	return NULL;
}

static void
build(struct settings *s, const struct settings_scan *scan, cfg_t *cfg,
    struct settings_report *report)
{
	struct section root = { cfg, &scan->root, s->arena, report, 0 };

	settings_build(s, &root);
	settings_check(s, &root);
}

static void
load(struct settings *s, const char *path, struct settings_report *report)
{
	struct settings_scan scan;
	cfg_t *cfg = NULL;
	int rc = settings_scan(&scan, s->arena, path, report);

	s->file = scan.root.pos.file;
	if (rc == 0 && scan.text.failed) {
		settings_error(report, scan.root.pos, "more than 16 MiB of "
		    "settings: split them over servers");
	} else if (rc == 0) {
		settings_table_check(&scan, report);
		settings_scan_blank(&scan);
		cfg = parse(s->arena, &scan, report);
	}
	if (cfg != NULL) {
		build(s, &scan, cfg, report);
		cfg_free(cfg);
	}
	settings_scan_free(&scan);
}

struct settings *
settings_load(const char *path, struct buf *errors)
{
	struct arena *a = arena_new();
	struct settings *s = arena_alloc(a, sizeof(*s));
	struct settings_report report = { .arena = a };

	s->arena = a;
	s->refs = 1;
	load(s, path, &report);
	settings_report_write(&report, s->file, errors);
	if (report.errors != 0)
		settings_free(&s);
	return s;
}

struct settings *
settings_ref(struct settings *s)
{
	__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	return s;
}

void
settings_free(struct settings **s)
{
	struct arena *a;

	if (*s == NULL)
		return;
	a = (*s)->arena;
	if (__atomic_sub_fetch(&(*s)->refs, 1, __ATOMIC_ACQ_REL) == 0)
		arena_free(&a);
	*s = NULL;
}

static int
compare_name(const void *key, const void *member)
{
	const struct str *name = key;
	const struct domain_settings *const *d = member;

	return str_cmp(*name, (*d)->name);
}

const struct domain_settings *
settings_domain(const struct settings *s, struct str name)
{
	const struct domain_settings **hit;

	if (s->ndomains == 0 || name.n == 0)
		return NULL;
	hit = bsearch(&name, s->by_name, s->ndomains, sizeof(*s->by_name),
	    compare_name);
	return hit ? *hit : NULL;
}

const struct stream_settings *
settings_stream(const struct settings *s, uint32_t id)
{
	for (size_t i = 0; i < s->nstreams; i++) {
		const struct stream_settings *st = &s->streams[i];

		if (st->id == id)
			return st;
		for (size_t j = 0; j < st->naliases; j++)
			if (st->aliases[j] == id)
				return st;
	}
	return NULL;
}

const struct stream_settings *
settings_stream_named(const struct settings *s, struct str name)
{
	for (size_t i = 0; i < s->nstreams; i++)
		if (str_eq(s->streams[i].name, name))
			return &s->streams[i];
	return NULL;
}

bool
settings_trusts(const struct settings *s, const struct net_addr *addr)
{
	for (size_t i = 0; i < s->ntrusted; i++)
		if (net_contains(&s->trusted[i], addr))
			return true;
	return false;
}
