/*
 * test_listhdr.c - lib/mail/listhdr: values of list header fields.
 */
#include "unit.h"

#include <time.h>

#include "base/buf.h"
#include "mail/listhdr.h"

#define LEN(v) (sizeof(v) / sizeof((v)[0]))

static void
test_list_id(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ " News <News.Example.com>", "news.example.com" },
		{ " <news.example.com>", "news.example.com" },
		{ " \"a <b>\" <news.example.com>", "news.example.com" },
		{ " News\n\t< news.example.com >", "news.example.com" },
		{ " News.Example.com ", "news.example.com" },
		{ " <news.example.com", "<news.example.com" },
		{ " news> <", "news> <" },
		{ " News <>", "" },
		{ " \n ", "" },
		{ "", "" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++)
		expect_str(cases[i].in,
		    listhdr_id(a, exact(a, str_from(cases[i].in))),
		    str_from(cases[i].want));
	arena_free(&a);
}

static void
test_uris(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *first, *second;
	} cases[] = {
		{ " <https://x/u?a=b>", 1, "https://x/u?a=b", NULL },
		{ " <mailto:u@x>, <https://x/u>", 2, "mailto:u@x",
		    "https://x/u" },
		{ " <mailto:u@x>,\n <https://x/\n u>", 2, "mailto:u@x",
		    "https://x/u" },
		{ " (see <http://no>) <https://x/(a)> (b (c))", 1,
		    "https://x/(a)", NULL },
		{ " (\\) <http://no>) <https://x>", 1, "https://x", NULL },
		{ " (open <https://x>", 1, "https://x", NULL },
		{ " <<https://x>>", 1, "https://x", NULL },
		{ " <>, < >, <a:b>", 1, "a:b", NULL },
		{ " <a:b,c>", 1, "a:b,c", NULL },
		{ " <a:1> <a:2> <a:3>", 3, "a:1", "a:2" },
		{ " https://x", 0, NULL, NULL },
		{ " <https://x", 0, NULL, NULL },
		{ "", 0, NULL, NULL },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct str got[2] = { STR(""), STR("") };

		assert_int_equal(listhdr_uris(a,
		    exact(a, str_from(cases[i].in)), got, 2), cases[i].n);
		expect_str(cases[i].in, got[0], str_from(cases[i].first));
		expect_str(cases[i].in, got[1], str_from(cases[i].second));
	}
	assert_int_equal(listhdr_uris(a, STR("<a:b>"), NULL, 0), 1);
	arena_free(&a);
}

static void
test_uris_are_linear(void **state)
{
	static const char *const pieces[] = { "(", "<", "<a>", "()", "(\\" };
	clock_t start = clock();

	(void)state;
	for (size_t i = 0; i < LEN(pieces); i++) {
		struct arena *a = arena_new();
		struct str got[2];
		struct buf b;

		buf_init(&b, 4 * 1024 * 1024);
		for (int k = 0; k < 200000; k++)
			buf_puts(&b, pieces[i]);
		assert_int_equal(listhdr_uris(a, buf_view(&b), got, 2),
		    i == 2 ? 200000 : 0);
		listhdr_id(a, buf_view(&b));
		buf_free(&b);
		arena_free(&a);
	}
	assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 3);
}

static void
test_unsubscribe_reads_back(void **state)
{
	struct arena *a = arena_new();
	struct str value, got[3];

	(void)state;
	value = listhdr_unsubscribe(a, STR("https://x/u/T"),
	    STR("mailto:u@x?subject=T"));
	expect_str("both", value,
	    STR("<https://x/u/T>,\n <mailto:u@x?subject=T>"));
	assert_int_equal(listhdr_uris(a, value, got, 3), 2);
	expect_str("second", got[1], STR("mailto:u@x?subject=T"));
	expect_str("https", listhdr_unsubscribe(a, STR("https://x"), STR("")),
	    STR("<https://x>"));
	expect_str("mailto", listhdr_unsubscribe(a, STR(""), STR("mailto:u")),
	    STR("<mailto:u>"));
	expect_str("none", listhdr_unsubscribe(a, STR(""), STR("")), STR(""));
	value = listhdr_unsubscribe(a, STR("https://x/>\r\nBcc: y <\303\244"),
	    STR(""));
	expect_str("hostile", value,
	    STR("<https://x/%3E%0D%0ABcc:%20y%20%3C%C3%A4>"));
	arena_free(&a);
}

static void
test_feedback_id(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	expect_str("plain", listhdr_feedback_id(a, STR("c-1"), STR("News"),
	    STR("l_2"), STR("example.com")), STR("c-1:News:l_2:example.com"));
	expect_str("cleaned", listhdr_feedback_id(a, STR("a:b c"),
	    STR("\303\244"), STR("\r\n"), STR("x")), STR("a_b_c:__:__:x"));
	expect_str("empty", listhdr_feedback_id(a, STR(""), STR("s"),
	    STR(""), STR("d")), STR(":s::d"));
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_id),
		cmocka_unit_test(test_uris),
		cmocka_unit_test(test_uris_are_linear),
		cmocka_unit_test(test_unsubscribe_reads_back),
		cmocka_unit_test(test_feedback_id),
	};

	return cmocka_run_group_tests_name("listhdr", tests, NULL, NULL);
}
