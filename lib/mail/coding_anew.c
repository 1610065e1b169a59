/*
 * coding_anew.c - a text written in an encoding from its first octet on, and
 * when that is safe.  Edits that keep the lines of others are elsewhere.
 */
#include "base/base64.h"
#include "mail/coding_private.h"

/* Printable ASCII and the tab cost one octet, others are escaped. */
static size_t
count_escapes(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		n += (c < ' ' && c != '\t' && c != '\r' && c != '\n') ||
		    c > '~' || c == '=';
	}
	return n;
}

enum coding
coded_shortest(struct str text)
{
	size_t qp = text.n + 2 * count_escapes(text);
	size_t base64 = BASE64_SIZE(text.n);

	/* soft breaks: "=", CR, LF; base64 has CR, LF in each line */
	qp += qp / (CODED_LINE - 1) * 3;
	base64 += base64 / CODED_LINE * 2;
	return qp <= base64 ? CODING_QP : CODING_BASE64;
}

struct str
coded_anew(struct arena *a, enum coding coding, struct str text,
    const struct splices *edits)
{
	if (edits != NULL && edits->n != 0)
		text = splices_apply(edits, a, text);
	if (coding == CODING_BASE64)
		return coded_base64_write(a, text, CODED_LINE, STR("\r\n"));
	return coded_qp_write(a, text);
}

/* Nothing but escapes and soft breaks, nothing that some readers drop. */
static bool
is_strict_line(struct str raw, const struct qp_line *l)
{
	if (l->is_soft ? l->next == l->eol || l->eol - l->tail != 1 :
			 l->eol != l->tail)
		return false;
	for (size_t at = l->start; (at = str_chr(raw, '=', at)) < l->tail;
	     at += 3)
		if (qp_unit(raw, at, l->tail) != 3)
			return false;
	return true;
}

static bool
is_strict_qp(struct str raw)
{
	struct qp_line l;

	for (size_t at = 0; at < raw.n; at = l.next) {
		l = qp_line_at(raw, at);
		if (!is_strict_line(raw, &l))
			return false;
	}
	return true;
}

static bool
is_strict_base64(struct str raw)
{
	size_t digits = 0, padding = 0;

	for (size_t i = 0; i < raw.n; i++) {
		char c = raw.p[i];

		if (str_is_space(c))
			continue;
		if (c == '=')
			padding++;
		else if (padding > 0 || (!str_is_alpha(c) &&
		    !str_is_digit(c) && c != '+' && c != '/'))
			return false;
		else
			digits++;
	}
	return padding <= 2 && (digits + padding) % 4 == 0;
}

bool
coded_is_strict(enum coding coding, struct str raw)
{
	switch (coding) {
	case CODING_7BIT:
	case CODING_8BIT:
	case CODING_BINARY:
		return true;
	case CODING_QP:
		return is_strict_qp(raw);
	case CODING_BASE64:
		return is_strict_base64(raw);
	case CODING_UNKNOWN:
		break;
	}
	return false;
}
