/*
 * test_policy_client.c - questions to a policyd that a thread of the test
 * plays: it answers, is silent, hangs up, talks nonsense.
 */
#include "unit.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "bulkhead/policy_client.h"
#include "bulkhead/policy_proto.h"

#define QUICK 300 /* milliseconds of a question that is to fail */
/* Takes longer than QUICK, an octet a millisecond. */
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define DRIP HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
#define ADMIT_OK "action=DUNNO\nsuppressed=1 complaint suppressed (x)\n\n"

/* What it does with one connection, question by question. */
struct turn {
	const char *says; /* NULL: nothing */
	bool hangs_up;	  /* then */
	bool is_slow;	  /* an octet at a time */
	const char *then; /* says this unasked, a little later */
};

#define SAYS(text) { .says = (text) }
#define LAST(text) { .says = (text), .hangs_up = true }

struct daemon {
	char dir[64], socket[128];
	int fd;
	pthread_t thread;
	/* of each connection, ended by one that says nothing and stays */
	struct turn turns[4][4];
	char asked[65536]; /* everything that came */
	size_t nasked;
	int accepted;
	atomic_bool is_done; /* a turn's `then` was said */
};

/* One block into asked; false: the client hung up. */
static bool
take_question(struct daemon *d, int fd)
{
	size_t start = d->nasked;

	for (;;) {
		ssize_t n = read(fd, d->asked + d->nasked,
		    sizeof(d->asked) - 1 - d->nasked);

		if (n <= 0)
			return false;
		d->nasked += (size_t)n;
		d->asked[d->nasked] = '\0';
		if (strstr(d->asked + start, "\n\n") != NULL)
			return true;
	}
}

static void
say(int fd, const struct turn *t)
{
	size_t n = t->says != NULL ? strlen(t->says) : 0;

	for (size_t i = 0; i < n; i += t->is_slow ? 1 : n) {
		if (send(fd, t->says + i, t->is_slow ? 1 : n,
			MSG_NOSIGNAL) <= 0)
			return; /* the client has gone */
		if (t->is_slow)
			poll(NULL, 0, 1);
	}
}

static void
serve_one(struct daemon *d, int fd, const struct turn *turns)
{
	for (size_t i = 0; i < 4 && take_question(d, fd); i++) {
		say(fd, &turns[i]);
		if (turns[i].then != NULL) {
			poll(NULL, 0, 20);
			say(fd, &(struct turn){ .says = turns[i].then });
			atomic_store(&d->is_done, true);
		}
		if (turns[i].hangs_up)
			return;
	}
}

static void *
serve(void *arg)
{
	struct daemon *d = arg;

	for (size_t i = 0; i < 4; i++) {
		int fd = accept(d->fd, NULL, NULL);

		if (fd < 0)
			break;
		d->accepted++;
		serve_one(d, fd, d->turns[i]);
		close(fd);
	}
	return NULL;
}

static void
open_daemon(struct daemon *d)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(d->dir, sizeof(d->dir), "/tmp/bulkhead-policy-XXXXXX");
	assert_non_null(mkdtemp(d->dir));
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/s", d->dir);
	snprintf(d->socket, sizeof(d->socket), "unix:%s/s", d->dir);
	d->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(d->fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(d->fd, 8), 0);
	assert_int_equal(pthread_create(&d->thread, NULL, serve, d), 0);
}

/* After the client was freed: its connections are closed. */
static void
close_daemon(struct daemon *d)
{
	shutdown(d->fd, SHUT_RDWR);
	pthread_join(d->thread, NULL);
	close(d->fd);
	unlink(d->socket + strlen("unix:"));
	rmdir(d->dir);
}

static const struct str recipients[] = { { "ann@x.example", 13 },
	{ "bob@x.example", 13 } };
static const struct policy_message message = {
	.instance = { "mx", 2 },
	.queue_id = { "4abc", 4 },
	.recipients = recipients,
	.nrecipients = 2,
};

static struct policy_reply
admit(struct policy_client *c, struct arena *a)
{
	struct policy p = policy_client_policy(c);
	struct policy_reply reply;

	p.admit(p.arg, a, &message, &reply);
	return reply;
}

/* Question after question over one connection. */
static void
answers(void **state)
{
	static struct daemon d = { .turns = { {
		SAYS(ADMIT_OK),
		{ .says = ADMIT_OK, .is_slow = true },
		SAYS("action=450 4.7.1 over limit\nlimit=google\n\n") } } };
	struct policy_client *c;
	struct arena *a = arena_new();
	struct policy_reply r;
	struct policy p;

	(void)state;
	open_daemon(&d);
	c = policy_client_new(str_from(d.socket), 5000);
	p = policy_client_policy(c);
	for (int i = 0; i < 2; i++) {
		r = admit(c, a);
		assert_int_equal(r.answer, POLICY_ACCEPT);
		assert_int_equal(r.nsuppressed, 1);
		assert_int_equal(r.suppressed[0].recipient, 1);
		expect_str("reason", r.suppressed[0].reason, STR("complaint"));
		expect_str("text", r.suppressed[0].text,
		    STR("suppressed (x)"));
	}
	p.charge(p.arg, a, &message, &r);
	assert_int_equal(r.answer, POLICY_DEFER);
	expect_str("code", r.code, STR("450"));
	expect_str("limit", r.limit, STR("google"));
	policy_client_free(&c);
	close_daemon(&d);
	assert_int_equal(d.accepted, 1);
	assert_non_null(strstr(d.asked, "request=bulkhead_charge\n"));
	assert_non_null(strstr(d.asked, "recipient=bob@x.example\n"));
	arena_free(&a);
}

/* policyd was restarted: a kept connection is dead, the question is not. */
static void
kept_connection_is_dead(void **state)
{
	static struct daemon d = { .turns = {
		{ LAST(ADMIT_OK) },
		{ SAYS(ADMIT_OK) } } };
	struct policy_client *c;
	struct arena *a = arena_new();

	(void)state;
	open_daemon(&d);
	c = policy_client_new(str_from(d.socket), 5000);
	assert_int_equal(admit(c, a).answer, POLICY_ACCEPT);
	assert_int_equal(admit(c, a).answer, POLICY_ACCEPT);
	policy_client_free(&c);
	close_daemon(&d);
	assert_int_equal(d.accepted, 2);
	arena_free(&a);
}

#define OTHER "action=DUNNO\nsuppressed=0 manual suppressed (other)\n\n"

/* What comes unasked is never the answer to the next question. */
static void
answers_do_not_slip(void **state)
{
	static struct daemon daemons[] = {
		{ .turns = { { { ADMIT_OK OTHER, false, false, NULL } },
			{ { ADMIT_OK, false, false, NULL } } } },
		{ .turns = { { { ADMIT_OK "act", false, false, NULL } },
			{ { ADMIT_OK, false, false, NULL } } } },
		{ .turns = { { { ADMIT_OK, false, false, OTHER } },
			{ { ADMIT_OK, false, false, NULL } } } },
		{ .turns = { { { ADMIT_OK, true, false, OTHER } },
			{ { ADMIT_OK, false, false, NULL } } } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++) {
		struct arena *a = arena_new();
		struct policy_client *c;
		struct policy_reply r;

		open_daemon(&daemons[i]);
		c = policy_client_new(str_from(daemons[i].socket), 5000);
		assert_int_equal(admit(c, a).answer, POLICY_ACCEPT);
		while (daemons[i].turns[0][0].then != NULL &&
		    !atomic_load(&daemons[i].is_done))
			poll(NULL, 0, 5);
		r = admit(c, a);
		assert_int_equal(r.answer, POLICY_ACCEPT);
		assert_int_equal(r.nsuppressed, 1);
		assert_int_equal(r.suppressed[0].recipient, 1);
		policy_client_free(&c);
		close_daemon(&daemons[i]);
		assert_int_equal(daemons[i].accepted, 2);
		arena_free(&a);
	}
}

static void
no_answer(void **state)
{
	static struct daemon daemons[] = {
		{ .turns = { { SAYS(NULL) } } }, /* silent */
		{ .turns = { { LAST(NULL) } } }, /* hangs up */
		{ .turns = { { LAST("action=DUN") } } },
		{ .turns = { { LAST("nonsense\n\n") } } },
		{ .turns = { { LAST("action=PERHAPS\n\n") } } },
		{ .turns = { { LAST("action=DUNNO\nsuppressed=2 x y\n\n") } } },
		/* half a reply, and then: the end, silence, a slow drip */
		{ .turns = { { LAST("action=DUNNO\n") } } },
		{ .turns = { { SAYS("action=DUNNO\n") } } },
		{ .turns = { { { .says = "action=DUNNO\nx=" DRIP,
		    .is_slow = true } } } },
		{ .turns = { { LAST("action=DUNNO\nsuppressed=1 x y\n"
		    "suppressed=1 x y\n\n") } } },
		{ .turns = { { LAST("suppressed=1 x y\naction=DUNNO\n\n") } } },
		{ .turns = { { LAST("action=250 2.0.0 ok\n\n") } } },
		{ .turns = { { LAST("action=450 5.7.1 text\n\n") } } },
		{ .turns = { { LAST("\n\n\n\n") } } },
		{ .turns = { { LAST("action=DUNNO\r\n\r\n") } } },
		{ .turns = { { LAST("HTTP/1.1 400 Bad Request\r\n\r\n") } } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++) {
		struct arena *a = arena_new();
		struct policy_client *c;
		int64_t start = clock_monotonic();
		struct policy_reply r;

		open_daemon(&daemons[i]);
		c = policy_client_new(str_from(daemons[i].socket), QUICK);
		r = admit(c, a);
		if (r.answer != POLICY_UNAVAILABLE || r.nsuppressed != 0)
			fail_msg("daemon %zu: answer %d", i, (int)r.answer);
		/* the deadline, and not libmilter's: generous for slow hosts */
		assert_true(clock_monotonic() - start <
		    (int64_t)QUICK * 1000000 * 20);
		policy_client_free(&c);
		close_daemon(&daemons[i]);
		arena_free(&a);
	}
}

static void
not_there(void **state)
{
	struct arena *a = arena_new();
	struct policy_client *c = policy_client_new(
	    STR("unix:/tmp/bulkhead-no-such-socket"), QUICK);
	struct str reply, error;

	(void)state;
	assert_int_equal(admit(c, a).answer, POLICY_UNAVAILABLE);
	assert_int_equal(policy_client_ask(c, a,
	    STR("request=bulkhead_status\n\n"), &reply, &error), -1);
	expect_str("error", error, STR("unix:/tmp/bulkhead-no-such-socket: "
	    "No such file or directory"));
	/* settings loaded anew: there is no policyd any more */
	policy_client_use(c, STR(""));
	assert_int_equal(admit(c, a).answer, POLICY_ACCEPT);
	assert_int_equal(policy_client_ask(c, a,
	    STR("request=bulkhead_status\n\n"), &reply, &error), -1);
	policy_client_free(&c);
	arena_free(&a);
}

static void
moves_with_the_settings(void **state)
{
	static struct daemon one = { .turns = { { SAYS(ADMIT_OK) } } },
	    two = { .turns = { { SAYS("action=550 5.7.1 no\n\n") } } };
	struct policy_client *c;
	struct arena *a = arena_new();

	(void)state;
	open_daemon(&one);
	open_daemon(&two);
	c = policy_client_new(str_from(one.socket), 5000);
	assert_int_equal(admit(c, a).answer, POLICY_ACCEPT);
	policy_client_use(c, str_from(two.socket));
	assert_int_equal(admit(c, a).answer, POLICY_REFUSE);
	policy_client_free(&c);
	close_daemon(&one);
	close_daemon(&two);
	arena_free(&a);
}

/* More than a request may hold: refused for good, nobody is asked. */
static void
too_many_recipients(void **state)
{
	struct arena *a = arena_new();
	struct policy_client *c = policy_client_new(STR("unix:/tmp/none"),
	    QUICK);
	struct policy p = policy_client_policy(c);
	struct policy_message m = message;
	struct str *v = arena_alloc(a, 100000 * sizeof(*v));
	struct policy_reply r;

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		v[i] = recipients[0];
	m.recipients = v;
	m.nrecipients = 100000;
	p.admit(p.arg, a, &m, &r);
	assert_int_equal(r.answer, POLICY_REFUSE);
	expect_str("code", r.code, STR("552"));
	policy_client_free(&c);
	arena_free(&a);
}

/* As long as a line may be, and one octet more: nobody is asked. */
static void
long_values(void **state)
{
	static struct daemon d = { .turns = { { { ADMIT_OK, false, false,
		NULL } } } };
	struct arena *a = arena_new();
	struct policy_client *c;
	struct policy p;
	struct policy_reply r;
	char *text = arena_bytes(a, 9000);
	struct policy_message m = message;
	struct str to[2] = { recipients[0] };

	(void)state;
	memset(text, 'x', 9000);
	open_daemon(&d);
	c = policy_client_new(str_from(d.socket), 5000);
	p = policy_client_policy(c);
	m.recipients = to;
	to[1] = str_make(text, POLICY_LINE_MAX - POLICY_NAME_MAX - 1);
	p.admit(p.arg, a, &m, &r);
	assert_int_equal(r.answer, POLICY_ACCEPT);
	to[1].n++;
	p.admit(p.arg, a, &m, &r);
	assert_int_equal(r.answer, POLICY_REFUSE);
	expect_str("code", r.code, STR("552"));
	to[1] = recipients[1];
	m.sasl_user = str_make(text, 9000);
	p.charge(p.arg, a, &m, &r);
	assert_int_equal(r.answer, POLICY_REFUSE);
	policy_client_free(&c);
	close_daemon(&d);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(kept_connection_is_dead),
		cmocka_unit_test(answers_do_not_slip),
		cmocka_unit_test(no_answer),
		cmocka_unit_test(not_there),
		cmocka_unit_test(moves_with_the_settings),
		cmocka_unit_test(too_many_recipients),
		cmocka_unit_test(long_values),
	};

	log_open("test", LOG_TARGET_STDERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
