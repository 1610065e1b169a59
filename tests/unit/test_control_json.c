/*
 * test_control_json.c - lib/engine/control_json: members of JSON objects as
 * text, and clean-up.  What services write is in test_control.c.
 */
#include "unit.h"

#include "base/buf.h"
#include "engine/control_json.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static void
test_members_as_text(void **state)
{
	static const struct {
		const char *json, *path;
		enum control_json_found found;
		const char *text;
	} cases[] = {
		{ "{\"a\": \"x\"}", "a", CONTROL_JSON_TEXT, "x" },
		{ "{\"a\": \"\"}", "a", CONTROL_JSON_TEXT, "" },
		{ "{\"a\": -12}", "a", CONTROL_JSON_TEXT, "-12" },
		{ "{\"a\": 0.1}", "a", CONTROL_JSON_TEXT, "0.1" },
		{ "{\"a\": false}", "a", CONTROL_JSON_TEXT, "false" },
		{ "{\"a\": null}", "a", CONTROL_JSON_ABSENT, "" },
		{ "{\"b\": 1}", "a", CONTROL_JSON_ABSENT, "" },
		{ "{\"A\": 1}", "a", CONTROL_JSON_ABSENT, "" },
		{ "{\"a\": []}", "a", CONTROL_JSON_ABSENT, "" },
		{ "{\"a\": [null, 1]}", "a", CONTROL_JSON_ABSENT, "" },
		{ "{\"a\": [7, 8]}", "a", CONTROL_JSON_TEXT, "7" },
		{ "{\"a\": [[7]]}", "a", CONTROL_JSON_OTHER, "" },
		{ "{\"a\": {}}", "a", CONTROL_JSON_OTHER, "" },
		{ "{\"a\": {\"b\": {\"c\": 1}}}", "a/b/c", CONTROL_JSON_TEXT,
		  "1" },
		{ "{\"a\": {\"b\": 1}}", "a/b/c", CONTROL_JSON_ABSENT, "" },
		{ "{\"a\": [{\"b\": 1}]}", "a/b", CONTROL_JSON_ABSENT, "" },
		{ "{\"ab\": 1, \"a\": 2}", "a", CONTROL_JSON_TEXT, "2" },
		{ "{}", "", CONTROL_JSON_OTHER, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arena *a = arena_new();
		struct str text = { NULL, 0 }, why = { NULL, 0 };
		struct json_t *json = control_json_parse(a,
		    exact(a, str_from(cases[i].json)), &why);

		assert_non_null(json);
		assert_int_equal(control_json_text(json, a, cases[i].path,
		    &text), cases[i].found);
		control_json_free(&json);
		assert_null(json);
		control_json_free(&json);
		/* the text outlives the value */
		expect_str(cases[i].json, text, str_from(cases[i].text));
		arena_free(&a);
	}
}

static void
add_pair(void *arg, struct str key, struct str value)
{
	buf_printf(arg, "%.*s=%.*s ", STR_ARG(key), STR_ARG(value));
}

static void
test_members_one_by_one(void **state)
{
	static const struct {
		const char *json, *path;
		enum control_json_found found;
		const char *pairs;
	} cases[] = {
		{ "{\"b\": 1, \"a\": \"x\"}", "", CONTROL_JSON_TEXT,
		  "b=1 a=x " },
		{ "{\"m\": {\"k\": true}}", "m", CONTROL_JSON_TEXT,
		  "k=true " },
		{ "{\"m\": {\"k\": null}}", "m", CONTROL_JSON_TEXT, "" },
		{ "{\"m\": {\"k\": [1, {\"l\": \"\\n\"}]}}", "m",
		  CONTROL_JSON_TEXT, "k=[1,{\"l\":\"\\n\"}] " },
		{ "{\"m\": {}}", "m", CONTROL_JSON_TEXT, "" },
		{ "{\"m\": null}", "m", CONTROL_JSON_ABSENT, "" },
		{ "{\"m\": [1]}", "m", CONTROL_JSON_OTHER, "" },
		{ "{\"m\": \"k\"}", "m", CONTROL_JSON_OTHER, "" },
		{ "{}", "m", CONTROL_JSON_ABSENT, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arena *a = arena_new();
		struct str why = { NULL, 0 };
		struct json_t *json = control_json_parse(a,
		    exact(a, str_from(cases[i].json)), &why);
		struct buf pairs;

		buf_init(&pairs, 1000);
		assert_non_null(json);
		assert_int_equal(control_json_each(json, a, cases[i].path,
		    add_pair, &pairs), cases[i].found);
		expect_str(cases[i].json, buf_view(&pairs),
		    str_from(cases[i].pairs));
		control_json_free(&json);
		buf_free(&pairs);
		arena_free(&a);
	}
}

/* A text cut off anywhere is no JSON and says where it ends. */
static void
test_cut_off_anywhere(void **state)
{
	struct str whole = STR("{\"a\": [1, \"\\u00fc\", {\"b\": null}], "
	    "\"c\": -1.5e3, \"d\": true}");
	struct arena *a = arena_new();

	(void)state;
	for (size_t n = 0; n < whole.n; n++) {
		struct str why = { NULL, 0 };

		assert_null(control_json_parse(a,
		    exact(a, str_sub(whole, 0, n)), &why));
		assert_true(str_starts(why, STR("not JSON at octet ")));
	}
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_as_text),
		cmocka_unit_test(test_members_one_by_one),
		cmocka_unit_test(test_cut_off_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
