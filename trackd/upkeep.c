/*
 * upkeep.c - roll-ups each minute, retention each hour.
 */
#include "trackd/upkeep.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "store/rollup.h"

#define SECOND INT64_C(1000000000)
/* Between two roll-ups; events of one slice, its time, and a pause. */
#define ROLLUP_EVERY  (60 * SECOND)
#define ROLLUP_SLICE  2000
#define ROLLUP_MILLIS 2000
#define ROLLUP_PAUSE  20
#define PURGE_EVERY   (3600 * SECOND)
#define PURGE_MILLIS  10000
#define ERRORS_MAX    4096
#define DAY	      INT64_C(86400000000)

struct upkeep {
	struct arena *arena; /* of the texts of spec */
	struct store_spec spec;
	struct store *store; /* the thread's; NULL: to be opened */
	bool has_failed;     /* and was said */
	int64_t rollup_at, purge_at; /* clock_monotonic() */
	_Atomic uint64_t days;
	pthread_t thread;
	pthread_mutex_t lock; /* guards is_ending */
	pthread_cond_t changed;
	bool is_ending;
};

/* True when it is to end. */
static bool
nap(struct upkeep *u, unsigned millis)
{
	struct timespec until;
	bool is_ending;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += millis / 1000;
	until.tv_nsec += millis % 1000 * 1000000L;
	if (until.tv_nsec >= SECOND) {
		until.tv_sec++;
		until.tv_nsec -= SECOND;
	}
	pthread_mutex_lock(&u->lock);
	if (!u->is_ending)
		pthread_cond_timedwait(&u->changed, &u->lock, &until);
	is_ending = u->is_ending;
	pthread_mutex_unlock(&u->lock);
	return is_ending;
}

/* Once for each time that it begins to fail. */
static void
say_failure(struct upkeep *u, const char *what, const char *why)
{
	if (!u->has_failed)
		log_warning("%s: %s; tried again each minute", what, why);
	u->has_failed = true;
	store_close(&u->store);
}

static bool
is_open(struct upkeep *u)
{
	struct buf errors;

	if (u->store != NULL)
		return true;
	buf_init(&errors, ERRORS_MAX);
	u->store = store_open(&u->spec, &errors);
	if (u->store == NULL) {
		struct str lines = buf_view(&errors);
		struct str line = str_sub(lines, 0, str_chr(lines, '\n', 0));
		struct arena *a = arena_new();

		say_failure(u, "events", arena_cstr(a, line));
		arena_free(&a);
	}
	buf_free(&errors);
	return u->store != NULL;
}

/* Slice by slice, so that nobody waits long for the store. */
static void
roll_up(struct upkeep *u)
{
	bool more = true;

	while (more && is_open(u)) {
		uint64_t ndone;

		if (store_rollup_step(u->store, ROLLUP_SLICE, &ndone, &more,
		    store_deadline(ROLLUP_MILLIS)) != STORE_YES) {
			say_failure(u, "roll-ups",
			    store_error(u->store, STORE_EVENTS));
			return;
		}
		u->has_failed = false;
		if (nap(u, more ? ROLLUP_PAUSE : 0))
			return;
	}
}

static void
purge(struct upkeep *u)
{
	uint64_t days = atomic_load(&u->days);
	int64_t now = clock_micros(&u->spec.clock);
	unsigned nfiles = 0;

	if (days == 0 || days > 36500 || !is_open(u))
		return;
	if (store_events_purge(u->store,
	    event_day(now - (int64_t)days * DAY), &nfiles,
	    store_deadline(PURGE_MILLIS)) == STORE_UNKNOWN)
		say_failure(u, "events",
		    store_error(u->store, STORE_EVENTS));
	/* an event may be judged anew, or rolled up, days later */
	else if (store_rollup_purge(u->store,
	    event_day(now - (int64_t)(days + 7) * DAY),
	    store_deadline(PURGE_MILLIS)) == STORE_UNKNOWN)
		say_failure(u, "roll-ups",
		    store_error(u->store, STORE_EVENTS));
	if (nfiles > 0)
		log_info("events of %u days are older than event-retention: "
			 "taken away", nfiles);
}

static void *
run(void *arg)
{
	struct upkeep *u = arg;

	while (!nap(u, 1000)) {
		int64_t now = clock_monotonic();

		if (now >= u->rollup_at) {
			roll_up(u);
			u->rollup_at = now + ROLLUP_EVERY;
		}
		if (now >= u->purge_at) {
			purge(u);
			u->purge_at = now + PURGE_EVERY;
		}
	}
	store_close(&u->store);
	return NULL;
}

struct upkeep *
upkeep_start(const struct settings *s)
{
	struct upkeep *u = mem_alloc(sizeof(*u));
	pthread_condattr_t attr;

	*u = (struct upkeep){ .arena = arena_new() };
	u->spec = (struct store_spec){
		.store = arena_copy(u->arena, s->store),
		.rates = arena_copy(u->arena, s->rates),
		.events = arena_copy(u->arena, s->events),
		.kinds = STORE_EVENTS,
		.access = STORE_CHANGE,
		.clock = clock_system(),
	};
	u->rollup_at = u->purge_at = clock_monotonic();
	atomic_store(&u->days, s->event_retention);
	pthread_mutex_init(&u->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&u->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&u->thread, NULL, run, u) == 0)
		return u;
	log_error("cannot start a thread: %m");
	arena_free(&u->arena);
	free(u);
	return NULL;
}

void
upkeep_set_retention(struct upkeep *u, uint64_t days)
{
	atomic_store(&u->days, days);
}

void
upkeep_stop(struct upkeep **upkeep)
{
	struct upkeep *u = *upkeep;

	*upkeep = NULL;
	if (u == NULL)
		return;
	pthread_mutex_lock(&u->lock);
	u->is_ending = true;
	pthread_cond_signal(&u->changed);
	pthread_mutex_unlock(&u->lock);
	pthread_join(u->thread, NULL);
	pthread_cond_destroy(&u->changed);
	pthread_mutex_destroy(&u->lock);
	arena_free(&u->arena);
	free(u);
}
