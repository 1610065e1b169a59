/*
 * unit.h - what every unit test includes: cmocka in its required order, and
 * helpers for tables of cases.  Inputs are copied to exact-size heap blocks so
 * that the address sanitizer sees one byte too far.
 */
#ifndef BULKHEAD_TESTS_UNIT_H
#define BULKHEAD_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"

/* s in a heap block of exactly s.n bytes that the arena frees. */
static inline struct str
exact(struct arena *a, struct str s)
{
	char *p = malloc(s.n ? s.n : 1);

	assert_non_null(p);
	if (s.n != 0)
		memcpy(p, s.p, s.n);
	arena_on_free(a, free, p);
	return str_make(p, s.n);
}

/* Fails the test, naming the case, when the slices differ. */
static inline void
expect_str(const char *name, struct str got, struct str want)
{
	if (!str_eq(got, want))
		fail_msg("%s: got \"%.*s\", want \"%.*s\"", name, STR_ARG(got),
		    STR_ARG(want));
}

#endif
