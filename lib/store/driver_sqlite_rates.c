/*
 * driver_sqlite_rates.c - rates.db: where store/rate.c's buckets outlive a
 * restart, and the lock that makes one process their owner.
 */
#include "store/driver_sqlite_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	RATE_LOAD = SQLITE_FIRST_OWN,
	RATE_PUT,
	RATE_DELETE,
	RATE_EXPIRE
};

static const char *const steps[] = {
	"CREATE TABLE rates (key BLOB NOT NULL PRIMARY KEY,"
	" tat INTEGER NOT NULL, period INTEGER NOT NULL,"
	" count INTEGER NOT NULL, burst INTEGER NOT NULL,"
	" expires INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX rates_expires ON rates (expires);",
};

static const char *const statements[] = {
	"SELECT key, tat, period, count, burst, expires FROM rates"
	" WHERE expires > ?1",
	"INSERT INTO rates (key, tat, period, count, burst, expires)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET"
	" tat = ?2, period = ?3, count = ?4, burst = ?5, expires = ?6",
	"DELETE FROM rates WHERE key = ?1",
	"DELETE FROM rates WHERE key IN (SELECT key FROM rates"
	" WHERE expires <= ?1 ORDER BY expires LIMIT 256)",
};

/*
 * FULL: in a log that is synced only when it is check-pointed a power failure
 * would take minutes of saves, and not the last second alone.
 */
const struct sqlite_schema sqlite_schema_rates = {
	.name = "rates.db",
	.application_id = 0x426c6b02,
	.pragmas = "PRAGMA synchronous = FULL; PRAGMA cache_size = -2048;"
	    "PRAGMA journal_size_limit = 4194304",
	.steps = steps,
	.nsteps = sizeof(steps) / sizeof(steps[0]),
	.statements = statements,
	.nstatements = sizeof(statements) / sizeof(statements[0]),
};

static enum store_answer
load(struct driver *driver, struct driver_call *call,
    void (*each)(void *arg, const struct driver_rate *r), void *arg)
{
	struct sqlite_file *f = &((struct sqlite_driver *)driver)->rates;
	sqlite3_stmt *s;
	int rc;

	if (sqlite_file_read(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	s = sqlite_file_statement(f, RATE_LOAD);
	if (s == NULL)
		return sqlite_file_failed(f, call);
	sqlite_bind_int(s, 1, call->now);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct driver_rate r = {
			.key = sqlite_str(s, 0),
			.tat = sqlite3_column_int64(s, 1),
			.rate = { .period = (uint64_t)sqlite3_column_int64(s,
			    2), .count = (uint64_t)sqlite3_column_int64(s, 3) },
			.burst = (uint64_t)sqlite3_column_int64(s, 4),
			.expires = sqlite3_column_int64(s, 5),
		};

		each(arg, &r);
	}
	if (rc != SQLITE_DONE)
		return sqlite_file_failed(f, call);
	sqlite3_reset(s);
	return sqlite_file_commit(f, call);
}

static bool
save_one(struct sqlite_file *f, const struct driver_rate *r)
{
	sqlite3_stmt *s = sqlite_file_statement(f, r->tat == 0 ?
	    RATE_DELETE : RATE_PUT);

	if (s == NULL)
		return false;
	sqlite_bind_bytes(s, 1, r->key);
	if (r->tat != 0) {
		sqlite_bind_int(s, 2, r->tat);
		sqlite_bind_int(s, 3, (int64_t)r->rate.period);
		sqlite_bind_int(s, 4, (int64_t)r->rate.count);
		sqlite_bind_int(s, 5, (int64_t)r->burst);
		sqlite_bind_int(s, 6, r->expires);
	}
	return sqlite_run(s);
}

static bool
expire_some(struct sqlite_file *f, int64_t now)
{
	sqlite3_stmt *s = sqlite_file_statement(f, RATE_EXPIRE);

	if (s == NULL)
		return false;
	sqlite_bind_int(s, 1, now);
	return sqlite_run(s);
}

static enum store_answer
save(struct driver *driver, struct driver_call *call,
    const struct driver_rate *v, size_t n)
{
	struct sqlite_file *f = &((struct sqlite_driver *)driver)->rates;
	bool is_well;

	if (sqlite_file_write(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	is_well = expire_some(f, call->now);
	for (size_t i = 0; is_well && i < n; i++)
		is_well = save_one(f, &v[i]);
	return is_well ? sqlite_file_commit(f, call) :
	    sqlite_file_failed(f, call);
}

const struct driver_rate_ops sqlite_rate_ops = {
	.load = load,
	.save = save,
};

/*
 * An open file description's lock (OFD): unlike a process's it is not lost
 * when another descriptor of the file is closed, and a second handle in the
 * same process meets it too.  The pid is written for people only.
 */
static bool
take_lock(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

/* The lock holds whether or not this can be written; one width for all. */
static void
write_pid(int fd)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%19ld\n", (long)getpid());
	ssize_t written = pwrite(fd, text, (size_t)n, 0);

	(void)written;
}

static long
read_pid(int fd)
{
	char text[32];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return strtol(text, NULL, 10);
}

/*
 * A new one is for all of the store's group, whatever the umask; where that
 * cannot be set, who comes later is told that he may not open it.
 */
static int
open_lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);

	if (fd < 0)
		return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
	(void)fchmod(fd, 0660);
	return fd;
}

int
sqlite_rates_lock(struct str directory, struct buf *errors)
{
	size_t size = directory.n + sizeof("/rates.lock");
	char *path = mem_alloc(size);
	int fd;

	snprintf(path, size, "%.*s/rates.lock", STR_ARG(directory));
	fd = open_lock(path);
	if (fd < 0) {
		buf_printf(errors, "%s: %s\n", path, strerror(errno));
	} else if (take_lock(fd)) {
		write_pid(fd);
	} else {
		if (errno == EAGAIN || errno == EACCES)
			buf_printf(errors, "%s: process %ld keeps the rates of "
			    "this store; only one may\n", path, read_pid(fd));
		else
			buf_printf(errors, "%s: %s\n", path, strerror(errno));
		close(fd);
		fd = -1;
	}
	free(path);
	return fd;
}
