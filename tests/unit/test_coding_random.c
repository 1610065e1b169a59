/*
 * test_coding_random.c - lib/mail/coding: random edits must come back out of
 * the encoded text, touch no other line and keep lines short; hostile sizes.
 */
#include "unit.h"

#include <stdio.h>
#include <time.h>

#include "mail/coding.h"

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

/* Some quoted-printable. */
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

static size_t
longest(struct str raw)
{
	size_t max = 0;

	for (size_t at = 0, lf; at < raw.n; at = lf + 1) {
		size_t end;

		lf = end = str_chr(raw, '\n', at);
		if (lf < raw.n && lf > at && raw.p[lf - 1] == '\r')
			end--;
		max = end - at > max ? end - at : max;
	}
	return max;
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
		next_random(seed) % 4 == 0,
		1 + next_random(seed) % (next_random(seed) % 4 ? 73 : 150) };
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
	check_lines("qp", got, longest(raw) > 76 ? longest(raw) : 76,
	    st.is_clean,
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
		got = exact(a, coded_anew(a, CODING_QP, text, NULL));
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
		cmocka_unit_test(test_random_qp_edits),
		cmocka_unit_test(test_random_base64_edits),
		cmocka_unit_test(test_base64_keeps_lines_before),
		cmocka_unit_test(test_random_plain_edits),
		cmocka_unit_test(test_random_as_qp),
		cmocka_unit_test(test_hostile_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
