/*
 * upkeep.c - opens stores and purges, in a thread of its own.
 */
#include "policyd/upkeep.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "store/meta.h"
#include "store/rate.h"
#include "store/suppress.h"

#define ERRORS_MAX    4096
/* For all buckets: some seconds for a million. */
#define LOAD_MILLIS   120000
#define LOOK_MILLIS   1000
/* Seconds between two purges; entries of one transaction; its time. */
#define PURGE_EVERY   60
#define PURGE_SLICE   200
#define PURGE_MILLIS  500
/* Between two slices, so that others write. */
#define PURGE_PAUSE   100
/* How long at a time: stores may have to be opened. */
#define PURGE_TURN    (5 * INT64_C(1000000000))
/*
 * An import outdates a sieve with every slice: the next is made after this
 * time at the earliest, and so that a twentieth of a core is used for it.
 */
#define SIEVE_EVERY   (30 * INT64_C(1000000000))
#define SIEVE_SHARE   20
#define SIEVE_MILLIS  60000

/* A store that is opened until that succeeds. */
struct opening {
	const char *what;
	unsigned kinds;
	bool is_wanted;
	struct store *ready; /* for upkeep_take() */
	struct buf said;     /* the errors that were logged last */
};

struct upkeep {
	struct arena *arena; /* of the texts of spec */
	struct store_spec spec;
	struct metrics *metrics;
	void (*opened)(void *arg);
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows, but for said */
	pthread_cond_t changed;
	struct opening lists, rates;
	bool was_tried, is_ending;
	bool wants_sieve;
	struct suppress_sieve *sieve; /* for upkeep_take_sieve() */
	atomic_bool stop;     /* is_ending, for what is in a long call */
	struct store *purged; /* the thread's own, as what follows */
	struct store *sieved; /* open, so that its file stays the same */
	int64_t purge_at;     /* clock_monotonic() */
	int64_t sieve_at;
};

static void
wait_locked(struct upkeep *u, unsigned millis)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += millis / 1000;
	until.tv_nsec += millis % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_cond_timedwait(&u->changed, &u->lock, &until);
}

/* True when it is to end. */
static bool
nap(struct upkeep *u, unsigned millis)
{
	bool is_ending;

	pthread_mutex_lock(&u->lock);
	if (!u->is_ending)
		wait_locked(u, millis);
	is_ending = u->is_ending;
	pthread_mutex_unlock(&u->lock);
	return is_ending;
}

/* Said once for each way in which it fails. */
static void
say_errors(struct opening *o, struct str errors)
{
	struct str rest = errors;

	if (str_eq(buf_view(&o->said), errors))
		return;
	while (rest.n > 0) {
		size_t end = str_chr(rest, '\n', 0);

		log_error("%s: %.*s", o->what, STR_ARG(str_sub(rest, 0, end)));
		rest = str_sub(rest, end + 1, rest.n);
	}
	buf_clear(&o->said);
	buf_str(&o->said, errors);
}

/*
 * Limits are read into memory by the first decision: millions of buckets take
 * longer than one may.
 */
static void
load_rates(struct store **s, struct buf *errors)
{
	struct rate_request nothing = { .mode = RATE_PEEK };

	if (*s == NULL)
		return;
	store_rate_decide(*s, &nothing, 1, store_deadline(LOAD_MILLIS));
	if (nothing.answer == STORE_YES)
		return;
	buf_printf(errors, "%s\n", store_error(*s, STORE_RATES));
	store_close(s);
}

/*
 * The first look opens what SQLite needs beside its files: not when mail
 * waits, nor when the disk is full.  What fails fails again for mail.
 */
static void
look_once(struct store *s)
{
	struct suppress_query nobody = { .address = STR("a@b.invalid") };
	struct arena *a = arena_new();
	uint64_t version;

	store_suppress_find(s, a, &nobody, 1, store_deadline(LOOK_MILLIS));
	store_meta_version(s, &version, store_deadline(LOOK_MILLIS));
	arena_free(&a);
}

/* Suppressions that can only be read are better than none. */
static struct store *
open_store(struct upkeep *u, const struct opening *o, struct buf *errors)
{
	struct store_spec spec = u->spec;
	struct store *s;
	struct buf ignored;

	spec.kinds = o->kinds;
	spec.access = STORE_CHANGE;
	s = store_open(&spec, errors);
	if (o->kinds == STORE_RATES)
		load_rates(&s, errors);
	if (o->kinds == STORE_RATES)
		return s;
	if (s == NULL) {
		buf_init(&ignored, ERRORS_MAX);
		spec.access = STORE_READ;
		s = store_open(&spec, &ignored);
		buf_free(&ignored);
	}
	if (s != NULL)
		look_once(s);
	return s;
}

static void
try(struct upkeep *u, struct opening *o)
{
	struct buf errors;
	struct store *s;
	bool is_wanted;

	pthread_mutex_lock(&u->lock);
	is_wanted = o->is_wanted;
	pthread_mutex_unlock(&u->lock);
	if (!is_wanted)
		return;
	buf_init(&errors, ERRORS_MAX);
	s = open_store(u, o, &errors);
	say_errors(o, buf_view(&errors));
	buf_free(&errors);
	if (s == NULL)
		return;
	if (o->said.n > 0)
		log_info("%s: open now", o->what);
	buf_clear(&o->said);
	pthread_mutex_lock(&u->lock);
	store_close(&o->ready);
	o->ready = s;
	o->is_wanted = false;
	pthread_mutex_unlock(&u->lock);
	u->opened(u->arg);
}

/* Slice by slice; a store that is down is tried again the next time. */
static void
purge(struct upkeep *u)
{
	struct store_spec spec = u->spec;
	struct buf ignored;
	bool more = true;
	int64_t until;

	if (clock_monotonic() < u->purge_at)
		return;
	until = clock_monotonic() + PURGE_TURN;
	u->purge_at = clock_monotonic() + PURGE_EVERY * INT64_C(1000000000);
	buf_init(&ignored, ERRORS_MAX);
	spec.kinds = STORE_SUPPRESS;
	spec.access = STORE_CHANGE;
	if (u->purged == NULL)
		u->purged = store_open(&spec, &ignored);
	buf_free(&ignored);
	while (u->purged != NULL && more) {
		if (store_suppress_purge(u->purged, PURGE_SLICE, &more,
		    store_deadline(PURGE_MILLIS)) != STORE_YES) {
			store_close(&u->purged);
			return;
		}
		metrics_add(u->metrics, METRIC_PURGED_SLICES, 1);
		if (more && clock_monotonic() >= until) {
			u->purge_at = until;
			return;
		}
		if (more && nap(u, PURGE_PAUSE))
			return;
	}
}

static struct store *
open_sieved(struct upkeep *u)
{
	struct store_spec spec = u->spec;
	struct buf ignored;
	struct store *s;

	buf_init(&ignored, ERRORS_MAX);
	spec.kinds = STORE_SUPPRESS;
	spec.access = STORE_READ;
	s = store_open(&spec, &ignored);
	buf_free(&ignored);
	return s;
}

static void
make_sieve(struct upkeep *u)
{
	int64_t began = clock_monotonic(), took;
	struct suppress_sieve *fresh = NULL;
	bool is_wanted;

	pthread_mutex_lock(&u->lock);
	is_wanted = u->wants_sieve && u->sieve == NULL &&
	    !u->lists.is_wanted && !u->rates.is_wanted;
	pthread_mutex_unlock(&u->lock);
	if (!is_wanted || began < u->sieve_at)
		return;
	store_close(&u->sieved);
	u->sieved = open_sieved(u);
	if (u->sieved != NULL)
		fresh = store_suppress_make_sieve(u->sieved, &u->stop,
		    store_deadline(SIEVE_MILLIS));
	took = clock_monotonic() - began;
	u->sieve_at = began + took + (took * SIEVE_SHARE > SIEVE_EVERY ?
	    took * SIEVE_SHARE : SIEVE_EVERY);
	if (fresh == NULL)
		return;
	pthread_mutex_lock(&u->lock);
	u->sieve = fresh;
	u->wants_sieve = false;
	pthread_mutex_unlock(&u->lock);
	u->opened(u->arg);
}

static void *
run(void *arg)
{
	struct upkeep *u = arg;

	do {
		try(u, &u->lists);
		try(u, &u->rates);
		pthread_mutex_lock(&u->lock);
		u->was_tried = true;
		pthread_cond_broadcast(&u->changed);
		pthread_mutex_unlock(&u->lock);
		purge(u);
		make_sieve(u);
	} while (!nap(u, 1000));
	return NULL;
}

struct upkeep *
upkeep_start(const struct settings *s, struct metrics *m,
    void (*opened)(void *arg), void *arg)
{
	struct upkeep *u = mem_alloc(sizeof(*u));
	pthread_condattr_t attr;

	*u = (struct upkeep){
		.arena = arena_new(),
		.metrics = m,
		.opened = opened,
		.arg = arg,
		.lists = { .what = "suppressions", .is_wanted = true,
		    .kinds = STORE_SUPPRESS | STORE_META },
		.rates = { .what = "limits", .is_wanted = true,
		    .kinds = STORE_RATES },
		.wants_sieve = true,
		.purge_at = clock_monotonic() + INT64_C(5000000000),
	};
	u->spec.store = arena_copy(u->arena, s->store);
	u->spec.rates = arena_copy(u->arena, s->rates);
	u->spec.clock = clock_system();
	buf_init(&u->lists.said, ERRORS_MAX);
	buf_init(&u->rates.said, ERRORS_MAX);
	pthread_mutex_init(&u->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&u->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&u->thread, NULL, run, u) != 0) {
		log_error("cannot start a thread: %m");
		u->is_ending = true;
		upkeep_stop(&u);
	}
	return u;
}

void
upkeep_stop(struct upkeep **upkeep)
{
	struct upkeep *u = *upkeep;
	bool is_running;

	if (u == NULL)
		return;
	pthread_mutex_lock(&u->lock);
	is_running = !u->is_ending;
	u->is_ending = true;
	atomic_store(&u->stop, true);
	pthread_cond_broadcast(&u->changed);
	pthread_mutex_unlock(&u->lock);
	if (is_running)
		pthread_join(u->thread, NULL);
	store_close(&u->lists.ready);
	store_close(&u->rates.ready);
	store_close(&u->purged);
	store_close(&u->sieved);
	suppress_sieve_free(&u->sieve);
	buf_free(&u->lists.said);
	buf_free(&u->rates.said);
	pthread_cond_destroy(&u->changed);
	pthread_mutex_destroy(&u->lock);
	arena_free(&u->arena);
	free(u);
	*upkeep = NULL;
}

void
upkeep_wait(struct upkeep *u, unsigned millis)
{
	int64_t end = clock_monotonic() + millis * INT64_C(1000000);

	pthread_mutex_lock(&u->lock);
	while (!u->was_tried && clock_monotonic() < end)
		wait_locked(u, 50);
	pthread_mutex_unlock(&u->lock);
}

static void
take(struct opening *o, struct store **out)
{
	if (o->ready == NULL)
		return;
	*out = o->ready;
	o->ready = NULL;
}

void
upkeep_take(struct upkeep *u, struct store **lists, struct store **rates)
{
	pthread_mutex_lock(&u->lock);
	take(&u->lists, lists);
	take(&u->rates, rates);
	pthread_mutex_unlock(&u->lock);
}

struct suppress_sieve *
upkeep_take_sieve(struct upkeep *u)
{
	struct suppress_sieve *sieve;

	pthread_mutex_lock(&u->lock);
	sieve = u->sieve;
	u->sieve = NULL;
	pthread_mutex_unlock(&u->lock);
	return sieve;
}

void
upkeep_want_sieve(struct upkeep *u)
{
	pthread_mutex_lock(&u->lock);
	u->wants_sieve = true;
	pthread_mutex_unlock(&u->lock);
}

void
upkeep_want_lists(struct upkeep *u)
{
	pthread_mutex_lock(&u->lock);
	u->lists.is_wanted = true;
	pthread_mutex_unlock(&u->lock);
}
