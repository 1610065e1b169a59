/*
 * coding.h - content transfer encodings (RFC 2045 section 6) with a way back:
 * edits of the decoded text become splices of the encoded one, and every
 * encoded line without an edit stays as it came.
 */
#ifndef BULKHEAD_MAIL_CODING_H
#define BULKHEAD_MAIL_CODING_H

#include "base/arena.h"
#include "base/str.h"
#include "mail/splice.h"

enum coding {
	CODING_7BIT, /* also when there is no field */
	CODING_8BIT,
	CODING_BINARY,
	CODING_QP,
	CODING_BASE64,
	CODING_UNKNOWN
};

/* Lines that we write are at most this long, without the line end. */
#define CODING_LINE_OURS 988
/* Beyond this the smtp client cuts lines and signatures break. */
#define CODING_LINE_MAX 998

/*
 * The encoding named by a Content-Transfer-Encoding value: its first token,
 * comments skipped, case folded.  An empty value is CODING_7BIT.
 */
enum coding coding_parse(struct str value);

/* "quoted-printable" and so on; "unknown" for CODING_UNKNOWN. */
const char *coding_name(enum coding c);

/* A decoded body and what it takes to find the way back.  See coded_open(). */
struct coded {
	enum coding coding;
	struct str raw;	 /* encoded, as in the message; borrowed */
	struct str text; /* decoded; in the arena, or raw itself */
	/*
	 * Where lines of raw begin, in both texts; not every line has one: they
	 * are CODED_MARK_STEP octets apart at least, the rest is walked.
	 */
	struct coded_mark *marks;
	size_t nmarks;
};

/*
 * Decodes raw as mail readers do: quoted-printable keeps what is no valid
 * escape as text, drops blanks at the end of a line (RFC 2045 section 6.7) and
 * a lone '=' at the end; base64 passes over characters outside its alphabet.
 * 0, or -1 when readers would disagree (base64 with anything but white space
 * behind its padding, or a number of characters that is no whole number of
 * octets; CODING_UNKNOWN): such a part is not to be touched.  Memory: the
 * arena, at most 1.5 times raw and a little.
 */
int coded_open(struct coded *c, struct arena *a, enum coding coding,
    struct str raw);

enum coded_result {
	CODED_OK,
	CODED_LONG /* a line would pass CODING_LINE_OURS (7bit, 8bit, binary) */
};

/*
 * Turns edits of c->text (sorted) into splices of raw, each shifted by
 * offset, added to out in order.  Inserted lines are at most 76
 * (quoted-printable, base64) or CODING_LINE_OURS octets long and end as the
 * lines of raw do; line ends inside a text that is inserted should be those
 * of raw (quoted-printable escapes others).  base64 is written anew from the
 * line of the first edit to the end, as its groups shift.  CODED_LONG: nothing
 * was added to out; write the part as quoted-printable instead.  Only lines
 * with an edit count.  It is also the answer when 7bit would get an octet over
 * 127.
 */
enum coded_result coded_edit(const struct coded *c, struct arena *a,
    const struct splices *edits, size_t offset, struct splices *out);

/*
 * The text with its edits (sorted; may be NULL) written anew in CODING_QP or
 * CODING_BASE64, with CRLF.  In quoted-printable every octet that is not
 * printable ASCII is escaped, line breaks of the text (CRLF or LF) are kept as
 * line breaks, and no line begins with "-" or "From " or is a "." alone: MIME
 * delimiters, mbox files and bad relays know those.  base64 keeps every octet
 * and has no line break at its end.  In the arena: as long as the result, and
 * as the text where it has edits.
 */
struct str coded_anew(struct arena *a, enum coding coding, struct str text,
    const struct splices *edits);

/* CODING_QP, or CODING_BASE64 where that makes the text shorter. */
enum coding coded_shortest(struct str text);

/*
 * Do all readers decode raw to what coded_open() gives?  Only well-formed
 * quoted-printable without blanks at line ends (octets over 127, which all of
 * them let pass, may be there) and whole, padded base64; true for what is not
 * encoded, false for CODING_UNKNOWN.
 */
bool coded_is_strict(enum coding coding, struct str raw);

#endif
