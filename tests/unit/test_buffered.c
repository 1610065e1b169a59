/*
 * test_buffered.c - the buffer between libmilter and its sockets: this program
 * is linked with --wrap as the milter is, so that poll, read, writev, accept
 * and close below are the buffered ones for accepted sockets, and the real
 * ones for the client's.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Of buffered.c. */
#define ASK	  1
#define LINGER	  1000
#define LINGERERS 128

struct pair {
	int client, server;
};

static struct pair
connected(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t n = sizeof(sa_family_t);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct pair p;

	assert_int_equal(bind(fd, (struct sockaddr *)&sun, n), 0);
	assert_int_equal(listen(fd, 5), 0);
	n = sizeof(sun);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sun, &n), 0);
	p.client = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(p.client, (struct sockaddr *)&sun, n), 0);
	p.server = accept(fd, NULL, NULL);
	assert_true(p.server >= 0);
	close(fd);
	return p;
}

static void
closed(struct pair *p)
{
	close(p->server);
	close(p->client);
}

/* What poll(2) says of a descriptor, 0 when nothing within that time. */
static int
ready(int fd, short events, int timeout)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n = poll(&p, 1, timeout);

	return n > 0 ? p.revents : n;
}

static ssize_t
put(int fd, const char *a, const char *b)
{
	union {
		const char *text;
		void *base;
	} u = { a }, w = { b };
	struct iovec v[2] = { { u.base, strlen(a) }, { w.base, strlen(b) } };

	return writev(fd, v, 2);
}

static void
test_reads(void **state)
{
	struct pair p = connected();
	char got[16] = { 0 };

	(void)state;
	assert_int_equal(ready(p.server, POLLIN, 0), 0);
	assert_int_equal(write(p.client, "abcdefgh", 8), 8);
	assert_int_equal(ready(p.server, POLLIN | POLLPRI, 1000), POLLIN);
	assert_int_equal(read(p.server, got, 5), 5);
	/* the socket is empty now, the buffer is not */
	assert_int_equal(ready(p.server, POLLIN, 0), POLLIN);
	assert_int_equal(read(p.server, got + 5, 5), 3);
	assert_string_equal(got, "abcdefgh");
	assert_int_equal(ready(p.server, POLLIN, 0), 0);
	assert_int_equal(write(p.client, "i", 1), 1);
	assert_int_equal(read(p.server, got, 5), 1);
	close(p.client);
	assert_true((ready(p.server, POLLIN, 1000) & POLLIN) != 0);
	assert_int_equal(read(p.server, got, 5), 0);
	close(p.server);
}

static void
test_writes_leave_when_input_is_wanted(void **state)
{
	struct pair p = connected();
	char got[64] = { 0 };

	(void)state;
	assert_int_equal(write(p.client, "1234", 4), 4);
	assert_int_equal(read(p.server, got, 2), 2);
	assert_int_equal(ready(p.server, POLLOUT, 0), POLLOUT);
	assert_int_equal(put(p.server, "one", "two"), 6);
	assert_int_equal(put(p.server, "", "three"), 5);
	assert_int_equal(ready(p.client, POLLIN, 0), 0);
	/* there is input left: libmilter does not wait yet */
	assert_int_equal(ready(p.server, POLLIN, 0), POLLIN);
	assert_int_equal(ready(p.client, POLLIN, 0), 0);
	assert_int_equal(read(p.server, got, 2), 2);
	assert_int_equal(ready(p.server, POLLIN, 0), 0);
	assert_int_equal(ready(p.client, POLLIN, 0), POLLIN);
	memset(got, 0, sizeof(got));
	assert_int_equal(read(p.client, got, sizeof(got)), 11);
	assert_string_equal(got, "onetwothree");
	closed(&p);
}

static void
test_writes_leave_at_read_and_close(void **state)
{
	struct pair p = connected();
	char got[64] = { 0 };

	(void)state;
	assert_int_equal(put(p.server, "a", ""), 1);
	assert_int_equal(write(p.client, "x", 1), 1);
	assert_int_equal(read(p.server, got, 1), 1);
	assert_int_equal(ready(p.client, POLLIN, 0), POLLIN);
	assert_int_equal(read(p.client, got, 8), 1);
	assert_int_equal(put(p.server, "last", "word"), 8);
	assert_int_equal(ready(p.client, POLLIN, 0), 0);
	close(p.server);
	assert_int_equal(read(p.client, got, 64), 8);
	assert_memory_equal(got, "lastword", 8);
	assert_int_equal(read(p.client, got, 64), 0);
	close(p.client);
}

/* A client that writes and reads at its own, odd pace. */
struct talk {
	int fd;
	size_t sizes[2]; /* what it writes and reads at a time, at most */
	size_t total;
	unsigned long sum; /* of what it read */
};

static void *
write_all(void *arg)
{
	struct talk *t = arg;
	char *text = malloc(t->sizes[0]);

	for (size_t at = 0; at < t->total;) {
		size_t n = 1 + (at * 7919) % t->sizes[0];

		if (n > t->total - at)
			n = t->total - at;
		for (size_t i = 0; i < n; i++)
			text[i] = (char)((at + i) * 31 % 251);
		if (send(t->fd, text, n, MSG_NOSIGNAL) != (ssize_t)n)
			break;
		at += n;
	}
	free(text);
	shutdown(t->fd, SHUT_WR);
	return NULL;
}

static void *
read_all(void *arg)
{
	struct talk *t = arg;
	char *text = malloc(t->sizes[1]);
	size_t at = 0;
	ssize_t n;

	while ((n = recv(t->fd, text, t->sizes[1], 0)) > 0)
		for (ssize_t i = 0; i < n; i++, at++)
			t->sum += (unsigned char)text[i] ==
			    (unsigned char)(at * 31 % 251);
	free(text);
	return NULL;
}

/* The server sends back what it reads, in pieces of n octets at most. */
static void
echo(int fd, size_t n, size_t total)
{
	char *text = malloc(n);
	size_t at = 0;

	while (at < total) {
		struct iovec v = { text, 0 };
		ssize_t got;

		assert_true((ready(fd, POLLIN | POLLPRI, 5000) & POLLIN) != 0);
		got = read(fd, text, n);
		assert_true(got > 0);
		v.iov_len = (size_t)got;
		while (v.iov_len > 0) {
			ssize_t put_n = writev(fd, &v, 1);

			assert_true(put_n > 0);
			v.iov_base = (char *)v.iov_base + put_n;
			v.iov_len -= (size_t)put_n;
		}
		at += (size_t)got;
	}
	ready(fd, POLLIN, 0); /* close(2) does not wait for the client */
	free(text);
}

static void
test_much(void **state)
{
	static const size_t sizes[][3] = { /* client out, in; server */
		{ 1, 1, 1 }, { 7, 4096, 5 }, { 4096, 100, 65535 },
		{ 16384, 16384, 16384 }, { 16385, 999, 16383 },
		{ 100000, 70000, 65541 }, { 300000, 300000, 200000 } };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct pair p = connected();
		struct talk t = { p.client, { sizes[i][0], sizes[i][1] },
			sizes[i][0] < 10 ? 20000 : 1000000, 0 };
		pthread_t writer, reader;

		pthread_create(&writer, NULL, write_all, &t);
		pthread_create(&reader, NULL, read_all, &t);
		echo(p.server, sizes[i][2], t.total);
		close(p.server);
		pthread_join(writer, NULL);
		pthread_join(reader, NULL);
		assert_int_equal(t.sum, t.total);
		close(p.client);
	}
}

static void
test_lost(void **state)
{
	struct pair p = connected();
	char got[8];

	(void)state;
	assert_int_equal(put(p.server, "a", "b"), 2);
	close(p.client);
	errno = 0;
	assert_int_equal(ready(p.server, POLLIN, 0), -1);
	assert_int_equal(errno, EPIPE);
	assert_true(read(p.server, got, 8) <= 0);
	close(p.server);
}

/* Writes more than the socket takes. */
static void
stuff(int fd)
{
	static char text[60001];
	int n = 4096;

	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &n, sizeof(n)),
	    0);
	assert_int_equal(put(fd, text, ""), 60000);
}

/* libmilter closes with the lock of all sessions held. */
static void
test_close_does_not_wait(void **state)
{
	struct pair p = connected();

	(void)state;
	stuff(p.server);
	alarm(10);
	close(p.server);
	alarm(0);
	close(p.client);
}

/* What has come is x all over; what recv(2) says then. */
static ssize_t
read_x(int fd)
{
	char got[4096];
	ssize_t n;

	while ((n = recv(fd, got, sizeof(got), MSG_DONTWAIT)) > 0)
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(got[i], 'x');
	return n;
}

/* What could not be sent to its end is the end. */
static void
test_nothing_behind_a_torn_packet(void **state)
{
	struct pair p = connected();
	struct rlimit limit, none = { 0 };

	(void)state;
	stuff(p.server);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none.rlim_max = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none); /* poll(2) fails */
	assert_int_equal(ready(p.server, POLLIN, 0), -1);
	assert_int_equal(errno, EINVAL);
	setrlimit(RLIMIT_NOFILE, &limit);
	read_x(p.client);
	put(p.server, "new", "packet");
	ready(p.server, POLLIN, 0);
	assert_int_equal(read_x(p.client), 0);
	closed(&p);
}

static long
millis(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void *
write_later(void *arg)
{
	const struct pair *p = arg;
	struct timespec t = { .tv_nsec = LINGER / 4 * 1000000L };

	nanosleep(&t, NULL);
	assert_int_equal(write(p->client, "next", 4), 4);
	return NULL;
}

/* libmilter's question whether a session goes on. */
static void
test_lingers(void **state)
{
	struct pair p = connected();
	pthread_t writer;
	char got[8] = { 0 };
	long start;

	(void)state;
	assert_int_equal(put(p.server, "ans", "wer"), 6);
	pthread_create(&writer, NULL, write_later, &p);
	assert_int_equal(ready(p.server, POLLIN, ASK), POLLIN);
	pthread_join(writer, NULL);
	assert_int_equal(read(p.client, got, sizeof(got)), 6);
	assert_int_equal(read(p.server, got, sizeof(got)), 4);
	assert_memory_equal(got, "nexter", 6);
	start = millis();
	assert_int_equal(ready(p.server, POLLIN, ASK), 0);
	assert_true(millis() - start >= LINGER - 1);
	start = millis();
	close(p.client); /* the end is no less news */
	assert_true((ready(p.server, POLLIN, ASK) & POLLIN) != 0);
	assert_true(millis() - start < LINGER);
	close(p.server);
}

struct lingerer {
	struct pair pair;
	pthread_barrier_t *start;
	long millis;
	pthread_t thread;
};

static void *
ask(void *arg)
{
	struct lingerer *l = arg;
	long start;

	pthread_barrier_wait(l->start);
	start = millis();
	assert_int_equal(ready(l->pair.server, POLLIN, ASK), 0);
	l->millis = millis() - start;
	return NULL;
}

/* Threads are bounded: further sessions go to libmilter's one. */
static void
test_lingerers(void **state)
{
	struct lingerer v[LINGERERS + 20];
	size_t n = sizeof(v) / sizeof(v[0]), lingered = 0;
	pthread_barrier_t start;

	(void)state;
	pthread_barrier_init(&start, NULL, n);
	for (size_t i = 0; i < n; i++)
		v[i] = (struct lingerer){ connected(), &start, 0, 0 };
	for (size_t i = 0; i < n; i++)
		assert_int_equal(pthread_create(&v[i].thread, NULL, ask,
		    &v[i]), 0);
	for (size_t i = 0; i < n; i++) {
		pthread_join(v[i].thread, NULL);
		lingered += v[i].millis >= LINGER - 1;
		closed(&v[i].pair);
	}
	pthread_barrier_destroy(&start);
	assert_int_equal(lingered, LINGERERS);
}

#ifdef __GLIBC__
#if __USE_FORTIFY_LEVEL == 0
int __poll_chk(struct pollfd *v, nfds_t n, int timeout, size_t size);
ssize_t __read_chk(int fd, void *to, size_t n, size_t size);
#endif

/* A libmilter.a that was compiled with _FORTIFY_SOURCE=3, as Ubuntu's is. */
static void
test_fortified(void **state)
{
	struct pair p = connected();
	struct pollfd set = { .fd = p.server, .events = POLLIN };
	char got[8] = { 0 };

	(void)state;
	assert_int_equal(fcntl(p.server, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(write(p.client, "abcd", 4), 4);
	assert_int_equal(ready(p.server, POLLIN, 1000), POLLIN);
	assert_int_equal(__poll_chk(&set, 1, 0, sizeof(set)), 1);
	assert_int_equal(__read_chk(p.server, got, 2, sizeof(got)), 2);
	assert_int_equal(__poll_chk(&set, 1, 0, sizeof(set)), 1);
	assert_int_equal(__read_chk(p.server, got + 2, 6, 6), 2);
	assert_string_equal(got, "abcd");
	assert_int_equal(__poll_chk(&set, 1, 0, sizeof(set)), 0);
	closed(&p);
}
#endif

/* A number that is used again is another connection. */
static void
test_number_again(void **state)
{
	struct pair p = connected(), q;
	char got[8];

	(void)state;
	assert_int_equal(write(p.client, "old", 3), 3);
	assert_int_equal(read(p.server, got, 1), 1);
	closed(&p);
	q = connected();
	assert_int_equal(ready(q.server, POLLIN, 0), 0);
	assert_int_equal(write(q.client, "new", 3), 3);
	assert_int_equal(read(q.server, got, 8), 3);
	assert_memory_equal(got, "new", 3);
	closed(&q);
}

/* What was not accepted is none of its business: pipes, files, sets. */
static void
test_others(void **state)
{
	struct pair p = connected();
	struct pollfd set[2] = { { .events = POLLIN }, { .events = POLLIN } };
	int ends[2];
	char got[8];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(put(ends[1], "pi", "pe"), 4);
	assert_int_equal(ready(ends[0], POLLIN, 0), POLLIN);
	assert_int_equal(read(ends[0], got, 2), 2);
	set[0].fd = ends[0];
	set[1].fd = p.server;
	assert_int_equal(poll(set, 2, 0), 1);
	assert_int_equal(read(ends[0], got, 8), 2);
	assert_int_equal(write(p.client, "x", 1), 1);
	assert_int_equal(poll(set, 2, 1000), 1);
	assert_int_equal(set[1].revents, POLLIN);
	errno = 0;
	assert_int_equal(read(-1, got, 1), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(close(-1), -1);
	close(ends[0]);
	close(ends[1]);
	closed(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_writes_leave_when_input_is_wanted),
		cmocka_unit_test(test_writes_leave_at_read_and_close),
		cmocka_unit_test(test_much),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_close_does_not_wait),
		cmocka_unit_test(test_nothing_behind_a_torn_packet),
#ifdef __GLIBC__
		cmocka_unit_test(test_fortified),
#endif
		cmocka_unit_test(test_lingers),
		cmocka_unit_test(test_lingerers),
		cmocka_unit_test(test_number_again),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
