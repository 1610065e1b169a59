/*
 * writer_events.c - events wait a moment for others and are committed
 * together, by a thread and in files of their own: what people wait for,
 * suppressions, meets neither a long batch nor its check-points.
 */
#include "store/writer_events.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "store/events_private.h"

/* How much may wait. */
#define QUEUE_MAX    65536
#define QUEUE_OCTETS ((size_t)64 << 20)
/* Of one transaction: some 10 ms of work. */
#define BATCH 2048
/* How long the first waits for others; fewer than BATCH. */
#define GATHER_MILLIS 100
/* Behind suppressions, together no longer than this. */
#define POLITE_MILLIS 40
#define POLITE_PAUSE  2
#define ATTEMPT_MILLIS 1000
/* Between attempts while the store is down. */
#define PAUSE_MILLIS 250

struct waiting {
	size_t octets; /* of all of it */
	bool as_hash;
	struct event event; /* its texts follow */
};

struct writer_events {
	struct store_spec spec;
	bool (*must_wait)(void *arg);
	void *arg;
	struct store *store; /* the thread's; NULL: to be opened */
	/* the thread's: what is being committed, in order */
	struct waiting *batch[BATCH];
	struct event events[BATCH];
	size_t nbatch;
	bool has_thread;
	pthread_t thread;
	atomic_ullong nlost;
	char error[WRITER_ERROR_SIZE]; /* locked; empty: none */
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	struct waiting **ring;
	size_t first, n, octets;
	int64_t stop_by; /* INT64_MAX: not to stop */
};

static void
sleep_until(int64_t nanos)
{
	struct timespec t = { .tv_sec = nanos / 1000000000,
		.tv_nsec = nanos % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* Locked. */
static void
wait_until(struct writer_events *w, int64_t nanos)
{
	struct timespec t = { .tv_sec = nanos / 1000000000,
		.tv_nsec = nanos % 1000000000 };

	pthread_cond_timedwait(&w->wake, &w->lock, &t);
}

/* Locked: for the first, then for those that come with it. */
static void
gather(struct writer_events *w)
{
	int64_t until;

	while (w->nbatch == 0 && w->n == 0 && w->stop_by == INT64_MAX)
		pthread_cond_wait(&w->wake, &w->lock);
	until = store_deadline(GATHER_MILLIS);
	while (w->nbatch == 0 && w->n < BATCH && w->stop_by == INT64_MAX &&
	    clock_monotonic() < until)
		wait_until(w, until);
}

/* Locked: one way of storing addresses in a batch. */
static void
fill_batch(struct writer_events *w)
{
	while (w->nbatch < BATCH && w->n > 0) {
		struct waiting *next = w->ring[w->first];

		if (w->nbatch > 0 && next->as_hash != w->batch[0]->as_hash)
			return;
		w->batch[w->nbatch] = next;
		w->events[w->nbatch++] = next->event;
		w->first = (w->first + 1) % QUEUE_MAX;
		w->n--;
	}
}

/* They leave the queue's memory only now. */
static void
end_batch(struct writer_events *w, bool is_lost)
{
	size_t octets = 0;

	for (size_t i = 0; i < w->nbatch; i++) {
		octets += w->batch[i]->octets;
		free(w->batch[i]);
	}
	if (is_lost)
		atomic_fetch_add(&w->nlost, w->nbatch);
	w->nbatch = 0;
	pthread_mutex_lock(&w->lock);
	w->octets -= octets;
	pthread_mutex_unlock(&w->lock);
}

/* The first line: one way of failing is as good as all. */
static void
note_error(struct writer_events *w, struct str why)
{
	struct str line = str_sub(why, 0, str_chr(why, '\n', 0));

	line = str_sub(line, 0, sizeof(w->error) - 1);
	pthread_mutex_lock(&w->lock);
	if (line.n > 0)
		memcpy(w->error, line.p, line.n);
	w->error[line.n] = '\0';
	pthread_mutex_unlock(&w->lock);
}

bool
writer_events_error(struct writer_events *w, char out[WRITER_ERROR_SIZE])
{
	pthread_mutex_lock(&w->lock);
	memcpy(out, w->error, sizeof(w->error));
	pthread_mutex_unlock(&w->lock);
	return out[0] != '\0';
}

bool
writer_events_open(struct writer_events *w, struct buf *errors)
{
	size_t before = errors->n;

	if (w->store != NULL)
		return true;
	w->store = store_open(&w->spec, errors);
	if (w->store == NULL)
		note_error(w, str_sub(buf_view(errors), before, errors->n));
	return w->store != NULL;
}

static bool
is_open(struct writer_events *w)
{
	struct buf errors;
	bool out;

	buf_init(&errors, 65536);
	out = writer_events_open(w, &errors);
	buf_free(&errors);
	return out;
}

static void
be_polite(const struct writer_events *w)
{
	int64_t until = store_deadline(POLITE_MILLIS);

	while (w->must_wait(w->arg) && clock_monotonic() < until)
		sleep_until(store_deadline(POLITE_PAUSE));
}

/* An event that can never be stored does not take the others with it. */
static void
write_each(struct writer_events *w, bool as_hash, int64_t deadline)
{
	uint64_t nlost = 0;

	for (size_t i = 0; i < w->nbatch; i++)
		if (store_events_add(w->store, &w->events[i], 1, as_hash,
		    deadline) != STORE_YES)
			nlost++;
	atomic_fetch_add(&w->nlost, nlost);
}

/* False: it is to be tried again. */
static bool
attempt(struct writer_events *w, int64_t stop_by)
{
	int64_t deadline = store_deadline(ATTEMPT_MILLIS);
	bool as_hash;
	enum store_answer answer;

	if (w->nbatch == 0)
		return true;
	be_polite(w);
	if (!is_open(w))
		return false;
	if (stop_by < deadline)
		deadline = stop_by;
	as_hash = w->batch[0]->as_hash;
	answer = store_events_add(w->store, w->events, w->nbatch, as_hash,
	    deadline);
	if (answer == STORE_UNKNOWN) {
		note_error(w, str_from(store_error(w->store, STORE_EVENTS)));
		return false;
	}
	note_error(w, STR(""));
	if (answer == STORE_NO)
		write_each(w, as_hash, deadline);
	end_batch(w, false);
	return true;
}

/* Locked: while the store is down, or until it is to stop. */
static void
pause_a_little(struct writer_events *w)
{
	int64_t until = store_deadline(PAUSE_MILLIS);

	if (w->stop_by < INT64_MAX)
		until = store_deadline(POLITE_PAUSE);
	while (clock_monotonic() < until) {
		int64_t stop_by = w->stop_by;

		wait_until(w, until);
		if (w->stop_by != stop_by)
			return;
	}
}

static void *
run(void *arg)
{
	struct writer_events *w = arg;
	bool is_done = false, is_well = true;

	while (!is_done) {
		int64_t stop_by;

		pthread_mutex_lock(&w->lock);
		if (is_well)
			gather(w);
		else
			pause_a_little(w);
		fill_batch(w);
		stop_by = w->stop_by;
		pthread_mutex_unlock(&w->lock);
		is_well = attempt(w, stop_by);
		pthread_mutex_lock(&w->lock);
		is_done = w->stop_by != INT64_MAX && ((w->n == 0 &&
		    w->nbatch == 0) || clock_monotonic() >= w->stop_by);
		pthread_mutex_unlock(&w->lock);
	}
	store_close(&w->store);
	return NULL;
}

/* What is left is lost. */
static void
drop_all(struct writer_events *w)
{
	while (w->nbatch > 0 || w->n > 0) {
		fill_batch(w);
		end_batch(w, true);
	}
}

struct writer_events *
writer_events_new(const struct store_spec *spec, bool (*must_wait)(void *arg),
    void *arg)
{
	struct writer_events *w = mem_alloc(sizeof(*w));
	pthread_condattr_t attr;

	*w = (struct writer_events){ .spec = *spec, .must_wait = must_wait,
		.arg = arg, .stop_by = INT64_MAX,
		.ring = mem_alloc(QUEUE_MAX * sizeof(struct waiting *)) };
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	return w;
}

int
writer_events_start(struct writer_events *w)
{
	int rc = pthread_create(&w->thread, NULL, run, w);

	w->has_thread = rc == 0;
	return rc;
}

void
writer_events_stop(struct writer_events *w, int64_t stop_by)
{
	pthread_mutex_lock(&w->lock);
	w->stop_by = stop_by;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

uint64_t
writer_events_free(struct writer_events **w)
{
	uint64_t lost;

	if (*w == NULL)
		return 0;
	if ((*w)->has_thread)
		pthread_join((*w)->thread, NULL);
	drop_all(*w);
	lost = writer_events_count_lost(*w);
	store_close(&(*w)->store);
	pthread_cond_destroy(&(*w)->wake);
	pthread_mutex_destroy(&(*w)->lock);
	free((*w)->ring);
	free(*w);
	*w = NULL;
	return lost;
}

/* In one block of memory, texts and all; what is too long is left out here. */
static struct waiting *
copy_event(const struct event *e, bool as_hash)
{
	struct event source = *e;
	struct str *from[EVENT_TEXTS], *to[EVENT_TEXTS];
	struct waiting *copy;
	size_t total = sizeof(*copy);
	char *p;

	event_cut(&source);
	event_texts(&source, from);
	for (size_t i = 0; i < EVENT_TEXTS; i++)
		total += from[i]->n;
	copy = mem_alloc(total);
	*copy = (struct waiting){ .octets = total, .as_hash = as_hash,
		.event = source };
	event_texts(&copy->event, to);
	p = (char *)(copy + 1);
	for (size_t i = 0; i < EVENT_TEXTS; i++) {
		if (from[i]->n > 0)
			memcpy(p, from[i]->p, from[i]->n);
		to[i]->p = p;
		p += from[i]->n;
	}
	return copy;
}

bool
writer_events_put(struct writer_events *w, const struct event *e, bool as_hash)
{
	struct waiting *copy = copy_event(e, as_hash);
	bool has_room;

	pthread_mutex_lock(&w->lock);
	has_room = w->n < QUEUE_MAX && w->octets + copy->octets <=
	    QUEUE_OCTETS && w->stop_by == INT64_MAX;
	if (has_room) {
		w->ring[(w->first + w->n) % QUEUE_MAX] = copy;
		w->octets += copy->octets;
		w->n++;
		if (w->n == 1 || w->n == BATCH)
			pthread_cond_signal(&w->wake);
	}
	pthread_mutex_unlock(&w->lock);
	if (!has_room) {
		free(copy);
		atomic_fetch_add(&w->nlost, 1);
	}
	return has_room;
}

uint64_t
writer_events_count_lost(const struct writer_events *w)
{
	return atomic_load(&w->nlost);
}
