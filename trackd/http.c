/*
 * http.c - the library's daemon: its options, beginning and end.
 */
#include "trackd/http.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "trackd/http_call.h"

/*
 * Of a connection: the request line, its fields and the answer's.  All of it
 * may be in use, so that 10,000 connections take 250 MB at the most.
 */
#define CONNECTION_MEMORY (24 * 1024)
/* Seconds in which nothing comes or goes; lines.c knows better. */
#define IDLE_SECONDS 90

struct http {
	struct http_calls calls;
	struct lines *lines;
	struct MHD_Daemon *daemon;
	bool is_draining;
};

static struct line *
line_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info->socket_context;
}

static void
on_connection(void *arg, struct MHD_Connection *connection, void **context,
    enum MHD_ConnectionNotificationCode code)
{
	struct http *h = arg;
	const union MHD_ConnectionInfo *fd, *peer;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		line_close((struct line **)context);
		return;
	}
	fd = MHD_get_connection_info(connection,
	    MHD_CONNECTION_INFO_CONNECTION_FD);
	peer = MHD_get_connection_info(connection,
	    MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	*context = line_open(h->lines, fd->connect_fd, peer->client_addr);
}

/*
 * The library would take the query apart next, and a long one leaves no room
 * in the connection's memory: it is made empty in its buffer, copied before.
 */
static void *
on_uri(void *arg, const char *uri, struct MHD_Connection *connection)
{
	struct http *h = arg;
	struct http_call *c = http_call_new(&h->calls, line_of(connection),
	    uri);
	char *query = strchr((char *)(uintptr_t)uri, '?');

	if (query != NULL)
		query[1] = '\0';
	return c;
}

/* Paths stay as they came. */
static size_t
on_unescape(void *arg, struct MHD_Connection *connection, char *s)
{
	(void)arg;
	(void)connection;
	return strlen(s);
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *data, size_t *size,
    void **context)
{
	(void)arg;
	(void)url;
	return http_call_step(*context, connection, method, version, data,
	    size);
}

static void
on_completed(void *arg, struct MHD_Connection *connection, void **context,
    enum MHD_RequestTerminationCode code)
{
	(void)arg;
	(void)connection;
	(void)code;
	http_call_free((struct http_call **)context);
}

static struct MHD_Daemon *
start_daemon(struct http *h, const struct http_spec *spec)
{
	struct MHD_OptionItem pool[] = {
		{ MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)spec->threads, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};

	if (spec->threads == 1)
		pool[0].option = MHD_OPTION_END;
	return MHD_start_daemon(
	    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
	    NULL, on_request, h,
	    MHD_OPTION_LISTEN_SOCKET, (MHD_socket)spec->fd,
	    MHD_OPTION_CONNECTION_LIMIT, spec->max_connections,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
	    MHD_OPTION_URI_LOG_CALLBACK, on_uri, h,
	    MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, h,
	    MHD_OPTION_ARRAY, pool,
	    MHD_OPTION_END);
}

struct http *
http_start(const struct http_spec *spec)
{
	struct http *h = mem_alloc(sizeof(*h));

	*h = (struct http){
		.calls = { .metrics = spec->metrics, .worlds = spec->worlds,
		    .durable = spec->durable },
	};
	h->lines = lines_new(spec->metrics);
	if (h->lines != NULL)
		h->daemon = start_daemon(h, spec);
	if (h->daemon != NULL)
		return h;
	log_error("cannot serve HTTP: %m");
	lines_free(&h->lines);
	free(h);
	return NULL;
}

/* Who waits to be accepted has connected already: not to be turned away. */
static void
take_waiting(struct http *h, int fd)
{
	struct sockaddr_storage peer;
	socklen_t n = sizeof(peer);
	int got;

	while ((got = accept4(fd, (struct sockaddr *)&peer, &n,
	    SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		if (MHD_add_connection(h->daemon, got,
		    (struct sockaddr *)&peer, n) != MHD_YES)
			return; /* closed by the library */
		n = sizeof(peer);
	}
}

void
http_drain(struct http *h)
{
	MHD_socket fd;

	atomic_store(&h->calls.is_draining, true);
	if (!h->is_draining) {
		fd = MHD_quiesce_daemon(h->daemon);
		if (fd != MHD_INVALID_SOCKET)
			take_waiting(h, fd);
	}
	h->is_draining = true;
	lines_drain(h->lines);
}

size_t
http_connections(struct http *h)
{
	return lines_count(h->lines);
}

bool
http_may_stop(struct http *h)
{
	atomic_store(&h->calls.is_ending, true);
	return atomic_load(&h->calls.nwaiting) == 0;
}

void
http_stop(struct http **http)
{
	struct http *h = *http;

	*http = NULL;
	if (h == NULL)
		return;
	MHD_stop_daemon(h->daemon);
	lines_free(&h->lines);
	free(h);
}
