/*
 * dkim_key.h - what the signer asks of a key beyond dkim.h.
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

#endif
