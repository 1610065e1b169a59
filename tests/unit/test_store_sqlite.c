/*
 * test_store_sqlite.c - what only files can do: schemas of other versions,
 * locks, other processes.  Damage is test_store_damage.c's.
 */
#include "store_place.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/driver_sqlite.h"

#define SOON (store_deadline(FIXTURE_MILLIS))

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
test_modes(void **state)
{
	struct place p = place_make();
	struct store *s;
	struct stat st;

	(void)state;
	umask(022);
	s = fixture_open(p.spec, PLACE_KINDS | STORE_RATES, STORE_CHANGE, 2000);
	place_put(s, "a@x.example");
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
	place_refuses(&p, STORE_READ, "does not exist: nothing was stored");
	assert_int_equal(chmod(p.dir, 0777), 0);
	place_refuses(&p, STORE_CHANGE, "everybody may write in it");
	assert_int_equal(chmod(p.dir, 0700), 0);
	assert_null(fixture_try(p.a, "sqlite:relative", STORE_SUPPRESS,
	    STORE_CHANGE, 2000, &errors));
	assert_non_null(strstr(errors, "write \"sqlite:/DIRECTORY\""));
	assert_null(fixture_try(p.a, "valkey://x:1/0", STORE_SUPPRESS,
	    STORE_CHANGE, 2000, &errors));
	assert_non_null(strstr(errors, "no driver of that name"));
	assert_null(fixture_try(p.a, "memory:", STORE_EVENTS, STORE_CHANGE,
	    2000, &errors));
	assert_non_null(strstr(errors, "events cannot be kept there"));
	p.spec = arena_cstr(p.a, arena_printf(p.a, "sqlite:%s/a/b", p.dir));
	place_refuses(&p, STORE_CHANGE, "cannot be created");
	place_free(&p);
}

static void
test_newer_and_other_files(void **state)
{
	struct place p = place_make();
	struct store *s = fixture_open(p.spec, PLACE_KINDS, STORE_CHANGE, 2000);

	(void)state;
	store_close(&s);
	run_sql(p.file, "PRAGMA user_version = 7");
	place_refuses(&p, STORE_CHANGE,
	    "suppress.db: schema 7 is newer than this program's 2");
	place_refuses(&p, STORE_READ, "is newer");
	run_sql(p.file, "PRAGMA user_version = 2; PRAGMA application_id = 5");
	place_refuses(&p, STORE_CHANGE, "another program's database");
	unlink(p.file);
	assert_int_equal(symlink("/dev/null", p.file), 0);
	place_refuses(&p, STORE_CHANGE, "no regular file");
	unlink(p.file);
	close(open(p.file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	place_refuses(&p, STORE_CHANGE, "empty: it was cut off");
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

static void
open_and_put(struct place *p)
{
	struct store *s = fixture_open(p->spec, PLACE_KINDS, STORE_CHANGE,
	    2000);
	char text[40];

	snprintf(text, sizeof(text), "p%ld@x.example", (long)getpid());
	place_put(s, text);
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
	s = fixture_open(p.spec, PLACE_KINDS, STORE_READ, 2000);
	assert_int_equal(fixture_count(s, &(struct suppress_filter){
	    .since = 0 }), 8);
	store_close(&s);
	place_free(&p);
}

static void
put_a_domain(struct place *p)
{
	struct store *s = fixture_open(p->spec, PLACE_KINDS, STORE_CHANGE,
	    2000);
	struct meta_item item = { STR("k"), STR("v"), 0 };

	place_put(s, "@x.example");
	assert_int_equal(store_meta_put(s, &item, 1,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	store_close(&s);
}

static void
remove_a_domain(struct place *p)
{
	struct store *s = fixture_open(p->spec, PLACE_KINDS, STORE_CHANGE,
	    2000);

	fixture_do(s, SUPPRESS_REMOVE, fixture_entry("@x.example",
	    SUPPRESS_MANUAL, 0, 0));
	store_close(&s);
}

static void
test_two_processes(void **state)
{
	struct place p = place_make();
	struct store *s = fixture_open(p.spec, PLACE_KINDS, STORE_CHANGE, 2000);
	uint64_t before, after;

	(void)state;
	assert_int_equal(place_look(&p, s, "a@x.example"), STORE_NO);
	assert_int_equal(store_meta_version(s, &before, SOON), STORE_YES);
	assert_int_equal(place_in_child(put_a_domain, &p), 0);
	assert_int_equal(place_look(&p, s, "a@x.example"), STORE_YES);
	assert_int_equal(store_meta_version(s, &after, SOON), STORE_YES);
	assert_true(before != after);
	assert_int_equal(store_meta_version(s, &before, SOON), STORE_YES);
	assert_true(before == after);
	assert_int_equal(place_in_child(remove_a_domain, &p), 0);
	assert_int_equal(place_look(&p, s, "a@x.example"), STORE_NO);
	store_close(&s);
	place_free(&p);
}

static void
test_locked(void **state)
{
	struct place p = place_make();
	struct store *s = fixture_open(p.spec, PLACE_KINDS, STORE_CHANGE, 2000);
	int64_t begin;
	sqlite3 *db;

	(void)state;
	place_put(s, "a@x.example");
	assert_int_equal(sqlite3_open(p.file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL,
	    NULL), SQLITE_OK);
	begin = clock_monotonic();
	assert_int_equal(place_try_put(s, "b@x.example", 200), STORE_UNKNOWN);
	assert_in_range(clock_monotonic() - begin, 150000000, 1000000000);
	assert_non_null(strstr(store_error(s, STORE_SUPPRESS),
	    "suppress.db: locked by another process until the deadline"));
	/* who only looks is not held up */
	assert_int_equal(place_look(&p, s, "a@x.example"), STORE_YES);
	for (int i = 0; i < 3; i++)
		assert_int_equal(place_try_put(s, "b@x.example", 20),
		    STORE_UNKNOWN);
	assert_true(store_is_tripped(s, STORE_SUPPRESS));
	assert_false(store_is_tripped(s, STORE_META));
	begin = clock_monotonic();
	assert_int_equal(place_try_put(s, "b@x.example", 200), STORE_UNKNOWN);
	assert_true(clock_monotonic() - begin < 50000000);
	assert_non_null(strstr(store_error(s, STORE_SUPPRESS), "not asked"));
	assert_int_equal(place_look(&p, s, "a@x.example"), STORE_YES);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	place_sleep(600);
	assert_int_equal(place_try_put(s, "b@x.example", 1000), STORE_YES);
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
	place_fill(&p);
	s = fixture_open(p.spec, STORE_SUPPRESS, STORE_READ, 2000);
	assert_int_equal(place_look(&p, s, "u0500@x.example"), STORE_YES);
	assert_int_equal(place_try_put(s, "b@x.example", 100), STORE_UNKNOWN);
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
		place_put(s, text);
		if (clock_monotonic() - begin > worst)
			worst = clock_monotonic() - begin;
		place_sleep(5);
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
		cmocka_unit_test(test_owner_of_rates),
		cmocka_unit_test(test_reading_only),
		cmocka_unit_test(test_adds_during_an_import),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
