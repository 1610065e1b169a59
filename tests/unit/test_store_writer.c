/*
 * test_store_writer.c - the writer's thread: durable before done, bounded,
 * every job answered once, whatever the store does.
 */
#include "store_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/writer.h"

#define ALL (STORE_SUPPRESS | STORE_META)

/* What came back: by answer. */
struct answers {
	atomic_uint n[3];
};

static void
count_answer(void *arg, enum store_answer answer,
    const struct suppress_change *change)
{
	struct answers *a = arg;

	(void)change;
	atomic_fetch_add(&a->n[answer], 1);
}

static unsigned
total(struct answers *a)
{
	return atomic_load(&a->n[0]) + atomic_load(&a->n[1]) +
	    atomic_load(&a->n[2]);
}

static void
sleep_millis(long millis)
{
	struct timespec t = { .tv_sec = millis / 1000,
		.tv_nsec = millis % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* Until that many were answered, 10 s at most. */
static void
wait_for(struct answers *a, unsigned n)
{
	int64_t end = store_deadline(10000);

	while (total(a) < n && clock_monotonic() < end)
		sleep_millis(2);
	assert_int_equal(total(a), n);
}

static struct store_spec
spec_of(const char *text)
{
	return (struct store_spec){ .store = str_from(text), .kinds = ALL,
		.access = STORE_CHANGE, .clock = clock_system() };
}

static struct writer *
start(const char *text, size_t max)
{
	struct store_spec spec = spec_of(text);
	struct writer *w;
	struct buf errors;

	buf_init(&errors, 65536);
	w = writer_start(&spec, max, false, &errors);
	if (w == NULL)
		fail_msg("%s: %.*s", text, STR_ARG(buf_view(&errors)));
	buf_free(&errors);
	return w;
}

static bool
add(struct writer *w, const char *address, unsigned millis, struct answers *a)
{
	struct suppress_change c = fixture_change(SUPPRESS_PUT,
	    fixture_entry(address, SUPPRESS_UNSUBSCRIBE, 1000, 0));

	return writer_suppress(w, &c, store_deadline(millis), count_answer, a);
}

/* Is it there for a handle of its own, at the moment it was answered? */
struct durable {
	const char *spec;
	atomic_uint nfound, ndone;
	char address[32];
};

static void
look_at_once(void *arg, enum store_answer answer,
    const struct suppress_change *change)
{
	struct durable *d = arg;
	struct arena *a = arena_new();
	struct store *s = fixture_open(d->spec, STORE_SUPPRESS, STORE_READ,
	    2000);

	(void)change;
	if (answer == STORE_YES &&
	    fixture_find(s, a, d->address, NULL).answer == STORE_YES)
		atomic_fetch_add(&d->nfound, 1);
	store_close(&s);
	arena_free(&a);
	atomic_fetch_add(&d->ndone, 1);
}

static void
test_durable_before_done(void **state)
{
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);
	char *spec = arena_cstr(a, arena_printf(a, "sqlite:%s", dir));
	struct durable d[50];
	struct writer *w = start(spec, 100);

	(void)state;
	for (size_t i = 0; i < 50; i++) {
		struct suppress_change c;

		d[i] = (struct durable){ .spec = spec };
		snprintf(d[i].address, sizeof(d[i].address), "u%zu@x.example",
		    i);
		c = fixture_change(SUPPRESS_PUT, fixture_entry(d[i].address,
		    SUPPRESS_UNSUBSCRIBE, 1000, 0));
		assert_true(writer_suppress(w, &c, store_deadline(10000),
		    look_at_once, &d[i]));
	}
	writer_stop(&w, 10000);
	assert_null(w);
	for (size_t i = 0; i < 50; i++) {
		assert_int_equal(atomic_load(&d[i].ndone), 1);
		assert_int_equal(atomic_load(&d[i].nfound), 1);
	}
	fixture_remove(dir);
	arena_free(&a);
}

struct producer {
	struct writer *w;
	struct answers *answers;
	unsigned number, ntaken;
	pthread_t thread;
};

static void *
produce(void *arg)
{
	struct producer *p = arg;

	for (unsigned i = 0; i < 500; i++) {
		char text[32];
		struct meta_item item = { STR("k"), STR("v"), 0 };

		snprintf(text, sizeof(text), "u%u.%u@x.example", p->number, i);
		item.key = str_from(text);
		if (i % 5 == 0)
			p->ntaken += writer_meta(p->w, &item,
			    store_deadline(10000), count_answer, p->answers);
		else
			p->ntaken += add(p->w, text, 10000, p->answers);
	}
	return NULL;
}

static void
test_many_threads(void **state)
{
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);
	char *spec = arena_cstr(a, arena_printf(a, "sqlite:%s", dir));
	struct answers answers = { 0 };
	struct producer p[4];
	struct writer *w = start(spec, 10000);
	struct store *s;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		p[i] = (struct producer){ .w = w, .answers = &answers,
			.number = i };
		assert_int_equal(pthread_create(&p[i].thread, NULL, produce,
		    &p[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(p[i].thread, NULL);
		assert_int_equal(p[i].ntaken, 500);
	}
	wait_for(&answers, 2000);
	assert_int_equal(atomic_load(&answers.n[STORE_YES]), 2000);
	writer_stop(&w, 0);
	s = fixture_open(spec, ALL, STORE_READ, 2000);
	assert_int_equal(fixture_count(s, &(struct suppress_filter){
	    .since = 0 }), 1600);
	store_close(&s);
	fixture_remove(dir);
	arena_free(&a);
}

static void
test_a_full_queue_says_so(void **state)
{
	struct answers answers = { 0 };
	struct writer *w = start("fail:fail:memory:", 5);
	unsigned ntaken = 0;

	(void)state;
	for (int i = 0; i < 5000; i++)
		ntaken += add(w, "a@x.example", 300, &answers);
	assert_true(ntaken >= 5);
	assert_true(ntaken < 5000);
	wait_for(&answers, ntaken);
	assert_int_equal(atomic_load(&answers.n[STORE_UNKNOWN]), ntaken);
	writer_stop(&w, 1000);
	assert_int_equal(total(&answers), ntaken);
}

static void
test_stop_answers_all(void **state)
{
	struct answers answers = { 0 };
	struct writer *w = start("fail:late:memory:", 100);
	int64_t begin = clock_monotonic();

	(void)state;
	for (int i = 0; i < 50; i++)
		assert_true(add(w, "a@x.example", 60000, &answers));
	writer_stop(&w, 200);
	assert_int_equal(atomic_load(&answers.n[STORE_UNKNOWN]), 50);
	/* one attempt may be under way: see ATTEMPT_MILLIS in writer.c */
	assert_true(clock_monotonic() - begin < INT64_C(3000000000));
}

static void
test_each_waits_for_its_own_deadline(void **state)
{
	struct answers brief = { 0 }, patient = { 0 };
	struct writer *w = start("fail:fail:memory:", 100);
	int64_t begin = clock_monotonic();

	(void)state;
	assert_true(add(w, "a@x.example", 60000, &patient));
	assert_true(add(w, "b@x.example", 200, &brief));
	wait_for(&brief, 1);
	assert_true(clock_monotonic() - begin >= INT64_C(190000000));
	assert_int_equal(total(&patient), 0);
	writer_stop(&w, 0);
	assert_int_equal(atomic_load(&patient.n[STORE_UNKNOWN]), 1);
}

static void
touch(const char *path)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fclose(f);
}

static void
test_down_and_back(void **state)
{
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);
	char *flag = arena_cstr(a, arena_printf(a, "%s/down", dir));
	char *spec = arena_cstr(a, arena_printf(a,
	    "fail:fail@while=%s,open@while=%s:sqlite:%s", flag, flag, dir));
	struct store_spec s = spec_of(spec);
	struct answers answers = { 0 };
	struct writer *w;
	struct buf errors;

	(void)state;
	buf_init(&errors, 65536);
	touch(flag);
	assert_null(writer_start(&s, 100, false, &errors));
	assert_non_null(strstr(errors.p, "cannot be opened, as planned"));
	w = writer_start(&s, 100, true, &errors);
	assert_non_null(w);
	buf_free(&errors);
	assert_true(add(w, "a@x.example", 10000, &answers));
	sleep_millis(100);
	assert_int_equal(total(&answers), 0);
	unlink(flag);
	wait_for(&answers, 1);
	touch(flag);
	assert_true(add(w, "b@x.example", 10000, &answers));
	sleep_millis(100);
	assert_int_equal(total(&answers), 1);
	unlink(flag);
	wait_for(&answers, 2);
	assert_int_equal(atomic_load(&answers.n[STORE_YES]), 2);
	writer_stop(&w, 1000);
	fixture_remove(dir);
	arena_free(&a);
}

/* What can never be stored does not take the others with it. */
static void
test_one_bad_job(void **state)
{
	struct answers good = { 0 }, bad = { 0 };
	struct writer *w = start("memory:", 100);

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_true(add(w, "a@x.example", 10000, &good));
		assert_true(add(w, "no address", 10000, &bad));
	}
	writer_stop(&w, 10000);
	assert_int_equal(atomic_load(&good.n[STORE_YES]), 20);
	assert_int_equal(atomic_load(&bad.n[STORE_NO]), 20);
}

/* An uncertain answer is asked for again until it is certain. */
static void
test_uncertain(void **state)
{
	struct answers answers = { 0 };
	struct writer *w = start("fail:uncertain@1-3:memory:", 100);

	(void)state;
	assert_true(add(w, "a@x.example", 10000, &answers));
	wait_for(&answers, 1);
	assert_int_equal(atomic_load(&answers.n[STORE_YES]), 1);
	writer_stop(&w, 1000);
}

static void
keep_outcome(void *arg, enum store_answer answer,
    const struct suppress_change *change)
{
	atomic_int *outcome = arg;

	assert_int_equal(answer, STORE_YES);
	atomic_store(outcome, (int)change->outcome);
}

static enum suppress_outcome
outcome_of(struct writer *w, enum suppress_what what, int64_t created,
    bool is_exact)
{
	struct suppress_change c = fixture_change(what,
	    fixture_entry("a@x.example", SUPPRESS_UNSUBSCRIBE, created, 0));
	atomic_int outcome = -1;

	c.is_exact = is_exact;
	assert_true(writer_suppress(w, &c, store_deadline(10000), keep_outcome,
	    &outcome));
	while (atomic_load(&outcome) < 0)
		usleep(1000);
	return (enum suppress_outcome)atomic_load(&outcome);
}

/* What was undone is what was made, not what was there before or since. */
static void
test_exact(void **state)
{
	static const char *const specs[] = { "memory:", "sqlite:" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct arena *a = arena_new();
		const char *dir = fixture_directory(a);
		struct writer *w = start(arena_cstr(a, arena_printf(a, "%s%s",
		    specs[i], i ? dir : "")), 100);

		assert_int_equal(outcome_of(w, SUPPRESS_PUT, 1000, false),
		    SUPPRESS_ADDED);
		assert_int_equal(outcome_of(w, SUPPRESS_PUT, 2000, false),
		    SUPPRESS_ALREADY);
		assert_int_equal(outcome_of(w, SUPPRESS_REMOVE, 2000, true),
		    SUPPRESS_ABSENT);
		assert_int_equal(outcome_of(w, SUPPRESS_REMOVE, 1000, true),
		    SUPPRESS_REMOVED);
		assert_int_equal(outcome_of(w, SUPPRESS_REMOVE, 1000, true),
		    SUPPRESS_ABSENT);
		assert_int_equal(outcome_of(w, SUPPRESS_PUT, 3000, false),
		    SUPPRESS_ADDED);
		assert_int_equal(outcome_of(w, SUPPRESS_REMOVE, 1, false),
		    SUPPRESS_REMOVED);
		writer_stop(&w, 10000);
		fixture_remove(dir);
		arena_free(&a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durable_before_done),
		cmocka_unit_test(test_many_threads),
		cmocka_unit_test(test_a_full_queue_says_so),
		cmocka_unit_test(test_stop_answers_all),
		cmocka_unit_test(test_each_waits_for_its_own_deadline),
		cmocka_unit_test(test_down_and_back),
		cmocka_unit_test(test_one_bad_job),
		cmocka_unit_test(test_uncertain),
		cmocka_unit_test(test_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
