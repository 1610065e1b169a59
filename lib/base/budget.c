/*
 * budget.c - one counter under a limit.  Relaxed atomics: nothing else is
 * ordered by it.
 */
#include "base/budget.h"

#include <stdint.h>

void
budget_init(struct budget *b, size_t limit)
{
	atomic_init(&b->used, 0);
	atomic_init(&b->limit, limit);
}

void
budget_set_limit(struct budget *b, size_t limit)
{
	/* a store for each message would make the processors share the line */
	if (b != NULL && budget_limit(b) != limit)
		atomic_store_explicit(&b->limit, limit, memory_order_relaxed);
}

bool
budget_take(struct budget *b, size_t n)
{
	size_t used = budget_used(b);

	if (b == NULL)
		return true;
	do {
		size_t limit = budget_limit(b);

		if (used > limit || n > limit - used)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&b->used, &used,
	    used + n, memory_order_relaxed, memory_order_relaxed));
	return true;
}

void
budget_force(struct budget *b, size_t n)
{
	if (b != NULL)
		atomic_fetch_add_explicit(&b->used, n, memory_order_relaxed);
}

void
budget_give(struct budget *b, size_t n)
{
	if (b != NULL)
		atomic_fetch_sub_explicit(&b->used, n, memory_order_relaxed);
}

size_t
budget_used(const struct budget *b)
{
	return b == NULL ? 0 :
	    atomic_load_explicit(&b->used, memory_order_relaxed);
}

size_t
budget_limit(const struct budget *b)
{
	return b == NULL ? SIZE_MAX :
	    atomic_load_explicit(&b->limit, memory_order_relaxed);
}
