/*
 * client.c - a connection's events.
 */
#include "policyd/client.h"

#include <errno.h>
#include <event2/event.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "policyd/loop.h"

struct client {
	struct loop *loop;
	struct client *prev, *next;
	int fd;
	bool is_control;
	bool is_asking; /* its request is in the batch */
	struct event *readable, *writable;
	struct policy_parser in;
	struct buf out;
	size_t sent;
	int64_t since; /* clock_monotonic() of what is under way; 0: nothing */
	char name[64];
};

bool
client_is_control(const struct client *c)
{
	return c->is_control;
}

struct client *
client_next(const struct client *c)
{
	return c->next;
}

bool
client_is_idle(const struct client *c)
{
	return c->since == 0 && !c->is_asking;
}

/* Looked up only when the log needs it. */
const char *
client_name(const struct client *c)
{
	struct client *self = (struct client *)(uintptr_t)c;
	struct sockaddr_storage peer;
	socklen_t n = sizeof(peer);
	struct ucred cred;
	char host[48] = "?", port[8] = "?";

	if (getpeername(c->fd, (struct sockaddr *)&peer, &n) == 0 &&
	    peer.ss_family != AF_UNIX) {
		getnameinfo((struct sockaddr *)&peer, n, host, sizeof(host),
		    port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
		snprintf(self->name, sizeof(self->name), "[%s]:%s", host,
		    port);
		return c->name;
	}
	n = sizeof(cred);
	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0)
		cred.pid = 0;
	snprintf(self->name, sizeof(self->name), "pid %d on the %s socket",
	    (int)cred.pid, c->is_control ? "control" : "policy");
	return c->name;
}

void
client_free(struct client *c)
{
	loop_forget(c->loop, c->is_asking ? c : NULL);
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		*loop_clients(c->loop) = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	event_free(c->readable);
	event_free(c->writable);
	close(c->fd);
	policy_parser_free(&c->in);
	buf_free(&c->out);
	free(c);
}

void
client_break(struct client *c, const char *why)
{
	log_warning("%s: %s: connection closed without an answer",
	    client_name(c), why);
	loop_count_broken(c->loop);
	client_free(c);
}

/* Takes what has arrived apart; may close the client. */
static void
look(struct client *c)
{
	struct str block;
	const char *why;

	switch (policy_parser_next(&c->in, &block, &why)) {
	case POLICY_READ_MORE:
		if (!policy_parser_is_within(&c->in))
			c->since = 0;
		else if (c->since == 0)
			c->since = clock_monotonic();
		return;
	case POLICY_READ_MALFORMED:
		client_break(c, why);
		return;
	case POLICY_READ_BLOCK:
		break;
	}
	if (c->since == 0)
		c->since = clock_monotonic();
	c->is_asking = true;
	why = loop_ask(c->loop, c, block);
	if (why == NULL)
		return;
	c->is_asking = false;
	client_break(c, why);
}

/* Has the peer closed, and not merely said that it has asked all? */
static bool
is_gone(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

/* A milter that gave up waiting put its message off: it is not charged. */
static void
leave(struct client *c)
{
	char unread;

	if (policy_parser_is_within(&c->in) ||
	    recv(c->fd, &unread, 1, MSG_PEEK) > 0)
		client_break(c, "it did not wait for the answer");
	else
		client_free(c);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;
	ssize_t got;
	size_t room;
	char *to;

	if (c->is_asking || c->out.n > 0)
		return;
	if ((what & EV_CLOSED) != 0 && is_gone(fd)) {
		leave(c);
		return;
	}
	to = policy_parser_room(&c->in, &room);
	got = recv(fd, to, room, 0);
	if (got > 0) {
		policy_parser_added(&c->in, (size_t)got);
		look(c);
	} else if (got == 0 && policy_parser_is_within(&c->in)) {
		client_break(c, "it hung up within a request");
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		client_free(c);
	}
}

/* Sends what is left.  False: the client is gone. */
static bool
send_rest(struct client *c)
{
	while (c->sent < c->out.n) {
		ssize_t n = send(c->fd, c->out.p + c->sent,
		    c->out.n - c->sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0) {
			client_free(c);
			return false;
		}
		c->sent += (size_t)n;
	}
	buf_free(&c->out);
	c->sent = 0;
	return true;
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;

	(void)fd;
	(void)what;
	if (!send_rest(c) || c->out.n > 0)
		return;
	event_del(c->writable);
	event_add(c->readable, NULL);
	c->since = 0;
	look(c);
}

void
client_answer(struct client *c, struct buf *reply)
{
	ssize_t n = send(c->fd, reply->p, reply->n, MSG_NOSIGNAL);

	c->is_asking = false;
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		client_free(c);
		return;
	}
	if (n == (ssize_t)reply->n) {
		c->since = 0;
		look(c);
		return;
	}
	/* the rest when it is taken; nothing is read meanwhile */
	c->sent = 0;
	buf_add(&c->out, reply->p + (n > 0 ? n : 0),
	    reply->n - (size_t)(n > 0 ? n : 0));
	c->since = clock_monotonic();
	event_del(c->readable);
	event_add(c->writable, NULL);
}

void
client_tick(struct client *c, int64_t now)
{
	if (c->since == 0 || c->is_asking ||
	    now - c->since < CLIENT_PATIENCE * INT64_C(1000000000))
		return;
	client_break(c, c->out.n > 0 ? "it does not take its reply" :
				       "its request does not end");
}

void
client_new(struct loop *l, int fd, bool is_control)
{
	struct client *c = mem_alloc(sizeof(*c));
	struct client **list = loop_clients(l);

	*c = (struct client){ .loop = l, .fd = fd, .is_control = is_control };
	policy_parser_init(&c->in, is_control ? POLICY_CONTROL_MAX :
						POLICY_ACCESS_MAX);
	buf_init(&c->out, POLICY_REPLY_MAX);
	c->readable = event_new(loop_base(l), fd, EV_READ | EV_PERSIST |
	    (is_control ? EV_CLOSED : 0), on_readable, c);
	c->writable = event_new(loop_base(l), fd, EV_WRITE | EV_PERSIST,
	    on_writable, c);
	c->next = *list;
	if (c->next != NULL)
		c->next->prev = c;
	*list = c;
	if (c->readable == NULL || c->writable == NULL ||
	    event_add(c->readable, NULL) != 0) {
		log_error("cannot watch a connection: it is closed");
		client_free(c);
	}
}
