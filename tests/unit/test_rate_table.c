/*
 * test_rate_table.c - buckets and charged ids in memory: batches, all or
 * nothing, ids, what is saved and dropped, and random requests against plain
 * single buckets.
 */
#include <stdio.h>

#include "rate_random.h"

#include "store/rate_ids.h"
#include "store/rate_table.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const struct rate hourly = { 3600, 3600 }; /* one a second */

static struct rate_table *
table_of(size_t max_buckets, size_t max_ids, bool is_saved)
{
	return rate_table_new(&(struct rate_table_spec){
	    .max_buckets = max_buckets,
	    .max_ids = max_ids,
	    .is_saved = is_saved,
	});
}

static struct rate_bucket
bucket(const char *key, uint64_t burst, uint64_t cost)
{
	return (struct rate_bucket){ .key = str_from(key), .rate = hourly,
		.burst = burst, .cost = cost };
}

/* One request; its answer. */
static enum store_answer
ask(struct rate_table *t, enum rate_mode mode, const char *id,
    struct rate_bucket *b, size_t n, int64_t now)
{
	struct arena *a = arena_new();
	struct rate_request r = { .mode = mode, .buckets = b, .nbuckets = n };

	struct str keys[16];

	assert_true(n <= COUNT(keys));
	r.id = exact(a, str_from(id));
	for (size_t i = 0; i < n; i++) {
		keys[i] = b[i].key;
		b[i].key = exact(a, keys[i]);
	}
	rate_table_decide(t, &r, 1, now);
	for (size_t i = 0; i < n; i++)
		b[i].key = keys[i];
	arena_free(&a);
	return r.answer;
}

static enum store_answer
charge(struct rate_table *t, const char *id, const char *key, uint64_t cost,
    int64_t now)
{
	struct rate_bucket b = bucket(key, 10, cost);

	return ask(t, RATE_CHARGE, id, &b, 1, now);
}

static uint64_t
left(struct rate_table *t, const char *key, int64_t now)
{
	struct rate_bucket b = bucket(key, 10, 0);

	assert_int_equal(ask(t, RATE_PEEK, "", &b, 1, now), STORE_YES);
	return b.left;
}

static void
test_charge_and_peek(void **state)
{
	struct rate_table *t = table_of(100, 100, false);
	struct rate_bucket b = bucket("a", 10, 4);

	(void)state;
	assert_int_equal(ask(t, RATE_PEEK, "", &b, 1, START), STORE_YES);
	assert_int_equal(b.left, 10);
	assert_int_equal(rate_table_count(t), 0);
	b = bucket("a", 10, 11);
	assert_int_equal(ask(t, RATE_PEEK, "", &b, 1, START), STORE_NO);
	assert_int_equal(b.wait, -1);
	b = bucket("a", 10, 4);
	assert_int_equal(ask(t, RATE_CHARGE, "", &b, 1, START), STORE_YES);
	assert_int_equal(b.wait, 0);
	assert_int_equal(b.left, 6);
	b = bucket("a", 10, 7);
	assert_int_equal(ask(t, RATE_CHARGE, "", &b, 1, START), STORE_NO);
	assert_int_equal(b.wait, MICROS);
	assert_int_equal(b.left, 6);
	assert_int_equal(left(t, "b", START), 10);
	assert_int_equal(left(t, "a", START + 2 * MICROS), 8);
	assert_int_equal(ask(t, RATE_CHARGE, "", NULL, 0, START), STORE_YES);
	rate_table_free(&t);
	rate_table_free(&t);
}

static void
test_all_or_nothing(void **state)
{
	struct rate_table *t = table_of(100, 100, false);
	struct rate_bucket b[3] = { bucket("a", 10, 3), bucket("b", 2, 3),
		bucket("c", 10, 3) };

	(void)state;
	assert_int_equal(ask(t, RATE_CHARGE, "q", b, 3, START), STORE_NO);
	assert_int_equal(b[0].wait, 0);
	assert_int_equal(b[1].wait, -1);
	assert_int_equal(b[2].left, 10);
	assert_int_equal(left(t, "a", START), 10);
	assert_int_equal(left(t, "c", START), 10);
	assert_int_equal(rate_table_count(t), 0);
	/* refused is not charged: the same id may try again */
	b[0] = bucket("a", 10, 3);
	b[1] = bucket("b", 3, 3);
	b[2] = bucket("c", 10, 3);
	assert_int_equal(ask(t, RATE_CHARGE, "q", b, 3, START), STORE_YES);
	assert_int_equal(left(t, "a", START), 7);
	assert_int_equal(left(t, "c", START), 7);
	rate_table_free(&t);
}

/* Within one batch each request sees what those before it charged. */
static void
test_batch(void **state)
{
	struct rate_table *t = table_of(100, 100, false);
	struct rate_bucket b[4] = { bucket("a", 10, 6), bucket("a", 10, 6),
		bucket("a", 10, 4), bucket("a", 10, 1) };
	struct rate_request r[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		r[i] = (struct rate_request){ .mode = RATE_CHARGE,
			.buckets = &b[i], .nbuckets = 1 };
	r[3].mode = RATE_PEEK;
	rate_table_decide(t, r, 4, START);
	assert_int_equal(r[0].answer, STORE_YES);
	assert_int_equal(r[1].answer, STORE_NO);
	assert_int_equal(b[1].wait, 2 * MICROS);
	assert_int_equal(r[2].answer, STORE_YES);
	assert_int_equal(r[3].answer, STORE_NO);
	assert_int_equal(b[3].left, 0);
	rate_table_free(&t);
}

/* The same key twice in one request is charged twice, or not at all. */
static void
test_key_twice(void **state)
{
	struct rate_table *t = table_of(100, 100, false);
	struct rate_bucket b[3] = { bucket("x", 10, 1), bucket("a", 10, 6),
		bucket("a", 10, 6) };

	(void)state;
	assert_int_equal(ask(t, RATE_CHARGE, "", b, 3, START), STORE_NO);
	assert_int_equal(b[2].wait, 2 * MICROS);
	assert_int_equal(left(t, "x", START), 10);
	assert_int_equal(left(t, "a", START), 10);
	b[2].cost = 4;
	assert_int_equal(ask(t, RATE_CHARGE, "", b, 3, START), STORE_YES);
	assert_int_equal(left(t, "a", START), 0);
	assert_int_equal(left(t, "x", START), 9);
	rate_table_free(&t);
}

static void
test_ids(void **state)
{
	struct rate_table *t = table_of(100, 3, false);
	struct rate_bucket b = bucket("a", 10, 4);
	struct rate_request r = { .mode = RATE_CHARGE, .id = STR("q1"),
		.buckets = &b, .nbuckets = 1 };

	(void)state;
	assert_int_equal(charge(t, "q1", "a", 4, START), STORE_YES);
	rate_table_decide(t, &r, 1, START + 1);
	assert_int_equal(r.answer, STORE_YES);
	assert_true(r.was_charged_before);
	assert_int_equal(b.wait, 0);
	assert_int_equal(left(t, "a", START), 6);
	/* again, and it passes even where it could not be charged any more */
	assert_int_equal(charge(t, "q2", "a", 6, START), STORE_YES);
	rate_table_decide(t, &r, 1, START + 1);
	assert_int_equal(r.answer, STORE_YES);
	assert_int_equal(b.wait, 0);
	/* a peek does not know of ids */
	r.mode = RATE_PEEK;
	rate_table_decide(t, &r, 1, START + 1);
	assert_int_equal(r.answer, STORE_NO);
	assert_false(r.was_charged_before);
	/* nor has one without an id been charged before */
	assert_int_equal(charge(t, "", "b", 4, START), STORE_YES);
	assert_int_equal(charge(t, "", "b", 4, START), STORE_YES);
	assert_int_equal(left(t, "b", START), 2);
	/* ten minutes later it is another message */
	assert_int_equal(charge(t, "q1", "a", 4, START + RATE_ID_LIFE - 1),
	    STORE_YES);
	assert_int_equal(left(t, "a", START + RATE_ID_LIFE - 1), 10);
	assert_int_equal(charge(t, "q1", "a", 4, START + RATE_ID_LIFE),
	    STORE_YES);
	assert_int_equal(left(t, "a", START + RATE_ID_LIFE), 6);
	rate_table_free(&t);
}

static void
test_ids_are_bounded(void **state)
{
	struct rate_ids *ids = rate_ids_new(5000, 100);
	struct rate_id id;
	char text[32];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int64_t now = START + i / 1000;

		snprintf(text, sizeof(text), "id%d", i);
		id = rate_id_of(str_from(text));
		assert_false(rate_ids_has(ids, &id, now));
		rate_ids_add(ids, &id, now);
		assert_true(rate_ids_has(ids, &id, now));
		assert_true(rate_ids_count(ids) <= 5000);
	}
	for (int i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "id%d", i);
		id = rate_id_of(str_from(text));
		assert_int_equal(rate_ids_has(ids, &id, START + 20),
		    i >= 15000);
	}
	/* the last one is of START + 19 */
	assert_true(rate_ids_has(ids, &id, START + 118));
	assert_false(rate_ids_has(ids, &id, START + 119));
	/* set back by less than a life they are known, by more they are not */
	assert_true(rate_ids_has(ids, &id, START + 19 - 99));
	assert_false(rate_ids_has(ids, &id, START + 19 - 100));
	rate_ids_add(ids, &id, START + 200);
	assert_int_equal(rate_ids_count(ids), 1);
	rate_ids_free(&ids);
	rate_ids_free(&ids);
}

static bool
count_state(void *arg, const struct rate_state *r)
{
	uint64_t *used = arg;

	*used += r->used;
	return true;
}

static bool
stop_at_once(void *arg, const struct rate_state *r)
{
	(void)r;
	++*(int *)arg;
	return false;
}

static uint64_t
used(struct rate_table *t, struct str prefix, int64_t now)
{
	uint64_t n = 0;

	rate_table_walk(t, prefix, now, count_state, &n);
	return n;
}

static void
test_walk_and_reset(void **state)
{
	struct rate_table *t = table_of(100, 100, false);
	int calls = 0;

	(void)state;
	charge(t, "", "g/a", 1, START);
	charge(t, "", "g/ab", 2, START);
	charge(t, "", "h/a", 4, START);
	assert_int_equal(used(t, STR(""), START), 7);
	assert_int_equal(used(t, STR("g/"), START), 3);
	assert_int_equal(used(t, STR("g/ab"), START), 2);
	assert_int_equal(used(t, STR("x"), START), 0);
	assert_int_equal(used(t, STR(""), START + 2 * MICROS), 2);
	rate_table_walk(t, STR(""), START, stop_at_once, &calls);
	assert_int_equal(calls, 1);
	assert_int_equal(rate_table_reset(t, STR("g/"), START), 2);
	assert_int_equal(rate_table_reset(t, STR("g/"), START), 0);
	assert_int_equal(used(t, STR(""), START), 4);
	assert_int_equal(rate_table_reset(t, STR(""), START + 4 * MICROS), 0);
	rate_table_free(&t);
}

struct saved {
	struct arena *arena;
	struct rate_record v[8];
	size_t n, stop;
};

static bool
save(void *arg, const struct rate_record *r)
{
	struct saved *s = arg;

	if (s->n == s->stop || s->n == COUNT(s->v))
		return false;
	s->v[s->n] = *r;
	s->v[s->n++].key = arena_copy(s->arena, r->key);
	return true;
}

static struct saved
unsaved(struct rate_table *t, struct arena *a)
{
	struct saved s = { .arena = a, .stop = SIZE_MAX };

	rate_table_unsaved(t, save, &s);
	return s;
}

static void
test_save_and_load(void **state)
{
	struct arena *a = arena_new();
	struct rate_table *t = table_of(100, 100, true), *u;
	struct saved s;

	(void)state;
	assert_int_equal(unsaved(t, a).n, 0);
	charge(t, "", "a", 4, START);
	charge(t, "", "a", 1, START);
	charge(t, "", "b", 1, START);
	charge(t, "", "b", 10, START); /* refused */
	s = unsaved(t, a);
	assert_int_equal(s.n, 2);
	assert_int_equal(unsaved(t, a).n, 2); /* until it is saved */
	s = (struct saved){ .arena = a, .stop = 1 };
	rate_table_unsaved(t, save, &s);
	assert_int_equal(s.n, 1);
	expect_str("first", s.v[0].key, STR("a"));
	s = unsaved(t, a);
	rate_table_saved(t, 1);
	charge(t, "", "c", 1, START);
	assert_int_equal(unsaved(t, a).n, 2);
	expect_str("then", unsaved(t, a).v[0].key, STR("b"));
	expect_str("last", unsaved(t, a).v[1].key, STR("c"));
	rate_table_saved(t, 2);
	assert_int_equal(unsaved(t, a).n, 0);
	rate_table_saved(t, 1);
	charge(t, "", "a", 1, START);
	assert_int_equal(unsaved(t, a).n, 1);
	u = table_of(100, 100, true);
	for (size_t i = 0; i < s.n; i++)
		assert_true(rate_table_load(u, &s.v[i], START + 2 * MICROS));
	assert_int_equal(left(u, "a", START + 2 * MICROS), 7);
	assert_int_equal(left(u, "b", START + 2 * MICROS), 10);
	assert_int_equal(unsaved(u, a).n, 0);
	/* again, into a table with something, and before its time */
	for (size_t i = 0; i < s.n; i++)
		assert_true(rate_table_load(u, &s.v[i], START - 3600 * MICROS));
	assert_int_equal(left(u, "a", START - 3600 * MICROS), 0);
	assert_int_equal(left(u, "a", START - 3590 * MICROS), 10);
	s.v[0].burst = 0;
	assert_false(rate_table_load(u, &s.v[0], START));
	s.v[1].rate.count = 0;
	assert_false(rate_table_load(u, &s.v[1], START));
	rate_table_free(&t);
	rate_table_free(&u);
	arena_free(&a);
}

/* A full bucket goes; a saved one first where it is saved. */
static void
test_sweep(void **state)
{
	struct arena *a = arena_new();
	struct rate_table *t = table_of(100, 100, true);
	struct saved s;

	(void)state;
	charge(t, "", "a", 4, START);
	charge(t, "", "b", 9, START);
	assert_int_equal(unsaved(t, a).n, 2);
	rate_table_sweep(t, 100000, START + 2 * MICROS);
	assert_int_equal(rate_table_count(t), 2);
	rate_table_saved(t, SIZE_MAX);
	rate_table_sweep(t, 100000, START + 4 * MICROS);
	assert_int_equal(rate_table_count(t), 2);
	s = unsaved(t, a);
	assert_int_equal(s.n, 1);
	expect_str("key", s.v[0].key, STR("a"));
	assert_int_equal(s.v[0].full_at, 0);
	rate_table_saved(t, SIZE_MAX);
	rate_table_sweep(t, 100000, START + 4 * MICROS);
	assert_int_equal(rate_table_count(t), 1);
	/* one that is used again stays */
	rate_table_sweep(t, 100000, START + 9 * MICROS);
	charge(t, "", "b", 5, START + 9 * MICROS);
	s = unsaved(t, a);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.v[0].full_at, START + 14 * MICROS);
	rate_table_saved(t, SIZE_MAX);
	rate_table_sweep(t, 100000, START + 9 * MICROS);
	assert_int_equal(unsaved(t, a).n, 0);
	/* reset is a change */
	assert_int_equal(rate_table_reset(t, STR(""), START + 9 * MICROS), 1);
	assert_int_equal(unsaved(t, a).v[0].full_at, 0);
	rate_table_free(&t);
	arena_free(&a);
}

static void
test_many_buckets(void **state)
{
	struct rate_table *t = table_of(1000, 10, false);
	struct rate_bucket b[2];
	char key[32];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(charge(t, "", key, i < 10 ? 1 : 10, START),
		    STORE_YES);
	}
	assert_int_equal(rate_table_count(t), 1000);
	/* no more, and nothing of such a request is charged */
	b[0] = bucket("k0", 10, 1);
	b[1] = bucket("new", 10, 1);
	assert_int_equal(ask(t, RATE_CHARGE, "id", b, 2, START),
	    STORE_UNKNOWN);
	assert_int_equal(left(t, "k0", START), 9);
	assert_int_equal(ask(t, RATE_PEEK, "", b, 2, START), STORE_YES);
	/* those that are full by now make room, the one in hand included */
	b[0] = bucket("k0", 10, 0);
	b[1] = bucket("new", 10, 1);
	assert_int_equal(ask(t, RATE_CHARGE, "id", b, 2, START + MICROS),
	    STORE_YES);
	assert_true(rate_table_count(t) <= 992);
	assert_int_equal(left(t, "new", START + MICROS), 9);
	assert_int_equal(rate_table_ids(t), 1);
	for (int i = 10; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(left(t, key, START + MICROS), 1);
	}
	rate_table_free(&t);
}

#define KEYS 12

/* What the table must agree with: each bucket by itself. */
struct model {
	struct gcra g[KEYS];
	struct rate rate[KEYS];
	uint64_t burst[KEYS], out[KEYS];
	bool charged[50]; /* ids */
};

/* Some keys, each once; how many. */
static size_t
pick(struct random *r, const struct model *m, struct rate_bucket *b,
    const char names[KEYS][4])
{
	size_t n = 0;

	for (size_t k = 0; k < KEYS; k++) {
		if (random_below(r, 4) != 0)
			continue;
		b[n++] = (struct rate_bucket){ .key = str_from(names[k]),
			.rate = m->rate[k], .burst = m->burst[k],
			.cost = random_below(r, m->burst[k] +
			    (random_below(r, 8) == 0)) };
	}
	return n;
}

static bool
model_charge(struct model *m, const struct rate_bucket *b, size_t n,
    int64_t now)
{
	bool passes = true;

	for (size_t i = 0; i < n; i++) {
		struct gcra *g = &m->g[b[i].key.p[0] - 'a'];

		gcra_settle(g, &b[i].rate, b[i].burst, now);
		passes = passes && gcra_wait(g, b[i].burst, b[i].cost) == 0;
	}
	for (size_t i = 0; passes && i < n; i++) {
		gcra_charge(&m->g[b[i].key.p[0] - 'a'], b[i].cost);
		m->out[b[i].key.p[0] - 'a'] += b[i].cost;
	}
	return passes;
}

static void
run_random_requests(uint64_t salt)
{
	struct random r = random_start(salt);
	struct rate_table *t = table_of(100, 1000, random_below(&r, 2));
	struct model m = { 0 };
	char names[KEYS][4];
	int64_t now = START;

	for (size_t k = 0; k < KEYS; k++) {
		m.rate[k] = (struct rate){ random_log(&r, 10), 3600 };
		m.burst[k] = random_log(&r, 10);
		m.g[k].at = START;
		snprintf(names[k], sizeof(names[k]), "%c", (char)('a' + k));
	}
	for (int i = 0; i < 300; i++) {
		struct rate_bucket b[KEYS];
		size_t n = pick(&r, &m, b, (const char(*)[4])names);
		unsigned id = (unsigned)random_below(&r, 100);
		char text[16] = "";
		bool want;

		now += (int64_t)random_below(&r, MICROS);
		if (id < COUNT(m.charged))
			snprintf(text, sizeof(text), "id%u", id);
		want = text[0] != '\0' && m.charged[id];
		if (!want)
			want = model_charge(&m, b, n, now);
		assert_int_equal(ask(t, RATE_CHARGE, text, b, n, now),
		    want ? STORE_YES : STORE_NO);
		if (want && text[0] != '\0')
			m.charged[id] = true;
		if (random_below(&r, 10) == 0)
			rate_table_sweep(t, 100, now);
		if (random_below(&r, 10) == 0)
			rate_table_saved(t, SIZE_MAX);
	}
	for (size_t k = 0; k < KEYS; k++) {
		uint64_t most = m.burst[k] + (uint64_t)(now - START) *
		    m.rate[k].count / (3600 * MICROS);

		assert_true(m.out[k] <= most);
	}
	rate_table_free(&t);
}

static void
test_random_requests(void **state)
{
	(void)state;
	for (uint64_t salt = 0; salt < 300; salt++)
		run_random_requests(salt);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_charge_and_peek),
		cmocka_unit_test(test_all_or_nothing),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_key_twice),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_ids_are_bounded),
		cmocka_unit_test(test_walk_and_reset),
		cmocka_unit_test(test_save_and_load),
		cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_many_buckets),
		cmocka_unit_test(test_random_requests),
	};

	return cmocka_run_group_tests_name("rate_table", tests, NULL, NULL);
}
