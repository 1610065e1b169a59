/*
 * dkim_key.h - what signer and verifier ask of a key beyond dkim.h.
 */
#ifndef BULKHEAD_MAIL_DKIM_KEY_H
#define BULKHEAD_MAIL_DKIM_KEY_H

#include "mail/dkim.h"

#define DKIM_MAX_SIGNATURE 2048 /* octets: RSA of 16384 bits */

/*
 * Signs data, the header hash input: RSASSA-PKCS1-v1_5 over its SHA-256, or
 * Ed25519 over its SHA-256 as RFC 8463 section 3 wants it.  Returns the octets
 * written to out, or 0 when OpenSSL fails.  Any thread, at the same time.
 */
size_t dkim_key_sign(const struct dkim_key *k, struct str data,
    unsigned char out[DKIM_MAX_SIGNATURE]);

/*
 * True when sig is what dkim_key_sign() makes of data: asks the public half.
 * Any thread, at the same time.
 */
bool dkim_key_verify(const struct dkim_key *k, struct str data,
    struct str sig);

/* The engine that it was parsed for. */
const struct dkim_engine *dkim_key_engine(const struct dkim_key *k);

/* Its text, PKCS #8, for an engine that needs it; else NULL.  Borrowed. */
const char *dkim_key_pem(const struct dkim_key *k);

#endif
