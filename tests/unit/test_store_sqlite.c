/*
 * test_store_sqlite.c - what only files can suffer: schemas of other versions,
 * damage, deletion, locks, missing rights, a full disk, other processes.
 */
#include "store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/driver_sqlite.h"

#define ALL (STORE_SUPPRESS | STORE_META)
#define SOON (store_deadline(FIXTURE_MILLIS))

/* One store in a directory of its own. */
struct place {
	struct arena *a;
	const char *dir;
	char *spec, *file;
};

static struct place
place_make(void)
{
	struct place p = { .a = arena_new() };

	p.dir = fixture_directory(p.a);
	p.spec = arena_cstr(p.a, arena_printf(p.a, "sqlite:%s", p.dir));
	p.file = arena_cstr(p.a, arena_printf(p.a, "%s/suppress.db", p.dir));
	return p;
}

static void
place_free(struct place *p)
{
	fixture_remove(p->dir);
	arena_free(&p->a);
}

static void
put(struct store *s, const char *address)
{
	fixture_do(s, SUPPRESS_PUT, fixture_entry(address, SUPPRESS_MANUAL,
	    1000, 0));
}

static enum store_answer
try_put(struct store *s, const char *address, unsigned millis)
{
	struct suppress_change c = fixture_change(SUPPRESS_PUT,
	    fixture_entry(address, SUPPRESS_MANUAL, 1000, 0));

	return store_suppress_change(s, &c, 1, store_deadline(millis));
}

/* Answers, and the reason where it is not known. */
static enum store_answer
look(struct place *p, struct store *s, const char *address)
{
	return fixture_find(s, p->a, address, NULL).answer;
}

static void
run_sql(const char *file, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void
expect_refusal(struct place *p, enum store_access access, const char *why)
{
	const char *errors;
	struct store *s = fixture_try(p->a, p->spec, STORE_SUPPRESS, access,
	    2000, &errors);

	if (s != NULL || strstr(errors, why) == NULL)
		fail_msg("want \"%s\", got \"%s\"", why, errors);
}

static void
sleep_millis(long millis)
{
	struct timespec t = { .tv_sec = millis / 1000,
		.tv_nsec = millis % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static void
test_modes(void **state)
{
	struct place p = place_make();
	struct store *s;
	struct stat st;

	(void)state;
	umask(022);
	s = fixture_open(p.spec, ALL | STORE_RATES, STORE_CHANGE, 2000);
	put(s, "a@x.example");
	assert_int_equal(stat(p.file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(stat(arena_cstr(p.a, arena_printf(p.a, "%s-wal",
	    p.file)), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(stat(arena_cstr(p.a, arena_printf(p.a,
	    "%s/rates.lock", p.dir)), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	store_close(&s);
	place_free(&p);
}

static void
test_directories(void **state)
{
	struct place p = place_make();
	const char *errors;

	(void)state;
	expect_refusal(&p, STORE_READ, "does not exist: nothing was stored");
	assert_int_equal(chmod(p.dir, 0777), 0);
	expect_refusal(&p, STORE_CHANGE, "everybody may write in it");
	assert_int_equal(chmod(p.dir, 0700), 0);
	assert_null(fixture_try(p.a, "sqlite:relative", STORE_SUPPRESS,
	    STORE_CHANGE, 2000, &errors));
	assert_non_null(strstr(errors, "write \"sqlite:/DIRECTORY\""));
	assert_null(fixture_try(p.a, "valkey://x:1/0", STORE_SUPPRESS,
	    STORE_CHANGE, 2000, &errors));
	assert_non_null(strstr(errors, "no driver of that name"));
	assert_null(fixture_try(p.a, p.spec, STORE_EVENTS, STORE_CHANGE, 2000,
	    &errors));
	assert_non_null(strstr(errors, "events cannot be kept there"));
	p.spec = arena_cstr(p.a, arena_printf(p.a, "sqlite:%s/a/b", p.dir));
	expect_refusal(&p, STORE_CHANGE, "cannot be created");
	place_free(&p);
}

static void
test_newer_and_other_files(void **state)
{
	struct place p = place_make();
	struct store *s = fixture_open(p.spec, ALL, STORE_CHANGE, 2000);

	(void)state;
	store_close(&s);
	run_sql(p.file, "PRAGMA user_version = 7");
	expect_refusal(&p, STORE_CHANGE,
	    "suppress.db: schema 7 is newer than this program's 1");
	expect_refusal(&p, STORE_READ, "is newer");
	run_sql(p.file, "PRAGMA user_version = 1; PRAGMA application_id = 5");
	expect_refusal(&p, STORE_CHANGE, "another program's database");
	unlink(p.file);
	assert_int_equal(symlink("/dev/null", p.file), 0);
	expect_refusal(&p, STORE_CHANGE, "no regular file");
	unlink(p.file);
	close(open(p.file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	expect_refusal(&p, STORE_CHANGE, "empty: it was cut off");
	place_free(&p);
}

/* A schema of the tests, at each of its versions. */
static const char *const made_steps[] = {
	"CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1);",
	"ALTER TABLE t ADD COLUMN b INTEGER DEFAULT 2;",
	"UPDATE t SET b = b + a;",
};
static const char *const made_statements[] = { "SELECT a FROM t" };

static struct sqlite_schema
made_schema(size_t version)
{
	return (struct sqlite_schema){ .name = "made.db",
		.application_id = 0x426c6b7f, .pragmas = "",
		.steps = made_steps, .nsteps = version,
		.statements = made_statements, .nstatements = 1 };
}

static enum store_answer
open_made(const char *dir, size_t version, enum store_access access,
    char *error, int64_t *sum)
{
	struct sqlite_schema schema = made_schema(version);
	struct driver_call call = { .error = error,
		.deadline = store_deadline(FIXTURE_MILLIS) };
	enum store_answer answer;
	struct sqlite_file f;
	sqlite3_stmt *st;

	sqlite_file_init(&f, &schema, str_from(dir), access);
	answer = sqlite_file_open(&f, &call);
	*sum = 0;
	if (answer == STORE_YES && version == 3 && sqlite3_prepare_v2(f.db,
	    "SELECT a * 10 + b FROM t", -1, &st, NULL) == SQLITE_OK) {
		assert_int_equal(sqlite3_step(st), SQLITE_ROW);
		*sum = sqlite3_column_int64(st, 0);
		sqlite3_finalize(st);
	}
	sqlite_file_free(&f);
	return answer;
}

static void
test_migration(void **state)
{
	struct place p = place_make();
	char error[DRIVER_ERROR_SIZE] = "";
	int64_t sum;

	(void)state;
	assert_int_equal(open_made(p.dir, 1, STORE_CHANGE, error, &sum),
	    STORE_YES);
	assert_int_equal(open_made(p.dir, 3, STORE_READ, error, &sum),
	    STORE_UNKNOWN);
	assert_non_null(strstr(error, "schema 1 is older"));
	assert_int_equal(open_made(p.dir, 3, STORE_CHANGE, error, &sum),
	    STORE_YES);
	assert_int_equal(sum, 13);
	/* what was done is not done again */
	assert_int_equal(open_made(p.dir, 3, STORE_CHANGE, error, &sum),
	    STORE_YES);
	assert_int_equal(sum, 13);
	assert_int_equal(open_made(p.dir, 2, STORE_CHANGE, error, &sum),
	    STORE_UNKNOWN);
	assert_non_null(strstr(error, "schema 3 is newer"));
	place_free(&p);
}

/* Runs it in a child; its exit status. */
static int
in_child(void (*run)(struct place *p), struct place *p)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		run(p);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
open_and_put(struct place *p)
{
	struct store *s = fixture_open(p->spec, ALL, STORE_CHANGE, 2000);
	char text[40];

	snprintf(text, sizeof(text), "p%ld@x.example", (long)getpid());
	put(s, text);
	store_close(&s);
}

/* Eight processes find nothing there and all make it. */
static void
test_created_at_once(void **state)
{
	struct place p = place_make();
	struct store *s;
	pid_t pids[8];

	(void)state;
	for (int i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			open_and_put(&p);
			_exit(0);
		}
	}
	for (int i = 0; i < 8; i++) {
		int status = -1;

		waitpid(pids[i], &status, 0);
		assert_int_equal(status, 0);
	}
	s = fixture_open(p.spec, ALL, STORE_READ, 2000);
	assert_int_equal(fixture_count(s, &(struct suppress_filter){
	    .since = 0 }), 8);
	store_close(&s);
	place_free(&p);
}

static void
put_a_domain(struct place *p)
{
	struct store *s = fixture_open(p->spec, ALL, STORE_CHANGE, 2000);
	struct meta_item item = { STR("k"), STR("v"), 0 };

	put(s, "@x.example");
	assert_int_equal(store_meta_put(s, &item, 1,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	store_close(&s);
}

static void
remove_a_domain(struct place *p)
{
	struct store *s = fixture_open(p->spec, ALL, STORE_CHANGE, 2000);

	fixture_do(s, SUPPRESS_REMOVE, fixture_entry("@x.example",
	    SUPPRESS_MANUAL, 0, 0));
	store_close(&s);
}

static void
test_two_processes(void **state)
{
	struct place p = place_make();
	struct store *s = fixture_open(p.spec, ALL, STORE_CHANGE, 2000);
	uint64_t before, after;

	(void)state;
	assert_int_equal(look(&p, s, "a@x.example"), STORE_NO);
	assert_int_equal(store_meta_version(s, &before, SOON), STORE_YES);
	assert_int_equal(in_child(put_a_domain, &p), 0);
	assert_int_equal(look(&p, s, "a@x.example"), STORE_YES);
	assert_int_equal(store_meta_version(s, &after, SOON), STORE_YES);
	assert_true(before != after);
	assert_int_equal(store_meta_version(s, &before, SOON), STORE_YES);
	assert_true(before == after);
	assert_int_equal(in_child(remove_a_domain, &p), 0);
	assert_int_equal(look(&p, s, "a@x.example"), STORE_NO);
	store_close(&s);
	place_free(&p);
}

static void
test_locked(void **state)
{
	struct place p = place_make();
	struct store *s = fixture_open(p.spec, ALL, STORE_CHANGE, 2000);
	int64_t begin;
	sqlite3 *db;

	(void)state;
	put(s, "a@x.example");
	assert_int_equal(sqlite3_open(p.file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL,
	    NULL), SQLITE_OK);
	begin = clock_monotonic();
	assert_int_equal(try_put(s, "b@x.example", 200), STORE_UNKNOWN);
	assert_in_range(clock_monotonic() - begin, 150000000, 1000000000);
	assert_non_null(strstr(store_error(s, STORE_SUPPRESS),
	    "suppress.db: locked by another process until the deadline"));
	/* who only looks is not held up */
	assert_int_equal(look(&p, s, "a@x.example"), STORE_YES);
	for (int i = 0; i < 3; i++)
		assert_int_equal(try_put(s, "b@x.example", 20),
		    STORE_UNKNOWN);
	assert_true(store_is_tripped(s, STORE_SUPPRESS));
	assert_false(store_is_tripped(s, STORE_META));
	begin = clock_monotonic();
	assert_int_equal(try_put(s, "b@x.example", 200), STORE_UNKNOWN);
	assert_true(clock_monotonic() - begin < 50000000);
	assert_non_null(strstr(store_error(s, STORE_SUPPRESS), "not asked"));
	assert_int_equal(look(&p, s, "a@x.example"), STORE_YES);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	sleep_millis(600);
	assert_int_equal(try_put(s, "b@x.example", 1000), STORE_YES);
	assert_false(store_is_tripped(s, STORE_SUPPRESS));
	store_close(&s);
	place_free(&p);
}

/* Who was late keeps his file open, with all that he has in memory of it. */
static void
test_late_is_not_broken(void **state)
{
	struct place p = place_make();
	char error[DRIVER_ERROR_SIZE] = "";
	struct sqlite_schema schema = made_schema(1);
	struct driver_call call = { .error = error,
		.deadline = store_deadline(FIXTURE_MILLIS) };
	struct sqlite_file f;
	sqlite3 *db;

	(void)state;
	sqlite_file_init(&f, &schema, str_from(p.dir), STORE_CHANGE);
	assert_int_equal(sqlite_file_open(&f, &call), STORE_YES);
	assert_int_equal(sqlite3_open(f.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL,
	    NULL), SQLITE_OK);
	call.deadline = store_deadline(20);
	assert_int_equal(sqlite_file_write(&f, &call), STORE_UNKNOWN);
	assert_non_null(strstr(error, "locked by another process"));
	assert_non_null(f.db);
	sqlite3_close(db);
	call.deadline = store_deadline(FIXTURE_MILLIS);
	assert_int_equal(sqlite_file_write(&f, &call), STORE_YES);
	f.deadline = clock_monotonic(); /* passes in the midst of it */
	assert_int_not_equal(sqlite3_exec(f.db, "WITH RECURSIVE n(i) AS"
	    " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)"
	    " SELECT count(*) FROM n", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite_file_failed(&f, &call), STORE_UNKNOWN);
	assert_non_null(strstr(error, "not done by the deadline"));
	assert_non_null(f.db);
	assert_int_equal(f.generation, 1);
	sqlite_file_free(&f);
	place_free(&p);
}

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

/* Enough entries for several pages; all in the file, none in the WAL. */
static void
fill(struct place *p)
{
	struct store *s = fixture_open(p->spec, ALL, STORE_CHANGE, 2000);
	struct suppress_change v[1000];

	for (size_t i = 0; i < 1000; i++) {
		v[i] = fixture_change(SUPPRESS_PUT, fixture_entry("",
		    SUPPRESS_MANUAL, 1000, 0));
		v[i].entry.address = arena_printf(p->a, "u%04zu@x.example", i);
	}
	assert_int_equal(store_suppress_change(s, v, 1000,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	store_close(&s);
}

static void
test_damaged_before(void **state)
{
	struct place p = place_make();

	(void)state;
	fill(&p);
	overwrite(p.file, 0, 100);
	expect_refusal(&p, STORE_CHANGE, "suppress.db: damaged");
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
	fill(&p);
	copy_file(&p, p.file, good);
	s = fixture_open(p.spec, ALL, STORE_CHANGE, 2000);
	assert_int_equal(look(&p, s, "u0500@x.example"), STORE_YES);
	spoil_file(&p, how);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(look(&p, s, "u0700@x.example"),
		    STORE_UNKNOWN);
		assert_non_null(strstr(store_error(s, STORE_SUPPRESS),
		    "suppress.db: "));
		assert_int_equal(try_put(s, "n@x.example", 100),
		    STORE_UNKNOWN);
		sleep_millis(120);
	}
	print_message("# %s\n", store_error(s, STORE_SUPPRESS));
	copy_file(&p, good, p.file);
	sleep_millis(120);
	/* damaged pages may have been kept: the failure closed the file */
	assert_int_equal(look(&p, s, "u0700@x.example"), STORE_YES);
	assert_int_equal(try_put(s, "n@x.example", 1000), STORE_YES);
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
		answer = look(p, s, text);
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
	fill(&p);
	copy_file(&p, p.file, good);
	pid = fork();
	if (pid == 0)
		look_on(&p);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		copy_file(&p, good, next);
		sleep_millis(20);
		assert_int_equal(truncate(p.file, 4096), 0);
		sleep_millis(2);
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
	_exit(try_put(s, "b@x.example", 200) == STORE_UNKNOWN &&
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
	fill(&p);
	assert_int_equal(chmod(p.dir, 0755), 0);
	status = in_child(be_nobody, &p);
	assert_true(status == 0 || WEXITSTATUS(status) == 77);
	assert_int_equal(chmod(p.file, 0644), 0);
	status = in_child(be_nobody, &p);
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
		if (try_put(s, text, 1000) == STORE_YES)
			nadded++;
		else
			nrefused++;
		sleep_millis(nrefused > 0 ? 120 : 0);
	}
	if (nrefused < 3 || nadded < 3)
		_exit(1);
	if (fixture_count(s, &(struct suppress_filter){ .since = 0 }) < nadded)
		_exit(2);
	setrlimit(RLIMIT_FSIZE, &all);
	sleep_millis(120);
	if (try_put(s, "later@x.example", 1000) != STORE_YES)
		_exit(3);
	for (unsigned i = 0; i < nadded; i++) {
		char text[32];

		snprintf(text, sizeof(text), "u%u@x.example", i);
		if (look(p, s, text) != STORE_YES)
			_exit(4);
	}
	store_close(&s);
}

static void
test_no_room(void **state)
{
	struct place p = place_make();

	(void)state;
	assert_int_equal(in_child(meet_a_limit, &p), 0);
	place_free(&p);
}

static void
test_owner_of_rates(void **state)
{
	struct place p = place_make();
	struct store *s = fixture_open(p.spec, STORE_RATES, STORE_CHANGE,
	    2000);
	const char *errors;
	char want[64];

	(void)state;
	snprintf(want, sizeof(want), "process %ld keeps the rates",
	    (long)getpid());
	assert_null(fixture_try(p.a, p.spec, STORE_RATES, STORE_CHANGE, 2000,
	    &errors));
	assert_non_null(strstr(errors, want));
	store_close(&s);
	s = fixture_open(p.spec, STORE_RATES, STORE_CHANGE, 2000);
	store_close(&s);
	place_free(&p);
}

/* A store opened to read changes nothing. */
static void
test_reading_only(void **state)
{
	struct place p = place_make();
	struct store *s;

	(void)state;
	fill(&p);
	s = fixture_open(p.spec, STORE_SUPPRESS, STORE_READ, 2000);
	assert_int_equal(look(&p, s, "u0500@x.example"), STORE_YES);
	assert_int_equal(try_put(s, "b@x.example", 100), STORE_UNKNOWN);
	assert_string_equal(store_error(s, STORE_SUPPRESS),
	    "suppressions: opened for reading only");
	assert_int_equal(store_meta_walk(s, STR(""), NULL, NULL, SOON),
	    STORE_UNKNOWN);
	assert_string_equal(store_error(s, STORE_META), "meta: not opened");
	store_close(&s);
	place_free(&p);
}

/* A writer waits for slices of an import, never for the whole of it. */
static void
import_on(struct place *p)
{
	struct store *s = fixture_open(p->spec, STORE_SUPPRESS, STORE_CHANGE,
	    2000);
	struct suppress_import import = { .source = STR("x") };
	struct suppress_change *v = calloc(2000, sizeof(*v));
	char (*text)[32] = malloc(2000 * sizeof(*text));
	int64_t end = store_deadline(3000);

	store_import_begin(s, &import, store_deadline(FIXTURE_MILLIS));
	for (unsigned long k = 0; clock_monotonic() < end;) {
		for (size_t i = 0; i < 2000; i++, k++) {
			snprintf(text[i], sizeof(text[i]), "i%08lu@x.example",
			    k);
			v[i] = fixture_change(SUPPRESS_PUT, fixture_entry(
			    text[i], SUPPRESS_IMPORT, 1000, 0));
		}
		if (store_import_slice(s, &import, v, 2000,
		    store_deadline(FIXTURE_MILLIS)) != STORE_YES)
			_exit(1);
	}
	_exit(0);
}

static void
test_adds_during_an_import(void **state)
{
	struct place p = place_make();
	struct store *s = fixture_open(p.spec, STORE_SUPPRESS, STORE_CHANGE,
	    2000);
	int64_t worst = 0, begin;
	unsigned nadded = 0;
	int status = -1;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		import_on(&p);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		char text[32];

		snprintf(text, sizeof(text), "u%u@x.example", nadded++);
		begin = clock_monotonic();
		put(s, text);
		if (clock_monotonic() - begin > worst)
			worst = clock_monotonic() - begin;
		sleep_millis(5);
	}
	assert_int_equal(status, 0);
	print_message("# %u adds during an import, the longest %.0f ms\n",
	    nadded, (double)worst / 1e6);
	assert_true(nadded > 20);
	assert_true(worst < INT64_C(2000000000));
	store_close(&s);
	place_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_newer_and_other_files),
		cmocka_unit_test(test_migration),
		cmocka_unit_test(test_created_at_once),
		cmocka_unit_test(test_two_processes),
		cmocka_unit_test(test_locked),
		cmocka_unit_test(test_late_is_not_broken),
		cmocka_unit_test(test_damaged_before),
		cmocka_unit_test(test_damaged_meanwhile),
		cmocka_unit_test(test_cut_while_looking),
		cmocka_unit_test(test_no_rights),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_owner_of_rates),
		cmocka_unit_test(test_reading_only),
		cmocka_unit_test(test_adds_during_an_import),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
