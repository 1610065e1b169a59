/*
 * driver_sqlite_create.c - makes the directory and a new, complete database
 * file in it.  Opening what is there is driver_sqlite_open.c's.
 */
#include "store/driver_sqlite_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The directory of a path; the caller frees it. */
static char *
directory_of(const char *path)
{
	size_t n = (size_t)(strrchr(path, '/') - path);
	char *out = mem_alloc(n + 2);

	memcpy(out, path, n);
	out[n] = '\0';
	if (n == 0)
		memcpy(out, "/", 2);
	return out;
}

void
sqlite_sync_directory(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

static enum store_answer
make_directory(const char *dir, struct driver_call *call)
{
	char *parent;

	if (mkdir(dir, 0770) == 0) {
		parent = directory_of(dir);
		sqlite_sync_directory(parent);
		free(parent);
	} else if (errno != EEXIST) {
		return driver_unknown(call, "%s: cannot be created: %s", dir,
		    strerror(errno));
	}
	return STORE_YES;
}

enum store_answer
sqlite_check_directory(const char *dir, struct driver_call *call)
{
	struct stat st;

	if (stat(dir, &st) != 0)
		return driver_unknown(call, "%s: %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return driver_unknown(call, "%s: no directory", dir);
	if (st.st_mode & 02)
		return driver_unknown(call, "%s: everybody may write in it: "
		    "chmod o-w", dir);
	return STORE_YES;
}

enum store_answer
sqlite_make_directory(const char *directory, struct driver_call *call)
{
	enum store_answer answer = make_directory(directory, call);

	return answer != STORE_YES ? answer :
	    sqlite_check_directory(directory, call);
}

/*
 * All of a new file but its name: the tables, durable when true.  With a log
 * from the beginning: who opens it while another switches to one is told that
 * it is locked, at once.
 */
static bool
fill(const char *path, const struct sqlite_schema *schema, char *why,
    size_t size)
{
	sqlite3 *db = NULL;
	bool is_well = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
	    sqlite3_exec(db, "PRAGMA synchronous = FULL; "
	    "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE", NULL, NULL, NULL) ==
	    SQLITE_OK &&
	    sqlite_run_steps(db, schema, 0) &&
	    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;

	if (!is_well)
		snprintf(why, size, "%s", db == NULL ? "out of memory" :
		    sqlite3_errmsg(db));
	sqlite3_close(db);
	return is_well;
}

/*
 * Made beside it and linked to its name when it is whole, so that an empty
 * file is never a new one: it is one that was cut off.  SQLite would create it
 * 0644; its -wal and -shm get the modes of the file.
 */
static enum store_answer
make_file(const struct sqlite_file *f, const char *temporary,
    struct driver_call *call)
{
	enum store_answer answer = STORE_YES;
	char why[256];
	int fd;

	unlink(temporary);
	fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
	if (fd < 0)
		return driver_unknown(call, "%s: cannot be created: %s",
		    f->path, strerror(errno));
	if (fchmod(fd, 0660) != 0)
		answer = driver_unknown(call, "%s: %s", temporary,
		    strerror(errno));
	close(fd);
	if (answer == STORE_YES &&
	    !fill(temporary, f->schema, why, sizeof(why)))
		answer = driver_unknown(call, "%s: cannot be created: %s",
		    f->path, why);
	/* another process may have been faster: its file is as good */
	if (answer == STORE_YES && link(temporary, f->path) != 0 &&
	    errno != EEXIST)
		answer = driver_unknown(call, "%s: cannot be created: %s",
		    f->path, strerror(errno));
	unlink(temporary);
	return answer;
}

static enum store_answer
make_missing(const struct sqlite_file *f, const char *dir,
    struct driver_call *call)
{
	size_t size = strlen(f->path) + 64;
	enum store_answer answer;
	char *temporary;

	if (access(f->path, F_OK) == 0)
		return STORE_YES;
	temporary = mem_alloc(size);
	snprintf(temporary, size, "%s-new-%ld-%p", f->path, (long)getpid(),
	    (const void *)f);
	answer = make_file(f, temporary, call);
	free(temporary);
	sqlite_sync_directory(dir);
	return answer;
}

enum store_answer
sqlite_create(struct sqlite_file *f, struct driver_call *call)
{
	bool may_create = f->access == STORE_CHANGE && f->generation == 0;
	char *dir = directory_of(f->path);
	enum store_answer answer = STORE_YES;

	if (may_create)
		answer = make_directory(dir, call);
	if (answer == STORE_YES)
		answer = sqlite_check_directory(dir, call);
	if (answer == STORE_YES && may_create)
		answer = make_missing(f, dir, call);
	free(dir);
	return answer;
}
