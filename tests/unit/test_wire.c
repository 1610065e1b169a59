/*
 * test_wire.c - what a hop stumbles over, in whatever pieces the text comes.
 */
#include "unit.h"

#include "mail/wire.h"

static const struct {
	const char *name;
	struct str text;
	struct wire want;
} cases[] = {
	{ "empty", { "", 0 }, { 0 } },
	{ "a line", { "abc\r\n", 5 }, { .longest = 3 } },
	{ "no line end", { "a\r\nabcd", 7 }, { .longest = 4 } },
	{ "8 bits", { "abcdefgh\x80\r\n", 11 },
	    { .is_8bit = true, .longest = 9 } },
	{ "8 bits in a word", { "a\xff" "bcdefgh", 9 },
	    { .is_8bit = true, .longest = 9 } },
	{ "LF alone", { "a\nbc\r\n", 6 },
	    { .has_lone_lf = true, .longest = 2 } },
	{ "LF first", { "\nab", 3 }, { .has_lone_lf = true, .longest = 2 } },
	{ "LF after a line", { "a\r\n\n", 4 },
	    { .has_lone_lf = true, .longest = 1 } },
	{ "CR alone", { "a\rbc\r\n", 6 }, { .nodd = 1, .longest = 4 } },
	{ "CR last", { "ab\r", 3 }, { .nodd = 1, .longest = 3 } },
	{ "CR CR LF", { "ab\r\r\n", 5 }, { .nodd = 1, .longest = 3 } },
	{ "only CRs", { "\r\r\r", 3 }, { .nodd = 3, .longest = 3 } },
	{ "NUL", { "a\0b\0\r\n", 6 }, { .nodd = 2, .longest = 4 } },
};

static bool
same(const struct wire *a, const struct wire *b)
{
	return a->is_8bit == b->is_8bit && a->has_lone_lf == b->has_lone_lf &&
	    a->longest == b->longest && a->nodd == b->nodd;
}

static void
test_texts(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str text = exact(a, cases[i].text);
		struct wire got = wire_of(text);

		if (!same(&got, &cases[i].want))
			fail_msg("%s: %zu %zu", cases[i].name, got.longest,
			    got.nodd);
		assert_int_equal(wire_is_8bit(text), cases[i].want.is_8bit);
	}
	arena_free(&a);
}

/* Wherever the text is cut in two, or in octets. */
static void
test_pieces(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str text = cases[i].text;
		struct wire octets = { 0 };

		for (size_t cut = 0; cut <= text.n; cut++) {
			struct wire got = { 0 };

			wire_look(&got, exact(a, str_sub(text, 0, cut)));
			wire_look(&got, exact(a, str_sub(text, cut, text.n)));
			wire_end(&got);
			if (!same(&got, &cases[i].want))
				fail_msg("%s, cut at %zu", cases[i].name, cut);
			wire_look(&octets, exact(a,
			    str_sub(text, cut, cut + 1)));
		}
		wire_end(&octets);
		assert_true(same(&octets, &cases[i].want));
	}
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
