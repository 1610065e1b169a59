/*
 * exporter.c - HTTP for the counters.  libmicrohttpd serves in a thread of its
 * own; a second one takes samples and opens the socket when that can be had.
 */
#include "bulkhead/exporter.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/net.h"
#include "bulkhead/listen.h"

#define CONNECTIONS  16
#define IDLE_SECONDS 5u
/* A request: its line and fields. */
#define REQUEST_SIZE ((size_t)16 * 1024)

struct exporter {
	struct exporter_spec spec;
	char *socket;
	bool is_unix;
	bool has_complained; /* of the socket that cannot be had */
	struct MHD_Daemon *http; /* NULL: not yet */
	pthread_t thread;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t end;
	bool is_ending;
	struct rates rates;
};

bool
exporter_is_host(struct str host)
{
	struct net_addr addr;
	size_t end;

	if (host.n > 0 && host.p[0] == '[')
		end = str_chr(host, ']', 0);
	else
		end = str_chr(host, ':', 0);
	if (end < host.n && host.p[end] == ']') {
		host = str_sub(host, 1, end);
	} else {
		host = str_sub(host, 0, end);
		if (str_ieq(host, STR("localhost")))
			return true;
	}
	return net_parse_addr(host, &addr) == 0 && net_is_loopback(&addr);
}

static enum MHD_Result
answer(struct MHD_Connection *c, unsigned status, const char *type,
    struct str body)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(body.n,
	    (void *)(uintptr_t)body.p, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result rc;

	if (r == NULL)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	rc = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return rc;
}

static enum MHD_Result
refuse(struct MHD_Connection *c, unsigned status, const char *text)
{
	return answer(c, status, "text/plain; charset=utf-8", str_from(text));
}

/* The buffer is emptied. */
static enum MHD_Result
answer_buf(struct MHD_Connection *c, const char *type, struct buf *out)
{
	enum MHD_Result rc;

	if (out->failed)
		rc = refuse(c, MHD_HTTP_INTERNAL_SERVER_ERROR,
		    "the answer is too long\n");
	else
		rc = answer(c, MHD_HTTP_OK, type, buf_view(out));
	buf_free(out);
	return rc;
}

static enum MHD_Result
tell_metrics(struct exporter *e, struct MHD_Connection *c)
{
	struct buf out;

	buf_init(&out, EXPORTER_MAX);
	exporter_write(&e->spec, &out);
	return answer_buf(c, "text/plain; version=0.0.4; charset=utf-8", &out);
}

static enum MHD_Result
tell_status(struct exporter *e, struct MHD_Connection *c)
{
	struct buf out;

	buf_init(&out, EXPORTER_MAX);
	pthread_mutex_lock(&e->lock);
	exporter_write_status(&e->spec, &e->rates, &out);
	pthread_mutex_unlock(&e->lock);
	return answer_buf(c, "application/json", &out);
}

/* Browsers always send Host; who does not is none. */
static bool
is_for_us(struct exporter *e, struct MHD_Connection *c)
{
	const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND,
	    MHD_HTTP_HEADER_HOST);

	return e->is_unix || host == NULL || exporter_is_host(str_from(host));
}

/* The first call for a request has seen its fields only. */
static enum MHD_Result
on_request(void *arg, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *data, size_t *size,
    void **seen)
{
	struct exporter *e = arg;

	(void)version;
	(void)data;
	if (*seen == NULL) {
		*seen = e;
		return MHD_YES;
	}
	if (*size > 0) {
		*size = 0; /* a body nobody reads */
		return MHD_YES;
	}
	if (!is_for_us(e, c))
		return refuse(c, MHD_HTTP_FORBIDDEN,
		    "ask for localhost or a loopback address\n");
	if (strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
	    strcmp(method, MHD_HTTP_METHOD_HEAD) == 0) {
		if (strcmp(url, "/metrics") == 0)
			return tell_metrics(e, c);
		if (strcmp(url, "/status") == 0)
			return tell_status(e, c);
	}
	return refuse(c, MHD_HTTP_NOT_FOUND,
	    "GET /metrics and GET /status are here\n");
}

/* Tries to have the socket; says once why not. */
static void
open_http(struct exporter *e)
{
	char why[LISTEN_WHY];
	int fd;

	if (listen_try(e->socket, NULL, &fd, why) != 0) {
		if (!e->has_complained)
			log_warning("metrics: %s; tried again each second",
			    why);
		e->has_complained = true;
		return;
	}
	/* with a pipe: it is heard, too, when no further one is accepted */
	e->http = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ITC,
	    0, NULL, NULL, on_request, e, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
	    MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, REQUEST_SIZE, MHD_OPTION_END);
	if (e->http != NULL) {
		if (e->has_complained)
			log_info("metrics: told at %s now", e->socket);
		return;
	}
	close(fd);
	if (!e->has_complained)
		log_warning("metrics: libmicrohttpd does not serve %s: %m",
		    e->socket);
	e->has_complained = true;
}

/* Until a second went by or it ends; the lock is held. */
static void
wait_second(struct exporter *e)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	while (!e->is_ending &&
	    pthread_cond_timedwait(&e->end, &e->lock, &until) == 0)
		continue;
}

static void *
run(void *arg)
{
	struct exporter *e = arg;

	pthread_mutex_lock(&e->lock);
	while (!e->is_ending) {
		rates_take(&e->rates, e->spec.metrics, clock_monotonic());
		if (e->http == NULL) {
			pthread_mutex_unlock(&e->lock);
			open_http(e);
			pthread_mutex_lock(&e->lock);
		}
		wait_second(e);
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

static void
release(struct exporter *e)
{
	pthread_cond_destroy(&e->end);
	pthread_mutex_destroy(&e->lock);
	free(e->socket);
	free(e);
}

struct exporter *
exporter_start(const struct exporter_spec *spec, const char *socket)
{
	struct exporter *e = mem_alloc(sizeof(*e));
	pthread_condattr_t attr;

	*e = (struct exporter){ .spec = *spec, .socket = strdup(socket),
		.is_unix = strncmp(socket, "unix:", 5) == 0 };
	pthread_mutex_init(&e->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&e->end, &attr);
	pthread_condattr_destroy(&attr);
	if (e->socket != NULL && pthread_create(&e->thread, NULL, run, e) == 0)
		return e;
	log_error("metrics: cannot start a thread: %m");
	release(e);
	return NULL;
}

void
exporter_stop(struct exporter **exporter)
{
	struct exporter *e = *exporter;

	*exporter = NULL;
	if (e == NULL)
		return;
	pthread_mutex_lock(&e->lock);
	e->is_ending = true;
	pthread_cond_signal(&e->end);
	pthread_mutex_unlock(&e->lock);
	pthread_join(e->thread, NULL);
	if (e->http != NULL)
		MHD_stop_daemon(e->http);
	release(e);
}
