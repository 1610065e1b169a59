/*
 * coding_qp.c - reading quoted-printable (RFC 2045 section 6.7), leniently,
 * and finding a decoded octet again in the encoded text.
 */
#include <stdint.h>

#include "mail/coding_private.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct qp_line
qp_line_at(struct str raw, size_t start)
{
	size_t lf = str_chr(raw, '\n', start);
	struct qp_line l = { .start = start, .eol = lf, .next = lf };

	if (lf < raw.n) {
		l.next = lf + 1;
		if (lf > start && raw.p[lf - 1] == '\r')
			l.eol = lf - 1;
	}
	l.tail = l.eol;
	while (l.tail > start && is_blank(raw.p[l.tail - 1]))
		l.tail--;
	l.is_soft = l.tail > start && raw.p[l.tail - 1] == '=';
	if (l.is_soft)
		l.tail--;
	return l;
}

/* Value and 1 of a hexadecimal digit, in either case; 0 for other octets. */
static const unsigned char digits[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6,
	['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

/* The octet that an escape at p stands for, or -1 when it is none. */
static inline int
unescape(const char *p, const char *end)
{
	int hi, lo;

	if (end - p < 3)
		return -1;
	hi = digits[(unsigned char)p[1]];
	lo = digits[(unsigned char)p[2]];
	return hi != 0 && lo != 0 ? (hi - 1) << 4 | (lo - 1) : -1;
}

size_t
qp_unit(struct str raw, size_t pos, size_t end)
{
	return raw.p[pos] == '=' &&
	    unescape(raw.p + pos, raw.p + end) >= 0 ? 3 : 1;
}

/* Decodes what a line says; returns where the next octet goes. */
static char *
decode(char *to, const char *p, const char *end)
{
	while (p < end) {
		const char *stop;
		int octet;

		if (*p == '=') {
			octet = unescape(p, end);
			*to++ = octet < 0 ? '=' : (char)octet;
			p += octet < 0 ? 1 : 3;
			continue;
		}
		stop = memchr(p, '=', (size_t)(end - p));
		if (stop == NULL)
			stop = end;
		memcpy(to, p, (size_t)(stop - p));
		to += stop - p;
		p = stop;
	}
	return to;
}

void
coded_qp_open(struct coded *c, struct arena *a)
{
	char *text = arena_bytes(a, c->raw.n), *to = text;
	struct qp_line l;

	coded_marks_init(c, a);
	for (size_t at = 0; at < c->raw.n; at = l.next) {
		l = qp_line_at(c->raw, at);
		coded_mark_add(c, at, (size_t)(to - text));
		to = decode(to, c->raw.p + l.start, c->raw.p + l.tail);
		if (!l.is_soft && l.next > l.eol) {
			memcpy(to, c->raw.p + l.eol, l.next - l.eol);
			to += l.next - l.eol;
		}
	}
	c->text = str_make(text, (size_t)(to - text));
}

struct qp_place
qp_place_first(const struct coded *c)
{
	return (struct qp_place){ .line = qp_line_at(c->raw, 0) };
}

/* Forward within what the line says; stops at its tail. */
static void
seek_in_line(struct str raw, struct qp_place *p, size_t text)
{
	while (p->text < text && p->pos < p->line.tail) {
		const char *from = raw.p + p->pos;
		size_t left = p->line.tail - p->pos, step = text - p->text;
		const char *escape;

		if (*from == '=') {
			p->pos += qp_unit(raw, p->pos, p->line.tail);
			p->text++;
			continue;
		}
		if (step > left)
			step = left;
		escape = memchr(from, '=', step);
		if (escape != NULL)
			step = (size_t)(escape - from);
		p->pos += step;
		p->text += step;
	}
}

static void
place_at_line(const struct coded *c, struct qp_place *p, size_t raw,
    size_t text)
{
	p->line = qp_line_at(c->raw, raw);
	p->pos = raw;
	p->text = text;
}

void
qp_place_seek(const struct coded *c, struct qp_place *p, size_t text)
{
	const struct coded_mark *mark = coded_mark_find(c, text);

	if (mark->raw > p->line.start)
		place_at_line(c, p, mark->raw, mark->text);
	for (;;) {
		size_t width = p->line.is_soft ? 0 : p->line.next - p->line.eol;

		if (p->pos <= p->line.tail)
			seek_in_line(c->raw, p, text);
		else
			width = 1; /* between CR and LF */
		if (p->pos < p->line.tail || p->line.next == p->line.eol ||
		    (p->line.next == c->raw.n && width == 0) ||
		    text - p->text < width)
			break;
		place_at_line(c, p, p->line.next, p->text + width);
	}
	if (text - p->text == 1 && p->pos <= p->line.tail) {
		p->pos = p->line.eol + 1;
		p->text++;
	}
}
