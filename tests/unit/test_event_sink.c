/*
 * test_event_sink.c - events on their way to a store that is there, is not, or
 * comes later: nothing waits for it, and nothing is made but files.
 */
#include "conf_load.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bulkhead/event_sink.h"
#include "store_fixture.h"

static void
load(struct loaded *l, void **state, const char *more, const char *dir)
{
	char text[512];

	snprintf(text, sizeof(text), "store = \"sqlite:/nowhere/at/all\"\n"
	    "events = \"sqlite:%s\"\n%s", dir, more);
	load_good(l, state, text);
}

static void
add(struct event_sink *sink, const char *recipient)
{
	struct clock clock = clock_system();
	struct event e = {
		.at = clock_micros(&clock),
		.kind = EVENT_HANDED,
		.domain = STR("example.com"),
		.recipient = str_from(recipient),
	};

	event_sink_add(sink, &e);
}

static bool
count(void *arg, const struct event *e, const struct event_cursor *at)
{
	struct buf *out = arg;

	(void)at;
	buf_printf(out, "%s%.*s", out->n > 0 ? " " : "",
	    STR_ARG(str_sub(e->recipient, 0, 5)));
	return true;
}

/* The first letters of all recipients. */
static void
expect_stored(const char *dir, const char *want)
{
	char place[256];
	struct event_cursor cursor = { .n = 0 };
	struct event_filter all = { .kinds = 0 };
	struct store_spec spec = { .kinds = STORE_EVENTS,
		.access = STORE_READ, .clock = clock_system() };
	struct buf out, errors;
	struct store *s;

	snprintf(place, sizeof(place), "sqlite:%s", dir);
	spec.store = str_from(place);
	buf_init(&out, 65536);
	buf_init(&errors, 65536);
	s = store_open(&spec, &errors);
	if (s == NULL)
		fail_msg("%.*s", STR_ARG(buf_view(&errors)));
	assert_int_equal(store_events_walk(s, &cursor, &all, count, &out),
	    STORE_YES);
	expect_str(dir, buf_view(&out), str_from(want));
	store_close(&s);
	buf_free(&errors);
	buf_free(&out);
}

static void
nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
}

static void
test_stores_them(void **state)
{
	struct event_sink sink = { .writer = NULL };
	struct metrics m = { .v = { 0 } };
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);
	struct loaded l;

	load(&l, state, "", dir);
	event_sink_start(&sink, l.s, &m);
	assert_false(atomic_load(&sink.is_down));
	add(&sink, "ann@reader.example");
	unload(&l);
	/* what they are called may change, not where they are */
	load(&l, state, "event-addresses = hash\n", "/nowhere");
	event_sink_use(&sink, l.s);
	add(&sink, "bob@reader.example");
	event_sink_tick(&sink);
	event_sink_stop(&sink, 30000);
	add(&sink, "too@late.example");
	assert_int_equal(metrics_get(&m, METRIC_EVENTS), 2);
	assert_int_equal(metrics_get(&m, METRIC_EVENTS_LOST), 1);
	expect_stored(dir, "ann@r hash:");
	unload(&l);
	fixture_remove(dir);
	arena_free(&a);
}

static void
test_directory_comes_later(void **state)
{
	struct event_sink sink = { .writer = NULL };
	struct metrics m = { .v = { 0 } };
	struct arena *a = arena_new();
	const char *parent = fixture_directory(a);
	char dir[256];
	struct loaded l;

	snprintf(dir, sizeof(dir), "%s/events", parent);
	load(&l, state, "", dir);
	event_sink_start(&sink, l.s, &m);
	assert_true(atomic_load(&sink.is_down));
	add(&sink, "ann@reader.example");
	for (int i = 0; i < 30; i++) {
		event_sink_tick(&sink);
		assert_true(atomic_load(&sink.is_down));
		assert_int_not_equal(access(dir, F_OK), 0);
		nap();
	}
	assert_int_equal(mkdir(dir, 0750), 0);
	for (int i = 0; i < 3000 && atomic_load(&sink.is_down); i++) {
		nap();
		event_sink_tick(&sink);
	}
	assert_false(atomic_load(&sink.is_down));
	event_sink_stop(&sink, 30000);
	expect_stored(dir, "ann@r");
	assert_int_equal(metrics_get(&m, METRIC_EVENTS_LOST), 0);
	unload(&l);
	fixture_remove(dir);
	rmdir(parent);
	arena_free(&a);
}

/* What waits for a store that does not come is lost, and counted. */
static void
test_lost_at_the_end(void **state)
{
	struct event_sink sink = { .writer = NULL };
	struct metrics m = { .v = { 0 } };
	struct loaded l;

	load(&l, state, "", "/nowhere/at/all");
	event_sink_start(&sink, l.s, &m);
	for (int i = 0; i < 5; i++)
		add(&sink, "ann@reader.example");
	event_sink_tick(&sink);
	event_sink_stop(&sink, 1);
	assert_int_equal(metrics_get(&m, METRIC_EVENTS), 5);
	assert_int_equal(metrics_get(&m, METRIC_EVENTS_LOST), 5);
	unload(&l);
}

static void
test_has_moved(void **state)
{
	static const struct {
		const char *old, *fresh;
		bool has_moved;
	} cases[] = {
		{ "store = \"sqlite:/a\"\n", "store = \"sqlite:/a\"\n", false },
		{ "store = \"sqlite:/a\"\n", "store = \"sqlite:/b\"\n", true },
		{ "store = \"sqlite:/a\"\n", "store = \"sqlite:/b\"\n"
		    "events = \"sqlite:/a\"\n", false },
		{ "store = \"sqlite:/a\"\n", "store = \"sqlite:/a\"\n"
		    "events = \"sqlite:/b\"\n", true },
		{ "events = \"sqlite:/b\"\n", "store = \"sqlite:/a\"\n"
		    "events = \"sqlite:/b\"\n", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct loaded old, fresh;

		load_good(&old, state, cases[i].old);
		load_good(&fresh, state, cases[i].fresh);
		assert_int_equal(event_sink_has_moved(old.s, fresh.s),
		    cases[i].has_moved);
		unload(&old);
		unload(&fresh);
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, conf_setup, conf_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_stores_them),
		TEST(test_directory_comes_later),
		TEST(test_lost_at_the_end),
		TEST(test_has_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
