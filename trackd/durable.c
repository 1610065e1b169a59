/*
 * durable.c - wishes on their way to the store or the spool, and the thread
 * that writes the spool and brings it to the store.
 */
#include "trackd/durable.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "trackd/wish_spool.h"

#define STORE_MILLIS 1000 /* that a visitor waits for the store */
/* While the store is down: the spool's replay, and a wish that tries it. */
#define TICK_MILLIS 1000
#define REPLAY_BATCH 256
#define GROUP 512 /* records in one write and sync of the spool */

#define ACTOR STR("trackd")

struct job {
	struct durable *d;
	struct request_wish *wish;
	void (*done)(void *arg);
	void *arg;
	bool to_spool; /* else it is to be told that it is lost */
	struct job *next;
};

struct durable {
	struct writer *w;
	struct metrics *metrics;
	struct wish_spool *spool; /* the thread's; NULL: none */
	_Atomic int64_t next_probe; /* nanoseconds, monotonic */
	_Atomic uint64_t shown; /* of waiting, in metrics */
	bool is_bridging; /* the thread's: the spool is in use, and was said */
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	struct job *first, **last; /* for the thread */
	unsigned nstoring; /* wishes that the writer has */
	unsigned nreplaying; /* records of a batch that the writer has */
	bool has_failed, is_refused; /* some of that batch */
	int64_t stop_by; /* INT64_MAX: not to stop */
};

/* The wish has its result: the last that is done with it. */
static void
finish(struct job *job)
{
	struct metrics *m = job->d->metrics;
	const struct request_wish *wish = job->wish;

	if (wish->result == WISH_LOST)
		metrics_add(m, METRIC_UNSUBSCRIBES_FAILED, 1);
	else if (wish->what == SUPPRESS_PUT)
		metrics_add(m, METRIC_UNSUBSCRIBED, 1);
	if (wish->result == WISH_SPOOLED)
		metrics_add(m, METRIC_SPOOLED, 1);
	job->done(job->arg);
	free(job);
}

static void
hand_to_thread(struct job *job, bool to_spool)
{
	struct durable *d = job->d;

	job->to_spool = to_spool;
	job->next = NULL;
	pthread_mutex_lock(&d->lock);
	*d->last = job;
	d->last = &job->next;
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
}

/* Without the writer: on disk, or refused, in a moment. */
static void
do_without_store(struct job *job)
{
	hand_to_thread(job, job->wish->what == SUPPRESS_PUT &&
	    job->d->spool != NULL);
}

static void
change_storing(struct durable *d, int by)
{
	pthread_mutex_lock(&d->lock);
	d->nstoring += (unsigned)by;
	if (d->nstoring == 0)
		pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
}

/* Of whom is nobody's business. */
static void
say_refused(const struct request_wish *wish, const char *why)
{
	log_error("the store takes no unsubscription from \"%.*s\": %s",
	    STR_ARG(wish->entry.scope.domain), why);
}

/* The writer's thread. */
static void
on_stored(void *arg, enum store_answer answer,
    const struct suppress_change *change)
{
	struct job *job = arg;
	struct durable *d = job->d;

	if (answer == STORE_UNKNOWN) {
		do_without_store(job);
	} else {
		job->wish->result = WISH_LOST;
		if (answer == STORE_YES) {
			job->wish->result = WISH_STORED;
			job->wish->outcome = change->outcome;
		} else {
			say_refused(job->wish, "refused");
		}
		finish(job);
	}
	change_storing(d, -1);
}

/* One wish a second tries a store that is down. */
static bool
may_probe(struct durable *d)
{
	int64_t now = clock_monotonic();
	int64_t next = atomic_load(&d->next_probe);

	return now >= next && atomic_compare_exchange_strong(&d->next_probe,
	    &next, now + (int64_t)TICK_MILLIS * 1000000);
}

void
durable_wish(struct durable *d, struct request_wish *wish,
    void (*done)(void *arg), void *arg)
{
	struct suppress_change change = { .what = wish->what,
		.entry = wish->entry, .actor = ACTOR,
		.is_exact = wish->what == SUPPRESS_REMOVE };
	const char *fault = suppress_fault(&wish->entry);
	struct job *job = mem_alloc(sizeof(*job));

	*job = (struct job){ .d = d, .wish = wish, .done = done, .arg = arg };
	wish->result = WISH_LOST;
	/* what the store will never take is not for the spool, either */
	if (fault != NULL)
		say_refused(wish, fault);
	if (fault != NULL || (wish->what == SUPPRESS_REMOVE &&
	    durable_waiting(d) > 0)) {
		hand_to_thread(job, false);
		return;
	}
	if (wish->what == SUPPRESS_PUT && d->spool != NULL &&
	    writer_is_down(d->w) && !may_probe(d)) {
		hand_to_thread(job, true);
		return;
	}
	change_storing(d, 1);
	if (!writer_suppress(d->w, &change, store_deadline(STORE_MILLIS),
	    on_stored, job)) {
		do_without_store(job);
		change_storing(d, -1);
	}
}

uint64_t
durable_waiting(const struct durable *d)
{
	return d->spool != NULL ? wish_spool_waiting(d->spool) : 0;
}

/* The gauge follows; the thread alone calls it. */
static void
show_waiting(struct durable *d)
{
	uint64_t now = durable_waiting(d), before = atomic_load(&d->shown);

	if (now > before)
		metrics_add(d->metrics, METRIC_SPOOL_WAITING, now - before);
	else
		metrics_subtract(d->metrics, METRIC_SPOOL_WAITING,
		    before - now);
	atomic_store(&d->shown, now);
}

/* The thread alone; one line when an outage begins, one when it is over. */
static void
log_outage(struct durable *d, bool is_bridging)
{
	if (is_bridging && !d->is_bridging)
		log_warning("the store takes no unsubscriptions now: they go "
		    "to the spool");
	if (!is_bridging && d->is_bridging)
		log_info("all unsubscriptions of the spool are in the store");
	d->is_bridging = is_bridging;
}

/* Writes the jobs from the first on, as many as one write takes. */
static struct job *
spool_group(struct durable *d, struct job *first)
{
	const struct suppress_entry *v[GROUP];
	struct job *next;
	size_t n = 0;
	bool is_lost;

	for (next = first; next != NULL && n < GROUP; next = next->next)
		if (next->to_spool)
			v[n++] = &next->wish->entry;
	is_lost = n > 0 && wish_spool_write(d->spool, v, n) != 0;
	show_waiting(d);
	if (n > 0 && !is_lost)
		log_outage(d, true);
	while (first != next) {
		struct job *job = first;

		first = job->next;
		job->wish->result = job->to_spool && !is_lost ? WISH_SPOOLED :
								WISH_LOST;
		finish(job);
	}
	return next;
}

/* The writer's thread. */
static void
on_replayed(void *arg, enum store_answer answer,
    const struct suppress_change *change)
{
	struct durable *d = arg;

	(void)change;
	pthread_mutex_lock(&d->lock);
	d->has_failed |= answer == STORE_UNKNOWN;
	d->is_refused |= answer == STORE_NO;
	if (--d->nreplaying == 0)
		pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
}

/* False: there is nothing to replay now. */
static bool
replay_batch(struct durable *d)
{
	struct suppress_entry v[REPLAY_BATCH];
	struct arena *a = arena_new();
	size_t n = wish_spool_next(d->spool, a, v, REPLAY_BATCH);

	d->has_failed = d->is_refused = false;
	for (size_t i = 0; i < n; i++) {
		struct suppress_change change = { .what = SUPPRESS_PUT,
			.entry = v[i], .actor = ACTOR };

		pthread_mutex_lock(&d->lock);
		d->nreplaying++;
		pthread_mutex_unlock(&d->lock);
		if (!writer_suppress(d->w, &change,
		    store_deadline(STORE_MILLIS), on_replayed, d))
			on_replayed(d, STORE_UNKNOWN, NULL);
	}
	arena_free(&a);
	show_waiting(d);
	return n > 0;
}

/*
 * Goes on with the replay: takes what came of the last batch, sends the next
 * one.  When to come again, monotonic; INT64_MAX: when the batch is through.
 */
static int64_t
replay(struct durable *d, bool has_batch, bool *sent)
{
	int64_t later = store_deadline(TICK_MILLIS);

	*sent = false;
	if (has_batch && d->has_failed)
		return later;
	if (has_batch && d->is_refused)
		wish_spool_refused(d->spool);
	if (has_batch)
		wish_spool_done(d->spool);
	else
		wish_spool_look(d->spool, !writer_is_down(d->w));
	*sent = replay_batch(d);
	if (durable_waiting(d) == 0)
		log_outage(d, false);
	return *sent ? INT64_MAX : later;
}

static struct timespec
at_time(int64_t nanos)
{
	return (struct timespec){ .tv_sec = nanos / 1000000000,
		.tv_nsec = nanos % 1000000000 };
}

/* Locked: nothing is left to do, or no time for it. */
static bool
is_over(struct durable *d, bool has_batch)
{
	return d->stop_by != INT64_MAX && d->first == NULL &&
	    d->nstoring == 0 && !has_batch &&
	    (durable_waiting(d) == 0 || writer_is_down(d->w) ||
	    clock_monotonic() >= d->stop_by);
}

/* Locked: until there is something to do for the thread. */
static void
wait_for_work(struct durable *d, int64_t again, bool has_batch)
{
	while (d->first == NULL && !(has_batch && d->nreplaying == 0) &&
	    !is_over(d, has_batch)) {
		struct timespec until;

		if (d->stop_by < again && clock_monotonic() < d->stop_by)
			again = d->stop_by;
		until = at_time(again);
		if (has_batch || again == INT64_MAX)
			pthread_cond_wait(&d->wake, &d->lock);
		else if (pthread_cond_timedwait(&d->wake, &d->lock, &until) ==
		    ETIMEDOUT)
			return;
	}
}

static void *
run(void *arg)
{
	struct durable *d = arg;
	bool has_batch = false, is_through, is_done = false;
	int64_t again = d->spool != NULL ? 0 : INT64_MAX;

	while (!is_done) {
		struct job *jobs;

		pthread_mutex_lock(&d->lock);
		wait_for_work(d, again, has_batch);
		jobs = d->first;
		d->first = NULL;
		d->last = &d->first;
		is_through = has_batch && d->nreplaying == 0;
		pthread_mutex_unlock(&d->lock);
		while (jobs != NULL)
			jobs = spool_group(d, jobs);
		if (is_through || (!has_batch && clock_monotonic() >= again))
			again = replay(d, is_through, &has_batch);
		pthread_mutex_lock(&d->lock);
		is_done = is_over(d, has_batch);
		pthread_mutex_unlock(&d->lock);
	}
	return NULL;
}

static struct durable *
make_durable(struct writer *w, struct metrics *metrics)
{
	struct durable *d = mem_alloc(sizeof(*d));
	pthread_condattr_t attr;

	*d = (struct durable){ .w = w, .metrics = metrics,
		.stop_by = INT64_MAX };
	d->last = &d->first;
	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->wake, &attr);
	pthread_condattr_destroy(&attr);
	return d;
}

static void
free_durable(struct durable *d)
{
	wish_spool_close(&d->spool);
	pthread_cond_destroy(&d->wake);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

struct durable *
durable_start(struct writer *w, struct str spool, struct metrics *metrics)
{
	struct durable *d = make_durable(w, metrics);
	int rc;

	if (spool.n > 0) {
		d->spool = wish_spool_open(spool);
		if (d->spool == NULL) {
			free_durable(d);
			return NULL;
		}
		show_waiting(d);
	}
	rc = pthread_create(&d->thread, NULL, run, d);
	if (rc == 0)
		return d;
	log_error("trackd's spool: no thread: %s", strerror(rc));
	free_durable(d);
	return NULL;
}

void
durable_stop(struct durable **d, unsigned millis)
{
	if (*d == NULL)
		return;
	pthread_mutex_lock(&(*d)->lock);
	(*d)->stop_by = store_deadline(millis);
	pthread_cond_signal(&(*d)->wake);
	pthread_mutex_unlock(&(*d)->lock);
	pthread_join((*d)->thread, NULL);
	free_durable(*d);
	*d = NULL;
}
