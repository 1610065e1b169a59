/*
 * test_coding.c - lib/mail/coding: names, lenient decoding, and edits that
 * come back out of the encoded text, over cases and at random.
 */
#include "unit.h"

#include <stdio.h>
#include <time.h>

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
		    coded_as_qp(a, exact(a, str_from(cases[i].text)), NULL),
		    str_from(cases[i].want));
	splices_add(&s, a, 1, 1, STR("x="));
	expect_str("edited", coded_as_qp(a, STR("abc"), &s), STR("ax=3Dc"));
	arena_free(&a);
}

/* Random rounds. */

static unsigned
next_random(unsigned *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed >> 8;
}

struct style {
	bool is_clean; /* no blanks before line ends, no bare '=' */
	bool is_lf;
	unsigned width; /* of the lines, about */
};

static const char *
pick_unit(unsigned *seed, const struct style *st)
{
	static const char *const units[] = { "a", "b", "4", "1", "D", "x", "<",
		"=3D", "=c3", "=A9", "\303", "\"", "/" };
	static const char *const hostile[] = { "=", " ", "\r", "==", "=4",
		"=0D", "=0a", "=20", "\t", "." };

	if (!st->is_clean && next_random(seed) % 4 == 0)
		return hostile[next_random(seed) % 10];
	if (next_random(seed) % 6 == 0)
		return " ";
	return units[next_random(seed) % 13];
}

static size_t
put(char *to, size_t n, const char *s)
{
	memcpy(to + n, s, strlen(s));
	return n + strlen(s);
}

/* Some quoted-printable with lines of at most 76. */
static struct str
random_qp(struct arena *a, unsigned *seed, const struct style *st)
{
	static const char *const breaks[] = { "=", "= ", "=\t ", " =" };
	char out[1600];
	size_t n = 0, lines = next_random(seed) % 7;

	for (size_t i = 0; i < lines; i++) {
		size_t start = n, width = next_random(seed) % st->width;
		bool is_soft = next_random(seed) % 3 == 0;

		while (n - start < width)
			n = put(out, n, pick_unit(seed, st));
		if (is_soft)
			n = put(out, n,
			    breaks[st->is_clean ? 0 : next_random(seed) % 4]);
		else if (st->is_clean && n > start && out[n - 1] == ' ')
			out[n - 1] = 'e';
		else if (!st->is_clean && next_random(seed) % 4 == 0)
			n = put(out, n, "  ");
		if (i + 1 == lines && next_random(seed) % 2 == 0)
			break;
		n = put(out, n, st->is_lf ||
		    (!st->is_clean && next_random(seed) % 8 == 0) ? "\n" :
		    "\r\n");
	}
	return exact(a, str_make(out, n));
}

static struct str
random_text(struct arena *a, unsigned *seed, bool has_ends, bool is_lf)
{
	static const char *const some[] = { "4", "D", "=", " ", "q", "\303",
		"/", "\r", "\n", "\t" };
	char out[400];
	size_t n = 0, want = next_random(seed) % 5 == 0 ?
	    next_random(seed) % 160 : next_random(seed) % 6;

	while (n < want) {
		if (has_ends && next_random(seed) % 20 == 0)
			n = put(out, n, is_lf ? "\n" : "\r\n");
		else
			n = put(out, n, some[next_random(seed) %
			    (has_ends ? 10 : 7)]);
	}
	return exact(a, str_make(out, n));
}

/* In the middle of a CRLF? */
static bool
splits_crlf(struct str s, size_t at)
{
	return at > 0 && at < s.n && s.p[at - 1] == '\r' && s.p[at] == '\n';
}

static void
random_edits(struct arena *a, unsigned *seed, struct str text, bool is_clean,
    bool is_lf, struct splices *s)
{
	size_t at = 0;

	while (s->n < 8) {
		size_t del = next_random(seed) % 4 == 0 ?
		    next_random(seed) % 90 : next_random(seed) % 3;

		at += next_random(seed) % 3 == 0 ? 0 : next_random(seed) % 40;
		if (at > text.n || del > text.n - at)
			break;
		if (is_clean && splits_crlf(text, at))
			at++;
		if (del > text.n - at)
			break;
		if (is_clean && splits_crlf(text, at + del))
			del++;
		splices_add(s, a, at, del,
		    random_text(a, seed, !is_clean, is_lf));
		at += del;
	}
	assert_int_equal(splices_sort(s, text.n), 0);
}

static void
check_lines(const char *what, struct str raw, size_t max, bool is_clean,
    bool is_lf)
{
	for (size_t at = 0, lf; at < raw.n; at = lf + 1) {
		size_t end;

		lf = end = str_chr(raw, '\n', at);
		if (lf < raw.n && lf > at && raw.p[lf - 1] == '\r')
			end--;
		if (end - at > max)
			fail_msg("%s: line of %zu: %.*s", what, end - at,
			    STR_ARG(raw));
		if (!is_clean)
			continue;
		if (lf < raw.n && (end < lf) == is_lf)
			fail_msg("%s: wrong line end: %.*s", what,
			    STR_ARG(raw));
		if (end > at && (raw.p[end - 1] == ' ' ||
		    raw.p[end - 1] == '\t' || raw.p[end - 1] == '\r'))
			fail_msg("%s: trailing blank: %.*s", what,
			    STR_ARG(raw));
	}
}

/*
 * Every line of raw that a splice touches holds an edit, or ends where one
 * stands.  What a line says is found by decoding all lines up to it.
 */
static void
check_untouched(struct arena *a, enum coding coding, struct str raw,
    const struct splices *edits, const struct splices *out)
{
	size_t e = 0, before = 0, k = 0;

	for (size_t at = 0, next; at < raw.n; at = next) {
		struct coded c;
		bool has_edit = false, is_touched = false;

		next = str_chr(raw, '\n', at);
		next = next < raw.n ? next + 1 : next;
		assert_int_equal(coded_open(&c, a, coding,
		    str_sub(raw, 0, next)), 0);
		for (e = 0; e < edits->n; e++)
			has_edit |= edits->v[e].at <= c.text.n &&
			    edits->v[e].at + edits->v[e].del >= before;
		for (k = 0; k < out->n; k++)
			is_touched |= out->v[k].at < next &&
			    out->v[k].at + out->v[k].del > at;
		if (is_touched && !has_edit)
			fail_msg("touched %zu..%zu: %.*s", at, next,
			    STR_ARG(raw));
		before = c.text.n;
	}
}

static void
one_qp_round(unsigned *seed)
{
	struct arena *a = arena_new();
	struct style st = { next_random(seed) % 2 == 0,
		next_random(seed) % 4 == 0, 1 + next_random(seed) % 73 };
	struct str raw = random_qp(a, seed, &st), got;
	struct splices s = { 0 }, out = { 0 };
	struct coded c, back;

	assert_int_equal(coded_open(&c, a, CODING_QP, raw), 0);
	random_edits(a, seed, c.text, st.is_clean, st.is_lf, &s);
	assert_int_equal(coded_edit(&c, a, &s, 0, &out), CODED_OK);
	assert_int_equal(splices_sort(&out, raw.n), 0);
	got = exact(a, splices_apply(&out, a, raw));
	assert_int_equal(coded_open(&back, a, CODING_QP, got), 0);
	if (!str_eq(back.text, splices_apply(&s, a, c.text)))
		fail_msg("raw \"%.*s\"\ngot \"%.*s\"\ntext \"%.*s\"\n"
		    "want \"%.*s\"", STR_ARG(raw), STR_ARG(got),
		    STR_ARG(back.text),
		    STR_ARG(splices_apply(&s, a, c.text)));
	/* hostile lines may have been up to 81 long */
	check_lines("qp", got, st.is_clean ? 76 : 81, st.is_clean,
	    st.is_lf && str_chr(raw, '\n', 0) < raw.n);
	check_untouched(a, CODING_QP, raw, &s, &out);
	arena_free(&a);
}

static void
test_random_qp_edits(void **state)
{
	unsigned seed = 42;

	(void)state;
	for (int round = 0; round < 20000; round++)
		one_qp_round(&seed);
}

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static struct str
plain_base64(struct arena *a, struct str text, size_t width, const char *eol,
    bool has_end)
{
	char out[2000];
	size_t n = 0, column = 0;

	for (size_t i = 0; i < text.n; i += 3) {
		unsigned v = 0;

		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (i + k < text.n ?
			    (unsigned char)text.p[i + k] : 0);
		for (size_t k = 0; k < 4; k++) {
			if (column == width) {
				n = put(out, n, eol);
				column = 0;
			}
			out[n++] = i + k > text.n ? '=' :
			    digits[v >> (18 - 6 * k) & 63];
			column++;
		}
	}
	if (has_end)
		n = put(out, n, eol);
	return exact(a, str_make(out, n));
}

static void
test_random_base64_edits(void **state)
{
	unsigned seed = 99;

	(void)state;
	for (int round = 0; round < 4000; round++) {
		struct arena *a = arena_new();
		size_t width = 1 + next_random(&seed) % 76;
		bool is_lf = next_random(&seed) % 2, has_end =
		    next_random(&seed) % 2;
		const char *eol = is_lf ? "\n" : "\r\n";
		char bytes[200];
		size_t n = next_random(&seed) % 200;
		struct splices s = { 0 }, out = { 0 };
		struct coded c, back;
		struct str raw, got;

		for (size_t i = 0; i < n; i++)
			bytes[i] = (char)next_random(&seed);
		raw = plain_base64(a, str_make(bytes, n), width, eol, has_end);
		assert_int_equal(coded_open(&c, a, CODING_BASE64, raw), 0);
		expect_str("decoded", c.text, str_make(bytes, n));
		random_edits(a, &seed, c.text, false, is_lf, &s);
		assert_int_equal(coded_edit(&c, a, &s, 0, &out), CODED_OK);
		got = exact(a, splices_apply(&out, a, raw));
		assert_int_equal(coded_open(&back, a, CODING_BASE64, got), 0);
		expect_str("b64", back.text, splices_apply(&s, a, c.text));
		check_lines("b64", got, 76, false, is_lf);
		if (has_end && s.n != 0)
			assert_int_equal(got.p[got.n - 1], '\n');
		if (!has_end && got.n != 0)
			assert_int_not_equal(got.p[got.n - 1], '\n');
		/* a regular width goes on */
		if (width % 4 == 0 && str_chr(raw, '\n', 0) + 1 < raw.n)
			check_lines("b64 width", got, width, false, is_lf);
		arena_free(&a);
	}
}

/* All lines before the one with the edit stay as they came. */
static void
test_base64_keeps_lines_before(void **state)
{
	struct arena *a = arena_new();
	char bytes[200];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	for (size_t width = 4; width <= 76; width += 4) {
		struct str raw = plain_base64(a, str_make(bytes, 200), width,
		    "\r\n", true);

		for (size_t at = 0; at < 200; at++) {
			struct splices s = { 0 }, out = { 0 };
			struct coded c;

			splices_add(&s, a, at, 1, STR("??"));
			assert_int_equal(coded_open(&c, a, CODING_BASE64, raw),
			    0);
			coded_edit(&c, a, &s, 0, &out);
			assert_int_equal(out.n, 1);
			assert_int_equal(out.v[0].at,
			    at / (width / 4 * 3) * (width + 2));
		}
		arena_reset(a);
	}
	arena_free(&a);
}

static void
test_random_plain_edits(void **state)
{
	unsigned seed = 5;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct arena *a = arena_new();
		struct style st = { false, false, 70 };
		struct str raw = random_qp(a, &seed, &st);
		struct splices s = { 0 }, out = { 0 };
		struct coded c;

		assert_int_equal(coded_open(&c, a, CODING_8BIT, raw), 0);
		expect_str("text", c.text, raw);
		random_edits(a, &seed, raw, false, false, &s);
		assert_int_equal(coded_edit(&c, a, &s, 0, &out), CODED_OK);
		expect_str("8bit", splices_apply(&out, a, raw),
		    splices_apply(&s, a, raw));
		arena_free(&a);
	}
}

static void
test_random_as_qp(void **state)
{
	unsigned seed = 17;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct arena *a = arena_new();
		struct style st = { next_random(&seed) % 2 == 0, true, 200 };
		struct str text, got;
		struct coded c, back;

		assert_int_equal(coded_open(&c, a, CODING_QP,
		    random_qp(a, &seed, &st)), 0);
		text = exact(a, c.text);
		got = exact(a, coded_as_qp(a, text, NULL));
		assert_int_equal(coded_open(&back, a, CODING_QP, got), 0);
		check_lines("as qp", got, 76, true, false);
		for (size_t i = 0, k = 0; i < text.n; i++, k++) {
			if (text.p[i] == '\n' && back.text.p[k] == '\r')
				k++;
			assert_true(k < back.text.n);
			assert_int_equal(back.text.p[k], text.p[i]);
		}
		arena_free(&a);
	}
}

/* Sizes at which anything quadratic would be seen (and time the test out). */
static void
test_hostile_sizes(void **state)
{
	static const char *const lines[] = { "=\r\n", "\n", "  ", "=3D", "x",
		"= \n", "QUJD\n", "Q\n\n" };
	const size_t size = 1 << 20;
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char *p = malloc(size);
		size_t len = strlen(lines[i]);
		clock_t start = clock();

		for (size_t k = 0; k < size; k++)
			p[k] = lines[i][k % len];
		for (int coding = 0; coding < CODING_UNKNOWN; coding++) {
			struct splices s = { 0 }, out = { 0 };
			struct coded c;

			if (coded_open(&c, a, (enum coding)coding,
			    str_make(p, size)) != 0)
				continue;
			for (size_t at = 0; at < c.text.n; at += 9)
				splices_add(&s, a, at, 0, STR("xyz"));
			coded_edit(&c, a, &s, 0, &out);
			arena_reset(a);
		}
		free(p);
		assert_true((clock() - start) / CLOCKS_PER_SEC < 20);
	}
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
		cmocka_unit_test(test_random_qp_edits),
		cmocka_unit_test(test_random_base64_edits),
		cmocka_unit_test(test_base64_keeps_lines_before),
		cmocka_unit_test(test_random_plain_edits),
		cmocka_unit_test(test_random_as_qp),
		cmocka_unit_test(test_hostile_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
