/*
 * test_robot_parse.c - files of rules: what is wrong with them, what their
 * conditions mean, how long they may be.
 */
#include "tests/unit/robot_visit.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static void
test_errors(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "f:1: holds no rule: NAME VERDICT CONDITION...\n" },
		{ "# nothing\n\n", "f:1: holds no rule: NAME VERDICT "
		  "CONDITION...\n" },
		{ "a", "f:1: rule \"a\" has no verdict: NAME VERDICT "
		  "CONDITION...\n" },
		{ "\na scanner\n", "f:2: rule \"a\" has no condition: NAME "
		  "VERDICT CONDITION...\n" },
		{ "a scaner no-agent", "f:1: \"scaner\" is no verdict: did "
		  "you mean \"scanner\"?\n" },
		{ "a robot no-agent", "f:1: \"robot\" is no verdict: human, "
		  "prefetch, scanner or unknown are\n" },
		{ "a! human no-agent", "f:1: \"a!\" is no name of a rule: "
		  "letters, digits, \"-\", \"_\" and \".\", at most 40\n" },
		{ "a human agnt:*x*", "f:1: \"agnt\" is no condition: did you "
		  "mean \"agent\"?\n" },
		{ "a human from:x", "f:1: \"from\" is no condition: agent:, "
		  "no-agent, header:, no-header:, method:, kind:, network:, "
		  "age< and age> are\n" },
		{ "a human agent", "f:1: agent needs a value: agent:...\n" },
		{ "a human agent:", "f:1: agent: has no pattern: * is any run "
		  "of characters, ? any one\n" },
		{ "a human header:X=", "f:1: header:NAME= has no pattern: * is"
		  " any run of characters, ? any one\n" },
		{ "a human header:=x", "f:1: \"\" is no name of a header "
		  "field: header:Accept-Language is one\n" },
		{ "a human no-header:a:b", "f:1: \"a:b\" is no name of a "
		  "header field: header:Accept-Language is one\n" },
		{ "a human method:get", "f:1: \"get\" is no method that is "
		  "judged: did you mean \"GET\"?\n" },
		{ "a human method:PROPFIND", "f:1: \"PROPFIND\" is no method "
		  "that is judged: GET, HEAD and POST are\n" },
		{ "a human method:GET method:HEAD", "f:1: a second method: "
		  "can never hold\n" },
		{ "a human kind:click", "f:1: \"click\" is no kind of visit: "
		  "did you mean \"clicked\"?\n" },
		{ "a human network:10.0.0.1/8", "f:1: \"10.0.0.1/8\" is no "
		  "network: 192.0.2.0/24 and 2001:db8::/32 are, with no bits "
		  "set behind the prefix\n" },
		{ "a human network:10.0.0.0/8,", "f:1: \"\" is no network: "
		  "192.0.2.0/24 and 2001:db8::/32 are, with no bits set "
		  "behind the prefix\n" },
		{ "a human network:::1 network:::2", "f:1: a second network: "
		  "one condition may name many, with a comma between them\n" },
		{ "a human age<", "f:1: \"age<\" is no age: age<5m and age>2h "
		  "are (s, m, h, d)\n" },
		{ "a human age<5", "f:1: \"age<5\" is no age: age<5m and "
		  "age>2h are (s, m, h, d)\n" },
		{ "a human age<0", "f:1: \"age<0\" is no age: age<5m and "
		  "age>2h are (s, m, h, d)\n" },
		{ "a human age<5m age<6m", "f:1: a second age of that kind: "
		  "one is enough\n" },
		{ "a human age>6m age<5m", "f:1: rule \"a\" can never hold: "
		  "nothing is older and younger than that\n" },
		{ "a human no-agent agent:*", "f:1: rule \"a\" can never hold:"
		  " it wants a field and wants it away\n" },
		{ "a human no-agent:x", "f:1: no-agent takes no value: it "
		  "holds when there is no User-Agent\n" },
		{ "a human agent:\"b", "f:1: a quote is not closed: "
		  "agent:\"two words*\"\n" },
		{ "a human no-agent # b", "f:1: a comment stands on a line of "
		  "its own\n" },
		{ " a human no-agent", "f:1: a line that begins with a blank "
		  "continues the one before, and there is none\n" },
		{ "a human agent:\001", "f:1: a control character: these are "
		  "lines of text\n" },
		{ "a human no-agent\nb scanner no-agent\na scanner agent:x\n",
		  "f:3: rule \"a\" has another verdict in line 1: give it "
		  "another name\n" },
		/* all at once, each where it is */
		{ "a humn\n# x\n\tno-agent\n\n\tagnt:x\nb\nc scanner age<1",
		  "f:1: \"humn\" is no verdict: did you mean \"human\"?\n"
		  "f:5: \"agnt\" is no condition: did you mean \"agent\"?\n"
		  "f:6: rule \"b\" has no verdict: NAME VERDICT "
		  "CONDITION...\n"
		  "f:7: \"age<1\" is no age: age<5m and age>2h are (s, m, h, "
		  "d)\n" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf errors;
		struct robots *r;

		buf_init(&errors, ERRORS_MAX);
		r = robots_parse(exact(a, str_from(cases[i].text)), "f",
		    &errors);
		expect_str(cases[i].text, buf_view(&errors),
		    str_from(cases[i].want));
		assert_null(r);
		buf_free(&errors);
	}
	arena_free(&a);
}

/* Rules of one's own: what their conditions mean. */
static void
test_conditions(void **state)
{
	static const struct {
		const char *rule;
		struct case_ visit;
		bool holds;
	} cases[] = {
		{ "agent:*abc*", { .agent = "xABCx", .fields = "" }, true },
		{ "agent:abc", { .agent = "xABCx", .fields = "" }, false },
		{ "agent:a*c?", { .agent = "abcd", .fields = "" }, true },
		{ "agent:?", { .agent = "a", .fields = "" }, true },
		{ "agent:*", { .agent = "a", .fields = "" }, true },
		{ "agent:*", { .fields = "" }, false },
		{ "agent:*a* agent:*b*", { .agent = "b a", .fields = "" },
		  true },
		{ "agent:*a* agent:*b*", { .agent = "a", .fields = "" },
		  false },
		{ "agent:\"a b\"", { .agent = "a b", .fields = "" }, true },
		{ "\"agent:a b\"", { .agent = "a b", .fields = "" }, true },
		{ "no-agent", { .agent = "  ", .fields = "" }, true },
		{ "no-agent", { .agent = "a", .fields = "" }, false },
		{ "header:x-y", { .agent = "a", .fields = "X-Y: 1\n" },
		  true },
		{ "header:x-y", { .agent = "a", .fields = "X-Y:\n" }, false },
		{ "header:x-y", { .agent = "a", .fields = "X-Z: 1\n" },
		  false },
		{ "header:x-y=2*", { .agent = "a",
		  .fields = "X-Y: 1\nx-y: 2b\n" }, true },
		{ "header:x-y=a=b", { .agent = "a", .fields = "X-Y: A=B\n" },
		  true },
		{ "header:x-y=1 header:x-y=2", { .agent = "a",
		  .fields = "X-Y: 1\n" }, false },
		{ "no-header:x-y", { .agent = "a", .fields = "X-Z: 1\n" },
		  true },
		{ "method:HEAD", { .fields = "", .method = "HEAD" }, true },
		{ "method:HEAD", { .fields = "" }, false },
		{ "kind:opened", { .fields = "" }, false },
		{ "kind:opened kind:clicked", { .fields = "" }, true },
		{ "kind:opened", { .fields = "", .kind = EVENT_OPENED },
		  true },
		{ "network:10.0.0.0/8,::1", { .fields = "",
		  .visitor = "10.1.2.3" }, true },
		{ "network:10.0.0.0/8,::1", { .fields = "",
		  .visitor = "::1" }, true },
		{ "network:10.0.0.0/8,::1", { .fields = "",
		  .visitor = "11.1.2.3" }, false },
		{ "network:0.0.0.0/0", { .fields = "" }, false },
		/* the visit is half an hour after HOUR */
		{ "age<5m", { .fields = "", .hours_ago = 1 }, true },
		{ "age<5m", { .fields = "", .hours_ago = 2 }, false },
		{ "age<31m", { .fields = "", .hours_ago = 2 }, true },
		{ "age<2h", { .fields = "", .hours_ago = 3 }, true },
		{ "age<2h", { .fields = "", .hours_ago = 4 }, false },
		{ "age>2h", { .fields = "", .hours_ago = 3 }, false },
		{ "age>2h", { .fields = "", .hours_ago = 4 }, true },
		{ "age>1h age<3h", { .fields = "", .hours_ago = 4 }, true },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct str text = arena_printf(a, "hit scanner %s\n"
		    "miss prefetch method:GET\nmiss prefetch method:HEAD\n",
		    cases[i].rule);
		struct case_ c = cases[i].visit;
		struct buf errors;
		struct robots *r;

		buf_init(&errors, ERRORS_MAX);
		r = robots_parse(exact(a, text), "f", &errors);
		if (r == NULL)
			fail_msg("%s", errors.p);
		c.rule = cases[i].holds ? "hit" : "miss";
		c.verdict = cases[i].holds ? EVENT_SCANNER : EVENT_PREFETCH;
		expect_case(r, &c);
		robots_free(&r);
		buf_free(&errors);
	}
	arena_free(&a);
}

/* A token without an hour tells no age. */
static void
test_no_hour(void **state)
{
	struct arena *a = arena_new();
	struct buf errors;
	struct robots *r;
	struct case_ c = { .agent = "a", .fields = "" };
	struct made m;
	struct str rule;

	(void)state;
	buf_init(&errors, ERRORS_MAX);
	r = robots_parse(STR("y scanner age<9999d\no scanner age>1s\n"), "f",
	    &errors);
	assert_non_null(r);
	make(&m, a, &c);
	m.visit.hours = 0;
	assert_int_equal(robots_judge(r, &m.visit, &rule), EVENT_UNKNOWN);
	m.visit.hours = HOUR + 9; /* a clock that is ahead */
	assert_int_equal(robots_judge(r, &m.visit, &rule), EVENT_SCANNER);
	expect_str("ahead", rule, STR("y"));
	robots_free(&r);
	arena_free(&a);
}

/* Limits: rules, names of fields, words, a long agent. */
static void
test_limits(void **state)
{
	struct arena *a = arena_new();
	struct buf text, errors;
	struct robots *r;

	(void)state;
	buf_init(&text, 1 << 20);
	buf_init(&errors, ERRORS_MAX);
	for (int i = 0; i < 5000; i++)
		buf_puts(&text, "a human no-agent\n");
	assert_null(robots_parse(exact(a, buf_view(&text)), "f", &errors));
	expect_str("rules", buf_view(&errors),
	    STR("f:2001: more than 2000 rules: no more are read\n"));
	buf_clear(&text);
	buf_clear(&errors);
	for (int i = 0; i < 70; i++)
		buf_printf(&text, "a human header:x%d\n", i);
	assert_null(robots_parse(exact(a, buf_view(&text)), "f", &errors));
	assert_true(str_starts(buf_view(&errors), STR("f:63: \"x62\" is one "
	    "name of a header field too many")));
	buf_clear(&text);
	buf_clear(&errors);
	buf_puts(&text, "a human");
	for (int i = 0; i < 70; i++)
		buf_puts(&text, " agent:*");
	assert_null(robots_parse(exact(a, buf_view(&text)), "f", &errors));
	expect_str("words", buf_view(&errors),
	    STR("f:1: rule \"a\" has more than 64 words\n"));
	buf_clear(&errors);
	for (int i = 0; i < 300; i++)
		buf_puts(&text, "\nb");
	assert_null(robots_parse(exact(a, buf_view(&text)), "f", &errors));
	assert_true(str_iends(buf_view(&errors),
	    STR("f: 301 errors in all\n")));
	buf_free(&text);
	buf_free(&errors);
	r = robots_default();
	robots_free(&r);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_no_hour),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
