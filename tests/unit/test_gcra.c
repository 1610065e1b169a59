/*
 * test_gcra.c - one bucket: exact numbers, and random ones against a plain
 * token bucket.
 */
#include "rate_random.h"

#include "store/gcra.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const struct rate hourly = { 3600, 3600 }; /* one a second */

/* Charges if it passes; what gcra_wait() said. */
static int64_t
take(struct gcra *g, struct rate rate, uint64_t burst, uint64_t cost,
    int64_t now)
{
	int64_t wait;

	gcra_settle(g, &rate, burst, now);
	wait = gcra_wait(g, burst, cost);
	if (wait == 0)
		gcra_charge(g, cost);
	return wait;
}

static void
test_waits(void **state)
{
	static const struct {
		const char *name;
		struct rate rate;
		uint64_t burst, used, cost;
		int64_t want;
	} cases[] = {
		{ "full", { 1, 1 }, 5, 0, 5, 0 },
		{ "over the burst", { 1, 1 }, 5, 0, 6, -1 },
		{ "over the burst of an empty one", { 1, 1 }, 5, 5, 6, -1 },
		{ "one missing", { 1, 1 }, 5, 5, 1, MICROS },
		{ "two missing", { 1, 1 }, 5, 4, 3, 2 * MICROS },
		{ "free", { 1, 1 }, 5, 5, 0, 0 },
		{ "20000/h", { 20000, 3600 }, 500, 500, 1, 180000 },
		{ "a third, rounded up", { 3, 1 }, 1, 1, 1, 333334 },
		{ "once a day", { 1, 86400 }, 1, 1, 1, 86400 * MICROS },
		{ "a million a second", { 1000000, 1 }, 9, 9, 1, 1 },
		{ "more than the clock can tell", { 1000000000000, 1 }, 9, 9,
		    1, 1 },
		{ "longer than time", { 1, 86400 }, UINT64_MAX, UINT64_MAX,
		    UINT64_MAX, INT64_MAX },
		{ "no burst is one", { 1, 1 }, 0, 0, 1, 0 },
		{ "no burst is not two", { 1, 1 }, 0, 0, 2, -1 },
		{ "no rate is one a second", { 0, 0 }, 1, 1, 1, MICROS },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct gcra g = { .at = START };
		int64_t got;

		assert_int_equal(take(&g, cases[i].rate, cases[i].burst,
		    cases[i].used, START), 0);
		got = take(&g, cases[i].rate, cases[i].burst, cases[i].cost,
		    START);
		if (got != cases[i].want)
			fail_msg("%s: %lld, want %lld", cases[i].name,
			    (long long)got, (long long)cases[i].want);
	}
}

static void
test_what_is_left(void **state)
{
	struct gcra g = { .at = START };

	(void)state;
	assert_int_equal(take(&g, hourly, 10, 4, START), 0);
	assert_int_equal(gcra_left(&g, 10), 6);
	assert_int_equal(gcra_used(&g), 4);
	assert_false(gcra_is_full(&g));
	assert_int_equal(gcra_full_at(&g), START + 4 * MICROS);
	gcra_settle(&g, &hourly, 10, START + 1500000);
	assert_int_equal(gcra_used(&g), 3); /* 2.5 */
	assert_int_equal(gcra_left(&g, 10), 7);
	assert_int_equal(gcra_full_at(&g), START + 4 * MICROS);
	gcra_undo(&g, 1);
	assert_int_equal(gcra_used(&g), 2);
	gcra_settle(&g, &hourly, 10, START + 3 * MICROS);
	assert_true(gcra_is_full(&g));
	assert_int_equal(gcra_full_at(&g), START + 3 * MICROS);
	gcra_undo(&g, 1);
	assert_true(gcra_is_full(&g));
}

/* Nothing is lost in rounding: three times a third is one. */
static void
test_fractions_add_up(void **state)
{
	static const struct rate thirds = { 3, 1 };
	struct gcra g = { .at = START };

	(void)state;
	assert_int_equal(take(&g, thirds, 3, 3, START), 0);
	for (int64_t i = 1; i <= 3000; i++) {
		int64_t due = (i * MICROS + 2) / 3;

		assert_int_equal(take(&g, thirds, 3, 1, START + due - 1), 1);
		assert_int_equal(take(&g, thirds, 3, 1, START + due), 0);
	}
}

static void
test_clock_set_back(void **state)
{
	struct gcra g = { .at = START };

	(void)state;
	assert_int_equal(take(&g, hourly, 10, 10, START), 0);
	/* a day back: nothing won, nothing lost, a second a token from there */
	gcra_settle(&g, &hourly, 10, START - 86400 * MICROS);
	assert_int_equal(gcra_used(&g), 10);
	assert_int_equal(gcra_wait(&g, 10, 1), MICROS);
	gcra_settle(&g, &hourly, 10, START - 86399 * MICROS);
	assert_int_equal(gcra_wait(&g, 10, 1), 0);
	/* and on again: full, never fuller */
	gcra_settle(&g, &hourly, 10, START);
	assert_int_equal(gcra_left(&g, 10), 10);
	/* to both ends of time */
	gcra_settle(&g, &hourly, 10, INT64_MIN);
	assert_int_equal(take(&g, hourly, 10, 10, INT64_MIN), 0);
	gcra_settle(&g, &hourly, 10, INT64_MAX);
	assert_true(gcra_is_full(&g));
	assert_int_equal(take(&g, hourly, 10, 10, INT64_MAX), 0);
	assert_int_equal(gcra_full_at(&g), INT64_MAX);
}

static void
test_changed_limit(void **state)
{
	static const struct rate daily = { 1000, 86400 };
	struct gcra g = { .at = START };

	(void)state;
	assert_int_equal(take(&g, hourly, 100, 60, START), 0);
	gcra_settle(&g, &hourly, 200, START);
	assert_int_equal(gcra_left(&g, 200), 140);
	gcra_settle(&g, &daily, 200, START);
	assert_int_equal(gcra_left(&g, 200), 140);
	gcra_settle(&g, &daily, 50, START);
	assert_int_equal(gcra_used(&g), 50);
	assert_int_equal(gcra_wait(&g, 50, 1), 86400000);
	gcra_settle(&g, &hourly, 50, START);
	assert_int_equal(gcra_used(&g), 50);
	/* what passed meanwhile counts by the slower of the two */
	gcra_settle(&g, &daily, 50, START + 10 * MICROS);
	assert_int_equal(gcra_used(&g), 50); /* 49.88 */
	gcra_settle(&g, &hourly, 50, START + 97 * MICROS);
	assert_int_equal(gcra_used(&g), 49); /* 48.88 */
}

/* A part of a token is never lost, and never more than it was plus a hair. */
static void
test_changed_period(void **state)
{
	static const struct rate minute = { 7, 60 }, second = { 7, 1 };
	struct gcra g = { .at = START };

	(void)state;
	assert_int_equal(take(&g, minute, 10, 10, START), 0);
	gcra_settle(&g, &minute, 10, START + 1);
	assert_int_equal(g.used, 9);
	assert_int_equal(g.part, 60 * MICROS - 7);
	gcra_settle(&g, &second, 10, START + 1);
	assert_int_equal(g.used, 10);
	assert_int_equal(g.part, 0);
	/* half a token of the one is half a token of the other */
	g = (struct gcra){ .at = START, .part = 30 * MICROS, .rate = minute };
	gcra_settle(&g, &second, 10, START);
	assert_int_equal(g.used, 0);
	assert_int_equal(g.part, MICROS / 2);
	gcra_settle(&g, &minute, 10, START);
	assert_int_equal(g.part, 30 * MICROS);
}

/* Saved as the time when it is full, and put back. */
static void
test_from_full_at(void **state)
{
	static const struct {
		const char *name;
		int64_t full_at;
		uint64_t burst, want;
	} cases[] = {
		{ "full", START, 10, 0 },
		{ "long ago", 0, 10, 0 },
		{ "before time", INT64_MIN, 10, 0 },
		{ "a second", START + MICROS, 10, 1 },
		{ "more than a second", START + MICROS + 1, 10, 2 },
		{ "all", START + 10 * MICROS, 10, 10 },
		{ "of a clock ahead", START + 11 * MICROS, 10, 10 },
		{ "the end of time", INT64_MAX, 10, 10 },
		{ "no burst", INT64_MAX, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct gcra g = gcra_from(cases[i].full_at, &hourly,
		    cases[i].burst, START);

		if (gcra_used(&g) != cases[i].want)
			fail_msg("%s: %llu used", cases[i].name,
			    (unsigned long long)gcra_used(&g));
	}
}

/* Putting back never gives more than there was, nor takes a token. */
static void
test_full_at_and_back(void **state)
{
	struct random r = random_start(7);

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct rate rate = random_rate(&r);
		uint64_t burst = random_log(&r, 20);
		struct gcra g = { .at = START }, h;
		int64_t now = START;

		take(&g, rate, burst, random_below(&r, burst + 1), now);
		now += random_span(&r, &rate, burst);
		h = gcra_from(gcra_full_at(&g), &rate, burst, now);
		gcra_settle(&g, &rate, burst, now);
		assert_true(gcra_used(&h) >= gcra_used(&g));
		assert_true(gcra_used(&h) <= gcra_used(&g) +
		    1 + rate.count / (rate.period * MICROS));
	}
}

/* The plain token bucket that the arithmetic must agree with. */
struct model {
	long double tokens;
	int64_t at;
};

static void
model_settle(struct model *m, const struct rate *rate, uint64_t burst,
    int64_t now)
{
	if (now > m->at)
		m->tokens += (long double)(now - m->at) * rate->count /
		    rate->period / MICROS;
	if (m->tokens > burst)
		m->tokens = burst;
	m->at = now;
}

/*
 * One random bucket for a while.  The model is in floating point: where it is
 * within a hair of the edge it has no say.
 */
static void
run_against_model(uint64_t salt)
{
	struct random r = random_start(salt);
	struct rate rate = random_rate(&r);
	uint64_t burst = random_log(&r, 40);
	struct gcra g = { .at = START };
	struct model m = { burst, START };
	long double hair = burst * 1e-12L + 1e-9L;
	int64_t now = START;

	for (int i = 0; i < 200; i++) {
		uint64_t cost = random_below(&r, 3) == 0 ?
		    random_below(&r, burst + 2) : random_log(&r, 10);
		int64_t wait;

		now += random_span(&r, &rate, cost + 1);
		if (random_below(&r, 20) == 0)
			now -= (int64_t)random_below(&r, 90000) * MICROS;
		model_settle(&m, &rate, burst, now);
		wait = take(&g, rate, burst, cost, now);
		if (cost > burst) {
			assert_int_equal(wait, -1);
			continue;
		}
		if (wait == 0 ? m.tokens < cost - hair :
		    m.tokens > cost + hair)
			fail_msg("salt %llu step %d: wait %lld, model has %Lf "
			    "of %llu", (unsigned long long)salt, i,
			    (long long)wait, m.tokens,
			    (unsigned long long)cost);
		if (wait == 0)
			m.tokens -= cost;
		assert_true(gcra_left(&g, burst) <= burst);
		if (wait <= 0)
			continue;
		/* it passes then, and not a microsecond earlier */
		if (wait < MICROS * 86400 * 365) {
			struct gcra early = g, due = g;

			assert_int_equal(take(&early, rate, burst, cost,
			    now + wait - 1), 1);
			assert_int_equal(take(&due, rate, burst, cost,
			    now + wait), 0);
		}
	}
}

static void
test_against_model(void **state)
{
	(void)state;
	for (uint64_t salt = 0; salt < 3000; salt++)
		run_against_model(salt);
}

/*
 * Whatever happens to rate and burst, what goes out in any stretch of time in
 * which they stay is at most rate x time + burst, and nobody waits longer than
 * an empty bucket needs.
 */
static void
run_changing_limits(uint64_t salt)
{
	struct random r = random_start(salt);
	struct gcra g = { .at = START };
	int64_t now = START;

	for (int change = 0; change < 20; change++) {
		struct rate rate = random_rate(&r);
		uint64_t burst = random_log(&r, 40);
		unsigned __int128 units = (unsigned __int128)rate.period *
		    MICROS, out = 0;
		int64_t from = now;

		for (int i = 0; i < 20; i++) {
			uint64_t cost = 1 + random_below(&r, burst);
			int64_t wait;

			now += random_span(&r, &rate, cost);
			wait = take(&g, rate, burst, cost, now);
			assert_true(g.part < rate.period * MICROS);
			assert_true(gcra_used(&g) <= burst);
			if (wait == 0)
				out += cost;
			else
				assert_true((unsigned __int128)wait *
				    rate.count < burst * units + rate.count);
		}
		assert_true(out * units <= burst * units +
		    (unsigned __int128)(now - from) * rate.count);
	}
}

static void
test_changing_limits(void **state)
{
	(void)state;
	for (uint64_t salt = 0; salt < 2000; salt++)
		run_changing_limits(salt);
}

/* Any bits at all: nothing overflows (the sanitizer looks on). */
static void
test_any_numbers(void **state)
{
	struct random r = random_start(99);

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct rate rate = { random_log(&r, 63) - 1,
			random_log(&r, 63) - 1 };
		uint64_t burst = random_log(&r, 63) - 1;
		struct gcra g = { (int64_t)(random_log(&r, 63) *
		    (random_below(&r, 2) ? 1 : -1)), random_log(&r, 63),
			random_below(&r, 1000000),
			{ random_log(&r, 63), random_log(&r, 24) } };
		uint64_t cost = random_log(&r, 63) - 1;
		int64_t wait, now = (int64_t)random_log(&r, 63);

		if (random_below(&r, 4) == 0)
			burst = UINT64_MAX - random_below(&r, 3);
		if (random_below(&r, 4) == 0)
			rate.count = UINT64_MAX;
		wait = take(&g, rate, burst, cost, now);
		assert_true(wait >= -1);
		assert_true(gcra_used(&g) <= (burst ? burst : 1));
		assert_true(gcra_full_at(&g) >= now);
		if (wait == 0)
			gcra_undo(&g, cost);
		gcra_settle(&g, &rate, burst, INT64_MAX);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_what_is_left),
		cmocka_unit_test(test_fractions_add_up),
		cmocka_unit_test(test_clock_set_back),
		cmocka_unit_test(test_changed_limit),
		cmocka_unit_test(test_changed_period),
		cmocka_unit_test(test_from_full_at),
		cmocka_unit_test(test_full_at_and_back),
		cmocka_unit_test(test_against_model),
		cmocka_unit_test(test_changing_limits),
		cmocka_unit_test(test_any_numbers),
	};

	return cmocka_run_group_tests_name("gcra", tests, NULL, NULL);
}
