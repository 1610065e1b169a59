/*
 * token_keys.h - what token.c and keyring.c need of the keys beyond token.h.
 */
#ifndef BULKHEAD_BULKHEAD_TOKEN_KEYS_H
#define BULKHEAD_BULKHEAD_TOKEN_KEYS_H

#include "base/siv.h"
#include "bulkhead/token.h"

/*
 * As token_keys_parse(), with the line that is wrong, 0 for the file as a
 * whole, and a static text.
 */
struct token_keys *token_keys_read(
    struct arena *a, struct str text, unsigned *line, const char **why);

/*
 * AES-256-SIV under one of these keys, without associated data, to be copied.
 * Lives as long as the keys.  Any thread.
 */
const struct siv *token_keys_siv(const struct token_keys *k,
    const struct token_key *key);

/* The key of an id, or NULL.  Any thread. */
const struct token_key *token_keys_find(
    const struct token_keys *k, uint32_t id);

#endif
