/*
 * siv.h - AES-SIV (RFC 5297): deterministic authenticated encryption of short
 * texts, many of them under one key and the same associated data.
 */
#ifndef BULKHEAD_BASE_SIV_H
#define BULKHEAD_BASE_SIV_H

#include <stdbool.h>
#include <stddef.h>

#define SIV_SIZE     16	  /* the synthetic IV, which is also the tag */
#define SIV_MAX_TEXT 2048 /* octets of a text or of a piece of data */

/* A key, ready to use, and the associated data so far. */
struct siv;

/*
 * n: 32 or 64 octets, for AES-128 or AES-256.  NULL when OpenSSL offers no
 * such AES.  The key is not kept beyond what AES makes of it.
 */
struct siv *siv_new(const unsigned char *key, size_t n);

/*
 * A copy, of which siv_free() wipes the key.  It only reads s: any number of
 * threads may copy one that nobody changes any more.  All the calls below
 * change s: one thread at a time.
 */
struct siv *siv_copy(const struct siv *s);
void siv_free(struct siv **s);

/* Forgets the associated data. */
void siv_restart(struct siv *s);

/*
 * One more piece of associated data, which holds for all texts until
 * siv_restart().  n: at most SIV_MAX_TEXT; more stops the process.
 */
void siv_associate(struct siv *s, const void *data, size_t n);

/*
 * Encrypts n octets (at most SIV_MAX_TEXT; more stops the process) to as many
 * at out, which may be in.
 */
void siv_encrypt(struct siv *s, const void *in, size_t n,
    unsigned char tag[SIV_SIZE], void *out);

/*
 * Undoes siv_encrypt(): true, or false with out wiped when text, tag or
 * associated data are not what was encrypted, or n is over SIV_MAX_TEXT (out
 * untouched).  The comparison takes the same time for all tags.
 */
bool siv_decrypt(struct siv *s, const void *in, size_t n,
    const unsigned char tag[SIV_SIZE], void *out);

#endif
