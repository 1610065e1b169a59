/*
 * meta.c - the calls of meta.h: checked, entered, handed to the driver.
 */
#include "store/meta.h"

#include "store/store_private.h"

enum store_answer
store_meta_get(struct store *s, struct arena *a, struct str key,
    struct meta_item *out, int64_t deadline)
{
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_META, STORE_READ, deadline,
	    &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	return store_leave(s, STORE_META, &call,
	    d->ops->meta->get(d, &call, a, key, out));
}

static bool
items_are_well(struct driver_call *call, const struct meta_item *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].key.n == 0 || v[i].key.n > META_KEY_MAX ||
		    v[i].value.n > META_VALUE_MAX || v[i].expires < 0) {
			driver_unknown(call, "item %zu of %zu: key of %zu "
			    "octets, value of %zu", i + 1, n, v[i].key.n,
			    v[i].value.n);
			return false;
		}
	return true;
}

enum store_answer
store_meta_put(struct store *s, const struct meta_item *v, size_t n,
    int64_t deadline)
{
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_META, STORE_CHANGE, deadline,
	    &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	if (!items_are_well(&call, v, n))
		return STORE_NO;
	return store_leave(s, STORE_META, &call,
	    d->ops->meta->put(d, &call, v, n));
}

static enum store_answer
scan_piece(struct store *s, struct arena *a, struct str prefix,
    struct str after, struct driver_items *out, int64_t deadline)
{
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_META, STORE_READ, deadline,
	    &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	return store_leave(s, STORE_META, &call,
	    d->ops->meta->scan(d, &call, a, prefix, after, out));
}

enum store_answer
store_meta_walk(struct store *s, struct str prefix,
    bool (*each)(void *arg, const struct meta_item *item), void *arg,
    int64_t deadline)
{
	struct arena *arenas[2] = { arena_new(), arena_new() };
	struct driver_items items = { .is_end = false };
	enum store_answer answer = STORE_YES;
	struct str after = STR("");
	size_t turn = 0;

	while (answer == STORE_YES && !items.is_end) {
		struct arena *a = arenas[turn++ % 2];

		arena_reset(a);
		answer = scan_piece(s, a, prefix, after, &items,
		    deadline);
		for (size_t i = 0; answer == STORE_YES && i < items.n; i++)
			if (!each(arg, &items.v[i]))
				items.is_end = true, i = items.n;
		if (answer == STORE_YES && !items.is_end)
			after = items.v[items.n - 1].key;
	}
	arena_free(&arenas[0]);
	arena_free(&arenas[1]);
	return answer;
}

enum store_answer
store_meta_version(struct store *s, uint64_t *version, int64_t deadline)
{
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_META, STORE_READ, deadline,
	    &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	return store_leave(s, STORE_META, &call,
	    d->ops->meta->version(d, &call, version));
}
