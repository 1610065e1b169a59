/*
 * policy_load.c - a closed loop of questions to a policy server over any
 * number of sessions at once: smtpd's RCPT on one socket, the milter's charge
 * (or smtpd's DATA) behind it.  Says how many, how fast, what was answered,
 * and what CPU a process took for it.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <arpa/inet.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/net.h"
#include "base/num.h"

#define SESSIONS_MAX 4096
#define REPLY_MAX    65536
#define REQUEST_MAX  4096
#define BUCKETS	     20000 /* of latencies, of 10 us */
#define SECOND	     INT64_C(1000000000)

struct options {
	const char *policy, *control;
	bool is_data; /* DATA on the policy socket in place of charges */
	unsigned nrcpt, ncharge; /* the mix, one session's round */
	uint64_t sessions, seconds, pid, addresses, first;
	const char *address; /* "user%u@example.net" */
	const char *client;
	bool is_json;
};

struct tally {
	uint64_t requests, dunno, deferred, refused, other;
	uint64_t waits[BUCKETS + 1];
};

struct session {
	int fds[2]; /* policy, control */
	int fd;	    /* that was asked */
	unsigned step;
	uint64_t number, nmessages;
	int64_t asked;
	size_t n;
	char reply[REPLY_MAX];
};

static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static int
fail(const char *what)
{
	perror(what);
	exit(EX_UNAVAILABLE);
}

static int
connect_inet(const struct net_socket *where)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(where->port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || inet_pton(AF_INET, where->host, &sin.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0)
		fail(where->host);
	return fd;
}

static int
connect_to(const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct arena *a = arena_new();
	struct net_socket where;
	const char *why;
	int fd;

	if (net_parse_socket(a, str_from(name), &where, &why) != 0) {
		fprintf(stderr, "policy_load: %s: %s\n", name, why);
		exit(EX_USAGE);
	}
	if (where.kind == NET_INET) {
		fd = connect_inet(&where);
	} else {
		snprintf(sun.sun_path, sizeof(sun.sun_path), "%s",
		    where.path);
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (fd < 0 || connect(fd, (struct sockaddr *)&sun,
		    sizeof(sun)) != 0)
			fail(where.path);
	}
	arena_free(&a);
	return fd;
}

/* "user%u@example.net": %u becomes the number. */
static void
write_address(const struct options *o, uint64_t number, char *out, size_t n)
{
	const char *at = strstr(o->address, "%u");

	if (at == NULL)
		snprintf(out, n, "%s", o->address);
	else
		snprintf(out, n, "%.*s%" PRIu64 "%s", (int)(at - o->address),
		    o->address, number, at + 2);
}

/* As Postfix 3.7 sends it. */
static int
write_access(const struct options *o, const struct session *s,
    const char *state, const char *recipient, char *out)
{
	return snprintf(out, REQUEST_MAX,
	    "request=smtpd_access_policy\nprotocol_state=%s\n"
	    "protocol_name=ESMTP\nclient_address=%s\n"
	    "client_name=app.example.com\nclient_port=41234\n"
	    "reverse_client_name=app.example.com\nserver_address=127.0.0.1\n"
	    "server_port=25\nhelo_name=app.example.com\n"
	    "sender=news@example.com\nrecipient=%s\nrecipient_count=%d\n"
	    "queue_id=%s\ninstance=%x.%" PRIx64 ".%" PRIx64 ".0\nsize=52097\n"
	    "etrn_domain=\nstress=\nsasl_method=\nsasl_username=\n"
	    "sasl_sender=\nccert_subject=\nccert_issuer=\n"
	    "ccert_fingerprint=\nccert_pubkey_fingerprint=\n"
	    "encryption_protocol=\nencryption_cipher=\n"
	    "encryption_keysize=0\npolicy_context=\n\n", state, o->client,
	    recipient, state[0] == 'D' ? 1 : 0,
	    state[0] == 'D' ? "4XyzABCDEF" : "", (unsigned)getpid(),
	    s->number, s->nmessages);
}

static int
write_charge(const struct session *s, const char *recipient, char *out)
{
	return snprintf(out, REQUEST_MAX,
	    "request=bulkhead_charge\ninstance=mx1.example.com\n"
	    "queue_id=4X%x%" PRIx64 "z%" PRIx64 "\nsender=news@example.com\n"
	    "client_address=127.0.0.1\ndomain=example.com\n"
	    "stream=newsletter\nlist=weekly.example.com\nrecipient=%s\n\n",
	    (unsigned)getpid(), s->number, s->nmessages, recipient);
}

static void
ask(const struct options *o, struct session *s, uint64_t *random)
{
	bool is_rcpt = s->step < o->nrcpt;
	char recipient[256], request[REQUEST_MAX];
	int n;

	write_address(o, o->first + next_random(random) % o->addresses,
	    recipient, sizeof(recipient));
	s->fd = is_rcpt || o->is_data ? s->fds[0] : s->fds[1];
	if (is_rcpt)
		n = write_access(o, s, "RCPT", recipient, request);
	else if (o->is_data)
		n = write_access(o, s, "DATA", recipient, request);
	else
		n = write_charge(s, recipient, request);
	if (++s->step == o->nrcpt + o->ncharge) {
		s->step = 0;
		s->nmessages++;
	}
	s->n = 0;
	s->asked = clock_monotonic();
	if (send(s->fd, request, (size_t)n, MSG_NOSIGNAL) != n)
		fail("send");
}

static void
count(struct tally *t, const struct session *s)
{
	int64_t wait = (clock_monotonic() - s->asked) / 10000;
	struct str reply = str_make(s->reply, s->n);

	t->requests++;
	t->waits[wait < BUCKETS ? wait : BUCKETS]++;
	if (str_starts(reply, STR("action=DUNNO")))
		t->dunno++;
	else if (str_starts(reply, STR("action=4")) ||
	    str_istarts(reply, STR("action=DEFER")))
		t->deferred++;
	else if (str_starts(reply, STR("action=5")) ||
	    str_istarts(reply, STR("action=REJECT")))
		t->refused++;
	else
		t->other++;
}

/* True when a reply is whole. */
static bool
take(struct session *s)
{
	ssize_t got = recv(s->fd, s->reply + s->n, REPLY_MAX - s->n, 0);

	if (got <= 0)
		fail("the server hung up");
	s->n += (size_t)got;
	if (s->n == REPLY_MAX)
		fail("a reply without end");
	return s->n >= 2 && memcmp(s->reply + s->n - 2, "\n\n", 2) == 0;
}

static void
watch(int epoll, struct session *s, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = s };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		fail("epoll_ctl");
}

static struct session *
open_sessions(const struct options *o, int epoll)
{
	struct session *v = calloc(o->sessions, sizeof(*v));

	if (v == NULL)
		exit(EX_OSERR);
	for (uint64_t i = 0; i < o->sessions; i++) {
		v[i].number = i;
		v[i].fds[0] = connect_to(o->policy);
		watch(epoll, &v[i], v[i].fds[0]);
		if (o->control == NULL)
			continue;
		v[i].fds[1] = connect_to(o->control);
		watch(epoll, &v[i], v[i].fds[1]);
	}
	return v;
}

/* Nanoseconds that all threads of the process have run. */
static uint64_t
cpu_of(uint64_t pid)
{
	char path[600];
	struct dirent *e;
	uint64_t sum = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%" PRIu64 "/task", pid);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL) {
		uint64_t nanos = 0;
		FILE *f;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path),
		    "/proc/%" PRIu64 "/task/%s/schedstat", pid, e->d_name);
		f = fopen(path, "r");
		if (f != NULL && fscanf(f, "%" SCNu64, &nanos) == 1)
			sum += nanos;
		if (f != NULL)
			fclose(f);
	}
	if (d != NULL)
		closedir(d);
	return sum;
}

static double
percentile(const struct tally *t, double part)
{
	uint64_t sum = 0;

	for (int i = 0; i <= BUCKETS; i++) {
		sum += t->waits[i];
		if ((double)sum >= part * (double)t->requests)
			return (i + 1) / 100.0;
	}
	return BUCKETS / 100.0;
}

static void
run(const struct options *o, struct tally *t, double *seconds)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct session *v = open_sessions(o, epoll);
	struct epoll_event events[256];
	uint64_t random = 88172645463325252u + o->first;
	int64_t begin = clock_monotonic(), now = begin;

	for (uint64_t i = 0; i < o->sessions; i++)
		ask(o, &v[i], &random);
	while (now - begin < (int64_t)o->seconds * SECOND) {
		int n = epoll_wait(epoll, events, 256, 1000);

		for (int i = 0; i < n; i++) {
			struct session *s = events[i].data.ptr;

			if (!take(s))
				continue;
			count(t, s);
			ask(o, s, &random);
		}
		now = clock_monotonic();
	}
	*seconds = (double)(now - begin) / 1e9;
	free(v);
	close(epoll);
}

static void
print(const struct options *o, const struct tally *t, double seconds,
    double cpu)
{
	double rate = (double)t->requests / seconds;
	double p50 = percentile(t, 0.5), p99 = percentile(t, 0.99);

	if (o->is_json)
		printf("{\"sessions\": %" PRIu64 ", \"requests\": %" PRIu64
		    ", \"per_second\": %.0f, \"cpu_us\": %.2f, "
		    "\"p50_ms\": %.2f, \"p99_ms\": %.2f, "
		    "\"max_ms\": %.2f, ", o->sessions, t->requests, rate, cpu,
		    p50, p99, percentile(t, 1));
	else
		printf("%" PRIu64 " sessions, %" PRIu64 " requests, %.0f/s, "
		    "server CPU %.2f us each, p50 %.2f ms, p99 %.2f ms, max "
		    "%.2f ms; ", o->sessions, t->requests, rate, cpu, p50, p99,
		    percentile(t, 1));
	if (o->is_json)
		printf("\"dunno\": %" PRIu64 ", \"deferred\": %" PRIu64
		    ", \"refused\": %" PRIu64 ", \"other\": %" PRIu64 "}\n",
		    t->dunno, t->deferred, t->refused, t->other);
	else
		printf("DUNNO %" PRIu64 ", 4yz %" PRIu64 ", 5yz %" PRIu64
		    ", other %" PRIu64 "\n", t->dunno, t->deferred,
		    t->refused, t->other);
}

static int
usage(void)
{
	fprintf(stderr, "usage: policy_load [OPTION...] SOCKET [CONTROL]\n"
	    "  -n N      sessions (1)\n"
	    "  -t N      seconds (5)\n"
	    "  -m R:C    so many RCPT, then so many charges (1:0)\n"
	    "  -d        charge by DATA on SOCKET\n"
	    "  -a TEXT   recipient, %%u is a number (user%%u@example.net)\n"
	    "  -k N      of so many numbers (1000)\n"
	    "  -o N      from that one on (0)\n"
	    "  -c ADDR   client_address (127.0.0.1)\n"
	    "  -p PID    whose CPU is counted\n"
	    "  -j        JSON\n");
	return EX_USAGE;
}

static uint64_t
number(const char *text, uint64_t max)
{
	uint64_t n;

	if (num_parse(str_from(text), max, &n) != 0)
		exit(usage());
	return n;
}

static void
take_mix(struct options *o, const char *text)
{
	const char *colon = strchr(text, ':');
	struct arena *a = arena_new();

	if (colon == NULL)
		exit(usage());
	o->nrcpt = (unsigned)number(arena_cstr(a, str_make(text,
	    (size_t)(colon - text))), 1000);
	o->ncharge = (unsigned)number(colon + 1, 1000);
	arena_free(&a);
}

static bool
take_option(struct options *o, int c)
{
	switch (c) {
	case 'n':
		o->sessions = number(optarg, SESSIONS_MAX);
		break;
	case 't':
		o->seconds = number(optarg, 3600);
		break;
	case 'm':
		take_mix(o, optarg);
		break;
	case 'd':
		o->is_data = true;
		break;
	case 'a':
		o->address = optarg;
		break;
	case 'k':
		o->addresses = number(optarg, UINT32_MAX);
		break;
	case 'o':
		o->first = number(optarg, UINT32_MAX);
		break;
	case 'c':
		o->client = optarg;
		break;
	case 'p':
		o->pid = number(optarg, INT32_MAX);
		break;
	case 'j':
		o->is_json = true;
		break;
	default:
		return false;
	}
	return true;
}

int
main(int argc, char **argv)
{
	struct options o = { .nrcpt = 1, .sessions = 1, .seconds = 5,
		.addresses = 1000, .address = "user%u@example.net",
		.client = "127.0.0.1" };
	struct tally *t = calloc(1, sizeof(*t));
	double seconds, cpu;
	int c;

	while ((c = getopt(argc, argv, "n:t:m:da:k:o:c:p:j")) != -1)
		if (!take_option(&o, c))
			return usage();
	if (t == NULL || optind >= argc || argc - optind > 2)
		return usage();
	o.policy = argv[optind];
	o.control = argv[optind + 1];
	if (o.nrcpt + o.ncharge == 0 || o.sessions == 0 || o.addresses == 0 ||
	    (o.ncharge > 0 && o.control == NULL && !o.is_data))
		return usage();
	cpu = o.pid > 0 ? (double)cpu_of(o.pid) : 0;
	run(&o, t, &seconds);
	if (o.pid > 0)
		cpu = ((double)cpu_of(o.pid) - cpu) / 1000 /
		    (double)t->requests;
	print(&o, t, seconds, cpu);
	free(t);
	return EX_OK;
}
