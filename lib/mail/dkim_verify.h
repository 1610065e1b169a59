/*
 * dkim_verify.h - are signatures that we made still good?  Reads DKIM-Signature
 * fields and verifies them with keys at hand: no DNS, and only what our signer
 * writes (relaxed/relaxed, the whole body) can be valid.
 */
#ifndef BULKHEAD_MAIL_DKIM_VERIFY_H
#define BULKHEAD_MAIL_DKIM_VERIFY_H

#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "mail/dkim.h"
#include "mail/header.h"

/* Clocks differ: how far in the future t= may lie, in seconds. */
#define DKIM_VERIFY_SKEW 3600

/* A DKIM-Signature value (RFC 6376 section 3.5), tags without their blanks. */
struct dkim_signature {
	struct str value; /* as given, borrowed */
	struct str domain, selector; /* d=, s=: as spelled, never empty */
	struct str version, algorithm, canon; /* v=, a=, c= */
	struct str names, body_hash, signature; /* h=, bh=, b=: undecoded */
	struct str identity, time, expires; /* i=, t=, x=: p NULL: absent */
	bool has_length; /* l= */
	struct str before, after; /* value around the content of b= */
};

/*
 * Reads the tag list: names that RFC 6376 does not know are passed over, a
 * name twice is refused, and so are more than 32 tags.  0, or -1: no such
 * list, or one that lacks a tag that all must have.  Everything borrows from
 * value.  Linear in its length, allocates nothing.
 */
int dkim_signature_read(struct str value, struct dkim_signature *out);

/*
 * Verifies it with this key over the header list as it stands (deleted fields
 * do not exist; the field itself may be in the list or not) and a relaxed body
 * hash of the whole body.  now is in seconds; a signature made more than
 * max_age seconds ago is not valid, 0: any age, and t= may be missing.
 *
 * NULL when it is valid, else why not, a static text.  Work is bounded: a
 * signature over absurdly many fields is not valid.  Any thread.
 */
const char *dkim_signature_verify(struct arena *a, const struct headers *h,
    const struct dkim_signature *s, const struct dkim_key *key,
    const unsigned char body_hash[DKIM_HASH_SIZE], int64_t now,
    int64_t max_age);

#endif
