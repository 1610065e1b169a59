/*
 * test_coding_anew.c - whole texts written in an encoding: lines, what they
 * begin with, what they decode to, and which encoding is shorter.
 */
#include "unit.h"

#include <stdio.h>

#include "mail/coding.h"

#define FIFTY "12345678901234567890123456789012345678901234567890"

static void
test_line_starts(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "From me\r\n", "=46rom me\r\n" },
		{ "From\r\nFromage\r\n", "From\r\nFromage\r\n" },
		{ "x\r\nFrom me\r\n", "x\r\n=46rom me\r\n" },
		{ "x From me\r\n", "x From me\r\n" },
		{ ".\r\n..\r\n.x\r\n", "=2E\r\n..\r\n.x\r\n" },
		{ ".", "=2E" },
		{ "-- \r\n--b\r\n", "=2D-=20\r\n=2D-b\r\n" },
		/* where a line of ours begins in mid-line */
		{ FIFTY "1234567890123456789012345From me",
		    FIFTY "1234567890123456789012345=\r\n=46rom me" },
		{ FIFTY "1234567890123456789012345--x",
		    FIFTY "1234567890123456789012345=\r\n=2D-x" },
		{ FIFTY "1234567890123456789012345.",
		    FIFTY "1234567890123456789012345=\r\n=2E" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_str(cases[i].text,
		    coded_anew(a, CODING_QP, exact(a, str_from(cases[i].text)),
			NULL), str_from(cases[i].want));
	arena_free(&a);
}

/* A text of n octets: every octet, many line ends, blanks before them. */
static struct str
make_text(struct arena *a, size_t n, unsigned seed)
{
	static const char often[] = "\r\n =-.F\xe9";
	char *p = arena_bytes(a, n + 2);
	size_t i = 0;

	while (i < n) {
		seed = seed * 1103515245u + 12345u;
		if ((seed >> 16) % 8 == 0) {
			p[i++] = '\r';
			p[i++] = '\n';
		} else if ((seed >> 16) % 8 < 5) {
			p[i++] = often[(seed >> 20) % 8];
		} else {
			p[i++] = (char)(seed >> 20);
		}
		if (p[i - 1] == '\n' && (i < 2 || p[i - 2] != '\r'))
			p[i - 1] = 'n';
	}
	return exact(a, str_make(p, i));
}

static void
expect_written(struct arena *a, enum coding coding, struct str text)
{
	struct str out = exact(a, coded_anew(a, coding, text, NULL));
	struct coded c;

	assert_int_equal(coded_open(&c, a, coding, out), 0);
	expect_str(coding_name(coding), c.text, text);
	if (!coded_is_strict(coding, out))
		fail_msg("readers disagree on %.*s", STR_ARG(out));
	for (size_t at = 0, end; at < out.n; at = end + 2) {
		end = str_find(out, STR("\r\n"), at);
		assert_true(end - at <= 76);
		assert_true(end == at || out.p[at] != '-');
	}
	for (size_t i = 0; i < out.n; i++)
		if (!str_is_space(out.p[i]))
			assert_in_range(out.p[i], ' ', '~');
}

static void
test_texts_come_back(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	for (unsigned n = 0; n < 400; n++) {
		expect_written(a, CODING_QP, make_text(a, n, n * 7919));
		expect_written(a, CODING_BASE64, make_text(a, n, n * 104729));
		arena_reset(a);
	}
	arena_free(&a);
}

static void
test_edits_are_applied(void **state)
{
	struct arena *a = arena_new();
	struct splices s = { 0 };

	(void)state;
	splices_add(&s, a, 1, 1, STR("x="));
	expect_str("base64", coded_anew(a, CODING_BASE64, STR("abc"), &s),
	    STR("YXg9Yw=="));
	expect_str("nothing", coded_anew(a, CODING_BASE64, STR(""), NULL),
	    STR(""));
	arena_free(&a);
}

/* Measured, not guessed: the choice is the shorter one but for a few. */
static void
test_shortest(void **state)
{
	struct arena *a = arena_new();
	struct str mixed[40];

	(void)state;
	assert_int_equal(coded_shortest(STR("")), CODING_QP);
	assert_int_equal(coded_shortest(STR("plain\r\n")), CODING_QP);
	assert_int_equal(coded_shortest(STR("caf\xc3\xa9 au lait\r\n")),
	    CODING_QP);
	assert_int_equal(coded_shortest(STR("\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2"
	    "\xd0\xb5\xd1\x82\r\n")), CODING_BASE64);
	for (size_t few = 0; few < 40; few++) {
		struct str text, qp, base64, chosen;

		for (size_t i = 0; i < 40; i++)
			mixed[i] = i < few ? STR("\xd0\x9f\xd1\x80") :
					     STR("text\r\n");
		text = arena_join(a, mixed, 40);
		qp = coded_anew(a, CODING_QP, text, NULL);
		base64 = coded_anew(a, CODING_BASE64, text, NULL);
		chosen = coded_shortest(text) == CODING_QP ? qp : base64;
		assert_true(chosen.n <= qp.n + 8 && chosen.n <= base64.n + 8);
	}
	arena_free(&a);
}

static void
test_strict(void **state)
{
	static const struct {
		enum coding coding;
		const char *raw;
		bool want;
	} cases[] = {
		{ CODING_7BIT, "a=b \r\n", true },
		{ CODING_BINARY, "\xe9", true },
		{ CODING_UNKNOWN, "a", false },
		{ CODING_QP, "", true },
		{ CODING_QP, "a=3Db=\r\nc=e9\r\n", true },
		{ CODING_QP, "\xe9", true },
		{ CODING_QP, "a=b", false },
		{ CODING_QP, "a=3", false },
		{ CODING_QP, "a=3=\r\n", false },
		{ CODING_QP, "a \r\n", false },
		{ CODING_QP, "a\t", false },
		{ CODING_QP, "a= \r\nb", false },
		{ CODING_QP, "a=", false },
		{ CODING_BASE64, "", true },
		{ CODING_BASE64, "YWJj\r\nYWI=\r\n", true },
		{ CODING_BASE64, "YW Jj\tYQ==", true },
		{ CODING_BASE64, "YWJ", false },
		{ CODING_BASE64, "YQ==YQ==", false },
		{ CODING_BASE64, "YQ==\r\n-- \r\n", false },
		{ CODING_BASE64, "YW.Jj", false },
		{ CODING_BASE64, "Y===", false },
		{ CODING_BASE64, "YWJj\xe9", false },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (coded_is_strict(cases[i].coding,
		    exact(a, str_from(cases[i].raw))) != cases[i].want)
			fail_msg("%s: %s", coding_name(cases[i].coding),
			    cases[i].raw);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_starts),
		cmocka_unit_test(test_texts_come_back),
		cmocka_unit_test(test_edits_are_applied),
		cmocka_unit_test(test_shortest),
		cmocka_unit_test(test_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
