/*
 * test_json.c - lib/base/json: escapes, UTF-8, keys and numbers.
 */
#include "unit.h"

#include "base/json.h"

#define STR_INIT(lit)                                                          \
	{                                                                      \
		(lit), sizeof(lit) - 1                                         \
	}
#define BAD "\xef\xbf\xbd" /* U+FFFD */

static void
test_json_strings(void **state)
{
	static const struct {
		const char *name;
		struct str in, want;
	} cases[] = {
		{ "empty", { "", 0 }, { "\"\"", 2 } },
		{ "plain", STR_INIT("a b/c"), STR_INIT("\"a b/c\"") },
		{ "quotes", STR_INIT("\"\\"), STR_INIT("\"\\\"\\\\\"") },
		{ "blanks", STR_INIT("\r\n\t"), STR_INIT("\"\\r\\n\\t\"") },
		{ "control", STR_INIT("\0\x1f\x7f"),
		    STR_INIT("\"\\u0000\\u001f\\u007f\"") },
		{ "8-bit control", STR_INIT("\xc2\x80\xc2\x9f\xc2\xa0"),
		    STR_INIT("\"\\u0080\\u009f\xc2\xa0\"") },
		{ "two bytes", STR_INIT("\xc3\xa9"), STR_INIT("\"\xc3\xa9\"") },
		{ "three bytes", STR_INIT("\xe2\x82\xac"),
		    STR_INIT("\"\xe2\x82\xac\"") },
		{ "four bytes", STR_INIT("\xf0\x9f\x98\x80"),
		    STR_INIT("\"\xf0\x9f\x98\x80\"") },
		{ "last code point", STR_INIT("\xf4\x8f\xbf\xbf"),
		    STR_INIT("\"\xf4\x8f\xbf\xbf\"") },
		{ "past it", STR_INIT("\xf4\x90\x80\x80"),
		    STR_INIT("\"" BAD BAD BAD BAD "\"") },
		{ "lone tail", STR_INIT("a\x80z"), STR_INIT("\"a" BAD "z\"") },
		{ "overlong", STR_INIT("\xc0\xaf"),
		    STR_INIT("\"" BAD BAD "\"") },
		{ "overlong 3", STR_INIT("\xe0\x9f\xbf"),
		    STR_INIT("\"" BAD BAD BAD "\"") },
		{ "surrogate", STR_INIT("\xed\xa0\x80"),
		    STR_INIT("\"" BAD BAD BAD "\"") },
		{ "cut short", STR_INIT("\xe2\x82"),
		    STR_INIT("\"" BAD BAD "\"") },
		{ "broken tail", STR_INIT("\xf0\x9f\x98z"),
		    STR_INIT("\"" BAD BAD BAD "z\"") },
		{ "latin 1", STR_INIT("caf\xe9 x"),
		    STR_INIT("\"caf" BAD " x\"") },
		{ "ff", STR_INIT("\xff"), STR_INIT("\"" BAD "\"") },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;

		buf_init(&b, 4096);
		assert_int_equal(json_string(&b, exact(a, cases[i].in)), 0);
		expect_str(cases[i].name, buf_view(&b), cases[i].want);
		buf_free(&b);
	}
	arena_free(&a);
}

static void
test_json_objects(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	buf_char(&b, '{');
	json_key(&b, "a");
	json_string_or_null(&b, STR(""));
	json_key(&b, "b");
	json_string_or_null(&b, STR("x"));
	json_key(&b, "c");
	json_bool(&b, true);
	json_key(&b, "d");
	buf_char(&b, '{');
	json_key(&b, "e");
	json_bool(&b, false);
	buf_char(&b, '}');
	json_key(&b, "f");
	json_number(&b, INT64_MIN);
	assert_int_equal(buf_char(&b, '}'), 0);
	expect_str("object", buf_view(&b),
	    STR("{\"a\": null, \"b\": \"x\", \"c\": true, "
		"\"d\": {\"e\": false}, \"f\": -9223372036854775808}"));
	buf_free(&b);
}

static void
test_json_full_buffer(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	assert_int_equal(json_string(&b, STR("123456")), 0);
	buf_clear(&b);
	assert_int_equal(json_string(&b, STR("1234567")), -1);
	assert_int_equal(json_key(&b, "x"), -1);
	assert_int_equal(json_number(&b, 1), -1);
	assert_int_equal(json_bool(&b, true), -1);
	assert_int_equal(json_string_or_null(&b, STR("")), -1);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_strings),
		cmocka_unit_test(test_json_objects),
		cmocka_unit_test(test_json_full_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
