/*
 * returnpath.h - addresses of ours that come back: return paths, complaint
 * addresses and mailto unsubscribes.  VERP with a truncated HMAC, at most 64
 * octets of local part, safe against case folding.
 *
 * local part = kind letter, base32(key id hint 1, day 2, scope id 4, MAC 8),
 * and, where it fits, "-" user "=" domain, escaped as "+XX".
 */
#ifndef BULKHEAD_MAIL_RETURNPATH_H
#define BULKHEAD_MAIL_RETURNPATH_H

#include <stdint.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/str.h"

#define RETURNPATH_MAX_LOCAL 64

enum returnpath_kind {
	RETURNPATH_BOUNCE = 'b',     /* envelope sender */
	RETURNPATH_COMPLAINT = 'c',  /* CFBL-Address */
	RETURNPATH_UNSUBSCRIBE = 'u' /* mailto: in List-Unsubscribe */
};

struct returnpath_key {
	uint32_t id; /* hash_id32() of its name */
	const struct hash_mac *mac; /* under its secret; borrowed */
};

struct returnpath {
	enum returnpath_kind kind;
	uint32_t scope;	 /* returnpath_scope() of domain section and stream */
	uint16_t day;	 /* days since 1970 UTC */
	struct str user; /* recipient, lower case; empty when left out */
	struct str host; /* its domain, lower case; empty when left out */
};

/* The 32-bit id of a domain section (its lower-cased title) and a stream. */
uint32_t returnpath_scope(struct str domain, uint32_t stream);

/*
 * The local part for r, in the arena, lower case.  The MAC covers all of it
 * and the domain (lower-cased) at which it will be received.  Recipient parts
 * that do not fit, or that are not ASCII, are left out as a whole.
 */
struct str returnpath_make(struct arena *a, const struct returnpath_key *key,
    const struct returnpath *r, struct str at_domain);

/*
 * Reads a local part in any case and checks its MAC in constant time against
 * every key with that hint.  0 with *out in the arena, or -1: not of this
 * form (a kind letter, 24 of base32, then '-' or nothing more), or of this
 * form and not ours (*is_forged).
 */
int returnpath_read(struct arena *a, const struct returnpath_key *keys,
    size_t nkeys, struct str local, struct str at_domain,
    struct returnpath *out, bool *is_forged);

#endif
