/*
 * driver_sqlite_schema.c - the files' schemas, and how an older one becomes
 * the newest.  A version that was released is never edited: add a step.
 */
#include "store/driver_sqlite_open.h"

#include <inttypes.h>
#include <stdio.h>

bool
sqlite_number(struct sqlite_file *f, const char *sql, int64_t *out)
{
	sqlite3_stmt *s = NULL;
	bool is_well = sqlite3_prepare_v2(f->db, sql, -1, &s, NULL) ==
	    SQLITE_OK && sqlite3_step(s) == SQLITE_ROW;

	*out = is_well ? sqlite3_column_int64(s, 0) : 0;
	sqlite3_finalize(s); /* a failure's text outlives it */
	return is_well;
}

struct identity {
	int64_t application, version;
};

static bool
identify(struct sqlite_file *f, struct identity *id)
{
	return sqlite_number(f, "PRAGMA application_id", &id->application) &&
	    sqlite_number(f, "PRAGMA user_version", &id->version);
}

/* STORE_YES: it is ours and not too new. */
static enum store_answer
check_identity(struct sqlite_file *f, struct driver_call *call,
    const struct identity *id)
{
	if (id->application != f->schema->application_id)
		return driver_unknown(call, "%s: another program's database "
		    "(application_id %" PRId64 "), or another kind of "
		    "Bulkhead's", f->path, id->application);
	if (id->version > (int64_t)f->schema->nsteps)
		return driver_unknown(call, "%s: schema %" PRId64 " is newer "
		    "than this program's %zu: use the newer program", f->path,
		    id->version, f->schema->nsteps);
	if (f->access == STORE_READ &&
	    id->version < (int64_t)f->schema->nsteps)
		return driver_unknown(call, "%s: schema %" PRId64 " is older "
		    "than this program's %zu: it is brought forward when "
		    "bulkhead-policyd or a command that changes it runs",
		    f->path, id->version, f->schema->nsteps);
	return STORE_YES;
}

bool
sqlite_run_steps(sqlite3 *db, const struct sqlite_schema *schema,
    int64_t version)
{
	char sql[128];

	for (size_t i = (size_t)version; i < schema->nsteps; i++)
		if (sqlite3_exec(db, schema->steps[i], NULL, NULL, NULL) !=
		    SQLITE_OK)
			return false;
	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; "
	    "PRAGMA user_version = %zu", schema->application_id,
	    schema->nsteps);
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* Alone: what two processes find at the same time, one of them does. */
static enum store_answer
bring_forward(struct sqlite_file *f, struct driver_call *call)
{
	struct identity id;
	enum store_answer answer;

	if (sqlite3_exec(f->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) !=
	    SQLITE_OK || !identify(f, &id))
		return sqlite_file_failed(f, call);
	answer = check_identity(f, call, &id);
	if (answer != STORE_YES) {
		sqlite_file_rollback(f);
		return answer;
	}
	if (!sqlite_run_steps(f->db, f->schema, id.version) ||
	    sqlite3_exec(f->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_file_failed(f, call);
	return STORE_YES;
}

enum store_answer
sqlite_migrate(struct sqlite_file *f, struct driver_call *call)
{
	struct identity id;
	enum store_answer answer;

	if (!identify(f, &id))
		return sqlite_file_failed(f, call);
	answer = check_identity(f, call, &id);
	if (answer != STORE_YES || f->access == STORE_READ)
		return answer;
	/* WAL is a property of the file; it cannot be set in a transaction */
	if (sqlite3_exec(f->db, "PRAGMA journal_mode = WAL", NULL, NULL,
	    NULL) != SQLITE_OK || sqlite3_exec(f->db,
	    "PRAGMA synchronous = FULL", NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_file_failed(f, call);
	if (id.version == (int64_t)f->schema->nsteps)
		return STORE_YES;
	return bring_forward(f, call);
}
