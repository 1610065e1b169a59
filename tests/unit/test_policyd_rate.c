/*
 * test_policyd_rate.c - limits as policyd keeps them: asked at RCPT over all
 * recipients of a message, charged once, shown and reset; and what it
 * remembers of messages under way.
 */
#include "policyd_fixture.h"

#include <stdio.h>

#define RCPT_OK "action=DUNNO"
#define TOO_MANY(limit)                                                        \
	"action=450 4.7.1 over limit \"" limit "\": too many recipients for "  \
	"one message, send the others in another"

static const char three[] = "limit \"all\" { rate = \"10/h\" burst = 3 }\n";

static struct str
rcpt(struct office *o, int number, const char *instance)
{
	return office_rcpt(o, arena_cstr(o->arena, arena_printf(o->arena,
	    "u%d@x.example", number)), arena_cstr(o->arena, arena_printf(
	    o->arena, "sender=n@example.com instance=%s", instance)));
}

/* n recipients u0... of x.example. */
static struct str
charge(struct office *o, const char *queue_id, int n, const char *words)
{
	struct buf text;
	struct str request, reply;

	buf_init(&text, 100000);
	buf_printf(&text, "request=bulkhead_charge instance=mx queue_id=%s "
	    "sender=n@example.com%s", queue_id, words);
	for (int i = 0; i < n; i++)
		buf_printf(&text, " recipient=u%d@x.example", i);
	request = arena_copy(o->arena, buf_view(&text));
	buf_free(&text);
	reply = office_ask(o, arena_cstr(o->arena, request));
	return reply;
}

/* Tokens used of the only bucket there is; 0: none. */
static unsigned
used(struct office *o)
{
	struct str reply = office_ask(o, "request=bulkhead_limits");
	size_t at = str_find(reply, STR("\"used\": "), 0);

	return at == reply.n ? 0 : (unsigned)strtoul(arena_cstr(o->arena,
	    str_sub(reply, at + 8, reply.n)), NULL, 10);
}

static void
test_peek_is_cumulated(void **state)
{
	struct office *o = office_open(state, three, "memory:", "memory:");

	for (int i = 0; i < 3; i++)
		expect_str("fits", rcpt(o, i, "i1"), STR(RCPT_OK));
	expect_str("too many", rcpt(o, 3, "i1"), STR(TOO_MANY("all")));
	/* refused ones do not count, nor the same again */
	expect_str("again", rcpt(o, 4, "i1"), STR(TOO_MANY("all")));
	expect_str("the same", rcpt(o, 2, "i1"), STR(RCPT_OK));
	expect_str("another message", rcpt(o, 3, "i2"), STR(RCPT_OK));
	assert_int_equal(used(o), 0);
	expect_str("charged", charge(o, "4A", 2, ""), STR(RCPT_OK));
	assert_int_equal(used(o), 2);
	expect_str("less is left", rcpt(o, 5, "i3"), STR(RCPT_OK));
	expect_str("and no more", rcpt(o, 6, "i3"), STR("action=450 4.7.1 over "
	    "limit \"all\" (10/h): retry in 360 s"));
	assert_true(str_find(buf_view(&o->log), STR("cause=limit limit=all "),
	    0) < o->log.n);
	assert_int_equal(metrics_get(&o->metrics, METRIC_OVER_LIMIT), 3);
	office_close(o);
}

/* A message under way is known whichever way policyd's clock was set. */
static void
test_peek_over_clock_steps(void **state)
{
	static const int64_t steps[] = { -86400, 30, -3600, 500, -1, 59 };
	struct office *o = office_open(state, three, "memory:", "memory:");
	int64_t now = NOW;

	for (size_t i = 0; i < COUNT(steps); i++) {
		now += steps[i];
		office_time(o, now);
		instances_expire(o->desk.instances, now);
		if (i < 3)
			expect_str("fits", rcpt(o, (int)i, "i1"),
			    STR(RCPT_OK));
		else
			expect_str("too many", rcpt(o, (int)i, "i1"),
			    STR(TOO_MANY("all")));
	}
	expect_str("the same", rcpt(o, 2, "i1"), STR(RCPT_OK));
	/* in the end it is forgotten */
	office_time(o, now + 7200);
	instances_expire(o->desk.instances, now + 7200);
	expect_str("forgotten", rcpt(o, 3, "i1"), STR(RCPT_OK));
	office_close(o);
}

static void
test_peek_without_instance(void **state)
{
	struct office *o = office_open(state, three, "memory:", "memory:");

	for (int i = 0; i < 10; i++)
		expect_str("alone", rcpt(o, i, ""), STR(RCPT_OK));
	office_close(o);
}

/* One recipient that no bucket ever holds is refused for good. */
static void
test_peek_of_what_never_fits(void **state)
{
	struct office *o = office_open(state, "limit \"none\" { rate = "
	    "\"10/h\" burst = 1 count = messages }\n"
	    "limit \"day\" { rate = \"1/d\" per = recipient-domain }\n",
	    "memory:", "memory:");

	/* a message is one, however many recipients it has */
	expect_str("first", rcpt(o, 1, "i1"), STR(RCPT_OK));
	expect_str("other domain", office_rcpt(o, "a@y.example",
	    "sender=n@example.com instance=i1"), STR(RCPT_OK));
	expect_str("same domain", rcpt(o, 2, "i1"), STR(TOO_MANY("day")));
	expect_str("charge", charge(o, "4A", 2, ""), STR("action=550 5.7.1 "
	    "over limit \"day\" (1/d for x.example): 2 recipients are more "
	    "than its burst of 1: send to 1 at a time at most\nlimit=day"));
	expect_str("one", charge(o, "4A", 1, ""), STR(RCPT_OK));
	expect_str("next", charge(o, "4B", 1, ""), STR("action=450 4.7.1 over "
	    "limit \"day\" (1/d for x.example): retry in 86400 s\n"
	    "limit=day"));
	expect_str("rcpt", rcpt(o, 3, "i2"), STR("action=450 4.7.1 over limit "
	    "\"day\" (1/d for x.example): retry in 86400 s"));
	office_close(o);
}

static void
test_limits_of_a_stream(void **state)
{
	struct office *o = office_open(state, "domain \"example.com\" {}\n"
	    "stream \"shop\" { match { sasl-user = { \"shop\" } } "
	    "envelope-domain = true }\n"
	    "stream \"news\" { match { sasl-user = { \"news\" } } }\n"
	    "limit \"s\" { per = stream rate = \"1/h\" }\n"
	    "limit \"d\" { per = domain rate = \"1/h\" }\n", "memory:",
	    "memory:");

	charge(o, "4A", 1, " domain=example.com stream=shop");
	charge(o, "4B", 1, " domain=example.com stream=news");
	expect_str("known", office_rcpt(o, "a@x.example",
	    "sender=n@example.com sasl_username=shop"), STR("action=450 4.7.1 "
	    "over limit \"s\" (1/h for shop): retry in 3600 s"));
	/* the header could choose another one */
	expect_str("not known", office_rcpt(o, "a@x.example",
	    "sender=n@example.com sasl_username=news"), STR(RCPT_OK));
	office_close(o);
}

static void
test_charge_once(void **state)
{
	struct office *o = office_open(state, three, "memory:", "memory:");

	for (int i = 0; i < 3; i++)
		expect_str("the same", charge(o, "4A", 2, ""), STR(RCPT_OK));
	assert_int_equal(used(o), 2);
	assert_int_equal(metrics_get(&o->metrics, METRIC_CHARGED), 1);
	assert_int_equal(metrics_get(&o->metrics, METRIC_CHARGED_BEFORE), 2);
	expect_str("dry", charge(o, "4B", 1, " dry_run=1"), STR(RCPT_OK));
	expect_str("dry, over", charge(o, "4C", 2, " dry_run=1"),
	    STR("action=450 4.7.1 over limit \"all\" (10/h): retry in 360 s\n"
		"limit=all"));
	assert_int_equal(used(o), 2);
	/* over the limit: nothing is charged, and later it may pass */
	charge(o, "4D", 2, "");
	assert_int_equal(used(o), 2);
	expect_str("fits", charge(o, "4D", 1, ""), STR(RCPT_OK));
	assert_int_equal(used(o), 3);
	office_close(o);
}

/* Queue ids are unique at one MTA only; without one nothing is the same. */
static void
test_charge_ids(void **state)
{
	static const char *const requests[] = {
		"instance=a queue_id=4A", "instance=b queue_id=4A",
		"instance=a queue_id=4B", "instance=a4 queue_id=A",
		"instance=a", "instance=a", "queue_id=4A",
	};
	struct office *o = office_open(state,
	    "limit \"all\" { rate = \"100/h\" }\n", "memory:", "memory:");

	for (size_t i = 0; i < COUNT(requests); i++) {
		expect_str(requests[i], office_ask(o, arena_cstr(o->arena,
		    arena_printf(o->arena, "request=bulkhead_charge "
		    "recipient=a@b.example %s", requests[i]))), STR(RCPT_OK));
		assert_int_equal(used(o), i + 1);
	}
	office_close(o);
}

/* All that wait together are decided in their order. */
static void
test_charges_of_one_batch(void **state)
{
	struct office *o = office_open(state, three, "memory:", "memory:");
	struct str requests[5], replies[5];
	size_t naccepted = 0;

	for (size_t i = 0; i < COUNT(requests); i++)
		requests[i] = arena_printf(o->arena, "request=bulkhead_charge\n"
		    "instance=mx\nqueue_id=4A%zu\nrecipient=a@x.example", i);
	office_ask_all(o, requests, COUNT(requests), replies);
	for (size_t i = 0; i < COUNT(replies); i++) {
		bool is_accepted = str_eq(replies[i], STR(RCPT_OK));

		assert_true(is_accepted == (i < 3));
		naccepted += is_accepted;
	}
	assert_int_equal(naccepted, used(o));
	office_close(o);
}

static struct str
data(struct office *o, const char *words)
{
	return office_ask(o, arena_cstr(o->arena, arena_printf(o->arena,
	    "request=smtpd_access_policy protocol_state=DATA "
	    "client_address=127.0.0.1 sender=n@example.com %s", words)));
}

static void
test_charge_at_data(void **state)
{
	static const char settings[] = "policyd { charge-at = data }\n"
	    "limit \"x\" { recipient-domain = { \"x.example\" } "
	    "rate = \"100/h\" }\n";
	struct office *o = office_open(state, settings, "memory:", "memory:");

	/* only the remembered ones of x.example count */
	rcpt(o, 1, "i1");
	rcpt(o, 2, "i1");
	office_rcpt(o, "a@y.example", "sender=n@example.com instance=i1");
	assert_int_equal(used(o), 0);
	expect_str("data", data(o, "instance=i1 recipient_count=3"),
	    STR(RCPT_OK));
	assert_int_equal(used(o), 2);
	/* asked again, as Postfix does when a connection breaks */
	expect_str("again", data(o, "instance=i1 recipient_count=3"),
	    STR(RCPT_OK));
	assert_int_equal(used(o), 2);
	/* of one recipient DATA has the name */
	data(o, "instance=i2 recipient_count=1 recipient=a@x.example");
	assert_int_equal(used(o), 3);
	data(o, "instance=i3 recipient_count=1 recipient=a@y.example");
	assert_int_equal(used(o), 3);
	/* another restriction refused one: the count rules */
	rcpt(o, 1, "i4");
	rcpt(o, 2, "i4");
	data(o, "instance=i4 recipient_count=1");
	assert_int_equal(used(o), 4);
	/* nobody remembers: their domain cannot be told */
	data(o, "instance=i5 recipient_count=7");
	assert_int_equal(used(o), 4);
	/* none of ours */
	office_ask(o, "request=smtpd_access_policy protocol_state=DATA "
	    "client_address=192.0.2.1 sender=n@example.com instance=i6 "
	    "recipient_count=1 recipient=a@x.example");
	assert_int_equal(used(o), 4);
	office_close(o);
}

/* A limit that looks at no domain is charged what Postfix counts. */
static void
test_count_of_data_rules(void **state)
{
	struct office *o = office_open(state, "policyd { charge-at = data }\n"
	    "limit \"all\" { rate = \"100/h\" }\n", "memory:", "memory:");

	data(o, "instance=i1 recipient_count=7");
	assert_int_equal(used(o), 7);
	rcpt(o, 1, "i2");
	data(o, "instance=i2 recipient_count=3");
	assert_int_equal(used(o), 10);
	rcpt(o, 1, "i3");
	rcpt(o, 2, "i3");
	rcpt(o, 3, "i3");
	data(o, "instance=i3 recipient_count=2");
	assert_int_equal(used(o), 12);
	/* no count: what is remembered */
	rcpt(o, 1, "i4");
	rcpt(o, 2, "i4");
	data(o, "instance=i4 recipient_count=0");
	assert_int_equal(used(o), 14);
	data(o, "instance=i5 recipient_count=x");
	assert_int_equal(used(o), 15);
	office_close(o);
}

/* One for each whom it is about, named where that is remembered. */
static void
test_events_of_limits(void **state)
{
	struct office *o = office_open(state, "policyd { charge-at = data }\n"
	    "limit \"all\" { rate = \"3/h\" }\n", "memory:", "memory:");

	rcpt(o, 1, "i1");
	rcpt(o, 2, "i1");
	rcpt(o, 3, "i1");
	expect_str("fits", buf_view(&o->events), STR(""));
	rcpt(o, 4, "i1");
	expect_str("rcpt", buf_view(&o->events),
	    STR("limited u4@x.example /0 : all"));
	rcpt(o, 5, "i2");
	rcpt(o, 6, "i2");
	data(o, "instance=i1 recipient_count=3");
	expect_str("charged", buf_view(&o->events), STR(""));
	data(o, "instance=i2 recipient_count=2");
	expect_str("data", buf_view(&o->events),
	    STR("limited u5@x.example /0 : all|limited u6@x.example /0 : all"));
	data(o, "instance=i3 recipient_count=2");
	expect_str("nobody remembers", buf_view(&o->events),
	    STR("limited  /0 : all|limited  /0 : all"));
	charge(o, "4A", 2, "");
	expect_str("the milter's", buf_view(&o->events), STR(""));
	office_close(o);
}

/* With a milter DATA charges nothing. */
static void
test_no_charge_at_data(void **state)
{
	struct office *o = office_open(state, three, "memory:", "memory:");

	data(o, "instance=i1 recipient_count=2");
	data(o, "recipient_count=1 recipient=a@x.example");
	assert_int_equal(used(o), 0);
	office_close(o);
}

static void
test_rates_do_not_tell(void **state)
{
	static const char *const stores[] = { NULL, "fail:fail:memory:",
		"fail:rates.late:memory:" };
	const char *unknown = "limits cannot be looked up now: try again later";

	for (size_t i = 0; i < COUNT(stores); i++) {
		struct office *o = office_open(state, three, "memory:",
		    stores[i]);

		expect_str("rcpt", rcpt(o, 1, "i1"), arena_printf(o->arena,
		    "action=DEFER_IF_PERMIT 4.3.0 %s", unknown));
		expect_str("charge", charge(o, "4A", 1, ""),
		    arena_printf(o->arena, "action=450 4.3.0 %s", unknown));
		office_settings(o, state, "on-store-failure = accept\n"
		    "limit \"all\" { rate = \"10/h\" burst = 3 }\n");
		expect_str("open", charge(o, "4A", 1, ""),
		    STR("action=DUNNO\nopen=1"));
		/* no limits, nothing to know */
		office_settings(o, state, "");
		expect_str("none", charge(o, "4A", 1, ""), STR(RCPT_OK));
		office_close(o);
	}
}

/* Suppressed or paused: not charged, not even asked. */
static void
test_refused_is_not_remembered(void **state)
{
	struct office *o = office_open(state, three, "memory:", "memory:");

	office_suppress(o, "u1@x.example", (struct suppress_scope){
	    .stream = 0 }, SUPPRESS_MANUAL, "");
	for (int i = 0; i < 5; i++)
		assert_true(str_starts(rcpt(o, 1, "i1"), STR("action=550")));
	for (int i = 2; i < 5; i++)
		expect_str("all three", rcpt(o, i, "i1"), STR(RCPT_OK));
	office_close(o);
}

static void
test_limits_shown_and_reset(void **state)
{
	struct office *o = office_open(state, "limit \"a\" { per = "
	    "recipient-domain rate = \"10/h\" }\n"
	    "limit \"b\" { rate = \"36000/d\" burst = 500 }\n", "memory:",
	    "memory:");
	struct str reply;

	expect_str("none", office_ask(o, "request=bulkhead_limits"),
	    STR(RCPT_OK));
	office_ask(o, "request=bulkhead_charge recipient=a@x.example "
	    "recipient=a@x.example.net recipient=b@x.example");
	expect_str("one", office_ask(o, "request=bulkhead_limits name=a "
	    "value=X.Example"), STR("action=DUNNO\nbucket={\"limit\": \"a\", "
	    "\"value\": \"x.example\", \"rate\": \"10/h\", \"burst\": 10, "
	    "\"used\": 2, \"full_at\": 1796112720}"));
	expect_str("the other limit", office_ask(o, "request=bulkhead_limits "
	    "name=b"), STR("action=DUNNO\nbucket={\"limit\": \"b\", "
	    "\"value\": \"\", \"rate\": \"36000/d\", \"burst\": 500, "
	    "\"used\": 3, \"full_at\": 1796112008}"));
	reply = office_ask(o, "request=bulkhead_limits");
	assert_int_equal(conf_count(reply, "bucket="), 3);
	expect_str("unknown", office_ask(o, "request=bulkhead_limits name=c"),
	    STR("action=550 5.5.4 no limit is named \"c\""));
	expect_str("reset one", office_ask(o, "request=bulkhead_limit_reset "
	    "name=a value=x.example"), STR("action=DUNNO\ncount=1"));
	reply = office_ask(o, "request=bulkhead_limits name=a");
	assert_int_equal(conf_count(reply, "bucket="), 1);
	assert_int_equal(conf_count(reply, "x.example.net"), 1);
	expect_str("reset all", office_ask(o, "request=bulkhead_limit_reset "
	    "name=a"), STR("action=DUNNO\ncount=1"));
	expect_str("nameless", office_ask(o, "request=bulkhead_limit_reset"),
	    STR("action=550 5.5.4 name= says which limit"));
	expect_str("unknown", office_ask(o, "request=bulkhead_limit_reset "
	    "name=c"), STR("action=550 5.5.4 no limit is named \"c\""));
	reply = office_ask(o, "request=bulkhead_limits");
	assert_int_equal(conf_count(reply, "bucket="), 1);
	office_close(o);
}

static void
test_control_without_store(void **state)
{
	struct office *o = office_open(state, three, NULL, NULL);

	expect_str("limits", office_ask(o, "request=bulkhead_limits"),
	    STR("action=450 4.3.0 the store: it is not open"));
	expect_str("reset", office_ask(o, "request=bulkhead_limit_reset "
	    "name=all"), STR("action=450 4.3.0 the store: it is not open"));
	expect_str("refresh", office_ask(o, "request=bulkhead_refresh"),
	    STR("action=450 4.3.0 the store: it is not open"));
	assert_true(str_find(office_ask(o, "request=bulkhead_status"),
	    STR("\"suppressions\": \"it is not open\", \"rates\": \"it is not "
		"open\", \"paused\": []"), 0) > 0);
	office_close(o);
}

static void
test_instances(void **state)
{
	struct instances *t = instances_new(3, 100000);
	struct str v[4];
	struct instance *i;

	(void)state;
	assert_null(instances_find(t, STR("a")));
	assert_null(instances_find(t, STR("")));
	i = instances_make(t, STR("a"), 100);
	instance_add(i, STR("x@y"), true);
	instance_add(i, STR(""), true);
	instance_add(i, STR("z@y"), true);
	assert_true(instance_has(i, STR("x@y")));
	assert_false(instance_has(i, STR("x@z")));
	assert_int_equal(instance_recipients(i, v, 4), 3);
	expect_str("first", v[0], STR("x@y"));
	expect_str("second", v[1], STR(""));
	expect_str("third", v[2], STR("z@y"));
	instance_charge(i, STR("k\0v"), 2);
	instance_charge(i, STR("k\0w"), 5);
	instance_charge(i, STR("k\0v"), 1);
	assert_int_equal(instance_cost(i, STR("k\0v")), 3);
	assert_int_equal(instance_cost(i, STR("k\0w")), 5);
	assert_int_equal(instance_cost(i, STR("k")), 0);
	/* texts that were not kept are counted */
	i = instances_make(t, STR("b"), 101);
	instance_add(i, STR("x@y"), false);
	assert_int_equal(instance_recipients(i, v, 4), 1);
	/* the one touched longest ago goes */
	instances_make(t, STR("c"), 102);
	instances_make(t, STR("a"), 103);
	instances_make(t, STR("d"), 104);
	assert_null(instances_find(t, STR("b")));
	assert_non_null(instances_find(t, STR("a")));
	instances_expire(t, 103 + INSTANCES_LIFE);
	assert_null(instances_find(t, STR("c")));
	assert_non_null(instances_find(t, STR("a")));
	instances_expire(t, 50); /* set back */
	assert_non_null(instances_find(t, STR("a")));
	instances_expire(t, 105 + INSTANCES_LIFE);
	assert_null(instances_find(t, STR("d")));
	instances_make(t, STR("e"), 5000);
	instances_free(&t);
	assert_null(t);
}

/* Many more than it holds, found or not as an array of the last ones says. */
static void
test_many_instances(void **state)
{
	struct instances *t = instances_new(1000, 10000000);
	char name[32];

	(void)state;
	for (int i = 0; i < 50000; i++) {
		snprintf(name, sizeof(name), "%x.%d", i * 7919, i);
		instance_add(instances_make(t, str_from(name), i), STR("a@b"),
		    i % 2 == 0);
	}
	for (int i = 0; i < 50000; i++) {
		snprintf(name, sizeof(name), "%x.%d", i * 7919, i);
		assert_true((instances_find(t, str_from(name)) != NULL) ==
		    (i >= 49000));
	}
	instances_free(&t);
}

/* Long messages push older ones out, but never the one that is told of. */
static void
test_octets_of_instances(void **state)
{
	struct instances *t = instances_new(1000, 100000);
	char text[32];

	(void)state;
	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "s%d", i);
		instance_add(instances_make(t, str_from(text), 1),
		    STR("a@b"), true);
	}
	assert_non_null(instances_find(t, STR("s0")));
	for (int i = 0; i < 9000; i++) {
		snprintf(text, sizeof(text), "user-%d@b.example", i);
		instance_add(instances_make(t, STR("long"), 2),
		    str_from(text), true);
	}
	assert_null(instances_find(t, STR("s0")));
	assert_null(instances_find(t, STR("s199")));
	assert_int_equal(instance_recipients(instances_find(t, STR("long")),
	    NULL, 0), 9000);
	/* the next one is the newest: the long one goes */
	instances_make(t, STR("next"), 3);
	assert_null(instances_find(t, STR("long")));
	assert_non_null(instances_find(t, STR("next")));
	instances_free(&t);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, conf_setup, conf_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_peek_is_cumulated),
		TEST(test_peek_over_clock_steps),
		TEST(test_peek_without_instance),
		TEST(test_peek_of_what_never_fits),
		TEST(test_limits_of_a_stream),
		TEST(test_charge_once),
		TEST(test_charge_ids),
		TEST(test_charges_of_one_batch),
		TEST(test_charge_at_data),
		TEST(test_count_of_data_rules),
		TEST(test_events_of_limits),
		TEST(test_no_charge_at_data),
		TEST(test_rates_do_not_tell),
		TEST(test_refused_is_not_remembered),
		TEST(test_limits_shown_and_reset),
		TEST(test_control_without_store),
		cmocka_unit_test(test_instances),
		cmocka_unit_test(test_many_instances),
		cmocka_unit_test(test_octets_of_instances),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
