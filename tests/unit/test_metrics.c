/*
 * test_metrics.c - counters: their names, their sums from several threads, how
 * they are written.
 */
#include "unit.h"

#include <pthread.h>

#include "bulkhead/metrics.h"

static void
test_names(void **state)
{
	(void)state;
	for (int i = 0; i < METRIC_COUNT; i++) {
		const char *name = metric_name((enum metric)i);

		if (name == NULL)
			fail_msg("metric %d has no name", i);
		assert_true(name[strspn(name,
		    "abcdefghijklmnopqrstuvwxyz_")] == '\0');
		for (int j = 0; j < i; j++)
			assert_string_not_equal(name,
			    metric_name((enum metric)j));
	}
}

static void
test_gauge(void **state)
{
	struct metrics m = { 0 };

	(void)state;
	assert_true(metric_is_gauge(METRIC_SESSIONS_OPEN));
	assert_false(metric_is_gauge(METRIC_SESSIONS));
	metrics_add(&m, METRIC_SESSIONS_OPEN, 3);
	metrics_subtract(&m, METRIC_SESSIONS_OPEN, 2);
	assert_int_equal(metrics_get(&m, METRIC_SESSIONS_OPEN), 1);
	metrics_subtract(&m, METRIC_SESSIONS_OPEN, 1);
	assert_int_equal(metrics_get(&m, METRIC_SESSIONS_OPEN), 0);
}

static void
test_nowhere(void **state)
{
	struct metrics m = { 0 };

	(void)state;
	metrics_add(NULL, METRIC_MESSAGES, 1);
	metrics_subtract(NULL, METRIC_MESSAGES, 1);
	metrics_add_stage(NULL, 0, 1, true);
	assert_int_equal(metrics_get(NULL, METRIC_MESSAGES), 0);
	metrics_add_stage(&m, METRICS_STAGES, 1, true);
	metrics_add_stage(&m, ~0u, 1, true);
	for (int i = 0; i < METRIC_COUNT; i++)
		assert_int_equal(metrics_get(&m, (enum metric)i), 0);
}

#define THREADS 4
#define ROUNDS	20000

static void *
count(void *arg)
{
	struct metrics *m = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		metrics_add(m, METRIC_MESSAGES, 1);
		metrics_add(m, METRIC_LINKS, 40);
		metrics_add_stage(m, 3, 2000, i % 10 == 0);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	pthread_t t[THREADS];
	struct metrics m = { 0 };

	(void)state;
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, count, &m), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(metrics_get(&m, METRIC_MESSAGES), THREADS * ROUNDS);
	assert_int_equal(metrics_get(&m, METRIC_LINKS), 40 * THREADS * ROUNDS);
	assert_int_equal(m.stages[3].runs, THREADS * ROUNDS);
	assert_int_equal(m.stages[3].nanos, 2000 * THREADS * ROUNDS);
	assert_int_equal(m.stages[3].stops, THREADS * ROUNDS / 10);
}

static const char *
place_name(unsigned place)
{
	static const char *const names[] = { "select", "admit" };

	return place < 2 ? names[place] : NULL;
}

static void
test_written(void **state)
{
	struct metrics m = { 0 };
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	metrics_write(&m, place_name, &out);
	expect_str("nothing", buf_view(&out), STR(""));
	metrics_add(&m, METRIC_SIGNED, 7);
	metrics_add(&m, METRIC_MESSAGES, 8);
	metrics_add_stage(&m, 1, 12500, false);
	metrics_add_stage(&m, 1, 2600, true);
	metrics_write(&m, place_name, &out);
	expect_str("some", buf_view(&out),
	    STR(" messages=8 signed=7 stage-admit=2/1/15"));
	buf_clear(&out);
	metrics_write(&m, NULL, &out);
	expect_str("no stages", buf_view(&out), STR(" messages=8 signed=7"));
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_gauge),
		cmocka_unit_test(test_nowhere),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
