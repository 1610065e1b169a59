/*
 * test_store_damage.c - files that are damaged, cut off, deleted or replaced
 * under an open handle; missing rights, a full disk.
 */
#include "store_place.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
overwrite(const char *file, off_t at, size_t n)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	char junk[4096];

	memset(junk, 'j', sizeof(junk));
	assert_true(fd >= 0);
	for (; n > 0; n -= n < sizeof(junk) ? n : sizeof(junk))
		assert_true(pwrite(fd, junk, n < sizeof(junk) ? n :
		    sizeof(junk), at) > 0), at += (off_t)sizeof(junk);
	close(fd);
}

static void
copy_file(struct place *p, const char *from, const char *to)
{
	char *cmd = arena_cstr(p->a, arena_printf(p->a, "cp %s %s", from, to));

	assert_int_equal(system(cmd), 0);
}

static void
test_damaged_before(void **state)
{
	struct place p = place_make();

	(void)state;
	place_fill(&p);
	overwrite(p.file, 0, 100);
	place_refuses(&p, STORE_CHANGE, "suppress.db: damaged");
	place_free(&p);
}

/* How a file may be spoilt while it is open. */
enum spoil { SPOIL_PAGES, SPOIL_CUT, SPOIL_EMPTY, SPOIL_DELETE, SPOIL_REPLACE };

static void
spoil_file(struct place *p, enum spoil how)
{
	char *other = arena_cstr(p->a, arena_printf(p->a, "%s/other",
	    p->dir));
	struct stat st;

	switch (how) {
	case SPOIL_PAGES:
		assert_int_equal(stat(p->file, &st), 0);
		overwrite(p->file, 4096, (size_t)st.st_size - 4096);
		break;
	case SPOIL_CUT:
		assert_int_equal(truncate(p->file, 8192), 0);
		break;
	case SPOIL_EMPTY:
		assert_int_equal(truncate(p->file, 0), 0);
		break;
	case SPOIL_DELETE:
		assert_int_equal(unlink(p->file), 0);
		break;
	case SPOIL_REPLACE:
		close(open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		overwrite(other, 0, 10000);
		assert_int_equal(rename(other, p->file), 0);
		break;
	}
}

/*
 * Whatever happens to the file under an open handle: unknown, never "not
 * suppressed", never a crash, no empty file in its place; and when it was put
 * back all is well again.
 */
static void
spoil_and_mend(enum spoil how)
{
	struct place p = place_make();
	char *good = arena_cstr(p.a, arena_printf(p.a, "%s/good", p.dir));
	struct store *s;

	print_message("# spoil %d\n", (int)how);
	place_fill(&p);
	copy_file(&p, p.file, good);
	s = fixture_open(p.spec, PLACE_KINDS, STORE_CHANGE, 2000);
	assert_int_equal(place_look(&p, s, "u0500@x.example"), STORE_YES);
	spoil_file(&p, how);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(place_look(&p, s, "u0700@x.example"),
		    STORE_UNKNOWN);
		assert_non_null(strstr(store_error(s, STORE_SUPPRESS),
		    "suppress.db: "));
		assert_int_equal(place_try_put(s, "n@x.example", 100),
		    STORE_UNKNOWN);
		place_sleep(120);
	}
	print_message("# %s\n", store_error(s, STORE_SUPPRESS));
	copy_file(&p, good, p.file);
	place_sleep(120);
	/* damaged pages may have been kept: the failure closed the file */
	assert_int_equal(place_look(&p, s, "u0700@x.example"), STORE_YES);
	assert_int_equal(place_try_put(s, "n@x.example", 1000), STORE_YES);
	store_close(&s);
	place_free(&p);
}

static void
test_damaged_meanwhile(void **state)
{
	(void)state;
	for (int how = SPOIL_PAGES; how <= SPOIL_REPLACE; how++)
		spoil_and_mend((enum spoil)how);
}

/* Looks all up, again and again; what is there is never said not to be. */
static void
look_on(struct place *p)
{
	struct store *s = fixture_open(p->spec, STORE_SUPPRESS, STORE_CHANGE,
	    2000);
	int64_t end = store_deadline(1500);
	unsigned nyes = 0, nunknown = 0;

	while (clock_monotonic() < end) {
		char text[32];
		enum store_answer answer;

		snprintf(text, sizeof(text), "u%04u@x.example",
		    (nyes + nunknown * 7) % 1000);
		answer = place_look(p, s, text);
		if (answer == STORE_NO)
			_exit(1);
		nyes += answer == STORE_YES;
		nunknown += answer == STORE_UNKNOWN;
	}
	_exit(nyes > 100 && nunknown > 0 ? 0 : 2);
}

/* No signal kills who reads a file at the moment in which it is cut off. */
static void
test_cut_while_looking(void **state)
{
	struct place p = place_make();
	char *good = arena_cstr(p.a, arena_printf(p.a, "%s/good", p.dir));
	char *next = arena_cstr(p.a, arena_printf(p.a, "%s/next", p.dir));
	int status = -1;
	pid_t pid;

	(void)state;
	place_fill(&p);
	copy_file(&p, p.file, good);
	pid = fork();
	if (pid == 0)
		look_on(&p);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		copy_file(&p, good, next);
		place_sleep(20);
		assert_int_equal(truncate(p.file, 4096), 0);
		place_sleep(2);
		assert_int_equal(rename(next, p.file), 0);
	}
	assert_int_equal(status, 0);
	place_free(&p);
}

static void
be_nobody(struct place *p)
{
	const char *errors;
	struct store *s;

	if (setgid(65534) != 0 || setuid(65534) != 0)
		_exit(77);
	s = fixture_try(p->a, p->spec, STORE_SUPPRESS, STORE_CHANGE, 2000,
	    &errors);
	if (s == NULL)
		_exit(strstr(errors, "suppress.db: ") != NULL ? 0 : 1);
	_exit(place_try_put(s, "b@x.example", 200) == STORE_UNKNOWN &&
	    strstr(store_error(s, STORE_SUPPRESS), "suppress.db: ") != NULL ?
	    0 : 2);
}

static void
test_no_rights(void **state)
{
	struct place p = place_make();
	int status;

	(void)state;
	if (geteuid() != 0) {
		print_message("# not root: nobody else to be\n");
		place_free(&p);
		return;
	}
	place_fill(&p);
	assert_int_equal(chmod(p.dir, 0755), 0);
	status = place_in_child(be_nobody, &p);
	assert_true(status == 0 || WEXITSTATUS(status) == 77);
	assert_int_equal(chmod(p.file, 0644), 0);
	status = place_in_child(be_nobody, &p);
	assert_true(status == 0 || WEXITSTATUS(status) == 77);
	place_free(&p);
}

/* Files may grow no more: as on a full disk. */
static void
meet_a_limit(struct place *p)
{
	struct store *s = fixture_open(p->spec, STORE_SUPPRESS, STORE_CHANGE,
	    2000);
	struct rlimit small = { 150000, RLIM_INFINITY }, all;
	unsigned nadded = 0, nrefused = 0;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &all);
	setrlimit(RLIMIT_FSIZE, &small);
	while (nrefused < 3 && nadded < 5000) {
		char text[32];

		snprintf(text, sizeof(text), "u%u@x.example", nadded);
		if (place_try_put(s, text, 1000) == STORE_YES)
			nadded++;
		else
			nrefused++;
		place_sleep(nrefused > 0 ? 120 : 0);
	}
	if (nrefused < 3 || nadded < 3)
		_exit(1);
	if (fixture_count(s, &(struct suppress_filter){ .since = 0 }) < nadded)
		_exit(2);
	setrlimit(RLIMIT_FSIZE, &all);
	place_sleep(120);
	if (place_try_put(s, "later@x.example", 1000) != STORE_YES)
		_exit(3);
	for (unsigned i = 0; i < nadded; i++) {
		char text[32];

		snprintf(text, sizeof(text), "u%u@x.example", i);
		if (place_look(p, s, text) != STORE_YES)
			_exit(4);
	}
	store_close(&s);
}

static void
test_no_room(void **state)
{
	struct place p = place_make();

	(void)state;
	assert_int_equal(place_in_child(meet_a_limit, &p), 0);
	place_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged_before),
		cmocka_unit_test(test_damaged_meanwhile),
		cmocka_unit_test(test_cut_while_looking),
		cmocka_unit_test(test_no_rights),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
