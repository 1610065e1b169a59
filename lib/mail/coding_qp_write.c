/*
 * coding_qp_write.c - writing quoted-printable (RFC 2045 section 6.7) with
 * lines of at most 76.  It does not know of edits.
 */
#include <stdint.h>

#include "mail/coding_private.h"

/* Room for a soft break's '=' is kept free. */
#define LAST_COLUMN (CODED_LINE - 1)

/* Stands for itself: printable ASCII without '=', and the blanks. */
static inline bool
is_literal(char c)
{
	return (c >= ' ' && c <= '~' && c != '=') || c == '\t';
}

#define BLOCK 32

/*
 * A whole block that stands for itself, tabs left to is_literal(): compilers
 * make vector instructions of this loop (107,000 instructions less for 40
 * tracking URLs).
 */
static inline bool
is_literal_block(const char *p)
{
	unsigned char other = 0;

	for (size_t i = 0; i < BLOCK; i++) {
		unsigned char c = (unsigned char)p[i];

		other |= (unsigned char)((unsigned char)(c - ' ') > '~' - ' ');
		other |= (unsigned char)(c == '=');
	}
	return other == 0;
}

/* Where the literal octets that begin at at end; to at most. */
static inline size_t
skip_literals(struct str s, size_t at, size_t to)
{
	while (to - at >= BLOCK && is_literal_block(s.p + at))
		at += BLOCK;
	while (at < to && is_literal(s.p[at]))
		at++;
	return at;
}

static void
reserve(struct qp_writer *w, size_t n)
{
	size_t want = w->cap ? w->cap : 128;
	char *p;

	if (n <= w->cap - w->n)
		return;
	while (want - w->n < n)
		want *= 2;
	p = arena_bytes(w->a, want);
	if (w->n != 0)
		memcpy(p, w->p, w->n);
	w->p = p;
	w->cap = want;
}

static void
put(struct qp_writer *w, const char *p, size_t n)
{
	reserve(w, n);
	memcpy(w->p + w->n, p, n);
	w->n += n;
	w->column += n;
}

void
qp_write_soft_break(struct qp_writer *w)
{
	put(w, "=", 1);
	put(w, w->eol.p, w->eol.n);
	w->column = 0;
}

void
qp_write_escape(struct qp_writer *w, char c)
{
	static const char hex[] = "0123456789ABCDEF";
	char text[3];

	text[0] = '=';
	text[1] = hex[(unsigned char)c >> 4];
	text[2] = hex[(unsigned char)c & 15];
	if (w->column + 3 > LAST_COLUMN)
		qp_write_soft_break(w);
	put(w, text, 3);
}

/* At the start of a line these mean something to others than readers. */
static inline bool
is_risky_start(struct str s, size_t at)
{
	switch (s.p[at]) {
	case '-':
		return true;
	case '.':
		return at + 1 == s.n;
	case 'F':
		return str_starts(str_sub(s, at, s.n), STR("From "));
	}
	return false;
}

void
qp_write_text(struct qp_writer *w, struct str s)
{
	size_t at = 0;

	reserve(w, s.n + s.n / 16 + 16);
	while (at < s.n) {
		size_t from = at, room;

		if (!is_literal(s.p[at]) ||
		    ((w->column == 0 || w->column >= LAST_COLUMN) &&
			is_risky_start(s, at))) {
			qp_write_escape(w, s.p[at++]);
			continue;
		}
		if (w->column >= LAST_COLUMN)
			qp_write_soft_break(w);
		room = LAST_COLUMN - w->column;
		at = skip_literals(s, from,
		    s.n - from < room ? s.n : from + room);
		put(w, s.p + from, at - from);
	}
}

void
qp_write_raw(struct qp_writer *w, struct str s)
{
	put(w, s.p, s.n);
}

void
qp_write_seal(struct qp_writer *w)
{
	char last = w->n > 0 ? w->p[w->n - 1] : 'x';

	if (last != ' ' && last != '\t')
		return;
	w->n--;
	w->column--;
	qp_write_escape(w, last);
}

void
qp_write_line_end(struct qp_writer *w)
{
	qp_write_seal(w);
	put(w, w->eol.p, w->eol.n);
	w->column = 0;
}

struct str
coded_qp_write(struct arena *a, struct str text)
{
	struct qp_writer w = { .a = a, .eol = STR("\r\n") };
	size_t at = 0;

	/* what has more escapes is shorter as base64 */
	reserve(&w, text.n + text.n / 2 + 64);
	while (at < text.n) {
		size_t lf = str_chr(text, '\n', at), end = lf;

		if (lf < text.n && lf > at && text.p[lf - 1] == '\r')
			end--;
		qp_write_text(&w, str_sub(text, at, end));
		if (lf == text.n)
			break;
		qp_write_line_end(&w);
		at = lf + 1;
	}
	qp_write_seal(&w);
	return str_make(w.p, w.n);
}
