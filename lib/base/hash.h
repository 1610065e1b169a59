/*
 * hash.h - SHA-256 in one call, HMAC-SHA-256 under a key that stays,
 * comparison in constant time.
 */
#ifndef BULKHEAD_BASE_HASH_H
#define BULKHEAD_BASE_HASH_H

#include <stdint.h>

#include "base/str.h"

#define SHA256_SIZE 32

/* SHA-256 of in (FIPS 180-4). */
void hash_sha256(struct str in, unsigned char out[SHA256_SIZE]);

/*
 * The first 32 bits of SHA-256, big endian: the id of streams and keys in
 * tokens and return paths, a function of the name alone.
 */
uint32_t hash_id32(struct str name);

/*
 * HMAC-SHA-256 (RFC 2104) under one key, of which only what SHA-256 makes of
 * it is kept.  Never changes: any thread may use one, many at a time.
 */
struct hash_mac;
struct hash_mac *hash_mac_new(struct str key);

/* Wipes it; *m becomes NULL, a NULL *m is fine. */
void hash_mac_free(struct hash_mac **m);

/* The MAC of in. */
void hash_mac(const struct hash_mac *m, struct str in,
    unsigned char out[SHA256_SIZE]);

/* True when both n byte blocks are equal; time depends on n alone. */
bool hash_equal(const void *a, const void *b, size_t n);

#endif
