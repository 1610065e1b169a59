/*
 * test_power.c - the power goes at random moments, a hundred times: what was
 * acknowledged is there.  And where syncs are left out, it is not.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/store_fixture.h"

#include "crash.h"
#include "forgetful_vfs.h"

/* BULKHEAD_RUNS=N for more than a quick look. */
static unsigned
runs(unsigned usual)
{
	const char *text = getenv("BULKHEAD_RUNS");

	return text == NULL ? usual : (unsigned)strtoul(text, NULL, 10);
}

/* Works in a child until the power goes: at that change, or behind the end. */
static void
work_until_cut(struct crash *c, const struct forgetful *how)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		forgetful_install(how);
		crash_work(c, 300);
		forgetful_cut();
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), FORGETFUL_EXIT);
}

struct totals {
	unsigned nacknowledged, nlost, ncut, nrounds_lost;
};

static void
add_up(struct totals *t, const struct crash_result *r)
{
	t->nacknowledged += r->nacknowledged;
	t->nlost += r->nlost;
	t->ncut += r->ncut;
	t->nrounds_lost += r->nlost > 0;
}

/* Each eighth round begins with nothing; some die while it is made. */
static void
run_rounds(enum forgetful_syncs syncs, unsigned nrounds, struct totals *t)
{
	struct crash_result r = { .nlost = 0 };
	struct crash c;

	*t = (struct totals){ .nlost = 0 };
	crash_begin(&c);
	for (unsigned i = 0; i < nrounds; i++) {
		struct forgetful how = { .syncs = syncs,
			.seed = 88172645463325252u + i * 7919 };

		if (i % 8 == 0 || r.nlost > 0)
			crash_renew(&c);
		how.cut_at = 1 + i * 2654435761u % (i % 8 == 0 ? 100 : 800);
		work_until_cut(&c, &how);
		crash_check(&c, syncs != FORGETFUL_HONEST, &r);
		add_up(t, &r);
		if (syncs == FORGETFUL_HONEST && r.nlost > 0)
			fail_msg("round %u, cut at %u: %s is lost, %u in all",
			    i, how.cut_at, r.first, r.nlost);
	}
	crash_end(&c);
}

static void
test_honest(void **state)
{
	struct totals t;

	(void)state;
	run_rounds(FORGETFUL_HONEST, runs(100), &t);
	print_message("# %u acknowledged, %u imports cut short\n",
	    t.nacknowledged, t.ncut);
	assert_true(t.nacknowledged > 1000 && t.ncut > 0);
	assert_int_equal(t.nlost, 0);
}

/* The test must be able to fail. */
static void
test_no_sync(void **state)
{
	struct totals t;

	(void)state;
	run_rounds(FORGETFUL_NONE, 16, &t);
	print_message("# synchronous OFF: losses in %u of 16 rounds\n",
	    t.nrounds_lost);
	assert_true(t.nrounds_lost > 0);
}

static void
test_no_sync_of_the_log(void **state)
{
	struct totals t;

	(void)state;
	run_rounds(FORGETFUL_NO_WAL, 16, &t);
	print_message("# synchronous NORMAL: losses in %u of 16 rounds\n",
	    t.nrounds_lost);
	assert_true(t.nrounds_lost > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_honest),
		cmocka_unit_test(test_no_sync),
		cmocka_unit_test(test_no_sync_of_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
