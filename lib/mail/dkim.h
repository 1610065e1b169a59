/*
 * dkim.h - DKIM signatures (RFC 6376, RFC 8463), relaxed/relaxed, rsa-sha256
 * and ed25519-sha256, over cached keys, one body hash for all signatures.
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

struct dkim_key; /* a private key; opaque */

/*
 * Parses an unencrypted PEM private key (RSA or Ed25519).  Returns a key with
 * one reference, or NULL with *why a static text: not PEM, another type.
 */
struct dkim_key *dkim_key_parse(struct str pem, const char **why);
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

/* What goes into one signature. */
struct dkim_request {
	const struct dkim_key *key;
	struct str domain;   /* d=, A-labels */
	struct str selector; /* s= */
	int64_t time;	     /* t=, seconds */
	const unsigned char *body_hash;
	/*
	 * h=: names in the order to sign, each name once.  All instances of a
	 * name are signed, from the bottom up; names in oversign are listed
	 * once more (an added one breaks the signature).  From is always
	 * signed and oversigned, whatever the lists say.
	 */
	const struct str *sign;
	size_t nsign;
	const struct str *oversign;
	size_t noversign;
};

/*
 * The value of the DKIM-Signature field over the edited header list (fields
 * that are deleted do not exist, added ones stand at the bottom): without
 * leading blank, folded with LF and TAB, no line over 78 where it can be.  In
 * the arena; an empty slice when OpenSSL fails.
 */
struct str dkim_sign(
    struct arena *a, const struct headers *h, const struct dkim_request *r);

/*
 * The header hash input (relaxed, RFC 6376 section 3.7) for a given h= list
 * and DKIM-Signature value with an empty b=: for tests and the referee.
 */
struct str dkim_header_data(struct arena *a, const struct headers *h,
    const struct str *names, size_t nnames, struct str signature);

#endif
