/*
 * test_admit.c - the stages that ask policyd, with a policy that answers what
 * the case says and keeps what it was asked.
 */
#include "fixture.h"

#include <stdio.h>

#define STREAMS \
	"stream \"drops\" { match { header = { \"X-Drop\" } }\n" \
	"  suppressed = drop }\n" \
	"stream \"single\" { match { header = { \"X-Single\" } }\n" \
	"  several-recipients = reject }\n" \
	"stream \"news\" { track = { clicks }\n" \
	"  return-path = true unsubscribe = one-click }\n"

#define MESSAGE \
	"From: Shop <news@example.com>\nTo: x@y.example\nSubject: s\n" \
	"Date: Tue, 01 Dec 2026 08:00:00 +0000\nMessage-ID: <1@example.com>\n" \
	"List-Id: <l.example.com>\n"
#define HTML "Content-Type: text/html\n\n" \
	"<a href=\"https://shop.example/\">x</a>\n"

/* What it answers, and what it was asked. */
struct fake {
	struct arena *arena;
	const char *suppressed[4]; /* addresses */
	enum policy_answer admits, charges;
	unsigned nadmits, ncharges;
	struct policy_message admit, charge; /* the last ones */
};

/* The question outlives its message. */
static struct policy_message
keep(struct fake *f, const struct policy_message *m)
{
	struct policy_message copy = *m;
	struct str *v = arena_alloc(f->arena, m->nrecipients * sizeof(*v));

	for (size_t i = 0; i < m->nrecipients; i++)
		v[i] = arena_copy(f->arena, m->recipients[i]);
	copy.recipients = v;
	copy.instance = arena_copy(f->arena, m->instance);
	copy.queue_id = arena_copy(f->arena, m->queue_id);
	copy.sender = arena_copy(f->arena, m->sender);
	copy.client = arena_copy(f->arena, m->client);
	copy.domain = arena_copy(f->arena, m->domain);
	copy.stream = arena_copy(f->arena, m->stream);
	copy.list = arena_copy(f->arena, m->list);
	return copy;
}

static void
answer(struct policy_reply *out, enum policy_answer answer)
{
	out->answer = answer;
	out->code = answer == POLICY_REFUSE ? STR("550") : STR("450");
	out->status = answer == POLICY_REFUSE ? STR("5.7.1") : STR("4.7.1");
	out->text = STR("over limit \"google\" (20000/h): retry in 37 s");
	if (answer == POLICY_DEFER || answer == POLICY_REFUSE)
		out->limit = STR("google");
}

static void
admit(void *arg, struct arena *a, const struct policy_message *m,
    struct policy_reply *out)
{
	struct fake *f = arg;

	f->nadmits++;
	f->admit = keep(f, m);
	answer(out, f->admits);
	out->suppressed = arena_alloc(a,
	    m->nrecipients * sizeof(*out->suppressed));
	for (size_t i = 0; i < m->nrecipients; i++)
		for (size_t j = 0; j < 4 && f->suppressed[j] != NULL; j++)
			if (str_eq(m->recipients[i],
			    str_from(f->suppressed[j])))
				out->suppressed[out->nsuppressed++] =
				    (struct policy_suppressed){ i,
					STR("suppressed (hard-bounce "
					    "2026-11-01: 550 no such user)"),
					STR("hard-bounce") };
}

static void
charge(void *arg, struct arena *a, const struct policy_message *m,
    struct policy_reply *out)
{
	struct fake *f = arg;

	(void)a;
	f->ncharges++;
	f->charge = keep(f, m);
	answer(out, f->charges);
}

struct place {
	struct fixture f;
	struct fake fake;
	struct policy policy;
};

static void
open_place(struct place *p, const char *more)
{
	char text[2048];

	snprintf(text, sizeof(text), "%s%s", STREAMS, more);
	fixture_open(&p->f, text);
	p->fake = (struct fake){ .arena = p->f.arena };
	p->policy = (struct policy){ admit, charge, &p->fake };
	p->f.policy = &p->policy;
}

static const struct fixture_sender three = { .to = { "<Ann@Reader.example>",
	"bob@reader.example", "<\"c d\"@reader.example>" } };

/* What was removed, with blanks between. */
static struct str
removed(struct place *p)
{
	struct str all = STR("");

	for (size_t i = 0; i < p->f.mta.nremoved; i++)
		all = arena_printf(p->f.arena, "%.*s%s%.*s", STR_ARG(all),
		    all.n > 0 ? " " : "", STR_ARG(p->f.mta.removed[i]));
	return all;
}

static void
asks_what_is_known(void **state)
{
	struct fixture_sender from = { .client = "127.0.0.1",
		.sasl_user = "ann", .to = { "<Ann@Reader.EXAMPLE>" } };
	struct place p;

	(void)state;
	open_place(&p, "");
	fixture_send(&p.f, &from, MESSAGE HTML);
	assert_int_equal(p.f.verdict, VERDICT_ACCEPT);
	assert_int_equal(p.fake.nadmits, 1);
	assert_int_equal(p.fake.ncharges, 1);
	expect_str(__func__, p.fake.admit.queue_id, STR("4abcDEF"));
	expect_str(__func__, p.fake.admit.sender, STR("news@example.com"));
	expect_str(__func__, p.fake.admit.client, STR("127.0.0.1"));
	expect_str(__func__, p.fake.admit.domain, STR("example.com"));
	expect_str(__func__, p.fake.admit.stream, STR("news"));
	expect_str(__func__, p.fake.admit.list, STR("l.example.com"));
	assert_int_equal(p.fake.admit.nrecipients, 1);
	/* a key that no entry can have */
	fixture_send(&p.f, &from, arena_cstr(p.f.arena, arena_printf(p.f.arena,
	    "List-Id: <%0300d>\nFrom: news@example.com\n\nx\n", 0)));
	assert_int_equal(p.fake.nadmits, 2);
	expect_str(__func__, p.fake.admit.list, STR(""));
	expect_str(__func__, p.fake.admit.recipients[0],
	    STR("ann@reader.example"));
	assert_false(p.fake.admit.is_dry);
	fixture_close(&p.f);
}

static void
suppressed_are_removed(void **state)
{
	struct place p;

	(void)state;
	open_place(&p, "");
	p.fake.suppressed[0] = "ann@reader.example";
	p.fake.suppressed[1] = "\"c d\"@reader.example";
	fixture_send(&p.f, &three, MESSAGE HTML);
	assert_int_equal(p.f.verdict, VERDICT_ACCEPT);
	/* by the exact spelling: Postfix compares bytes */
	expect_str(__func__, removed(&p), STR("<Ann@Reader.example> "
	    "<\"c d\"@reader.example>"));
	assert_int_equal(p.fake.charge.nrecipients, 1);
	expect_str(__func__, p.fake.charge.recipients[0],
	    STR("bob@reader.example"));
	/* one is left: tokens name it */
	assert_int_equal(fixture_fields(&p.f, "List-Unsubscribe-Post"), 1);
	assert_int_equal(metrics_get(&p.f.metrics,
	    METRIC_REMOVED_RECIPIENTS), 2);
	fixture_close(&p.f);
}

static void
all_suppressed(void **state)
{
	static const struct {
		const char *head, *to[4];
		enum verdict verdict;
		const char *text;
	} cases[] = {
		{ "", { "Ann@reader.example" }, VERDICT_REJECT,
		    "<ann@reader.example>: suppressed (hard-bounce 2026-11-01:"
		    " 550 no such user)" },
		{ "", { "ann@reader.example", "bob@reader.example" },
		    VERDICT_REJECT, "all 2 recipients are suppressed; "
		    "<ann@reader.example>: suppressed (hard-bounce 2026-11-01:"
		    " 550 no such user)" },
		{ "X-Drop: 1\n", { "ann@reader.example" }, VERDICT_DISCARD,
		    "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture_sender from = { 0 };
		struct place p;

		memcpy(from.to, cases[i].to, sizeof(from.to));
		open_place(&p, "");
		p.fake.suppressed[0] = "ann@reader.example";
		p.fake.suppressed[1] = "bob@reader.example";
		fixture_send(&p.f, &from, arena_printf(p.f.arena, "%s%s",
		    cases[i].head, MESSAGE HTML).p);
		assert_int_equal(p.f.verdict, cases[i].verdict);
		assert_string_equal(fixture_message(&p.f)->reply.text,
		    cases[i].text);
		assert_int_equal(p.fake.ncharges, 0);
		assert_int_equal(metrics_get(&p.f.metrics,
		    METRIC_REMOVED_RECIPIENTS), i == 1 ? 2 : 1);
		fixture_close(&p.f);
	}
}

static void
over_a_limit(void **state)
{
	struct place p;

	(void)state;
	open_place(&p, "");
	p.fake.charges = POLICY_DEFER;
	fixture_send(&p.f, &three, MESSAGE HTML);
	assert_int_equal(p.f.verdict, VERDICT_REJECT);
	assert_string_equal(fixture_message(&p.f)->reply.code, "450");
	assert_string_equal(fixture_message(&p.f)->reply.text,
	    "over limit \"google\" (20000/h): retry in 37 s");
	assert_int_equal(p.f.mta.nremoved, 0); /* nothing was changed */
	assert_int_equal(fixture_fields(&p.f, "DKIM-Signature"), 0);
	assert_int_equal(metrics_get(&p.f.metrics, METRIC_OVER_LIMIT), 1);
	p.fake.charges = POLICY_ACCEPT;
	p.fake.admits = POLICY_REFUSE;
	fixture_send(&p.f, &three, MESSAGE HTML);
	assert_int_equal(p.f.verdict, VERDICT_REJECT);
	assert_string_equal(fixture_message(&p.f)->reply.code, "550");
	assert_int_equal(p.fake.ncharges, 1);
	fixture_close(&p.f);
}

/* on-store-failure: put off, or accepted and counted. */
static void
nobody_answers(void **state)
{
	struct place p;

	(void)state;
	open_place(&p, "");
	p.fake.admits = POLICY_UNAVAILABLE;
	fixture_send(&p.f, &three, MESSAGE HTML);
	assert_int_equal(p.f.verdict, VERDICT_TEMPFAIL);
	assert_string_equal(fixture_message(&p.f)->reply.code, "451");
	assert_int_equal(p.fake.ncharges, 0);
	p.fake.admits = POLICY_ACCEPT;
	p.fake.charges = POLICY_UNAVAILABLE;
	fixture_send(&p.f, &three, MESSAGE HTML);
	assert_int_equal(p.f.verdict, VERDICT_TEMPFAIL);
	fixture_close(&p.f);
	open_place(&p, "on-store-failure = accept\n");
	p.fake.admits = p.fake.charges = POLICY_UNAVAILABLE;
	fixture_send(&p.f, &three, MESSAGE HTML);
	assert_int_equal(p.f.verdict, VERDICT_ACCEPT);
	assert_int_equal(fixture_fields(&p.f, "DKIM-Signature"), 2);
	assert_int_equal(metrics_get(&p.f.metrics, METRIC_POLICY_DOWN), 1);
	fixture_close(&p.f);
}

/* Ours, and left as it came: suppressions and limits hold all the same. */
static void
left_as_it_came(void **state)
{
	struct place p;

	(void)state;
	open_place(&p, "");
	p.fake.suppressed[0] = "bob@reader.example";
	fixture_send(&p.f, &three, "From: a@elsewhere.example\n\nx\n");
	assert_int_equal(p.f.verdict, VERDICT_PASS);
	expect_str(__func__, removed(&p), STR("bob@reader.example"));
	expect_str(__func__, p.fake.admit.domain, STR(""));
	assert_int_equal(p.fake.charge.nrecipients, 2);
	expect_str(__func__, p.f.out, STR("From: a@elsewhere.example\n\nx\n"));
	p.fake.suppressed[1] = "ann@reader.example";
	p.fake.suppressed[2] = "\"c d\"@reader.example";
	fixture_send(&p.f, &three, "From: a@elsewhere.example\n\nx\n");
	assert_int_equal(p.f.verdict, VERDICT_REJECT);
	fixture_close(&p.f);
}

/* A content filter hands it back: suppressed since, but not charged again. */
static void
done_before(void **state)
{
	struct place p;
	const char *again;

	(void)state;
	open_place(&p, "");
	fixture_send(&p.f, &three, MESSAGE HTML);
	assert_int_equal(p.fake.ncharges, 1);
	again = arena_cstr(p.f.arena, p.f.out);
	p.fake.suppressed[0] = "bob@reader.example";
	fixture_send(&p.f, &three, again);
	assert_int_equal(p.f.verdict, VERDICT_PASS);
	assert_true(fixture_message(&p.f)->is_already_done);
	assert_int_equal(p.fake.nadmits, 2);
	assert_int_equal(p.fake.ncharges, 1);
	expect_str(__func__, removed(&p), STR("bob@reader.example"));
	fixture_close(&p.f);
}

static void
not_asked(void **state)
{
	struct fixture_sender bounce = { .from = "<>" },
	    stranger = { .client = "203.0.113.9" };
	struct place p;

	(void)state;
	open_place(&p, "");
	fixture_send(&p.f, &bounce, MESSAGE HTML);
	assert_int_equal(p.f.verdict, VERDICT_ACCEPT);
	fixture_send(&p.f, &stranger, MESSAGE HTML);
	assert_int_equal(p.f.verdict, VERDICT_PASS);
	assert_int_equal(p.fake.nadmits + p.fake.ncharges, 0);
	fixture_close(&p.f);
	open_place(&p, "policyd { charge-at = data }\n");
	fixture_send(&p.f, &three, MESSAGE HTML);
	assert_int_equal(p.f.verdict, VERDICT_ACCEPT);
	assert_int_equal(p.fake.nadmits, 1);
	assert_int_equal(p.fake.ncharges, 0);
	fixture_close(&p.f);
}

static void
one_recipient_is_counted_after_removal(void **state)
{
	struct place p;

	(void)state;
	open_place(&p, "");
	fixture_send(&p.f, &three, "X-Single: 1\n" MESSAGE HTML);
	assert_int_equal(p.f.verdict, VERDICT_REJECT);
	assert_int_equal(p.fake.ncharges, 0);
	p.fake.suppressed[0] = "ann@reader.example";
	p.fake.suppressed[1] = "bob@reader.example";
	fixture_send(&p.f, &three, "X-Single: 1\n" MESSAGE HTML);
	assert_int_equal(p.f.verdict, VERDICT_ACCEPT);
	fixture_close(&p.f);
}

static void
observe_changes_nothing(void **state)
{
	struct place p;

	(void)state;
	fixture_open_with(&p.f, "mode = observe", STREAMS);
	p.fake = (struct fake){ .arena = p.f.arena };
	p.policy = (struct policy){ admit, charge, &p.fake };
	p.f.policy = &p.policy;
	p.fake.suppressed[0] = "bob@reader.example";
	fixture_send(&p.f, &three, MESSAGE HTML);
	assert_int_equal(p.f.verdict, VERDICT_PASS);
	assert_int_equal(p.f.mta.nremoved, 0);
	assert_true(p.fake.admit.is_dry);
	assert_true(p.fake.charge.is_dry);
	fixture_close(&p.f);
}

/* What goes out to remove a recipient; NULL: the message is refused. */
static void
odd_spellings(void **state)
{
	static const struct {
		const char *to, *removed;
	} cases[] = {
		{ "<ANN@Reader.example>", "<ANN@Reader.example>" },
		{ "ann@reader.example", "ann@reader.example" },
		{ "<\"ann\"@reader.example>", "<\"ann\"@reader.example>" },
		{ "< (x) ann @ reader.example. >",
		    "< (x) ann @ reader.example. >" },
		/* Postfix keeps no source route, nor finds it */
		{ "<@a.example,@b.example:ann@reader.example>",
		    "<ann@reader.example>" },
		{ "@a.example:ann@reader.example", "ann@reader.example" },
		{ "< @a.example:ann@reader.example>",
		    "< @a.example:ann@reader.example>" },
		{ "<ann@x@reader.example>", NULL },
		{ "<reader.example!ann>", "<reader.example!ann>" },
		{ "<ann%reader.example>", "<ann%reader.example>" },
		{ "<ann@reader.example@>", "<ann@reader.example@>" },
		{ "<@reader.example>", NULL },
		{ "<<ann@reader.example>>", NULL },
		{ "root", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture_sender from = { .to = { "bob@reader.example",
			cases[i].to } };
		struct place p;

		open_place(&p, "policyd { control = \"unix:/tmp/none\" }\n");
		p.fake.suppressed[0] = "ann@reader.example";
		fixture_send(&p.f, &from, MESSAGE HTML);
		if (cases[i].removed == NULL) {
			assert_int_equal(p.f.verdict, VERDICT_REJECT);
			assert_string_equal(fixture_message(&p.f)->reply.status,
			    "5.1.3");
			assert_int_equal(p.fake.nadmits, 0);
			assert_int_equal(p.fake.ncharges, 0);
		} else {
			assert_int_equal(p.f.verdict, VERDICT_ACCEPT);
			expect_str(cases[i].to, removed(&p),
			    str_from(cases[i].removed));
		}
		fixture_close(&p.f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_what_is_known),
		cmocka_unit_test(suppressed_are_removed),
		cmocka_unit_test(all_suppressed),
		cmocka_unit_test(odd_spellings),
		cmocka_unit_test(over_a_limit),
		cmocka_unit_test(nobody_answers),
		cmocka_unit_test(left_as_it_came),
		cmocka_unit_test(done_before),
		cmocka_unit_test(not_asked),
		cmocka_unit_test(one_recipient_is_counted_after_removal),
		cmocka_unit_test(observe_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
