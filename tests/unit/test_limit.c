/*
 * test_limit.c - which buckets a message touches, at which rate on which day,
 * what is answered over a limit, and what is paused.
 */
#include "conf_load.h"

#include "bulkhead/limit.h"

#define DAY    INT64_C(86400)
#define FIRST  INT64_C(1796083200) /* 2026-12-01 */
#define MICROS INT64_C(1000000)

/* A plan as text: "name/value=cost@rate*burst ...", in its order. */
static struct str
plan_text(struct arena *a, const struct limit_plan *plan)
{
	struct str all = STR("");

	for (size_t i = 0; i < plan->n; i++) {
		const struct rate_bucket *b = &plan->buckets[i];
		struct str name, value;

		assert_true(limit_key_split(b->key, &name, &value));
		expect_str("limit", name, plan->limits[i]->name);
		all = arena_printf(a, "%.*s%s%.*s/%.*s=%llu@%llu*%llu",
		    STR_ARG(all), i ? " " : "", STR_ARG(name), STR_ARG(value),
		    (unsigned long long)b->cost,
		    (unsigned long long)b->rate.count,
		    (unsigned long long)b->burst);
	}
	return all;
}

struct plan_case {
	const char *name, *limits;
	const char *recipients; /* with blanks between */
	const char *want;
};

static size_t
split(struct arena *a, const char *text, struct str **out)
{
	struct str s = str_from(text);
	size_t n = 0, cap = 0, at = 0;

	*out = NULL;
	while (at < s.n) {
		size_t end = str_chr(s, ' ', at);

		*out = arena_grow(a, *out, n, &cap, sizeof(**out));
		(*out)[n++] = exact(a, str_sub(s, at, end));
		at = end + 1;
	}
	return n;
}

static struct limit_facts
usual_facts(const struct net_addr *client)
{
	return (struct limit_facts){
		.domain = STR("example.com"),
		.stream = STR("news"),
		.sasl_user = STR("Bob@Example.com"),
		.client = client,
		.knows_domain = true,
		.knows_stream = true,
		.now = FIRST,
	};
}

static void
run_plans(void **state, const struct plan_case *cases, size_t n)
{
	struct net_addr client;

	assert_int_equal(net_parse_addr(STR("2001:db8:1:2:3::4"), &client), 0);
	for (size_t i = 0; i < n; i++) {
		struct limit_facts f = usual_facts(&client);
		struct limit_plan plan;
		struct loaded l;
		struct str *v;

		load_good(&l, state, cases[i].limits);
		f.nrecipients = split(l.arena, cases[i].recipients, &v);
		f.recipients = v;
		plan = limit_plan(l.arena, l.s, &f);
		expect_str(cases[i].name, plan_text(l.arena, &plan),
		    str_from(cases[i].want));
		unload(&l);
	}
}

static void
test_plans(void **state)
{
	static const struct plan_case cases[] = {
		{ "no limit", "", "a@x", "" },
		{ "one", "limit l { rate = \"9/d\" }", "a@x b@y", "l/=2@9*9" },
		{ "burst", "limit l { rate = \"9/d\" burst = 3 }", "a@x",
		    "l/=1@9*3" },
		{ "messages", "limit l { rate = \"9/d\" count = messages }",
		    "a@x b@y", "l/=1@9*9" },
		{ "nobody", "limit l { rate = \"9/d\" count = messages }", "",
		    "" },
		{ "no domain", "limit l { rate = \"9/d\" }", "root", "l/=1@9*9" },
		{ "two limits", "limit a { rate = \"9/d\" }\n"
		    "limit b { rate = \"8/h\" }", "a@x", "a/=1@9*9 b/=1@8*8" },
		{ "of these domains", "limit l { rate = \"9/d\" "
		    "recipient-domain = { \"GMail.com\", \"*.google.com\" } }",
		    "a@gmail.com b@x.google.com c@google.com d@xgmail.com "
		    "e@gmail.com root", "l/=3@9*9" },
		{ "A-labels", "limit l { rate = \"9/d\" recipient-domain = "
		    "{ \"b\xc3\xbc" "cher.example\" } }",
		    "a@xn--bcher-kva.example", "l/=1@9*9" },
		{ "none of these", "limit l { rate = \"9/d\" "
		    "recipient-domain = { \"gmail.com\" } }", "a@x", "" },
		{ "an @ in the local part", "limit l { rate = \"9/d\" per = "
		    "recipient-domain }", "\"a@b\"@x", "l/x=1@9*9" },
		{ "each domain", "limit l { rate = \"9/d\" per = "
		    "recipient-domain }", "a@y b@x c@y root",
		    "l/x=1@9*9 l/y=2@9*9" },
		{ "each of some domains", "limit l { rate = \"9/d\" per = "
		    "recipient-domain recipient-domain = { \"*.x\" } }",
		    "a@y b@x c@a.x d@b.x e@a.x", "l/a.x=2@9*9 l/b.x=1@9*9" },
		{ "messages to each domain", "limit l { rate = \"9/d\" per = "
		    "recipient-domain count = messages }", "a@y b@x c@y",
		    "l/x=1@9*9 l/y=1@9*9" },
		{ "overrides", "limit l { rate = \"9/d\" per = "
		    "recipient-domain override \"X.\" { rate = \"5/h\" } "
		    "override y { rate = \"7/s\" burst = 2 } }", "a@x b@y c@z",
		    "l/x=1@5*5 l/y=1@7*2 l/z=1@9*9" },
		{ "domain", "limit l { rate = \"9/d\" per = domain }", "a@x "
		    "b@y", "l/example.com=2@9*9" },
		{ "override of it", "limit l { rate = \"9/d\" per = domain "
		    "override \"Example.COM\" { rate = \"4/d\" } }", "a@x",
		    "l/example.com=1@4*4" },
		{ "stream", "stream news { } limit l { rate = \"9/d\" per = "
		    "stream override news { rate = \"6/d\" } }", "a@x",
		    "l/news=1@6*6" },
		{ "user", "limit l { rate = \"9/d\" per = sasl-user override "
		    "\"BOB@example.com\" { rate = \"3/d\" } }", "a@x",
		    "l/bob@example.com=1@3*3" },
		{ "client", "limit l { rate = \"9/d\" per = client }", "a@x",
		    "l/2001:db8:1:2::/64=1@9*9" },
		{ "override of it", "limit l { rate = \"9/d\" per = client "
		    "override \"2001:db8:1:2:ffff::\" { rate = \"2/d\" } }",
		    "a@x", "l/2001:db8:1:2::/64=1@2*2" },
		{ "and another", "limit l { rate = \"9/d\" per = client "
		    "override \"2001:db8:1:3::/64\" { rate = \"2/d\" } }",
		    "a@x", "l/2001:db8:1:2::/64=1@9*9" },
	};

	run_plans(state, cases, COUNT(cases));
}

static const char each_per[] =
    "limit d { rate = \"9/d\" per = domain }\n"
    "limit s { rate = \"9/d\" per = stream }\n"
    "limit u { rate = \"9/d\" per = sasl-user }\n"
    "limit c { rate = \"9/d\" per = client }\n";

/* What is not known or not there gives no bucket. */
static void
test_unknown_values(void **state)
{
	static const struct str to = { "a@x", 3 };
	struct limit_facts f = usual_facts(NULL);
	struct limit_plan plan;
	struct loaded l;

	load_good(&l, state, each_per);
	f.recipients = &to;
	f.nrecipients = 1;
	f.sasl_user = STR("");
	f.knows_domain = false;
	plan = limit_plan(l.arena, l.s, &f);
	expect_str("no domain", plan_text(l.arena, &plan), STR("s/news=1@9*9"));
	f.knows_domain = true;
	f.knows_stream = false;
	plan = limit_plan(l.arena, l.s, &f);
	expect_str("no stream", plan_text(l.arena, &plan),
	    STR("d/example.com=1@9*9"));
	f.knows_stream = true;
	f.domain = f.stream = STR("");
	f.sasl_user = STR("u");
	plan = limit_plan(l.arena, l.s, &f);
	expect_str("empty", plan_text(l.arena, &plan), STR("u/u=1@9*9"));
	unload(&l);
}

/* A message with more recipients than anybody sorts in his head. */
static void
test_many_recipients(void **state)
{
	struct limit_facts f = usual_facts(NULL);
	struct limit_plan plan;
	struct loaded l;
	struct str *v;
	uint64_t sum = 0;

	load_good(&l, state, "limit l { rate = \"9/d\" per = recipient-domain }"
	    "limit all { rate = \"9/d\" }");
	v = arena_array(l.arena, 50000, sizeof(*v));
	for (unsigned i = 0; i < 50000; i++)
		v[i] = arena_printf(l.arena, "u%u@d%u.example", i,
		    i * 7919u % 20011u);
	f.recipients = v;
	f.nrecipients = 50000;
	plan = limit_plan(l.arena, l.s, &f);
	assert_int_equal(plan.n, 20011 + 1);
	for (size_t i = 0; i < 20011; i++)
		sum += plan.buckets[i].cost;
	assert_int_equal(sum, 50000);
	assert_int_equal(plan.buckets[20011].cost, 50000);
	unload(&l);
}

static void
test_long_values(void **state)
{
	static const struct str to = { "a@x", 3 };
	struct limit_facts f = usual_facts(NULL);
	struct limit_plan one, two;
	struct loaded l;
	char user[3000];

	load_good(&l, state, "limit u { rate = \"9/d\" per = sasl-user }");
	memset(user, 'u', sizeof(user));
	f.recipients = &to;
	f.nrecipients = 1;
	f.sasl_user = exact(l.arena, str_make(user, sizeof(user)));
	one = limit_plan(l.arena, l.s, &f);
	user[2999] = 'v';
	f.sasl_user = exact(l.arena, str_make(user, sizeof(user)));
	two = limit_plan(l.arena, l.s, &f);
	assert_true(one.buckets[0].key.n < 300);
	assert_false(str_eq(one.buckets[0].key, two.buckets[0].key));
	expect_str("as written", limit_key(l.arena, STR("u"), limit_value(
	    l.arena, &l.s->limits[0], f.sasl_user)), two.buckets[0].key);
	unload(&l);
}

static void
test_warm_up(void **state)
{
	static const struct {
		int64_t now;
		uint64_t rate, burst;
		size_t stage;
	} cases[] = {
		{ 0, 200, 200, 1 },
		{ FIRST - 400 * DAY, 200, 200, 1 },
		{ FIRST - 1, 200, 200, 1 },
		{ FIRST, 200, 200, 1 },
		{ FIRST + DAY - 1, 200, 200, 1 },
		{ FIRST + DAY, 500, 500, 2 },
		{ FIRST + 2 * DAY - 1, 500, 500, 2 },
		{ FIRST + 2 * DAY, 1000, 1000, 3 },
		{ FIRST + 3 * DAY, 20000, 7, 0 },
		{ FIRST + 4000 * DAY, 20000, 7, 0 },
	};
	struct rate rate;
	uint64_t burst;
	struct loaded l;

	load_good(&l, state, "limit l { rate = \"20000/h\" burst = 7 per = "
	    "sasl-user warm-up = { \"200/d\", \"500/d\", \"1000/d\" } "
	    "from = \"2026-12-01\" override cold { rate = \"3/d\" } "
	    "override new { rate = \"50/d\" warm-up = \"4/d\" from = "
	    "\"2026-12-02\" } }");
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t stage = limit_rate(&l.s->limits[0], STR("u"),
		    cases[i].now, &rate, &burst);

		if (stage != cases[i].stage || rate.count != cases[i].rate ||
		    burst != cases[i].burst)
			fail_msg("case %zu: stage %zu, %llu, burst %llu", i,
			    stage, (unsigned long long)rate.count,
			    (unsigned long long)burst);
	}
	assert_int_equal(limit_rate(&l.s->limits[0], STR("cold"), FIRST, &rate,
	    &burst), 0);
	assert_int_equal(rate.count, 3);
	assert_int_equal(limit_rate(&l.s->limits[0], STR("new"),
	    FIRST + 2 * DAY - 1, &rate, &burst), 1);
	assert_int_equal(rate.count, 4);
	assert_int_equal(limit_rate(&l.s->limits[0], STR("new"),
	    FIRST + 2 * DAY, &rate, &burst), 0);
	assert_int_equal(rate.count, 50);
	assert_ptr_equal(limit_named(l.s, STR("l")), &l.s->limits[0]);
	assert_null(limit_named(l.s, STR("L")));
	unload(&l);
}

static void
test_keys(void **state)
{
	static const struct str bad[] = { { "", 0 }, { "a", 1 }, { "a\0", 2 },
		{ "a\0b", 3 } };
	struct arena *a = arena_new();
	struct str name, value;

	(void)state;
	expect_str("key", limit_key(a, STR("a"), STR("b")), STR("a\0b\0"));
	expect_str("prefix", limit_key(a, STR("a"), STR("")), STR("a\0"));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(limit_key_split(exact(a, bad[i]), &name, &value));
	assert_true(limit_key_split(STR("a\0\0"), &name, &value));
	expect_str("name", name, STR("a"));
	expect_str("value", value, STR(""));
	arena_free(&a);
}

static void
test_values(void **state)
{
	static const struct {
		enum limit_per per;
		const char *text, *want;
	} cases[] = {
		{ LIMIT_PER_DOMAIN, "Example.COM.", "example.com" },
		{ LIMIT_PER_RECIPIENT_DOMAIN, "B\xc3\xbc" "cher.example",
		    "xn--bcher-kva.example" },
		{ LIMIT_PER_SASL_USER, "Bob", "bob" },
		{ LIMIT_PER_CLIENT, "192.0.2.1", "192.0.2.1" },
		{ LIMIT_PER_CLIENT, "::ffff:192.0.2.1", "192.0.2.1" },
		{ LIMIT_PER_CLIENT, "2001:DB8::1", "2001:db8::/64" },
		{ LIMIT_PER_CLIENT, "2001:db8::/64", "2001:db8::/64" },
		{ LIMIT_PER_CLIENT, "[2001:db8:0:1::9]", "2001:db8:0:1::/64" },
		{ LIMIT_PER_CLIENT, "/64", "/64" },
		{ LIMIT_PER_CLIENT, "nonsense", "nonsense" },
		{ LIMIT_PER_STREAM, "News", "News" },
		{ LIMIT_PER_NONE, "", "" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct limit_settings l = { .per = cases[i].per };

		expect_str(cases[i].text, limit_value(a, &l,
		    exact(a, str_from(cases[i].text))),
		    str_from(cases[i].want));
	}
	arena_free(&a);
}

static void
test_replies(void **state)
{
	static const struct {
		const char *name;
		int64_t waits[3];
		const char *want, *limit;
	} cases[] = {
		{ "one", { 36000001, 0, 0 },
		    "450 4.7.1 over limit \"google\" (20000/h): retry in 37 s",
		    "google" },
		{ "at once", { 1, 0, 0 },
		    "450 4.7.1 over limit \"google\" (20000/h): retry in 1 s",
		    "google" },
		{ "the longest", { 1, 5 * MICROS, 3 },
		    "450 4.7.1 over limit \"each\" (9/d for a??b): retry in "
		    "5 s", "each" },
		{ "never", { INT64_MAX, 5, -1 },
		    "550 5.7.1 over limit \"w\" (2/d): 700 recipients are more "
		    "than its burst of 2: send to 2 at a time at most", "w" },
		{ "longest of all", { INT64_MAX, 0, 0 },
		    "450 4.7.1 over limit \"google\" (20000/h): retry in "
		    "9223372036855 s", "google" },
		{ "none", { 0, 0, 0 },
		    "450 4.7.1 over a limit: try again later", "" },
	};
	struct loaded l;

	load_good(&l, state, "limit google { rate = \"20000/h\" }\n"
	    "limit each { rate = \"9/d\" per = sasl-user }\n"
	    "limit w { rate = \"9/d\" warm-up = \"2/d\" from = \"2026-12-01\" }");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct limit_facts f = usual_facts(NULL);
		struct str code, status, text, limit;
		struct limit_plan plan;
		struct str to[700];

		for (size_t j = 0; j < COUNT(to); j++)
			to[j] = STR("a@x");
		f.sasl_user = STR("a\r\xff" "b");
		f.recipients = to;
		f.nrecipients = COUNT(to);
		plan = limit_plan(l.arena, l.s, &f);
		assert_int_equal(plan.n, 3);
		for (size_t j = 0; j < 3; j++)
			plan.buckets[j].wait = cases[i].waits[j];
		limit_reply(l.arena, &plan, &code, &status, &text, &limit);
		expect_str(cases[i].name, arena_printf(l.arena,
		    "%.*s %.*s %.*s", STR_ARG(code), STR_ARG(status),
		    STR_ARG(text)), str_from(cases[i].want));
		expect_str(cases[i].name, limit, str_from(cases[i].limit));
	}
	unload(&l);
}

/* Whatever names and values are, a reply fits a line. */
static void
test_long_replies(void **state)
{
	static const struct str to = { "a@x", 3 };
	struct limit_facts f = usual_facts(NULL);
	struct str code, status, text, limit;
	struct limit_plan plan;
	char conf[2000], name[1000];
	struct loaded l;

	memset(name, 'n', sizeof(name));
	snprintf(conf, sizeof(conf), "limit \"%.1000s\" { rate = \"9/d\" per = "
	    "sasl-user }", name);
	load_good(&l, state, conf);
	f.recipients = &to;
	f.nrecipients = 1;
	f.sasl_user = str_make(name, sizeof(name));
	plan = limit_plan(l.arena, l.s, &f);
	plan.buckets[0].wait = 1;
	limit_reply(l.arena, &plan, &code, &status, &text, &limit);
	assert_true(text.n < 300);
	unload(&l);
}

static void
test_pauses(void **state)
{
	struct arena *a = arena_new();
	struct limit_pause p = { .since = FIRST, .by = STR("a b"),
		.note = STR("wrong list, ask Ann") };
	struct str key, value;

	(void)state;
	key = limit_pause_key(a, "stream", STR("a/b c"));
	expect_str("key", key, STR("pause/stream/a/b c"));
	value = limit_pause_value(a, &p);
	expect_str("value", value, STR("1796083200 a_b wrong list, ask Ann"));
	assert_true(limit_pause_parse(exact(a, key), exact(a, value), &p));
	expect_str("kind", p.kind, STR("stream"));
	expect_str("name", p.name, STR("a/b c"));
	expect_str("by", p.by, STR("a_b"));
	expect_str("note", p.note, STR("wrong list, ask Ann"));
	assert_int_equal(p.since, FIRST);
	p = (struct limit_pause){ .since = 5 };
	value = limit_pause_value(a, &p);
	assert_true(limit_pause_parse(key, exact(a, value), &p));
	assert_int_equal(p.since, 5);
	expect_str("nobody", p.by, STR("?"));
	expect_str("no note", p.note, STR(""));
	/* what cannot be read pauses all the same */
	assert_true(limit_pause_parse(key, STR("soon"), &p));
	expect_str("name", p.name, STR("a/b c"));
	assert_int_equal(p.since, 0);
	assert_true(limit_pause_parse(key, exact(a, STR("7")), &p));
	assert_int_equal(p.since, 7);
	assert_false(limit_pause_parse(STR("pause/x"), STR(""), &p));
	assert_false(limit_pause_parse(STR("cursor/x/y"), STR(""), &p));
	arena_free(&a);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, conf_setup, conf_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(test_plans),
		CASE(test_unknown_values),
		CASE(test_many_recipients),
		CASE(test_long_values),
		CASE(test_warm_up),
		CASE(test_keys),
		CASE(test_values),
		CASE(test_replies),
		CASE(test_long_replies),
		CASE(test_pauses),
	};

	return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
