/*
 * token.h - the stateless tokens in URLs: version, key id, AES-256-SIV of what
 * trackd must know, base64url.  Kind, version, key id and host are associated
 * data: a click token is worthless as an unsubscribe token or elsewhere.
 */
#ifndef BULKHEAD_BULKHEAD_TOKEN_H
#define BULKHEAD_BULKHEAD_TOKEN_H

#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

#define TOKEN_KEY_SIZE 64
#define TOKEN_MAX_SIZE 2000 /* octets of token text; longer URLs stay */

enum token_kind {
	TOKEN_CLICK = 'c',
	TOKEN_OPEN = 'o',
	TOKEN_UNSUBSCRIBE = 'u',
	/* stands in no URL: the stamp of an unsubscription, to undo it */
	TOKEN_UNDO = 'r'
};

struct token {
	enum token_kind kind;
	struct str domain;    /* domain section */
	uint32_t stream;      /* stream id */
	struct str campaign;  /* may be empty */
	struct str list;      /* list key: List-Id; may be empty */
	struct str recipient; /* normal form; empty: a shared token */
	uint32_t hours;	      /* since 1970 UTC */
	/* TOKEN_CLICK; TOKEN_UNDO: when it was made, decimal, since 1970 */
	struct str url;
};

struct token_key {
	struct str name;
	uint32_t id; /* hash_id32(name) */
	unsigned char key[TOKEN_KEY_SIZE];
};

/* All keys; the first one encrypts.  Immutable, shared by threads. */
struct token_keys;

/*
 * Reads "NAME BASE64(64 bytes)" lines (blank lines and # comments allowed).
 * Returns keys with one reference, or NULL with *why in the arena ("line 3:
 * ..."): no key, two of one name or id, a bad name, base64 or length.
 */
struct token_keys *token_keys_parse(
    struct arena *a, struct str text, struct str *why);
struct token_keys *token_keys_ref(struct token_keys *k);
void token_keys_free(struct token_keys **k);
size_t token_keys_count(const struct token_keys *k);
const struct token_key *token_keys_at(const struct token_keys *k, size_t i);

/*
 * A copy of the first key, ready to use: one per message or request, for one
 * thread at a time, while others make theirs.  It may outlive the keys.  host:
 * the tracking host the URLs carry.
 */
struct token_sealer;
struct token_sealer *token_sealer_new(const struct token_keys *k,
    struct str host);
void token_sealer_free(struct token_sealer **s);

/*
 * The token text for t, in the arena: deterministic.  0, or -1 when it would
 * pass TOKEN_MAX_SIZE.
 */
int token_seal(struct token_sealer *s, struct arena *a, const struct token *t,
    struct str *out);

/*
 * Opens a token of a kind at a host.  0 with *t in the arena, or -1: not
 * ours, another kind or host, or changed.  Any input is safe.
 */
int token_open(struct arena *a, const struct token_keys *k,
    enum token_kind kind, struct str host, struct str text, struct token *t);

/* The name of the key that a token text names; empty when unknown. */
struct str token_key_name(const struct token_keys *k, struct str text);

#endif
