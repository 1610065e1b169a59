/*
 * coding_base64.c - base64 bodies (RFC 2045 section 6.8), read leniently and
 * written anew from the line of an edit on.
 */
#include <stdint.h>

#include "base/base64.h"
#include "mail/coding_private.h"

#define PAD 64	 /* '=' */
#define OTHER 65 /* not of the alphabet */
#define X OTHER

static const unsigned char values[256] = {
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, /* 00 */
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, /* 10 */
	X, X, X, X, X, X, X, X, X, X, X, 62, X, X, X, 63, /* 20 */
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, X, X, X, PAD, X, X,
	X, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, /* 40 */
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, X, X, X, X, X,
	X, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, /* 80 */
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, /* c0 */
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
};

#undef X

static inline unsigned
value(char c)
{
	return values[(unsigned char)c];
}

struct reader {
	const char *p, *end;
	uint32_t group;	 /* of the digits so far */
	unsigned digits; /* 0 to 3 */
	char *to;
};

/* Groups of four digits that stand together, which is nearly all of them. */
static void
read_groups(struct reader *r)
{
	const char *p = r->p;

	while (r->end - p >= 4) {
		unsigned a = value(p[0]), b = value(p[1]), c = value(p[2]),
			 d = value(p[3]);
		uint32_t v = a << 18 | b << 12 | c << 6 | d;

		if ((a | b | c | d) >= PAD)
			break;
		r->to[0] = (char)(v >> 16);
		r->to[1] = (char)(v >> 8);
		r->to[2] = (char)v;
		r->to += 3;
		p += 4;
	}
	r->p = p;
}

static void
read_digit(struct reader *r, unsigned v)
{
	r->group = r->group << 6 | v;
	if (++r->digits < 4)
		return;
	*r->to++ = (char)(r->group >> 16);
	*r->to++ = (char)(r->group >> 8);
	*r->to++ = (char)r->group;
	r->digits = 0;
	r->group = 0;
}

/* Only padding and white space may follow the first '='. */
static bool
is_tail(const char *p, const char *end)
{
	for (; p < end; p++)
		if (*p != '=' && !str_is_space(*p))
			return false;
	return true;
}

static int
read_last_group(struct reader *r)
{
	if (r->digits == 1)
		return -1;
	if (r->digits >= 2)
		*r->to++ = (char)(r->group >> (6 * r->digits - 8));
	if (r->digits == 3)
		*r->to++ = (char)(r->group >> 2);
	return 0;
}

int
coded_base64_open(struct coded *c, struct arena *a)
{
	char *text = arena_bytes(a, c->raw.n / 4 * 3 + 3);
	struct reader r = { .p = c->raw.p, .end = c->raw.p + c->raw.n,
		.to = text };

	coded_marks_init(c, a);
	for (;;) {
		unsigned v;

		if (r.digits == 0)
			read_groups(&r);
		if (r.p == r.end)
			break;
		v = value(*r.p++);
		if (v < PAD)
			read_digit(&r, v);
		else if (v == PAD && !is_tail(r.p, r.end))
			return -1;
		else if (v == PAD)
			break;
		else if (r.p[-1] == '\n' && r.digits == 0)
			coded_mark_add(c, (size_t)(r.p - c->raw.p),
			    (size_t)(r.to - text));
	}
	if (read_last_group(&r) != 0)
		return -1;
	c->text = str_make(text, (size_t)(r.to - text));
	return 0;
}

/* Digits of a line that starts at from; *end is behind its line end. */
static size_t
line_digits(struct str raw, size_t from, size_t *end)
{
	size_t lf = str_chr(raw, '\n', from), n = 0;

	*end = lf < raw.n ? lf + 1 : lf;
	for (size_t i = from; i < lf; i++)
		n += value(raw.p[i]) < PAD;
	return n;
}

/*
 * The start of the line that holds an offset of the text, or of one before,
 * where a group starts, too.
 */
static struct coded_mark
find_line(const struct coded *c, size_t text)
{
	struct coded_mark best = *coded_mark_find(c, text);
	size_t at = best.raw, digits = 0, from = best.text;

	while (at < c->raw.n) {
		digits += line_digits(c->raw, at, &at);
		if (from + digits / 4 * 3 > text || at == c->raw.n ||
		    from + digits / 4 * 3 >= c->text.n)
			break;
		if (digits % 4 == 0)
			best = (struct coded_mark){ at, from + digits / 4 * 3 };
	}
	return best;
}

/* The width of raw's lines, from the first that is followed by another. */
static size_t
line_width(struct str raw)
{
	size_t end = 0, n = 0;

	while (n == 0 && end < raw.n)
		n = line_digits(raw, end, &end);
	while (end < raw.n && str_is_space(raw.p[end]))
		end++;
	if (end == raw.n || n < 4 || n > CODED_LINE)
		return CODED_LINE;
	return n / 4 * 4;
}

struct str
coded_base64_write(struct arena *a, struct str text, size_t width,
    struct str eol)
{
	size_t octets = width / 4 * 3, at = 0;
	size_t lines = text.n / octets + 1;
	char *out = arena_bytes(a, BASE64_SIZE(text.n) + lines * eol.n);
	char *to = out;

	while (at < text.n) {
		size_t n = text.n - at < octets ? text.n - at : octets;

		if (at > 0) {
			memcpy(to, eol.p, eol.n);
			to += eol.n;
		}
		to += base64_write(to, text.p + at, n);
		at += n;
	}
	return str_make(out, (size_t)(to - out));
}

/* The text from an offset on with its edits, none of which is before. */
static struct str
edited_from(const struct coded *c, struct arena *a, size_t from,
    const struct splices *edits)
{
	struct splice *v = arena_array(a, edits->n, sizeof(*v));
	struct splices moved = { v, edits->n, edits->n };

	for (size_t i = 0; i < edits->n; i++) {
		v[i] = edits->v[i];
		v[i].at -= from;
	}
	return splices_apply(&moved, a, str_sub(c->text, from, c->text.n));
}

/* Before the line end in front of an offset, if there is one. */
static size_t
without_line_end(struct str raw, size_t at)
{
	if (at > raw.n)
		return raw.n;
	if (at == 0 || raw.p[at - 1] != '\n')
		return at;
	at--;
	return at > 0 && raw.p[at - 1] == '\r' ? at - 1 : at;
}

static bool
changes_nothing(const struct splices *edits)
{
	for (size_t i = 0; i < edits->n; i++)
		if (edits->v[i].del != 0 || edits->v[i].ins.n != 0)
			return false;
	return true;
}

void
coded_base64_edit(const struct coded *c, struct arena *a,
    const struct splices *edits, size_t offset, struct splices *out)
{
	struct str raw = c->raw, eol = coded_line_end(raw), code;
	struct coded_mark line = find_line(c, edits->v[0].at);
	size_t from = line.raw, to = raw.n;

	if (changes_nothing(edits))
		return;
	code = coded_base64_write(a, edited_from(c, a, line.text, edits),
	    line_width(raw), eol);
	/* other characters may not follow the padding that may come */
	while (to > from && str_is_space(raw.p[to - 1]))
		to--;
	to = without_line_end(raw, str_chr(raw, '\n', to) + 1);
	if (code.n == 0)
		from = without_line_end(raw, from);
	splices_add(out, a, from + offset, to - from, code);
}
