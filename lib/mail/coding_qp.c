/*
 * coding_qp.c - reading quoted-printable (RFC 2045 section 6.7), leniently,
 * and finding a decoded octet again in the encoded text.
 */
#include <endian.h>
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

#define EACH(octet) (UINT64_C(0x0101010101010101) * (octet))

/*
 * The high bit of each octet that is '=' or LF, and perhaps of some behind
 * the first that is, in the order of memory from the lowest on.
 */
static inline uint64_t
find_stops(uint64_t word)
{
	uint64_t equals = (word ^ EACH('=')) - EACH(1);
	uint64_t lf = (word ^ EACH('\n')) - EACH(1);

	return (equals | lf) & ~word & EACH(0x80);
}

/*
 * A body on its way out of quoted-printable: what is between '=' and LF is
 * copied, eight octets at a time (56,000 instructions less for 50 KB than by
 * memchr() and memcpy(), as what is between them is short).  No more octets
 * are written than read, so a word more may always be written.
 */
struct reader {
	struct coded *c;
	const char *p, *end;
	char *text, *to;
	char *solid; /* blanks behind it are not escaped */
};

/* Up to the next '=' or LF. */
static inline void
copy_run(struct reader *r)
{
	const char *p = r->p;
	char *to = r->to;

	while (r->end - p >= 8) {
		uint64_t word, stops;

		memcpy(&word, p, sizeof(word));
		memcpy(to, &word, sizeof(word));
		stops = find_stops(le64toh(word));
		if (stops != 0) {
			r->p = p + __builtin_ctzll(stops) / 8;
			r->to = to + __builtin_ctzll(stops) / 8;
			return;
		}
		p += 8;
		to += 8;
	}
	while (p < r->end && *p != '=' && *p != '\n')
		*to++ = *p++;
	r->p = p;
	r->to = to;
}

/* A line begins, if there is more; what stands before it stays. */
static inline void
begin_line(struct reader *r)
{
	r->solid = r->to;
	if (r->p == r->end)
		return;
	coded_mark_add(r->c, (size_t)(r->p - r->c->raw.p),
	    (size_t)(r->to - r->text));
}

/* Blanks at the end of what a line says do not count. */
static inline void
drop_blanks(struct reader *r)
{
	while (r->to > r->solid && is_blank(r->to[-1]))
		r->to--;
}

/* At an LF. */
static inline void
read_line_end(struct reader *r)
{
	bool has_cr = r->to > r->solid && r->to[-1] == '\r';

	r->to -= has_cr;
	drop_blanks(r);
	if (has_cr)
		*r->to++ = '\r';
	*r->to++ = *r->p++;
	begin_line(r);
}

/* Behind the soft break that an '=' at p is; NULL when it is none. */
static const char *
soft_break(const char *p, const char *end)
{
	p++;
	while (p < end && is_blank(*p))
		p++;
	if (p == end)
		return p;
	p += *p == '\r' && end - p > 1 && p[1] == '\n';
	return *p == '\n' ? p + 1 : NULL;
}

/* At an '='. */
static inline void
read_equals(struct reader *r)
{
	int octet = unescape(r->p, r->end);
	const char *next;

	if (octet >= 0) {
		*r->to++ = (char)octet;
		r->solid = r->to;
		r->p += 3;
	} else if ((next = soft_break(r->p, r->end)) != NULL) {
		r->p = next;
		begin_line(r);
	} else {
		*r->to++ = *r->p++;
	}
}

void
coded_qp_open(struct coded *c, struct arena *a)
{
	char *text = arena_bytes(a, c->raw.n);
	struct reader r = { .c = c, .p = c->raw.p, .end = c->raw.p + c->raw.n,
		.text = text, .to = text, .solid = text };

	coded_marks_init(c, a);
	while (copy_run(&r), r.p < r.end) {
		if (*r.p == '=')
			read_equals(&r);
		else
			read_line_end(&r);
	}
	drop_blanks(&r);
	c->text = str_make(text, (size_t)(r.to - text));
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
