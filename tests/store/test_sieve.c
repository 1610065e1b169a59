/*
 * test_sieve.c - a Bloom filter loses nothing; look-ups with a sieve and
 * without give the same, whatever others change meanwhile.
 */
#include "tests/unit/store_fixture.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

#include "store/sieve.h"

#define NOW	   INT64_C(1800000000)
#define NADDRESSES 300
#define NSTEPS	   800

static uint64_t seed = 88172645463325252;

static unsigned
below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 11) % n;
}

static struct str
text_of(char room[64], const char *before, unsigned i, const char *after)
{
	return str_make(room, (size_t)snprintf(room, 64, "%s%u%s", before, i,
	    after));
}

static void
test_nothing_is_lost(void **state)
{
	static const unsigned sizes[] = { 0, 1, 31, 1000, 100000 };
	char room[64];

	(void)state;
	for (size_t k = 0; k < 5; k++) {
		struct sieve *s = sieve_new(sizes[k]);
		unsigned nwrong = 0;

		for (unsigned i = 0; i < sizes[k]; i++)
			sieve_add(s, text_of(room, "user", i, "@a.example"));
		assert_false(sieve_is_full(s));
		for (unsigned i = 0; i < sizes[k]; i++)
			assert_true(sieve_may_have(s,
			    text_of(room, "user", i, "@a.example")));
		for (unsigned i = 0; i < 20000; i++)
			nwrong += sieve_may_have(s,
			    text_of(room, "user", i, "@b.example"));
		assert_true(nwrong < 20000 / 500);
		for (unsigned i = 0; i <= sizes[k]; i++)
			sieve_add(s, STR(""));
		assert_true(sieve_is_full(s));
		assert_true(sieve_may_have(s, STR("")));
		sieve_free(&s);
		assert_null(s);
	}
}

/* One store: who changes it, who looks with a sieve, who without. */
struct trio {
	struct arena *a;
	const char *directory;
	char spec[256];
	struct store *writer, *sieved, *plain;
	struct suppress_import import;
	unsigned nmade, nfailed;
};

static void
trio_open(struct trio *t)
{
	*t = (struct trio){ .a = arena_new() };
	t->directory = fixture_directory(t->a);
	snprintf(t->spec, sizeof(t->spec), "sqlite:%s", t->directory);
	t->writer = fixture_open(t->spec, STORE_SUPPRESS, STORE_CHANGE, NOW);
	t->sieved = fixture_open(t->spec, STORE_SUPPRESS, STORE_READ, NOW);
	t->plain = fixture_open(t->spec, STORE_SUPPRESS, STORE_READ, NOW);
}

static void
trio_close(struct trio *t)
{
	store_close(&t->writer);
	store_close(&t->sieved);
	store_close(&t->plain);
	fixture_remove(t->directory);
	arena_free(&t->a);
}

static struct suppress_sieve *
make(struct store *s)
{
	const atomic_bool stop = false;

	return store_suppress_make_sieve(s, &stop,
	    store_deadline(FIXTURE_MILLIS));
}

static void
trio_sieve(struct trio *t)
{
	struct suppress_sieve *sieve = make(t->plain);

	assert_non_null(sieve);
	store_suppress_use_sieve(t->sieved, &sieve);
	assert_null(sieve);
	assert_false(store_suppress_wants_sieve(t->sieved));
	t->nmade++;
}

/* Each fourth is of a domain as a whole. */
static struct suppress_entry
entry_of(char room[64], unsigned i, int64_t expires)
{
	struct suppress_entry e = fixture_entry("", SUPPRESS_MANUAL, NOW - 10,
	    expires);

	e.address = text_of(room, i % 4 == 0 ? "@d" : "u@d", i, ".example");
	return e;
}

static void
compare(struct trio *t)
{
	struct suppress_query with[NADDRESSES], without[NADDRESSES];
	struct arena *found = arena_new();
	char rooms[NADDRESSES][64];

	for (unsigned i = 0; i < NADDRESSES; i++)
		with[i] = without[i] = (struct suppress_query){
			.address = text_of(rooms[i], "u@d", i, ".example") };
	store_suppress_find(t->sieved, found, with, NADDRESSES,
	    store_deadline(FIXTURE_MILLIS));
	store_suppress_find(t->plain, found, without, NADDRESSES,
	    store_deadline(FIXTURE_MILLIS));
	for (unsigned i = 0; i < NADDRESSES; i++) {
		assert_int_equal(without[i].answer == STORE_UNKNOWN, 0);
		assert_int_equal(with[i].answer, without[i].answer);
		if (with[i].answer == STORE_YES)
			assert_true(str_eq(with[i].entry.address,
			    without[i].entry.address));
	}
	arena_free(&found);
	t->nfailed += store_suppress_wants_sieve(t->sieved);
}

static void
import_some(struct trio *t)
{
	struct suppress_change v[3];
	char rooms[3][64];

	if (t->import.id == 0 || t->import.is_undone) {
		t->import = (struct suppress_import){ .source = STR("file") };
		assert_int_equal(store_import_begin(t->writer, &t->import,
		    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	}
	for (unsigned i = 0; i < 3; i++)
		v[i] = fixture_change(SUPPRESS_PUT,
		    entry_of(rooms[i], below(NADDRESSES), 0));
	assert_int_equal(store_import_slice(t->writer, &t->import, v, 3,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
}

static void
undo(struct trio *t)
{
	uint64_t removed, restored;

	if (t->import.id == 0)
		return;
	assert_int_equal(store_import_undo(t->writer, t->import.id, STR("t"),
	    &removed, &restored), STORE_YES);
	t->import.is_undone = true;
}

static void
step(struct trio *t)
{
	int64_t expires = below(3) == 0 ? NOW - 1 + below(3) : 0;
	char room[64];
	bool more;

	switch (below(40)) {
	case 0:
		import_some(t);
		break;
	case 1:
		undo(t);
		break;
	case 2:
		store_suppress_purge(t->writer, 10, &more,
		    store_deadline(FIXTURE_MILLIS));
		break;
	case 3: case 4: case 5: case 6: case 7: case 8: case 9:
		fixture_do(t->writer, SUPPRESS_REMOVE,
		    entry_of(room, below(NADDRESSES), 0));
		break;
	case 10: case 11:
		trio_sieve(t);
		break;
	default:
		fixture_do(t->writer, SUPPRESS_PUT,
		    entry_of(room, below(NADDRESSES), expires));
		break;
	}
}

/* Sieves last over puts and removals, and go when an import comes. */
static void
test_same_answers(void **state)
{
	struct trio t;

	(void)state;
	trio_open(&t);
	for (unsigned i = 0; i < NSTEPS; i++) {
		step(&t);
		compare(&t);
	}
	assert_true(t.nmade > 20);
	assert_true(t.nfailed > 20 && t.nfailed < NSTEPS / 2);
	trio_close(&t);
}

/* Puts n addresses in transactions of many. */
static void
put_many(struct trio *t, unsigned n)
{
	enum { MANY = 500 };
	static struct suppress_change v[MANY];
	static char rooms[MANY][64];

	for (unsigned i = 0; i < n; i += MANY) {
		for (unsigned k = 0; k < MANY; k++) {
			v[k] = fixture_change(SUPPRESS_PUT,
			    fixture_entry("", SUPPRESS_MANUAL, NOW, 0));
			v[k].entry.address = text_of(rooms[k], "x",
			    i + k, "@many.example");
		}
		assert_int_equal(store_suppress_change(t->writer, v, MANY,
		    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	}
}

static enum store_answer
look(struct trio *t, const char *address)
{
	return fixture_find(t->sieved, t->a, address, NULL).answer;
}

/* Up to 10,000 are taken in; of more the log does not tell. */
static void
test_many_additions(void **state)
{
	struct trio t;

	(void)state;
	trio_open(&t);
	trio_sieve(&t);
	put_many(&t, 9500);
	assert_int_equal(look(&t, "x9499@many.example"), STORE_YES);
	assert_false(store_suppress_wants_sieve(t.sieved));
	trio_sieve(&t);
	assert_int_equal(look(&t, "x9500@many.example"), STORE_NO);
	put_many(&t, 20000 + 1000);
	assert_int_equal(look(&t, "x0@many.example"), STORE_YES);
	assert_int_equal(look(&t, "x9500@many.example"), STORE_YES);
	assert_int_equal(look(&t, "x20999@many.example"), STORE_YES);
	assert_true(store_suppress_wants_sieve(t.sieved));
	trio_close(&t);
}

/* Somebody with a shell of SQLite's is followed, too. */
static void
test_other_writers(void **state)
{
	struct trio t;
	sqlite3 *db;
	char path[300];

	(void)state;
	trio_open(&t);
	fixture_do(t.writer, SUPPRESS_PUT, fixture_entry("a@b.example",
	    SUPPRESS_MANUAL, NOW, 0));
	trio_sieve(&t);
	assert_int_equal(look(&t, "c@d.example"), STORE_NO);
	snprintf(path, sizeof(path), "%s/suppress.db", t.directory);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "INSERT INTO suppressions SELECT"
	    " 'c@d.example', domain, stream, list, reason, created, expires,"
	    " source, evidence, 7 FROM suppressions", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(look(&t, "c@d.example"), STORE_YES);
	assert_int_equal(sqlite3_exec(db, "UPDATE suppressions SET"
	    " address = '@e.example' WHERE address = 'c@d.example'", NULL,
	    NULL, NULL), SQLITE_OK);
	assert_int_equal(look(&t, "c@d.example"), STORE_NO);
	assert_int_equal(look(&t, "c@e.example"), STORE_YES);
	assert_false(store_suppress_wants_sieve(t.sieved));
	/* a log that was tampered with is not believed */
	assert_int_equal(sqlite3_exec(db, "INSERT INTO suppressions SELECT"
	    " 'f@g.example', domain, stream, list, reason, created, expires,"
	    " source, evidence, 0 FROM suppressions LIMIT 1;"
	    "DELETE FROM additions", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(look(&t, "f@g.example"), STORE_YES);
	assert_true(store_suppress_wants_sieve(t.sieved));
	sqlite3_close(db);
	trio_close(&t);
}

/* What was removed since comes back with a backup, which no log tells. */
static void
test_restored(void **state)
{
	char path[300], backup[310];
	sqlite3 *from, *to;
	sqlite3_backup *b;
	struct trio t;

	(void)state;
	trio_open(&t);
	fixture_do(t.writer, SUPPRESS_PUT, fixture_entry("a@b.example",
	    SUPPRESS_MANUAL, NOW, 0));
	snprintf(path, sizeof(path), "%s/suppress.db", t.directory);
	snprintf(backup, sizeof(backup), "%s/backup.db", t.directory);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sqlite3_open(i == 0 ? path : backup, &from),
		    SQLITE_OK);
		assert_int_equal(sqlite3_open(i == 0 ? backup : path, &to),
		    SQLITE_OK);
		b = sqlite3_backup_init(to, "main", from, "main");
		assert_non_null(b);
		assert_int_equal(sqlite3_backup_step(b, -1), SQLITE_DONE);
		sqlite3_backup_finish(b);
		sqlite3_close(from);
		sqlite3_close(to);
		if (i > 0)
			break;
		fixture_do(t.writer, SUPPRESS_REMOVE, fixture_entry(
		    "a@b.example", SUPPRESS_MANUAL, NOW, 0));
		trio_sieve(&t);
		assert_int_equal(look(&t, "a@b.example"), STORE_NO);
	}
	assert_int_equal(look(&t, "a@b.example"), STORE_YES);
	trio_close(&t);
}

/* Another file's sieve knows nothing of ours. */
static void
test_other_file(void **state)
{
	struct suppress_sieve *sieve;
	struct trio t, other;

	(void)state;
	trio_open(&t);
	trio_open(&other);
	fixture_do(t.writer, SUPPRESS_PUT, fixture_entry("a@b.example",
	    SUPPRESS_MANUAL, NOW, 0));
	sieve = make(other.plain);
	assert_non_null(sieve);
	store_suppress_use_sieve(t.sieved, &sieve);
	assert_null(sieve);
	assert_true(store_suppress_wants_sieve(t.sieved));
	assert_int_equal(look(&t, "a@b.example"), STORE_YES);
	/* the file is replaced under a handle that has a sieve */
	trio_sieve(&other);
	assert_int_equal(look(&other, "a@b.example"), STORE_NO);
	store_close(&other.writer);
	store_close(&other.plain);
	fixture_remove(other.directory);
	assert_int_equal(mkdir(other.directory, 0700), 0);
	other.writer = fixture_open(other.spec, STORE_SUPPRESS, STORE_CHANGE,
	    NOW);
	other.plain = fixture_open(other.spec, STORE_SUPPRESS, STORE_READ,
	    NOW);
	fixture_do(other.writer, SUPPRESS_PUT, fixture_entry("a@b.example",
	    SUPPRESS_MANUAL, NOW, 0));
	assert_int_equal(look(&other, "a@b.example"), STORE_YES);
	trio_close(&other);
	trio_close(&t);
}

static void
test_none(void **state)
{
	const atomic_bool stop = true;
	struct store *memory = fixture_open("memory:", STORE_SUPPRESS,
	    STORE_CHANGE, NOW);
	struct suppress_sieve *sieve = NULL;
	struct trio t;

	(void)state;
	assert_null(make(memory));
	assert_false(store_suppress_wants_sieve(memory));
	store_suppress_use_sieve(memory, &sieve);
	store_close(&memory);
	trio_open(&t);
	fixture_do(t.writer, SUPPRESS_PUT, fixture_entry("a@b.example",
	    SUPPRESS_MANUAL, NOW, 0));
	assert_null(store_suppress_make_sieve(t.plain, &stop,
	    store_deadline(FIXTURE_MILLIS)));
	assert_int_equal(look(&t, "a@b.example"), STORE_YES);
	trio_close(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_lost),
		cmocka_unit_test(test_same_answers),
		cmocka_unit_test(test_many_additions),
		cmocka_unit_test(test_other_writers),
		cmocka_unit_test(test_restored),
		cmocka_unit_test(test_other_file),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
