/*
 * driver_sqlite_rollup_forget.c - takes links with a person's address out of
 * rollups.db: what was counted goes to the campaign's row without a URL.
 */
#include "store/driver_sqlite_rollup.h"

#include <errno.h>
#include <unistd.h>

#include "store/driver_sqlite_mentions.h"

static enum store_answer
count(struct sqlite_file *f, struct driver_call *call, struct str address,
    uint64_t *n)
{
	sqlite3_stmt *s;

	if (sqlite_file_read(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	s = sqlite_file_statement(f, ROLLUP_FORGET_COUNT);
	if (s == NULL)
		return sqlite_file_failed(f, call);
	sqlite_bind_str(s, 1, address);
	if (sqlite3_step(s) != SQLITE_ROW)
		return sqlite_file_failed(f, call);
	*n = (uint64_t)sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return sqlite_file_commit(f, call);
}

static bool
run(struct sqlite_file *f, size_t statement, struct str address)
{
	sqlite3_stmt *s = sqlite_file_statement(f, statement);

	if (s == NULL)
		return false;
	if (sqlite3_bind_parameter_count(s) > 0)
		sqlite_bind_str(s, 1, address);
	return sqlite_run(s);
}

static enum store_answer
replace(struct sqlite_file *f, struct driver_call *call, struct str address)
{
	if (sqlite_file_write(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	if (!run(f, ROLLUP_FORGET_KEEP, address) ||
	    !run(f, ROLLUP_FORGET, address) ||
	    !run(f, ROLLUP_FORGET_COUNTED, address))
		return sqlite_file_failed(f, call);
	return sqlite_file_commit(f, call);
}

/* The log is emptied even for nothing: the last try may have ended early. */
enum store_answer
sqlite_rollup_forget(struct driver *driver, struct driver_call *call,
    struct str address, bool is_dry, uint64_t *n)
{
	struct sqlite_file *f = &((struct sqlite_driver *)driver)->rollups;
	enum store_answer answer;

	*n = 0;
	if (access(f->path, F_OK) != 0 && errno == ENOENT)
		return STORE_YES;
	answer = sqlite_add_mentions(f, call);
	if (answer == STORE_YES)
		answer = count(f, call, address, n);
	if (answer != STORE_YES || is_dry)
		return answer;
	if (*n > 0)
		answer = replace(f, call, address);
	return answer == STORE_YES ? sqlite_empty_log(f, call) : answer;
}
