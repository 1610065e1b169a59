/*
 * milter_load.c - a closed loop of messages on a milter over any number of
 * sessions at once, as Postfix would play them.  Says what it saw; exit 0
 * only when every answer was an expected one.
 */
#include <sys/types.h>

#include <getopt.h>
#include <libmilter/mfdef.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "tests/tools/mail_in.h"
#include "tests/tools/milter_edited.h"
#include "tests/tools/milter_tally.h"

#define FILES_MAX      64
#define RECIPIENTS_MAX 1000
#define SESSIONS_MAX   4000
#define STACK_SIZE     (256 * 1024)

struct options {
	struct milter_identity who;
	unsigned sessions, messages, seconds, pause_ms, abort_every, seed;
	const char *sender, *args, *recipients[RECIPIENTS_MAX];
	size_t nrecipients;
	struct headers headers[FILES_MAX];
	struct str bodies[FILES_MAX];
	size_t nfiles;
	const char *expect, *out;
	bool out_is_dir, is_json, waits;
	pthread_barrier_t barrier;
	int64_t end; /* when --seconds are over; set behind the barrier */
};

struct session {
	struct options *o;
	struct milter_client client;
	struct tally tally;
	struct milter_edited edited;
	bool is_edited_used;
	bool is_edit_broken;
	unsigned number;
	uint64_t random;
	pthread_t thread;
};

static int64_t
now_micros(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
sleep_ms(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

/* xorshift64: the same run for the same seed. */
static unsigned
random_below(struct session *s, unsigned n)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return (unsigned)(s->random >> 33) % n;
}

/* "accept,421,lost": is the answer in the list? */
static bool
is_expected(const struct session *s, enum milter_answer answer)
{
	const char *list = s->o->expect;
	const char *name = milter_answer_names[answer];

	if (answer == MILTER_CONTINUE)
		name = "accept";
	else if (answer == MILTER_REPLY)
		name = s->client.code;
	while (*list != '\0') {
		size_t n = strcspn(list, ",");

		if ((n == 3 && memcmp(list, "any", 3) == 0) ||
		    (n == strlen(name) && memcmp(list, name, n) == 0))
			return true;
		list += n;
		list += strspn(list, ",");
	}
	return false;
}

static void
take_answer(struct session *s, enum milter_answer answer)
{
	tally_answer(&s->tally, &s->client, answer);
	if (!is_expected(s, answer))
		s->tally.unexpected++;
}

static void
take_edit(void *arg, char command, struct str data)
{
	struct session *s = arg;

	s->tally.edits[(unsigned char)command % 128]++;
	if (s->is_edited_used && !milter_edited_apply(&s->edited, command, data,
	    (s->client.steps & SMFIP_HDR_LEADSPC) != 0))
		s->is_edit_broken = true;
}

static void
write_edited(struct session *s, unsigned n)
{
	char path[4096];

	if (s->o->out_is_dir)
		snprintf(path, sizeof(path), "%s/%u-%u.eml", s->o->out,
		    s->number, n);
	else
		snprintf(path, sizeof(path), "%s", s->o->out);
	if (s->is_edit_broken || milter_edited_write(&s->edited, path) != 0) {
		perror(path);
		s->tally.unexpected++;
	}
}

/* "user%d@example.net": %d becomes the number of the message. */
static const char *
numbered(struct arena *a, const char *text, unsigned n)
{
	const char *at = strstr(text, "%d");

	if (at == NULL)
		return text;
	return arena_cstr(a, arena_printf(a, "%.*s%u%s", (int)(at - text),
	    text, n, at + 2));
}

static void
make_mail(struct session *s, struct arena *a, unsigned n,
    struct milter_mail *mail)
{
	struct options *o = s->o;
	unsigned number = s->number * o->messages + n;
	const char **recipients = arena_array(a, o->nrecipients,
	    sizeof(*recipients));

	for (size_t i = 0; i < o->nrecipients; i++)
		recipients[i] = numbered(a, o->recipients[i], number);
	*mail = (struct milter_mail){
		.sender = o->sender,
		.args = o->args,
		.recipients = recipients,
		.nrecipients = o->nrecipients,
		.headers = &o->headers[number % o->nfiles],
		.body = o->bodies[number % o->nfiles],
		.queue_id = arena_cstr(a, arena_printf(a, "4L%05X%07X",
		    s->number, n)),
		.stop = MILTER_STAGES,
	};
}

/* A client that goes away: after ABORT, or without a word. */
static void
give_up(struct session *s, struct milter_mail *mail)
{
	enum milter_answer rc;

	mail->stop = MILTER_AT_RCPT + random_below(s,
	    MILTER_AT_EOM - MILTER_AT_RCPT + 1);
	rc = milter_client_send(&s->client, mail);
	if (rc != MILTER_CONTINUE) {
		take_answer(s, rc);
	} else if (random_below(s, 4) == 0) {
		milter_client_drop(&s->client);
		s->tally.dropped++;
	} else {
		milter_client_abort(&s->client);
		s->tally.aborted++;
	}
}

static void
send_whole(struct session *s, struct milter_mail *mail, unsigned n)
{
	int64_t start = now_micros();
	enum milter_answer rc;

	s->is_edited_used = s->o->out != NULL;
	if (s->is_edited_used)
		milter_edited_init(&s->edited, mail);
	rc = milter_client_send(&s->client, mail);
	tally_time(&s->tally, now_micros() - start);
	take_answer(s, rc);
	if (s->is_edited_used && rc <= MILTER_ACCEPT &&
	    (s->o->out_is_dir || s->number == 0))
		write_edited(s, n);
	if (s->is_edited_used)
		milter_edited_free(&s->edited);
	s->is_edited_used = false;
}

/* Connects unless connected; an answer that prevents it counts as one. */
static bool
be_open(struct session *s)
{
	enum milter_answer rc;

	if (milter_client_is_open(&s->client))
		return true;
	rc = milter_client_open(&s->client);
	if (rc != MILTER_REFUSED)
		s->tally.connections++;
	if (rc == MILTER_CONTINUE)
		return true;
	take_answer(s, rc);
	sleep_ms(10);
	return false;
}

static bool
is_over(const struct session *s, unsigned n)
{
	const struct options *o = s->o;

	return o->seconds > 0 ? now_micros() >= o->end : n >= o->messages;
}

static void *
run_session(void *arg)
{
	struct session *s = arg;
	struct options *o = s->o;
	struct arena *a = arena_new();
	bool was_open = be_open(s);

	pthread_barrier_wait(&o->barrier);
	pthread_barrier_wait(&o->barrier);
	for (unsigned n = was_open ? 0 : 1; !is_over(s, n); n++) {
		struct milter_mail mail;

		if (!be_open(s))
			continue;
		arena_reset(a);
		make_mail(s, a, n, &mail);
		if (o->abort_every > 0 && n % o->abort_every ==
		    o->abort_every - 1)
			give_up(s, &mail);
		else
			send_whole(s, &mail, n);
		if (o->pause_ms > 0)
			sleep_ms(o->pause_ms);
	}
	milter_client_quit(&s->client);
	arena_free(&a);
	return NULL;
}

/* With --wait the sessions are open, and idle, until a line comes in. */
static void
wait_for_start(const struct options *o)
{
	if (!o->waits)
		return;
	puts("ready");
	fflush(stdout);
	while (getchar() != '\n' && !feof(stdin))
		;
}

static int
run(struct options *o)
{
	struct session *v = calloc(o->sessions, sizeof(*v));
	struct tally sum = { 0 };
	pthread_attr_t attr;
	int64_t start;

	pthread_barrier_init(&o->barrier, NULL, o->sessions + 1);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	for (unsigned i = 0; i < o->sessions; i++) {
		v[i].o = o;
		v[i].number = i;
		v[i].random = ((uint64_t)o->seed << 32) + i + 1;
		milter_client_init(&v[i].client, &o->who, take_edit, &v[i]);
		if (pthread_create(&v[i].thread, &attr, run_session, &v[i])) {
			perror("pthread_create");
			exit(EX_OSERR);
		}
	}
	pthread_barrier_wait(&o->barrier);
	wait_for_start(o);
	start = now_micros();
	o->end = start + (int64_t)o->seconds * 1000000;
	pthread_barrier_wait(&o->barrier);
	for (unsigned i = 0; i < o->sessions; i++) {
		pthread_join(v[i].thread, NULL);
		tally_add(&sum, &v[i].tally);
	}
	tally_print(&sum, o->sessions,
	    (double)(now_micros() - start) / 1000000, o->is_json);
	free(sum.micros);
	free(v);
	return sum.unexpected == 0 ? EX_OK : 1;
}

static unsigned
number(const char *name, const char *text, unsigned max)
{
	uint64_t n;

	if (num_parse(str_from(text), max, &n) != 0) {
		fprintf(stderr, "-%s %s: a number up to %u is wanted\n", name,
		    text, max);
		exit(EX_USAGE);
	}
	return (unsigned)n;
}

static void
add_file(struct options *o, struct arena *a, const char *path)
{
	if (o->nfiles == FILES_MAX ||
	    mail_in(a, path, &o->headers[o->nfiles], &o->bodies[o->nfiles]))
		exit(EX_NOINPUT);
	o->nfiles++;
}

static const char usage[] =
    "usage: milter_load -s SOCKET -f FILE... [option...]\n"
    "  -s, --socket unix:PATH | inet:HOST:PORT\n"
    "  -c, --sessions N     sessions at once (1)\n"
    "  -n, --messages N     messages of each session (1)\n"
    "      --seconds N      instead: for so long\n"
    "  -f, --file FILE      message, LF or CRLF; in turn when repeated\n"
    "  -S, --sender ADDR    without <>; may be empty\n"
    "  -A, --args TEXT      parameters of MAIL\n"
    "  -r, --rcpt ADDR      repeatable; %d: the message's number\n"
    "      --client ADDR    the SMTP client's address (127.0.0.1)\n"
    "      --daemon NAME    {daemon_name} (smtpd)\n"
    "      --sasl-user NAME {auth_authen}\n"
    "      --abort-every K  give up each K-th message somewhere\n"
    "      --pause-ms N     between the messages of a session\n"
    "      --timeout N      seconds without an answer: lost (60)\n"
    "      --wait           open all, say ready, start when a line comes\n"
    "      --seed N         of what is random (1)\n"
    "  -o, --out FILE       the last message of the first session, edited\n"
    "  -O, --out-dir DIR    each message as DIR/SESSION-NUMBER.eml\n"
    "      --expect LIST    answers wanted: accept, discard, reject,\n"
    "                       tempfail, shutdown, lost, refused, broken, a\n"
    "                       code (421), any; by comma (accept)\n"
    "      --json           the counts as one line of JSON\n";

enum { OPT_SECONDS = 256, OPT_CLIENT, OPT_DAEMON, OPT_USER, OPT_ABORT,
	OPT_PAUSE, OPT_TIMEOUT, OPT_WAIT, OPT_SEED, OPT_EXPECT, OPT_JSON };

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "sessions", required_argument, NULL, 'c' },
	{ "messages", required_argument, NULL, 'n' },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "file", required_argument, NULL, 'f' },
	{ "sender", required_argument, NULL, 'S' },
	{ "args", required_argument, NULL, 'A' },
	{ "rcpt", required_argument, NULL, 'r' },
	{ "client", required_argument, NULL, OPT_CLIENT },
	{ "daemon", required_argument, NULL, OPT_DAEMON },
	{ "sasl-user", required_argument, NULL, OPT_USER },
	{ "abort-every", required_argument, NULL, OPT_ABORT },
	{ "pause-ms", required_argument, NULL, OPT_PAUSE },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "wait", no_argument, NULL, OPT_WAIT },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "out", required_argument, NULL, 'o' },
	{ "out-dir", required_argument, NULL, 'O' },
	{ "expect", required_argument, NULL, OPT_EXPECT },
	{ "json", no_argument, NULL, OPT_JSON },
	{ NULL, 0, NULL, 0 },
};

/* Options of the mail and of what to do with it. */
static bool
take_mail_option(struct options *o, struct arena *a, int option)
{
	switch (option) {
	case 'f':
		add_file(o, a, optarg);
		return true;
	case 'S':
		o->sender = optarg;
		return true;
	case 'A':
		o->args = optarg;
		return true;
	case 'r':
		if (o->nrecipients == RECIPIENTS_MAX)
			return false;
		o->recipients[o->nrecipients++] = optarg;
		return true;
	case 'o':
	case 'O':
		o->out = optarg;
		o->out_is_dir = option == 'O';
		return true;
	case OPT_EXPECT:
		o->expect = optarg;
		return true;
	case OPT_JSON:
		o->is_json = true;
		return true;
	case OPT_WAIT:
		o->waits = true;
		return true;
	default:
		return false;
	}
}

static bool
take_number(struct options *o, int option)
{
	const struct {
		int option;
		const char *name;
		unsigned max, *to;
	} numbers[] = {
		{ 'c', "c", SESSIONS_MAX, &o->sessions },
		{ 'n', "n", 100000000, &o->messages },
		{ OPT_SECONDS, "-seconds", 86400, &o->seconds },
		{ OPT_ABORT, "-abort-every", 1000000, &o->abort_every },
		{ OPT_PAUSE, "-pause-ms", 600000, &o->pause_ms },
		{ OPT_TIMEOUT, "-timeout", 3600, &o->who.timeout },
		{ OPT_SEED, "-seed", 1000000000, &o->seed },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].option == option) {
			*numbers[i].to = number(numbers[i].name, optarg,
			    numbers[i].max);
			return true;
		}
	return false;
}

static bool
take_identity(struct options *o, int option)
{
	const char **to = option == 's' ? &o->who.socket :
	    option == OPT_CLIENT	? &o->who.client_addr :
	    option == OPT_DAEMON	? &o->who.daemon :
	    option == OPT_USER		? &o->who.user :
					  NULL;

	if (to != NULL)
		*to = optarg;
	return to != NULL;
}

int
main(int argc, char **argv)
{
	static struct options o = {
		.who = { NULL, "127.0.0.1", "smtpd", NULL, 60 },
		.sessions = 1,
		.messages = 1,
		.seed = 1,
		.sender = "news@example.com",
		.expect = "accept",
	};
	struct arena *a = arena_new();
	int option, rc = EX_USAGE;

	while ((option = getopt_long(argc, argv, "s:c:n:f:S:A:r:o:O:",
		    long_options, NULL)) != -1)
		if (!take_number(&o, option) && !take_identity(&o, option) &&
		    !take_mail_option(&o, a, option))
			break;
	if (o.nrecipients == 0)
		o.recipients[o.nrecipients++] = "user%d@example.net";
	if (option != -1 || optind != argc || o.who.socket == NULL ||
	    o.nfiles == 0 || o.sessions == 0)
		fputs(usage, stderr);
	else
		rc = run(&o);
	arena_free(&a);
	return rc;
}
