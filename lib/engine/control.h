/*
 * control.h - control fields of a message: ours (X-Bulkhead-*) and those of
 * the mail services that an application may come from (X-SMTPAPI, X-MC-*,
 * X-SES-*, X-Mailgun-*, X-MSYS-API, X-PM-*, ...).  They are believed from our
 * own clients only: the caller has made sure of that.
 */
#ifndef BULKHEAD_ENGINE_CONTROL_H
#define BULKHEAD_ENGINE_CONTROL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "mail/header.h"

enum control_switch { CONTROL_UNSET, CONTROL_OFF, CONTROL_ON };

struct control_pair {
	struct str key, value;
};

/* What the application asked for.  Empty or UNSET: it did not say. */
struct control {
	struct str stream;   /* stream title */
	struct str campaign; /* first tag, category or campaign id */
	struct str list;     /* list key */
	enum control_switch clicks, opens;
	struct control_pair *metadata;
	size_t nmetadata;
	/* The control fields, for stripping; valid until a field is added. */
	struct header **fields;
	size_t nfields;
};

/*
 * Reads all control fields of h (docs/CONTROL-HEADERS.md).  Our own win over
 * a service's; of one name the first counts.  What does not parse is left out
 * with a reason in *problems, a line each ("X-SMTPAPI: not JSON at octet 12"),
 * of 200 octets at most and 20 in all: never fatal.
 * Everything lives in the arena; values are trimmed, unfolded, decoded
 * (RFC 2047 is not expected in control fields) and free of control characters.
 */
void control_read(struct control *c, struct arena *a, struct headers *h,
    struct buf *problems);

/*
 * True for the name (ASCII case folded) of a field that control_read() takes
 * as a control field.
 */
bool control_is_field(struct str name);

#endif
