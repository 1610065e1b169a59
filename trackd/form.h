/*
 * form.h - the body of a POST to an unsubscribe link: what it asks for.
 */
#ifndef BULKHEAD_TRACKD_FORM_H
#define BULKHEAD_TRACKD_FORM_H

#include "base/arena.h"

#define FORM_FIELDS_MAX 64 /* further ones are not looked at */

enum form_what {
	FORM_EMPTY,   /* there is no body */
	FORM_UNREADABLE, /* neither a form nor the text of RFC 8058 */
	FORM_OTHER,   /* a form that asks for nothing known */
	FORM_ONE_CLICK, /* List-Unsubscribe=One-Click */
	FORM_PAGE,    /* List-Unsubscribe=page, of our own page */
	FORM_UNDO     /* undo=STAMP, of our own page */
};

struct form {
	enum form_what what;
	bool is_domain; /* FORM_PAGE: scope=domain, else scope=list or none */
	struct str stamp; /* FORM_UNDO */
};

/*
 * Reads it.  content_type: of the request, may be empty:
 * application/x-www-form-urlencoded, multipart/form-data (RFC 7578), or none,
 * which is taken for the former.  The bare text "List-Unsubscribe=One-Click"
 * is one-click whatever the type says, since RFC 8058 section 3.2 calls it
 * the body.  Names and values count in any case.  Any input is safe; texts
 * are in the arena or the body.
 */
void form_read(struct arena *a, struct str content_type, struct str body,
    struct form *out);

#endif
