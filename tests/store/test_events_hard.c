/*
 * test_events_hard.c - forgetting, seals, retention under a reader's feet,
 * damage and a full disk; the writer's queue of events.
 */
#include "tests/unit/events_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "store/writer.h"

static int64_t
noon(uint32_t day)
{
	return event_day_start(day) + NOON;
}

/* n events of that day, numbered from first on. */
static void
put_many(struct events_place *p, uint32_t day, uint64_t first, uint64_t n)
{
	struct store *s = events_open(p, STORE_CHANGE, noon(day));

	for (uint64_t i = 0; i < n; i++) {
		struct event e = events_make(p->a, first + i, noon(day));

		events_put(s, &e);
	}
	store_close(&s);
}

/* Pages that split, overflow and are filled anew; a reader looks on. */
static void
test_forget(void **state)
{
	struct events_place p = events_place_make();
	struct store *s = events_open(&p, STORE_CHANGE, noon(DAY_ONE));
	struct store *reader = events_open(&p, STORE_READ, noon(DAY_ONE));
	struct events_seen seen = { .a = p.a };
	struct event_cursor c = { .day = 0 };
	struct str recipient = STR("gone.person@x.example");
	uint64_t n = 0, again = 1;
	char *text = arena_bytes(p.a, EVENT_TEXT_MAX);

	(void)state;
	memset(text, 'x', EVENT_TEXT_MAX);
	for (uint64_t i = 0; i < 600; i++) {
		struct event e = events_make(p.a, i + 1, noon(DAY_ONE));

		if (i % 3 == 0) {
			e.recipient = recipient;
			e.visitor = STR("203.0.113.77 Secret/1.0");
			e.metadata = STR("{\"customer\": \"4711-secret\"}");
			e.detail = str_make(text, (size_t)(i * 7 %
			    EVENT_TEXT_MAX));
			if (i % 2 == 0)
				e.url = STR("https://x.example/?"
				    "m=Gone.Person%40x.example");
		}
		events_put(s, &e);
	}
	assert_int_equal(store_events_forget(s, recipient, true, &n, NULL,
	    NULL), STORE_YES);
	assert_int_equal(n, 200);
	assert_int_equal(store_events_forget(s, recipient, false, &n, NULL,
	    NULL), STORE_YES);
	assert_int_equal(n, 200);
	assert_int_equal(store_events_forget(s, recipient, false, &again, NULL,
	    NULL), STORE_YES);
	assert_int_equal(again, 0);
	events_read(reader, &c, NULL, &seen);
	assert_int_equal(seen.n, 600);
	for (size_t i = 0; i < seen.n; i++) {
		assert_true(seen.v[i].id == i + 1);
		assert_true(str_starts(seen.v[i].recipient, STR("hash:")) ==
		    (i % 3 == 0));
	}
	/* with the log and all; this process has no lock any more to lose */
	store_close(&reader);
	store_close(&s);
	assert_true(events_dir_has(&p, "reader@x.example"));
	assert_false(events_dir_has(&p, "gone.person"));
	assert_false(events_dir_has(&p, "Gone.Person"));
	assert_false(events_dir_has(&p, "203.0.113.77"));
	assert_false(events_dir_has(&p, "4711-secret"));
	events_place_free(&p);
}

static unsigned
purge(struct store *s, uint32_t before)
{
	unsigned n = 99;

	if (store_events_purge(s, before, &n, store_deadline(FIXTURE_MILLIS)) !=
	    STORE_YES)
		fail_msg("%s", store_error(s, STORE_EVENTS));
	return n;
}

static void
test_purge(void **state)
{
	struct events_place p = events_place_make();
	struct store *early, *s, *reader;
	struct events_seen seen = { .a = p.a, .max = 2 };
	struct event_cursor c = { .day = 0 };
	struct event e = events_make(p.a, 77, 1);
	int fd;

	(void)state;
	put_many(&p, DAY_ONE, 1, 3);
	early = events_open(&p, STORE_CHANGE, noon(DAY_ONE));
	e.id = 4;
	events_put(early, &e);
	put_many(&p, DAY_TWO, 5, 3);
	put_many(&p, DAY_THREE, 8, 3);
	reader = events_open(&p, STORE_READ, noon(DAY_THREE));
	events_read(reader, &c, NULL, &seen);
	s = events_open(&p, STORE_CHANGE, noon(DAY_THREE));
	assert_int_equal(purge(s, DAY_ONE), 0);
	assert_int_equal(purge(s, DAY_TWO), 1);
	assert_int_not_equal(access(events_path(&p, DAY_ONE, ""), F_OK), 0);
	assert_int_not_equal(access(events_path(&p, DAY_ONE, "-wal"), F_OK),
	    0);
	/* who was in the middle of it goes on with the next */
	seen.max = 0;
	events_read(reader, &c, NULL, &seen);
	assert_int_equal(seen.n, 8);
	assert_true(seen.v[2].id == 5 && seen.v[7].id == 10);
	/* and who wrote into it, too */
	events_put(early, &e);
	events_read(reader, &c, NULL, &seen);
	assert_int_equal(seen.n, 9);
	/* what has no file is swept; the newest and today's never */
	fd = open(events_path(&p, DAY_ONE, "-wal"), O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(purge(s, 99991231), 1);
	assert_int_not_equal(access(events_path(&p, DAY_ONE, "-wal"), F_OK),
	    0);
	assert_int_equal(access(events_path(&p, DAY_THREE, ""), F_OK), 0);
	store_close(&early);
	store_close(&s);
	store_close(&reader);
	events_place_free(&p);
}

static void
sql(struct events_place *p, uint32_t day, const char *text)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(events_path(p, day, ""), &db),
	    SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* A later file alone does not end a day: only its seal does. */
static void
test_seal(void **state)
{
	static const uint64_t want[] = { 1, 3, 2, 4 };
	struct events_place p = events_place_make();
	struct store *early = events_open(&p, STORE_CHANGE, noon(DAY_ONE));
	struct store *late = events_open(&p, STORE_CHANGE, noon(DAY_TWO));
	struct store *reader = events_open(&p, STORE_READ, 0);
	struct events_seen seen = { .a = p.a };
	struct event_cursor c = { .day = 0 };
	struct event e = events_make(p.a, 1, noon(DAY_ONE));

	(void)state;
	events_put(early, &e);
	e.id = 2;
	events_put(late, &e);
	store_close(&late);
	/* as if its writer had only made the next file yet */
	sql(&p, DAY_ONE, "DELETE FROM state WHERE name = 'sealed'");
	events_read(reader, &c, NULL, &seen);
	assert_int_equal(seen.n, 1);
	assert_int_equal(c.day, DAY_ONE);
	e.id = 3;
	events_put(early, &e);
	events_read(reader, &c, NULL, &seen);
	assert_int_equal(seen.n, 2);
	late = events_open(&p, STORE_CHANGE, noon(DAY_TWO));
	e.id = 4;
	events_put(late, &e);
	events_read(reader, &c, NULL, &seen);
	assert_int_equal(seen.n, 4);
	for (size_t i = 0; i < seen.n; i++)
		assert_true(seen.v[i].id == want[i]);
	store_close(&early);
	store_close(&late);
	store_close(&reader);
	events_place_free(&p);
}

static void
refuses_walk(struct events_place *p, const char *why)
{
	struct store *s = events_open(p, STORE_READ, 0);
	struct event_filter any = { .kinds = 0 };
	struct event_cursor c = { .day = 0 };

	assert_int_equal(store_events_walk(s, &c, &any, NULL, NULL),
	    STORE_UNKNOWN);
	if (strstr(store_error(s, STORE_EVENTS), why) == NULL ||
	    strstr(store_error(s, STORE_EVENTS), "events-20261123.db") == NULL)
		fail_msg("%s", store_error(s, STORE_EVENTS));
	store_close(&s);
}

static void
test_damage(void **state)
{
	struct events_place p = events_place_make();
	struct events_seen seen = { .a = p.a };
	struct event_cursor c = { .day = DAY_TWO };
	struct store *s;
	int fd;

	(void)state;
	put_many(&p, DAY_ONE, 1, 3);
	sql(&p, DAY_ONE, "PRAGMA user_version = 2");
	refuses_walk(&p, "schema 2 is newer than this program's 1");
	sql(&p, DAY_ONE, "PRAGMA user_version = 1; PRAGMA application_id = 7");
	refuses_walk(&p, "another program's database");
	fd = open(events_path(&p, DAY_ONE, ""), O_WRONLY);
	assert_int_equal(pwrite(fd, "XXXXXXXXXXXXXXXXXXXXXXXX", 24, 0), 24);
	close(fd);
	refuses_walk(&p, "damaged");
	/* it does not keep later days from being written and read */
	put_many(&p, DAY_TWO, 4, 2);
	s = events_open(&p, STORE_READ, 0);
	events_read(s, &c, NULL, &seen);
	assert_int_equal(seen.n, 2);
	store_close(&s);
	events_place_free(&p);
}

static void
nap(void)
{
	struct timespec t = { .tv_nsec = 5000000 };

	nanosleep(&t, NULL);
}

static void
test_full_disk(void **state)
{
	struct events_place p = events_place_make();
	struct rlimit small = { 200000, RLIM_INFINITY }, all;
	struct store *s = events_open(&p, STORE_CHANGE, noon(DAY_ONE));
	struct event e = events_make(p.a, 1, noon(DAY_ONE));
	struct events_seen seen = { .a = p.a };
	struct event_cursor c = { .day = 0 };
	uint64_t n = 0;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &all);
	setrlimit(RLIMIT_FSIZE, &small);
	while (n < 5000 && store_events_add(s, &e, 1, false,
	    store_deadline(FIXTURE_MILLIS)) == STORE_YES) {
		n++;
		e.id++;
	}
	setrlimit(RLIMIT_FSIZE, &all);
	assert_true(n > 0 && n < 5000);
	/* it is opened again after 0.1 s */
	while (store_events_add(s, &e, 1, false,
	    store_deadline(FIXTURE_MILLIS)) != STORE_YES)
		nap();
	events_read(s, &c, NULL, &seen);
	assert_int_equal(seen.n, n + 1);
	for (size_t i = 0; i < seen.n; i++)
		assert_true(seen.v[i].id == i + 1);
	store_close(&s);
	events_place_free(&p);
}

/* ---- the writer ---- */

#define WAIT_NANOS INT64_C(20000000000)

static struct writer *
start(const char *text, unsigned kinds)
{
	struct store_spec spec = { .store = str_from(text), .kinds = kinds,
		.access = STORE_CHANGE, .clock = clock_fixed(noon(DAY_ONE)) };
	struct writer *w;
	struct buf errors;

	buf_init(&errors, 65536);
	w = writer_start(&spec, 100, true, &errors);
	assert_non_null(w);
	buf_free(&errors);
	return w;
}

static void
wait_for(struct events_place *p, size_t n)
{
	struct store *s = events_open(p, STORE_READ, 0);
	struct events_seen seen = { .a = arena_new() };
	struct event_cursor c = { .day = 0 };
	int64_t end = clock_monotonic() + WAIT_NANOS;

	while (seen.n < n && clock_monotonic() < end) {
		events_read(s, &c, NULL, &seen);
		nap();
	}
	assert_int_equal(seen.n, n);
	for (size_t i = 0; i < n; i++)
		assert_true(seen.v[i].id == i + 1);
	arena_free(&seen.a);
	store_close(&s);
}

static void
test_writer(void **state)
{
	struct events_place p = events_place_make();
	struct writer *w = start(p.spec, STORE_SUPPRESS | STORE_EVENTS);

	(void)state;
	for (uint64_t i = 1; i <= 5000; i++) {
		struct event e = events_make(p.a, i, 1);

		assert_true(writer_event(w, &e, false));
	}
	wait_for(&p, 5000);
	/* what waits when it stops is written */
	for (uint64_t i = 5001; i <= 5100; i++) {
		struct event e = events_make(p.a, i, 1);

		assert_true(writer_event(w, &e, false));
	}
	assert_int_equal(writer_events_lost(w), 0);
	writer_stop(&w, 10000);
	wait_for(&p, 5100);
	events_place_free(&p);
}

/* Down: kept while there is room, then dropped and counted. */
static void
test_writer_down(void **state)
{
	struct events_place p = events_place_make();
	char *flag = arena_cstr(p.a, arena_printf(p.a, "%s/down", p.dir));
	char *spec = arena_cstr(p.a, arena_printf(p.a,
	    "fail:events.fail@while=%s:%s", flag, p.spec));
	struct arena *a = arena_new();
	uint64_t ntaken = 0;
	struct writer *w;
	int fd = open(flag, O_CREAT | O_WRONLY, 0600);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	w = start(spec, STORE_EVENTS);
	for (uint64_t i = 1; i <= 70000; i++) {
		struct event e = events_make(a, i, 1);

		if (writer_event(w, &e, false))
			ntaken = i;
		if (i % 1000 == 0)
			arena_reset(a);
	}
	arena_free(&a);
	/* the queue, and the batch that the thread has */
	assert_true(ntaken >= 65536 && ntaken <= 65536 + 2048);
	assert_int_equal(writer_events_lost(w), 70000 - ntaken);
	unlink(flag);
	wait_for(&p, ntaken);
	writer_stop(&w, 10000);
	events_place_free(&p);
}

static void
test_writer_lost_at_stop(void **state)
{
	struct events_place p = events_place_make();
	char *spec = arena_cstr(p.a, arena_printf(p.a, "fail:events.fail:%s",
	    p.spec));
	struct writer *w = start(spec, STORE_EVENTS);
	struct event e = events_make(p.a, 1, 1);

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_true(writer_event(w, &e, false));
	writer_stop(&w, 50);
	events_place_free(&p);
}

static void
note(void *arg, enum store_answer answer, const struct suppress_change *change)
{
	(void)change;
	atomic_store((atomic_int *)arg, 10 + (int)answer);
}

static enum store_answer
suppress(struct writer *w, unsigned millis)
{
	atomic_int answer = 0;
	struct suppress_change c = fixture_change(SUPPRESS_PUT,
	    fixture_entry("a@x.example", SUPPRESS_UNSUBSCRIBE, 1000, 0));

	assert_true(writer_suppress(w, &c, store_deadline(millis), note,
	    &answer));
	while (atomic_load(&answer) == 0)
		nap();
	return (enum store_answer)(atomic_load(&answer) - 10);
}

/* Events that cannot be written never keep a suppression waiting. */
static void
test_writer_beside(void **state)
{
	struct events_place p = events_place_make();
	char *spec = arena_cstr(p.a, arena_printf(p.a, "fail:events.late:%s",
	    p.spec));
	struct writer *w = start(spec, STORE_SUPPRESS | STORE_EVENTS);

	(void)state;
	for (uint64_t i = 1; i <= 3000; i++) {
		struct event e = events_make(p.a, i, 1);

		assert_true(writer_event(w, &e, false));
	}
	for (int i = 0; i < 20; i++)
		assert_int_equal(suppress(w, 5000), STORE_YES);
	writer_stop(&w, 100);
	events_place_free(&p);
}

/* It is known at once, and it is found out that it is over. */
static void
test_writer_is_down(void **state)
{
	struct events_place p = events_place_make();
	char *flag = arena_cstr(p.a, arena_printf(p.a, "%s/down", p.dir));
	char *spec = arena_cstr(p.a, arena_printf(p.a,
	    "fail:suppress.fail@while=%s:%s", flag, p.spec));
	struct writer *w = start(spec, STORE_SUPPRESS | STORE_EVENTS);
	int64_t end;
	int fd;

	(void)state;
	assert_int_equal(suppress(w, 5000), STORE_YES);
	assert_false(writer_is_down(w));
	fd = open(flag, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(suppress(w, 100), STORE_UNKNOWN);
	assert_true(writer_is_down(w));
	unlink(flag);
	end = clock_monotonic() + WAIT_NANOS;
	while (writer_is_down(w) && clock_monotonic() < end)
		nap();
	assert_false(writer_is_down(w));
	assert_int_equal(suppress(w, 5000), STORE_YES);
	writer_stop(&w, 1000);
	events_place_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_seal),
		cmocka_unit_test(test_purge),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_writer),
		cmocka_unit_test(test_writer_down),
		cmocka_unit_test(test_writer_lost_at_stop),
		cmocka_unit_test(test_writer_beside),
		cmocka_unit_test(test_writer_is_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
