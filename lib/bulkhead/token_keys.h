/*
 * token_keys.h - what token.c needs of the keys beyond token.h.
 */
#ifndef BULKHEAD_BULKHEAD_TOKEN_KEYS_H
#define BULKHEAD_BULKHEAD_TOKEN_KEYS_H

#include <openssl/types.h>

#include "bulkhead/token.h"

/* AES-256-SIV; lives as long as the keys.  Any thread. */
const EVP_CIPHER *token_keys_cipher(const struct token_keys *k);

/* The key of an id, or NULL.  Any thread. */
const struct token_key *token_keys_find(
    const struct token_keys *k, uint32_t id);

#endif
