/*
 * hash.c - SHA-256 and HMAC over OpenSSL.
 */
#include "base/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "base/arena.h"

#define HMAC_BLOCK 64

/*
 * OpenSSL's HMAC() finds its algorithms by name and keys them for each MAC:
 * 1.7 us (measured) against 0.4.
 */
struct hash_mac {
	EVP_MD_CTX *inner, *outer; /* SHA-256 behind the padded key */
};

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

static EVP_MD_CTX *
context_behind(const EVP_MD *md, const unsigned char *key, unsigned char pad)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char block[HMAC_BLOCK];

	for (int i = 0; i < HMAC_BLOCK; i++)
		block[i] = key[i] ^ pad;
	if (ctx == NULL || EVP_DigestInit_ex2(ctx, md, NULL) != 1 ||
	    EVP_DigestUpdate(ctx, block, sizeof(block)) != 1)
		abort(); /* only out of memory or a broken provider */
	OPENSSL_cleanse(block, sizeof(block));
	return ctx;
}

struct hash_mac *
hash_mac_new(struct str key)
{
	struct hash_mac *m = mem_alloc(sizeof(*m));
	EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);
	unsigned char block[HMAC_BLOCK] = { 0 };

	if (key.n > HMAC_BLOCK)
		hash_sha256(key, block);
	else if (key.n > 0)
		memcpy(block, key.p, key.n);
	m->inner = context_behind(md, block, 0x36);
	m->outer = context_behind(md, block, 0x5c);
	OPENSSL_cleanse(block, sizeof(block));
	EVP_MD_free(md); /* the contexts have their own references */
	return m;
}

void
hash_mac_free(struct hash_mac **m)
{
	struct hash_mac *old = *m;

	*m = NULL;
	if (old == NULL)
		return;
	EVP_MD_CTX_free(old->inner); /* wipes what it knows of the key */
	EVP_MD_CTX_free(old->outer);
	free(old);
}

/* in behind what the context of start has seen. */
static void
hash_on(EVP_MD_CTX *ctx, const EVP_MD_CTX *start, const void *in, size_t n,
    unsigned char *out)
{
	if (EVP_MD_CTX_copy_ex(ctx, start) != 1 ||
	    EVP_DigestUpdate(ctx, in, n) != 1 ||
	    EVP_DigestFinal_ex(ctx, out, NULL) != 1)
		abort();
}

void
hash_mac(const struct hash_mac *m, struct str in,
    unsigned char out[SHA256_SIZE])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx == NULL)
		abort(); /* out of memory */
	hash_on(ctx, m->inner, in.p, in.n, out);
	hash_on(ctx, m->outer, out, SHA256_SIZE, out);
	EVP_MD_CTX_free(ctx);
}

bool
hash_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
