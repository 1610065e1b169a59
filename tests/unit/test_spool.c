/*
 * test_spool.c - contents of all sizes in memory and in files, directories
 * that fail, and memory that is counted and given back.
 */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/budget.h"
#include "base/spool.h"

#define PAGE   4096
#define BORDER ((size_t)10000) /* in_memory of these tests */

/* A directory of its own; directory.p is NUL terminated. */
struct fixture {
	struct arena *arena;
	char path[64];
	struct str directory;
	struct budget budget;
};

static void
open_fixture(struct fixture *f, size_t limit)
{
	f->arena = arena_new();
	snprintf(f->path, sizeof(f->path), "/tmp/bulkhead-spool-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->directory = exact(f->arena, str_from(f->path));
	budget_init(&f->budget, limit);
}

static void
close_fixture(struct fixture *f)
{
	assert_int_equal(budget_used(&f->budget), 0);
	assert_int_equal(rmdir(f->path), 0); /* nothing was left in it */
	arena_free(&f->arena);
}

static unsigned
count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* Octets without a period that a power of two divides. */
static struct str
make_text(struct arena *a, size_t n)
{
	char *p = malloc(n + 1);

	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = (char)((i * 2654435761u) >> 7);
	arena_on_free(a, free, p);
	return str_make(p, n);
}

static enum spool_result
add_in_pieces(struct spool *s, struct str text, size_t piece)
{
	enum spool_result result = SPOOL_OK;

	for (size_t at = 0; at < text.n; at += piece)
		result = spool_add(s, str_sub(text, at,
		    at + piece < text.n ? at + piece : text.n));
	return result;
}

static void
test_every_size_in_every_piece(void **state)
{
	static const size_t sizes[] = { 0, 1, PAGE - 1, PAGE, PAGE + 1,
		BORDER - 1, BORDER, BORDER + 1, 3 * PAGE - 1, 3 * PAGE,
		3 * PAGE + 1, 16 * PAGE, 100003 };
	static const size_t pieces[] = { 1, 7, PAGE, BORDER, BORDER + 1,
		65535, 1 << 20 };
	struct fixture f;
	struct spool s = { 0 };
	struct str text, got, again;
	unsigned before = count_descriptors();

	(void)state;
	open_fixture(&f, SIZE_MAX);
	text = make_text(f.arena, 100003);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t j = 0; j < sizeof(pieces) / sizeof(pieces[0]);
		     j++) {
			struct str want = str_sub(text, 0, sizes[i]);

			spool_begin(&s, &f.budget, f.directory, BORDER,
			    200000);
			assert_int_equal(add_in_pieces(&s, want, pieces[j]),
			    SPOOL_OK);
			assert_int_equal(spool_view(&s, &got), SPOOL_OK);
			if (!str_eq(got, want))
				fail_msg("%zu octets by %zu", sizes[i],
				    pieces[j]);
			assert_int_equal(s.is_mapped, sizes[i] > BORDER);
			assert_int_equal(spool_view(&s, &again), SPOOL_OK);
			assert_ptr_equal(again.p, got.p);
			assert_int_equal(count_descriptors(), before);
			spool_clear(&s);
			spool_clear(&s);
			assert_int_equal(budget_used(&f.budget), 0);
		}
	close_fixture(&f);
}

/* An end before the end, at each step: nothing stays. */
static void
test_cleared_at_each_step(void **state)
{
	struct fixture f;
	struct spool s = { 0 };
	struct str text;
	unsigned before = count_descriptors();

	(void)state;
	open_fixture(&f, SIZE_MAX);
	text = make_text(f.arena, 5 * BORDER);
	for (size_t steps = 0; steps <= 50; steps++) {
		spool_begin(&s, &f.budget, f.directory, BORDER, SIZE_MAX);
		for (size_t i = 0; i < steps; i++)
			assert_int_equal(spool_add(&s, str_sub(text, i * 1000,
			    (i + 1) * 1000)), SPOOL_OK);
		spool_clear(&s);
		assert_int_equal(budget_used(&f.budget), 0);
		assert_int_equal(count_descriptors(), before);
	}
	close_fixture(&f);
}

static void
test_the_maximum(void **state)
{
	static const struct {
		size_t max, n;
		enum spool_result want;
	} cases[] = {
		{ 0, 0, SPOOL_OK },
		{ 0, 1, SPOOL_TOO_LONG },
		{ 100, 100, SPOOL_OK },
		{ 100, 101, SPOOL_TOO_LONG },
		{ 2 * BORDER, 2 * BORDER, SPOOL_OK },
		{ 2 * BORDER, 2 * BORDER + 1, SPOOL_TOO_LONG },
	};
	struct fixture f;
	struct spool s = { 0 };
	struct str text, got;

	(void)state;
	open_fixture(&f, SIZE_MAX);
	text = make_text(f.arena, 2 * BORDER + 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str all = str_sub(text, 0, cases[i].n);

		spool_begin(&s, &f.budget, f.directory, BORDER, cases[i].max);
		assert_int_equal(add_in_pieces(&s, all, 999), cases[i].want);
		assert_int_equal(spool_view(&s, &got), cases[i].want);
		if (cases[i].want != SPOOL_OK) {
			assert_int_equal(got.n, 0);
			assert_int_equal(budget_used(&f.budget), 0);
			assert_int_equal(spool_add(&s, STR("x")),
			    SPOOL_TOO_LONG);
		}
		spool_clear(&s);
	}
	close_fixture(&f);
}

/* Without room in memory it is a file at once; that needs no memory. */
static void
test_no_memory_makes_a_file(void **state)
{
	struct fixture f;
	struct spool s = { 0 };
	struct str text, got;

	(void)state;
	open_fixture(&f, 5000);
	text = make_text(f.arena, 9000);
	spool_begin(&s, &f.budget, f.directory, BORDER, SIZE_MAX);
	assert_int_equal(spool_add(&s, str_sub(text, 0, 4000)), SPOOL_OK);
	assert_false(s.is_file);
	assert_true(budget_used(&f.budget) >= 4000);
	assert_int_equal(spool_add(&s, str_sub(text, 4000, 9000)), SPOOL_OK);
	assert_true(s.is_file);
	assert_int_equal(budget_used(&f.budget), 0);
	assert_int_equal(spool_view(&s, &got), SPOOL_OK);
	assert_true(str_eq(got, text));
	spool_clear(&s);
	close_fixture(&f);
}

static void
expect_failure(struct fixture *f, struct str directory, int error)
{
	struct str text = make_text(f->arena, 3 * BORDER), got;
	struct spool s = { 0 };
	unsigned before = count_descriptors();

	spool_begin(&s, &f->budget, directory, BORDER, SIZE_MAX);
	assert_int_equal(add_in_pieces(&s, text, 1234), SPOOL_FAILED);
	if (s.error != error)
		fail_msg("%.*s: %s", STR_ARG(directory), strerror(s.error));
	assert_int_equal(spool_add(&s, STR("x")), SPOOL_FAILED);
	assert_int_equal(spool_view(&s, &got), SPOOL_FAILED);
	assert_int_equal(s.error, error);
	assert_int_equal(budget_used(&f->budget), 0);
	assert_int_equal(count_descriptors(), before);
	spool_clear(&s);
}

static void
test_directories_that_fail(void **state)
{
	struct fixture f;
	struct str missing, file, longest;
	char *many;

	(void)state;
	open_fixture(&f, SIZE_MAX);
	missing = arena_printf(f.arena, "%s/missing", f.path);
	expect_failure(&f, exact(f.arena, missing), ENOENT);
	assert_int_equal(spool_check(missing), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(spool_check(f.directory), 0);
	file = STR("/dev/null");
	expect_failure(&f, exact(f.arena, file), ENOTDIR);
	many = arena_bytes(f.arena, 9000);
	memset(many, '/', 9000);
	longest = exact(f.arena, str_make(many, 9000));
	expect_failure(&f, longest, ENAMETOOLONG);
	assert_int_equal(spool_check(longest), -1);
	close_fixture(&f);
}

/* What needs a process of its own; 0: well, 77: not possible here. */
static int
in_child(struct fixture *f, int (*test)(struct fixture *))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(test(f));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		fail_msg("ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* 0 when it failed with that error, at once or in between. */
static int
fails_with(struct fixture *f, int error)
{
	struct str text = make_text(f->arena, 40 * BORDER), got;
	struct spool s = { 0 };

	spool_begin(&s, &f->budget, f->directory, BORDER, SIZE_MAX);
	if (add_in_pieces(&s, text, 1000) != SPOOL_FAILED)
		return 1;
	if (s.error != error || spool_view(&s, &got) != SPOOL_FAILED)
		return 2;
	spool_clear(&s);
	return budget_used(&f->budget) == 0 ? 0 : 3;
}

static int
with_a_file_limit(struct fixture *f)
{
	struct rlimit limit = { 100000, 100000 };

	signal(SIGXFSZ, SIG_IGN);
	return setrlimit(RLIMIT_FSIZE, &limit) != 0 ? 77 :
						      fails_with(f, EFBIG);
}

static void
test_file_limit(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, SIZE_MAX);
	assert_int_equal(in_child(&f, with_a_file_limit), 0);
	close_fixture(&f);
}

static int
as_nobody(struct fixture *f)
{
	if (setuid(65534) != 0)
		return 77;
	return fails_with(f, EACCES);
}

static int
read_only(struct fixture *f)
{
	int rc;

	if (mount("none", f->path, "tmpfs", MS_RDONLY, "size=100k") != 0)
		return 77;
	rc = fails_with(f, EROFS);
	return umount(f->path) == 0 ? rc : 4;
}

/* Room for a part of it: the next, shorter one is taken again. */
static int
full(struct fixture *f)
{
	struct spool s = { 0 };
	struct str text = make_text(f->arena, 2 * BORDER), got;
	int rc;

	if (mount("none", f->path, "tmpfs", 0, "size=100k") != 0)
		return 77;
	rc = fails_with(f, ENOSPC);
	spool_begin(&s, &f->budget, f->directory, BORDER, SIZE_MAX);
	if (rc == 0 && (add_in_pieces(&s, text, 1000) != SPOOL_OK ||
	    spool_view(&s, &got) != SPOOL_OK || !str_eq(got, text)))
		rc = 5;
	spool_clear(&s);
	return umount(f->path) == 0 ? rc : 4;
}

/* As root, and where mounting is allowed. */
static void
test_file_systems_that_fail(void **state)
{
	static const struct {
		const char *name;
		int (*test)(struct fixture *);
	} cases[] = { { "another user", as_nobody }, { "read-only", read_only },
		{ "full", full } };
	bool is_skipped = false;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		int rc;

		open_fixture(&f, SIZE_MAX);
		rc = in_child(&f, cases[i].test);
		if (rc != 0 && rc != 77)
			fail_msg("%s: %d", cases[i].name, rc);
		is_skipped |= rc == 77;
		close_fixture(&f);
	}
	if (is_skipped)
		print_message("# some are left out: root must mount\n");
}

static void
test_budget(void **state)
{
	struct budget b;

	(void)state;
	budget_init(&b, 100);
	assert_true(budget_take(&b, 100));
	assert_false(budget_take(&b, 1));
	assert_true(budget_take(&b, 0));
	budget_force(&b, 50);
	assert_int_equal(budget_used(&b), 150);
	assert_false(budget_take(&b, 0));
	budget_set_limit(&b, 200);
	assert_int_equal(budget_limit(&b), 200);
	assert_true(budget_take(&b, 50));
	assert_false(budget_take(&b, SIZE_MAX));
	budget_set_limit(&b, 10);
	assert_false(budget_take(&b, 1));
	budget_give(&b, 200);
	assert_int_equal(budget_used(&b), 0);
	assert_true(budget_take(&b, 10));
	assert_true(budget_take(NULL, SIZE_MAX));
	budget_force(NULL, 1);
	budget_give(NULL, 1);
	budget_set_limit(NULL, 1);
	assert_int_equal(budget_used(NULL), 0);
	assert_true(budget_limit(NULL) == SIZE_MAX);
}

static void *
take_and_give(void *arg)
{
	struct budget *b = arg;

	for (int i = 0; i < 50000; i++)
		if (budget_take(b, 3)) {
			if (budget_used(b) > 10)
				return b; /* the limit was passed */
			budget_give(b, 3);
		}
	return NULL;
}

static void
test_budget_of_threads(void **state)
{
	pthread_t threads[4];
	struct budget b;

	(void)state;
	budget_init(&b, 10);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
		    take_and_give, &b), 0);
	for (size_t i = 0; i < 4; i++) {
		void *result;

		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_null(result);
	}
	assert_int_equal(budget_used(&b), 0);
}

static void
test_arena_counts_its_blocks(void **state)
{
	struct budget b;
	struct arena *a = arena_new();
	size_t idle;

	(void)state;
	budget_init(&b, 1000000);
	arena_alloc(a, 50000);
	arena_set_budget(a, &b);
	idle = budget_used(&b);
	assert_int_equal(arena_used(a), 0);
	assert_int_equal(arena_held(a), idle);
	assert_true(idle <= 4096);
	memset(arena_alloc(a, 300000), 1, 300000);
	assert_true(budget_used(&b) >= 300000);
	assert_int_equal(arena_held(a), budget_used(&b));
	/* never a no, though the limit is passed */
	memset(arena_alloc(a, 2000000), 1, 2000000);
	assert_true(budget_used(&b) > 2300000);
	assert_false(arena_reserve(a, 2000000));
	arena_reset(a);
	assert_int_equal(budget_used(&b), idle);
	arena_set_budget(a, NULL);
	assert_int_equal(budget_used(&b), 0);
	assert_true(arena_reserve(a, SIZE_MAX));
	arena_set_budget(a, &b);
	arena_alloc(a, 70000);
	arena_free(&a);
	assert_int_equal(budget_used(&b), 0);
}

/* What was reserved is not taken twice, and not passed by a byte. */
static void
test_arena_reserves(void **state)
{
	struct budget b;
	struct arena *a = arena_new();
	size_t idle, taken;

	(void)state;
	budget_init(&b, 5000000);
	arena_set_budget(a, &b);
	idle = budget_used(&b);
	assert_false(arena_reserve(a, 6000000));
	assert_int_equal(budget_used(&b), idle);
	assert_true(arena_reserve(a, 4000000));
	taken = budget_used(&b);
	assert_true(taken >= 4000000);
	assert_true(arena_reserve(a, 4000000));
	assert_int_equal(budget_used(&b), taken);
	for (int i = 0; i < 3000; i++)
		arena_bytes(a, 1000);
	assert_int_equal(budget_used(&b), taken);
	arena_reset(a);
	assert_int_equal(budget_used(&b), idle);
	for (size_t n = 0; n < 4900000; n += 700) {
		if (!arena_reserve(a, 700))
			break;
		arena_bytes(a, 700);
		assert_true(budget_used(&b) <= 5000000);
	}
	assert_false(arena_reserve(a, 2000000));
	assert_true(arena_used(a) > 2500000); /* most of it was of use */
	arena_free(&a);
	assert_int_equal(budget_used(&b), 0);
}

/* A large piece gets a block of its own; small ones go on where they were. */
static void
test_large_blocks_waste_nothing(void **state)
{
	struct budget b;
	struct arena *a = arena_new();

	(void)state;
	budget_init(&b, SIZE_MAX);
	arena_set_budget(a, &b);
	for (int i = 0; i < 50; i++) {
		memset(arena_alloc(a, 3000000), i, 3000000);
		memset(arena_alloc(a, 10000), i, 10000);
	}
	assert_true(budget_used(&b) < 50 * 3010000 + 4000000);
	arena_reset(a);
	assert_true(budget_used(&b) <= 4096);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_size_in_every_piece),
		cmocka_unit_test(test_cleared_at_each_step),
		cmocka_unit_test(test_the_maximum),
		cmocka_unit_test(test_no_memory_makes_a_file),
		cmocka_unit_test(test_directories_that_fail),
		cmocka_unit_test(test_file_limit),
		cmocka_unit_test(test_file_systems_that_fail),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_budget_of_threads),
		cmocka_unit_test(test_arena_counts_its_blocks),
		cmocka_unit_test(test_arena_reserves),
		cmocka_unit_test(test_large_blocks_waste_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
