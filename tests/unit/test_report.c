/*
 * test_report.c - the log line of a message, split as docs/LOGGING.md says,
 * and what is counted of it.
 */
#include "fixture.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

#define LINES "stream \"a stream \\\"of\\\" \\\\ names\" {\n"		       \
    "match { header = { \"X-Odd\" } }\n"				       \
    "unsubscribe = one-click track = { clicks, opens } }\n"		       \
    "stream \"solo\" { match { header = { \"X-Solo\" } } "		       \
    "several-recipients = reject }\n"

#define MESSAGE "From: News <news@example.com>\nTo: user@example.net\n"	       \
    "Subject: s\nMIME-Version: 1.0\nContent-Type: text/html\n"
#define BODY "\n<p><a href=\"http://a.example/\">a</a> <a href=\"#x\">b</a>\n"

/* Sends the message; what was written to standard error meanwhile. */
static struct str
logged(struct fixture *f, const struct fixture_sender *from,
    const char *message)
{
	int old = dup(STDERR_FILENO), fd = memfd_create("log", 0);
	struct str text;

	assert_true(old >= 0 && fd >= 0);
	dup2(fd, STDERR_FILENO);
	fixture_send(f, from, message);
	dup2(old, STDERR_FILENO);
	close(old);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(file_read_fd(f->arena, fd, 65536, &text), 0);
	close(fd);
	return text;
}

/*
 * The value of a key in the first line, found as a reader would: split at
 * blanks outside of quotes, a backslash takes the next octet as it is.
 */
static struct str
value_of(struct fixture *f, struct str text, const char *key)
{
	struct str line = str_sub(text, 0, str_chr(text, '\n', 0));
	char *out = arena_bytes(f->arena, line.n + 1);
	size_t n = 0;
	bool in_quotes = false;

	for (size_t i = 0; i <= line.n; i++) {
		char c = i < line.n ? line.p[i] : ' ';

		if (c == '"') {
			in_quotes = !in_quotes;
		} else if (c == ' ' && !in_quotes) {
			struct str word = str_make(out, n);
			size_t equals = str_chr(word, '=', 0);

			if (str_eq(str_sub(word, 0, equals), str_from(key)) &&
			    equals < n)
				return str_sub(word, equals + 1, n);
			n = 0;
		} else {
			if (c == '\\' && in_quotes)
				c = line.p[++i];
			out[n++] = c;
		}
	}
	return STR("(none)");
}

static void
expect(struct fixture *f, struct str line, const char *key, const char *want)
{
	struct str got = value_of(f, line, key);

	if (!str_eq(got, str_from(want)))
		fail_msg("%s: got \"%.*s\", want \"%s\" in\n%.*s", key,
		    STR_ARG(got), want, STR_ARG(line));
}

static void
test_signed(void **state)
{
	struct fixture f;
	struct fixture_sender from = { .client = "127.0.0.1",
		.sasl_user = "news man" };
	struct str line;

	(void)state;
	fixture_open(&f, LINES);
	f.is_loud = true;
	line = logged(&f, &from, MESSAGE "X-Odd: 1\n"
	    "X-Bulkhead-Campaign: May=\"2\" \\ sale\nList-Id: <l.example>\n"
	    BODY);
	assert_int_equal(str_find(line, STR("bulkhead: 4abcDEF: action="), 0),
	    0);
	assert_int_equal(str_chr(line, '\n', 0), line.n - 1);
	expect(&f, line, "action", "signed");
	expect(&f, line, "stream", "a stream \"of\" \\ names");
	expect(&f, line, "domain", "example.com");
	expect(&f, line, "client", "127.0.0.1");
	expect(&f, line, "sasl-user", "news man");
	expect(&f, line, "sender", "<news@example.com>");
	expect(&f, line, "campaign", "May=\"2\" \\ sale");
	expect(&f, line, "list", "l.example");
	expect(&f, line, "nrcpt", "1");
	expect(&f, line, "links", "1");
	expect(&f, line, "left", "1");
	expect(&f, line, "pixels", "1");
	expect(&f, line, "unsubscribe", "one-click");
	expect(&f, line, "reason", "(none)");
	assert_int_equal(metrics_get(&f.metrics, METRIC_MESSAGES), 1);
	assert_int_equal(metrics_get(&f.metrics, METRIC_SIGNED), 1);
	assert_int_equal(metrics_get(&f.metrics, METRIC_LINKS), 1);
	assert_int_equal(metrics_get(&f.metrics, METRIC_LINKS_LEFT), 1);
	assert_int_equal(metrics_get(&f.metrics, METRIC_UNSUBSCRIBES), 1);
	assert_true(metrics_get(&f.metrics, METRIC_SIGNATURES) > 0);
	assert_int_equal(metrics_get(&f.metrics, METRIC_PASSED), 0);
	fixture_close(&f);
}

/* docs/LOGGING.md: keys come in the order of its table. */
static void
test_order(void **state)
{
	static const char *const keys[] = { "action", "stream", "domain",
		"client", "sender", "nrcpt", "size", "links", "left", "pixels",
		"unsubscribe", "encoded", "signatures", "time", "cpu_us" };
	struct fixture f;
	struct fixture_sender from = { .client = "127.0.0.1" };
	struct str line;
	size_t at = 0;

	(void)state;
	fixture_open(&f, LINES);
	f.is_loud = true;
	line = logged(&f, &from, MESSAGE "X-Odd: 1\n"
	    "Content-Transfer-Encoding: 8bit\n\n<p>caf\xc3\xa9\n");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		size_t found = str_find(line, arena_printf(f.arena, " %s=",
		    keys[i]), at);

		if (found == line.n)
			fail_msg("%s is not where it belongs in\n%.*s",
			    keys[i], STR_ARG(line));
		at = found;
	}
	fixture_close(&f);
}

static void
test_refused(void **state)
{
	struct fixture f;
	struct fixture_sender from = { .to = { "a@b.example", "c@d.example" } };
	struct str line;

	(void)state;
	fixture_open(&f, LINES);
	f.is_loud = true;
	line = logged(&f, &from, MESSAGE "X-Solo: 1\n" BODY);
	expect(&f, line, "action", "rejected");
	expect(&f, line, "nrcpt", "2");
	expect(&f, line, "links", "(none)");
	assert_true(str_starts(value_of(&f, line, "reply"),
	    STR("550 5.5.3 stream solo takes one recipient")));
	assert_int_equal(metrics_get(&f.metrics, METRIC_REJECTED), 1);
	assert_int_equal(metrics_get(&f.metrics, METRIC_RECIPIENTS), 2);
	assert_int_equal(metrics_get(&f.metrics, METRIC_LINKS), 0);
	assert_int_equal(f.metrics.stages[0].runs, 1);
	assert_int_equal(f.metrics.stages[0].stops, 0);
	assert_int_equal(f.metrics.stages[1].stops, 1); /* admit */
	assert_int_equal(f.metrics.stages[2].runs, 0);
	fixture_close(&f);
}

/* What the client is told names its login; the log does as it is bidden. */
static void
test_login_in_a_reply(void **state)
{
	static const struct {
		const char *settings, *login, *want;
	} cases[] = {
		{ "", "shop@x.example",
		    "550 5.7.1 shop@x.example may not send as c.example" },
		{ "log-addresses = none\n", "shop@x.example",
		    "550 5.7.1 - may not send as c.example" },
		{ "log-addresses = none\n", "sh\xc3\xb6p@x.example",
		    "550 5.7.1 - may not send as c.example" },
		{ "log-addresses = hash\n", "a",
		    "550 5.7.1 ca978112ca1bbdca may not send as c.example" },
		{ "log-addresses = none\n", NULL,
		    "550 5.7.1 this client may not send as c.example" },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture_sender from = { .sasl_user = cases[i].login };
		char conf[256];

		snprintf(conf, sizeof(conf), "domain \"c.example\" { "
		    "may-send = { \"sasl-user:news@*\" } }\n%s",
		    cases[i].settings);
		fixture_open(&f, conf);
		f.is_loud = true;
		expect(&f, logged(&f, &from, "From: a@c.example\n\nx\n"),
		    "reply", cases[i].want);
		fixture_close(&f);
	}
}

static void
test_passed(void **state)
{
	struct fixture f;
	struct fixture_sender from = { .client = "127.0.0.1" };
	struct str line;

	(void)state;
	fixture_open(&f, LINES);
	f.is_loud = true;
	line = logged(&f, &from, "From: a@elsewhere.example\n" BODY);
	expect(&f, line, "action", "passed");
	expect(&f, line, "reason", "no domain section covers its From");
	line = logged(&f, &(struct fixture_sender){ .client = "203.0.113.9" },
	    MESSAGE BODY);
	assert_true(str_starts(line, STR("bulkhead: NOQUEUE: action=passed "
	    "client=203.0.113.9 reason=\"")));
	assert_int_equal(metrics_get(&f.metrics, METRIC_PASSED), 1);
	assert_int_equal(metrics_get(&f.metrics, METRIC_NOT_OURS), 1);
	assert_int_equal(metrics_get(&f.metrics, METRIC_MESSAGES), 1);
	fixture_close(&f);
}

/* Nothing of a message can end a line or pretend to be another key. */
static void
test_hostile(void **state)
{
	struct fixture f;
	struct fixture_sender from = {
		.from = "<\"x action=signed\r\n5abc: action=signed\"@b>" };
	struct str line;

	(void)state;
	fixture_open(&f, LINES);
	f.is_loud = true;
	line = logged(&f, &from, "From: \"a\" <\"b\nc\"@example.com>\n" BODY);
	assert_int_equal(str_chr(line, '\n', 0), line.n - 1);
	assert_true(str_starts(line, STR("bulkhead: 4abcDEF: action=")));
	expect(&f, line, "nrcpt", "1");
	assert_int_not_equal(str_find(line, STR(" sender=\"<"), 0), line.n);
	fixture_close(&f);
}

/* The lines without who sent the message, and without times. */
static struct str
without_who(struct fixture *f, struct str text)
{
	static const char *const cuts[][2] = { { " domain=", " suppressed=" },
		{ " domain=", " limit=" }, { " domain=", " reply=" },
		{ " time=", "\n" } };

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		size_t from = str_find(text, str_from(cuts[i][0]), 0);
		size_t to = str_find(text, str_from(cuts[i][1]), from);

		if (to < text.n)
			text = arena_printf(f->arena, "%.*s%.*s",
			    (int)from, text.p, (int)(text.n - to),
			    text.p + to);
	}
	return text;
}

/* bob is suppressed; charges are over a limit of the login's. */
static void
admit(void *arg, struct arena *a, const struct policy_message *m,
    struct policy_reply *out)
{
	(void)arg;
	*out = (struct policy_reply){ .answer = POLICY_ACCEPT };
	out->suppressed = arena_alloc(a, sizeof(*out->suppressed));
	for (size_t i = 0; i < m->nrecipients; i++)
		if (str_eq(m->recipients[i], STR("bob@x.example"))) {
			out->suppressed[0] = (struct policy_suppressed){ i,
				STR("suppressed (manual 2026-11-01: "
				    "bob@x.example)"), STR("manual") };
			out->nsuppressed = 1;
		}
}

static void
charge(void *arg, struct arena *a, const struct policy_message *m,
    struct policy_reply *out)
{
	(void)arg;
	*out = (struct policy_reply){ .answer = POLICY_DEFER,
		.code = STR("450"), .status = STR("4.7.1"),
		.limit = STR("each"),
		.text = arena_printf(a, "over limit \"each\" (1/d for %.*s): "
		    "retry in 9 s", STR_ARG(m->sasl_user)) };
}

/* docs/LOGGING.md: a line for each suppressed recipient, then the message. */
static void
test_whom_policyd_refuses(void **state)
{
	static const struct {
		const char *settings, *to, *lines;
	} cases[] = {
		{ "", "bob@x.example",
		    "bulkhead: 4abcDEF: action=suppressed "
		    "recipient=bob@x.example reason=manual\n"
		    "bulkhead: 4abcDEF: action=rejected suppressed=1 "
		    "reply=\"550 5.7.1 <bob@x.example>: suppressed (manual "
		    "2026-11-01: bob@x.example)\"\n" },
		{ "log-addresses = none\n", "bob@x.example",
		    "bulkhead: 4abcDEF: action=suppressed "
		    "recipient=- reason=manual\n"
		    "bulkhead: 4abcDEF: action=rejected suppressed=1 "
		    "reply=\"550 5.7.1 suppressed (manual)\"\n" },
		{ "log-addresses = hash\n", "<BOB@X.example>",
		    "bulkhead: 4abcDEF: action=suppressed "
		    "recipient=7832d9309020e043 reason=manual\n"
		    "bulkhead: 4abcDEF: action=rejected suppressed=1 "
		    "reply=\"550 5.7.1 suppressed (manual)\"\n" },
		{ "", "ann@x.example",
		    "bulkhead: 4abcDEF: action=rejected limit=each "
		    "reply=\"450 4.7.1 over limit \\\"each\\\" (1/d for "
		    "s@y.example): retry in 9 s\"\n" },
		{ "log-addresses = none\n", "ann@x.example",
		    "bulkhead: 4abcDEF: action=rejected limit=each "
		    "reply=\"450 4.7.1 over a limit\"\n" },
		{ "log-addresses = hash\n", "<a@b@x.example>",
		    "bulkhead: 4abcDEF: action=rejected "
		    "reply=\"550 5.1.3 recipient 1 of 1 is no address that "
		    "suppressions can be looked up for\"\n" },
	};
	static const struct policy policy = { admit, charge, NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture_sender from = { .sasl_user = "s@y.example",
			.to = { cases[i].to } };
		struct fixture f;
		char conf[256];

		snprintf(conf, sizeof(conf), "limit \"each\" { rate = \"1/d\" "
		    "per = sasl-user }\npolicyd { control = \"unix:/s\" }\n"
		    "%s", cases[i].settings);
		fixture_open(&f, conf);
		f.is_loud = true;
		f.policy = &policy;
		expect_str(cases[i].to, without_who(&f, logged(&f, &from,
		    "From: a@example.com\n\nx\n")),
		    str_from(cases[i].lines));
		fixture_close(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_login_in_a_reply),
		cmocka_unit_test(test_passed),
		cmocka_unit_test(test_whom_policyd_refuses),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
