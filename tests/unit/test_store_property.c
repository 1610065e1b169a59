/*
 * test_store_property.c - suppressions against a plain model: a set of claims
 * for each key, the longest lasting one counts.  Random orders of put, import,
 * remove, undo, purge and time, over every driver.
 */
#include "store_fixture.h"

#include <stdio.h>
#include <sys/stat.h>

#define NADDRESSES 4
#define NSCOPES	   4
#define NREASONS   3
#define NKEYS	   (NADDRESSES * NSCOPES * NREASONS)
#define MAX_CLAIMS 400
#define MAX_IMPORTS 40

static const char *const addresses[NADDRESSES] = {
	"a@x.example", "@x.example", "b@y.example", "@y.example",
};

static const struct suppress_scope scopes[NSCOPES] = {
	{ .stream = 0 },
	{ .domain = { "d.example", 9 } },
	{ .domain = { "d.example", 9 }, .stream = 5 },
	{ .domain = { "d.example", 9 }, .stream = 5, .list = { "l", 1 } },
};

static const enum suppress_reason reasons[NREASONS] = {
	SUPPRESS_COMPLAINT, SUPPRESS_MANUAL, SUPPRESS_IMPORT,
};

struct claim {
	unsigned key;
	int64_t expires; /* 0: never */
	uint64_t import;
};

struct model {
	struct claim claims[MAX_CLAIMS];
	size_t n;
	struct suppress_import imports[MAX_IMPORTS];
	size_t nimports;
};

static int64_t now; /* of the store's clock */
static uint64_t seed;

static unsigned
below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 11) % n;
}

static int64_t
read_clock(const struct clock *c)
{
	(void)c;
	return now * 1000000;
}

static int64_t
last_day(int64_t expires)
{
	return expires == 0 ? INT64_MAX : expires;
}

/* When the longest lasting claim of the key ends; -1: there is none. */
static int64_t
model_end(const struct model *m, unsigned key, bool not_imported)
{
	int64_t end = -1;

	for (size_t i = 0; i < m->n; i++)
		if (m->claims[i].key == key &&
		    (!not_imported || m->claims[i].import == 0) &&
		    last_day(m->claims[i].expires) > end)
			end = last_day(m->claims[i].expires);
	return end;
}

static void
model_drop(struct model *m, unsigned key, uint64_t import)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->n; i++)
		if (import != 0 ? m->claims[i].import != import :
		    m->claims[i].key != key)
			m->claims[kept++] = m->claims[i];
	m->n = kept;
}

/*
 * A claim of an import that is covered leaves no trace; one that was
 * acknowledged to somebody does, or an undo could take it away.
 */
static enum suppress_outcome
model_put(struct model *m, struct claim c)
{
	int64_t end = model_end(m, c.key, false);
	enum suppress_outcome outcome = end <= now ? SUPPRESS_ADDED :
	    last_day(c.expires) <= end ? SUPPRESS_ALREADY : SUPPRESS_EXTENDED;

	if (outcome == SUPPRESS_ALREADY && (c.import != 0 ||
	    model_end(m, c.key, true) >= last_day(c.expires)))
		return outcome;
	assert_true(m->n < MAX_CLAIMS);
	m->claims[m->n++] = c;
	return outcome;
}

static struct suppress_entry
entry_of(const struct claim *c)
{
	struct suppress_entry e = fixture_entry(addresses[c->key % NADDRESSES],
	    reasons[c->key / NADDRESSES / NSCOPES], now, c->expires);

	e.scope = scopes[c->key / NADDRESSES % NSCOPES];
	return e;
}

static struct claim
random_claim(void)
{
	return (struct claim){ .key = below(NKEYS),
		.expires = below(3) == 0 ? 0 : now + 1 + below(60) };
}

static void
step_put(struct store *s, struct model *m)
{
	struct claim c = random_claim();
	enum suppress_outcome want = model_put(m, c);

	assert_int_equal(fixture_do(s, SUPPRESS_PUT, entry_of(&c)), want);
}

static void
step_remove(struct store *s, struct model *m)
{
	struct claim c = random_claim();
	enum suppress_outcome want = model_end(m, c.key, false) < 0 ?
	    SUPPRESS_ABSENT : SUPPRESS_REMOVED;

	assert_int_equal(fixture_do(s, SUPPRESS_REMOVE, entry_of(&c)), want);
	model_drop(m, c.key, 0);
}

/* An import that is open still, or a new one. */
static struct suppress_import *
some_import(struct store *s, struct model *m)
{
	struct suppress_import *i = &m->imports[m->nimports];

	if (m->nimports > 0 && (below(3) > 0 || m->nimports == MAX_IMPORTS)) {
		i = &m->imports[below((unsigned)m->nimports)];
		return i->is_undone ? NULL : i;
	}
	*i = (struct suppress_import){ .source = STR("file") };
	assert_int_equal(store_import_begin(s, i,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	m->nimports++;
	return i;
}

static void
step_import(struct store *s, struct model *m)
{
	struct suppress_import *i = some_import(s, m);
	enum suppress_outcome want[5];
	struct suppress_change v[5];
	unsigned n = 1 + below(5);

	if (i == NULL)
		return;
	for (unsigned j = 0; j < n; j++) {
		struct claim c = random_claim();

		c.import = i->id;
		v[j] = fixture_change(SUPPRESS_PUT, entry_of(&c));
		want[j] = model_put(m, c);
	}
	assert_int_equal(store_import_slice(s, i, v, n,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	for (unsigned j = 0; j < n; j++)
		assert_int_equal(v[j].outcome, want[j]);
}

static void
step_undo(struct store *s, struct model *m)
{
	struct suppress_import *i;
	uint64_t removed, restored;

	if (m->nimports == 0)
		return;
	i = &m->imports[below((unsigned)m->nimports)];
	assert_int_equal(store_import_undo(s, i->id, STR("t"), &removed,
	    &restored), STORE_YES);
	i->is_undone = true;
	model_drop(m, 0, i->id);
}

static void
step_purge(struct store *s, struct model *m)
{
	bool more = true;

	while (more)
		assert_int_equal(store_suppress_purge(s, 1 + below(5), &more,
		    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	for (unsigned key = 0; key < NKEYS; key++)
		if (model_end(m, key, false) <= now)
			model_drop(m, key, 0);
}

/* What counts for an address in a scope, by looking at everything. */
static bool
model_find(const struct model *m, const char *address,
    const struct suppress_scope *scope, struct suppress_entry *best)
{
	bool has_one = false;

	for (unsigned key = 0; key < NKEYS; key++) {
		struct claim c = { .key = key };
		struct suppress_entry e = entry_of(&c);
		const char *at = strchr(address, '@');

		if (model_end(m, key, false) <= now ||
		    !suppress_scope_applies(&e.scope, scope) ||
		    (!str_eq(e.address, str_from(address)) &&
		    !str_eq(e.address, str_from(at))))
			continue;
		/* scopes[] goes from wide to narrow */
		if (!has_one || e.reason < best->reason)
			*best = e;
		has_one = true;
	}
	return has_one;
}

static void
compare_finds(struct store *s, const struct model *m)
{
	static const char *const asked[] = { "a@x.example", "c@x.example",
		"b@y.example", "b@z.example" };
	struct arena *a = arena_new();

	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < NSCOPES; j++) {
			struct suppress_query q = fixture_find(s, a, asked[i],
			    &scopes[j]);
			struct suppress_entry want;
			bool is_there = model_find(m, asked[i], &scopes[j],
			    &want);

			assert_int_equal(q.answer, is_there ? STORE_YES :
			    STORE_NO);
			if (is_there)
				assert_int_equal(q.entry.reason, want.reason);
		}
	arena_free(&a);
}

struct seen {
	const struct model *m;
	size_t n;
};

static unsigned
key_of(const struct suppress_entry *e)
{
	for (unsigned key = 0; key < NKEYS; key++) {
		struct claim c = { .key = key };
		struct suppress_entry want = entry_of(&c);

		if (str_eq(want.address, e->address) &&
		    want.reason == e->reason &&
		    want.scope.stream == e->scope.stream &&
		    str_eq(want.scope.domain, e->scope.domain) &&
		    str_eq(want.scope.list, e->scope.list))
			return key;
	}
	fail_msg("no such key");
	return 0;
}

static bool
compare_entry(void *arg, const struct suppress_entry *e)
{
	struct seen *seen = arg;

	assert_int_equal(last_day(e->expires), model_end(seen->m, key_of(e),
	    false));
	seen->n++;
	return true;
}

static void
compare_all(struct store *s, const struct model *m)
{
	struct suppress_filter all = { .with_expired = true };
	struct seen seen = { .m = m };
	size_t want = 0;

	for (unsigned key = 0; key < NKEYS; key++)
		want += model_end(m, key, false) >= 0;
	assert_int_equal(store_suppress_walk(s, &all, compare_entry, &seen),
	    STORE_YES);
	assert_int_equal(seen.n, want);
	compare_finds(s, m);
}

static void
run_one(struct store *s, struct model *m, unsigned nsteps)
{
	for (unsigned i = 0; i < nsteps; i++) {
		switch (below(12)) {
		case 0: case 1: case 2: case 3:
			step_put(s, m);
			break;
		case 4: case 5: case 6:
			step_import(s, m);
			break;
		case 7:
			step_remove(s, m);
			break;
		case 8:
			step_undo(s, m);
			break;
		case 9:
			step_purge(s, m);
			break;
		default:
			now += below(20);
		}
		if (i % 4 == 0)
			compare_all(s, m);
	}
	compare_all(s, m);
}

static void
run_many(const char *form, const char *dir, unsigned nruns)
{
	for (unsigned run = 0; run < nruns; run++) {
		struct model *m = calloc(1, sizeof(*m));
		struct store_spec spec = { .kinds = STORE_SUPPRESS,
			.access = STORE_CHANGE, .clock = { .now = read_clock }
		};
		char text[600];
		struct buf errors;
		struct store *s;

		snprintf(text, sizeof(text), "%s%s%s", form, dir,
		    dir[0] == '\0' ? "" : "/s");
		spec.store = str_from(text);
		buf_init(&errors, 65536);
		now = 1000;
		seed = 88172645463325252u + run * 7919;
		print_message("# %s run %u\n", form, run);
		s = store_open(&spec, &errors);
		assert_non_null(s);
		run_one(s, m, 120);
		store_close(&s);
		buf_free(&errors);
		free(m);
		if (dir[0] != '\0')
			fixture_remove(text + strlen(form));
	}
}

/* BULKHEAD_RUNS=N for more than a quick look. */
static unsigned
runs(unsigned usual)
{
	const char *text = getenv("BULKHEAD_RUNS");

	return text == NULL ? usual : (unsigned)strtoul(text, NULL, 10);
}

static void
test_memory(void **state)
{
	(void)state;
	run_many("memory:", "", runs(200));
}

static void
test_sqlite(void **state)
{
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);

	(void)state;
	run_many("sqlite:", dir, runs(12));
	fixture_remove(dir);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_sqlite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
