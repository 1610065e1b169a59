/*
 * driver_memory_meta.c - small keyed state in a sorted array.
 */
#include "store/driver_memory.h"

static size_t
lower_bound(const struct memory_driver *d, struct str key)
{
	size_t from = 0, to = d->nitems;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (str_cmp(d->items[middle].key, key) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static bool
is_live(const struct meta_item *item, int64_t now)
{
	return item->value.n > 0 && (item->expires == 0 || item->expires > now);
}

static struct meta_item
copy(struct arena *a, const struct meta_item *item)
{
	return (struct meta_item){ arena_copy(a, item->key),
		arena_copy(a, item->value), item->expires };
}

static enum store_answer
get(struct driver *driver, struct driver_call *call, struct arena *a,
    struct str key, struct meta_item *out)
{
	const struct memory_driver *d = (const struct memory_driver *)driver;
	size_t at = lower_bound(d, key);

	if (at == d->nitems || !str_eq(d->items[at].key, key) ||
	    !is_live(&d->items[at], call->now))
		return STORE_NO;
	*out = copy(a, &d->items[at]);
	return STORE_YES;
}

static void
put_item(struct memory_driver *d, const struct meta_item *item)
{
	size_t at = lower_bound(d, item->key);

	if (at == d->nitems || !str_eq(d->items[at].key, item->key)) {
		d->items = arena_grow(d->arena, d->items, d->nitems,
		    &d->items_cap, sizeof(*d->items));
		memmove(&d->items[at + 1], &d->items[at],
		    (d->nitems - at) * sizeof(*d->items));
		d->nitems++;
	}
	d->items[at] = copy(d->arena, item);
}

static enum store_answer
put(struct driver *driver, struct driver_call *call, const struct meta_item *v,
    size_t n)
{
	struct memory_driver *d = (struct memory_driver *)driver;

	(void)call;
	for (size_t i = 0; i < n; i++)
		put_item(d, &v[i]);
	d->meta_version++;
	return STORE_YES;
}

static enum store_answer
scan(struct driver *driver, struct driver_call *call, struct arena *a,
    struct str prefix, struct str after, struct driver_items *out)
{
	const struct memory_driver *d = (const struct memory_driver *)driver;
	size_t cap = 0;

	(void)after; /* one piece gives them all */
	*out = (struct driver_items){ .is_end = true };
	for (size_t i = lower_bound(d, prefix); i < d->nitems &&
	    str_starts(d->items[i].key, prefix); i++) {
		if (!is_live(&d->items[i], call->now))
			continue;
		out->v = arena_grow(a, out->v, out->n, &cap, sizeof(*out->v));
		out->v[out->n++] = copy(a, &d->items[i]);
	}
	return STORE_YES;
}

static enum store_answer
version(struct driver *driver, struct driver_call *call, uint64_t *out)
{
	const struct memory_driver *d = (const struct memory_driver *)driver;

	(void)call;
	*out = d->meta_version;
	return STORE_YES;
}

const struct driver_meta_ops memory_meta_ops = {
	.get = get,
	.put = put,
	.scan = scan,
	.version = version,
};
