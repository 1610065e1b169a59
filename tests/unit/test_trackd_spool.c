/*
 * test_trackd_spool.c - unsubscriptions that wait on disk: records, files torn
 * and damaged, order, two processes; and wishes while the store comes and
 * goes.
 */
#include "store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "trackd/durable.h"
#include "trackd/wish_record.h"
#include "trackd/wish_spool.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))
#define BOTH	 (STORE_SUPPRESS | STORE_META)

static struct suppress_entry
entry_of(const char *address)
{
	struct suppress_entry e =
	    fixture_entry(address, SUPPRESS_UNSUBSCRIBE, 1795000000, 0);

	e.scope = (struct suppress_scope){ STR("example.com"), 4711,
		STR("l.example") };
	return e;
}

static void
expect_entry(const struct suppress_entry *got,
    const struct suppress_entry *want)
{
	expect_str("address", got->address, want->address);
	expect_str("domain", got->scope.domain, want->scope.domain);
	expect_str("list", got->scope.list, want->scope.list);
	expect_str("source", got->source, want->source);
	expect_str("evidence", got->evidence, want->evidence);
	assert_int_equal(got->scope.stream, want->scope.stream);
	assert_int_equal(got->reason, want->reason);
	assert_int_equal(got->created, want->created);
	assert_int_equal(got->expires, want->expires);
}

static struct str
line_of(struct arena *a, const struct suppress_entry *e)
{
	struct buf b;
	struct str out;

	buf_init(&b, WISH_RECORD_MAX);
	assert_int_equal(wish_record_write(e, &b), 0);
	out = exact(a, str_sub(buf_view(&b), 0, b.n - 1));
	buf_free(&b);
	return out;
}

static void
records_round_trip(void **state)
{
	struct arena *a = arena_new();
	struct suppress_entry e = entry_of("a\tb\\c\n\x01\x7f\xff@x.example"),
	    got;

	(void)state;
	e.expires = INT64_MAX;
	e.evidence = STR("");
	assert_int_equal(wish_record_read(a, line_of(a, &e), &got), 0);
	expect_entry(&got, &e);
	arena_free(&a);
}

/* Any octet changed or cut off. */
static void
damage_is_seen(void **state)
{
	struct arena *a = arena_new();
	struct suppress_entry e = entry_of("jane@example.net"), got;
	struct str line = line_of(a, &e);

	(void)state;
	for (size_t i = 0; i < line.n; i++) {
		char *p = arena_bytes(a, line.n);

		assert_int_equal(
		    wish_record_read(a, exact(a, str_sub(line, 0, i)), &got),
		    -1);
		memcpy(p, line.p, line.n);
		p[i] = (char)(p[i] ^ 1);
		assert_int_equal(wish_record_read(a,
		    exact(a, str_make(p, line.n)), &got), -1);
	}
	arena_free(&a);
}

static void
write_some(struct wish_spool *s, unsigned from, unsigned to)
{
	char address[64];

	for (unsigned i = from; i < to; i++) {
		struct suppress_entry e;
		const struct suppress_entry *v[] = { &e };

		snprintf(address, sizeof(address), "u%u@x.example", i);
		e = entry_of(address);
		assert_int_equal(wish_spool_write(s, v, 1), 0);
	}
}

/* Reads and settles all there is: these addresses, in this order. */
static void
expect_order(struct wish_spool *s, size_t max, unsigned from, unsigned to)
{
	struct suppress_entry v[64];
	unsigned next = from;
	size_t n;

	for (;;) {
		struct arena *a = arena_new();

		n = wish_spool_next(s, a, v, max);
		for (size_t i = 0; i < n; i++, next++)
			expect_str("order", v[i].address, arena_printf(a,
			    "u%u@x.example", next));
		arena_free(&a);
		if (n == 0)
			break;
		wish_spool_done(s);
	}
	assert_int_equal(next, to);
}

/* The only file whose name ends so, with its path; NULL: none. */
static const char *
find_file(struct arena *a, const char *dir, const char *suffix)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	const char *found = NULL;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		if (str_iends(str_from(e->d_name), str_from(suffix)))
			found = arena_cstr(a, arena_printf(a, "%s/%s", dir,
			    e->d_name));
	closedir(d);
	return found;
}

static void
order_is_kept(void **state)
{
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);
	struct wish_spool *s = wish_spool_open(str_from(dir));

	(void)state;
	write_some(s, 0, 10);
	assert_int_equal(wish_spool_waiting(s), 10);
	wish_spool_close(&s);
	/* another life: two files now */
	s = wish_spool_open(str_from(dir));
	assert_int_equal(wish_spool_waiting(s), 10);
	write_some(s, 10, 25);
	assert_int_equal(wish_spool_waiting(s), 25);
	expect_order(s, 7, 0, 25);
	assert_int_equal(wish_spool_waiting(s), 0);
	assert_null(find_file(a, dir, ".wishes"));
	/* and it goes on */
	write_some(s, 25, 26);
	expect_order(s, 7, 25, 26);
	wish_spool_close(&s);
	fixture_remove(dir);
	arena_free(&a);
}

/* What is not settled comes again, in this life and the next. */
static void
replay_repeats(void **state)
{
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);
	struct wish_spool *s = wish_spool_open(str_from(dir));
	struct suppress_entry v[64];

	(void)state;
	write_some(s, 0, 5);
	assert_int_equal(wish_spool_next(s, a, v, 3), 3);
	assert_int_equal(wish_spool_next(s, a, v, 3), 3);
	expect_str("again", v[0].address, STR("u0@x.example"));
	wish_spool_done(s);
	assert_int_equal(wish_spool_waiting(s), 5);
	wish_spool_close(&s);
	s = wish_spool_open(str_from(dir));
	expect_order(s, 64, 0, 5);
	wish_spool_close(&s);
	fixture_remove(dir);
	arena_free(&a);
}

static void
change_file(const char *path, const char *more, size_t n, off_t at)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, more, n,
	    at < 0 ? lseek(fd, 0, SEEK_END) : at), n);
	close(fd);
}

static void
torn_lines_are_ignored(void **state)
{
	static const struct {
		const char *tail;
		size_t n;
	} tails[] = { { "1\tput\tx@y.exa", 13 }, { "\0\0\0\0", 4 } };
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(tails); i++) {
		const char *dir = fixture_directory(a);
		struct wish_spool *s = wish_spool_open(str_from(dir));

		write_some(s, 0, 4);
		wish_spool_close(&s);
		change_file(find_file(a, dir, ".wishes"), tails[i].tail,
		    tails[i].n, -1);
		s = wish_spool_open(str_from(dir));
		assert_int_equal(wish_spool_waiting(s), 4);
		expect_order(s, 64, 0, 4);
		assert_null(find_file(a, dir, ".wishes"));
		assert_null(find_file(a, dir, ".damaged"));
		wish_spool_close(&s);
		fixture_remove(dir);
	}
	arena_free(&a);
}

static void
damaged_files_are_kept(void **state)
{
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);
	struct wish_spool *s = wish_spool_open(str_from(dir));
	struct suppress_entry v[64];
	struct str before, after;
	const char *path;

	(void)state;
	write_some(s, 0, 4);
	wish_spool_close(&s);
	path = find_file(a, dir, ".wishes");
	assert_int_equal(file_read(a, path, 65536, &before), 0);
	change_file(path, "X", 1, (off_t)str_chr(before, '\n', 0) + 10);
	s = wish_spool_open(str_from(dir));
	/* the three that can be read */
	assert_int_equal(wish_spool_next(s, a, v, 64), 3);
	expect_str("first", v[0].address, STR("u0@x.example"));
	expect_str("third", v[1].address, STR("u2@x.example"));
	wish_spool_done(s);
	assert_int_equal(wish_spool_next(s, a, v, 64), 0);
	assert_int_equal(wish_spool_waiting(s), 0);
	assert_null(find_file(a, dir, ".wishes"));
	path = find_file(a, dir, ".wishes.damaged");
	assert_non_null(path);
	assert_int_equal(file_read(a, path, 65536, &after), 0);
	assert_int_equal(after.n, before.n);
	wish_spool_close(&s);
	/* and is not read again */
	s = wish_spool_open(str_from(dir));
	assert_int_equal(wish_spool_waiting(s), 0);
	wish_spool_close(&s);
	fixture_remove(dir);
	arena_free(&a);
}

/* 100 KB without a line end. */
static void
garbage_ends(void **state)
{
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);
	char *garbage = calloc(1, 100000);
	struct suppress_entry v[64];
	struct wish_spool *s;

	(void)state;
	assert_int_equal(file_create(arena_cstr(a,
	    arena_printf(a, "%s/0.wishes", dir)), 0600,
	    str_make(garbage, 100000)), 0);
	s = wish_spool_open(str_from(dir));
	assert_int_equal(wish_spool_next(s, a, v, 64), 0);
	assert_non_null(find_file(a, dir, ".damaged"));
	wish_spool_close(&s);
	free(garbage);
	fixture_remove(dir);
	arena_free(&a);
}

/* The second one writes, the first one reads; it never takes what is open. */
static void
two_share_a_directory(void **state)
{
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);
	struct wish_spool *first = wish_spool_open(str_from(dir));
	struct wish_spool *second = wish_spool_open(str_from(dir));

	(void)state;
	write_some(second, 0, 3);
	expect_order(second, 64, 0, 0);
	wish_spool_look(first, true);
	expect_order(first, 64, 0, 0);
	/* the second one's file is its own while the store is down */
	wish_spool_look(second, false);
	wish_spool_look(first, true);
	assert_int_equal(wish_spool_waiting(first), 0);
	assert_int_equal(wish_spool_waiting(second), 3);
	wish_spool_look(second, true);
	assert_int_equal(wish_spool_waiting(second), 0);
	wish_spool_look(first, true);
	expect_order(first, 64, 0, 3);
	/* the first one ends: the second one reads */
	write_some(first, 3, 5);
	wish_spool_close(&first);
	wish_spool_look(second, true);
	expect_order(second, 64, 3, 5);
	wish_spool_close(&second);
	fixture_remove(dir);
	arena_free(&a);
}

/* Moved away, what would be written there is refused; back, all is read. */
static void
directory_goes_and_comes(void **state)
{
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);
	const char *away = arena_cstr(a, arena_printf(a, "%s-away", dir));
	struct wish_spool *s = wish_spool_open(str_from(dir));
	struct suppress_entry e = entry_of("lost@x.example"), v[64];
	const struct suppress_entry *one[] = { &e };

	(void)state;
	write_some(s, 0, 2);
	assert_int_equal(rename(dir, away), 0);
	assert_int_equal(wish_spool_write(s, one, 1), -1);
	assert_int_equal(wish_spool_next(s, a, v, 64), 0);
	assert_int_equal(wish_spool_waiting(s), 2);
	assert_int_equal(rename(away, dir), 0);
	write_some(s, 2, 4);
	expect_order(s, 64, 0, 4);
	wish_spool_close(&s);
	fixture_remove(dir);
	arena_free(&a);
}

/* A writer and a durable over a store that fails while a file is there. */
struct works {
	struct arena *a;
	const char *store, *spool, *fails;
	struct metrics metrics;
	struct writer *writer;
	struct durable *durable;
	atomic_uint nanswered;
	pthread_t caller;
};

static void
works_start(struct works *w)
{
	struct arena *a = w->a;
	struct store_spec spec = {
		.store = arena_printf(a, "fail:suppress.fail@while=%s:"
		    "sqlite:%s", w->fails, w->store),
		.kinds = BOTH, .access = STORE_CHANGE,
		.clock = clock_system(),
	};
	struct buf errors;

	buf_init(&errors, 65536);
	w->writer = writer_start(&spec, 1024, true, &errors);
	assert_non_null(w->writer);
	buf_free(&errors);
	w->durable = durable_start(w->writer, str_from(w->spool),
	    &w->metrics);
	assert_non_null(w->durable);
	w->caller = pthread_self();
}

static void
works_open(struct works *w)
{
	*w = (struct works){ .a = arena_new() };
	w->store = fixture_directory(w->a);
	w->spool = fixture_directory(w->a);
	w->fails = arena_cstr(w->a, arena_printf(w->a, "%s/fails", w->store));
	works_start(w);
}

static void
works_stop(struct works *w)
{
	durable_stop(&w->durable, 5000);
	writer_stop(&w->writer, 5000);
}

static void
works_close(struct works *w)
{
	works_stop(w);
	fixture_remove(w->store);
	fixture_remove(w->spool);
	arena_free(&w->a);
}

static void
works_fail(struct works *w, bool fails)
{
	if (fails)
		assert_int_equal(file_create(w->fails, 0600, STR("")), 0);
	else
		assert_int_equal(unlink(w->fails), 0);
}

static void
sleep_millis(long millis)
{
	struct timespec t = { .tv_sec = millis / 1000,
		.tv_nsec = millis % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static void
on_done(void *arg)
{
	struct works *w = arg;

	assert_false(pthread_equal(w->caller, pthread_self()));
	atomic_fetch_add(&w->nanswered, 1);
}

static void
wait_answered(struct works *w, unsigned n)
{
	int64_t end = store_deadline(20000);

	while (atomic_load(&w->nanswered) < n && clock_monotonic() < end)
		sleep_millis(2);
	assert_int_equal(atomic_load(&w->nanswered), n);
}

/* One wish, to its end. */
static struct request_wish
wish_one(struct works *w, enum suppress_what what, const char *address)
{
	struct request_wish wish = { .what = what,
		.entry = entry_of(address) };
	unsigned n = atomic_load(&w->nanswered);

	durable_wish(w->durable, &wish, on_done, w);
	wait_answered(w, n + 1);
	return wish;
}

static void
wait_replayed(struct works *w)
{
	int64_t end = store_deadline(20000);

	while (durable_waiting(w->durable) > 0 && clock_monotonic() < end)
		sleep_millis(10);
	assert_int_equal(durable_waiting(w->durable), 0);
}

static void
expect_stored(struct works *w, const char *address)
{
	struct arena *a = arena_new();
	struct suppress_entry e = entry_of(address);
	struct store *s = fixture_open(arena_cstr(a,
	    arena_printf(a, "sqlite:%s", w->store)), STORE_SUPPRESS,
	    STORE_READ, 1795000001);
	struct suppress_query q = fixture_find(s, a, address, &e.scope);

	if (q.answer != STORE_YES)
		fail_msg("%s is not in the store", address);
	assert_int_equal(q.entry.created, e.created);
	expect_str("list", q.entry.scope.list, e.scope.list);
	store_close(&s);
	arena_free(&a);
}

static void
wishes_reach_the_store(void **state)
{
	struct works w;
	struct request_wish wish;

	(void)state;
	works_open(&w);
	wish = wish_one(&w, SUPPRESS_PUT, "a@x.example");
	assert_int_equal(wish.result, WISH_STORED);
	assert_int_equal(wish.outcome, SUPPRESS_ADDED);
	expect_stored(&w, "a@x.example");
	wish = wish_one(&w, SUPPRESS_PUT, "a@x.example");
	assert_int_equal(wish.outcome, SUPPRESS_ALREADY);
	wish = wish_one(&w, SUPPRESS_REMOVE, "a@x.example");
	assert_int_equal(wish.result, WISH_STORED);
	assert_int_equal(wish.outcome, SUPPRESS_REMOVED);
	wish = wish_one(&w, SUPPRESS_REMOVE, "a@x.example");
	assert_int_equal(wish.outcome, SUPPRESS_ABSENT);
	assert_int_equal(metrics_get(&w.metrics, METRIC_UNSUBSCRIBED), 2);
	assert_int_equal(metrics_get(&w.metrics, METRIC_SPOOLED), 0);
	works_close(&w);
}

/* An entry of another second is not the one to undo. */
static void
undo_is_exact(void **state)
{
	struct works w;
	struct request_wish wish = { .what = SUPPRESS_REMOVE,
		.entry = entry_of("a@x.example") };

	(void)state;
	works_open(&w);
	wish_one(&w, SUPPRESS_PUT, "a@x.example");
	wish.entry.created++;
	durable_wish(w.durable, &wish, on_done, &w);
	wait_answered(&w, 2);
	assert_int_equal(wish.outcome, SUPPRESS_ABSENT);
	expect_stored(&w, "a@x.example");
	works_close(&w);
}

static void
outages_are_bridged(void **state)
{
	struct works w;
	struct request_wish wish;

	(void)state;
	works_open(&w);
	works_fail(&w, true);
	wish = wish_one(&w, SUPPRESS_PUT, "a@x.example");
	assert_int_equal(wish.result, WISH_SPOOLED);
	wish = wish_one(&w, SUPPRESS_PUT, "b@x.example");
	assert_int_equal(wish.result, WISH_SPOOLED);
	assert_int_equal(durable_waiting(w.durable), 2);
	assert_int_equal(metrics_get(&w.metrics, METRIC_SPOOL_WAITING), 2);
	assert_int_equal(metrics_get(&w.metrics, METRIC_SPOOLED), 2);
	wish = wish_one(&w, SUPPRESS_REMOVE, "a@x.example");
	assert_int_equal(wish.result, WISH_LOST);
	assert_int_equal(metrics_get(&w.metrics, METRIC_UNSUBSCRIBES_FAILED),
	    1);
	works_fail(&w, false);
	wait_replayed(&w);
	expect_stored(&w, "a@x.example");
	expect_stored(&w, "b@x.example");
	works_stop(&w);
	assert_int_equal(metrics_get(&w.metrics, METRIC_SPOOL_WAITING), 0);
	works_close(&w);
}

/* What an earlier process left; once more, since its end came too early. */
static void
earlier_spools_are_replayed(void **state)
{
	struct works w;

	(void)state;
	works_open(&w);
	works_fail(&w, true);
	wish_one(&w, SUPPRESS_PUT, "a@x.example");
	works_stop(&w);
	works_fail(&w, false);
	works_start(&w);
	wait_replayed(&w);
	expect_stored(&w, "a@x.example");
	works_close(&w);
}

/* What the store will never take is not promised, store or no store. */
static void
no_entry_is_lost(void **state)
{
	struct request_wish probe = { .what = SUPPRESS_PUT,
		.entry = entry_of("b@x.example") }, wish = probe;
	struct works w;

	(void)state;
	works_open(&w);
	assert_int_equal(wish_one(&w, SUPPRESS_PUT, "jane").result, WISH_LOST);
	works_fail(&w, true);
	wish_one(&w, SUPPRESS_PUT, "a@x.example");
	durable_wish(w.durable, &probe, on_done, &w); /* tries the store */
	wish.entry.address = STR("jane");
	durable_wish(w.durable, &wish, on_done, &w);
	wait_answered(&w, 4);
	assert_int_equal(wish.result, WISH_LOST);
	assert_int_equal(durable_waiting(w.durable), 2);
	works_fail(&w, false);
	works_close(&w);
}

static void
without_either_it_is_lost(void **state)
{
	struct works w;
	struct request_wish wish;

	(void)state;
	works_open(&w);
	works_fail(&w, true);
	assert_int_equal(rmdir(w.spool), -1); /* the lock is in it */
	fixture_remove(w.spool);
	wish = wish_one(&w, SUPPRESS_PUT, "a@x.example");
	assert_int_equal(wish.result, WISH_LOST);
	assert_int_equal(mkdir(w.spool, 0700), 0);
	wish = wish_one(&w, SUPPRESS_PUT, "a@x.example");
	assert_int_equal(wish.result, WISH_SPOOLED);
	works_fail(&w, false);
	wait_replayed(&w);
	expect_stored(&w, "a@x.example");
	works_close(&w);
}

/* Many at once, while the store comes and goes: each is answered and kept. */
static void
many_wishes(void **state)
{
	static struct request_wish wishes[600];
	char address[COUNT(wishes)][32];
	struct works w;

	(void)state;
	works_open(&w);
	for (unsigned i = 0; i < COUNT(wishes); i++) {
		snprintf(address[i], sizeof(address[i]), "u%u@x.example", i);
		wishes[i] = (struct request_wish){ .what = SUPPRESS_PUT,
			.entry = entry_of(address[i]) };
		if (i % 200 == 100)
			works_fail(&w, true);
		if (i % 200 == 190)
			works_fail(&w, false);
		durable_wish(w.durable, &wishes[i], on_done, &w);
		if (i % 50 == 49)
			sleep_millis(5);
	}
	wait_answered(&w, COUNT(wishes));
	wait_replayed(&w);
	for (unsigned i = 0; i < COUNT(wishes); i += 7) {
		assert_true(wishes[i].result != WISH_LOST);
		expect_stored(&w, address[i]);
	}
	assert_int_equal(metrics_get(&w.metrics, METRIC_UNSUBSCRIBED),
	    COUNT(wishes));
	works_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_round_trip),
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(order_is_kept),
		cmocka_unit_test(replay_repeats),
		cmocka_unit_test(torn_lines_are_ignored),
		cmocka_unit_test(damaged_files_are_kept),
		cmocka_unit_test(garbage_ends),
		cmocka_unit_test(two_share_a_directory),
		cmocka_unit_test(directory_goes_and_comes),
		cmocka_unit_test(wishes_reach_the_store),
		cmocka_unit_test(undo_is_exact),
		cmocka_unit_test(outages_are_bridged),
		cmocka_unit_test(earlier_spools_are_replayed),
		cmocka_unit_test(no_entry_is_lost),
		cmocka_unit_test(without_either_it_is_lost),
		cmocka_unit_test(many_wishes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
