/*
 * header.h - the header of a message as a list that remembers what came and
 * what was done to it.  Values are kept verbatim: everything after the colon,
 * the leading blank included (SMFIP_HDR_LEADSPC), folds as LF, no final LF.
 */
#ifndef BULKHEAD_MAIL_HEADER_H
#define BULKHEAD_MAIL_HEADER_H

#include "base/arena.h"
#include "base/str.h"

enum header_edit {
	HEADER_KEPT,	/* as it came */
	HEADER_CHANGED, /* came, has a new value */
	HEADER_DELETED, /* came, goes */
	HEADER_ADDED	/* did not come; stands below all that did */
};

struct header {
	struct str name;  /* as spelled */
	struct str value; /* verbatim; the new one when changed */
	unsigned index;	  /* 1 for the first that came of this name; 0: added */
	enum header_edit edit;
	size_t same; /* place in v of the next one of that name; 0: none */
};

/*
 * Fields in order; walk v to see all of them.  A pointer into v holds until
 * the next headers_append() or headers_add().  names is an index of first and
 * last fields by name: a message may have any number of either.
 */
struct headers {
	struct arena *arena;
	struct header *v;
	size_t n, cap;
	struct header_names *names;
};

/* An empty list whose memory, and whose texts, live in the arena. */
void headers_init(struct headers *h, struct arena *a);

/* One field as it came, in order, before any edit.  Borrows both texts. */
void headers_append(struct headers *h, struct str name, struct str value);

/*
 * The first field of that name (ASCII case folded) that was not deleted, or
 * the next one after a field returned before; NULL when there is none.
 */
struct header *headers_find(struct headers *h, struct str name);
struct header *headers_find_next(struct headers *h, struct header *after);

/* How many fields of that name are not deleted. */
size_t headers_count(struct headers *h, struct str name);

/* A line of a field that we wrote is at most this long (RFC 5322, 2.1.1). */
#define HEADER_LINE_MAX 998

/*
 * Edits.  The value given is the text after the colon without the leading
 * blank, which is supplied; folds in it are LF and a blank.  Copied, and made
 * fit for the wire: CR and NUL are dropped, a blank is put behind an LF that
 * has none, lines without text go, longer ones than HEADER_LINE_MAX are
 * folded at a blank if they have one.
 */
void headers_add(struct headers *h, struct str name, struct str value);
void headers_change(struct headers *h, struct header *f, struct str value);
void headers_delete(struct headers *h, struct header *f);

/*
 * What those make of a value: with its leading blank, for a field whose name
 * has name_len octets.  In the arena.
 */
struct str header_wire_value(struct arena *a, size_t name_len,
    struct str value);

/* True when any field differs from what came. */
bool headers_edited(const struct headers *h);

/*
 * Unfolded and trimmed: line breaks go, each run of blanks that holds one
 * becomes what followed it.  In the arena.
 */
struct str header_unfold(struct arena *a, struct str value);

/* True for a field name of RFC 5322: 1*(%d33-57 / %d59-126). */
bool header_name_ok(struct str name);

/*
 * The length of the field name that line starts with, 0 when it is no field.
 * *value is set to behind the colon; blanks may stand before the colon, as in
 * Postfix.
 */
size_t header_name_length(struct str line, size_t *value);

/*
 * Parses a header block: lines of text end with CRLF or LF.  Appends each
 * field, folds as LF, and sets *body to the offset behind the empty line, or
 * to where the first line stands that is no field (the header ends there, as
 * in Postfix), or to text.n.  0, or -1 when the block did not end with an
 * empty line.  An mbox line ("From ") above the first field is passed over,
 * as sendmail(1) does.  Texts borrow from text where they can.
 */
int headers_parse(struct headers *h, struct str text, size_t *body);

#endif
