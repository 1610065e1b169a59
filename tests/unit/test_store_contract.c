/*
 * test_store_contract.c - one set of cases, run over every driver: what the
 * headers promise, whoever keeps it.
 */
#include "store_fixture.h"

#include <stdio.h>

#define ALL (STORE_SUPPRESS | STORE_META)
#define SOON (store_deadline(FIXTURE_MILLIS))

static const struct suppress_scope global = { .stream = 0 };
static const struct suppress_scope shop = { .domain = { "shop.example", 12 } };
static const struct suppress_scope news = {
	.domain = { "shop.example", 12 }, .stream = 7 };
static const struct suppress_scope weekly = {
	.domain = { "shop.example", 12 }, .stream = 7,
	.list = { "weekly", 6 } };
static const struct suppress_scope other = { .domain = { "b.example", 9 } };

/* A driver under test: made anew for each case. */
struct world {
	const char *form; /* "%s" stands for a directory */
	struct arena *a;
	const char *dir;
	char spec[600];
	struct store *s;
};

static void
world_open(struct world *w, int64_t now)
{
	store_close(&w->s);
	w->s = fixture_open(w->spec, ALL, STORE_CHANGE, now);
}

static struct suppress_entry
scoped(const char *address, const struct suppress_scope *scope,
    enum suppress_reason reason)
{
	struct suppress_entry e = fixture_entry(address, reason, 1000, 0);

	if (scope != NULL)
		e.scope = *scope;
	return e;
}

static void
put_scoped(struct world *w, const char *address,
    const struct suppress_scope *scope, enum suppress_reason reason)
{
	assert_int_equal(fixture_do(w->s, SUPPRESS_PUT,
	    scoped(address, scope, reason)), SUPPRESS_ADDED);
}

/* The reason found, or 0. */
static int
found(struct world *w, const char *address, const struct suppress_scope *scope)
{
	struct suppress_query q = fixture_find(w->s, w->a, address, scope);

	if (q.answer == STORE_UNKNOWN)
		fail_msg("%s: %s", address, store_error(w->s, STORE_SUPPRESS));
	return q.answer == STORE_YES ? (int)q.entry.reason : 0;
}

static void
case_put_find_remove(struct world *w)
{
	struct suppress_query q;
	struct suppress_entry e = fixture_entry("a@x.example",
	    SUPPRESS_HARD_BOUNCE, 1000, 9000);

	assert_int_equal(found(w, "a@x.example", NULL), 0);
	assert_int_equal(fixture_do(w->s, SUPPRESS_PUT, e), SUPPRESS_ADDED);
	q = fixture_find(w->s, w->a, "a@x.example", NULL);
	assert_int_equal(q.answer, STORE_YES);
	expect_str("address", q.entry.address, e.address);
	expect_str("source", q.entry.source, e.source);
	expect_str("evidence", q.entry.evidence, e.evidence);
	assert_int_equal(q.entry.created, 1000);
	assert_int_equal(q.entry.expires, 9000);
	assert_int_equal(found(w, "b@x.example", NULL), 0);
	assert_int_equal(found(w, "a@x.exampl", NULL), 0);
	assert_int_equal(found(w, "", NULL), 0);
	assert_int_equal(fixture_do(w->s, SUPPRESS_REMOVE, e),
	    SUPPRESS_REMOVED);
	assert_int_equal(fixture_do(w->s, SUPPRESS_REMOVE, e),
	    SUPPRESS_ABSENT);
	assert_int_equal(found(w, "a@x.example", NULL), 0);
}

static void
case_strongest_counts(struct world *w)
{
	put_scoped(w, "a@x.example", NULL, SUPPRESS_SOFT_BOUNCES);
	put_scoped(w, "a@x.example", NULL, SUPPRESS_IMPORT);
	put_scoped(w, "a@x.example", &shop, SUPPRESS_COMPLAINT);
	put_scoped(w, "a@x.example", &news, SUPPRESS_UNSUBSCRIBE);
	assert_int_equal(found(w, "a@x.example", NULL), SUPPRESS_IMPORT);
	assert_int_equal(found(w, "a@x.example", &other), SUPPRESS_IMPORT);
	assert_int_equal(found(w, "a@x.example", &news), SUPPRESS_COMPLAINT);
	assert_int_equal(fixture_do(w->s, SUPPRESS_REMOVE,
	    scoped("a@x.example", &shop, SUPPRESS_COMPLAINT)),
	    SUPPRESS_REMOVED);
	assert_int_equal(found(w, "a@x.example", &news), SUPPRESS_UNSUBSCRIBE);
	assert_int_equal(found(w, "a@x.example", &shop), SUPPRESS_IMPORT);
}

static void
case_scopes(struct world *w)
{
	put_scoped(w, "d@x.example", &shop, SUPPRESS_MANUAL);
	put_scoped(w, "s@x.example", &news, SUPPRESS_MANUAL);
	put_scoped(w, "l@x.example", &weekly, SUPPRESS_MANUAL);
	assert_int_equal(found(w, "d@x.example", NULL), 0);
	assert_int_equal(found(w, "d@x.example", &other), 0);
	assert_int_equal(found(w, "d@x.example", &shop), SUPPRESS_MANUAL);
	assert_int_equal(found(w, "d@x.example", &weekly), SUPPRESS_MANUAL);
	assert_int_equal(found(w, "s@x.example", &shop), 0);
	assert_int_equal(found(w, "s@x.example", &news), SUPPRESS_MANUAL);
	assert_int_equal(found(w, "l@x.example", &news), 0);
	assert_int_equal(found(w, "l@x.example", &weekly), SUPPRESS_MANUAL);
}

static void
case_wider_scope_wins_a_tie(struct world *w)
{
	struct suppress_query q;

	put_scoped(w, "a@x.example", &weekly, SUPPRESS_MANUAL);
	put_scoped(w, "a@x.example", NULL, SUPPRESS_MANUAL);
	put_scoped(w, "a@x.example", &shop, SUPPRESS_MANUAL);
	q = fixture_find(w->s, w->a, "a@x.example", &weekly);
	assert_int_equal(q.answer, STORE_YES);
	expect_str("scope", q.entry.scope.domain, STR(""));
}

static void
case_domain_entries(struct world *w)
{
	struct suppress_query q;

	assert_int_equal(found(w, "a@x.example", NULL), 0);
	put_scoped(w, "@x.example", NULL, SUPPRESS_MANUAL);
	assert_int_equal(found(w, "a@x.example", NULL), SUPPRESS_MANUAL);
	assert_int_equal(found(w, "a@sub.x.example", NULL), 0);
	assert_int_equal(found(w, "a@xx.example", NULL), 0);
	assert_int_equal(found(w, "\"a@b\"@x.example", NULL), SUPPRESS_MANUAL);
	put_scoped(w, "a@x.example", NULL, SUPPRESS_COMPLAINT);
	q = fixture_find(w->s, w->a, "a@x.example", NULL);
	assert_int_equal(q.entry.reason, SUPPRESS_COMPLAINT);
	fixture_do(w->s, SUPPRESS_REMOVE, scoped("@x.example", NULL,
	    SUPPRESS_MANUAL));
	assert_int_equal(found(w, "b@x.example", NULL), 0);
}

static void
case_expiry(struct world *w)
{
	struct suppress_entry e = fixture_entry("a@x.example", SUPPRESS_MANUAL,
	    1000, 3000);

	if (strcmp(w->form, "memory:") == 0)
		return; /* nothing outlives the handle and its clock */
	fixture_do(w->s, SUPPRESS_PUT, e);
	world_open(w, 2999);
	assert_int_equal(found(w, "a@x.example", NULL), SUPPRESS_MANUAL);
	world_open(w, 3000);
	assert_int_equal(found(w, "a@x.example", NULL), 0);
	assert_int_equal(fixture_count(w->s, &(struct suppress_filter){ 0 }),
	    0);
	assert_int_equal(fixture_count(w->s, &(struct suppress_filter){
	    .with_expired = true }), 1);
	world_open(w, 1500); /* the clock was set back */
	assert_int_equal(found(w, "a@x.example", NULL), SUPPRESS_MANUAL);
}

static void
case_put_again(struct world *w)
{
	struct suppress_entry e = fixture_entry("a@x.example", SUPPRESS_MANUAL,
	    1000, 5000);

	assert_int_equal(fixture_do(w->s, SUPPRESS_PUT, e), SUPPRESS_ADDED);
	assert_int_equal(fixture_do(w->s, SUPPRESS_PUT, e), SUPPRESS_ALREADY);
	e.expires = 4000;
	assert_int_equal(fixture_do(w->s, SUPPRESS_PUT, e), SUPPRESS_ALREADY);
	e.expires = 6000;
	e.evidence = STR("longer");
	assert_int_equal(fixture_do(w->s, SUPPRESS_PUT, e),
	    SUPPRESS_EXTENDED);
	e.expires = 0;
	assert_int_equal(fixture_do(w->s, SUPPRESS_PUT, e),
	    SUPPRESS_EXTENDED);
	e.expires = 7000;
	assert_int_equal(fixture_do(w->s, SUPPRESS_PUT, e), SUPPRESS_ALREADY);
	assert_int_equal(fixture_find(w->s, w->a, "a@x.example", NULL)
	    .entry.expires, 0);
	/* what has expired is no entry any more */
	e = fixture_entry("b@x.example", SUPPRESS_MANUAL, 100, 1500);
	fixture_do(w->s, SUPPRESS_PUT, e);
	e.expires = 5000;
	assert_int_equal(fixture_do(w->s, SUPPRESS_PUT, e), SUPPRESS_ADDED);
	assert_int_equal(found(w, "b@x.example", NULL), SUPPRESS_MANUAL);
}

static void
case_all_or_nothing(struct world *w)
{
	struct suppress_change v[3] = {
		fixture_change(SUPPRESS_PUT, fixture_entry("a@x.example",
		    SUPPRESS_MANUAL, 1, 0)),
		fixture_change(SUPPRESS_PUT, fixture_entry("no address",
		    SUPPRESS_MANUAL, 1, 0)),
		fixture_change(SUPPRESS_PUT, fixture_entry("c@x.example",
		    SUPPRESS_MANUAL, 1, 0)),
	};

	assert_int_equal(store_suppress_change(w->s, v, 3,
	    store_deadline(FIXTURE_MILLIS)), STORE_NO);
	assert_non_null(strstr(store_error(w->s, STORE_SUPPRESS),
	    "entry 2 of 3, \"no address\""));
	assert_int_equal(found(w, "a@x.example", NULL), 0);
	v[1].entry.address = STR("b@x.example");
	v[1].entry.reason = (enum suppress_reason)99;
	assert_int_equal(store_suppress_change(w->s, v, 3,
	    store_deadline(FIXTURE_MILLIS)), STORE_NO);
	v[1].entry.reason = SUPPRESS_IMPORT;
	v[1].entry.evidence = STR("two\nlines");
	assert_int_equal(store_suppress_change(w->s, v, 3,
	    store_deadline(FIXTURE_MILLIS)), STORE_NO);
	v[1].entry.evidence = STR("one line");
	assert_int_equal(store_suppress_change(w->s, v, 3,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	assert_int_equal(found(w, "b@x.example", NULL), SUPPRESS_IMPORT);
}

static void
case_batches(struct world *w)
{
	struct suppress_query q[600];
	char text[600][32];

	for (int i = 0; i < 600; i++) {
		snprintf(text[i], sizeof(text[i]), "u%d@x.example", i);
		q[i] = (struct suppress_query){ .address =
			str_from(text[i]) };
		if (i % 3 == 0)
			put_scoped(w, text[i], NULL, SUPPRESS_MANUAL);
	}
	store_suppress_find(w->s, w->a, q, 600,
	    store_deadline(FIXTURE_MILLIS));
	for (int i = 0; i < 600; i++)
		assert_int_equal(q[i].answer, i % 3 == 0 ? STORE_YES :
		    STORE_NO);
	store_suppress_find(w->s, w->a, q, 0, store_deadline(FIXTURE_MILLIS));
}

struct gathered {
	size_t n;
	char last[64];
};

static bool
gather(void *arg, const struct suppress_entry *e)
{
	struct gathered *g = arg;

	g->n++;
	assert_true(str_cmp(str_from(g->last), e->address) <= 0);
	snprintf(g->last, sizeof(g->last), "%.*s", STR_ARG(e->address));
	return true;
}

/* More than two pieces of a walk, in order and each once. */
static void
case_long_walk(struct world *w)
{
	static const size_t n = 9000;
	struct suppress_filter all = { 0 };
	struct gathered g = { 0 };

	for (size_t i = 0; i < n;) {
		struct suppress_change v[500];

		for (size_t j = 0; j < 500; j++, i++) {
			v[j] = fixture_change(SUPPRESS_PUT, fixture_entry("",
			    SUPPRESS_IMPORT, 1000 + (int64_t)i, 0));
			v[j].entry.address = arena_printf(w->a,
			    "u%05zu@%s.example", i * 7919 % n, i % 2 ? "x" :
			    "y");
		}
		assert_int_equal(store_suppress_change(w->s, v, 500,
		    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	}
	assert_int_equal(store_suppress_walk(w->s, &all, gather, &g),
	    STORE_YES);
	assert_int_equal(g.n, n);
	assert_int_equal(fixture_count(w->s, &(struct suppress_filter){
	    .rcpt_domain = STR("x.example") }), n / 2);
	assert_int_equal(fixture_count(w->s, &(struct suppress_filter){
	    .since = 2000, .until = 3000 }), 1000);
}

static bool
first_only(void *arg, const struct suppress_entry *e)
{
	(void)e;
	++*(size_t *)arg;
	return false;
}

static void
case_filters(struct world *w)
{
	struct suppress_entry e = scoped("a@x.example", &shop,
	    SUPPRESS_UNSUBSCRIBE);
	size_t n = 0;

	put_scoped(w, "a@x.example", NULL, SUPPRESS_MANUAL);
	put_scoped(w, "b@x.example", NULL, SUPPRESS_IMPORT);
	put_scoped(w, "@x.example", NULL, SUPPRESS_MANUAL);
	e.source = STR("trackd");
	e.created = 5000;
	fixture_do(w->s, SUPPRESS_PUT, e);
	static const struct {
		struct suppress_filter filter;
		size_t want;
	} cases[] = {
		{ { .with_expired = false }, 4 },
		{ { .address = { "a@x.example", 11 } }, 2 },
		{ { .address = { "@x.example", 10 } }, 1 },
		{ { .address = { "nobody@x.example", 16 } }, 0 },
		{ { .rcpt_domain = { "x.example", 9 } }, 4 },
		{ { .rcpt_domain = { "example", 7 } }, 0 },
		{ { .reason = SUPPRESS_MANUAL }, 2 },
		{ { .source = { "trackd", 6 } }, 1 },
		{ { .scope = &shop }, 1 },
		{ { .scope = &global }, 3 },
		{ { .since = 5000 }, 1 },
		{ { .until = 5000 }, 3 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (fixture_count(w->s, &cases[i].filter) != cases[i].want)
			fail_msg("filter %zu: %zu", i,
			    fixture_count(w->s, &cases[i].filter));
	assert_int_equal(store_suppress_walk(w->s, &cases[0].filter,
	    first_only, &n), STORE_YES);
	assert_int_equal(n, 1);
}

struct story {
	char text[512];
};

static bool
tell(void *arg, const struct suppress_event *e)
{
	struct story *s = arg;
	size_t n = strlen(s->text);

	snprintf(s->text + n, sizeof(s->text) - n, "%s %s until %lld by %.*s; ",
	    e->what == SUPPRESS_PUT ? "replaced" : "removed",
	    suppress_reason_name(e->entry.reason),
	    (long long)e->entry.expires, STR_ARG(e->actor));
	return true;
}

static void
case_history(struct world *w)
{
	struct suppress_entry e = fixture_entry("a@x.example", SUPPRESS_MANUAL,
	    1000, 5000);
	struct story s = { "" };

	fixture_do(w->s, SUPPRESS_PUT, e);
	assert_int_equal(store_suppress_history(w->s, e.address, tell, &s),
	    STORE_YES);
	assert_string_equal(s.text, "");
	e.expires = 6000;
	fixture_do(w->s, SUPPRESS_PUT, e);
	fixture_do(w->s, SUPPRESS_REMOVE, e);
	assert_int_equal(store_suppress_history(w->s, e.address, tell, &s),
	    STORE_YES);
	assert_string_equal(s.text, "replaced manual until 5000 by tester; "
	    "removed manual until 6000 by tester; ");
}

static bool
tell_removed(void *arg, const struct suppress_event *e)
{
	struct story *s = arg;
	size_t n = strlen(s->text);

	snprintf(s->text + n, sizeof(s->text) - n, "%.*s by %.*s; ",
	    STR_ARG(e->entry.address), STR_ARG(e->actor));
	return true;
}

/* What came back, what was only replaced, and what is older do not count. */
static void
case_removed(struct world *w)
{
	static const char *const addresses[] = { "stays@x.example",
		"goes@x.example", "back@x.example" };
	struct story s = { "" };

	for (size_t i = 0; i < 3; i++) {
		struct suppress_entry e = fixture_entry(addresses[i],
		    SUPPRESS_MANUAL, 1000, 0);

		fixture_do(w->s, SUPPRESS_PUT, e);
		if (i > 0)
			fixture_do(w->s, SUPPRESS_REMOVE, e);
		if (i > 1)
			fixture_do(w->s, SUPPRESS_PUT, e);
	}
	assert_int_equal(store_suppress_removed(w->s, 0, tell_removed, &s),
	    STORE_YES);
	assert_string_equal(s.text, "goes@x.example by tester; ");
	s.text[0] = '\0';
	assert_int_equal(store_suppress_removed(w->s, INT64_MAX, tell_removed,
	    &s), STORE_YES);
	assert_string_equal(s.text, "");
}

/* Begins an import and puts one entry in it. */
static struct suppress_import
import_one(struct world *w, struct suppress_entry e)
{
	struct suppress_import i = { .source = STR("list.csv"),
		.fingerprint = STR("abc") };
	struct suppress_change c = fixture_change(SUPPRESS_PUT, e);

	assert_int_equal(store_import_begin(w->s, &i,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	assert_true(i.id > 0);
	i.position = 1;
	if (store_import_slice(w->s, &i, &c, 1,
	    store_deadline(FIXTURE_MILLIS)) != STORE_YES)
		fail_msg("%s", store_error(w->s, STORE_SUPPRESS));
	return i;
}

static bool
keep_import(void *arg, const struct suppress_import *i)
{
	struct suppress_import *v = arg;

	while (v->id != 0)
		v++;
	*v = *i;
	v->source = v->fingerprint = STR("");
	return true;
}

static void
case_imports_are_kept(struct world *w)
{
	struct suppress_import v[8] = { { 0 } };
	struct suppress_entry e = fixture_entry("a@x.example", SUPPRESS_IMPORT,
	    1000, 0);
	struct suppress_import i = import_one(w, e);
	struct suppress_import j = import_one(w, e);

	assert_int_equal(i.nadded, 1);
	assert_int_equal(j.nadded, 0);
	assert_int_equal(j.nalready, 1);
	assert_true(j.id != i.id);
	i.nrefused = 3;
	assert_int_equal(store_import_end(w->s, &i,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	assert_int_equal(store_import_walk(w->s, keep_import, v), STORE_YES);
	assert_int_equal(v[0].id, i.id);
	assert_int_equal(v[0].nadded, 1);
	assert_int_equal(v[0].nrefused, 3);
	assert_int_equal(v[0].position, 1);
	assert_int_equal(v[0].ended, 2000);
	assert_int_equal(v[1].nalready, 1);
	assert_int_equal(v[1].ended, 0);
	assert_int_equal(v[2].id, 0);
	assert_int_equal(fixture_count(w->s, &(struct suppress_filter){
	    .import = i.id }), 1);
}

static void
undo(struct world *w, uint64_t id, uint64_t removed, uint64_t restored)
{
	uint64_t r, b;

	if (store_import_undo(w->s, id, STR("tester"), &r, &b) != STORE_YES)
		fail_msg("undo: %s", store_error(w->s, STORE_SUPPRESS));
	assert_int_equal(r, removed);
	assert_int_equal(b, restored);
}

static void
case_undo_restores(struct world *w)
{
	struct suppress_entry e = fixture_entry("a@x.example", SUPPRESS_MANUAL,
	    1000, 5000);
	struct suppress_import i;
	struct suppress_change c;
	uint64_t r, b;

	fixture_do(w->s, SUPPRESS_PUT, e);
	e.expires = 0;
	i = import_one(w, e);
	assert_int_equal(i.nextended, 1);
	undo(w, i.id, 1, 1);
	assert_int_equal(fixture_find(w->s, w->a, "a@x.example", NULL)
	    .entry.expires, 5000);
	undo(w, i.id, 0, 0);
	c = fixture_change(SUPPRESS_PUT, e);
	assert_int_equal(store_import_slice(w->s, &i, &c, 1,
	    store_deadline(FIXTURE_MILLIS)), STORE_NO);
	assert_int_equal(store_import_end(w->s, &i,
	    store_deadline(FIXTURE_MILLIS)), STORE_NO);
	assert_int_equal(store_import_undo(w->s, 77, STR("t"), &r, &b),
	    STORE_NO);
}

/* Undone in any order, what was acknowledged stays. */
static void
case_undo_keeps_what_others_said(struct world *w)
{
	struct suppress_entry e = fixture_entry("a@x.example",
	    SUPPRESS_UNSUBSCRIBE, 1000, 0);
	struct suppress_import i = import_one(w, e);

	assert_int_equal(fixture_do(w->s, SUPPRESS_PUT, e), SUPPRESS_ALREADY);
	undo(w, i.id, 1, 1);
	assert_int_equal(found(w, "a@x.example", NULL), SUPPRESS_UNSUBSCRIBE);
	/* but what was removed by hand stays away */
	e.address = STR("b@x.example");
	e.expires = 5000;
	fixture_do(w->s, SUPPRESS_PUT, e);
	e.expires = 0;
	i = import_one(w, e);
	fixture_do(w->s, SUPPRESS_REMOVE, e);
	undo(w, i.id, 0, 0);
	assert_int_equal(found(w, "b@x.example", NULL), 0);
}

static void
case_undo_of_two_imports(struct world *w)
{
	struct suppress_entry e = fixture_entry("a@x.example", SUPPRESS_IMPORT,
	    1000, 5000);
	struct suppress_import i = import_one(w, e), j;

	e.expires = 6000;
	j = import_one(w, e);
	undo(w, i.id, 0, 0); /* lies beneath j's */
	assert_int_equal(fixture_find(w->s, w->a, "a@x.example", NULL)
	    .entry.expires, 6000);
	undo(w, j.id, 1, 0);
	assert_int_equal(found(w, "a@x.example", NULL), 0);
}

static void
case_purge(struct world *w)
{
	bool more = true;

	for (int i = 0; i < 10; i++) {
		char text[32];

		snprintf(text, sizeof(text), "u%d@x.example", i);
		fixture_do(w->s, SUPPRESS_PUT, fixture_entry(text,
		    SUPPRESS_MANUAL, 1, i < 7 ? 1500 : 0));
	}
	assert_int_equal(store_suppress_purge(w->s, 4, &more,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	assert_true(more);
	assert_int_equal(fixture_count(w->s, &(struct suppress_filter){
	    .with_expired = true }), 6);
	assert_int_equal(store_suppress_purge(w->s, 4, &more,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	assert_false(more);
	assert_int_equal(fixture_count(w->s, &(struct suppress_filter){
	    .with_expired = true }), 3);
}

static void
put_meta(struct world *w, const char *key, const char *value, int64_t expires)
{
	struct meta_item item = { str_from(key), str_from(value), expires };

	if (store_meta_put(w->s, &item, 1, store_deadline(FIXTURE_MILLIS)) !=
	    STORE_YES)
		fail_msg("%s", store_error(w->s, STORE_META));
}

static bool
join_meta(void *arg, const struct meta_item *item)
{
	struct story *s = arg;
	size_t n = strlen(s->text);

	snprintf(s->text + n, sizeof(s->text) - n, "%.*s=%.*s ",
	    STR_ARG(item->key), STR_ARG(item->value));
	return true;
}

static void
case_meta(struct world *w)
{
	struct meta_item item;
	struct story s = { "" };
	uint64_t before, after;

	assert_int_equal(store_meta_version(w->s, &before, SOON), STORE_YES);
	put_meta(w, "pause/b", "2", 0);
	put_meta(w, "pause/a", "1", 0);
	put_meta(w, "pausf", "no", 0);
	put_meta(w, "pause/old", "gone", 1500);
	put_meta(w, "pause/new", "here", 2500);
	assert_int_equal(store_meta_version(w->s, &after, SOON), STORE_YES);
	assert_true(before != after);
	assert_int_equal(store_meta_version(w->s, &before, SOON), STORE_YES);
	assert_true(before == after);
	assert_int_equal(store_meta_get(w->s, w->a, STR("pause/a"), &item,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	expect_str("value", item.value, STR("1"));
	assert_int_equal(store_meta_get(w->s, w->a, STR("pause/old"), &item,
	    store_deadline(FIXTURE_MILLIS)), STORE_NO);
	assert_int_equal(store_meta_walk(w->s, STR("pause/"), join_meta, &s,
	    SOON), STORE_YES);
	assert_string_equal(s.text, "pause/a=1 pause/b=2 pause/new=here ");
	put_meta(w, "pause/a", "", 0);
	put_meta(w, "pause/b", "3", 0);
	assert_int_equal(store_meta_get(w->s, w->a, STR("pause/a"), &item,
	    store_deadline(FIXTURE_MILLIS)), STORE_NO);
	s.text[0] = '\0';
	assert_int_equal(store_meta_walk(w->s, STR(""), join_meta, &s, SOON),
	    STORE_YES);
	assert_string_equal(s.text, "pause/b=3 pause/new=here pausf=no ");
}

static void
case_meta_bounds(struct world *w)
{
	char *big = arena_alloc(w->a, META_VALUE_MAX + 1);
	struct meta_item v[2] = {
		{ STR("a\0b"), str_make(big, META_VALUE_MAX), 0 },
		{ STR(""), STR("x"), 0 },
	};
	struct meta_item item;

	assert_int_equal(store_meta_put(w->s, v, 2,
	    store_deadline(FIXTURE_MILLIS)), STORE_NO);
	assert_int_equal(store_meta_get(w->s, w->a, v[0].key, &item,
	    store_deadline(FIXTURE_MILLIS)), STORE_NO);
	assert_int_equal(store_meta_put(w->s, v, 1,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	assert_int_equal(store_meta_get(w->s, w->a, v[0].key, &item,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	assert_int_equal(item.value.n, META_VALUE_MAX);
	v[0].value.n++;
	assert_int_equal(store_meta_put(w->s, v, 1,
	    store_deadline(FIXTURE_MILLIS)), STORE_NO);
}

static void
case_long_meta_walk(struct world *w)
{
	struct story s = { "" };

	for (int i = 0; i < 600; i++) {
		char key[32];

		snprintf(key, sizeof(key), "k%04d", i);
		put_meta(w, key, "v", i % 2 ? 1500 : 0);
	}
	assert_int_equal(store_meta_walk(w->s, STR("k058"), join_meta, &s,
	    SOON), STORE_YES);
	assert_string_equal(s.text,
	    "k0580=v k0582=v k0584=v k0586=v k0588=v ");
}

static void
case_deadline_passed(struct world *w)
{
	struct suppress_query q = { .address = STR("a@x.example") };

	store_suppress_find(w->s, w->a, &q, 1, clock_monotonic() - 1);
	assert_int_equal(q.answer, STORE_UNKNOWN);
	assert_non_null(strstr(store_error(w->s, STORE_SUPPRESS), "deadline"));
	assert_false(store_is_tripped(w->s, STORE_SUPPRESS));
	assert_int_equal(found(w, "a@x.example", NULL), 0);
	assert_string_equal(store_error(w->s, STORE_SUPPRESS), "");
}

static const struct {
	const char *name;
	void (*run)(struct world *w);
} cases[] = {
	{ "put, find, remove", case_put_find_remove },
	{ "the strongest counts", case_strongest_counts },
	{ "scopes", case_scopes },
	{ "the wider scope wins a tie", case_wider_scope_wins_a_tie },
	{ "domain entries", case_domain_entries },
	{ "expiry", case_expiry },
	{ "put again", case_put_again },
	{ "all or nothing", case_all_or_nothing },
	{ "batches", case_batches },
	{ "a long walk", case_long_walk },
	{ "filters", case_filters },
	{ "history", case_history },
	{ "removed", case_removed },
	{ "imports are kept", case_imports_are_kept },
	{ "undo restores", case_undo_restores },
	{ "undo keeps what others said", case_undo_keeps_what_others_said },
	{ "undo of two imports", case_undo_of_two_imports },
	{ "purge", case_purge },
	{ "meta", case_meta },
	{ "meta bounds", case_meta_bounds },
	{ "a long walk of meta", case_long_meta_walk },
	{ "a deadline that passed", case_deadline_passed },
};

static void
run_all(const char *form)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w = { .form = form, .a = arena_new() };
		const char *at = strchr(form, '%');

		print_message("# %s: %s\n", form, cases[i].name);
		w.dir = fixture_directory(w.a);
		snprintf(w.spec, sizeof(w.spec), "%.*s%s",
		    (int)(at == NULL ? strlen(form) : (size_t)(at - form)),
		    form, at == NULL ? "" : w.dir);
		world_open(&w, 2000);
		cases[i].run(&w);
		store_close(&w.s);
		fixture_remove(w.dir);
		arena_free(&w.a);
	}
}

static void
test_memory(void **state)
{
	(void)state;
	run_all("memory:");
}

static void
test_sqlite(void **state)
{
	(void)state;
	run_all("sqlite:%s");
}

static void
test_fail_that_does_not(void **state)
{
	(void)state;
	run_all("fail:fail@4000000000:sqlite:%s");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_sqlite),
		cmocka_unit_test(test_fail_that_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
