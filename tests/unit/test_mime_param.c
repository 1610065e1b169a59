/*
 * test_mime_param.c - parameters of Content-Type and Content-Disposition in
 * the spellings that occur (RFC 2045, RFC 2231, and neither).
 */
#include "unit.h"

#include "mail/mime.h"

struct param_case {
	const char *name, *value, *param, *want; /* want NULL: there is none */
};

static void
check_params(const struct param_case *cases, size_t n)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < n; i++) {
		struct str got = STR("(none)");
		bool found = mime_param(a, exact(a, str_from(cases[i].value)),
		    str_from(cases[i].param), &got);

		if (found != (cases[i].want != NULL))
			fail_msg("%s: found %d", cases[i].name, found);
		if (found)
			expect_str(cases[i].name, got, str_from(cases[i].want));
	}
	arena_free(&a);
}

static void
test_plain_parameters(void **state)
{
	static const struct param_case cases[] = {
		{ "token", " text/plain; charset=utf-8", "charset", "utf-8" },
		{ "case", "text/plain; CharSet=UTF-8", "charset", "UTF-8" },
		{ "quoted", "a/b; n=\"x y;z\"; m=1", "n", "x y;z" },
		{ "behind quoted", "a/b; n=\"x;m=2\"; m=1", "m", "1" },
		{ "quoted pair", "a/b; n=\"x\\\"y\\\\z\"", "n", "x\"y\\z" },
		{ "empty", "a/b; n=\"\"", "n", "" },
		{ "no value", "a/b; n=; m=1", "n", "" },
		{ "none", "a/b; nn=1", "n", NULL },
		{ "beginning only", "a/b; name=1", "n", NULL },
		{ "no parameters", "a/b", "n", NULL },
		{ "nothing", "", "n", NULL },
		{ "first wins", "a/b; n=1; n=2", "n", "1" },
		{ "comments", "a/b (x;n=0); (y) n (z) = (w) 1 (v); m=2", "n",
		    "1" },
		{ "nested comment", "a/b; (a (b) \\) c) n=1", "n", "1" },
		{ "blanks round =", "a/b; n \t= 1 ; m=2", "n", "1" },
		{ "folded", "a/b;\n\tn=1;\r\n m=2", "m", "2" },
		{ "folded in quotes", "a/b; n=\"x\r\n y\"", "n", "x y" },
		{ "disposition", "attachment; filename=x.pdf", "filename",
		    "x.pdf" },
		{ "disposition forgotten", "filename=x.pdf", "filename",
		    "x.pdf" },
	};

	(void)state;
	check_params(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
test_careless_parameters(void **state)
{
	static const struct param_case cases[] = {
		{ "no semicolon", "a/b n=1", "n", "1" },
		{ "no semicolon between", "a/b; n=1 m=2", "m", "2" },
		{ "ends there", "a/b; n=1 m=2", "n", "1" },
		{ "no semicolon, folded", "a/b; n=1\n m=2", "n", "1" },
		{ "no semicolon, quoted", "a/b; n=\"1\" m=\"2\"", "m", "2" },
		{ "glued", "a/b; n=\"1\"m=\"2\"", "m", "2" },
		{ "semicolons", "a/b;; ;n=1;;", "n", "1" },
		{ "comma", "a/b, n=1", "n", "1" },
		{ "odd characters", "a/b; n==_Part(1)?<x>@/:=; m=2", "n",
		    "=_Part(1)?<x>@/:=" },
		{ "blanks", "a/b; n=my old file.txt ; m=2", "n",
		    "my old file.txt" },
		{ "blanks before a comment", "a/b; n=x y (z)", "n", "x y" },
		{ "encoded words", "a/b; n==?utf-8?q?a_b?= =?utf-8?q?c?=", "n",
		    "=?utf-8?q?a_b?= =?utf-8?q?c?=" },
		{ "open quote", "a/b; n=\"x y", "n", "x y" },
		{ "open quote, backslash", "a/b; n=\"x\\", "n", "x\\" },
		{ "open comment", "a/b; (n=1", "n", NULL },
		{ "8-bit", "a/b; n=\344\366", "n", "\344\366" },
		{ "flag", "a/b; flag; n=1", "n", "1" },
		{ "stray =", "a/b; =x; n=1", "n", "1" },
		{ "stray quotes", "a/b; \"n=0;\" n=1", "n", "1" },
		{ "path", "a/b; n=\"C:\\\\a\\\\b\"", "n", "C:\\a\\b" },
	};

	(void)state;
	check_params(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
test_extended_parameters(void **state)
{
	static const struct param_case cases[] = {
		{ "percent", "a/b; n*=utf-8'de'%c3%A4x%20", "n",
		    "\303\244x " },
		{ "no charset", "a/b; n*=a%41", "n", "aA" },
		{ "one quote", "a/b; n*=a'%41", "n", "a'A" },
		{ "bad escapes", "a/b; n*=''%4%zz%", "n", "%4%zz%" },
		{ "beats plain", "a/b; n=x; n*=utf-8''y", "n", "y" },
		{ "not coded", "a/b; n=%41", "n", "%41" },
		{ "sections", "a/b; n*0=a; n*1=\"b c\"; n*2=d", "n", "ab cd" },
		{ "any order", "a/b; n*2=c; n*0=a; n*1=b", "n", "abc" },
		{ "gap", "a/b; n*0=a; n*2=c", "n", "a" },
		{ "no first one", "a/b; n*1=a", "n", NULL },
		{ "mixed", "a/b; n*0*=utf-8''%41; n*1=%42; n*2*=%43", "n",
		    "A%42C" },
		{ "quote later", "a/b; n*0*=utf-8''a; n*1*=b'c'd", "n",
		    "ab'c'd" },
		{ "sections beat plain", "a/b; n=x; n*0=y", "n", "y" },
		{ "too many", "a/b; n*0=a; n*100=b; n*18446744073709551616=c",
		    "n", "a" },
		{ "no number", "a/b; n*x=a", "n", NULL },
		{ "twice", "a/b; n*0=a; n*0=b", "n", "a" },
	};

	(void)state;
	check_params(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
test_all_sections_join(void **state)
{
	struct arena *a = arena_new();
	struct str value = STR("a/b"), got;

	(void)state;
	for (int i = 0; i < 120; i++)
		value = arena_printf(a, "%.*s; n*%d=x", STR_ARG(value), i);
	assert_true(mime_param(a, value, STR("n"), &got));
	assert_int_equal(got.n, 100);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_parameters),
		cmocka_unit_test(test_careless_parameters),
		cmocka_unit_test(test_extended_parameters),
		cmocka_unit_test(test_all_sections_join),
	};

	return cmocka_run_group_tests_name("mime_param", tests, NULL, NULL);
}
