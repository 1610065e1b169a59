/*
 * test_engine_events.c - which events a message gives, by what came of it, and
 * what is in them.
 */
#include "fixture.h"

#include <stdio.h>

#include "base/hash.h"

#define STREAMS \
	"stream \"drops\" { match { header = { \"X-Drop\" } }\n" \
	"  suppressed = drop }\n" \
	"stream \"news\" { track = { clicks }\n" \
	"  return-path = true unsubscribe = one-click }\n"

#define HEAD \
	"From: Shop <news@example.com>\nSubject: s\n" \
	"Date: Tue, 01 Dec 2026 08:00:00 +0000\nMessage-ID: <1@example.com>\n" \
	"List-Id: The <L.example.com>\n"
#define MESSAGE HEAD "\nx\n"
#define BARE "From: a@elsewhere.example\n\nx\n"

/* What policyd says, and what was told. */
struct place {
	struct fixture f;
	struct policy policy;
	const char *suppressed[4];
	enum policy_answer admits, charges;
	bool is_paused;
	struct buf told; /* "kind recipient detail" each, '|' between */
	struct event last;
	unsigned n;
};

static void
answer(struct policy_reply *out, enum policy_answer answer)
{
	out->answer = answer;
	out->code = answer == POLICY_REFUSE ? STR("550") : STR("450");
	out->status = answer == POLICY_REFUSE ? STR("5.7.1") : STR("4.7.1");
	out->text = STR("no");
}

static void
admit(void *arg, struct arena *a, const struct policy_message *m,
    struct policy_reply *out)
{
	struct place *p = arg;

	answer(out, p->admits);
	out->is_paused = p->is_paused;
	out->suppressed = arena_alloc(a,
	    m->nrecipients * sizeof(*out->suppressed));
	for (size_t i = 0; i < m->nrecipients; i++)
		for (size_t j = 0; j < 4 && p->suppressed[j] != NULL; j++)
			if (str_eq(m->recipients[i],
			    str_from(p->suppressed[j])))
				out->suppressed[out->nsuppressed++] =
				    (struct policy_suppressed){ i,
					STR("suppressed (complaint)"),
					STR("complaint") };
}

static void
charge(void *arg, struct arena *a, const struct policy_message *m,
    struct policy_reply *out)
{
	struct place *p = arg;

	(void)a;
	(void)m;
	answer(out, p->charges);
	if (p->charges != POLICY_ACCEPT && p->charges != POLICY_UNAVAILABLE)
		out->limit = STR("google");
}

static void
keep(void *arg, const struct event *e)
{
	struct place *p = arg;
	struct arena *a = p->f.arena;

	buf_printf(&p->told, "%s%s %.*s", p->told.n > 0 ? "|" : "",
	    e->kind == EVENT_HANDED ? "handed" :
	    e->kind == EVENT_SUPPRESSED ? "suppressed" :
	    e->kind == EVENT_LIMITED ? "limited" : "?",
	    STR_ARG(e->recipient));
	if (e->detail.n > 0)
		buf_printf(&p->told, " %.*s", STR_ARG(e->detail));
	p->n++;
	p->last = *e;
	p->last.domain = exact(a, e->domain);
	p->last.campaign = exact(a, e->campaign);
	p->last.list = exact(a, e->list);
	p->last.instance = exact(a, e->instance);
	p->last.queue_id = exact(a, e->queue_id);
	p->last.message_id = exact(a, e->message_id);
	p->last.metadata = exact(a, e->metadata);
}

static void
open_place(struct place *p, const char *milter)
{
	memset(p, 0, sizeof(*p));
	fixture_open_with(&p->f, milter, STREAMS);
	p->policy = (struct policy){ admit, charge, p };
	p->f.policy = &p->policy;
	p->f.event = keep;
	p->f.event_arg = p;
	buf_init(&p->told, 65536);
}

static void
close_place(struct place *p)
{
	buf_free(&p->told);
	fixture_close(&p->f);
}

static void
send(struct place *p, const struct fixture_sender *from, const char *message)
{
	p->n = 0;
	buf_clear(&p->told);
	fixture_send(&p->f, from, message);
}

/* What policyd says of a message to three, and what is told. */
struct scene {
	const char *name, *message;
	const char *suppressed[4];
	enum policy_answer admits, charges;
	bool is_paused;
	const char *from, *client;
	const char *told;
};

#define ALL { "ann@r.example", "bob@r.example", "cleo@r.example" }
#define HANDED "handed ann@r.example|handed bob@r.example|" \
	"handed cleo@r.example"

static const struct scene scenes[] = {
	{ .name = "handed", .message = MESSAGE, .told = HANDED },
	{ .name = "no stream is no matter", .message = "X-Drop: 1\n" MESSAGE,
	    .told = HANDED },
	{ .name = "one is removed", .message = MESSAGE,
	    .suppressed = { "bob@r.example" },
	    .told = "suppressed bob@r.example complaint|"
		"handed ann@r.example|handed cleo@r.example" },
	{ .name = "all are refused", .message = MESSAGE, .suppressed = ALL,
	    .told = "suppressed ann@r.example complaint|"
		"suppressed bob@r.example complaint|"
		"suppressed cleo@r.example complaint" },
	{ .name = "all are dropped", .message = "X-Drop: 1\n" MESSAGE,
	    .suppressed = ALL,
	    .told = "suppressed ann@r.example complaint|"
		"suppressed bob@r.example complaint|"
		"suppressed cleo@r.example complaint" },
	{ .name = "over a limit", .message = MESSAGE, .charges = POLICY_DEFER,
	    .told = "limited ann@r.example google|"
		"limited bob@r.example google|limited cleo@r.example google" },
	{ .name = "put off, to come again", .message = MESSAGE,
	    .charges = POLICY_DEFER, .suppressed = { "bob@r.example" },
	    .told = "limited ann@r.example google|"
		"limited cleo@r.example google" },
	{ .name = "over a limit for good", .message = MESSAGE,
	    .charges = POLICY_REFUSE, .suppressed = { "bob@r.example" },
	    .told = "suppressed bob@r.example complaint|"
		"limited ann@r.example google|limited cleo@r.example google" },
	{ .name = "paused", .message = MESSAGE, .admits = POLICY_DEFER,
	    .is_paused = true,
	    .told = "limited ann@r.example paused|"
		"limited bob@r.example paused|limited cleo@r.example paused" },
	{ .name = "the store is down", .message = MESSAGE,
	    .admits = POLICY_DEFER, .told = "" },
	{ .name = "nobody answers", .message = MESSAGE,
	    .admits = POLICY_UNAVAILABLE, .told = "" },
	{ .name = "nobody charges", .message = MESSAGE,
	    .charges = POLICY_UNAVAILABLE, .suppressed = { "bob@r.example" },
	    .told = "" },
	{ .name = "a bounce", .message = MESSAGE, .from = "<>",
	    .suppressed = ALL, .told = "" },
	{ .name = "a stranger's", .message = MESSAGE, .client = "203.0.113.9",
	    .told = "" },
	{ .name = "not of a domain of ours", .message = BARE, .told = "" },
	{ .name = "that, with one removed", .message = BARE,
	    .suppressed = { "bob@r.example" },
	    .told = "suppressed bob@r.example complaint" },
	{ .name = "that, over a limit", .message = BARE,
	    .charges = POLICY_DEFER,
	    .told = "limited ann@r.example google|"
		"limited bob@r.example google|limited cleo@r.example google" },
};

static void
play(struct place *p, const struct scene *s)
{
	struct fixture_sender from = { .from = s->from, .client = s->client,
		.to = { "<Ann@R.example>", "bob@r.example",
		    "<cleo@R.EXAMPLE>" } };

	memcpy(p->suppressed, s->suppressed, sizeof(p->suppressed));
	p->admits = s->admits;
	p->charges = s->charges;
	p->is_paused = s->is_paused;
	send(p, &from, s->message);
}

static void
by_what_came_of_it(void **state)
{
	struct place p;

	(void)state;
	open_place(&p, "");
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		play(&p, &scenes[i]);
		expect_str(scenes[i].name, buf_view(&p.told),
		    str_from(scenes[i].told));
	}
	close_place(&p);
}

static void
observing_tells_nothing(void **state)
{
	struct place p;

	(void)state;
	open_place(&p, "mode = observe");
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		play(&p, &scenes[i]);
		expect_str(scenes[i].name, buf_view(&p.told), STR(""));
	}
	close_place(&p);
}

static void
nobody_is_told(void **state)
{
	struct place p;

	(void)state;
	open_place(&p, "");
	p.f.event = NULL; /* preview */
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		play(&p, &scenes[i]);
	close_place(&p);
}

/* A content filter hands it back. */
static void
once_for_what_comes_back(void **state)
{
	struct fixture_sender from = { .to = { "ann@r.example",
		"bob@r.example" } };
	struct place p;
	const char *again;

	(void)state;
	open_place(&p, "");
	send(&p, &from, MESSAGE);
	assert_int_equal(p.n, 2);
	again = arena_cstr(p.f.arena, p.f.out);
	send(&p, &from, again);
	assert_int_equal(p.n, 0);
	p.suppressed[0] = "bob@r.example"; /* meanwhile */
	send(&p, &from, again);
	expect_str(__func__, buf_view(&p.told),
	    STR("suppressed bob@r.example complaint"));
	/* one that adds a footer */
	p.suppressed[0] = NULL;
	send(&p, &from, arena_cstr(p.f.arena, arena_printf(p.f.arena,
	    "%s-- \n", again)));
	assert_int_equal(p.f.verdict, VERDICT_ACCEPT);
	assert_int_equal(p.n, 0);
	close_place(&p);
}

static void
all_that_is_known(void **state)
{
	struct fixture_sender from = { .mta = "mx1.example.com",
		.to = { "<Ann@Reader.EXAMPLE>" } };
	struct place p;

	(void)state;
	open_place(&p, "");
	send(&p, &from, "X-Bulkhead-Campaign: spring\n" MESSAGE);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.last.kind, EVENT_HANDED);
	assert_int_equal(p.last.verdict, EVENT_NOBODY);
	assert_true(p.last.at == FIXTURE_TIME * INT64_C(1000000));
	assert_int_equal(p.last.hours, FIXTURE_TIME / 3600);
	assert_int_equal(p.last.stream, hash_id32(STR("news")));
	expect_str("domain", p.last.domain, STR("example.com"));
	expect_str("campaign", p.last.campaign, STR("spring"));
	expect_str("list", p.last.list, STR("l.example.com"));
	expect_str("instance", p.last.instance, STR("mx1.example.com"));
	expect_str("queue id", p.last.queue_id, STR("4abcDEF"));
	expect_str("id", p.last.message_id, STR("1@example.com"));
	expect_str("metadata", p.last.metadata, STR(""));
	expect_str("told", buf_view(&p.told),
	    STR("handed ann@reader.example"));
	/* of a stream that it names, in a domain; without any id */
	send(&p, &from, "X-Drop: 1\nFrom: news@example.com\n\nx\n");
	assert_int_equal(p.last.stream, hash_id32(STR("drops")));
	expect_str("made id", p.last.message_id, arena_printf(p.f.arena,
	    "4abcDEF.%d@example.com", FIXTURE_TIME));
	send(&p, &from, "Message-ID: (c)\n <a b@c> \nFrom: news@example.com\n"
	    "\nx\n");
	expect_str("odd id", p.last.message_id, STR("(c) <a b@c>"));
	close_place(&p);
}

/* A text of n times c. */
static const char *
many(struct place *p, char c, size_t n)
{
	char *text = arena_alloc(p->f.arena, n + 1);

	memset(text, c, n);
	return text;
}

static void
metadata_as_json(void **state)
{
	struct fixture_sender from = { 0 };
	struct place p;
	struct {
		const char *field, *json;
	} cases[] = {
		{ "user=17; order=a b", "{\"user\": \"17\", \"order\": "
		    "\"a b\"}" },
		{ "q=a\"b\\c", "{\"q\": \"a\\\"b\\\\c\"}" },
		{ "l=\xc3\xa9\xff", "{\"l\": \"\xc3\xa9\xef\xbf\xbd\"}" },
		{ "a=1; long=LONG; b=2", "{\"a\": \"1\", \"b\": \"2\"}" },
		{ "long=LONG; b=2", "{\"b\": \"2\"}" },
		{ "long=LONG", "" },
		{ "none", "" },
	};

	(void)state;
	open_place(&p, "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str field = str_from(cases[i].field);
		size_t at = str_find(field, STR("LONG"), 0);

		if (at < field.n)
			field = arena_printf(p.f.arena, "%.*s%s%.*s",
			    STR_ARG(str_sub(field, 0, at)),
			    many(&p, 'x', EVENT_TEXT_MAX),
			    STR_ARG(str_sub(field, at + 4, field.n)));
		send(&p, &from, arena_cstr(p.f.arena, arena_printf(p.f.arena,
		    "X-Bulkhead-Metadata: %.*s\n%s", STR_ARG(field),
		    MESSAGE)));
		assert_int_equal(p.n, 1);
		expect_str(cases[i].field, p.last.metadata,
		    str_from(cases[i].json));
	}
	close_place(&p);
}

/* The longest object that is kept is as long as the store keeps texts. */
static void
metadata_is_never_cut(void **state)
{
	struct fixture_sender from = { 0 };
	size_t around = sizeof("{\"k\": \"\"}") - 1;
	struct place p;

	(void)state;
	open_place(&p, "");
	for (size_t n = EVENT_TEXT_MAX - around - 2;
	    n < EVENT_TEXT_MAX - around + 3; n++) {
		send(&p, &from, arena_cstr(p.f.arena, arena_printf(p.f.arena,
		    "X-Bulkhead-Metadata: k=%s\n%s", many(&p, 'x', n),
		    MESSAGE)));
		assert_int_equal(p.last.metadata.n,
		    n + around <= EVENT_TEXT_MAX ? n + around : 0);
	}
	close_place(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_what_came_of_it),
		cmocka_unit_test(observing_tells_nothing),
		cmocka_unit_test(nobody_is_told),
		cmocka_unit_test(once_for_what_comes_back),
		cmocka_unit_test(all_that_is_known),
		cmocka_unit_test(metadata_as_json),
		cmocka_unit_test(metadata_is_never_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
