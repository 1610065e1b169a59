/*
 * test_charset.c - which charsets hide ASCII, and URLs in UTF-8.
 */
#include "unit.h"

#include "mail/charset.h"

static void
test_which_hide_ascii(void **state)
{
	static const struct {
		const char *charset;
		bool hides;
	} cases[] = {
		{ "", false }, { "utf-8", false }, { "us-ascii", false },
		{ "iso-8859-1", false }, { "windows-1252", false },
		{ "shift_jis", false }, { "big5", false }, { "gb18030", false },
		{ "euc-kr", false }, { "koi8-r", false },
		{ "iso-2022-jp", true }, { "iso-2022-kr", true },
		{ "csiso2022jp", true }, { "hz-gb-2312", true },
		{ "utf-7", true }, { "unicode-1-1-utf-7", true },
		{ "utf-16", true }, { "utf-16le", true }, { "utf-32", true },
		{ "ibm037", true }, { "cp500", true }, { "ebcdic-us", true },
		{ "johab", true }, { "ucs-2", true }, { "cp850", false },
		{ "euc-jp", false }, { "macintosh", false },
		{ "x-unknown", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (charset_hides_ascii(str_from(cases[i].charset)) !=
		    cases[i].hides)
			fail_msg("%s", cases[i].charset);
}

static void
test_urls_become_utf8(void **state)
{
	static const struct {
		const char *name, *charset, *in, *want;
	} cases[] = {
		{ "ascii", "", "http://x/?a=1", "http://x/?a=1" },
		{ "utf-8", "utf-8", "http://x/\xc3\xa9", "http://x/\xc3\xa9" },
		{ "latin 1", "iso-8859-1", "http://x/\xe9",
		    "http://x/\xc3\xa9" },
		{ "cp1252", "windows-1252", "\x80", "\xe2\x82\xac" },
		{ "shift_jis", "shift_jis", "\x82\xa0", "\xe3\x81\x82" },
		{ "none, not UTF-8", "", "http://x/\xe9/y", "http://x/%E9/y" },
		{ "unknown charset", "x-none", "\xe9\xc3\xa9",
		    "%E9\xc3\xa9" },
		{ "no character there", "windows-1252", "a\x81z", "a%81z" },
		{ "held back to the end", "windows-1258", "\xe9/page/a",
		    "\xc3\xa9/page/a" },
		{ "cut short", "utf-8", "a\xe2\x82", "a%E2%82" },
		{ "a surrogate", "utf-8", "\xed\xa0\x80", "%ED%A0%80" },
		{ "beyond Unicode", "iso-ir-193", "\xf6\x8b\x8f\x8f",
		    "%F6%8B%8F%8F" },
		{ "over long", "utf-8", "\xc0\xaf", "%C0%AF" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out;

		buf_init(&out, 100);
		assert_int_equal(charset_url_utf8(str_from(cases[i].charset),
		    exact(a, str_from(cases[i].in)), &out), 0);
		expect_str(cases[i].name, buf_view(&out),
		    str_from(cases[i].want));
		assert_true(charset_is_utf8(buf_view(&out)));
		buf_free(&out);
	}
	arena_free(&a);
}

static void
test_limits(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4);
	assert_int_equal(charset_url_utf8(STR("iso-8859-1"),
	    STR("\xe9\xe9\xe9"), &out), -1);
	buf_free(&out);
	assert_false(charset_is_utf8(STR("\xf5\x80\x80\x80")));
	assert_true(charset_is_utf8(STR("\xf0\x9f\x98\x80")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_hide_ascii),
		cmocka_unit_test(test_urls_become_utf8),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
