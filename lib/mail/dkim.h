/*
 * dkim.h - DKIM signatures (RFC 6376, RFC 8463), relaxed/relaxed, rsa-sha256
 * and ed25519-sha256.  Two engines write the same field, octet for octet: ours,
 * over cached keys and one body hash for all signatures, and libopendkim's.
 * Reentrant: keys are read only and may be shared by threads.
 */
#ifndef BULKHEAD_MAIL_DKIM_H
#define BULKHEAD_MAIL_DKIM_H

#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "mail/header.h"
#include "mail/splice.h"

#define DKIM_HASH_SIZE 32

enum dkim_algorithm { DKIM_RSA_SHA256, DKIM_ED25519_SHA256 };

struct dkim_key;     /* a private key; opaque */
struct dkim_covered; /* fields that are signed, and their text; opaque */

/*
 * A message as signers see it: one for all its signatures, made on one thread
 * and in one arena, between which nothing of it changes.
 */
struct dkim_message {
	/*
	 * Fields that are deleted do not exist, added ones stand at the
	 * bottom.
	 */
	const struct headers *headers;
	const struct splices *edits; /* sorted; NULL: the body as it came */
	struct str body;
	/* The engines' own: set has_body_hash only to give a known hash. */
	bool has_body_hash;
	unsigned char body_hash[DKIM_HASH_SIZE];
	const struct dkim_covered *covered; /* by the signature before */
	size_t ntaken_over; /* signatures that opendkim left to native */
};

/* What goes into one signature. */
struct dkim_request {
	const struct dkim_key *key;
	struct str domain;   /* d=, A-labels */
	struct str selector; /* s= */
	int64_t time;	     /* t=, seconds */
	/*
	 * h=: names in the order to sign, each name once.  All instances of a
	 * name are signed, from the bottom up; behind them stand the names in
	 * oversign (an added field breaks the signature).  From is always
	 * signed and oversigned, whatever the lists say.  A name that no h=
	 * can hold is passed over, and DKIM-Signature is.  Signatures with the
	 * same lists, in the same places, share the work on the header.
	 */
	const struct str *sign;
	size_t nsign;
	const struct str *oversign;
	size_t noversign;
};

/* An implementation of signing; constant. */
struct dkim_engine {
	const char *name;
	bool needs_pem; /* a key keeps its text for it */
	/* dkim_sign_message(), for keys that were parsed for the engine. */
	struct str (*sign)(struct arena *a, struct dkim_message *m,
	    const struct dkim_request *r);
};

extern const struct dkim_engine dkim_native;

/*
 * Over libopendkim, which parses the key and hashes the body for each
 * signature, loses some 450 octets with each of Ed25519, and copies keys to
 * memory that is wiped behind it.  What it would hash otherwise than receivers
 * do (a bare CR in the body; NUL, CR, VT or FF in a signed field; a field of
 * 60,000 octets) or refuses (no field at all) native signs.
 */
extern const struct dkim_engine dkim_opendkim;

/* The one that configure --with-dkim chose. */
const struct dkim_engine *dkim_engine_default(void);

/*
 * The value of a DKIM-Signature field over the message: without leading
 * blank, folded with LF and TAB, no line over 78 where it can be.  In the
 * arena; an empty slice when OpenSSL fails.
 */
struct str dkim_sign_message(struct arena *a, struct dkim_message *m,
    const struct dkim_request *r);

/*
 * Parses an unencrypted PEM private key (RSA or Ed25519) to sign with the
 * default engine, or with that one.  Returns a key with one reference, or NULL
 * with *why a static text: not PEM, another type, damaged.
 */
struct dkim_key *dkim_key_parse(struct str pem, const char **why);
struct dkim_key *dkim_key_parse_for(const struct dkim_engine *e,
    struct str pem, const char **why);
struct dkim_key *dkim_key_ref(struct dkim_key *k);
void dkim_key_free(struct dkim_key **k);

/* What it signs with, and its length; immutable, any thread. */
enum dkim_algorithm dkim_key_algorithm(const struct dkim_key *k);
unsigned dkim_key_bits(const struct dkim_key *k); /* 2048, ...; 256: Ed25519 */

/*
 * The public half as DNS wants it: "v=DKIM1; k=rsa; p=...".  In the arena.
 */
struct str dkim_key_record(const struct dkim_key *k, struct arena *a);

/*
 * Makes a new private key and returns its PEM text (PKCS #8) in the arena,
 * wiped when the arena is freed; bits counts for RSA only.
 */
struct str dkim_key_create(
    struct arena *a, enum dkim_algorithm alg, unsigned bits);

/*
 * The relaxed body hash of the edited body (RFC 6376 section 3.4.4); edits
 * NULL: as it came.  A line ends in CRLF; bare CR and LF are data.
 */
void dkim_body_hash(const struct splices *edits, struct str body,
    unsigned char out[DKIM_HASH_SIZE]);

/*
 * The header hash input (relaxed, RFC 6376 section 3.7) for a given h= list
 * and DKIM-Signature value with an empty b=: for tests and the referee.
 */
struct str dkim_header_data(struct arena *a, const struct headers *h,
    const struct str *names, size_t nnames, struct str signature);

#endif
