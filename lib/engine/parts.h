/*
 * parts.h - the parts of a message: found once, the text parts that may be
 * changed opened once and edited by several stages in their decoded form.
 * How they leave is in encode.h.
 */
#ifndef BULKHEAD_ENGINE_PARTS_H
#define BULKHEAD_ENGINE_PARTS_H

#include "mail/coding.h"
#include "mail/mime.h"
#include "mail/splice.h"
#include "mail/wire.h"

struct message;

struct part {
	const struct mime_part *mime;
	bool is_html;
	struct coded coded;
	struct splices edits; /* of coded.text */
};

struct parts {
	struct wire look; /* at the whole body */
	struct mime mime;
	struct part *v;
	size_t n;
	bool has_look, is_scanned, is_open;
	bool stays_8bit; /* what leaves has, or claims, 8-bit content */
};

/* What a hop may stumble over in the body as it came; looked at once. */
const struct wire *parts_look(struct message *m);

/*
 * Scans the message once for its parts.  m->malformed says why none of them
 * may be touched; NULL: they may.  Later calls do nothing.
 */
void parts_scan(struct message *m);

/*
 * Opens, once, the inline text/html and text/plain parts (ARCHITECTURE "Never
 * rewritten"): n is 0 when the message is malformed.
 */
void parts_open(struct message *m);

/*
 * Are parts that nobody edited to be made fit for any hop?  Only mail of a
 * stream that does not say encode = false, and never bounces.
 */
bool parts_are_encoded(const struct message *m);

/*
 * Why a part must keep its transfer encoding, whatever a hop may do to it:
 * signatures cover it, others wrote it, or readers disagree on what it says.
 * NULL: it need not.
 */
const char *parts_why_kept(const struct message *m,
    const struct mime_part *p);

/* True inside of multipart/signed and others that nothing may change in. */
bool parts_is_sealed(const struct mime *mime, const struct mime_part *p);

#endif
