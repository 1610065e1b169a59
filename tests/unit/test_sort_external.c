/*
 * test_sort_external.c - the sort against qsort, in memory and by files.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/sort_external.h"
#include "base/sort_run.h"

#define MEMORY (1024 * 1024)

static uint64_t
random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static int
by_bytes(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Ways to make records; each has its own bad cases for a quicksort. */
static struct str
make_record(struct arena *a, const char *kind, uint64_t i, uint64_t *state)
{
	static const char zeros[40];
	uint64_t r = random_next(state);
	char *p;

	switch (kind[0]) {
	case 'a': /* addresses with a long common beginning */
		return arena_printf(a, "subscriber%08llu@mail%u.example.com",
		    (unsigned long long)(r % 10000000), (unsigned)(r >> 60));
	case 's': /* sorted already */
		return arena_printf(a, "%08llu", (unsigned long long)i);
	case 'r': /* the other way round */
		return arena_printf(a, "%08llu",
		    (unsigned long long)(90000000 - i));
	case 'e': /* few different ones */
		return arena_printf(a, "%c@example.com", (int)('a' + r % 3));
	case 'z': /* NULs: prefixes of one another */
		return arena_copy(a, str_make(zeros, r % sizeof(zeros)));
	default: /* any bytes, any length */
		p = arena_bytes(a, r % 300 + 1);
		for (size_t j = 0; j < r % 300; j++)
			p[j] = (char)(random_next(state) % 4 * 85);
		return str_make(p, r % 300);
	}
}

static void
expect_sorted(const char *kind, size_t n)
{
	struct arena *a = arena_new();
	struct str *v = arena_array(a, n + 1, sizeof(*v)), got;
	struct sorter *s = sorter_new("/tmp", MEMORY);
	uint64_t state = 88172645463325252u;

	for (size_t i = 0; i < n; i++) {
		struct arena *b = arena_new();

		v[i] = exact(a, make_record(b, kind, i, &state));
		arena_free(&b);
		assert_int_equal(sorter_add(s, v[i]), 0);
	}
	assert_int_equal(sorter_count(s), n);
	assert_int_equal(sorter_finish(s), 0);
	qsort(v, n, sizeof(*v), by_bytes);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(sorter_next(s, &got), 1);
		if (!str_eq(got, v[i]))
			fail_msg("%s of %zu: record %zu differs", kind, n, i);
	}
	assert_int_equal(sorter_next(s, &got), 0);
	assert_int_equal(sorter_next(s, &got), 0);
	sorter_free(&s);
	assert_null(s);
	arena_free(&a);
}

static void
test_order(void **state)
{
	static const char *const kinds[] = { "addresses", "sorted", "reverse",
		"equal", "zeros", "bytes" };
	static const size_t sizes[] = { 0, 1, 2, 16, 17, 1000, 60000 };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++)
			expect_sorted(kinds[i], sizes[j]);
}

/* Long records, so that there are more runs than reads ahead. */
static void
test_long(void **state)
{
	struct sorter *s = sorter_new("/tmp", 0);
	char *p = mem_alloc(SORT_RECORD_MAX + 1);
	struct str got;
	unsigned last = 0;

	(void)state;
	memset(p, 'x', SORT_RECORD_MAX + 1);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(p, 8, "%06u", 999 - i);
		assert_int_equal(
		    sorter_add(s, str_make(p, SORT_RECORD_MAX)), 0);
	}
	errno = 0;
	assert_int_equal(sorter_add(s, str_make(p, SORT_RECORD_MAX + 1)), -1);
	assert_int_equal(errno, E2BIG);
	assert_int_equal(sorter_finish(s), 0);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(sorter_next(s, &got), 1);
		assert_int_equal(got.n, SORT_RECORD_MAX);
		assert_true((unsigned)strtoul(got.p, NULL, 10) > last);
		last = (unsigned)strtoul(got.p, NULL, 10);
	}
	assert_int_equal(sorter_next(s, &got), 0);
	free(p);
	sorter_free(&s);
}

static void
test_nowhere(void **state)
{
	struct sorter *s = sorter_new("/nonexistent/directory", 0);
	char record[1000];
	int rc = 0;

	(void)state;
	memset(record, 'a', sizeof(record));
	for (int i = 0; i < 2000 && rc == 0; i++)
		rc = sorter_add(s, str_make(record, sizeof(record)));
	assert_int_equal(rc, -1);
	assert_int_equal(errno, ENOENT);
	sorter_free(&s);
	sorter_free(&s);
}

/* Nothing of that name is ever to be seen. */
static void
test_unnamed(void **state)
{
	char dir[] = "/tmp/test-sort-XXXXXX";
	char record[1000] = { 0 };
	struct sorter *s;
	struct str got;

	(void)state;
	assert_non_null(mkdtemp(dir));
	s = sorter_new(dir, 0);
	for (int i = 0; i < 3000; i++)
		assert_int_equal(
		    sorter_add(s, str_make(record, sizeof(record))), 0);
	assert_int_equal(rmdir(dir), 0); /* empty, or this fails */
	assert_int_equal(sorter_finish(s), 0);
	for (int i = 0; i < 3000; i++)
		assert_int_equal(sorter_next(s, &got), 1);
	assert_int_equal(sorter_next(s, &got), 0);
	sorter_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_nowhere),
		cmocka_unit_test(test_unnamed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
