/*
 * test_store_events.c - events: what is added comes back, in order, from where
 * a reader stopped, over days; filters, hashes, seeking.
 */
#include "events_fixture.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/events_private.h"

static int64_t
noon(uint32_t day)
{
	return event_day_start(day) + NOON;
}

static void
test_names(void **state)
{
	enum event_kind kind;
	enum event_verdict verdict;

	(void)state;
	for (int i = 1; i < EVENT_KINDS; i++) {
		assert_int_equal(event_kind_parse(str_from(event_kind_name(
		    (enum event_kind)i)), &kind), 0);
		assert_int_equal(kind, i);
	}
	for (int i = 0; i < EVENT_VERDICTS; i++) {
		assert_int_equal(event_verdict_parse(str_from(
		    event_verdict_name((enum event_verdict)i)), &verdict), 0);
		assert_int_equal(verdict, i);
	}
	assert_null(event_kind_name((enum event_kind)0));
	assert_null(event_kind_name(EVENT_KINDS));
	assert_null(event_verdict_name(EVENT_VERDICTS));
	assert_int_equal(event_kind_parse(STR(""), &kind), -1);
	assert_int_equal(event_kind_parse(STR("Handed"), &kind), -1);
	assert_int_equal(event_verdict_parse(STR("robot"), &verdict), -1);
}

static void
test_cursor_text(void **state)
{
	static const struct {
		const char *text;
		uint32_t day;
		uint64_t n;
	} good[] = {
		{ "20261123-4711", DAY_ONE, 4711 },
		{ "20261123-0", DAY_ONE, 0 },
		{ "00000000-0", 0, 0 },
		{ "99991231-9223372036854775807", 99991231, INT64_MAX },
	};
	static const char *const bad[] = { "", "-", "20261123", "20261123-",
		"2026112-1", "20261123-01", "20261123--1", "20261123-+1",
		"20261131-1", "20260229-1", "00000000-1", "20261123-1 ",
		"20261123-9223372036854775808", "2026-11-23", "x0261123-1",
		"20261300-1" };
	struct arena *a = arena_new();
	struct event_cursor c;
	char text[EVENT_CURSOR_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(event_cursor_parse(exact(a,
		    str_from(good[i].text)), &c), 0);
		assert_int_equal(c.day, good[i].day);
		assert_true(c.n == good[i].n);
		event_cursor_format(&c, text);
		assert_string_equal(text, good[i].text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (event_cursor_parse(exact(a, str_from(bad[i])), &c) == 0)
			fail_msg("\"%s\" is no cursor", bad[i]);
	arena_free(&a);
}

/* Against the C library's calendar, a day at a time for 8,000 years. */
static void
test_days(void **state)
{
	uint32_t day = 19700101;

	(void)state;
	for (int64_t t = 0; day < 99991231; t += 86400) {
		struct tm tm;
		time_t time = (time_t)t;

		gmtime_r(&time, &tm);
		assert_int_equal(day, (tm.tm_year + 1900) * 10000 +
		    (tm.tm_mon + 1) * 100 + tm.tm_mday);
		assert_true(event_day_start(day) == t * 1000000);
		assert_int_equal(event_day(t * 1000000), day);
		assert_int_equal(event_day((t + 86400) * 1000000 - 1), day);
		assert_true(event_day_is_well(day));
		day = event_day_next(day);
	}
	assert_int_equal(event_day(INT64_MAX), 99991231);
	assert_int_equal(event_day(-1), 19700101);
	assert_false(event_day_is_well(20260230));
	assert_false(event_day_is_well(0));
}

static struct event
full_event(void)
{
	return (struct event){ .id = UINT64_C(0xfedcba9876543210),
		.at = noon(DAY_ONE) + 5, .kind = EVENT_HANDED,
		.verdict = EVENT_SCANNER, .was = EVENT_HUMAN,
		.rule = STR("burst"), .domain = STR("example.com"),
		.stream = UINT32_MAX, .campaign = STR("w\xc3\xa4rm"),
		.list = STR("l.example"), .recipient = STR("r@x.example"),
		.hours = 494000, .url = STR("https://x.example/?a=b"),
		.instance = STR("a"), .queue_id = STR("4Yz"),
		.message_id = STR("<1@x>"), .detail = STR("d"),
		.metadata = STR("{\"a\": 1}"), .visitor = STR("192.0.2.1 M") };
}

static bool
compare_full(void *arg, const struct event *e, const struct event_cursor *at)
{
	struct event want = full_event(), got = *e;
	struct str *w[EVENT_TEXTS], *g[EVENT_TEXTS];

	assert_int_equal(at->day, DAY_ONE);
	assert_int_equal(at->n, 1);
	assert_true(e->id == want.id && e->at == want.at);
	assert_int_equal(e->kind, want.kind);
	assert_int_equal(e->verdict, want.verdict);
	assert_int_equal(e->was, want.was);
	assert_true(e->stream == want.stream && e->hours == want.hours);
	event_texts(&want, w);
	event_texts(&got, g);
	for (size_t i = 0; i < EVENT_TEXTS; i++)
		expect_str("text", *g[i], *w[i]);
	*(int *)arg += 1;
	return true;
}

static void
test_roundtrip(void **state)
{
	struct events_place p = events_place_make();
	struct store *s = events_open(&p, STORE_CHANGE, noon(DAY_ONE));
	struct event e = full_event();
	struct event_cursor c = { .day = 0 };
	struct event_filter any = { .kinds = 0 };
	int n = 0;
	struct stat st;

	(void)state;
	events_put(s, &e);
	assert_int_equal(store_events_walk(s, &c, &any, compare_full, &n),
	    STORE_YES);
	assert_int_equal(n, 1);
	assert_int_equal(c.day, DAY_ONE);
	assert_int_equal(c.n, 1);
	assert_int_equal(stat(events_path(&p, DAY_ONE, ""), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	store_close(&s);
	events_place_free(&p);
}

static void
test_limits(void **state)
{
	struct events_place p = events_place_make();
	struct store *s = events_open(&p, STORE_CHANGE, noon(DAY_ONE));
	struct events_seen seen = { .a = p.a };
	struct event_cursor c = { .day = 0 };
	struct event v[3] = { events_make(p.a, 0, 1), events_make(p.a, 0, 2),
		events_make(p.a, 0, 3) };
	char *text = arena_bytes(p.a, 8192);

	(void)state;
	memset(text, 'x', 8192);
	memcpy(text + EVENT_TEXT_MAX - 1, "\xc3\xa4", 2);
	v[0].detail = str_make(text, 8192);
	v[0].metadata = str_make(text, EVENT_TEXT_MAX + 1);
	v[0].url = str_make(text, 8192);
	v[1].metadata = str_make(text, EVENT_TEXT_MAX - 1);
	v[1].url = STR("");
	assert_int_equal(store_events_add(s, v, 3, false,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	events_read(s, &c, NULL, &seen);
	assert_int_equal(seen.n, 3);
	assert_int_equal(seen.v[0].detail.n, EVENT_TEXT_MAX - 1);
	assert_int_equal(seen.v[0].metadata.n, 0);
	assert_int_equal(seen.v[0].url.n, EVENT_URL_MAX);
	assert_int_equal(seen.v[1].metadata.n, EVENT_TEXT_MAX - 1);
	assert_true(seen.v[0].id != 0 && seen.v[0].id != seen.v[1].id);
	/* one that is none: nothing is added */
	v[2].kind = EVENT_KINDS;
	assert_int_equal(store_events_add(s, v, 3, false,
	    store_deadline(FIXTURE_MILLIS)), STORE_NO);
	assert_non_null(strstr(store_error(s, STORE_EVENTS), "event 3 of 3"));
	events_read(s, &c, NULL, &seen);
	assert_int_equal(seen.n, 3);
	store_close(&s);
	events_place_free(&p);
}

/* Handles with clocks of their own over a midnight; one clock goes back. */
static void
test_midnight(void **state)
{
	struct events_place p = events_place_make();
	struct store *early = events_open(&p, STORE_CHANGE, noon(DAY_ONE));
	struct store *late = events_open(&p, STORE_CHANGE, noon(DAY_THREE));
	struct store *reader = events_open(&p, STORE_READ, 0);
	struct events_seen seen = { .a = p.a };
	struct event_cursor c = { .day = 0 };
	struct event e = events_make(p.a, 1, noon(DAY_ONE));

	(void)state;
	events_put(early, &e);
	events_read(reader, &c, NULL, &seen);
	assert_int_equal(c.day, DAY_ONE);
	e.id = 2;
	events_put(late, &e);
	e.id = 3;
	events_put(early, &e); /* its own day's file is sealed */
	events_read(reader, &c, NULL, &seen);
	assert_int_equal(seen.n, 3);
	assert_int_equal(c.day, DAY_THREE);
	assert_int_equal(c.n, 2);
	assert_int_not_equal(access(events_path(&p, DAY_TWO, ""), F_OK), 0);
	store_close(&early);
	store_close(&late);
	/* a restart with a clock that is behind */
	early = events_open(&p, STORE_CHANGE, noon(DAY_ONE));
	e.id = 4;
	events_put(early, &e);
	events_read(reader, &c, NULL, &seen);
	assert_int_equal(seen.n, 4);
	for (size_t i = 0; i < seen.n; i++)
		assert_true(seen.v[i].id == i + 1);
	store_close(&early);
	store_close(&reader);
	events_place_free(&p);
}

/* A reader who stops after each event sees each once, as does any other. */
static void
test_resume(void **state)
{
	struct events_place p = events_place_make();
	struct store *s = NULL;
	struct events_seen seen = { .a = p.a, .max = 1 };
	struct event_cursor c = { .day = 0 };
	uint64_t id = 0;

	(void)state;
	for (uint32_t day = DAY_ONE; day <= DAY_THREE; day++) {
		s = events_open(&p, STORE_CHANGE, noon(day));
		for (int i = 0; i < 5; i++) {
			struct event e = events_make(p.a, ++id, noon(day));

			events_put(s, &e);
		}
		if (day < DAY_THREE)
			store_close(&s);
	}
	for (size_t i = 1; i <= 15; i++) {
		char text[EVENT_CURSOR_TEXT];

		seen.max = i;
		events_read(s, &c, NULL, &seen);
		assert_int_equal(seen.n, i);
		assert_true(seen.v[i - 1].id == i);
		assert_memory_equal(&c, &seen.at[i - 1], sizeof(c));
		event_cursor_format(&c, text);
		assert_int_equal(event_cursor_parse(str_from(text), &c), 0);
	}
	seen.max = 0;
	events_read(s, &c, NULL, &seen);
	assert_int_equal(seen.n, 15);
	store_close(&s);
	events_place_free(&p);
}

static size_t
count_with(struct store *s, struct arena *a, const struct event_filter *f)
{
	struct events_seen seen = { .a = a };
	struct event_cursor c = { .day = 0 };

	events_read(s, &c, f, &seen);
	return seen.n;
}

static void
test_filters(void **state)
{
	struct events_place p = events_place_make();
	struct store *s = events_open(&p, STORE_CHANGE, noon(DAY_ONE));
	struct event v[4];
	struct event_filter f = { .kinds = 1u << EVENT_CLICKED };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		v[i] = events_make(p.a, i + 1, noon(DAY_ONE) + (int64_t)i);
	v[1].kind = EVENT_OPENED;
	v[1].stream = 0;
	v[2].domain = STR("other.example");
	v[3].campaign = STR("");
	v[3].recipient = STR("else@x.example");
	assert_int_equal(store_events_add(s, v, 3, false,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	assert_int_equal(store_events_add(s, v + 3, 1, true,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	assert_int_equal(count_with(s, p.a, &f), 3);
	f.kinds |= 1u << EVENT_OPENED;
	assert_int_equal(count_with(s, p.a, &f), 4);
	f = (struct event_filter){ .domain = STR("other.example") };
	assert_int_equal(count_with(s, p.a, &f), 1);
	f = (struct event_filter){ .has_stream = true };
	assert_int_equal(count_with(s, p.a, &f), 1);
	f = (struct event_filter){ .campaign = STR("winter") };
	assert_int_equal(count_with(s, p.a, &f), 3);
	f = (struct event_filter){ .recipient = STR("else@x.example") };
	assert_int_equal(count_with(s, p.a, &f), 1);
	f = (struct event_filter){ .recipient = STR("none@x.example") };
	assert_int_equal(count_with(s, p.a, &f), 0);
	f = (struct event_filter){ .until = noon(DAY_ONE) + 2 };
	assert_int_equal(count_with(s, p.a, &f), 2);
	store_close(&s);
	events_place_free(&p);
}

static void
test_hash(void **state)
{
	struct events_place p = events_place_make();
	struct store *r = events_open(&p, STORE_READ, noon(DAY_ONE));
	struct store *s = events_open(&p, STORE_CHANGE, noon(DAY_ONE));
	struct store *t = events_open(&p, STORE_CHANGE, noon(DAY_ONE));
	struct events_seen seen = { .a = p.a };
	struct event_cursor c = { .day = 0 };
	struct event e = events_make(p.a, 1, 1);
	struct str h1, h2, h3;
	char *key = arena_cstr(p.a, arena_printf(p.a, "%s/events.key", p.dir));
	struct stat st;

	(void)state;
	/* who only looks makes no key */
	assert_int_equal(store_events_hash(r, p.a, STR("a@x.example"), &h1,
	    store_deadline(FIXTURE_MILLIS)), STORE_NO);
	assert_int_equal(store_events_add(s, &e, 1, true,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	events_read(r, &c, NULL, &seen);
	assert_int_equal(store_events_hash(t, p.a, e.recipient, &h1,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	assert_int_equal(store_events_hash(r, p.a, e.recipient, &h2,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	assert_int_equal(store_events_hash(t, p.a, h1, &h3,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	expect_str("stored", seen.v[0].recipient, h1);
	expect_str("another handle", h2, h1);
	expect_str("of a hash", h3, h1);
	assert_int_equal(h1.n, EVENT_HASH_TEXT);
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_size, 32);
	assert_int_equal(st.st_mode & 0777, 0660);
	store_close(&r);
	store_close(&s);
	store_close(&t);
	/* a key that was cut off is no other key */
	assert_int_equal(truncate(key, 31), 0);
	s = events_open(&p, STORE_CHANGE, noon(DAY_ONE));
	assert_int_equal(store_events_add(s, &e, 1, true,
	    store_deadline(FIXTURE_MILLIS)), STORE_UNKNOWN);
	assert_non_null(strstr(store_error(s, STORE_EVENTS), "31 octets"));
	store_close(&s);
	events_place_free(&p);
}

static struct event_cursor
seek(struct store *s, int64_t at)
{
	struct event_cursor c;

	assert_int_equal(store_events_seek(s, at, &c,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	return c;
}

static void
test_seek(void **state)
{
	struct events_place p = events_place_make();
	struct store *s = NULL;
	struct event_cursor c;
	uint64_t id = 0;
	uint32_t day;

	(void)state;
	s = events_open(&p, STORE_READ, 0);
	assert_int_equal(store_events_oldest(s, &day,
	    store_deadline(FIXTURE_MILLIS)), STORE_NO);
	c = seek(s, 5);
	assert_true(c.day == 0 && c.n == 0);
	store_close(&s);
	for (day = DAY_ONE; day <= DAY_THREE; day++) {
		s = events_open(&p, STORE_CHANGE, noon(day));
		for (int i = 0; i < 5; i++) {
			struct event e = events_make(p.a, ++id, noon(day) + i);

			events_put(s, &e);
		}
		store_close(&s);
	}
	s = events_open(&p, STORE_READ, noon(DAY_THREE));
	assert_int_equal(store_events_oldest(s, &day,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	assert_int_equal(day, DAY_ONE);
	c = seek(s, 0);
	assert_true(c.day == DAY_ONE && c.n == 0);
	c = seek(s, noon(DAY_ONE) + 3);
	assert_true(c.day == DAY_ONE && c.n == 3);
	c = seek(s, noon(DAY_ONE) + 5);
	assert_true(c.day == DAY_TWO && c.n == 0);
	c = seek(s, noon(DAY_THREE) + 4);
	assert_true(c.day == DAY_THREE && c.n == 4);
	c = seek(s, noon(DAY_THREE) + 5);
	assert_true(c.day == DAY_THREE && c.n == 5);
	c = seek(s, INT64_MAX);
	assert_true(c.day == DAY_THREE && c.n == 5);
	store_close(&s);
	events_place_free(&p);
}

static void
test_other_drivers(void **state)
{
	struct events_place p = events_place_make();
	struct event e = events_make(p.a, 1, 1);
	const char *errors;
	char *spec = arena_cstr(p.a, arena_printf(p.a,
	    "fail:events.fail@2:%s", p.spec));
	struct store *s = fixture_open(spec, STORE_EVENTS, STORE_CHANGE, 1);

	(void)state;
	events_put(s, &e);
	assert_int_equal(store_events_add(s, &e, 1, false,
	    store_deadline(FIXTURE_MILLIS)), STORE_UNKNOWN);
	events_put(s, &e);
	store_close(&s);
	assert_null(fixture_try(p.a, "memory:", STORE_EVENTS, STORE_CHANGE, 1,
	    &errors));
	assert_non_null(strstr(errors, "events cannot be kept there"));
	events_place_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_cursor_text),
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_roundtrip),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_midnight),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_seek),
		cmocka_unit_test(test_other_drivers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
