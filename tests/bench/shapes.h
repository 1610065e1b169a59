/*
 * shapes.h - the messages that benches send: generated, the same in every
 * run and on every machine.
 */
#ifndef BULKHEAD_TESTS_SHAPES_H
#define BULKHEAD_TESTS_SHAPES_H

#include "base/buf.h"

enum shape {
	SHAPE_TEXT,	  /* 2 KB, text/plain, 7bit */
	SHAPE_NEWSLETTER, /* 52 KB, multipart/alternative, quoted-printable */
	SHAPE_ATTACHMENT, /* 200 KB, HTML in base64 and an attachment */
	SHAPES
};

/* Links in the HTML of those that have any. */
#define SHAPE_LINKS 40

/* One header field; the value begins with its blank, folds are LF. */
struct shape_field {
	const char *name, *value;
};

extern const char *const shape_names[SHAPES];

/* The header, ended by a field without a name. */
const struct shape_field *shape_header(enum shape shape);

/* Appends the body with CRLF. */
void shape_body(enum shape shape, struct buf *b);

#endif
