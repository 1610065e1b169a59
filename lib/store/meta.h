/*
 * meta.h - small keyed state with expiry: what is paused, cursors, the
 * original senders of the application's bounces.
 */
#ifndef BULKHEAD_STORE_META_H
#define BULKHEAD_STORE_META_H

#include "base/arena.h"
#include "store/store.h"

#define META_KEY_MAX   512
#define META_VALUE_MAX 65536

struct meta_item {
	struct str key;
	struct str value;
	int64_t expires; /* seconds since 1970; 0: never */
};

/* STORE_YES with the item in the arena, STORE_NO: none that is live. */
enum store_answer store_meta_get(struct store *s, struct arena *a,
    struct str key, struct meta_item *out, int64_t deadline);

/*
 * All or nothing, durable when STORE_YES.  An empty value removes the key.
 * STORE_NO: a key or value too long, or an empty key; nothing is changed.
 */
enum store_answer store_meta_put(struct store *s, const struct meta_item *v,
    size_t n, int64_t deadline);

/* The live items whose key begins so, in order of their keys. */
enum store_answer store_meta_walk(struct store *s, struct str prefix,
    bool (*each)(void *arg, const struct meta_item *item), void *arg,
    int64_t deadline);

/*
 * A number that changes whenever an item may have been changed by anybody, so
 * that what was read need not be read again: cheap enough for every batch.
 * STORE_UNKNOWN: read again.  An item that expires changes nothing.
 */
enum store_answer store_meta_version(struct store *s, uint64_t *version,
    int64_t deadline);

#endif
