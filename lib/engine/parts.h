/*
 * parts.h - the text parts of a message that may be changed: opened once,
 * edited by several stages in their decoded form, rendered once into splices
 * of the body.
 */
#ifndef BULKHEAD_ENGINE_PARTS_H
#define BULKHEAD_ENGINE_PARTS_H

#include "mail/coding.h"
#include "mail/mime.h"
#include "mail/splice.h"

struct message;

struct part {
	const struct mime_part *mime;
	bool is_html;
	struct coded coded;
	struct splices edits; /* of coded.text */
	bool needs_qp; /* holds octets that only quoted-printable carries */
};

struct parts {
	struct mime mime;
	struct part *v;
	size_t n;
	bool is_open;
};

/*
 * Scans the message once and opens its inline text/html and text/plain parts
 * (ARCHITECTURE "Never rewritten"): n is 0 when the message is malformed.
 * Later calls do nothing.
 */
void parts_open(struct message *m);

/*
 * Turns the edits of all parts into splices of the body (and, for a part that
 * must become quoted-printable, its Content-Transfer-Encoding).  0, or -1 on
 * edits that overlap: a bug, the message gets a temporary failure.
 */
int parts_render(struct message *m);

#endif
