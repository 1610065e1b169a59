/*
 * test_rollup.c - what events add up to, against a recount of the same events
 * by their last verdicts and by sets; whoever adds, in whatever steps, and
 * however often they are killed.
 */
#include "store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/rollup.h"

#define SOON	(store_deadline(FIXTURE_MILLIS))
#define DAY	(INT64_C(86400) * 1000000)
#define FIRST	(INT64_C(1795478400) * 1000000) /* 2026-11-24 */
#define NEVENTS 3000

/* What is expected: events with their last verdicts. */
struct world {
	struct arena *a;
	const char *dir;
	char *spec;
	struct event *v;
	size_t n;
	uint64_t seed;
	bool with_corrections;
};

static struct world
make_world(uint64_t seed)
{
	struct world w = { .a = arena_new(), .seed = seed };

	w.dir = fixture_directory(w.a);
	w.spec = arena_cstr(w.a, arena_printf(w.a, "sqlite:%s", w.dir));
	w.v = arena_array(w.a, NEVENTS, sizeof(w.v[0]));
	return w;
}

static void
free_world(struct world *w)
{
	fixture_remove(w->dir);
	arena_free(&w->a);
}

static uint64_t
dice(struct world *w, uint64_t n)
{
	w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
	return (w->seed >> 33) % n;
}

static struct store *
open_at(const struct world *w, enum store_access access, int64_t micros)
{
	return fixture_open(w->spec, STORE_EVENTS, access, micros / 1000000);
}

static void
put(struct world *w, int64_t written, const struct event *v, size_t n)
{
	struct store *s = open_at(w, STORE_CHANGE, written);

	if (store_events_add(s, v, n, false, SOON) != STORE_YES)
		fail_msg("%s", store_error(s, STORE_EVENTS));
	store_close(&s);
}

static struct str
pick(struct world *w, const char *const *v, size_t n)
{
	return str_from(v[dice(w, n)]);
}

#define PICK(w, v) pick(w, v, sizeof(v) / sizeof((v)[0]))

static struct event
make_event(struct world *w, int64_t at)
{
	static const char *const domains[] = { "a.example", "b.example" };
	static const char *const campaigns[] = { "", "spring", "o\"x\n" };
	static const char *const lists[] = { "", "news.a.example" };
	static const char *const urls[] = { "https://x.example/1",
		"https://x.example/2", "https://x.example/\xff" };
	struct event e = { .id = w->n + 1, .at = at };

	e.kind = (enum event_kind)(1 + dice(w, EVENT_KINDS - 1));
	e.stream = (uint32_t)(0xfffffffe + dice(w, 2));
	e.domain = PICK(w, domains);
	e.campaign = PICK(w, campaigns);
	e.list = PICK(w, lists);
	e.hours = 500000 + (uint32_t)dice(w, 2);
	if (e.kind == EVENT_OPENED || e.kind == EVENT_CLICKED)
		e.verdict = (enum event_verdict)(1 + dice(w, 4));
	if (e.kind == EVENT_CLICKED)
		e.url = PICK(w, urls);
	if (dice(w, 5) != 0)
		e.recipient = arena_printf(w->a, "secret%" PRIu64 "@x.example",
		    dice(w, 9));
	return e;
}

/* Judged anew: a line of its own behind it, and what is expected. */
static struct event
correct(struct world *w, size_t i)
{
	struct event e = w->v[i];

	e.was = e.verdict;
	e.verdict = (enum event_verdict)(1 + dice(w, 4));
	w->v[i].verdict = e.verdict;
	return e;
}

/*
 * Four files; some events are of the day before that of their file, as when
 * one came at midnight, and a correction may be a day behind its event.
 */
static void
fill(struct world *w)
{
	struct event batch[64];
	size_t n;

	while (w->n < NEVENTS) {
		int64_t written = FIRST + (int64_t)(w->n * 4 / NEVENTS) * DAY +
		    (int64_t)w->n * 1000;

		for (n = 0; n < 62 && w->n < NEVENTS; n++) {
			size_t i = w->n > 0 ? dice(w, w->n) : 0;

			w->v[w->n] = make_event(w, written -
			    (dice(w, 9) == 0 ? DAY / 2 : 0));
			batch[n] = w->v[w->n++];
			if (w->with_corrections && dice(w, 3) == 0 &&
			    w->v[i].verdict != EVENT_NOBODY)
				batch[++n] = correct(w, i);
		}
		put(w, written, batch, n);
	}
}

/* All there is, in steps of that many. */
static uint64_t
roll_all(const struct world *w, size_t max)
{
	struct store *s = open_at(w, STORE_CHANGE, FIRST + 5 * DAY);
	uint64_t total = 0, n;
	bool more = true;

	while (more) {
		if (store_rollup_step(s, max, &n, &more, SOON) != STORE_YES)
			fail_msg("%s", store_error(s, STORE_EVENTS));
		assert_true(n <= max);
		assert_true(n > 0 || !more);
		total += n;
	}
	store_close(&s);
	return total;
}

/* ---- the recount ---- */

static bool
is_of_row(const struct event *e, const struct rollup_row *r)
{
	return e->kind == r->kind && e->stream == r->stream &&
	    str_eq(e->domain, r->domain) &&
	    str_eq(e->campaign, r->campaign) && str_eq(e->list, r->list);
}

static bool
is_human(const struct event *e)
{
	return e->verdict == EVENT_HUMAN || e->verdict == EVENT_UNKNOWN;
}

/* Of the same kind, too; and of the same link, when that matters. */
static bool
same_mail(const struct event *a, const struct event *b, bool by_link)
{
	return a->kind == b->kind && a->stream == b->stream &&
	    a->hours == b->hours && str_eq(a->recipient, b->recipient) &&
	    str_eq(a->domain, b->domain) && str_eq(a->list, b->list) &&
	    str_eq(a->campaign, b->campaign) &&
	    (!by_link || str_eq(a->url, b->url));
}

/* Is it the first of its mail that a human did? */
static bool
is_first(const struct world *w, size_t i, bool by_link)
{
	if (w->v[i].recipient.n == 0 || !is_human(&w->v[i]))
		return false;
	for (size_t j = 0; j < i; j++)
		if (is_human(&w->v[j]) && same_mail(&w->v[j], &w->v[i],
		    by_link))
			return false;
	return true;
}

struct check {
	const struct world *w;
	bool *is_first, *is_counted;
	size_t nrows;
	uint64_t total, unique;
	struct rollup_row last;
};

static bool
check_row(void *arg, const struct rollup_row *r)
{
	struct check *c = arg;
	uint64_t n = 0, unique = 0;

	for (size_t i = 0; i < c->w->n; i++) {
		const struct event *e = &c->w->v[i];

		if (!is_of_row(e, r) || e->verdict != r->verdict ||
		    event_day(e->at) != r->day)
			continue;
		assert_false(c->is_counted[i]);
		c->is_counted[i] = true;
		n++;
		unique += c->is_first[i];
	}
	assert_int_equal(r->n, n);
	if (!c->w->with_corrections)
		assert_int_equal(r->unique, unique);
	assert_true(c->nrows == 0 || c->last.day <= r->day);
	c->last.day = r->day;
	c->nrows++;
	c->total += r->n;
	c->unique += r->unique;
	return true;
}

static bool
check_link(void *arg, const struct rollup_link *l)
{
	struct check *c = arg;
	uint64_t n[EVENT_VERDICTS] = { 0 }, unique = 0;

	for (size_t i = 0; i < c->w->n; i++) {
		const struct event *e = &c->w->v[i];

		if (e->kind != EVENT_CLICKED || e->stream != l->stream ||
		    !str_eq(e->domain, l->domain) ||
		    !str_eq(e->campaign, l->campaign) ||
		    !str_eq(e->url, l->url))
			continue;
		n[e->verdict]++;
		unique += is_first(c->w, i, true);
	}
	for (size_t i = 0; i < EVENT_VERDICTS; i++)
		assert_int_equal(l->n[i], n[i]);
	assert_int_equal(l->unique, unique);
	c->nrows++;
	c->total += n[0] + n[1] + n[2] + n[3] + n[4];
	return true;
}

static void
check_links(const struct world *w, struct store *s)
{
	struct check c = { .w = w };
	struct rollup_filter all = { .from_day = 0 };
	uint64_t nclicks = 0;

	for (size_t i = 0; i < w->n; i++)
		nclicks += w->v[i].kind == EVENT_CLICKED;
	assert_int_equal(store_rollup_links(s, &all, SIZE_MAX, check_link, &c),
	    STORE_YES);
	assert_int_equal(c.total, nclicks);
	assert_int_equal(c.nrows, 2 * 2 * 3 * 3);
	c.nrows = 0;
	assert_int_equal(store_rollup_links(s, &all, 5, check_link, &c),
	    STORE_YES);
	assert_int_equal(c.nrows, 5);
}

/* What is rolled up is what the events say. */
static void
check_world(const struct world *w)
{
	struct store *s = open_at(w, STORE_READ, FIRST + 5 * DAY);
	struct check c = { .w = w };
	struct rollup_filter all = { .from_day = 0 };
	uint64_t unique = 0;

	c.is_first = arena_array(w->a, w->n, sizeof(bool));
	c.is_counted = arena_array(w->a, w->n, sizeof(bool));
	for (size_t i = 0; i < w->n; i++)
		unique += c.is_first[i] = is_first(w, i, false);
	if (store_rollup_walk(s, &all, check_row, &c) != STORE_YES)
		fail_msg("%s", store_error(s, STORE_EVENTS));
	assert_int_equal(c.total, w->n);
	assert_int_equal(c.unique, unique);
	for (size_t i = 0; i < w->n; i++)
		assert_true(c.is_counted[i]);
	check_links(w, s);
	store_close(&s);
}

static void
test_recount(void **state)
{
	static const size_t steps[] = { 7, 50, 1000, 100000 };

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		struct world w = make_world(i + 1);

		w.with_corrections = i % 2 == 1;
		fill(&w);
		assert_true(roll_all(&w, steps[i / 2]) >= w.n);
		assert_int_equal(roll_all(&w, 100), 0);
		check_world(&w);
		free_world(&w);
	}
}

/* Rolled up whenever something was added. */
static void
test_piecemeal(void **state)
{
	struct world w = make_world(20);
	struct event e;

	(void)state;
	while (w.n < 60) {
		w.v[w.n] = make_event(&w, FIRST + (int64_t)w.n * DAY / 30);
		e = w.v[w.n++];
		put(&w, e.at, &e, 1);
		assert_int_equal(roll_all(&w, 10), 1);
	}
	for (size_t i = 0; i < w.n; i++)
		assert_true(w.v[i].id == i + 1);
	free_world(&w);
}

/* ---- several processes ---- */

static pid_t
start_roller(const struct world *w, size_t max)
{
	pid_t pid = fork();
	struct store *s;
	uint64_t n;
	bool more = true;

	assert_true(pid >= 0);
	if (pid != 0)
		return pid;
	s = open_at(w, STORE_CHANGE, FIRST + 5 * DAY);
	while (more)
		if (store_rollup_step(s, max, &n, &more, SOON) != STORE_YES)
			_exit(1);
	_exit(0);
}

static void
test_several_rollers(void **state)
{
	struct world w = make_world(30);
	pid_t pids[4];
	int status;

	(void)state;
	w.with_corrections = true;
	fill(&w);
	for (size_t i = 0; i < 4; i++)
		pids[i] = start_roller(&w, 11 + i);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(roll_all(&w, 100), 0);
	check_world(&w);
	free_world(&w);
}

static void
test_killed(void **state)
{
	struct world w = make_world(40);
	struct timespec t = { .tv_nsec = 0 };
	int status = -1, nkilled = 0;
	pid_t pid;

	(void)state;
	w.with_corrections = true;
	fill(&w);
	for (int i = 0; i < 60 && status != 0; i++) {
		pid = start_roller(&w, 20);
		t.tv_nsec = (long)(1 + dice(&w, 8) + (uint64_t)i) * 1000000;
		nanosleep(&t, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		nkilled += WIFSIGNALED(status);
	}
	assert_true(nkilled > 0);
	roll_all(&w, 100);
	check_world(&w);
	free_world(&w);
}

/* ---- what is not there ---- */

static bool
count_rows(void *arg, const struct rollup_row *r)
{
	uint64_t *n = arg;

	*n += r->n;
	return true;
}

static void
test_nothing_yet(void **state)
{
	struct world w = make_world(50);
	struct event e = make_event(&w, FIRST);
	struct rollup_filter all = { .from_day = 0 };
	struct event_cursor cursor;
	uint64_t n = 0;
	int64_t at;
	bool more;
	struct store *s;

	(void)state;
	put(&w, FIRST, &e, 1);
	s = open_at(&w, STORE_READ, FIRST);
	assert_int_equal(store_rollup_cursor(s, &cursor, SOON), STORE_NO);
	assert_int_equal(cursor.day, 0);
	assert_int_equal(store_rollup_time(s, &at, SOON), STORE_NO);
	assert_int_equal(store_rollup_walk(s, &all, count_rows, &n),
	    STORE_YES);
	assert_int_equal(n, 0);
	assert_int_equal(store_rollup_step(s, 10, &n, &more, SOON),
	    STORE_UNKNOWN);
	assert_non_null(strstr(store_error(s, STORE_EVENTS),
	    "opened for reading only"));
	assert_int_equal(roll_all(&w, 10), 1);
	assert_int_equal(store_rollup_cursor(s, &cursor, SOON), STORE_YES);
	assert_int_equal(cursor.day, 20261124);
	assert_int_equal(cursor.n, 1);
	assert_int_equal(store_rollup_time(s, &at, SOON), STORE_YES);
	assert_true(at == FIRST + 5 * DAY);
	assert_int_equal(store_rollup_walk(s, &all, count_rows, &n),
	    STORE_YES);
	assert_int_equal(n, 1);
	store_close(&s);
	free_world(&w);
}

/* A day that retention took before it was rolled up. */
static void
test_purged_before(void **state)
{
	struct world w = make_world(60);
	struct event e = make_event(&w, FIRST), c;
	struct rollup_filter all = { .from_day = 0 };
	unsigned nfiles = 0;
	uint64_t n = 0;
	struct store *s;

	(void)state;
	e.kind = EVENT_OPENED;
	e.verdict = EVENT_HUMAN;
	e.recipient = STR("a@x.example");
	put(&w, FIRST, &e, 1);
	put(&w, FIRST + DAY, &e, 1);
	assert_int_equal(roll_all(&w, 1), 2);
	put(&w, FIRST + DAY, &e, 1);
	put(&w, FIRST + 2 * DAY, &e, 1);
	c = e; /* of an event that nobody added up */
	c.was = EVENT_SCANNER;
	put(&w, FIRST + 4 * DAY, &c, 1);
	s = open_at(&w, STORE_CHANGE, FIRST + 4 * DAY);
	assert_int_equal(store_events_purge(s, 20261128, &nfiles, SOON),
	    STORE_YES);
	assert_int_equal(nfiles, 3);
	assert_int_equal(roll_all(&w, 1), 1);
	assert_int_equal(roll_all(&w, 1), 0);
	assert_int_equal(store_rollup_walk(s, &all, count_rows, &n),
	    STORE_YES);
	assert_int_equal(n, 3);
	store_close(&s);
	free_world(&w);
}

static bool
sum_unique(void *arg, const struct rollup_row *r)
{
	uint64_t *n = arg;

	*n += r->unique;
	return true;
}

static uint64_t
count_unique(const struct world *w, const struct rollup_filter *filter)
{
	struct store *s = open_at(w, STORE_READ, FIRST);
	uint64_t n = 0;

	assert_int_equal(store_rollup_walk(s, filter, sum_unique, &n),
	    STORE_YES);
	store_close(&s);
	return n;
}

/* Twice the same mail, a shared token, another hour; then all taken back. */
static void
test_unique(void **state)
{
	struct world w = make_world(70);
	struct rollup_filter all = { .from_day = 0 };
	struct event e = { .at = FIRST, .kind = EVENT_OPENED,
		.verdict = EVENT_HUMAN, .domain = STR("a.example"),
		.recipient = STR("a@x.example"), .hours = 7, .id = 1 }, f;

	(void)state;
	put(&w, FIRST, &e, 1);
	e.verdict = EVENT_UNKNOWN;
	put(&w, FIRST + DAY, &e, 1);
	f = e;
	f.recipient = STR("");
	put(&w, FIRST + DAY, &f, 1);
	f = e;
	f.hours = 8;
	f.at = FIRST + DAY;
	put(&w, FIRST + DAY, &f, 1);
	roll_all(&w, 2);
	assert_int_equal(count_unique(&w, &all), 2);
	all.until_day = 20261125;
	assert_int_equal(count_unique(&w, &all), 1);
	all = (struct rollup_filter){ .from_day = 20261125 };
	assert_int_equal(count_unique(&w, &all), 1);
	f.was = f.verdict;
	f.verdict = EVENT_PREFETCH;
	put(&w, FIRST + 2 * DAY, &f, 1);
	roll_all(&w, 100);
	assert_int_equal(count_unique(&w, &all), 0);
	all.from_day = 0;
	assert_int_equal(count_unique(&w, &all), 1);
	e.was = EVENT_UNKNOWN;
	e.verdict = EVENT_SCANNER;
	put(&w, FIRST + 2 * DAY, &e, 1);
	roll_all(&w, 100);
	assert_int_equal(count_unique(&w, &all), 1);
	e.was = EVENT_HUMAN;
	put(&w, FIRST + 2 * DAY, &e, 1);
	roll_all(&w, 100);
	assert_int_equal(count_unique(&w, &all), 0);
	free_world(&w);
}

static void
test_filters(void **state)
{
	struct world w = make_world(80);
	struct rollup_filter f = { .has_campaign = true };
	struct store *s;
	uint64_t n, want;

	(void)state;
	fill(&w);
	roll_all(&w, 10000);
	s = open_at(&w, STORE_READ, FIRST);
	for (int i = 0; i < 16; i++) {
		f = (struct rollup_filter){ .has_campaign = i & 1,
			.has_stream = i & 2, .stream = 0xffffffff };
		f.campaign = i & 1 && i & 8 ? STR("spring") : STR("");
		f.domain = i & 4 ? STR("b.example") : STR("");
		want = n = 0;
		for (size_t j = 0; j < w.n; j++)
			want += (!f.has_campaign || str_eq(f.campaign,
			    w.v[j].campaign)) && (!f.has_stream ||
			    w.v[j].stream == f.stream) && (f.domain.n == 0 ||
			    str_eq(f.domain, w.v[j].domain));
		assert_int_equal(store_rollup_walk(s, &f, count_rows, &n),
		    STORE_YES);
		assert_int_equal(n, want);
	}
	store_close(&s);
	free_world(&w);
}

static bool
count_links(void *arg, const struct rollup_link *l)
{
	uint64_t *v = arg;

	v[0]++;
	v[1] += l->n[EVENT_HUMAN];
	if (l->url.n == 0)
		v[2] = l->n[EVENT_HUMAN];
	return true;
}

/* A link of its own for each recipient does not make as many rows. */
static void
test_many_links(void **state)
{
	struct world w = make_world(90);
	struct rollup_filter all = { .from_day = 0 };
	size_t n = ROLLUP_LINKS_MAX + 500;
	struct event *v = arena_array(w.a, n, sizeof(*v));
	uint64_t sums[3] = { 0, 0, 0 };
	struct store *s;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		v[i] = (struct event){ .id = i + 1, .at = FIRST,
			.kind = EVENT_CLICKED, .verdict = EVENT_HUMAN,
			.domain = STR("a.example") };
		v[i].url = arena_printf(w.a, "https://x.example/%zu", i);
	}
	put(&w, FIRST, v, n);
	roll_all(&w, 3000);
	put(&w, FIRST + DAY, v, n);
	roll_all(&w, 100000);
	s = open_at(&w, STORE_READ, FIRST);
	assert_int_equal(store_rollup_links(s, &all, SIZE_MAX, count_links,
	    sums), STORE_YES);
	assert_int_equal(sums[0], ROLLUP_LINKS_MAX + 1);
	assert_int_equal(sums[1], 2 * n);
	assert_int_equal(sums[2], 2 * 500);
	store_close(&s);
	free_world(&w);
}

/* What was seen is forgotten after a while, what was added up is not. */
static void
test_purge(void **state)
{
	struct world w = make_world(100);
	struct rollup_filter all = { .from_day = 0 };
	struct event e = { .at = FIRST, .kind = EVENT_OPENED,
		.verdict = EVENT_HUMAN, .domain = STR("a.example"),
		.recipient = STR("a@x.example"), .hours = 7 };
	struct store *s = open_at(&w, STORE_CHANGE, FIRST);

	(void)state;
	put(&w, FIRST, &e, 1);
	roll_all(&w, 2);
	assert_int_equal(store_rollup_purge(s, 20261124, SOON), STORE_YES);
	put(&w, FIRST, &e, 1);
	roll_all(&w, 2);
	assert_int_equal(count_unique(&w, &all), 1);
	assert_int_equal(store_rollup_purge(s, 20261125, SOON), STORE_YES);
	assert_int_equal(store_rollup_purge(s, 20261125, SOON), STORE_YES);
	put(&w, FIRST, &e, 1);
	roll_all(&w, 2);
	assert_int_equal(count_unique(&w, &all), 2);
	store_close(&s);
	free_world(&w);
}

/* No file of the roll-ups has an address in it. */
static void
test_no_address(void **state)
{
	struct world w = make_world(110);
	DIR *dir;
	const struct dirent *entry;
	size_t nlooked = 0;

	(void)state;
	fill(&w);
	roll_all(&w, 500);
	dir = opendir(w.dir);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		char *text = mem_alloc((size_t)1 << 24);
		ssize_t n;
		int fd;

		if (strncmp(entry->d_name, "rollups", 7) == 0) {
			fd = openat(dirfd(dir), entry->d_name, O_RDONLY);
			n = read(fd, text, (size_t)1 << 24);
			assert_true(n >= 0 && n < 1 << 24);
			close(fd);
			nlooked++;
			assert_int_equal(str_find(str_make(text, (size_t)n),
			    STR("secret"), 0), n);
		}
		free(text);
	}
	closedir(dir);
	assert_true(nlooked > 0);
	free_world(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recount),
		cmocka_unit_test(test_piecemeal),
		cmocka_unit_test(test_several_rollers),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_nothing_yet),
		cmocka_unit_test(test_purged_before),
		cmocka_unit_test(test_unique),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_many_links),
		cmocka_unit_test(test_purge),
		cmocka_unit_test(test_no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
