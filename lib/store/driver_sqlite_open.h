/*
 * driver_sqlite_open.h - opening, closing and explaining, for the files of the
 * SQLite driver.
 */
#ifndef BULKHEAD_STORE_DRIVER_SQLITE_OPEN_H
#define BULKHEAD_STORE_DRIVER_SQLITE_OPEN_H

#include "store/driver_sqlite.h"

/* The statements that every file has; a schema's own follow. */
enum {
	SQLITE_BEGIN_READ,
	SQLITE_BEGIN_WRITE,
	SQLITE_COMMIT,
	SQLITE_DATA_VERSION,
	SQLITE_FIRST_OWN
};

/* Finalises the statements and closes; the next call opens it again. */
void sqlite_file_close(struct sqlite_file *f);

/* Writes why the last step failed to the call, for people. */
void sqlite_explain(struct sqlite_file *f, struct driver_call *call);

/*
 * Checks what the open file is by application_id and user_version and, for
 * STORE_CHANGE, brings it to the newest version.
 */
enum store_answer sqlite_migrate(struct sqlite_file *f,
    struct driver_call *call);

/* Runs the schema's steps from that version on, within a transaction. */
bool sqlite_run_steps(sqlite3 *db, const struct sqlite_schema *schema,
    int64_t version);

/*
 * STORE_CHANGE: checks the directory and makes what is missing.  Only for the
 * first opening: what vanishes from under a handle is not replaced by an empty
 * one, or all suppressions would be forgotten in silence.
 */
enum store_answer sqlite_create(struct sqlite_file *f,
    struct driver_call *call);

/* Makes the directory where it is missing, and checks it. */
enum store_answer sqlite_make_directory(const char *directory,
    struct driver_call *call);

/* STORE_YES: there is such a directory, and not everybody may write in it. */
enum store_answer sqlite_check_directory(const char *directory,
    struct driver_call *call);

/* What was made in it outlives a power failure. */
void sqlite_sync_directory(const char *directory);

/*
 * False: the file was deleted, replaced or cut off since it was opened, so
 * that what is written would be lost, and what is mapped is no longer there.
 */
bool sqlite_file_is_there(struct sqlite_file *f);

/* The one number that a statement gives; false when it fails. */
bool sqlite_number(struct sqlite_file *f, const char *sql, int64_t *out);

#endif
