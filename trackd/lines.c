/*
 * lines.c - a list of connections with a time that is up.
 */
#include "trackd/lines.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

#define SECOND INT64_C(1000000000)
/* To the end of the first request, or from a later one's line to its end. */
#define READ_TIME (20 * SECOND)
/*
 * Between two: longer than a proxy keeps a connection, which else would use
 * one that is just being closed.
 */
#define KEEP_TIME (75 * SECOND)
#define SEND_TIME (20 * SECOND)
#define NEVER	  INT64_MAX

struct line {
	struct lines *all;
	struct line *next, *prev;
	int fd;
	bool has_peer;
	struct net_addr peer;
	_Atomic int state;
	bool has_answered;
	_Atomic int64_t until; /* clock_monotonic() */
};

struct lines {
	struct metrics *metrics;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows, and fd of each */
	pthread_cond_t wake;
	struct line *first;
	size_t n;
	bool is_ending;
	atomic_bool is_draining;
};

/* What was sent is still read; then the library sees the end of it. */
static void
hang_up(struct line *l, int how)
{
	shutdown(l->fd, how);
	atomic_store(&l->until, NEVER);
}

static void
look(struct lines *all, int64_t now)
{
	bool is_draining = atomic_load(&all->is_draining);

	for (struct line *l = all->first; l != NULL; l = l->next)
		if (atomic_load(&l->until) <= now)
			hang_up(l, SHUT_RDWR);
		else if (is_draining && atomic_load(&l->state) == LINE_IDLE)
			hang_up(l, SHUT_RD);
}

static void *
run(void *arg)
{
	struct lines *all = arg;
	struct timespec until;

	pthread_mutex_lock(&all->lock);
	while (!all->is_ending) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec++;
		pthread_cond_timedwait(&all->wake, &all->lock, &until);
		look(all, clock_monotonic());
	}
	pthread_mutex_unlock(&all->lock);
	return NULL;
}

struct lines *
lines_new(struct metrics *m)
{
	struct lines *all = mem_alloc(sizeof(*all));
	pthread_condattr_t attr;

	*all = (struct lines){ .metrics = m };
	pthread_mutex_init(&all->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&all->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&all->thread, NULL, run, all) == 0)
		return all;
	log_error("cannot start a thread: %m");
	free(all);
	return NULL;
}

void
lines_free(struct lines **l)
{
	struct lines *all = *l;

	*l = NULL;
	if (all == NULL)
		return;
	pthread_mutex_lock(&all->lock);
	all->is_ending = true;
	pthread_cond_signal(&all->wake);
	pthread_mutex_unlock(&all->lock);
	pthread_join(all->thread, NULL);
	pthread_cond_destroy(&all->wake);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

static void
set_peer(struct line *l, const struct sockaddr *peer)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	l->has_peer = true;
	if (peer != NULL && peer->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)peer;

		memcpy(l->peer.b, mapped, 12);
		memcpy(l->peer.b + 12, &in->sin_addr, 4);
	} else if (peer != NULL && peer->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)peer;

		memcpy(l->peer.b, &in6->sin6_addr, 16);
	} else {
		l->has_peer = false;
	}
}

struct line *
line_open(struct lines *all, int fd, const struct sockaddr *peer)
{
	struct line *l = mem_alloc(sizeof(*l));

	*l = (struct line){ .all = all, .fd = fd };
	set_peer(l, peer);
	line_set(l, LINE_IDLE);
	metrics_add(all->metrics, METRIC_HTTP_CONNECTIONS, 1);
	pthread_mutex_lock(&all->lock);
	l->next = all->first;
	if (l->next != NULL)
		l->next->prev = l;
	all->first = l;
	all->n++;
	pthread_mutex_unlock(&all->lock);
	return l;
}

void
line_close(struct line **l)
{
	struct line *old = *l;
	struct lines *all;

	*l = NULL;
	if (old == NULL)
		return;
	all = old->all;
	metrics_subtract(all->metrics, METRIC_HTTP_CONNECTIONS, 1);
	pthread_mutex_lock(&all->lock);
	if (old->next != NULL)
		old->next->prev = old->prev;
	if (old->prev != NULL)
		old->prev->next = old->next;
	else
		all->first = old->next;
	all->n--;
	pthread_mutex_unlock(&all->lock);
	free(old);
}

const struct net_addr *
line_peer(const struct line *l)
{
	return l->has_peer ? &l->peer : NULL;
}

void
line_set(struct line *l, enum line_state state)
{
	int64_t now = clock_monotonic();

	atomic_store(&l->state, (int)state);
	switch (state) {
	case LINE_IDLE:
		atomic_store(&l->until,
		    now + (l->has_answered ? KEEP_TIME : READ_TIME));
		break;
	case LINE_ASKING:
		if (l->has_answered)
			atomic_store(&l->until, now + READ_TIME);
		break;
	case LINE_WAITING:
		atomic_store(&l->until, NEVER);
		break;
	case LINE_ANSWERING:
		l->has_answered = true;
		atomic_store(&l->until, now + SEND_TIME);
	}
}

size_t
lines_count(struct lines *all)
{
	size_t n;

	pthread_mutex_lock(&all->lock);
	n = all->n;
	pthread_mutex_unlock(&all->lock);
	return n;
}

void
lines_drain(struct lines *all)
{
	atomic_store(&all->is_draining, true);
	pthread_mutex_lock(&all->lock);
	look(all, clock_monotonic());
	pthread_mutex_unlock(&all->lock);
}
