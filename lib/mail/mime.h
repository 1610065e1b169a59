/*
 * mime.h - where the parts of a message are: a scanner that returns spans and
 * never re-serialises (RFC 2045, 2046).  It does not decode and does not
 * descend into message/rfc822.
 */
#ifndef BULKHEAD_MAIL_MIME_H
#define BULKHEAD_MAIL_MIME_H

#include "base/arena.h"
#include "base/str.h"
#include "mail/coding.h"
#include "mail/header.h"

#define MIME_MAX_DEPTH 32
#define MIME_MAX_PARTS 512
#define MIME_NO_PARENT ((size_t)-1)

/* What is wrong with a message, or with one part.  Bits. */
enum mime_fault {
	MIME_DUPLICATE_TYPE = 1 << 0,	  /* two Content-Type fields */
	MIME_DUPLICATE_CODING = 1 << 1,	  /* two Content-Transfer-Encoding */
	MIME_NO_BOUNDARY = 1 << 2,	  /* multipart without a boundary */
	MIME_NO_START = 1 << 3,		  /* its boundary never stands there */
	MIME_UNCLOSED = 1 << 4,		  /* no closing delimiter */
	MIME_NO_HEADER_END = 1 << 5,	  /* part header runs into its body */
	MIME_TOO_DEEP = 1 << 6,		  /* MIME_MAX_DEPTH */
	MIME_TOO_MANY = 1 << 7,		  /* MIME_MAX_PARTS */
	MIME_BAD_TYPE = 1 << 8,		  /* Content-Type does not parse */
	MIME_BAD_CODING = 1 << 9,	  /* unknown transfer encoding */
	MIME_CODED_MULTIPART = 1 << 10	  /* multipart/, message/ in qp, b64 */
};

struct mime_part {
	struct str type;    /* "text/html", lower case; never empty */
	struct str charset; /* lower case, empty when there is none */
	struct str boundary;
	enum coding coding;
	bool is_attachment; /* Content-Disposition: attachment */
	bool has_filename;  /* filename= or name= with a value */
	/*
	 * Some readers miss or do not know the encoding as it is written: a
	 * blank before the colon, or more than the one word where it matters.
	 */
	bool is_coding_unclear;
	size_t parent;	    /* index, MIME_NO_PARENT for the root */
	unsigned depth;	    /* 0 for the root */
	/*
	 * Offsets in the body of the message.  head: the part's header block
	 * (0 for the root, whose fields are the message's).  body to end: the
	 * part's content, still encoded, without the CRLF that belongs to the
	 * delimiter that follows.
	 */
	size_t head, body, end;
	/*
	 * The Content-Transfer-Encoding field's whole value (after the colon,
	 * to before the line end), empty when the part has no such field; for
	 * the root it is empty: see the message's header.
	 */
	size_t coding_at, coding_len;
	unsigned faults;
};

struct mime {
	struct mime_part *v; /* depth first, in order of the text; v[0]: root */
	size_t n;
	unsigned faults; /* of all parts together */
};

/*
 * Scans a message given its header and its body (lines end with CRLF or LF).
 * Everything in *m lives in the arena or borrows from the arguments.  Always
 * succeeds: faults say what was wrong, parts beyond them may be missing.
 */
void mime_scan(struct mime *m, struct arena *a, struct headers *h,
    struct str body);

/* True for multipart/ of whatever kind. */
bool mime_is_multipart(const struct mime_part *p);

/* The first fault in words, for a log line: "multipart without boundary". */
const char *mime_fault_text(unsigned faults);

/*
 * A parameter of a structured field ("charset" of Content-Type, "filename" of
 * Content-Disposition), unquoted, RFC 2231 continuations and percent coding
 * joined (without charset conversion).  In the arena; false when there is none.
 */
bool mime_param(struct arena *a, struct str value, struct str name,
    struct str *out);

#endif
