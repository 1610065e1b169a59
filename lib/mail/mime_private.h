/*
 * mime_private.h - what the files of mime share.  Not for callers.
 */
#ifndef BULKHEAD_MAIL_MIME_PRIVATE_H
#define BULKHEAD_MAIL_MIME_PRIVATE_H

#include "mail/mime.h"

/* What the header of a part says about it; the first field of a name wins. */
struct mime_fields {
	struct str type, coding, disposition;
	bool has_type, has_coding, has_disposition;
	bool is_coding_spaced; /* a blank stands before its colon */
	unsigned faults;
};

#define MIME_NO_FIELDS { .type = { "", 0 }, .coding = { "", 0 },               \
	.disposition = { "", 0 } }

/*
 * Takes note of a field, whose value is borrowed; true when it is the transfer
 * encoding that counts.
 */
bool mime_note_field(struct mime_fields *f, struct str name, struct str value);

/*
 * Fills in what the fields say of a part, whose type holds the default (RFC
 * 2046 section 5.1.5).  Texts are in the arena.
 */
void mime_describe(struct arena *a, const struct mime_fields *f,
    struct mime_part *p);

#endif
