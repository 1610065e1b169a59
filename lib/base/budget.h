/*
 * budget.h - how much memory many holders may have together.
 * It counts; it allocates nothing and blocks nobody.
 */
#ifndef BULKHEAD_BASE_BUDGET_H
#define BULKHEAD_BASE_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct budget {
	_Atomic size_t used, limit;
};

/*
 * Any thread may call these at any time; b may be NULL: without a budget there
 * is no limit.  What was taken, however it was taken, is given back once.
 */

/* An empty budget of limit octets.  Before the others. */
void budget_init(struct budget *b, size_t limit);

/* A new limit; what is held stays held, were it more. */
void budget_set_limit(struct budget *b, size_t limit);

/* Takes n octets: true; or takes nothing, where the limit would be passed. */
bool budget_take(struct budget *b, size_t n);

/* Takes n octets that are needed whatever the limit says. */
void budget_force(struct budget *b, size_t n);

/* Gives back n octets of what was taken. */
void budget_give(struct budget *b, size_t n);

/* 0 and SIZE_MAX without a budget. */
size_t budget_used(const struct budget *b);
size_t budget_limit(const struct budget *b);

#endif
