/*
 * test_kill.c - a process that changes a store is killed at random moments, a
 * hundred times: what it acknowledged is there, and the rest is whole.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/store_fixture.h"

#include "crash.h"

#define ROUNDS 100

static void
sleep_micros(long micros)
{
	struct timespec t = { .tv_sec = micros / 1000000,
		.tv_nsec = micros % 1000000 * 1000 };

	nanosleep(&t, NULL);
}

static void
work_until_killed(struct crash *c, long micros)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		crash_work(c, 10000);
		pause();
	}
	assert_true(pid > 0);
	sleep_micros(micros);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

/* Each tenth round begins with nothing, and is killed soon. */
static void
test_kill(void **state)
{
	unsigned nacknowledged = 0, ncut = 0;
	struct crash_result r;
	struct crash c;

	(void)state;
	crash_begin(&c);
	for (unsigned i = 0; i < ROUNDS; i++) {
		long micros = (long)(i * 2654435761u % (i % 10 == 0 ? 20000 :
		    120000));

		if (i % 10 == 0)
			crash_renew(&c);
		work_until_killed(&c, micros);
		crash_check(&c, false, &r);
		if (r.nlost > 0)
			fail_msg("round %u: %s is lost, %u in all", i, r.first,
			    r.nlost);
		nacknowledged += r.nacknowledged;
		ncut += r.ncut;
	}
	print_message("# %u acknowledged, %u imports cut short\n",
	    nacknowledged, ncut);
	assert_true(nacknowledged > 100 && ncut > 0);
	crash_end(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
