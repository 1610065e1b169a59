/*
 * test_coding.c - lib/mail/coding: names, lenient decoding, and edits of the
 * encoded text, over cases.  Random ones are in test_coding_random.c.
 */
#include "unit.h"

#include "mail/coding.h"

static void
test_names(void **state)
{
	static const struct {
		const char *value;
		enum coding want;
	} cases[] = {
		{ "", CODING_7BIT },
		{ " \r\n\t", CODING_7BIT },
		{ " (nothing)", CODING_7BIT },
		{ " 7bit", CODING_7BIT },
		{ " 8BIT", CODING_8BIT },
		{ " Binary", CODING_BINARY },
		{ " Quoted-Printable", CODING_QP },
		{ " quoted-printable (safe)", CODING_QP },
		{ " (a (nested \\) one)) base64", CODING_BASE64 },
		{ "\tbase64;", CODING_BASE64 },
		{ " 7bit;", CODING_7BIT },
		{ " base64(x)", CODING_BASE64 },
		{ " quoted printable", CODING_UNKNOWN },
		{ " uuencode", CODING_UNKNOWN },
		{ " base64x", CODING_UNKNOWN },
		{ " base6", CODING_UNKNOWN },
		{ " \"base64\"", CODING_UNKNOWN },
		{ " (unclosed base64", CODING_7BIT },
		{ " (\\", CODING_7BIT },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (coding_parse(exact(a, str_from(cases[i].value))) !=
		    cases[i].want)
			fail_msg("\"%s\"", cases[i].value);
	assert_string_equal(coding_name(CODING_QP), "quoted-printable");
	assert_string_equal(coding_name(CODING_BINARY), "binary");
	assert_string_equal(coding_name(CODING_UNKNOWN), "unknown");
	arena_free(&a);
}

static void
test_decoding(void **state)
{
	static const struct {
		const char *name;
		enum coding coding;
		const char *raw, *want; /* NULL: refused */
	} cases[] = {
		{ "plain", CODING_8BIT, "a=3D \r\n", "a=3D \r\n" },
		{ "unknown", CODING_UNKNOWN, "a", NULL },
		{ "qp empty", CODING_QP, "", "" },
		{ "qp escapes", CODING_QP, "=3D=c3=A9", "=\303\251" },
		{ "qp soft break", CODING_QP, "a=\r\nb", "ab" },
		{ "qp soft break LF", CODING_QP, "a=\nb", "ab" },
		{ "qp soft with blanks", CODING_QP, "a= \t\r\nb", "ab" },
		{ "qp blank before soft", CODING_QP, "a =\r\nb", "a b" },
		{ "qp trailing blanks", CODING_QP, "a \t\r\nb  ", "a\r\nb" },
		{ "qp encoded blank stays", CODING_QP, "a=20\r\n", "a \r\n" },
		{ "qp bare CR is text", CODING_QP, "a \rb\r\n", "a \rb\r\n" },
		{ "qp lone = at end", CODING_QP, "a=", "a" },
		{ "qp lone = and blanks", CODING_QP, "a= ", "a" },
		{ "qp soft at end", CODING_QP, "a=\r\n", "a" },
		{ "qp invalid hex", CODING_QP, "=G1=1G=zz", "=G1=1G=zz" },
		{ "qp short escape", CODING_QP, "=3", "=3" },
		{ "qp escape over a break", CODING_QP, "=3=\r\nD", "=3D" },
		{ "qp two =", CODING_QP, "==\r\nb", "=b" },
		{ "qp = before escape", CODING_QP, "==3D", "==" },
		{ "qp only breaks", CODING_QP, "=\r\n=\r\n", "" },
		{ "qp mixed line ends", CODING_QP, "a\nb\r\n", "a\nb\r\n" },
		{ "qp 8bit stays", CODING_QP, "\303\251", "\303\251" },
		{ "b64 empty", CODING_BASE64, "", "" },
		{ "b64 blank", CODING_BASE64, "\r\n\r\n", "" },
		{ "b64", CODING_BASE64, "SGVsbG8=\r\n", "Hello" },
		{ "b64 two lines", CODING_BASE64, "SGVs\r\nbG8=", "Hello" },
		{ "b64 odd lines", CODING_BASE64, "SGVsb\r\nG8=\n", "Hello" },
		{ "b64 junk inside", CODING_BASE64, "SG*Vs-bG8=", "Hello" },
		{ "b64 no padding", CODING_BASE64, "SGVsbG8", "Hello" },
		{ "b64 padding on next line", CODING_BASE64, "SGVsbA=\r\n=",
		    "Hell" },
		{ "b64 blank lines behind", CODING_BASE64, "SGVs\n\n \n", "Hel" },
		{ "b64 text behind padding", CODING_BASE64, "SGVsbG8=\r\nx",
		    NULL },
		{ "b64 padding inside", CODING_BASE64, "SGVsbG8=SGVs", NULL },
		{ "b64 junk behind padding", CODING_BASE64, "SGVsbG8=\r\n--",
		    NULL },
		{ "b64 one digit over", CODING_BASE64, "SGVsb", NULL },
		{ "b64 one digit and padding", CODING_BASE64, "SGVsb===",
		    NULL },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct coded c;
		int rc = coded_open(&c, a, cases[i].coding,
		    exact(a, str_from(cases[i].raw)));

		if ((rc == 0) != (cases[i].want != NULL))
			fail_msg("%s: open says %d", cases[i].name, rc);
		if (rc == 0)
			expect_str(cases[i].name, c.text,
			    str_from(cases[i].want));
	}
	arena_free(&a);
}

#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define URL "https://t.example/c/" FIFTY

struct edit {
	size_t at, del;
	const char *ins;
};

static const struct {
	const char *name;
	enum coding coding;
	const char *raw;
	struct edit edits[3];
	size_t n;
	const char *want;
} edit_cases[] = {
	{ "no edit", CODING_QP, "a=\r\n b ", { { 0 } }, 0, "a=\r\n b " },
	{ "empty edit", CODING_QP, "a  \r\n", { { 1, 0, "" } }, 1,
	    "a  \r\n" },
	{ "qp replace", CODING_QP, "<a href=3D\"x\">\r\n", { { 9, 1, "y=z" } },
	    1, "<a href=3D\"y=3Dz\">\r\n" },
	{ "qp into empty", CODING_QP, "", { { 0, 0, "x\303" } }, 1, "x=C3" },
	{ "qp at the end", CODING_QP, "ab", { { 2, 0, "c" } }, 1, "abc" },
	{ "qp behind dropped blanks", CODING_QP, "ab  \r\nc",
	    { { 2, 0, "!" } }, 1, "ab!\r\nc" },
	{ "qp behind a lone =", CODING_QP, "ab=", { { 2, 0, "41" } }, 1,
	    "ab41=" },
	{ "qp behind a last soft break", CODING_QP, "ab=\r\n",
	    { { 2, 0, "c" } }, 1, "abc=\r\n" },
	{ "qp other lines stay", CODING_QP, "=e9 \r\nxyz=\r\n=e9\r\n",
	    { { 4, 1, "Y" } }, 1, "=e9 \r\nxYz=\r\n=e9\r\n" },
	{ "qp soft break inside", CODING_QP, "ab=\r\ncd\r\n",
	    { { 1, 2, "-" } }, 1, "a-d\r\n" },
	{ "qp joins lines", CODING_QP, "ab \r\n cd\r\n", { { 2, 2, "" } }, 1,
	    "ab cd\r\n" },
	{ "qp rest goes behind a break", CODING_QP, FIFTY "ab" TEN "\r\n",
	    { { 51, 0, TEN TEN } }, 1,
	    FIFTY "a" TEN TEN "=\r\nb" TEN "\r\n" },
	{ "qp breaks inside and behind", CODING_QP, "<a href=3D\"x\">\r\n",
	    { { 9, 1, URL URL } }, 1,
	    "<a href=3D\"https://t.example/c/" TEN TEN TEN TEN "0123=\r\n"
	    "456789https://t.example/c/" TEN TEN TEN TEN "012345678=\r\n"
	    "9\">\r\n" },
	{ "qp no break where the line ends", CODING_QP, FIFTY TEN TEN "\r\n",
	    { { 70, 0, "12345" } }, 1, FIFTY TEN TEN "12345\r\n" },
	{ "qp behind a full line", CODING_QP, FIFTY TEN TEN "abcdef\r\n",
	    { { 76, 0, "x" } }, 1, FIFTY TEN TEN "abcde=\r\nfx\r\n" },
	{ "qp behind a full line's escape", CODING_QP,
	    FIFTY TEN TEN "abc=e9\r\n", { { 74, 0, "x" } }, 1,
	    FIFTY TEN TEN "abc=\r\n=e9x\r\n" },
	{ "qp joins a full line", CODING_QP, FIFTY TEN TEN "abcdef\r\ng\r\n",
	    { { 76, 2, "" } }, 1, FIFTY TEN TEN "abcde=\r\nfg\r\n" },
	{ "qp joins a line with room for a break", CODING_QP,
	    FIFTY TEN TEN "abcde\r\nfg\r\n", { { 75, 2, "" } }, 1,
	    FIFTY TEN TEN "abcde=\r\nfg\r\n" },
	{ "qp bare CR comes last", CODING_QP, "a \rb\n", { { 3, 1, "" } }, 1,
	    "a =0D\n" },
	{ "qp two edits on a line", CODING_QP, FIFTY "ab" TEN "\r\n",
	    { { 50, 1, "123456789" }, { 62, 0, "1234" } }, 2,
	    FIFTY "123456789b" TEN "1234\r\n" },
	{ "qp two edits break twice", CODING_QP, FIFTY "ab" TEN "\r\n",
	    { { 50, 1, TEN TEN }, { 62, 0, FIFTY TEN TEN } }, 2,
	    FIFTY TEN TEN "=\r\nb" TEN FIFTY TEN "0123=\r\n456789\r\n" },
	{ "qp blank comes last", CODING_QP, "a bc\r\n", { { 2, 2, "" } }, 1,
	    "a=20\r\n" },
	{ "qp tab inserted last", CODING_QP, "a\r\n", { { 1, 0, " \t" } }, 1,
	    "a =09\r\n" },
	{ "qp blank at end of text", CODING_QP, "a", { { 1, 0, " " } }, 1,
	    "a=20" },
	{ "qp blank before a soft break", CODING_QP, "ab=\r\nc",
	    { { 1, 1, " " } }, 1, "a =\r\nc" },
	{ "qp blanks of two edits", CODING_QP, "ab\r\n",
	    { { 1, 0, " " }, { 1, 1, "" } }, 2, "a=20\r\n" },
	{ "qp makes an escape", CODING_QP, "a=b\r\n", { { 2, 0, "4" } }, 1,
	    "a=3D4b\r\n" },
	{ "qp makes an escape two on", CODING_QP, "a=4x1\r\n",
	    { { 3, 1, "" } }, 1, "a=3D41\r\n" },
	{ "qp line ends inside", CODING_QP, "ab\r\n", { { 1, 0, "x \r\ny" } },
	    1, "ax=20\r\nyb\r\n" },
	{ "qp line end behind a blank", CODING_QP, "a b\r\n",
	    { { 2, 0, "\r\n" } }, 1, "a=20\r\nb\r\n" },
	{ "qp other line end inside", CODING_QP, "ab\r\n", { { 1, 0, "\n" } },
	    1, "a=0Ab\r\n" },
	{ "qp LF text", CODING_QP, FIFTY "ab\n", { { 51, 0, "\n\r\n" } },
	    1, FIFTY "a\n=0D\nb\n" },
	{ "qp between CR and LF", CODING_QP, "a \r\nb", { { 2, 0, "x" } }, 1,
	    "a=0Dx\nb" },
	{ "qp all goes", CODING_QP, "ab=\r\nc \r\n", { { 0, 5, "" } }, 1, "" },
	{ "8bit", CODING_8BIT, "a\r\nbc\r\n", { { 3, 1, "xyz" } }, 1,
	    "a\r\nxyzc\r\n" },
	{ "b64 at once", CODING_BASE64, "SGVsbG8=\r\n", { { 5, 0, "!!" } }, 1,
	    "SGVsbG8hIQ==\r\n" },
	{ "b64 no line end", CODING_BASE64, "SGVsbG8=", { { 0, 1, "h" } }, 1,
	    "aGVsbG8=" },
	{ "b64 from the line on", CODING_BASE64,
	    "SGVsbG8g\r\nd29ybGQh\r\nQUJD\r\n", { { 6, 1, "W" } }, 1,
	    "SGVsbG8g\r\nV29ybGQh\r\nQUJD\r\n" },
	{ "b64 keeps odd lines before", CODING_BASE64,
	    "SGVs\n bG8g\nd29ybGQh\n", { { 11, 1, "." } }, 1,
	    "SGVs\n bG8g\nd29y\nbGQu\n" },
	{ "b64 line of a split group", CODING_BASE64,
	    "SGVsbG\r\n8gd29y\r\nbGQh\r\n", { { 6, 1, "W" } }, 1,
	    "SGVs\r\nbG8g\r\nV29y\r\nbGQh\r\n" },
	{ "b64 line goes", CODING_BASE64, "SGVs\r\nbG8g\r\n", { { 3, 3, "" } },
	    1, "SGVs\r\n" },
	{ "b64 empty edit", CODING_BASE64, "SG Vs\r\n", { { 3, 0, "" } }, 1,
	    "SG Vs\r\n" },
	{ "b64 junk at the end goes", CODING_BASE64, "SGVs-\r\n*\r\n",
	    { { 3, 0, "l" } }, 1, "SGVs\r\nbA==\r\n" },
	{ "b64 into empty", CODING_BASE64, "\r\n", { { 0, 0, "Hel" } }, 1,
	    "SGVs\r\n" },
	{ "b64 into nothing", CODING_BASE64, "", { { 0, 0, FIFTY TEN } }, 1,
	    "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3"
	    "ODkwMTIzNDU2\r\nNzg5" },
};

static void
make_edits(struct arena *a, struct splices *s, const struct edit *v, size_t n,
    size_t length)
{
	for (size_t i = 0; i < n; i++)
		splices_add(s, a, v[i].at, v[i].del,
		    exact(a, str_from(v[i].ins)));
	assert_int_equal(splices_sort(s, length), 0);
}

/* The edited encoding, by way of splices of a body in which it stands. */
static struct str
edit_inside(struct arena *a, const struct coded *c, const struct splices *s)
{
	struct splices out = { 0 };
	struct str body = arena_printf(a, "12345%.*s6", STR_ARG(c->raw)), got;

	assert_int_equal(coded_edit(c, a, s, 5, &out), CODED_OK);
	assert_int_equal(splices_sort(&out, body.n), 0);
	got = splices_apply(&out, a, body);
	assert_true(str_starts(got, STR("12345")));
	assert_int_equal(got.p[got.n - 1], '6');
	return exact(a, str_sub(got, 5, got.n - 1));
}

static void
test_edits(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(edit_cases) / sizeof(edit_cases[0]);
	    i++) {
		struct arena *a = arena_new();
		struct splices s = { 0 };
		struct coded c;

		assert_int_equal(coded_open(&c, a, edit_cases[i].coding,
		    exact(a, str_from(edit_cases[i].raw))), 0);
		make_edits(a, &s, edit_cases[i].edits, edit_cases[i].n,
		    c.text.n);
		expect_str(edit_cases[i].name, edit_inside(a, &c, &s),
		    str_from(edit_cases[i].want));
		arena_free(&a);
	}
}

static struct str
run_of(struct arena *a, char c, size_t n)
{
	return exact(a, str_make(memset(arena_bytes(a, n), c, n), n));
}

static void
test_long_lines_without_a_coding(void **state)
{
	static const struct {
		const char *name;
		enum coding coding;
		size_t before, at, del, ins; /* the line at hand */
		enum coded_result want;
	} cases[] = {
		{ "fits", CODING_8BIT, 900, 500, 0, 88, CODED_OK },
		{ "one over", CODING_8BIT, 900, 500, 0, 89, CODED_LONG },
		{ "over at its end", CODING_7BIT, 988, 988, 0, 1, CODED_LONG },
		{ "over at its start", CODING_BINARY, 988, 0, 0, 1,
		    CODED_LONG },
		{ "was long, is not", CODING_8BIT, 1200, 10, 300, 0, CODED_OK },
		{ "was long, is still", CODING_8BIT, 1200, 10, 100, 0,
		    CODED_LONG },
		{ "line alone", CODING_8BIT, 5, 0, 5, 989, CODED_LONG },
		{ "joined", CODING_8BIT, 10, 10, 2, 0, CODED_LONG },
		{ "joined behind", CODING_8BIT, 10, 8, 4, 0, CODED_LONG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new();
		struct splices s = { 0 }, out = { 0 };
		struct str raw, pad = run_of(a, 'y', 1100);
		struct coded c;

		/* neighbours that are too long and have no edit */
		raw = arena_printf(a, "%.*s\r\n%.*s\r\n%.*s\r\n", STR_ARG(pad),
		    (int)cases[i].before, run_of(a, 'x', cases[i].before).p,
		    STR_ARG(pad));
		splices_add(&s, a, pad.n + 2 + cases[i].at, cases[i].del,
		    run_of(a, 'z', cases[i].ins));
		assert_int_equal(coded_open(&c, a, cases[i].coding,
		    exact(a, raw)), 0);
		if (coded_edit(&c, a, &s, 0, &out) != cases[i].want)
			fail_msg("%s", cases[i].name);
		assert_int_equal(out.n, cases[i].want == CODED_OK ? 1 : 0);
		arena_free(&a);
	}
}

static void
test_7bit_stays_7bit(void **state)
{
	struct arena *a = arena_new();
	struct splices s = { 0 }, out = { 0 };
	struct coded c;

	(void)state;
	splices_add(&s, a, 1, 0, STR("\303\251"));
	assert_int_equal(coded_open(&c, a, CODING_7BIT, STR("ab")), 0);
	assert_int_equal(coded_edit(&c, a, &s, 0, &out), CODED_LONG);
	c.coding = CODING_8BIT;
	assert_int_equal(coded_edit(&c, a, &s, 0, &out), CODED_OK);
	assert_int_equal(out.n, 1);
	arena_free(&a);
}

static void
test_as_qp(void **state)
{
	static const struct {
		const char *name, *text, *want;
	} cases[] = {
		{ "empty", "", "" },
		{ "plain", "a b\r\n", "a b\r\n" },
		{ "LF becomes CRLF", "a\nb\n\n", "a\r\nb\r\n\r\n" },
		{ "escapes", "=\303\251\177\001", "=3D=C3=A9=7F=01" },
		{ "blank before a line end", "a \r\n\t\nb ",
		    "a=20\r\n=09\r\nb=20" },
		{ "bare CR", "a\rb\r", "a=0Db=0D" },
		{ "breaks", FIFTY TEN TEN "123456\n",
		    FIFTY TEN TEN "12345=\r\n6\r\n" },
		{ "escape not split", FIFTY TEN TEN "123\351\n",
		    FIFTY TEN TEN "123=\r\n=E9\r\n" },
		{ "last blank does not fit", FIFTY TEN TEN "1234 \n",
		    FIFTY TEN TEN "1234=\r\n=20\r\n" },
	};
	struct arena *a = arena_new();
	struct splices s = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_str(cases[i].name,
		    coded_anew(a, CODING_QP,
			exact(a, str_from(cases[i].text)), NULL),
		    str_from(cases[i].want));
	splices_add(&s, a, 1, 1, STR("x="));
	expect_str("edited", coded_anew(a, CODING_QP, STR("abc"), &s),
	    STR("ax=3Dc"));
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_decoding),
		cmocka_unit_test(test_edits),
		cmocka_unit_test(test_long_lines_without_a_coding),
		cmocka_unit_test(test_7bit_stays_7bit),
		cmocka_unit_test(test_as_qp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
