/*
 * driver_sqlite_open.c - opens a database file with care: what it is, how it
 * waits, whether it is still the same.  Creating it is another file's.
 */
#include "store/driver_sqlite_open.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* After a failure it is opened again no sooner than this. */
#define REOPEN_NANOS 100000000
/* Polling for a lock: shorter than the pause between slices of an import. */
#define POLL_NANOS 400000
/* Instructions of SQLite's machine between two looks at the clock. */
#define PROGRESS_STEPS 2000

void
sqlite_file_init(struct sqlite_file *f, const struct sqlite_schema *schema,
    struct str directory, enum store_access access)
{
	sqlite_file_init_name(f, schema, directory, schema->name, access);
}

void
sqlite_file_init_name(struct sqlite_file *f,
    const struct sqlite_schema *schema, struct str directory,
    const char *name, enum store_access access)
{
	size_t n = directory.n + strlen(name) + 2;

	*f = (struct sqlite_file){ .schema = schema, .access = access,
		.path = mem_alloc(n) };
	snprintf(f->path, n, "%.*s/%s", STR_ARG(directory), name);
}

void
sqlite_file_close(struct sqlite_file *f)
{
	for (size_t i = 0; i < SQLITE_FILE_STATEMENTS; i++) {
		sqlite3_finalize(f->statements[i]);
		f->statements[i] = NULL;
	}
	sqlite3_close(f->db);
	f->db = NULL;
	f->is_broken = false;
}

void
sqlite_file_free(struct sqlite_file *f)
{
	if (f->path == NULL)
		return;
	sqlite_file_close(f);
	free(f->path);
	f->path = NULL;
}

static int
wait_a_little(void *arg, int ntries)
{
	const struct sqlite_file *f = arg;
	int64_t left = f->deadline - clock_monotonic();
	struct timespec t = { .tv_nsec = left < POLL_NANOS ? left :
		POLL_NANOS };

	(void)ntries;
	if (left <= 0)
		return 0;
	nanosleep(&t, NULL);
	return 1;
}

void
sqlite_file_yield(void)
{
	struct timespec t = { .tv_nsec = 4 * POLL_NANOS };

	nanosleep(&t, NULL);
}

static int
is_late(void *arg)
{
	const struct sqlite_file *f = arg;

	return clock_monotonic() >= f->deadline;
}

/* What people can do something about is said in their words. */
static const char *
cause(int code)
{
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return "locked by another process until the deadline";
	case SQLITE_INTERRUPT:
		return "not done by the deadline";
	case SQLITE_FULL:
		return "no space left on the disk";
	case SQLITE_READONLY:
		return "cannot be written: no permission, or a read-only "
		    "file system";
	case SQLITE_NOTADB:
		return "damaged, or no SQLite database";
	case SQLITE_CORRUPT:
		return "damaged";
	default:
		return NULL;
	}
}

void
sqlite_explain(struct sqlite_file *f, struct driver_call *call)
{
	int code = sqlite3_extended_errcode(f->db);
	int error = sqlite3_system_errno(f->db);
	const char *text = cause(code);
	bool is_system = (code & 0xff) == SQLITE_IOERR ||
	    (code & 0xff) == SQLITE_CANTOPEN;

	driver_unknown(call, "%s: %s%s%s (SQLite error %d)", f->path,
	    text != NULL ? text : sqlite3_errmsg(f->db),
	    is_system && error != 0 ? ": " : "",
	    is_system && error != 0 ? strerror(error) : "", code);
}

static enum store_answer
check_file(const struct sqlite_file *f, struct driver_call *call)
{
	struct stat st;

	if (stat(f->path, &st) != 0)
		return driver_unknown(call, "%s: %s", f->path, errno == ENOENT ?
		    "does not exist: nothing was stored there yet, or the "
		    "directory is wrong" : strerror(errno));
	if (!S_ISREG(st.st_mode))
		return driver_unknown(call, "%s: no regular file", f->path);
	if (st.st_size == 0)
		return driver_unknown(call, "%s: empty: it was cut off, or "
		    "made by hand", f->path);
	return STORE_YES;
}

static enum store_answer
open_database(struct sqlite_file *f, struct driver_call *call)
{
	int rc = sqlite3_open_v2(f->path, &f->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);

	if (f->db == NULL)
		return driver_unknown(call, "%s: out of memory", f->path);
	sqlite3_extended_result_codes(f->db, 1);
	if (rc != SQLITE_OK)
		return sqlite_file_failed(f, call);
	sqlite3_busy_handler(f->db, wait_a_little, f);
	sqlite3_progress_handler(f->db, PROGRESS_STEPS, is_late, f);
	sqlite3_db_config(f->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(f->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (sqlite_migrate(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	if (sqlite3_exec(f->db, f->schema->pragmas, NULL, NULL, NULL) !=
	    SQLITE_OK)
		return sqlite_file_failed(f, call);
	if (f->access == STORE_READ && sqlite3_exec(f->db,
	    "PRAGMA query_only = ON", NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_file_failed(f, call);
	return STORE_YES;
}

static enum store_answer
try_open(struct sqlite_file *f, struct driver_call *call)
{
	enum store_answer answer = sqlite_create(f, call);

	if (answer == STORE_YES)
		answer = check_file(f, call);
	if (answer == STORE_YES)
		answer = open_database(f, call);
	return answer;
}

/* What was opened, to know it again. */
static void
identify_file(struct sqlite_file *f)
{
	struct stat st = { .st_size = 0 };

	f->size = 0;
	f->inode = stat(f->path, &st) == 0 ? st.st_ino : 0;
	f->device = st.st_dev;
}

bool
sqlite_file_is_there(struct sqlite_file *f)
{
	struct stat st;

	if (stat(f->path, &st) != 0 || st.st_ino != f->inode ||
	    st.st_dev != f->device || st.st_size < f->size)
		return false;
	f->size = st.st_size;
	return true;
}

/* Between opening and now, when its name is looked at. */
static bool
was_not_moved(struct sqlite_file *f, struct driver_call *call)
{
	int moved = 0;

	identify_file(f);
	sqlite3_file_control(f->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
	if (moved)
		driver_unknown(call, "%s: replaced while it was opened",
		    f->path);
	return !moved;
}

enum store_answer
sqlite_file_open(struct sqlite_file *f, struct driver_call *call)
{
	int64_t now = clock_monotonic();

	if (f->db != NULL)
		return STORE_YES;
	if (now < f->next_open)
		return driver_unknown(call, "%s", f->why);
	f->deadline = call->deadline;
	if (try_open(f, call) == STORE_YES && was_not_moved(f, call)) {
		f->generation++;
		f->next_open = 0;
		return STORE_YES;
	}
	sqlite_file_close(f);
	snprintf(f->why, sizeof(f->why), "%s", call->error);
	f->next_open = clock_monotonic() + REOPEN_NANOS;
	return STORE_UNKNOWN;
}
