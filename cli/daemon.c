/*
 * daemon.c - HTTP to a daemon of this host, and what its JSON says.
 */
#include "cli/daemon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/net.h"

#define ANSWER_MAX (512 * 1024)
#define MILLIS	   2000
#define NAMES_MAX  1000

static const char request[] = "GET /status HTTP/1.0\r\n"
			      "Host: localhost\r\n"
			      "\r\n";

void
daemon_list(const struct settings *s, struct daemon out[DAEMONS])
{
	out[0] = (struct daemon){ .section = "milter",
		.program = "bulkhead-milter", .socket = s->milter.metrics,
		.is_configured = s->milter.socket.n > 0 };
	out[1] = (struct daemon){ .section = "policyd",
		.program = "bulkhead-policyd", .socket = s->policyd.metrics,
		.is_configured = s->policyd.socket.n > 0 ||
		    s->policyd.control.n > 0 };
	out[2] = (struct daemon){ .section = "trackd",
		.program = "bulkhead-trackd", .socket = s->trackd.metrics,
		.is_configured = s->trackd.listen.n > 0 };
}

/* Nothing there waits for longer than that, connecting included. */
static int
open_socket(int family)
{
	const struct timeval patience = { MILLIS / 1000, 0 };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		    sizeof(patience));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		    sizeof(patience));
	}
	return fd;
}

static int
connect_unix(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = open_socket(AF_UNIX);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	if (errno == EAGAIN)
		errno = ETIMEDOUT;
	close(fd);
	return -1;
}

/* Settings allow loopback addresses only. */
static int
connect_inet(const struct net_socket *where)
{
	const char *host = where->host;
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(where->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(where->port) };
	struct net_addr addr;
	bool is_six;
	int fd, rc;

	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	if (net_parse_addr(str_from(host), &addr) != 0) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	is_six = strchr(host, ':') != NULL;
	if (inet_pton(is_six ? AF_INET6 : AF_INET, host,
		is_six ? (void *)&in6.sin6_addr : (void *)&in.sin_addr) != 1) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	fd = open_socket(is_six ? AF_INET6 : AF_INET);
	if (fd < 0)
		return -1;
	rc = is_six ? connect(fd, (struct sockaddr *)&in6, sizeof(in6)) :
		      connect(fd, (struct sockaddr *)&in, sizeof(in));
	if (rc == 0)
		return fd;
	close(fd);
	return -1;
}

/* All that comes until it hangs up; 0, or -1 with errno. */
static int
receive(int fd, struct buf *out)
{
	int64_t end = clock_monotonic() + MILLIS * INT64_C(1000000);

	for (;;) {
		char *to = buf_room(out, 4096);
		ssize_t n;

		if (to == NULL) {
			errno = EFBIG;
			return -1;
		}
		n = recv(fd, to, 4096, 0);
		if (n == 0)
			return 0;
		if (n > 0)
			out->n += (size_t)n;
		else if (errno != EINTR)
			return -1;
		if (clock_monotonic() > end) {
			errno = ETIMEDOUT;
			return -1;
		}
	}
}

static int
converse(int fd, struct buf *out)
{
	const struct str text = STR(request);

	if (send(fd, text.p, text.n, MSG_NOSIGNAL) != (ssize_t)text.n ||
	    receive(fd, out) != 0) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			errno = ETIMEDOUT;
		return -1;
	}
	return 0;
}

/* Behind the header of a 200; false: it is something else. */
static bool
find_body(struct str answer, struct str *body)
{
	size_t end = str_find(answer, STR("\r\n\r\n"), 0);

	if (!str_starts(answer, STR("HTTP/1.")) || answer.n < 13 ||
	    memcmp(answer.p + 9, "200", 3) != 0 || end == answer.n)
		return false;
	*body = str_trim(str_sub(answer, end + 4, answer.n));
	return true;
}

static struct str
text_of(struct arena *a, const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	if (!json_is_string(v))
		return STR("");
	return arena_copy(a, str_make(json_string_value(v),
	    json_string_length(v)));
}

static int64_t
number_of(const json_t *object, const char *key)
{
	return (int64_t)json_integer_value(json_object_get(object, key));
}

static bool
truth_of(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static struct daemon_event
event_of(struct arena *a, const json_t *object, const char *time,
    const char *text)
{
	return (struct daemon_event){ number_of(object, time),
		text_of(a, object, text) };
}

static void
read_keys(struct arena *a, const json_t *list, struct daemon_keys *out)
{
	size_t n = json_array_size(list);

	if (n > NAMES_MAX)
		n = NAMES_MAX;
	*out = (struct daemon_keys){ .is_loaded = json_is_array(list) };
	out->names = arena_array(a, n, sizeof(struct str));
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, i);

		if (json_is_string(v))
			out->names[out->n++] = arena_copy(a,
			    str_from(json_string_value(v)));
	}
}

static void
read_rates(struct arena *a, json_t *rates, struct daemon *d)
{
	const char *name;
	json_t *v;

	d->rate_seconds = number_of(rates, "seconds");
	d->rates = arena_array(a, json_object_size(rates),
	    sizeof(*d->rates));
	json_object_foreach(rates, name, v) {
		if (!json_is_real(v))
			continue;
		d->rates[d->nrates].name = arena_copy(a, str_from(name));
		d->rates[d->nrates++].value = json_real_value(v);
	}
}

static void
read_settings(struct arena *a, const json_t *settings, struct daemon *d)
{
	const json_t *reload = json_object_get(settings, "last_reload");

	d->settings_age = number_of(settings, "age");
	d->is_changed_on_disk = truth_of(settings, "changed_on_disk");
	d->reload = event_of(a, reload, "time", "error");
	d->has_reload_failed = str_eq(text_of(a, reload, "result"),
	    STR("failed"));
}

static void
read_status(struct arena *a, const json_t *root, struct daemon *d)
{
	const json_t *policyd = json_object_get(root, "policyd");

	d->version = text_of(a, root, "version");
	d->pid = number_of(root, "pid");
	d->started = number_of(root, "started");
	d->now = number_of(root, "now");
	d->is_ending = truth_of(root, "ending");
	read_settings(a, json_object_get(root, "settings"), d);
	d->store = text_of(a, root, "store");
	d->breaker = text_of(a, root, "breaker");
	d->spool_waiting = number_of(root, "spool_waiting");
	d->asks_policyd = json_is_object(policyd);
	d->policyd_answered = number_of(policyd, "answered");
	d->policyd_failed = event_of(a, policyd, "failed", "error");
	d->last_error = event_of(a, json_object_get(root, "last_error"),
	    "time", "text");
	d->last_warning = event_of(a, json_object_get(root, "last_warning"),
	    "time", "text");
	read_keys(a, json_object_get(root, "token_keys"), &d->token_keys);
	read_keys(a, json_object_get(root, "return_path_keys"),
	    &d->return_path_keys);
	read_rates(a, json_object_get(root, "rates"), d);
}

/* NULL, or what is wrong with the answer. */
static const char *
read_answer(struct arena *a, struct str answer, struct daemon *d)
{
	struct str body;
	json_error_t error;
	json_t *root;

	if (!find_body(answer, &body))
		return "what answers there is no daemon of Bulkhead";
	root = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(root)) {
		json_decref(root);
		return "its answer is no JSON object";
	}
	if (!str_eq(text_of(a, root, "program"), str_from(d->program))) {
		json_decref(root);
		return "another daemon answers there";
	}
	d->json = arena_copy(a, body);
	read_status(a, root, d);
	json_decref(root);
	return NULL;
}

/* A descriptor, or -1 with errno. */
static int
connect_to(struct arena *a, struct str name)
{
	struct net_socket where;
	const char *why;

	if (net_parse_socket(a, name, &where, &why) != 0 ||
	    where.kind == NET_FD) {
		errno = EINVAL;
		return -1;
	}
	return where.kind == NET_UNIX ? connect_unix(where.path) :
					connect_inet(&where);
}

void
daemon_ask(struct arena *a, struct daemon *d)
{
	const char *why = NULL;
	struct buf answer;
	int fd;

	d->is_up = false;
	d->error = 0;
	d->nrates = 0;
	if (d->socket.n == 0)
		return;
	buf_init(&answer, ANSWER_MAX);
	fd = connect_to(a, d->socket);
	if (fd < 0)
		d->error = errno;
	if (fd < 0 || converse(fd, &answer) != 0)
		why = strerror(errno);
	else
		why = read_answer(a, buf_view(&answer), d);
	if (fd >= 0)
		close(fd);
	buf_free(&answer);
	d->is_up = why == NULL;
	d->why = why != NULL ? arena_printf(a, "%.*s: %s", STR_ARG(d->socket),
	    why) : STR("");
}

struct str
daemon_complaint(struct arena *a, const struct daemon *d)
{
	if (d->socket.n == 0)
		return STR("");
	if (!d->is_up)
		return d->why;
	if (d->is_ending)
		return STR("it is ending");
	if (d->has_reload_failed)
		return STR("its last reload failed");
	if (d->store.n > 0 && !str_eq(d->store, STR("up")))
		return arena_printf(a, "the store: %.*s", STR_ARG(d->store));
	if (str_eq(d->breaker, STR("open")))
		return STR("the store does not answer in time");
	if (d->spool_waiting > 0)
		return STR("unsubscriptions wait in the spool");
	if (d->policyd_failed.time > d->policyd_answered)
		return STR("policyd did not answer");
	return STR("");
}
