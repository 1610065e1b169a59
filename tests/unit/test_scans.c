/*
 * test_scans.c - what reads or writes many octets at a time does what its
 * plain definition does octet by octet: searches, looks at a text, and
 * quoted-printable both ways.  At all lengths around words and blocks, in heap
 * blocks of exactly that size.
 */
#include "unit.h"

#include "mail/coding.h"
#include "mail/coding_private.h"
#include "mail/mime.h"
#include "mail/wire.h"

#define MAX 400

static unsigned
next_random(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16 & 0x7fff;
}

/* n octets, of which one in often is of some; what is between is 'a' to 'z'. */
static struct str
make_text(struct arena *a, size_t n, struct str some, unsigned often,
    unsigned *seed)
{
	char text[MAX];

	for (size_t i = 0; i < n; i++)
		text[i] = next_random(seed) % often == 0 ?
		    some.p[next_random(seed) % some.n] :
		    (char)('a' + next_random(seed) % 26);
	return exact(a, str_make(text, n));
}

/* Calls test with texts of all lengths, of octets often rare and often not. */
static void
each_text(struct str some, void (*test)(struct arena *a, struct str text))
{
	unsigned seed = 1;

	for (size_t n = 0; n < MAX; n += n < 80 ? 1 : 13) {
		for (unsigned often = 1; often <= 64; often *= 2) {
			struct arena *a = arena_new();

			for (int i = 0; i < 6; i++)
				test(a, make_text(a, n, some, often, &seed));
			arena_free(&a);
		}
	}
}

static size_t
plain_find(struct str s, struct str needle, size_t from)
{
	for (size_t at = from; at + needle.n <= s.n; at++)
		if (memcmp(s.p + at, needle.p, needle.n) == 0)
			return at;
	return s.n;
}

static void
check_find(struct arena *a, struct str text)
{
	static const struct str needles[] = { { "\r", 1 }, { "\r\n", 2 },
		{ "\n\n", 2 }, { "\r\r\n", 3 } };

	(void)a;
	for (size_t i = 0; i < sizeof(needles) / sizeof(needles[0]); i++)
		for (size_t from = 0; from <= text.n; from += 1 + from / 4)
			assert_int_equal(str_find(text, needles[i], from),
			    plain_find(text, needles[i], from));
}

static void
test_find(void **state)
{
	(void)state;
	each_text(STR("\r\n"), check_find);
}

static struct wire
plain_look(struct str s)
{
	struct wire w = { 0 };
	size_t column = 0;

	for (size_t i = 0; i < s.n; i++) {
		bool has_lf = i + 1 < s.n && s.p[i + 1] == '\n';

		w.is_8bit |= (unsigned char)s.p[i] > 127;
		w.nodd += s.p[i] == '\0' || (s.p[i] == '\r' && !has_lf);
		w.has_lone_lf |= s.p[i] == '\n' &&
		    (i == 0 || s.p[i - 1] != '\r');
		column = s.p[i] == '\n' ? 0 :
		    column + !(s.p[i] == '\r' && has_lf);
		w.longest = column > w.longest ? column : w.longest;
	}
	return w;
}

static void
expect_look(const struct wire *got, const struct wire *want)
{
	assert_int_equal(got->is_8bit, want->is_8bit);
	assert_int_equal(got->nodd, want->nodd);
	assert_int_equal(got->has_lone_lf, want->has_lone_lf);
	assert_int_equal(got->longest, want->longest);
}

static void
check_look(struct arena *a, struct str text)
{
	struct wire want = plain_look(text), got = wire_of(text);
	size_t cuts[] = { 0, 1, text.n / 3, text.n / 2 };

	expect_look(&got, &want);
	assert_int_equal(wire_is_8bit(text), want.is_8bit);
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		got = (struct wire){ 0 };
		wire_look(&got, exact(a, str_sub(text, 0, cuts[i])));
		wire_look(&got, exact(a, str_sub(text, cuts[i], text.n)));
		wire_end(&got);
		expect_look(&got, &want);
	}
}

static void
test_look(void **state)
{
	(void)state;
	each_text(STR("\r\n\0\x80\xff\r\n\n"), check_look);
	each_text(STR("\r\n"), check_look);
	each_text(STR("\0\x7f\x80"), check_look);
}

/* Line by line, after the text of RFC 2045 section 6.7. */
static struct str
plain_read(struct arena *a, struct str raw)
{
	char *text = arena_bytes(a, raw.n);
	size_t n = 0, next;

	for (size_t at = 0; at < raw.n; at = next) {
		struct qp_line l = qp_line_at(raw, at);

		for (size_t i = at; i < l.tail; i++) {
			if (qp_unit(raw, i, l.tail) == 3) {
				text[n++] = (char)(str_hex(raw.p[i + 1]) << 4 |
				    str_hex(raw.p[i + 2]));
				i += 2;
			} else {
				text[n++] = raw.p[i];
			}
		}
		for (size_t i = l.eol; !l.is_soft && i < l.next; i++)
			text[n++] = raw.p[i];
		next = l.next;
	}
	return str_make(text, n);
}

static void
check_read(struct arena *a, struct str raw)
{
	struct coded c;
	size_t last = 0;

	assert_int_equal(coded_open(&c, a, CODING_QP, raw), 0);
	expect_str("decoded", exact(a, c.text), plain_read(a, raw));
	assert_true(c.nmarks > 0 && c.marks[0].raw == 0);
	for (size_t i = 1; i < c.nmarks; i++) {
		size_t at = c.marks[i].raw;

		assert_true(at >= last + CODED_MARK_STEP && at < raw.n);
		assert_int_equal(raw.p[at - 1], '\n');
		assert_int_equal(plain_read(a, str_sub(raw, 0, at)).n,
		    c.marks[i].text);
		last = at;
	}
	/* the next line that is far enough has the next mark */
	for (size_t at = last + CODED_MARK_STEP; at < raw.n; at++)
		assert_true(raw.p[at - 1] != '\n');
}

static void
test_read(void **state)
{
	(void)state;
	each_text(STR("=\n\r \t=AF=0d\n"), check_read);
	each_text(STR("= \n"), check_read);
	each_text(STR("=\r\n\x3c\x3e\x0b\x09\xbd\x8a"), check_read);
	each_text(STR("=3D"), check_read);
}

struct line {
	char *out;
	size_t n, column;
};

static void
put(struct line *l, struct str s)
{
	memcpy(l->out + l->n, s.p, s.n);
	l->n += s.n;
	l->column += s.n;
}

static void
make_room(struct line *l, size_t width)
{
	if (l->column + width <= 75)
		return;
	put(l, STR("=\r\n"));
	l->column = 0;
}

/* The octet at i of a line; "=" and two digits where it must not stand. */
static void
write_octet(struct line *l, struct str s, size_t i)
{
	static const char hex[] = "0123456789ABCDEF";
	bool is_last = i + 1 == s.n, starts = l->column % 75 == 0;
	unsigned char c = (unsigned char)s.p[i];
	char code[3] = { '=', hex[c >> 4], hex[c & 15] };

	if (((c < ' ' || c > '~' || c == '=') && c != '\t') ||
	    (is_last && (c == ' ' || c == '\t')) ||
	    (starts && (c == '-' || (c == '.' && is_last) ||
		str_starts(str_sub(s, i, s.n), STR("From "))))) {
		make_room(l, 3);
		put(l, str_make(code, 3));
	} else {
		make_room(l, 1);
		put(l, str_sub(s, i, i + 1));
	}
}

static struct str
plain_write(struct arena *a, struct str text)
{
	struct line l = { .out = arena_bytes(a, text.n * 6 + 6) };

	for (size_t at = 0; at < text.n;) {
		size_t lf = str_chr(text, '\n', at), end = lf;

		if (lf < text.n && lf > at && text.p[lf - 1] == '\r')
			end--;
		for (size_t i = at; i < end; i++)
			write_octet(&l, str_sub(text, at, end), i - at);
		if (lf < text.n)
			put(&l, STR("\r\n"));
		l.column = 0;
		at = lf + 1;
	}
	return str_make(l.out, l.n);
}

static void
check_write(struct arena *a, struct str text)
{
	expect_str("encoded", coded_anew(a, CODING_QP, text, NULL),
	    plain_write(a, text));
}

static void
test_write(void **state)
{
	(void)state;
	each_text(STR("=\r\n \t.-F\x1f\x20\x7e\x7f\x80\xff\0"), check_write);
	each_text(STR(" .-="), check_write);
	each_text(STR("\xe9"), check_write);
	each_text(STR("xyz0189~!<>"), check_write);
}

/* Delimiters at every offset from the blocks that are passed over. */
static void
check_parts(size_t before, size_t inside, struct str filler)
{
	struct arena *a = arena_new();
	struct str pieces[] = { filler, STR("\n--b\n\n"), filler,
		STR("\n--b--\n"), filler }, body;
	struct headers h;
	struct mime m;

	pieces[0].n = before;
	pieces[2].n = inside;
	body = arena_join(a, pieces, 5);
	headers_init(&h, a);
	headers_add(&h, STR("Content-Type"),
	    STR(" multipart/mixed; boundary=b"));
	mime_scan(&m, a, &h, exact(a, body));
	assert_int_equal(m.faults, 0);
	assert_int_equal(m.n, 2);
	assert_int_equal(m.v[1].body, before + strlen("\n--b\n\n"));
	assert_int_equal(m.v[1].end, m.v[1].body + inside);
	arena_free(&a);
}

static void
test_parts(void **state)
{
	char text[2000], lines[sizeof(text)], dashes[sizeof(text)];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] = '-';
		lines[i] = i % 5 == 4 ? '\n' : '-';
		dashes[i] = i % 7 == 6 ? '\n' : 'x';
	}
	lines[0] = 'x';
	for (size_t i = 5; i < sizeof(text); i += 5)
		lines[i + 1] = 'x'; /* "-x--" on each line but the first */
	for (size_t n = 0; n < 700; n += n < 8 || n % 64 > 56 ? 1 : 7) {
		check_parts(n, 700 - n, str_make(lines, sizeof(lines)));
		check_parts(700 - n, n, str_make(dashes, sizeof(dashes)));
		check_parts(n + 1, n, str_make(text, sizeof(text)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_look),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
