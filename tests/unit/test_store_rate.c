/*
 * test_store_rate.c - rates through the front, over each driver: decisions,
 * what outlives the process, who owns them, and a store that fails.
 */
#include "rate_random.h"

#include <stdio.h>
#include <unistd.h>

#include "store/rate.h"
#include "store_fixture.h"

#define FAR (store_deadline(FIXTURE_MILLIS))

static const struct rate hourly = { 3600, 3600 }; /* one a second */

static int64_t time_now; /* of the clock below */

static int64_t
tell(const struct clock *c)
{
	(void)c;
	return time_now;
}

static struct store *
try_open(const char *spec, enum store_access access, struct buf *errors)
{
	struct store_spec s = { .store = str_from(spec), .kinds = STORE_RATES,
		.access = access, .clock = { .now = tell } };

	return store_open(&s, errors);
}

static struct store *
open_rates(const char *spec, enum store_access access)
{
	struct buf errors;
	struct store *s;

	buf_init(&errors, 10000);
	s = try_open(spec, access, &errors);
	if (s == NULL)
		fail_msg("%s: %.*s", spec, STR_ARG(buf_view(&errors)));
	buf_free(&errors);
	return s;
}

/* Asks one bucket of ten; left in *left where it is wanted. */
static enum store_answer
ask(struct store *s, enum rate_mode mode, const char *id, struct str key,
    uint64_t cost, uint64_t *left)
{
	struct rate_bucket b = { .key = key, .rate = hourly, .burst = 10,
		.cost = cost };
	struct rate_request r = { .mode = mode, .id = str_from(id),
		.buckets = &b, .nbuckets = 1 };

	store_rate_decide(s, &r, 1, FAR);
	if (left != NULL)
		*left = b.left;
	return r.answer;
}

static uint64_t
left_of(struct store *s, const char *key)
{
	uint64_t left;

	assert_int_equal(ask(s, RATE_PEEK, "", str_from(key), 0, &left),
	    STORE_YES);
	return left;
}

static bool
sum_used(void *arg, const struct rate_state *r)
{
	*(uint64_t *)arg += r->used;
	assert_int_equal(r->burst, 10);
	assert_int_equal(r->rate.count, 3600);
	assert_int_equal(r->full_at, time_now + (int64_t)r->used * MICROS);
	return true;
}

static uint64_t
used_of(struct store *s, struct str prefix)
{
	uint64_t n = 0;

	assert_int_equal(store_rate_walk(s, prefix, sum_used, &n), STORE_YES);
	return n;
}

/* The same for every driver. */
static void
run_decisions(const char *spec)
{
	struct store *s;
	uint64_t n;

	time_now = START;
	s = open_rates(spec, STORE_CHANGE);
	assert_int_equal(store_rate_save(s, FAR), STORE_YES);
	assert_int_equal(ask(s, RATE_CHARGE, "q1", STR("a"), 4, NULL),
	    STORE_YES);
	assert_int_equal(ask(s, RATE_CHARGE, "q1", STR("a"), 4, NULL),
	    STORE_YES);
	assert_int_equal(ask(s, RATE_CHARGE, "q2", STR("b"), 2, NULL),
	    STORE_YES);
	assert_int_equal(left_of(s, "a"), 6);
	assert_int_equal(ask(s, RATE_CHARGE, "q3", STR("a"), 7, NULL),
	    STORE_NO);
	assert_int_equal(used_of(s, STR("")), 6);
	time_now += 2 * MICROS;
	assert_int_equal(used_of(s, STR("")), 2);
	assert_int_equal(store_rate_reset(s, STR("a"), &n, FAR), STORE_YES);
	assert_int_equal(n, 1);
	assert_int_equal(used_of(s, STR("")), 0);
	time_now -= 3600 * MICROS;
	assert_int_equal(ask(s, RATE_CHARGE, "q4", STR("b"), 10, NULL),
	    STORE_YES);
	assert_int_equal(left_of(s, "b"), 0);
	time_now += MICROS;
	assert_int_equal(left_of(s, "b"), 1);
	assert_int_equal(store_rate_save(s, FAR), STORE_YES);
	store_close(&s);
}

static void
test_drivers(void **state)
{
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);
	const char *spec = arena_cstr(a, arena_printf(a, "sqlite:%s", dir));

	(void)state;
	run_decisions("memory:");
	run_decisions(spec);
	run_decisions(arena_cstr(a, arena_printf(a, "fail:fail@999:%s",
	    spec)));
	fixture_remove(dir);
	arena_free(&a);
}

/* What was saved is there after a restart, for a reader at any time. */
static void
test_restart(void **state)
{
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);
	const char *spec = arena_cstr(a, arena_printf(a, "sqlite:%s", dir));
	struct store *s, *reader;

	(void)state;
	time_now = START;
	s = open_rates(spec, STORE_CHANGE);
	reader = open_rates(spec, STORE_READ);
	ask(s, RATE_CHARGE, "", STR("l\0a\0"), 4, NULL);
	ask(s, RATE_CHARGE, "", STR("l\0b\0"), 2, NULL);
	assert_int_equal(used_of(reader, STR("")), 0);
	assert_int_equal(store_rate_save(s, FAR), STORE_YES);
	assert_int_equal(used_of(reader, STR("")), 6);
	assert_int_equal(used_of(reader, STR("l\0a\0")), 4);
	ask(s, RATE_CHARGE, "", STR("l\0a\0"), 5, NULL); /* not saved */
	store_close(&s);
	time_now += MICROS;
	s = open_rates(spec, STORE_CHANGE);
	assert_int_equal(used_of(s, STR("")), 4);
	ask(s, RATE_CHARGE, "", STR("l\0a\0"), 5, NULL);
	assert_int_equal(store_rate_save(s, FAR), STORE_YES);
	assert_int_equal(used_of(reader, STR("")), 9);
	/* who reads charges nothing, and fills nothing */
	assert_int_equal(ask(reader, RATE_PEEK, "", STR("l\0a\0"), 9, NULL),
	    STORE_NO);
	assert_int_equal(ask(reader, RATE_CHARGE, "", STR("x"), 1, NULL),
	    STORE_UNKNOWN);
	assert_non_null(strstr(store_error(reader, STORE_RATES), "reading"));
	assert_int_equal(store_rate_save(reader, FAR), STORE_YES);
	store_close(&reader);
	store_close(&s);
	/* full by then: gone */
	time_now += 3600 * MICROS;
	s = open_rates(spec, STORE_CHANGE);
	assert_int_equal(used_of(s, STR("")), 0);
	store_close(&s);
	fixture_remove(dir);
	arena_free(&a);
}

/* A clock set back over a restart: empty at most, no longer than a burst. */
static void
test_restart_in_the_past(void **state)
{
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);
	const char *spec = arena_cstr(a, arena_printf(a, "sqlite:%s", dir));
	struct store *s;

	(void)state;
	time_now = START;
	s = open_rates(spec, STORE_CHANGE);
	ask(s, RATE_CHARGE, "", STR("a"), 10, NULL);
	assert_int_equal(store_rate_save(s, FAR), STORE_YES);
	store_close(&s);
	time_now -= 86400 * MICROS;
	s = open_rates(spec, STORE_CHANGE);
	assert_int_equal(left_of(s, "a"), 0);
	time_now += 10 * MICROS;
	assert_int_equal(left_of(s, "a"), 10);
	store_close(&s);
	fixture_remove(dir);
	arena_free(&a);
}

/* Mostly on, by little; at times a step, either way. */
static int64_t
clock_step(struct random *r)
{
	static const int64_t steps[] = { 5, 60, 3600, 86400, 400 * 86400 };
	int64_t by = (int64_t)random_below(r, 3 * MICROS / 2);

	if (random_below(r, 8) == 0)
		by = steps[random_below(r, 5)] * MICROS;
	return random_below(r, 8) == 0 ? -by : by;
}

/*
 * A clock that is set back and forth, over restarts, too: what passes is a
 * burst and what its way forth wins back, and none waits longer than a burst
 * takes.
 */
static void
run_clock_steps(const char *spec, bool outlives)
{
	struct random r = random_start(7);
	struct store *s;
	int64_t won = 10 * MICROS; /* a token a second */
	uint64_t left;

	time_now = START;
	s = open_rates(spec, STORE_CHANGE);
	for (int i = 0; i < 5000; i++) {
		struct rate_bucket b = { .key = STR("a"), .rate = hourly,
			.burst = 10, .cost = 1 + random_below(&r, 10) };
		struct rate_request q = { .mode = RATE_CHARGE,
			.buckets = &b, .nbuckets = 1 };
		int64_t by = clock_step(&r);

		time_now += by;
		won = by > 0 ? won + by : won;
		if (won > 10 * MICROS)
			won = 10 * MICROS;
		store_rate_decide(s, &q, 1, FAR);
		if (q.answer == STORE_YES)
			won -= (int64_t)b.cost * MICROS;
		assert_true(won >= 0);
		assert_true(b.wait >= 0 && b.wait <= 10 * MICROS);
		left = left_of(s, "a");
		assert_true((int64_t)left * MICROS <= won);
		if (!outlives || random_below(&r, 100) > 0)
			continue;
		assert_int_equal(store_rate_save(s, FAR), STORE_YES);
		store_close(&s);
		s = open_rates(spec, STORE_CHANGE);
		assert_int_equal(left_of(s, "a"), left);
	}
	store_close(&s);
}

static void
test_clock_steps(void **state)
{
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);

	(void)state;
	run_clock_steps("memory:", false);
	run_clock_steps(arena_cstr(a, arena_printf(a, "sqlite:%s", dir)),
	    true);
	fixture_remove(dir);
	arena_free(&a);
}

static void
test_one_owner(void **state)
{
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);
	const char *spec = arena_cstr(a, arena_printf(a, "sqlite:%s", dir));
	struct store *s = open_rates(spec, STORE_CHANGE), *t;
	struct buf errors;
	char pid[32];

	(void)state;
	buf_init(&errors, 10000);
	assert_null(try_open(spec, STORE_CHANGE, &errors));
	snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
	assert_true(str_find(buf_view(&errors), str_from(pid), 0) <
	    errors.n);
	t = open_rates(spec, STORE_READ);
	store_close(&t);
	store_close(&s);
	s = open_rates(spec, STORE_CHANGE);
	store_close(&s);
	buf_free(&errors);
	fixture_remove(dir);
	arena_free(&a);
}

/* More than one slice, and buckets that are full are taken away again. */
static void
test_many(void **state)
{
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);
	const char *spec = arena_cstr(a, arena_printf(a, "sqlite:%s", dir));
	struct store *s, *reader;
	enum store_answer answer;
	char key[32];

	(void)state;
	time_now = START;
	s = open_rates(spec, STORE_CHANGE);
	for (int i = 0; i < 10000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		ask(s, RATE_CHARGE, "", str_from(key), i < 9000 ? 1 : 9, NULL);
	}
	/* with little time a slice at a time (or none: UNKNOWN) */
	answer = store_rate_save(s, store_deadline(49));
	assert_int_not_equal(answer, STORE_YES);
	reader = open_rates(spec, STORE_READ);
	assert_int_equal(used_of(reader, STR("")),
	    answer == STORE_NO ? 1024 : 0);
	assert_int_equal(store_rate_save(s, FAR), STORE_YES);
	assert_int_equal(used_of(reader, STR("")), 18000);
	/* the sweep finds them in its minute */
	time_now += MICROS;
	for (int i = 0; i < 200; i++)
		assert_int_equal(store_rate_save(s, FAR), STORE_YES);
	time_now -= MICROS;
	assert_int_equal(used_of(reader, STR("")), 9000);
	store_close(&reader);
	store_close(&s);
	fixture_remove(dir);
	arena_free(&a);
}

/* Decisions go on while nothing can be saved, and are saved afterwards. */
static void
test_failing_saves(void **state)
{
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);
	struct store *s, *reader;
	const char *spec;

	(void)state;
	time_now = START;
	spec = arena_cstr(a, arena_printf(a, "fail:fail@2-3,uncertain@4:"
	    "sqlite:%s", dir));
	s = open_rates(spec, STORE_CHANGE);
	assert_int_equal(ask(s, RATE_CHARGE, "q", STR("a"), 4, NULL),
	    STORE_YES);
	assert_int_equal(store_rate_save(s, FAR), STORE_UNKNOWN);
	assert_string_not_equal(store_error(s, STORE_RATES), "");
	assert_int_equal(ask(s, RATE_CHARGE, "r", STR("a"), 1, NULL),
	    STORE_YES);
	assert_int_equal(left_of(s, "a"), 5);
	for (int i = 0; i < 2; i++)
		assert_int_equal(store_rate_save(s, FAR), STORE_UNKNOWN);
	assert_int_equal(store_rate_save(s, FAR), STORE_YES);
	reader = open_rates(arena_cstr(a, arena_printf(a, "sqlite:%s", dir)),
	    STORE_READ);
	assert_int_equal(used_of(reader, STR("")), 5);
	store_close(&reader);
	store_close(&s);
	fixture_remove(dir);
	arena_free(&a);
}

/* Nothing is decided before what was saved is there. */
static void
test_failing_load(void **state)
{
	struct rate_bucket b = { .key = STR("a"), .rate = hourly, .burst = 10,
		.cost = 1, .wait = 7, .left = 7 };
	struct rate_request r = { .mode = RATE_CHARGE, .buckets = &b,
		.nbuckets = 1, .answer = STORE_YES };
	struct store *s;
	uint64_t n;

	(void)state;
	time_now = START;
	s = open_rates("fail:fail@1-3:memory:", STORE_CHANGE);
	store_rate_decide(s, &r, 1, FAR);
	assert_int_equal(r.answer, STORE_UNKNOWN);
	assert_int_equal(b.wait, 0);
	assert_int_equal(store_rate_walk(s, STR(""), sum_used, &n),
	    STORE_UNKNOWN);
	assert_int_equal(store_rate_reset(s, STR(""), &n, FAR),
	    STORE_UNKNOWN);
	store_rate_decide(s, &r, 1, FAR);
	assert_int_equal(r.answer, STORE_YES);
	/* late is late, even where it would be quick */
	store_rate_decide(s, &r, 1, store_deadline(0) - 1);
	assert_int_equal(r.answer, STORE_UNKNOWN);
	store_close(&s);
}

static void
test_not_opened(void **state)
{
	struct store *s = fixture_open("memory:", STORE_META, STORE_CHANGE, 1);
	uint64_t n;

	(void)state;
	assert_int_equal(ask(s, RATE_CHARGE, "", STR("a"), 1, NULL),
	    STORE_UNKNOWN);
	assert_int_equal(store_rate_walk(s, STR(""), sum_used, &n),
	    STORE_UNKNOWN);
	assert_int_equal(store_rate_save(s, FAR), STORE_YES);
	store_close(&s);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drivers),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_restart_in_the_past),
		cmocka_unit_test(test_clock_steps),
		cmocka_unit_test(test_one_owner),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_failing_saves),
		cmocka_unit_test(test_failing_load),
		cmocka_unit_test(test_not_opened),
	};

	return cmocka_run_group_tests_name("store_rate", tests, NULL, NULL);
}
