/*
 * test_policyd.c - what policyd answers: whose mail is judged, suppressions by
 * scope, may-send, pauses, a store that does not tell, and what the log says.
 */
#include "policyd_fixture.h"

#include "base/hash.h"
#include "store_fixture.h"

#define NONE ((struct suppress_scope){ .stream = 0 })
#define FROM "sender=n@example.com instance=i1"
#define SUPPRESSED                                                             \
	"action=550 5.7.1 <a@b.example>: suppressed (hard-bounce 2026-11-01: " \
	"550 no)"

#define SETTINGS                                                               \
	"domain \"example.com\" { may-send = { \"sasl-user:shop\" } }\n"       \
	"domain \"other.example\" {}\n"                                        \
	"stream \"night\" { match { sasl-user = { \"shop\" } "                 \
	"daemon = { \"night\" } } envelope-domain = true }\n"                  \
	"stream \"shop\" { match { sasl-user = { \"shop*\" } } "               \
	"envelope-domain = true alias = { \"shop of old\" } }\n"               \
	"stream \"news\" { match { sasl-user = { \"news\" } } }\n"             \
	"stream \"by service\" { match { sasl-user = { \"serviced\" } } "      \
	"envelope-domain = true domain = \"example.com\" }\n"                  \
	"stream \"rest\" { match { header = { \"X-Any\" } } }\n"

static struct suppress_scope
scope(const char *domain, const char *stream, const char *list)
{
	return (struct suppress_scope){ .domain = str_from(domain),
		.stream = stream[0] != '\0' ? hash_id32(str_from(stream)) : 0,
		.list = str_from(list) };
}

static struct office *
usual_office(void **state)
{
	struct office *o = office_open(state, SETTINGS, "memory:", "memory:");

	office_suppress(o, "a@b.example", NONE, SUPPRESS_HARD_BOUNCE,
	    "550 no");
	return o;
}

static void
test_whose_mail(void **state)
{
	static const struct {
		const char *words;
		bool is_refused;
	} cases[] = {
		{ "client_address=127.0.0.1 sender=n@example.com", true },
		{ "client_address=192.0.2.1 sender=n@example.com "
		  "sasl_username=news", true },
		{ "sender=n@example.com sasl_username=news", true },
		{ "client_address=192.0.2.1 sender=n@example.com", false },
		{ "client_address=unknown sender=n@example.com", false },
		{ "client_address= sender=n@example.com", false },
		{ "client_address=::1 sender=n@example.com", false },
		{ "client_address=::ffff:127.0.0.1 sender=n@example.com",
		    true },
		{ "client_address=127.0.0.1 sender=", false },
		{ "client_address=127.0.0.1 sender=<>", false },
		{ "client_address=127.0.0.1", false },
	};
	struct office *o = usual_office(state);

	for (size_t i = 0; i < COUNT(cases); i++)
		expect_str(cases[i].words, office_ask(o, arena_cstr(o->arena,
		    arena_printf(o->arena, "request=smtpd_access_policy "
		    "protocol_state=RCPT recipient=a@b.example %s",
		    cases[i].words))), cases[i].is_refused ?
		    STR(SUPPRESSED) : STR("action=DUNNO"));
	office_close(o);
}

static void
test_other_states(void **state)
{
	static const char *const states[] = { "CONNECT", "EHLO", "HELO", "MAIL",
		"DATA", "END-OF-MESSAGE", "VRFY", "ETRN", "", "rcpt" };
	struct office *o = usual_office(state);

	for (size_t i = 0; i < COUNT(states); i++)
		expect_str(states[i], office_ask(o, arena_cstr(o->arena,
		    arena_printf(o->arena, "request=smtpd_access_policy "
		    "protocol_state=%s recipient=a@b.example "
		    "client_address=127.0.0.1 " FROM, states[i]))),
		    STR("action=DUNNO"));
	office_close(o);
}

static void
test_spellings_of_a_recipient(void **state)
{
	static const struct {
		const char *recipient, *want;
	} cases[] = {
		{ "a@b.example", SUPPRESSED },
		{ "A@B.Example",
		    "action=550 5.7.1 <A@B.Example>: suppressed (hard-bounce "
		    "2026-11-01: 550 no)" },
		{ "a2@b.example", "action=DUNNO" },
		{ "x@dead.example",
		    "action=550 5.7.1 <x@dead.example>: suppressed (manual "
		    "2026-11-01)" },
		{ "x@sub.dead.example", "action=DUNNO" },
		{ "", "action=DUNNO" },
		{ "@", "action=DUNNO" },
		{ "postmaster", "action=DUNNO" },
		{ "@dead.example",
		    "action=550 5.7.1 <@dead.example>: suppressed (manual "
		    "2026-11-01)" },
		/* all that Postfix delivers there */
		{ "a@b.example.",
		    "action=550 5.7.1 <a@b.example.>: suppressed (hard-bounce "
		    "2026-11-01: 550 no)" },
		{ "a%b.example",
		    "action=550 5.7.1 <a%b.example>: suppressed (hard-bounce "
		    "2026-11-01: 550 no)" },
		{ "b.example!a@",
		    "action=550 5.7.1 <b.example!a@>: suppressed (hard-bounce "
		    "2026-11-01: 550 no)" },
		{ "x@y@dead.example",
		    "action=550 5.7.1 <x@y@dead.example>: suppressed (manual "
		    "2026-11-01)" },
		/* no comment, no quotes: these are other people */
		{ "(c)a@b.example", "action=DUNNO" },
		{ "\"a\"@b.example", "action=DUNNO" },
	};
	struct office *o = usual_office(state);

	office_suppress(o, "@dead.example", NONE, SUPPRESS_MANUAL, "");
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_str(cases[i].recipient, office_rcpt(o,
		    cases[i].recipient, FROM), str_from(cases[i].want));
	office_close(o);
}

/* What a report said becomes one bounded line of printable ASCII. */
static void
test_evidence_is_bounded(void **state)
{
	struct office *o = usual_office(state);
	char evidence[400];
	struct str reply;

	memset(evidence, 'x', sizeof(evidence));
	memcpy(evidence, "a\xc3\xa4%s", 5);
	evidence[sizeof(evidence) - 1] = '\0';
	office_suppress(o, "e@b.example", NONE, SUPPRESS_COMPLAINT, evidence);
	reply = office_rcpt(o, "e@b.example", FROM);
	assert_true(str_starts(reply, STR("action=550 5.7.1 <e@b.example>: "
	    "suppressed (complaint 2026-11-01: a??%s")));
	assert_int_equal(str_chr(reply, '\n', 0), reply.n);
	assert_true(str_iends(reply, STR("xxx)")));
	assert_int_equal(reply.n, strlen("action=550 5.7.1 <e@b.example>: "
	    "suppressed (complaint 2026-11-01: )") + 200);
	office_close(o);
}

/* The strongest counts, of whatever scope. */
static void
test_scopes_at_rcpt(void **state)
{
	static const struct {
		const char *recipient, *words, *reason; /* NULL: none */
	} cases[] = {
		{ "dom@b.example", "sender=n@example.com sasl_username=shop",
		    "unsubscribe" },
		/* its envelope does not say the domain */
		{ "dom@b.example", "sender=n@example.com sasl_username=news",
		    NULL },
		/* the header decides */
		{ "dom@b.example", "sender=n@example.com sasl_username=else",
		    NULL },
		{ "dom@b.example", "sender=n@sub.example.com "
		  "sasl_username=shop", "unsubscribe" },
		{ "dom@b.example", "sender=n@other.example "
		  "sasl_username=shop2", NULL },
		{ "dom@b.example", "sender=n@nowhere.example "
		  "sasl_username=shop2", NULL },
		{ "str@b.example", "sender=n@example.com sasl_username=shop",
		    "unsubscribe" },
		{ "str@b.example", "sender=n@other.example "
		  "sasl_username=shop2", NULL },
		{ "old@b.example", "sender=n@example.com sasl_username=shop",
		    "complaint" },
		{ "list@b.example", "sender=n@example.com sasl_username=shop",
		    NULL },
		{ "both@b.example", "sender=n@example.com sasl_username=shop",
		    "complaint" },
		{ "both@b.example", "sender=n@example.com sasl_username=news",
		    "manual" },
	};
	struct office *o = office_open(state, SETTINGS, "memory:", NULL);

	/* the stream "night" may be the message's: a daemon is not told */
	office_settings(o, state,
	    "domain \"example.com\" {}\ndomain \"other.example\" {}\n"
	    "stream \"shop\" { match { sasl-user = { \"shop*\" } } "
	    "envelope-domain = true alias = { \"shop of old\" } }\n"
	    "stream \"news\" { match { sasl-user = { \"news\" } } }\n"
	    "stream \"rest\" { match { header = { \"X-Any\" } } }\n");
	office_suppress(o, "dom@b.example", scope("example.com", "", ""),
	    SUPPRESS_UNSUBSCRIBE, "");
	office_suppress(o, "str@b.example", scope("example.com", "shop", ""),
	    SUPPRESS_UNSUBSCRIBE, "");
	office_suppress(o, "old@b.example",
	    scope("example.com", "shop of old", ""), SUPPRESS_COMPLAINT, "");
	office_suppress(o, "list@b.example",
	    scope("example.com", "shop", "weekly"), SUPPRESS_UNSUBSCRIBE, "");
	office_suppress(o, "both@b.example", NONE, SUPPRESS_MANUAL, "");
	office_suppress(o, "both@b.example",
	    scope("example.com", "shop of old", ""), SUPPRESS_COMPLAINT, "");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct str want = cases[i].reason == NULL ?
		    STR("action=DUNNO") : arena_printf(o->arena,
		    "action=550 5.7.1 <%s>: suppressed (%s 2026-11-01)",
		    cases[i].recipient, cases[i].reason);

		expect_str(cases[i].words, office_rcpt(o, cases[i].recipient,
		    cases[i].words), want);
	}
	office_close(o);
}

/* Who may not send as the domain of his envelope is told so, and only he. */
static void
test_may_send(void **state)
{
	static const struct {
		const char *words, *want;
	} cases[] = {
		{ "sender=n@example.com sasl_username=shop2",
		    "action=550 5.7.1 shop2 may not send as example.com" },
		{ "sender=n@a.b.example.com sasl_username=shop2",
		    "action=550 5.7.1 shop2 may not send as example.com" },
		{ "sender=n@other.example sasl_username=shop2",
		    "action=DUNNO" },
		/* the stream's domain stands in */
		{ "sender=n@none.example sasl_username=serviced",
		    "action=550 5.7.1 serviced may not send as example.com" },
		/* not known at RCPT */
		{ "sender=n@example.com sasl_username=news", "action=DUNNO" },
		{ "sender=n@example.com sasl_username=shop", "action=DUNNO" },
		{ "sender=n@example.com", "action=DUNNO" },
	};
	struct office *o = usual_office(state);

	for (size_t i = 0; i < COUNT(cases); i++)
		expect_str(cases[i].words, office_rcpt(o, "x@b.example",
		    cases[i].words), str_from(cases[i].want));
	assert_int_equal(metrics_get(&o->metrics, METRIC_MAY_NOT_SEND), 3);
	office_close(o);
}

static void
set_pause(struct office *o, const char *key, int64_t expires, bool is_on)
{
	struct meta_item item = { .key = str_from(key),
		.value = is_on ? STR("1796000000 ann spam wave") : STR(""),
		.expires = expires };

	assert_int_equal(store_meta_put(o->desk.lists, &item, 1,
	    store_deadline(5000)), STORE_YES);
}

#define ADMIT                                                                  \
	"request=bulkhead_admit instance=mx queue_id=4A sender=n@example.com " \
	"domain=example.com stream=shop recipient=a@b.example "

static void
test_pauses(void **state)
{
	const char *at_rcpt = "sender=n@example.com sasl_username=shop2";
	struct office *o = office_open(state, "domain \"example.com\" {}\n"
	    "stream \"shop\" { match { sasl-user = { \"shop*\" } } "
	    "envelope-domain = true }\n", "memory:", NULL);
	const struct str paused = STR("action=450 4.7.1 stream shop is "
	    "paused: try again later");

	expect_str("before", office_ask(o, ADMIT), STR("action=DUNNO"));
	set_pause(o, "pause/stream/shop", 0, true);
	expect_str("admit", office_ask(o, ADMIT), arena_printf(o->arena,
	    "%.*s\npaused=1", STR_ARG(paused)));
	expect_str("rcpt", office_rcpt(o, "a@b.example", at_rcpt), paused);
	expect_str("another's", office_rcpt(o, "a@b.example",
	    "sender=n@example.com"), STR("action=DUNNO"));
	expect_str("charge", office_ask(o, "request=bulkhead_charge "
	    "domain=example.com stream=shop recipient=a@b.example"),
	    STR("action=DUNNO"));
	set_pause(o, "pause/stream/shop", 0, false);
	expect_str("after", office_ask(o, ADMIT), STR("action=DUNNO"));
	set_pause(o, "pause/domain/example.com", NOW + 60, true);
	expect_str("domain", office_ask(o, ADMIT), STR("action=450 4.7.1 "
	    "domain example.com is paused: try again later\npaused=1"));
	office_time(o, NOW + 61);
	expect_str("over", office_ask(o, ADMIT), STR("action=DUNNO"));
	set_pause(o, "pause/stream/shop of", 0, true);
	expect_str("whole names", office_ask(o, ADMIT), STR("action=DUNNO"));
	assert_int_equal(metrics_get(&o->metrics, METRIC_PAUSED), 3);
	office_close(o);
}

/* Told of smtpd's questions only: the milter tells of its own. */
static void
test_events(void **state)
{
	struct office *o = office_open(state, "domain \"example.com\" {}\n"
	    "stream \"shop\" { match { sasl-user = { \"shop*\" } } "
	    "envelope-domain = true }\n", "memory:", NULL);
	const char *shop = "sender=n@example.com sasl_username=shop2 "
	    "queue_id=4A";
	struct str id = arena_printf(o->arena, "example.com/%u 4A",
	    (unsigned)hash_id32(STR("shop")));

	office_suppress(o, "a@b.example", NONE, SUPPRESS_HARD_BOUNCE, "");
	office_rcpt(o, "A@B.example", shop);
	expect_str("suppressed", buf_view(&o->events), arena_printf(o->arena,
	    "suppressed a@b.example %.*s: hard-bounce", STR_ARG(id)));
	office_rcpt(o, "x@b.example", shop);
	expect_str("fine", buf_view(&o->events), STR(""));
	office_rcpt(o, "a@b.example", "sender=n@example.com");
	expect_str("no stream", buf_view(&o->events),
	    STR("suppressed a@b.example /0 : hard-bounce"));
	office_rcpt(o, "a@b.example", "sender=<>");
	expect_str("bounce", buf_view(&o->events), STR(""));
	office_ask(o, ADMIT);
	assert_int_equal(metrics_get(&o->metrics, METRIC_SUPPRESSED), 3);
	expect_str("the milter's", buf_view(&o->events), STR(""));
	set_pause(o, "pause/stream/shop", 0, true);
	office_rcpt(o, "x@b.example", shop);
	expect_str("paused", buf_view(&o->events), arena_printf(o->arena,
	    "limited x@b.example %.*s: paused", STR_ARG(id)));
	store_close(&o->desk.lists);
	office_rcpt(o, "x@b.example", "sender=n@example.com");
	expect_str("down", buf_view(&o->events), STR(""));
	office_close(o);
}

static void
test_admit(void **state)
{
	struct office *o = usual_office(state);

	office_suppress(o, "l@b.example",
	    scope("example.com", "shop", "weekly"), SUPPRESS_UNSUBSCRIBE,
	    "one-click");
	office_suppress(o, "d@b.example", scope("example.com", "", ""),
	    SUPPRESS_MANUAL, "");
	expect_str("some", office_ask(o, "request=bulkhead_admit instance=mx "
	    "queue_id=4A sender=n@example.com domain=example.com stream=shop "
	    "list=weekly recipient=x@b.example recipient=l@b.example "
	    "recipient= recipient=d@b.example recipient=a@b.example "
	    "recipient=l@b.example"),
	    STR("action=DUNNO\n"
		"suppressed=1 unsubscribe suppressed (unsubscribe 2026-11-01: "
		"one-click)\n"
		"suppressed=3 manual suppressed (manual 2026-11-01)\n"
		"suppressed=4 hard-bounce suppressed (hard-bounce 2026-11-01: "
		"550 no)\n"
		"suppressed=5 unsubscribe suppressed (unsubscribe 2026-11-01: "
		"one-click)"));
	assert_int_equal(metrics_get(&o->metrics, METRIC_SUPPRESSED), 4);
	expect_str("another list", office_ask(o, "request=bulkhead_admit "
	    "domain=example.com stream=shop list=daily "
	    "recipient=l@b.example"), STR("action=DUNNO"));
	expect_str("no section", office_ask(o, "request=bulkhead_admit "
	    "recipient=d@b.example"), STR("action=DUNNO"));
	expect_str("nobody", office_ask(o, "request=bulkhead_admit"),
	    STR("action=DUNNO"));
	/* a stream that was taken out of the settings meanwhile */
	office_settings(o, state, "domain \"example.com\" {}\n");
	expect_str("unknown stream", office_ask(o, "request=bulkhead_admit "
	    "domain=example.com stream=shop list=weekly "
	    "recipient=l@b.example"), STR("action=DUNNO\nsuppressed=0 "
	    "unsubscribe suppressed (unsubscribe 2026-11-01: one-click)"));
	office_close(o);
}

#define UNKNOWN "suppressions cannot be looked up now: try again later"

/* Down, failing, late: never a DUNNO that is not asked for. */
static void
test_store_does_not_tell(void **state)
{
	static const char *const stores[] = { NULL, "fail:fail:memory:",
		"fail:suppress.late:memory:" };

	for (size_t i = 0; i < COUNT(stores); i++) {
		struct office *o = office_open(state, "", stores[i], NULL);

		expect_str("rcpt", office_rcpt(o, "a@b.example", FROM),
		    STR("action=DEFER_IF_PERMIT 4.3.0 " UNKNOWN));
		expect_str("admit", office_ask(o, "request=bulkhead_admit "
		    "recipient=a@b.example"), STR("action=450 4.3.0 "
		    UNKNOWN));
		assert_true(str_find(buf_view(&o->log),
		    STR("cause=store-down"), 0) < o->log.n);
		office_settings(o, state, "on-store-failure = accept\n");
		expect_str("rcpt", office_rcpt(o, "a@b.example", FROM),
		    STR("action=DUNNO"));
		assert_true(str_find(buf_view(&o->log),
		    STR("policy=open"), 0) < o->log.n);
		expect_str("admit", office_ask(o, "request=bulkhead_admit "
		    "recipient=a@b.example"), STR("action=DUNNO\nopen=1"));
		/* nobody to look up: nothing that is not known */
		expect_str("nobody", office_ask(o, "request=bulkhead_admit "
		    "recipient="), STR("action=DUNNO"));
		assert_int_equal(metrics_get(&o->metrics,
		    METRIC_STORE_UNKNOWN), 4);
		assert_int_equal(metrics_get(&o->metrics, METRIC_OPENED), 2);
		office_close(o);
	}
}

/* admit of n recipients, the last one a@b.example. */
static struct str
admit_of(struct office *o, size_t n)
{
	struct buf text;
	struct str request;

	buf_init(&text, 1000000);
	buf_puts(&text, "request=bulkhead_admit\n");
	for (size_t i = 1; i < n; i++)
		buf_printf(&text, "recipient=u%zu@b.example\n", i);
	buf_puts(&text, "recipient=a@b.example\n");
	request = arena_copy(o->arena, buf_view(&text));
	buf_free(&text);
	return request;
}

#define BOUNCED(i)                                                            \
	"action=DUNNO\nsuppressed=" i " hard-bounce suppressed "              \
	"(hard-bounce 2026-11-01)"

/* Thousands that are looked up too late do so alone: call 3 is theirs. */
static void
test_large_question_is_late_alone(void **state)
{
	struct office *o = office_open(state, "",
	    "fail:suppress.late@3:memory:", NULL);
	struct suppress_scope all = { .domain = STR("") };
	struct str requests[3], replies[3];

	office_suppress(o, "a@b.example", all, SUPPRESS_HARD_BOUNCE, "");
	requests[0] = admit_of(o, 5000);
	requests[1] = admit_of(o, 2);
	requests[2] = admit_of(o, 999);
	office_ask_all(o, requests, 3, replies);
	expect_str("large", replies[0], STR("action=450 4.3.0 " UNKNOWN));
	expect_str("small", replies[1], STR(BOUNCED("1")));
	expect_str("smaller", replies[2], STR(BOUNCED("998")));
	office_ask_all(o, requests, 3, replies);
	expect_str("in time", replies[0], STR(BOUNCED("4999")));
	expect_str("small again", replies[1], STR(BOUNCED("1")));
	office_close(o);
}

/* Pauses that were never read are not "nothing is paused". */
static void
test_pauses_are_not_known(void **state)
{
	struct office *o = office_open(state, "domain \"example.com\" {}\n",
	    "fail:meta.fail@1-2:memory:", NULL);

	expect_str("not yet", office_ask(o, ADMIT), STR("action=450 4.3.0 "
	    UNKNOWN));
	expect_str("known", office_ask(o, ADMIT), STR("action=DUNNO"));
	office_close(o);
}

/* A store that takes its time to tell of pauses makes nobody late. */
static void
test_pauses_are_late(void **state)
{
	struct office *o = office_open(state, "domain \"example.com\" {}\n",
	    "fail:meta.late:memory:", NULL);
	int64_t begin = clock_monotonic();

	expect_str("late", office_ask(o, ADMIT), STR("action=450 4.3.0 "
	    UNKNOWN));
	assert_true(clock_monotonic() - begin < INT64_C(2000000000));
	office_close(o);
}

/* An outage is said once, and once that it is over. */
static void
test_outage_in_the_log(void **state)
{
	struct office *o = office_open(state, "",
	    "fail:suppress.fail@1-2:memory:", NULL);

	office_rcpt(o, "x@b.example", FROM);
	assert_int_equal(conf_count(buf_view(&o->log),
	    "does not tell suppressions"), 1);
	office_rcpt(o, "x@b.example", FROM);
	assert_int_equal(conf_count(buf_view(&o->log), "does not tell"), 0);
	office_rcpt(o, "x@b.example", FROM);
	assert_int_equal(conf_count(buf_view(&o->log),
	    "tells suppressions again after 0 s; 2 requests"), 1);
	office_rcpt(o, "x@b.example", FROM);
	assert_int_equal(o->log.n, 0);
	office_close(o);
}

static void
expect_logged(struct office *o, const char *line)
{
	if (str_find(buf_view(&o->log), str_from(line), 0) == o->log.n)
		fail_msg("no \"%s\" in: %.*s", line,
		    STR_ARG(buf_view(&o->log)));
}

static void
test_log_lines(void **state)
{
	struct office *o = usual_office(state);

	office_rcpt(o, "A@b.example", FROM " sasl_username=shop queue_id=4X");
	expect_logged(o, "4X: action=rejected step=rcpt client=127.0.0.1 "
	    "sasl-user=shop sender=<n@example.com> recipient=<a@b.example> "
	    "cause=suppressed reason=hard-bounce reply=\"550 5.7.1 "
	    "<A@b.example>: suppressed (hard-bounce 2026-11-01: 550 no)\" "
	    "instance=i1\n");
	office_rcpt(o, "a@b.example", FROM);
	expect_logged(o, "NOQUEUE: action=rejected");
	office_rcpt(o, "x@b.example", FROM);
	assert_int_equal(o->log.n, 0);
	office_ask(o, ADMIT "dry_run=1");
	expect_logged(o, "4A: observe action=suppressed step=admit "
	    "stream=shop domain=example.com sender=<n@example.com> nrcpt=1 "
	    "cause=suppressed reason=hard-bounce suppressed=1\n");
	office_close(o);
}

/* No address where the settings want none, not in a report's words either. */
static void
test_log_is_private(void **state)
{
	static const char *const kinds[] = { "hash", "none" };

	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct office *o = usual_office(state);

		office_settings(o, state, arena_cstr(o->arena,
		    arena_printf(o->arena, "log-addresses = %s\n" SETTINGS,
		    kinds[i])));
		office_suppress(o, "s@b.example", NONE, SUPPRESS_HARD_BOUNCE,
		    "550 <s@b.example> gone");
		office_rcpt(o, "s@b.example", FROM " sasl_username=news");
		expect_logged(o, "reply=\"550 5.7.1\"");
		assert_int_equal(conf_count(buf_view(&o->log), "s@b"), 0);
		assert_int_equal(conf_count(buf_view(&o->log), "n@ex"), 0);
		assert_int_equal(conf_count(buf_view(&o->log), "news"), 0);
		office_rcpt(o, "x@b.example",
		    "sender=n@example.com sasl_username=serviced");
		assert_int_equal(conf_count(buf_view(&o->log), "serviced"),
		    0);
		office_close(o);
	}
}

/* The limit of a login names the login. */
static void
test_log_of_a_login_s_limit(void **state)
{
	static const struct {
		const char *words, *per, *reply;
	} cases[] = {
		{ "", "per = sasl-user",
		    "reply=\"450 4.7.1 over limit \\\"each\\\" (1/d for shop): "
		    "retry in 86400 s\"\n" },
		{ "log-addresses = none", "per = sasl-user",
		    "reply=\"450 4.7.1\"\n" },
		{ "log-addresses = hash", "per = sasl-user",
		    "reply=\"450 4.7.1\"\n" },
		{ "log-addresses = none", "",
		    "reply=\"450 4.7.1 over limit \\\"each\\\" (1/d): "
		    "retry in 86400 s\"\n" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char settings[128];
		struct office *o;

		snprintf(settings, sizeof(settings), "%s\nlimit \"each\" { "
		    "rate = \"1/d\" %s }\n", cases[i].words, cases[i].per);
		o = office_open(state, settings, "memory:", "memory:");
		for (int n = 0; n < 2; n++)
			office_ask(o, n == 0 ? "request=bulkhead_charge "
			    "queue_id=4A sasl_username=shop recipient=a@x" :
			    "request=bulkhead_charge "
			    "queue_id=4B sasl_username=shop recipient=a@x");
		expect_logged(o, cases[i].reply);
		expect_logged(o, "4B: action=rejected step=charge");
		office_close(o);
	}
}

/* A value that is as long as a line may be makes no line without an end. */
static void
test_log_of_a_long_value(void **state)
{
	struct office *o = usual_office(state);
	char *name = arena_bytes(o->arena, 5001);

	memset(name, 'u', 5000);
	name[5000] = '\0';
	office_rcpt(o, "a@b.example", arena_cstr(o->arena, arena_printf(
	    o->arena, "sender=n@example.com sasl_username=%s queue_id=4X",
	    name)));
	expect_logged(o, "4X: action=rejected step=rcpt (details too long "
	    "for a line)");
	office_close(o);
}

static void
test_what_is_asked_where(void **state)
{
	static const struct {
		const char *request;
		bool is_control, is_taken;
	} cases[] = {
		{ "request=smtpd_access_policy", false, true },
		{ "request=smtpd_access_policy", true, true },
		{ "request=bulkhead_admit", false, false },
		{ "request=bulkhead_charge", false, false },
		{ "request=bulkhead_limit_reset", false, false },
		{ "request=bulkhead_status", false, false },
		{ "request=bulkhead_admit", true, true },
		{ "request=other", true, false },
		{ "request=other", false, false },
		{ "sender=x", true, false },
	};
	struct office *o = usual_office(state);

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *why = NULL;
		bool is_taken;

		batch_begin(&o->batch);
		is_taken = batch_add(&o->batch, str_from(cases[i].request),
		    cases[i].is_control, NULL, &why) != NULL;
		if (is_taken != cases[i].is_taken ||
		    (why == NULL) != is_taken ||
		    o->batch.n != (is_taken ? 1u : 0u))
			fail_msg("%s", cases[i].request);
	}
	batch_begin(&o->batch);
	office_close(o);
}

/* One batch of many is answered as each alone, in its order. */
static void
test_batch_is_as_one_by_one(void **state)
{
	struct office *o = usual_office(state);
	struct str requests[200], alone[200], together[200];

	for (size_t i = 0; i < COUNT(requests); i++) {
		const char *const kinds[] = {
			"request=smtpd_access_policy\nprotocol_state=RCPT\n"
			"client_address=127.0.0.1\nsender=n@example.com\n"
			"recipient=%s@b.example",
			"request=bulkhead_admit\nrecipient=x@y.example\n"
			"recipient=%s@b.example\nqueue_id=4A",
			"request=smtpd_access_policy\nprotocol_state=RCPT\n"
			"client_address=192.0.2.1\nsender=n@example.com\n"
			"recipient=%s@b.example",
			"request=bulkhead_refresh\nx=%s",
		};
		const char *who = i * 7 % 3 == 0 ? "a" : "c";
		struct buf text;

		buf_init(&text, 1000);
		buf_printf(&text, "%.*s%s%s", STR_ARG(str_sub(
		    str_from(kinds[i % 4]), 0, str_find(str_from(kinds[i % 4]),
		    STR("%s"), 0))), who, strstr(kinds[i % 4], "%s") + 2);
		requests[i] = arena_copy(o->arena, buf_view(&text));
		buf_free(&text);
		office_ask_all(o, &requests[i], 1, &alone[i]);
	}
	office_ask_all(o, requests, COUNT(requests), together);
	for (size_t i = 0; i < COUNT(requests); i++)
		expect_str("the same", together[i], alone[i]);
	office_close(o);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, conf_setup, conf_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_whose_mail),
		TEST(test_other_states),
		TEST(test_spellings_of_a_recipient),
		TEST(test_evidence_is_bounded),
		TEST(test_scopes_at_rcpt),
		TEST(test_may_send),
		TEST(test_pauses),
		TEST(test_events),
		TEST(test_admit),
		TEST(test_store_does_not_tell),
		TEST(test_large_question_is_late_alone),
		TEST(test_pauses_are_not_known),
		TEST(test_pauses_are_late),
		TEST(test_outage_in_the_log),
		TEST(test_log_lines),
		TEST(test_log_is_private),
		TEST(test_log_of_a_login_s_limit),
		TEST(test_log_of_a_long_value),
		TEST(test_what_is_asked_where),
		TEST(test_batch_is_as_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
