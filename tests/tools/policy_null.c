/*
 * policy_null.c - a policy server that says DUNNO to everything, as plainly as
 * can be: what the protocol itself costs, for benches.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "bulkhead/listen.h"

struct connection {
	struct event *event;
	size_t n;
	char in[65536];
};

static const char answer[] = "action=DUNNO\n\n";

static void
end(struct connection *c, int fd)
{
	event_free(c->event);
	close(fd);
	free(c);
}

/* One request at a time: it ends where the octets do. */
static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;
	ssize_t got = read(fd, c->in + c->n, sizeof(c->in) - c->n);

	(void)what;
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		end(c, fd);
		return;
	}
	c->n += (size_t)got;
	if (c->n < 2 || memcmp(c->in + c->n - 2, "\n\n", 2) != 0) {
		if (c->n == sizeof(c->in))
			end(c, fd);
		return;
	}
	c->n = 0;
	if (write(fd, answer, sizeof(answer) - 1) < 0)
		end(c, fd);
}

static void
on_connection(evutil_socket_t fd, short what, void *arg)
{
	int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct connection *c;

	(void)what;
	if (client < 0)
		return;
	c = malloc(sizeof(*c));
	if (c == NULL)
		exit(EX_OSERR);
	c->n = 0;
	c->event = event_new(arg, client, EV_READ | EV_PERSIST, on_readable,
	    c);
	event_add(c->event, NULL);
}

int
main(int argc, char **argv)
{
	struct event_base *base = event_base_new();

	if (argc < 2) {
		fprintf(stderr, "usage: policy_null SOCKET...\n");
		return EX_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	for (int i = 1; i < argc; i++) {
		struct event *e;
		int fd, rc = listen_open(argv[i], NULL, &fd);

		if (rc != EX_OK)
			return rc;
		e = event_new(base, fd, EV_READ | EV_PERSIST, on_connection,
		    base);
		event_add(e, NULL);
	}
	return event_base_dispatch(base) == 0 ? EX_OK : EX_OSERR;
}
