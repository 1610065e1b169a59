/*
 * loop.c - events, batches, ticks, the end.
 */
#include "policyd/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "policyd/control.h"
#include "policyd/reply.h"
#include "store/rate.h"

/*
 * A question waits for the batch under way, then for its own, and the milter
 * gives up after 1.5 s, Postfix after its timeout.
 */
#define DECIDE_MILLIS 600
#define SAVE_MILLIS   200
/* Accepted at once: others are served between. */
#define ACCEPT_MAX    64
/* Seconds of failure after which lists are opened anew. */
#define REOPEN_AFTER  3
/* Nanoseconds for what is under way when draining begins. */
#define DRAIN_TIME    (2 * INT64_C(1000000000))
/* And for what is left to save at the end; between two attempts. */
#define SAVE_TIME     (2 * INT64_C(1000000000))
#define SAVE_AGAIN    50000000L
/* Seconds between two lines about clients that wait. */
#define SAY_FULL      60

/* Octets of loop_write_status(). */
#define TOLD_MAX      (64 * 1024)

struct listener {
	struct loop *loop;
	struct event *event;
	int fd;
	bool is_control;
};

struct loop {
	struct loop_spec spec;
	struct upkeep *upkeep;
	struct event_base *base;
	struct listener listeners[2];
	size_t nlisteners;
	bool is_full; /* accepting pauses until the next tick */
	int64_t said_full; /* clock_monotonic(); 0: never */
	struct event *wake, *second;
	int wake_fd;
	struct client *clients;
	unsigned nclients;
	struct desk desk;
	/* one is filled while the other one is answered */
	struct batch batches[2];
	unsigned filling;
	bool is_save_failing;
	atomic_bool is_draining;
	pthread_mutex_t told_lock; /* guards told */
	struct buf told;	   /* for loop_write_status() */
};

struct event_base *
loop_base(struct loop *l)
{
	return l->base;
}

struct client **
loop_clients(struct loop *l)
{
	return &l->clients;
}

const char *
loop_ask(struct loop *l, struct client *c, struct str block)
{
	const char *why = NULL;

	batch_add(&l->batches[l->filling], block, client_is_control(c), c,
	    &why);
	return why;
}

void
loop_count_broken(struct loop *l)
{
	metrics_add(l->desk.metrics, METRIC_REQUESTS_BROKEN, 1);
}

void
loop_forget(struct loop *l, struct client *asking)
{
	struct question *q = l->batches[l->filling].first;

	for (; asking != NULL && q != NULL; q = q->next)
		if (q->from == asking)
			q->from = NULL;
	l->nclients--;
	metrics_subtract(l->desk.metrics, METRIC_SESSIONS_OPEN, 1);
}

static void
answer(struct loop *l, struct batch *b, struct question *q)
{
	struct buf out;

	buf_init(&out, POLICY_REPLY_MAX);
	if (!control_answer(&l->desk, b, q, l->nclients, &out)) {
		reply_write(q, &out);
		reply_log(b, q);
	}
	reply_count(b, q);
	reply_events(b, q);
	if (q->from != NULL && out.failed)
		client_break(q->from, "its reply would be too large");
	else if (q->from != NULL)
		client_answer(q->from, &out);
	buf_free(&out);
}

/* What was gathered; requests that were read already come next. */
static void
decide(struct loop *l)
{
	struct batch *b = &l->batches[l->filling];
	struct keyring *k;

	if (b->n == 0)
		return;
	l->filling = 1 - l->filling;
	k = l->spec.keyring(l->spec.arg);
	batch_decide(b, k->settings, DECIDE_MILLIS);
	for (struct question *q = b->first; q != NULL; q = q->next)
		answer(l, b, q);
	metrics_add(l->desk.metrics, METRIC_BATCHES, 1);
	batch_begin(b);
	keyring_free(&k);
}

/* Connections wait in the kernel meanwhile. */
static void
pause_accepting(struct loop *l, const char *why)
{
	int64_t now = clock_monotonic();

	if (l->is_full)
		return;
	l->is_full = true;
	if (l->said_full == 0 || now - l->said_full >= SAY_FULL *
	    INT64_C(1000000000)) {
		log_error("%u clients are served, further ones wait: %s",
		    l->nclients, why);
		l->said_full = now;
	}
	for (size_t i = 0; i < l->nlisteners; i++)
		event_del(l->listeners[i].event);
}

static void
resume_accepting(struct loop *l)
{
	if (!l->is_full || l->nclients >= l->spec.max_clients)
		return;
	l->is_full = false;
	for (size_t i = 0; i < l->nlisteners; i++)
		event_add(l->listeners[i].event, NULL);
}

static void
on_connection(evutil_socket_t fd, short what, void *arg)
{
	struct listener *from = arg;
	struct loop *l = from->loop;

	(void)what;
	for (int i = 0; i < ACCEPT_MAX; i++) {
		int c;

		if (l->nclients >= l->spec.max_clients) {
			pause_accepting(l, "more files may not be open");
			return;
		}
		c = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (c < 0 && (errno == EMFILE || errno == ENFILE ||
		    errno == ENOMEM || errno == ENOBUFS))
			pause_accepting(l, strerror(errno));
		if (c < 0)
			return;
		/* a peer that is gone without a word is noticed in the end */
		setsockopt(c, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 },
		    sizeof(int));
		l->nclients++;
		metrics_add(l->desk.metrics, METRIC_SESSIONS, 1);
		metrics_add(l->desk.metrics, METRIC_SESSIONS_OPEN, 1);
		client_new(l, c, from->is_control);
	}
}

/* What upkeep opened takes the place of what was there. */
static void
take_stores(struct loop *l)
{
	struct store *lists = NULL, *rates = NULL;

	if (l->upkeep == NULL)
		return;
	upkeep_take(l->upkeep, &lists, &rates);
	if (lists != NULL) {
		store_close(&l->desk.lists);
		l->desk.lists = lists;
	}
	if (rates != NULL) {
		store_close(&l->desk.rates);
		l->desk.rates = rates;
	}
}

/* A sieve that came late for the handle is of no use, and harmless. */
static void
take_sieve(struct loop *l)
{
	struct suppress_sieve *sieve;

	if (l->upkeep == NULL || l->desk.lists == NULL)
		return;
	sieve = upkeep_take_sieve(l->upkeep);
	if (sieve != NULL)
		store_suppress_use_sieve(l->desk.lists, &sieve);
	else if (store_suppress_wants_sieve(l->desk.lists))
		upkeep_want_sieve(l->upkeep);
}

/* A handle that fails again and again may have lost its file. */
static void
want_lists(struct loop *l, int64_t now)
{
	const struct outage_kind *k = &l->desk.outage.lists;

	if (k->is_down && (now < k->since || now - k->since >= REOPEN_AFTER) &&
	    l->upkeep != NULL)
		upkeep_want_lists(l->upkeep);
}

/* STORE_NO: some are left to save. */
static enum store_answer
save_rates(struct loop *l)
{
	enum store_answer answer;
	bool is_saved;

	if (l->desk.rates == NULL)
		return STORE_YES;
	answer = store_rate_save(l->desk.rates, store_deadline(SAVE_MILLIS));
	is_saved = answer != STORE_UNKNOWN;
	if (!is_saved)
		metrics_add(l->desk.metrics, METRIC_SAVES_FAILED, 1);
	if (!is_saved && !l->is_save_failing)
		log_error("limits cannot be saved, a restart would forget "
			  "them: %s", store_error(l->desk.rates, STORE_RATES));
	if (is_saved && l->is_save_failing)
		log_info("limits are saved again");
	l->is_save_failing = !is_saved;
	return answer;
}

/* What failed before fails again; what fails now may be locked for once. */
static void
save_all_rates(struct loop *l)
{
	const struct timespec soon = { 0, SAVE_AGAIN };
	int64_t end = clock_monotonic() + SAVE_TIME;
	bool is_hopeless = l->is_save_failing;
	enum store_answer answer = save_rates(l);

	while (answer != STORE_YES && clock_monotonic() < end) {
		if (answer == STORE_UNKNOWN && is_hopeless)
			break;
		if (answer == STORE_UNKNOWN)
			nanosleep(&soon, NULL);
		answer = save_rates(l);
	}
	if (answer != STORE_YES)
		log_warning("limits: not all are saved, the next start "
			    "forgets what was used last");
}

/* What is the loop's own is told by a copy. */
static void
tell(struct loop *l)
{
	pthread_mutex_lock(&l->told_lock);
	buf_clear(&l->told);
	control_write_state(&l->desk, l->nclients, &l->told);
	pthread_mutex_unlock(&l->told_lock);
}

void
loop_write_status(struct loop *l, struct buf *out)
{
	pthread_mutex_lock(&l->told_lock);
	if (l->told.n > 0) {
		buf_puts(out, ", ");
		buf_str(out, buf_view(&l->told));
	}
	pthread_mutex_unlock(&l->told_lock);
}

static void
on_second(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	int64_t now = clock_seconds(&l->desk.clock);
	int64_t monotonic = clock_monotonic();
	struct client *next;

	(void)fd;
	(void)what;
	for (struct client *c = l->clients; c != NULL; c = next) {
		next = client_next(c);
		client_tick(c, monotonic);
	}
	take_stores(l);
	take_sieve(l);
	want_lists(l, now);
	save_rates(l);
	instances_expire(l->desk.instances, now);
	resume_accepting(l);
	tell(l);
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	uint64_t n;

	(void)what;
	if (read(fd, &n, sizeof(n)) == (ssize_t)sizeof(n))
		take_stores(l);
}

void
loop_wake(struct loop *l)
{
	const uint64_t one = 1;

	/* full is as good: it will wake */
	if (write(l->wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_warning("cannot wake the loop: %m");
}

void
loop_drain(struct loop *l)
{
	atomic_store(&l->is_draining, true);
	loop_wake(l);
}

static void
stop_listening(struct loop *l)
{
	for (size_t i = 0; i < l->nlisteners; i++) {
		event_free(l->listeners[i].event);
		close(l->listeners[i].fd);
	}
	l->nlisteners = 0;
}

static void
close_idle(struct loop *l)
{
	struct client *next;

	for (struct client *c = l->clients; c != NULL; c = next) {
		next = client_next(c);
		if (client_is_idle(c))
			client_free(c);
	}
}

/*
 * What has arrived is read and answered; then idle connections are closed, and
 * so are the others when time is up.  Who asks on a closed one asks again on a
 * new one: Postfix and our client do.
 */
static void
drain(struct loop *l)
{
	int64_t end = clock_monotonic() + DRAIN_TIME;
	unsigned before = l->nclients;

	stop_listening(l);
	for (int i = 0; i < 3; i++) {
		event_base_loop(l->base, EVLOOP_NONBLOCK);
		decide(l);
	}
	close_idle(l);
	while (l->clients != NULL && clock_monotonic() < end) {
		const struct timeval soon = { 0, 20000 };

		event_base_loopexit(l->base, &soon);
		event_base_loop(l->base, EVLOOP_ONCE);
		decide(l);
		close_idle(l);
	}
	if (l->nclients > 0)
		log_warning("%u clients are cut off within a request",
		    l->nclients);
	while (l->clients != NULL)
		client_free(l->clients);
	log_info("drained: %u clients", before);
}

void
loop_run(struct loop *l)
{
	take_stores(l);
	tell(l);
	while (!atomic_load(&l->is_draining)) {
		bool is_more = l->batches[l->filling].n > 0;

		if (event_base_loop(l->base, EVLOOP_ONCE |
		    (is_more ? EVLOOP_NONBLOCK : 0)) < 0) {
			log_error("the event loop failed");
			break;
		}
		decide(l);
	}
	drain(l);
	save_all_rates(l);
}

int
loop_listen(struct loop *l, int fd, bool is_control)
{
	struct listener *to = &l->listeners[l->nlisteners];

	*to = (struct listener){ .loop = l, .fd = fd,
		.is_control = is_control };
	to->event = event_new(l->base, fd, EV_READ | EV_PERSIST,
	    on_connection, to);
	if (to->event == NULL || event_add(to->event, NULL) != 0) {
		log_error("cannot watch the socket that listens");
		return -1;
	}
	l->nlisteners++;
	return 0;
}

void
loop_set_upkeep(struct loop *l, struct upkeep *u)
{
	l->upkeep = u;
}

static int
add_events(struct loop *l)
{
	const struct timeval second = { 1, 0 };

	l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	l->base = event_base_new();
	if (l->wake_fd < 0 || l->base == NULL)
		return -1;
	l->wake = event_new(l->base, l->wake_fd, EV_READ | EV_PERSIST,
	    on_wake, l);
	l->second = event_new(l->base, -1, EV_PERSIST, on_second, l);
	if (l->wake == NULL || l->second == NULL)
		return -1;
	return event_add(l->wake, NULL) == 0 &&
	    event_add(l->second, &second) == 0 ? 0 : -1;
}

struct loop *
loop_new(const struct loop_spec *spec)
{
	struct loop *l = mem_alloc(sizeof(*l));

	*l = (struct loop){ .spec = *spec };
	pthread_mutex_init(&l->told_lock, NULL);
	buf_init(&l->told, TOLD_MAX);
	l->desk.metrics = spec->metrics;
	l->desk.clock = spec->clock;
	l->desk.event = spec->event;
	l->desk.event_arg = spec->event_arg;
	l->desk.pauses = pauses_new();
	l->desk.instances = instances_new(INSTANCES_MAX,
	    INSTANCES_OCTETS);
	batch_init(&l->batches[0], &l->desk);
	batch_init(&l->batches[1], &l->desk);
	if (add_events(l) != 0) {
		log_error("cannot make an event loop: %m");
		loop_free(&l);
	}
	return l;
}

void
loop_free(struct loop **loop)
{
	struct loop *l = *loop;

	if (l == NULL)
		return;
	while (l->clients != NULL)
		client_free(l->clients);
	stop_listening(l);
	if (l->wake != NULL)
		event_free(l->wake);
	if (l->second != NULL)
		event_free(l->second);
	if (l->base != NULL)
		event_base_free(l->base);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	store_close(&l->desk.lists);
	store_close(&l->desk.rates);
	pauses_free(&l->desk.pauses);
	instances_free(&l->desk.instances);
	batch_free(&l->batches[0]);
	batch_free(&l->batches[1]);
	buf_free(&l->told);
	pthread_mutex_destroy(&l->told_lock);
	free(l);
	*loop = NULL;
}
