/*
 * test_splice.c - lib/mail/splice: order, overlaps, pieces, and random edits
 * against the plain way of applying them.
 */
#include "unit.h"

#include <stdio.h>

#include "mail/splice.h"

struct edit {
	size_t at, del;
	const char *ins;
};

static const struct {
	const char *name, *text;
	struct edit edits[4];
	size_t n;
	const char *want; /* NULL: refused */
} cases[] = {
	{ "nothing", "abc", { { 0 } }, 0, "abc" },
	{ "empty text", "", { { 0, 0, "x" } }, 1, "x" },
	{ "insert at start", "abc", { { 0, 0, "x" } }, 1, "xabc" },
	{ "insert at end", "abc", { { 3, 0, "x" } }, 1, "abcx" },
	{ "delete all", "abc", { { 0, 3, "" } }, 1, "" },
	{ "replace", "abc", { { 1, 1, "xyz" } }, 1, "axyzc" },
	{ "unsorted", "abcdef", { { 4, 1, "E" }, { 1, 1, "B" } }, 2,
	    "aBcdEf" },
	{ "order of insertions", "ab", { { 1, 0, "1" }, { 1, 0, "2" },
	    { 0, 0, "0" }, { 1, 0, "3" } }, 4, "0a123b" },
	{ "insertion before deletion", "abc", { { 1, 1, "B" }, { 1, 0, "x" } },
	    2, "axBc" },
	{ "adjacent", "abcd", { { 2, 1, "C" }, { 1, 1, "B" } }, 2, "aBCd" },
	{ "insertion behind deletion", "abc", { { 2, 0, "x" }, { 1, 1, "" } },
	    2, "axc" },
	{ "overlap", "abcd", { { 1, 2, "" }, { 2, 1, "" } }, 2, NULL },
	{ "same range twice", "abcd", { { 1, 1, "x" }, { 1, 1, "y" } }, 2,
	    NULL },
	{ "insertion inside deletion", "abcd", { { 1, 3, "" }, { 2, 0, "x" } },
	    2, NULL },
	{ "beyond the end", "abc", { { 2, 2, "" } }, 1, NULL },
	{ "starts beyond", "abc", { { 4, 0, "x" } }, 1, NULL },
	{ "wraps", "abc", { { 1, SIZE_MAX, "x" } }, 1, NULL },
};

static void
test_edits_apply_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new();
		struct splices s = { 0 };
		struct str text = exact(a, str_from(cases[i].text));
		int rc;

		for (size_t k = 0; k < cases[i].n; k++)
			splices_add(&s, a, cases[i].edits[k].at,
			    cases[i].edits[k].del,
			    exact(a, str_from(cases[i].edits[k].ins)));
		rc = splices_sort(&s, text.n);
		if ((rc == 0) != (cases[i].want != NULL))
			fail_msg("%s: sort says %d", cases[i].name, rc);
		if (rc == 0) {
			struct str got = splices_apply(&s, a, text);

			expect_str(cases[i].name, got, str_from(cases[i].want));
			assert_int_equal(got.n, splices_length(&s, text.n));
		}
		arena_free(&a);
	}
}

static void
test_pieces_are_never_empty_and_say_what_is_new(void **state)
{
	struct arena *a = arena_new();
	struct splices s = { 0 };
	struct splice_cursor c = { 0 };
	struct str text = exact(a, STR("one two three")), piece;
	static const struct {
		const char *text;
		bool inserted;
	} want[] = { { "1", true }, { " two ", false }, { "3", true } };
	size_t n = 0;

	(void)state;
	splices_add(&s, a, 0, 3, STR("1"));
	splices_add(&s, a, 4, 0, STR(""));
	splices_add(&s, a, 8, 5, STR("3"));
	assert_int_equal(splices_sort(&s, text.n), 0);
	s.n = 1;
	assert_int_equal(splices_length(&s, text.n), 11);
	s.v[1] = s.v[2];
	s.n = 2;
	while (splices_next(&s, text, &c, &piece)) {
		assert_true(n < 3);
		expect_str("piece", piece, str_from(want[n].text));
		assert_int_equal(c.inserted, want[n].inserted);
		n++;
	}
	assert_int_equal(n, 3);
	assert_false(splices_next(&s, text, &c, &piece));
	arena_free(&a);
}

static unsigned
next_random(unsigned *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed >> 8;
}

/* Edits at growing offsets, added in a shuffled order. */
static void
test_random_edits_match_the_plain_way(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct arena *a = arena_new();
		struct splice v[12];
		struct splices s = { 0 };
		char text[64], want[256];
		size_t n = next_random(&seed) % 64, at = 0, k = 0, out = 0;

		for (size_t i = 0; i < n; i++)
			text[i] = (char)('a' + next_random(&seed) % 26);
		while (k < 12) {
			size_t skip = 1 + next_random(&seed) % 9;
			size_t del = next_random(&seed) % 4;

			if (skip + del > n - at)
				break;
			memcpy(want + out, text + at, skip);
			out += skip;
			v[k] = (struct splice){ at + skip, del,
				arena_printf(a, "<%zu>", k) };
			memcpy(want + out, v[k].ins.p, v[k].ins.n);
			out += v[k].ins.n;
			at += skip + del;
			k++;
		}
		memcpy(want + out, text + at, n - at);
		out += n - at;
		for (size_t i = 0; i < k; i++) {
			size_t j = i + next_random(&seed) % (k - i);
			struct splice e = v[j];

			v[j] = v[i];
			splices_add(&s, a, e.at, e.del, exact(a, e.ins));
		}
		assert_int_equal(splices_sort(&s, n), 0);
		expect_str("random",
		    splices_apply(&s, a, exact(a, str_make(text, n))),
		    str_make(want, out));
		arena_free(&a);
	}
}

static void
test_many_insertions_keep_their_order(void **state)
{
	struct arena *a = arena_new();
	struct splices s = { 0 };
	struct str got;

	(void)state;
	for (int i = 0; i < 3000; i++)
		splices_add(&s, a, (size_t)(2 - i % 3), 0,
		    arena_printf(a, "%04d,", i));
	assert_int_equal(splices_sort(&s, 2), 0);
	got = splices_apply(&s, a, STR("ab"));
	assert_int_equal(got.n, 15002);
	for (size_t i = 0; i < 1000; i++) {
		char want[8];

		snprintf(want, sizeof(want), "%04zu,", 3 * i + 2);
		assert_memory_equal(got.p + 5 * i, want, 5);
	}
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edits_apply_in_order),
		cmocka_unit_test(
		    test_pieces_are_never_empty_and_say_what_is_new),
		cmocka_unit_test(test_random_edits_match_the_plain_way),
		cmocka_unit_test(test_many_insertions_keep_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
