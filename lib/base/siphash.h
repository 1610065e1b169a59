/*
 * siphash.h - SipHash-2-4 with 128 bits (Aumasson and Bernstein, 2012): a
 * keyed hash of short texts, some 20 times cheaper than an HMAC, for tables
 * in memory.  Not for what is stored or sent.
 */
#ifndef BULKHEAD_BASE_SIPHASH_H
#define BULKHEAD_BASE_SIPHASH_H

#include "base/str.h"

#define SIPHASH_KEY  16
#define SIPHASH_SIZE 16

/*
 * Who does not know the key can neither tell what in was, nor find two texts
 * with one hash.
 */
void siphash(const unsigned char key[SIPHASH_KEY], struct str in,
    unsigned char out[SIPHASH_SIZE]);

#endif
