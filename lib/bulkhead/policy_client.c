/*
 * policy_client.c - asks policyd over its control socket.
 */
#include "bulkhead/policy_client.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/net.h"
#include "bulkhead/policy_proto.h"

#define IDLE_MAX 32 /* connections that are kept */
#define SECOND	 INT64_C(1000000000)
#define REQUEST_MAX POLICY_CONTROL_MAX
#define WHY_MAX	    200
#define VALUE_MAX   (POLICY_LINE_MAX - POLICY_NAME_MAX - 1)

struct policy_client {
	unsigned millis;
	pthread_mutex_t lock; /* guards all below */
	char *socket;
	unsigned generation; /* of socket: older connections are closed */
	int idle[IDLE_MAX];
	size_t nidle;
	int64_t complained; /* when the log was last told; 0: never */
	unsigned nsilent;   /* failures since then */
	int64_t answered, failed; /* seconds since 1970; 0: never */
	char why[WHY_MAX];	  /* it failed */
};

/* A connection in use. */
struct wire_to {
	int fd;
	unsigned generation;
	bool was_idle; /* policyd may have hung up meanwhile */
};

static void
close_idle(struct policy_client *c)
{
	while (c->nidle > 0)
		close(c->idle[--c->nidle]);
}

static char *
copy_text(struct str s)
{
	char *copy = mem_alloc(s.n + 1);

	if (s.n > 0)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}

struct policy_client *
policy_client_new(struct str socket, unsigned millis)
{
	struct policy_client *c = mem_alloc(sizeof(*c));

	*c = (struct policy_client){ .millis = millis,
		.socket = copy_text(socket) };
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void
policy_client_free(struct policy_client **c)
{
	if (*c == NULL)
		return;
	close_idle(*c);
	pthread_mutex_destroy(&(*c)->lock);
	free((*c)->socket);
	free(*c);
	*c = NULL;
}

void
policy_client_use(struct policy_client *c, struct str socket)
{
	pthread_mutex_lock(&c->lock);
	if (!str_eq(str_from(c->socket), socket)) {
		free(c->socket);
		c->socket = copy_text(socket);
		c->generation++;
		close_idle(c);
	}
	pthread_mutex_unlock(&c->lock);
}

/* 0, or -1 with errno: nothing happened on fd until the deadline. */
static int
wait_for(int fd, short events, int64_t deadline)
{
	for (;;) {
		int64_t left = deadline - clock_monotonic();
		struct pollfd p = { .fd = fd, .events = events };
		int rc;

		if (left <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		rc = poll(&p, 1, (int)(left / 1000000) + 1);
		if (rc > 0)
			return 0;
		if (rc < 0 && errno != EINTR)
			return -1;
	}
}

static int
connect_to(const struct sockaddr *addr, socklen_t n, int64_t deadline)
{
	int fd = socket(addr->sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;
	socklen_t size = sizeof(error);

	if (fd < 0)
		return -1;
	if (connect(fd, addr, n) == 0)
		return fd;
	error = errno;
	if (error == EINPROGRESS && (wait_for(fd, POLLOUT, deadline) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0))
		error = errno;
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

static int
connect_unix(const char *path, int64_t deadline)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sun.sun_path, path, strlen(path) + 1);
	/* EAGAIN: more wait there than may (unix(7)), for a moment */
	while ((fd = connect_to((struct sockaddr *)&sun, sizeof(sun),
	    deadline)) < 0 && errno == EAGAIN && clock_monotonic() < deadline)
		poll(NULL, 0, 5);
	return fd;
}

static int
connect_inet(const struct net_socket *where, int64_t deadline)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV }, *list, *one;
	char port[8];
	int fd = -1;

	snprintf(port, sizeof(port), "%u", where->port);
	if (getaddrinfo(where->host, port, &hints, &list) != 0) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	for (one = list; one != NULL && fd < 0; one = one->ai_next)
		fd = connect_to(one->ai_addr, one->ai_addrlen, deadline);
	freeaddrinfo(list);
	return fd;
}

static int
connect_any(const char *name, int64_t deadline)
{
	struct arena *a = arena_new();
	struct net_socket where;
	const char *why;
	int fd = -1;

	if (net_parse_socket(a, str_from(name), &where, &why) != 0 ||
	    where.kind == NET_FD)
		errno = EINVAL;
	else if (where.kind == NET_UNIX)
		fd = connect_unix(where.path, deadline);
	else
		fd = connect_inet(&where, deadline);
	arena_free(&a);
	return fd;
}

/*
 * Nothing can be read from a connection that waits for a question.  What came
 * all the same would be taken for the answer to the next one, and that for
 * the one after it: somebody else's recipients.
 */
static bool
is_quiet(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	    (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* One that is kept, or -1; the lock is held. */
static int
take_idle(struct policy_client *c)
{
	while (c->nidle > 0) {
		int fd = c->idle[--c->nidle];

		if (is_quiet(fd))
			return fd;
		close(fd);
	}
	return -1;
}

/* One that is kept, or a new one; 0, or -1 with errno. */
static int
begin(struct policy_client *c, struct wire_to *w, bool anew, int64_t deadline)
{
	char *name = NULL;

	pthread_mutex_lock(&c->lock);
	if (anew)
		close_idle(c);
	w->generation = c->generation;
	w->fd = take_idle(c);
	w->was_idle = w->fd >= 0;
	if (!w->was_idle)
		name = copy_text(str_from(c->socket));
	pthread_mutex_unlock(&c->lock);
	if (name != NULL) {
		w->fd = connect_any(name, deadline);
		free(name);
	}
	return w->fd >= 0 ? 0 : -1;
}

/* Kept for the next question when it is in order. */
static void
end(struct policy_client *c, struct wire_to *w, bool is_good)
{
	pthread_mutex_lock(&c->lock);
	if (is_good && w->generation == c->generation && c->nidle < IDLE_MAX)
		c->idle[c->nidle++] = w->fd;
	else
		close(w->fd);
	pthread_mutex_unlock(&c->lock);
}

static int
send_all(int fd, struct str s, int64_t deadline)
{
	size_t at = 0;

	while (at < s.n) {
		ssize_t n = send(fd, s.p + at, s.n - at, MSG_NOSIGNAL);

		if (n > 0)
			at += (size_t)n;
		else if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -1;
		else if (wait_for(fd, POLLOUT, deadline) != 0)
			return -1;
	}
	return 0;
}

/* One block; 0, or -1 with errno (EPIPE: it hung up, EPROTO: nonsense). */
static int
receive(int fd, struct policy_parser *p, struct str *block, int64_t deadline)
{
	for (;;) {
		const char *why;
		enum policy_read got = policy_parser_next(p, block, &why);
		size_t room;
		char *to;
		ssize_t n;

		if (got == POLICY_READ_BLOCK)
			return 0;
		if (got == POLICY_READ_MALFORMED) {
			errno = EPROTO;
			return -1;
		}
		to = policy_parser_room(p, &room);
		n = recv(fd, to, room, 0);
		if (n > 0)
			policy_parser_added(p, (size_t)n);
		else if (n == 0)
			errno = EPIPE;
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) ||
		    (n < 0 && wait_for(fd, POLLIN, deadline) != 0))
			return -1;
	}
}

/* True for what a policyd that was restarted does to a kept connection. */
static bool
has_hung_up(int error)
{
	return error == EPIPE || error == ECONNRESET || error == ENOTCONN;
}

/*
 * Question and answer.  A kept connection that turns out to be dead is no
 * answer: once more on a new one.  policyd charges a queue id once, so asking
 * twice is harmless.  0 with the block in *p, or -1 with errno.
 */
static int
converse(struct policy_client *c, struct str request, struct policy_parser *p,
    struct str *block)
{
	int64_t deadline = clock_monotonic() + c->millis * (SECOND / 1000);
	bool anew = false;

	for (;;) {
		struct wire_to w;
		int rc, error;

		if (begin(c, &w, anew, deadline) != 0)
			return -1;
		rc = send_all(w.fd, request, deadline);
		if (rc == 0)
			rc = receive(w.fd, p, block, deadline);
		error = errno;
		end(c, &w, rc == 0 && !policy_parser_is_within(p));
		errno = error;
		if (rc == 0 || !w.was_idle || anew || !has_hung_up(error))
			return rc;
		policy_parser_free(p);
		policy_parser_init(p, POLICY_REPLY_MAX);
		anew = true;
	}
}

/* Once a minute at most: while policyd is down each message would say it. */
static void
complain(struct policy_client *c, struct str queue_id, const char *why)
{
	int64_t now = clock_monotonic();
	unsigned n = 0;
	bool is_due;

	pthread_mutex_lock(&c->lock);
	is_due = c->complained == 0 || now - c->complained >= 60 * SECOND;
	if (is_due) {
		n = c->nsilent;
		c->nsilent = 0;
		c->complained = now;
	} else {
		c->nsilent++;
	}
	pthread_mutex_unlock(&c->lock);
	if (is_due)
		log_error("%.*s: policyd gave no answer: %s (%u more in the "
			  "last minute)", STR_ARG(queue_id), why, n);
}

/* How a question went: why is NULL when it was answered. */
static void
note(struct policy_client *c, const char *why)
{
	const struct clock clock = clock_system();
	int64_t now = clock_seconds(&clock);

	pthread_mutex_lock(&c->lock);
	if (why == NULL) {
		c->answered = now;
	} else {
		c->failed = now;
		snprintf(c->why, sizeof(c->why), "%s", why);
	}
	pthread_mutex_unlock(&c->lock);
}

static void
write_time(struct buf *out, const char *key, int64_t time)
{
	json_key(out, key);
	if (time == 0)
		buf_puts(out, "null");
	else
		json_number(out, time);
}

void
policy_client_write(struct policy_client *c, struct buf *out)
{
	json_key(out, "policyd");
	pthread_mutex_lock(&c->lock);
	if (c->socket[0] == '\0') {
		buf_puts(out, "null");
	} else {
		buf_char(out, '{');
		json_key(out, "socket");
		json_string(out, str_from(c->socket));
		write_time(out, "answered", c->answered);
		write_time(out, "failed", c->failed);
		json_key(out, "error");
		json_string_or_null(out, str_from(c->why));
		buf_char(out, '}');
	}
	pthread_mutex_unlock(&c->lock);
}

static bool
is_configured(struct policy_client *c)
{
	bool is_there;

	pthread_mutex_lock(&c->lock);
	is_there = c->socket[0] != '\0';
	pthread_mutex_unlock(&c->lock);
	return is_there;
}

/* A value for which a line of the protocol has no room. */
static bool
has_long_value(const struct policy_message *m)
{
	const struct str v[] = { m->instance, m->queue_id, m->sender,
		m->sasl_user, m->client, m->domain, m->stream, m->list };

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (v[i].n > VALUE_MAX)
			return true;
	for (size_t i = 0; i < m->nrecipients; i++)
		if (m->recipients[i].n > VALUE_MAX)
			return true;
	return false;
}

/*
 * policyd would close the connection, which is no answer: put off for ever, or
 * accepted unlooked-up.
 */
static void
refuse_value(struct policy_reply *out)
{
	*out = (struct policy_reply){ .answer = POLICY_REFUSE,
		.code = STR("552"), .status = STR("5.5.2"),
		.text = STR("an address or a name is too long for the policy "
		    "service") };
}

/* Later it would be no shorter: some 20,000 recipients. */
static void
refuse_long(struct arena *a, const struct policy_message *m,
    struct policy_reply *out)
{
	*out = (struct policy_reply){ .answer = POLICY_REFUSE,
		.code = STR("552"), .status = STR("5.5.3"),
		.text = arena_printf(a, "%zu recipients are too many for the "
		    "policy service: send the message in parts",
		    m->nrecipients) };
}

static void
ask(struct policy_client *c, struct arena *a, enum policy_kind kind,
    const struct policy_message *m, struct policy_reply *out)
{
	struct policy_parser p;
	struct buf request;
	struct str block;
	const char *why = NULL;

	*out = (struct policy_reply){ .answer = POLICY_ACCEPT };
	if (!is_configured(c))
		return;
	if (has_long_value(m)) {
		refuse_value(out);
		return;
	}
	buf_init(&request, REQUEST_MAX);
	policy_write_message(&request, kind, m);
	policy_parser_init(&p, POLICY_REPLY_MAX);
	if (request.failed)
		refuse_long(a, m, out);
	else if (converse(c, buf_view(&request), &p, &block) != 0)
		why = strerror(errno);
	else if (policy_reply_read(a, block, m->nrecipients, out, &why) == 0)
		why = NULL;
	note(c, why);
	if (why != NULL) {
		*out = (struct policy_reply){ .answer = POLICY_UNAVAILABLE };
		complain(c, m->queue_id, why);
	}
	policy_parser_free(&p);
	buf_free(&request);
}

static void
ask_admit(void *arg, struct arena *a, const struct policy_message *m,
    struct policy_reply *out)
{
	ask(arg, a, POLICY_ADMIT, m, out);
}

static void
ask_charge(void *arg, struct arena *a, const struct policy_message *m,
    struct policy_reply *out)
{
	ask(arg, a, POLICY_CHARGE, m, out);
}

struct policy
policy_client_policy(struct policy_client *c)
{
	return (struct policy){ ask_admit, ask_charge, c };
}

int
policy_client_ask(struct policy_client *c, struct arena *a, struct str request,
    struct str *reply, struct str *error)
{
	struct policy_parser p;
	struct str block;
	int rc;

	if (!is_configured(c)) {
		*error = STR("no control socket: set policyd { control = "
			     "... }");
		return -1;
	}
	policy_parser_init(&p, POLICY_REPLY_MAX);
	rc = converse(c, request, &p, &block);
	if (rc == 0)
		*reply = arena_copy(a, block);
	else
		*error = arena_printf(a, "%s: %s", c->socket,
		    strerror(errno));
	policy_parser_free(&p);
	return rc;
}
