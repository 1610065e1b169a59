/*
 * hash.c - SHA-256 and HMAC over OpenSSL.
 */
#include "base/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdlib.h>

void
hash_sha256(struct str in, unsigned char out[SHA256_SIZE])
{
	SHA256((const unsigned char *)in.p, in.n, out);
}

uint32_t
hash_id32(struct str name)
{
	unsigned char h[SHA256_SIZE];

	hash_sha256(name, h);
	return (uint32_t)h[0] << 24 | (uint32_t)h[1] << 16 |
	    (uint32_t)h[2] << 8 | h[3];
}

void
hash_hmac_sha256(struct str key, struct str in, unsigned char out[SHA256_SIZE])
{
	unsigned int n = SHA256_SIZE;

	if (HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)in.p,
	    in.n, out, &n) == NULL)
		abort(); /* only out of memory or a broken provider */
}

bool
hash_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
