/*
 * coding_private.h - what the files of mail/coding share; for nobody else.
 */
#ifndef BULKHEAD_MAIL_CODING_PRIVATE_H
#define BULKHEAD_MAIL_CODING_PRIVATE_H

#include "mail/coding.h"

/* Marks at least this many encoded octets apart bound their memory. */
#define CODED_MARK_STEP 64

/* Encoded lines that we write: RFC 2045 sections 6.7 (5) and 6.8. */
#define CODED_LINE 76

/* A line of raw begins at raw, and what it says at text. */
struct coded_mark {
	size_t raw, text;
};

/* An array for all marks that raw can get; in the arena. */
void coded_marks_init(struct coded *c, struct arena *a);

/* Records a line start unless the last one is near. */
static inline void
coded_mark_add(struct coded *c, size_t raw, size_t text)
{
	if (raw - c->marks[c->nmarks - 1].raw >= CODED_MARK_STEP)
		c->marks[c->nmarks++] = (struct coded_mark){ raw, text };
}

/* The last mark at or before an offset of the text. */
const struct coded_mark *coded_mark_find(const struct coded *c, size_t text);

/* How lines of a text end: LF when its first line end is a bare one. */
struct str coded_line_end(struct str text);

/* As coded_open() and coded_edit(); c->coding and c->raw are set. */
void coded_qp_open(struct coded *c, struct arena *a);
int coded_base64_open(struct coded *c, struct arena *a);
void coded_qp_edit(const struct coded *c, struct arena *a,
    const struct splices *edits, size_t offset, struct splices *out);
void coded_base64_edit(const struct coded *c, struct arena *a,
    const struct splices *edits, size_t offset, struct splices *out);

/* As coded_anew(): the text without edits.  base64 in lines of that width. */
struct str coded_qp_write(struct arena *a, struct str text);
struct str coded_base64_write(struct arena *a, struct str text, size_t width,
    struct str eol);

/*
 * A line of quoted-printable: [start, tail) says something, [tail, eol) is a
 * soft break's '=' or blanks or both, [eol, next) the line end.
 */
struct qp_line {
	size_t start, tail, eol, next;
	bool is_soft;
};

/* The line that begins at an offset of raw, at most raw.n. */
struct qp_line qp_line_at(struct str raw, size_t start);

/* Octets of raw that the decoded octet at pos takes: 1, or 3 for an escape. */
size_t qp_unit(struct str raw, size_t pos, size_t end);

/*
 * A position in a quoted-printable text: pos in raw, text in the decoded one.
 * pos is in [line.start, line.tail], or at line.eol + 1 between CR and LF.
 */
struct qp_place {
	struct qp_line line;
	size_t pos, text;
};

/* The place of offset 0. */
struct qp_place qp_place_first(const struct coded *c);

/*
 * Moves forward to an offset of the decoded text; behind a soft break it
 * prefers the new line.
 */
void qp_place_seek(const struct coded *c, struct qp_place *p, size_t text);

/*
 * A growing quoted-printable text in an arena that knows its column and never
 * lets a line pass CODED_LINE.
 */
struct qp_writer {
	struct arena *a;
	char *p;
	size_t n, cap;
	size_t column;
	struct str eol; /* of the text around: CRLF or LF */
};

/* "=" and a line end. */
void qp_write_soft_break(struct qp_writer *w);

/* One octet, escaped. */
void qp_write_escape(struct qp_writer *w, char c);

/*
 * Text; CR and LF in it are escaped.  Its last blank may end the line.  What
 * would mean something to others at the start of a line that begins here is
 * escaped: "-" (MIME delimiters), "From " (mbox), "." at the end of s (SMTP).
 */
void qp_write_text(struct qp_writer *w, struct str s);

/* What is quoted-printable already and fits the line. */
void qp_write_raw(struct qp_writer *w, struct str s);

/*
 * A line end.  A blank written last is escaped first; what stands before the
 * writer's beginning is not its business.
 */
void qp_write_line_end(struct qp_writer *w);

/* Escapes the last octet when it is a blank. */
void qp_write_seal(struct qp_writer *w);

#endif
