/*
 * writer.c - the writer's queue and thread.  What waits when the thread comes
 * round goes into one transaction; what fails is tried again until its
 * deadline.
 */
#include "store/writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "store/writer_events.h"
#include "store/writer_job.h"

/* Jobs of one transaction: some 10 ms of work. */
#define BATCH 512
/* One attempt takes no longer, so that others' deadlines are kept. */
#define ATTEMPT_MILLIS 1000
/* Between attempts while the store is down. */
#define PAUSE_MILLIS 20
/* Between looks at a store that is down when nothing waits. */
#define PROBE_MILLIS 250

struct writer {
	struct arena *arena; /* the spec's texts */
	struct store_spec spec;
	struct store *store; /* the thread's; NULL: to be opened */
	struct writer_events *events; /* NULL: not of the spec */
	atomic_bool is_down; /* the last suppression could not be stored */
	atomic_bool is_busy; /* the thread has a batch */
	/* the thread's: what is being made durable, in order */
	struct writer_job *batch[BATCH];
	size_t nbatch;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	struct writer_job **ring;
	size_t first, n, max;
	int64_t stop_by; /* INT64_MAX: not to stop */
};

static void
fill_batch(struct writer *w)
{
	while (w->nbatch < BATCH && w->n > 0) {
		w->batch[w->nbatch++] = w->ring[w->first];
		w->first = (w->first + 1) % w->max;
		w->n--;
	}
}

/* Removes what waits in the queue longer than it may: to late[]. */
static size_t
take_late(struct writer *w, int64_t now, struct writer_job **late)
{
	size_t nlate = 0, kept = 0;

	for (size_t i = 0; i < w->n; i++) {
		struct writer_job *job = w->ring[(w->first + i) % w->max];

		if (job->deadline <= now && nlate < BATCH)
			late[nlate++] = job;
		else
			w->ring[(w->first + kept++) % w->max] = job;
	}
	w->n = kept;
	return nlate;
}

static void
expire_batch(struct writer *w, int64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->nbatch; i++)
		if (w->batch[i]->deadline <= now)
			writer_job_end(w->batch[i], STORE_UNKNOWN);
		else
			w->batch[kept++] = w->batch[i];
	w->nbatch = kept;
}

static bool
is_open(struct writer *w)
{
	struct buf errors;

	if (w->store != NULL)
		return true;
	buf_init(&errors, 65536);
	w->store = store_open(&w->spec, &errors);
	buf_free(&errors);
	return w->store != NULL;
}

/* No later than any job's deadline, nor than one attempt may take. */
static int64_t
attempt_deadline(const struct writer *w, int64_t now, int64_t stop_by)
{
	int64_t deadline = now + (int64_t)ATTEMPT_MILLIS * 1000000;

	if (stop_by < deadline)
		deadline = stop_by;
	for (size_t i = 0; i < w->nbatch; i++)
		if (w->batch[i]->deadline < deadline)
			deadline = w->batch[i]->deadline;
	return deadline;
}

/* The jobs [from, to) of the batch that are of that kind, as one change. */
static enum store_answer
write_kind(struct writer *w, unsigned kind, size_t from, size_t to,
    int64_t deadline)
{
	struct suppress_change *changes = NULL;
	struct meta_item *items = NULL;
	enum store_answer answer;
	size_t n = 0;

	if (kind == STORE_SUPPRESS)
		changes = mem_alloc((to - from) * sizeof(*changes));
	else
		items = mem_alloc((to - from) * sizeof(*items));
	for (size_t i = from; i < to; i++) {
		if (w->batch[i]->kind != kind)
			continue;
		if (kind == STORE_SUPPRESS)
			changes[n++] = w->batch[i]->change;
		else
			items[n++] = w->batch[i]->item;
	}
	if (n == 0)
		answer = STORE_YES;
	else if (kind == STORE_SUPPRESS)
		answer = store_suppress_change(w->store, changes, n, deadline);
	else
		answer = store_meta_put(w->store, items, n, deadline);
	for (size_t i = from, j = 0; changes != NULL && i < to; i++)
		if (w->batch[i]->kind == kind)
			w->batch[i]->change.outcome = changes[j++].outcome;
	free(changes);
	free(items);
	return answer;
}

/* Takes the jobs of that kind that have their answers out of the batch. */
static void
end_kind(struct writer *w, unsigned kind, const enum store_answer *answers)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->nbatch; i++)
		if (w->batch[i]->kind == kind && answers[i] != STORE_UNKNOWN)
			writer_job_end(w->batch[i], answers[i]);
		else
			w->batch[kept++] = w->batch[i];
	w->nbatch = kept;
}

static bool
has_kind(const struct writer *w, unsigned kind)
{
	for (size_t i = 0; i < w->nbatch; i++)
		if (w->batch[i]->kind == kind)
			return true;
	return false;
}

/* Whether suppressions can be stored, as far as this attempt tells. */
static void
note_answer(struct writer *w, unsigned kind, enum store_answer all)
{
	if (kind == STORE_SUPPRESS && has_kind(w, kind))
		atomic_store(&w->is_down, all == STORE_UNKNOWN);
}

/*
 * All jobs of a kind at once; where one of them can never be stored (STORE_NO)
 * each by itself, so that it does not take the others with it.
 */
static void
attempt_kind(struct writer *w, unsigned kind, int64_t deadline)
{
	enum store_answer answers[BATCH];
	enum store_answer all;

	if ((w->spec.kinds & kind) == 0)
		all = STORE_NO;
	else
		all = write_kind(w, kind, 0, w->nbatch, deadline);
	note_answer(w, kind, all);
	for (size_t i = 0; i < w->nbatch; i++) {
		answers[i] = all;
		if (all == STORE_NO && (w->spec.kinds & kind) != 0 &&
		    w->batch[i]->kind == kind)
			answers[i] = write_kind(w, kind, i, i + 1, deadline);
	}
	end_kind(w, kind, answers);
}

/* One round over the batch; what is left in it is to be tried again. */
static void
attempt(struct writer *w, int64_t stop_by)
{
	int64_t now = clock_monotonic();
	int64_t deadline;

	expire_batch(w, now);
	if (w->nbatch == 0)
		return;
	if (!is_open(w)) {
		note_answer(w, STORE_SUPPRESS, STORE_UNKNOWN);
		return;
	}
	deadline = attempt_deadline(w, now, stop_by);
	attempt_kind(w, STORE_SUPPRESS, deadline);
	attempt_kind(w, STORE_META, deadline);
}

/* Nobody may ask who knows that it is down: it is looked at all the same. */
static void
probe(struct writer *w)
{
	if (is_open(w) && store_suppress_change(w->store, NULL, 0,
	    store_deadline(PROBE_MILLIS)) == STORE_YES)
		atomic_store(&w->is_down, false);
}

static struct timespec
at_time(int64_t nanos)
{
	return (struct timespec){ .tv_sec = nanos / 1000000000,
		.tv_nsec = nanos % 1000000000 };
}

/* Locked: waits for work, or a little where work is left from before. */
static void
wait_for_work(struct writer *w)
{
	struct timespec until = at_time(store_deadline(PAUSE_MILLIS));

	if (w->nbatch > 0)
		pthread_cond_timedwait(&w->wake, &w->lock, &until);
	while (w->nbatch == 0 && w->n == 0 && w->stop_by == INT64_MAX &&
	    !atomic_load(&w->is_down))
		pthread_cond_wait(&w->wake, &w->lock);
	until = at_time(store_deadline(PROBE_MILLIS));
	if (w->nbatch == 0 && w->n == 0 && w->stop_by == INT64_MAX)
		pthread_cond_timedwait(&w->wake, &w->lock, &until);
}

/* Everything that is left is answered: nothing is known of it. */
static void
give_up(struct writer *w)
{
	for (;;) {
		pthread_mutex_lock(&w->lock);
		fill_batch(w);
		pthread_mutex_unlock(&w->lock);
		if (w->nbatch == 0)
			return;
		expire_batch(w, INT64_MAX);
	}
}

static void *
run(void *arg)
{
	struct writer *w = arg;
	struct writer_job *late[BATCH];
	bool is_done = false;

	while (!is_done) {
		int64_t stop_by;
		size_t nlate;

		pthread_mutex_lock(&w->lock);
		wait_for_work(w);
		fill_batch(w);
		nlate = take_late(w, clock_monotonic(), late);
		stop_by = w->stop_by;
		atomic_store(&w->is_busy, w->nbatch > 0);
		pthread_mutex_unlock(&w->lock);
		if (w->nbatch == 0 && atomic_load(&w->is_down))
			probe(w);
		for (size_t i = 0; i < nlate; i++)
			writer_job_end(late[i], STORE_UNKNOWN);
		attempt(w, stop_by);
		atomic_store(&w->is_busy, w->nbatch > 0);
		pthread_mutex_lock(&w->lock);
		is_done = w->stop_by != INT64_MAX &&
		    ((w->n == 0 && w->nbatch == 0) ||
		    clock_monotonic() >= w->stop_by);
		pthread_mutex_unlock(&w->lock);
	}
	give_up(w);
	store_close(&w->store);
	return NULL;
}

/* Is anything waiting that more than events depends on, and can be done? */
static bool
has_suppressions(void *arg)
{
	struct writer *w = arg;
	bool is_waiting;

	if (atomic_load(&w->is_down))
		return false;
	pthread_mutex_lock(&w->lock);
	is_waiting = w->n > 0;
	pthread_mutex_unlock(&w->lock);
	return is_waiting || atomic_load(&w->is_busy);
}

static void
make_events(struct writer *w)
{
	struct store_spec spec = w->spec;

	spec.kinds = STORE_EVENTS;
	w->events = writer_events_new(&spec, has_suppressions, w);
}

static struct writer *
make_writer(const struct store_spec *spec, size_t max)
{
	struct writer *w = mem_alloc(sizeof(*w));
	pthread_condattr_t attr;

	*w = (struct writer){ .arena = arena_new(), .spec = *spec, .max = max,
		.stop_by = INT64_MAX };
	w->spec.store = arena_copy(w->arena, spec->store);
	w->spec.rates = arena_copy(w->arena, spec->rates);
	w->spec.events = arena_copy(w->arena, spec->events);
	w->spec.access = STORE_CHANGE;
	if (spec->kinds & STORE_EVENTS)
		make_events(w);
	w->spec.kinds &= ~STORE_EVENTS;
	w->ring = arena_array(w->arena, max, sizeof(struct writer_job *));
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	return w;
}

/* How many events were lost. */
static uint64_t
free_writer(struct writer *w)
{
	uint64_t lost = writer_events_free(&w->events);

	store_close(&w->store);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	arena_free(&w->arena);
	free(w);
	return lost;
}

/* For their errors; handed to the threads before those start. */
static bool
open_stores(struct writer *w, struct buf *errors)
{
	bool is_well = w->events == NULL ||
	    writer_events_open(w->events, errors);

	w->store = store_open(&w->spec, errors);
	atomic_store(&w->is_down, w->store == NULL &&
	    (w->spec.kinds & STORE_SUPPRESS) != 0);
	return w->store != NULL && is_well;
}

struct writer *
writer_start(const struct store_spec *spec, size_t max, bool may_be_down,
    struct buf *errors)
{
	struct writer *w = make_writer(spec, max > 0 ? max : 1);
	int rc;

	if (!open_stores(w, errors) && !may_be_down) {
		free_writer(w);
		return NULL;
	}
	rc = w->events != NULL ? writer_events_start(w->events) : 0;
	if (rc == 0)
		rc = pthread_create(&w->thread, NULL, run, w);
	if (rc == 0)
		return w;
	buf_printf(errors, "the store's writer: no thread: %s\n",
	    strerror(rc));
	if (w->events != NULL)
		writer_events_stop(w->events, clock_monotonic());
	free_writer(w);
	return NULL;
}

uint64_t
writer_stop(struct writer **w, unsigned millis)
{
	uint64_t lost;

	if (*w == NULL)
		return 0;
	if ((*w)->events != NULL)
		writer_events_stop((*w)->events, store_deadline(millis));
	pthread_mutex_lock(&(*w)->lock);
	(*w)->stop_by = store_deadline(millis);
	pthread_cond_signal(&(*w)->wake);
	pthread_mutex_unlock(&(*w)->lock);
	pthread_join((*w)->thread, NULL);
	lost = free_writer(*w);
	*w = NULL;
	return lost;
}

/* Takes the job, which is freed when there is no room. */
static bool
enqueue(struct writer *w, const struct writer_job *job)
{
	struct writer_job *copy = writer_job_copy(job);
	bool has_room;

	pthread_mutex_lock(&w->lock);
	has_room = w->n < w->max;
	if (has_room) {
		w->ring[(w->first + w->n) % w->max] = copy;
		if (w->n++ == 0)
			pthread_cond_signal(&w->wake);
	}
	pthread_mutex_unlock(&w->lock);
	if (!has_room)
		free(copy);
	return has_room;
}

bool
writer_suppress(struct writer *w, const struct suppress_change *change,
    int64_t deadline, writer_done *done, void *arg)
{
	struct writer_job job = { .kind = STORE_SUPPRESS, .change = *change,
		.deadline = deadline, .done = done, .arg = arg };

	return enqueue(w, &job);
}

bool
writer_meta(struct writer *w, const struct meta_item *item, int64_t deadline,
    writer_done *done, void *arg)
{
	struct writer_job job = { .kind = STORE_META, .item = *item,
		.deadline = deadline, .done = done, .arg = arg };

	return enqueue(w, &job);
}

bool
writer_event(struct writer *w, const struct event *e, bool as_hash)
{
	return w->events != NULL && writer_events_put(w->events, e, as_hash);
}

bool
writer_events_failing(const struct writer *w, char out[WRITER_ERROR_SIZE])
{
	return w->events != NULL && writer_events_error(w->events, out);
}

uint64_t
writer_events_lost(const struct writer *w)
{
	return w->events == NULL ? 0 : writer_events_count_lost(w->events);
}

bool
writer_is_down(const struct writer *w)
{
	return atomic_load(&w->is_down);
}
