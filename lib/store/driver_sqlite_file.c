/*
 * driver_sqlite_file.c - one database file: transactions by deadline,
 * statements, and what is done about failures.  Opening is
 * driver_sqlite_open.c's.
 */
#include "store/driver_sqlite.h"

#include <string.h>

#include "store/driver_sqlite_open.h"

enum store_answer
sqlite_file_failed(struct sqlite_file *f, struct driver_call *call)
{
	int code = sqlite3_errcode(f->db) & 0xff; /* until the next call */

	sqlite_explain(f, call);
	if (code != SQLITE_BUSY && code != SQLITE_INTERRUPT)
		f->is_broken = true;
	sqlite_file_rollback(f);
	if (f->is_broken)
		sqlite_file_close(f);
	return STORE_UNKNOWN;
}

static enum store_answer
begin(struct sqlite_file *f, struct driver_call *call, bool is_write)
{
	sqlite3_stmt *statement;

	if (f->db != NULL && !sqlite_file_is_there(f))
		sqlite_file_close(f);
	if (f->db == NULL && sqlite_file_open(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	f->deadline = call->deadline;
	statement = sqlite_file_statement(f, is_write ? SQLITE_BEGIN_WRITE :
	    SQLITE_BEGIN_READ);
	if (statement == NULL || !sqlite_run(statement))
		return sqlite_file_failed(f, call);
	return STORE_YES;
}

enum store_answer
sqlite_file_read(struct sqlite_file *f, struct driver_call *call)
{
	return begin(f, call, false);
}

enum store_answer
sqlite_file_write(struct sqlite_file *f, struct driver_call *call)
{
	return begin(f, call, true);
}

enum store_answer
sqlite_file_commit(struct sqlite_file *f, struct driver_call *call)
{
	sqlite3_stmt *statement = sqlite_file_statement(f, SQLITE_COMMIT);

	/*
	 * What is complete is made durable even when the deadline passes
	 * meanwhile: there is nothing left to wait for but the disk.
	 */
	f->deadline = INT64_MAX;
	if (statement == NULL || !sqlite_run(statement))
		return sqlite_file_failed(f, call);
	return STORE_YES;
}

void
sqlite_file_relax(struct sqlite_file *f, int npages)
{
	if (f->db == NULL)
		return;
	sqlite3_exec(f->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
	sqlite3_db_config(f->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_wal_autocheckpoint(f->db, npages);
}

/* The schema's own, or the file is opened anew with them. */
void
sqlite_file_strict(struct sqlite_file *f)
{
	if (f->db != NULL && (sqlite3_db_config(f->db,
	    SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, NULL) != SQLITE_OK ||
	    sqlite3_exec(f->db, f->schema->pragmas, NULL, NULL, NULL) !=
	    SQLITE_OK))
		sqlite_file_close(f);
}

void
sqlite_file_rollback(struct sqlite_file *f)
{
	for (size_t i = 0; i < SQLITE_FILE_STATEMENTS; i++)
		if (f->statements[i] != NULL)
			sqlite3_reset(f->statements[i]);
	f->deadline = INT64_MAX;
	if (sqlite3_get_autocommit(f->db) == 0 &&
	    sqlite3_exec(f->db, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
		f->is_broken = true;
}

static const char *
text_of(const struct sqlite_file *f, size_t number)
{
	static const char *const common[] = {
		[SQLITE_BEGIN_READ] = "BEGIN",
		[SQLITE_BEGIN_WRITE] = "BEGIN IMMEDIATE",
		[SQLITE_COMMIT] = "COMMIT",
		[SQLITE_DATA_VERSION] = "PRAGMA data_version",
	};

	return number < SQLITE_FIRST_OWN ? common[number] :
	    f->schema->statements[number - SQLITE_FIRST_OWN];
}

sqlite3_stmt *
sqlite_file_statement(struct sqlite_file *f, size_t number)
{
	sqlite3_stmt **s = &f->statements[number];

	if (*s == NULL)
		sqlite3_prepare_v3(f->db, text_of(f, number), -1,
		    SQLITE_PREPARE_PERSISTENT, s, NULL);
	else
		sqlite3_reset(*s);
	return *s;
}

bool
sqlite_run(sqlite3_stmt *statement)
{
	int rc = sqlite3_step(statement);

	sqlite3_reset(statement); /* a failure's text outlives it */
	return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

void
sqlite_bind_str(sqlite3_stmt *statement, int number, struct str s)
{
	sqlite3_bind_text(statement, number, s.n > 0 ? s.p : "", (int)s.n,
	    SQLITE_STATIC);
}

void
sqlite_bind_bytes(sqlite3_stmt *statement, int number, struct str s)
{
	sqlite3_bind_blob(statement, number, s.n > 0 ? s.p : "", (int)s.n,
	    SQLITE_STATIC);
}

void
sqlite_bind_int(sqlite3_stmt *statement, int number, int64_t v)
{
	sqlite3_bind_int64(statement, number, v);
}

struct str
sqlite_str(sqlite3_stmt *statement, int number)
{
	const void *p = sqlite3_column_blob(statement, number);
	int n = sqlite3_column_bytes(statement, number);

	return p == NULL ? STR("") : str_make(p, (size_t)n);
}
