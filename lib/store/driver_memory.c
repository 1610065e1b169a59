/*
 * driver_memory.c - the driver's life.  Rates need nothing here: store/rate.c
 * keeps them, and nothing outlives the handle.
 */
#include "store/driver_memory.h"

#include <stdlib.h>

static struct driver *
open_memory(const struct driver_spec *spec, struct buf *errors)
{
	struct memory_driver *d;

	if (spec->where.n > 0) {
		buf_printf(errors, "store \"memory:%.*s\": write \"memory:\"\n",
		    STR_ARG(spec->where));
		return NULL;
	}
	d = mem_alloc(sizeof(*d));
	*d = (struct memory_driver){ .base = { .ops = &driver_memory },
		.arena = arena_new() };
	return &d->base;
}

static void
close_memory(struct driver *driver)
{
	struct memory_driver *d = (struct memory_driver *)driver;

	arena_free(&d->arena);
	free(d);
}

static enum store_answer
load(struct driver *d, struct driver_call *call,
    void (*each)(void *arg, const struct driver_rate *r), void *arg)
{
	(void)d;
	(void)call;
	(void)each;
	(void)arg;
	return STORE_YES;
}

static enum store_answer
save(struct driver *d, struct driver_call *call, const struct driver_rate *v,
    size_t n)
{
	(void)d;
	(void)call;
	(void)v;
	(void)n;
	return STORE_YES;
}

static const struct driver_rate_ops rate_ops = {
	.load = load,
	.save = save,
};

const struct driver_ops driver_memory = {
	.name = "memory",
	.kinds = STORE_SUPPRESS | STORE_META | STORE_RATES,
	.is_durable = false,
	.is_shared = false,
	.open = open_memory,
	.close = close_memory,
	.suppress = &memory_suppress_ops,
	.meta = &memory_meta_ops,
	.rates = &rate_ops,
};
