/*
 * test_events_kill.c - writers that are killed, clocks that jump over
 * midnights and back, readers that stop anywhere: every event that was
 * acknowledged is given exactly once to each, and no batch in part.
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/events_fixture.h"

#define NWRITERS    3
#define NREADERS    2
#define KILLS	    40 /* in all; BULKHEAD_RUNS */
#define BATCHES_MAX 20000 /* of a writer */
#define GENERATIONS 1024
#define ONE_DAY	    (INT64_C(86400) * 1000000)

/* What all processes see. */
struct shared {
	_Atomic int64_t now; /* microseconds */
	atomic_uint generations[NWRITERS];
	/* batches acknowledged, of each life of a writer */
	atomic_uint acked[NWRITERS][GENERATIONS];
	atomic_bool is_over; /* writers end, readers read to the end */
};

static struct shared *shared;

static int64_t
shared_now(const struct clock *c)
{
	(void)c;
	return atomic_load(&shared->now);
}

static struct store *
open_store(const char *spec, enum store_access access)
{
	struct store_spec s = { .store = str_from(spec), .kinds = STORE_EVENTS,
		.access = access, .clock = { .now = shared_now } };
	struct buf errors;
	struct store *store;

	buf_init(&errors, 65536);
	store = store_open(&s, &errors);
	if (store == NULL)
		fprintf(stderr, "%s\n", errors.p);
	buf_free(&errors);
	return store;
}

static size_t
batch_size(unsigned batch)
{
	return 1 + batch * 7 % 23;
}

static uint64_t
id_of(unsigned writer, unsigned generation, unsigned batch, size_t i)
{
	return (uint64_t)(writer + 1) << 56 | (uint64_t)generation << 40 |
	    (uint64_t)batch << 8 | i;
}

/* ---- writers ---- */

static void
write_events(const char *spec, unsigned writer, unsigned generation)
{
	struct store *s = open_store(spec, STORE_CHANGE);
	struct arena *a = arena_new();
	unsigned batch = 0;

	while (s != NULL && !atomic_load(&shared->is_over) &&
	    batch < BATCHES_MAX) {
		struct event v[32];
		size_t n = batch_size(batch);

		arena_reset(a);
		for (size_t i = 0; i < n; i++)
			v[i] = events_make(a, id_of(writer, generation, batch,
			    i), shared_now(NULL));
		if (store_events_add(s, v, n, false, store_deadline(20000)) !=
		    STORE_YES) {
			fprintf(stderr, "writer: %s\n", store_error(s,
			    STORE_EVENTS));
			_exit(1);
		}
		atomic_store(&shared->acked[writer][generation], ++batch);
	}
	_exit(s == NULL);
}

/* It does not outlive the test, however that ends. */
static pid_t
fork_child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static pid_t
start_writer(const char *spec, unsigned writer)
{
	unsigned generation = atomic_fetch_add(&shared->generations[writer],
	    1);
	pid_t pid;

	assert_true(generation < GENERATIONS);
	pid = fork_child();
	if (pid == 0)
		write_events(spec, writer, generation);
	return pid;
}

/* ---- readers ---- */

struct reading {
	struct event_cursor at;
	uint64_t nread;
	/* of each life of a writer: the id that must come next, or 0 */
	uint64_t next[NWRITERS][GENERATIONS];
	unsigned left; /* until it stops */
	bool is_wrong;
};

/* Behind it comes the next of its batch, or the first of the next one. */
static uint64_t
following(uint64_t id, unsigned writer, unsigned generation)
{
	unsigned batch = (unsigned)(id >> 8 & 0xffffffff), i = id & 255;

	return i + 1 < batch_size(batch) ? id + 1 :
	    id_of(writer, generation, batch + 1, 0);
}

static bool
check_event(void *arg, const struct event *e, const struct event_cursor *at)
{
	struct reading *r = arg;
	unsigned writer = (unsigned)(e->id >> 56) - 1;
	unsigned generation = (unsigned)(e->id >> 40 & 0xffff);
	uint64_t *next = &r->next[writer][generation];

	if (*next == 0)
		*next = id_of(writer, generation, 0, 0);
	if (e->id != *next || at->day < r->at.day ||
	    (at->day == r->at.day && at->n <= r->at.n)) {
		fprintf(stderr, "got %016llx at %u-%llu, want %016llx\n",
		    (unsigned long long)e->id, at->day,
		    (unsigned long long)at->n, (unsigned long long)*next);
		r->is_wrong = true;
		return false;
	}
	*next = following(e->id, writer, generation);
	r->at = *at;
	r->nread++;
	return --r->left > 0;
}

static void
read_some(struct store *s, struct reading *r, struct event_cursor *c)
{
	struct event_filter any = { .kinds = 0 };

	if (store_events_walk(s, c, &any, check_event, r) != STORE_YES) {
		fprintf(stderr, "reader: %s\n", store_error(s, STORE_EVENTS));
		r->is_wrong = true;
	}
}

/* All that was acknowledged was read, and no batch in part. */
static bool
is_complete(const struct reading *r)
{
	bool is_well = !r->is_wrong;

	for (unsigned w = 0; w < NWRITERS; w++)
		for (unsigned g = 0; g < GENERATIONS; g++) {
			uint64_t next = r->next[w][g];
			unsigned acked = atomic_load(&shared->acked[w][g]);
			unsigned batches = (unsigned)(next >> 8 & 0xffffffff);

			if ((next & 255) == 0 && batches >= acked &&
			    batches <= acked + 1)
				continue;
			fprintf(stderr, "writer %u life %u: next %016llx, "
			    "%u batches acknowledged\n", w, g,
			    (unsigned long long)next, acked);
			is_well = false;
		}
	return is_well;
}

static void
read_events(const char *spec, unsigned seed)
{
	struct reading *r = calloc(1, sizeof(*r));
	struct event_cursor c = { .day = 0 };
	struct store *s = NULL;
	bool was_over = false;

	while (r != NULL && !r->is_wrong) {
		char text[EVENT_CURSOR_TEXT];
		uint64_t before = r->nread;
		bool is_over = atomic_load(&shared->is_over);

		r->left = 1 + (unsigned)rand_r(&seed) % 3000;
		if (s == NULL)
			s = open_store(spec, STORE_READ);
		if (s == NULL)
			_exit(1);
		read_some(s, r, &c);
		/* the end of what there is, and nobody writes any more */
		if (is_over && was_over && r->nread == before)
			break;
		was_over = is_over;
		event_cursor_format(&c, text);
		event_cursor_parse(str_from(text), &c);
		if (rand_r(&seed) % 4 == 0)
			store_close(&s);
	}
	_exit(r == NULL || !is_complete(r));
}

/* ---- the test ---- */

static void
pause_millis(long millis)
{
	struct timespec t = { .tv_sec = millis / 1000,
		.tv_nsec = millis % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* Hours forth, sometimes a day or back. */
static void
turn_clock(unsigned *seed)
{
	int64_t step = (int64_t)(rand_r(seed) % 10) * 3600 * 1000000;

	if (rand_r(seed) % 5 == 0)
		step = -ONE_DAY / 3;
	atomic_fetch_add(&shared->now, step);
}

static int
status_of(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
test_kill(void **state)
{
	struct events_place p = events_place_make();
	const char *runs = getenv("BULKHEAD_RUNS");
	long nkills = runs != NULL ? strtol(runs, NULL, 10) : KILLS;
	pid_t writers[NWRITERS], readers[NREADERS];
	unsigned seed = 5;
	uint32_t first, last;

	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	atomic_store(&shared->now, event_day_start(DAY_ONE) + NOON);
	first = DAY_ONE;
	for (unsigned i = 0; i < NWRITERS; i++)
		writers[i] = start_writer(p.spec, i);
	for (unsigned i = 0; i < NREADERS; i++) {
		readers[i] = fork_child();
		if (readers[i] == 0)
			read_events(p.spec, i + 1);
	}
	for (long k = 0; k < nkills; k++) {
		unsigned i = (unsigned)rand_r(&seed) % NWRITERS;

		turn_clock(&seed);
		pause_millis(5 + rand_r(&seed) % 30);
		kill(writers[i], SIGKILL);
		assert_true(WIFSIGNALED(status_of(writers[i])));
		writers[i] = start_writer(p.spec, i);
	}
	atomic_store(&shared->is_over, true);
	for (unsigned i = 0; i < NWRITERS; i++)
		assert_int_equal(status_of(writers[i]), 0);
	for (unsigned i = 0; i < NREADERS; i++)
		assert_int_equal(status_of(readers[i]), 0);
	last = event_day(atomic_load(&shared->now));
	assert_true(last > first || nkills < 10);
	munmap(shared, sizeof(*shared));
	events_place_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_kill) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
