/*
 * check.h - one thing that may speak against a message.  check_*.c hold one
 * each; checks.c their order.
 */
#ifndef BULKHEAD_POLICYD_CHECK_H
#define BULKHEAD_POLICYD_CHECK_H

#include "policyd/batch.h"

/*
 * For each check in turn: ask() of every question that is not decided yet,
 * look_up() once, judge() of the same questions.  Any may be NULL.
 */
struct check {
	const char *name;
	/* Adds what the store has to tell for this question. */
	void (*ask)(struct batch *b, struct question *q);
	/* Has it told, for all at once. */
	void (*look_up)(struct batch *b);
	/* Decides the question, or leaves it to the next check. */
	void (*judge)(struct batch *b, struct question *q);
	/* No check had anything against a question that was judged. */
	void (*accepted)(struct batch *b, struct question *q);
};

extern const struct check check_domain, check_pause, check_suppress,
    check_rate;

/* In their order, NULL behind the last. */
extern const struct check *const checks[];

#endif
