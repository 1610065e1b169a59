/*
 * dkim_fields.h - which fields of a message one signature covers, for both
 * engines.  What their text becomes is in dkim_canon.h.
 */
#ifndef BULKHEAD_MAIL_DKIM_FIELDS_H
#define BULKHEAD_MAIL_DKIM_FIELDS_H

#include "mail/dkim.h"

/* In an arena. */
struct dkim_fields {
	/* h=: the name of each field to sign, then the oversigned names */
	struct str *names;
	size_t nnames;
	/* places in headers->v of the first norder names, as they are hashed */
	size_t *order;
	size_t norder;
};

/*
 * What a request signs of a message.  Bounded: of a name the lowest 64 fields,
 * of all names what verifiers over libopendkim read of a h=.
 */
struct dkim_fields dkim_fields_select(struct arena *a,
    const struct headers *h, const struct dkim_request *r);

/*
 * What a given h= list means (RFC 6376 section 5.4.2): the lowest field of a
 * name that no earlier entry took; an entry for which there is none is passed
 * over.  Returns places in h->v, *n of them.
 */
size_t *dkim_fields_find(struct arena *a, const struct headers *h,
    const struct str *names, size_t nnames, size_t *n);

#endif
