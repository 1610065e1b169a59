/*
 * cmd_preview.c - `bulkhead preview`: a message through the milter's engine,
 * without an MTA.
 */
#include "cli/cmd.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/load.h"
#include "engine/mta_memory.h"
#include "engine/session.h"

/* As milter { max-message } at most; preview keeps it in memory. */
#define MESSAGE_MAX ((size_t)1 << 30)

struct preview {
	struct arena *arena;
	const char *file;
	const char *sender;
	struct str *recipients;
	size_t nrecipients, cap_recipients;
	const char *sasl_user, *client, *daemon, *message;
	const char *queue_id;
	bool has_time, explain;
	int64_t time;
	struct keyring *keyring;
};

static const char usage[] =
    "usage: bulkhead preview [-c FILE] -f SENDER -r RECIPIENT... [OPTION...] "
    "[MESSAGE]\n"
    "Writes the message (standard input where none is named) as it would "
    "leave.\n\n"
    "  -c, --config FILE     settings (" SETTINGS_DEFAULT_FILE ")\n"
    "  -f, --sender ADDR     envelope sender; <> for a bounce\n"
    "  -r, --recipient ADDR  envelope recipient; may be given several times\n"
    "      --sasl-user USER  as if USER had logged in\n"
    "      --client ADDR     as if this address had connected; without it and\n"
    "                        --sasl-user: sendmail(1) on this host, trusted\n"
    "      --daemon NAME     the listener's milter_macro_daemon_name\n"
    "      --queue-id ID     the queue id (PREVIEW)\n"
    "      --time TIME       RFC 3339 or seconds since 1970 (now)\n"
    "      --explain         each edit, and each link left alone with its\n"
    "                        reason, on standard error\n"
    "Exit: 0, 1 the message would be refused (the reply is on standard "
    "error),\n"
    "64 usage, 65 no message, 66 no such file, 74 it cannot be written, 78\n"
    "settings.\n";

static int
complain(const char *what, const char *detail)
{
	fprintf(stderr, "bulkhead preview: %s%s%s\n", what,
	    detail ? ": " : "", detail ? detail : "");
	return EX_USAGE;
}

enum { OPT_SASL = 256, OPT_CLIENT, OPT_DAEMON, OPT_QUEUE, OPT_TIME, OPT_WHY };

static int
take_time(struct preview *p, const char *text)
{
	p->has_time = true;
	if (clock_parse(str_from(text), &p->time) == 0)
		return -1;
	return complain("--time takes RFC 3339 (2026-12-01T08:00:00Z) or "
			"seconds since 1970", text);
}

static int
take_queue_id(struct preview *p, const char *text)
{
	p->queue_id = text;
	for (; *text != '\0'; text++)
		if (!str_is_alpha(*text) && !str_is_digit(*text))
			return complain("--queue-id takes letters and digits, "
					"as 4XyzAbC", p->queue_id);
	return p->queue_id[0] != '\0' ? -1 :
	    complain("--queue-id is empty", NULL);
}

/* -1: go on; else the exit code. */
static int
take_option(struct preview *p, int c, char *value)
{
	switch (c) {
	case 'c':
		p->file = value;
		return -1;
	case 'f':
		p->sender = value;
		return -1;
	case 'r':
		p->recipients = arena_grow(p->arena, p->recipients,
		    p->nrecipients, &p->cap_recipients,
		    sizeof(*p->recipients));
		p->recipients[p->nrecipients++] = str_from(value);
		return -1;
	case OPT_SASL:
		p->sasl_user = value;
		return -1;
	case OPT_CLIENT:
		p->client = value;
		return -1;
	case OPT_DAEMON:
		p->daemon = value;
		return -1;
	case OPT_QUEUE:
		return take_queue_id(p, value);
	case OPT_TIME:
		return take_time(p, value);
	case OPT_WHY:
		p->explain = true;
		return -1;
	case 'h':
		fputs(usage, stdout);
		return EX_OK;
	default:
		fputs(usage, stderr);
		return EX_USAGE;
	}
}

static int
parse_args(struct preview *p, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "sender", required_argument, NULL, 'f' },
		{ "recipient", required_argument, NULL, 'r' },
		{ "sasl-user", required_argument, NULL, OPT_SASL },
		{ "client", required_argument, NULL, OPT_CLIENT },
		{ "daemon", required_argument, NULL, OPT_DAEMON },
		{ "queue-id", required_argument, NULL, OPT_QUEUE },
		{ "time", required_argument, NULL, OPT_TIME },
		{ "explain", no_argument, NULL, OPT_WHY },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c, rc;

	optind = 1;
	while ((c = getopt_long(argc, argv, "c:f:r:h", longs, NULL)) != -1)
		if ((rc = take_option(p, c, optarg)) >= 0)
			return rc;
	if (p->sender == NULL)
		return complain("no envelope sender: use -f SENDER", NULL);
	if (p->nrecipients == 0)
		return complain("no recipient: use -r RECIPIENT", NULL);
	if (argc - optind > 1)
		return complain("one message at a time, also got",
		    argv[optind + 1]);
	p->message = optind < argc ? argv[optind] : "-";
	return -1;
}

static int
check_addresses(struct preview *p)
{
	struct addr addr;

	if (addr_parse_path(p->arena, str_from(p->sender), &addr) != 0)
		return complain("-f takes an address such as news@example.com, "
				"or <>", p->sender);
	for (size_t i = 0; i < p->nrecipients; i++)
		if (addr_parse_path(p->arena, p->recipients[i], &addr) != 0 ||
		    addr.local.n == 0)
			return complain("-r takes an address such as "
					"user@example.net",
			    arena_cstr(p->arena, p->recipients[i]));
	return -1;
}

static int
set_client(struct preview *p, struct session *s)
{
	struct client client = { .daemon = str_from(p->daemon) };
	struct str addr = str_from(p->client ? p->client : "127.0.0.1");

	if (net_parse_addr(addr, &client.addr) != 0)
		return complain("--client takes an IPv4 or IPv6 address",
		    p->client);
	client.has_addr = true;
	client.is_sendmail = p->client == NULL && p->sasl_user == NULL;
	session_connect(s, &client);
	session_login(s, str_from(p->sasl_user));
	return -1;
}

static int
read_message(struct preview *p, struct str *text)
{
	bool is_stdin = strcmp(p->message, "-") == 0;
	int rc = is_stdin ?
	    file_read_fd(p->arena, STDIN_FILENO, MESSAGE_MAX, text) :
	    file_read(p->arena, p->message, MESSAGE_MAX, text);

	if (rc != 0) {
		fprintf(stderr, "bulkhead preview: %s: %s\n",
		    is_stdin ? "standard input" : p->message, strerror(errno));
		return errno == EFBIG ? EX_DATAERR : EX_NOINPUT;
	}
	if (text->n == 0) {
		fprintf(stderr, "bulkhead preview: the message is empty\n");
		return EX_DATAERR;
	}
	return -1;
}

/* What sendmail(1) and smtpd do: a mailbox's From_ line is no header. */
static struct str
without_from_line(struct str text)
{
	if (!str_starts(text, STR("From ")) && !str_starts(text, STR(">From ")))
		return text;
	fprintf(stderr, "bulkhead preview: the mailbox's \"From \" line is "
			"left out\n");
	return str_sub(text, str_chr(text, '\n', 0) + 1, text.n);
}

/* As a milter gets it: each line ends with CRLF, the last one too. */
static struct str
with_crlf(struct arena *a, struct str text)
{
	char *out = arena_bytes(a, text.n * 2 + 2);
	size_t n = 0, at = 0;

	while (at < text.n) {
		size_t lf = str_chr(text, '\n', at);
		size_t end = lf;

		if (lf < text.n && end > at && text.p[end - 1] == '\r')
			end--;
		memcpy(out + n, text.p + at, end - at);
		n += end - at;
		out[n++] = '\r';
		out[n++] = '\n';
		at = lf + 1;
	}
	return str_make(out, n);
}

/* As smtpd does: CRs before a line end go with it. */
static struct str
without_cr(struct arena *a, struct str value)
{
	char *out;
	size_t n = 0;

	if (str_chr(value, '\r', 0) == value.n)
		return value;
	out = arena_bytes(a, value.n);
	for (size_t i = 0; i < value.n;) {
		size_t end = i;

		while (end < value.n && value.p[end] == '\r')
			end++;
		if (end > i && (end == value.n || value.p[end] == '\n')) {
			i = end;
			continue;
		}
		end = end > i ? end : i + 1;
		memcpy(out + n, value.p + i, end - i);
		n += end - i;
		i = end;
	}
	return str_make(out, n);
}

/* Feeds the session and the MTA in memory alike. */
static void
feed(struct preview *p, struct session *s, struct mta_memory *mta,
    struct str text)
{
	struct headers h;
	struct str body;
	size_t at;

	headers_init(&h, p->arena);
	headers_parse(&h, text, &at);
	for (size_t i = 0; i < h.n; i++) {
		struct str value = without_cr(p->arena, h.v[i].value);

		session_header(s, h.v[i].name, value);
		mta_memory_header(mta, h.v[i].name, value);
	}
	body = with_crlf(p->arena, str_sub(text, at, text.n));
	session_body(s, body);
	mta_memory_body(mta, body);
}

/* Nothing was changed: no reader should have to guess why. */
static void
say_why(const struct message *m)
{
	const char *why = m == NULL ? "its client is none of ours" :
	    m->reason != NULL	    ? m->reason :
				      "milter { mode = observe }";

	fprintf(stderr, "bulkhead preview: it leaves as it came: %s\n", why);
}

static void
explain(const struct preview *p, const struct message *m)
{
	if (m == NULL)
		return;
	fprintf(stderr, "assumed: client %s%s%s, queue id %s, time %lld; "
			"policyd was not asked\n",
	    p->client ? p->client :
		p->sasl_user ? "127.0.0.1" : "sendmail(1), trusted",
	    p->sasl_user ? ", logged in as " : "",
	    p->sasl_user ? p->sasl_user : "", p->queue_id,
	    (long long)m->now);
	for (size_t i = 0; i < m->nnotes; i++)
		fprintf(stderr, "%s: %.*s\n", m->notes[i].stage,
		    STR_ARG(m->notes[i].text));
}

static int
write_message(const struct mta_memory *mta, struct str original)
{
	size_t lf = str_chr(original, '\n', 0);
	bool crlf = lf > 0 && lf < original.n && original.p[lf - 1] == '\r';
	struct buf out;

	buf_init(&out, (size_t)1 << 31);
	mta_memory_write(mta, crlf ? "\r\n" : "\n", &out);
	return load_flush(&out, "preview");
}

static int
finish(enum verdict verdict, const struct mta_memory *mta, struct str original)
{
	switch (verdict) {
	case VERDICT_REJECT:
	case VERDICT_TEMPFAIL:
		fprintf(stderr, "%s %s %s\n", mta->reply.code,
		    mta->reply.status, mta->reply.text);
		return 1;
	case VERDICT_DISCARD:
		fprintf(stderr, "250 accepted and dropped\n");
		return 1;
	case VERDICT_ACCEPT:
	case VERDICT_PASS:
		break;
	}
	return write_message(mta, original);
}

static struct keyring *
the_keyring(void *arg)
{
	return keyring_ref(arg);
}

static int
run(struct preview *p, struct session *s)
{
	struct mta_memory mta;
	struct str text;
	enum verdict verdict = VERDICT_PASS;
	int rc;

	if ((rc = set_client(p, s)) >= 0 || (rc = read_message(p, &text)) >= 0)
		return rc;
	text = without_from_line(text);
	mta_memory_init(&mta, p->arena);
	session_mail(s, str_from(p->sender), STR(""));
	for (size_t i = 0; i < p->nrecipients; i++)
		session_rcpt(s, p->recipients[i]);
	feed(p, s, &mta, text);
	verdict = session_end(s, str_from(p->queue_id), &mta.mta);
	if (verdict == VERDICT_PASS)
		say_why(session_message(s));
	if (p->explain)
		explain(p, session_message(s));
	return finish(verdict, &mta, text);
}

int
cmd_preview(int argc, char **argv)
{
	struct preview p = { .arena = arena_new(), .queue_id = "PREVIEW",
		.file = SETTINGS_DEFAULT_FILE };
	struct session_env env = { .keyring = the_keyring, .is_quiet = true,
		.in_memory = SIZE_MAX };
	struct session *s = NULL;
	int rc;

	if ((rc = parse_args(&p, argc, argv)) < 0 &&
	    (rc = check_addresses(&p)) < 0) {
		p.keyring = load_keyring(p.file, KEYRING_DKIM | KEYRING_TOKEN |
		    KEYRING_RETURN_PATH);
		rc = p.keyring != NULL ? -1 : EX_CONFIG;
	}
	if (rc < 0) {
		env.arg = p.keyring;
		env.wants_notes = p.explain;
		env.clock = p.has_time ? clock_fixed(p.time) : clock_system();
		s = session_new(&env);
		rc = run(&p, s);
	}
	session_free(&s);
	keyring_free(&p.keyring);
	arena_free(&p.arena);
	return rc;
}
