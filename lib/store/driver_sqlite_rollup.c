/*
 * driver_sqlite_rollup.c - rollups.db: counts by day and by link, which mails
 * were seen already, and up to where events are in them.  Adding to them is
 * driver_sqlite_rollup_add.c's.
 */
#include "store/driver_sqlite_rollup.h"

#include <errno.h>
#include <unistd.h>

/* Purging stops for others after that long, and this long before its end. */
#define PURGE_NANOS 50000000
#define PURGE_LEAST 500000000

/*
 * seen: hours first, so that the mails of one sending lie side by side: what
 * is opened today was mostly sent today.
 */
static const char *const steps[] = {
	"CREATE TABLE totals (day INTEGER NOT NULL, domain TEXT NOT NULL,"
	" stream INTEGER NOT NULL, campaign TEXT NOT NULL, list TEXT NOT NULL,"
	" kind INTEGER NOT NULL, verdict INTEGER NOT NULL, n INTEGER NOT NULL,"
	" uniq INTEGER NOT NULL, PRIMARY KEY (day, domain, stream, campaign,"
	" list, kind, verdict)) WITHOUT ROWID;"
	"CREATE TABLE campaigns (id INTEGER PRIMARY KEY, domain TEXT NOT NULL,"
	" stream INTEGER NOT NULL, campaign TEXT NOT NULL,"
	" links INTEGER NOT NULL, UNIQUE (domain, stream, campaign));"
	"CREATE TABLE links (campaign INTEGER NOT NULL, url TEXT NOT NULL,"
	" n0 INTEGER NOT NULL, n1 INTEGER NOT NULL, n2 INTEGER NOT NULL,"
	" n3 INTEGER NOT NULL, n4 INTEGER NOT NULL, uniq INTEGER NOT NULL,"
	" PRIMARY KEY (campaign, url)) WITHOUT ROWID;"
	"CREATE TABLE seen (hours INTEGER NOT NULL, key INTEGER NOT NULL,"
	" n INTEGER NOT NULL, day INTEGER NOT NULL, verdict INTEGER NOT NULL,"
	" last INTEGER NOT NULL, PRIMARY KEY (hours, key)) WITHOUT ROWID;"
	"CREATE TABLE state (id INTEGER PRIMARY KEY, day INTEGER NOT NULL,"
	" n INTEGER NOT NULL, at INTEGER NOT NULL, key BLOB NOT NULL,"
	" purged INTEGER NOT NULL);"
	"INSERT INTO state VALUES (1, 0, 0, 0, randomblob(32), 0);",
};

#define ADD(column, i) column " = max(0, " column " + " i ")"

static const char *const statements[] = {
	"SELECT day, n, at, key FROM state WHERE id = 1",
	"UPDATE state SET day = ?1, n = ?2, at = ?3 WHERE id = 1",
	"INSERT INTO totals VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, max(0, ?8),"
	" max(0, ?9)) ON CONFLICT DO UPDATE SET " ADD("n", "?8") ", "
	ADD("uniq", "?9"),
	"SELECT n, day, verdict, last FROM seen WHERE hours = ?1 AND key = ?2",
	"INSERT OR REPLACE INTO seen VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	"DELETE FROM seen WHERE hours = ?1 AND key = ?2",
	"SELECT id, links FROM campaigns WHERE domain = ?1 AND stream = ?2"
	" AND campaign = ?3",
	"INSERT INTO campaigns (domain, stream, campaign, links)"
	" VALUES (?1, ?2, ?3, 0)",
	"UPDATE campaigns SET links = ?2 WHERE id = ?1",
	"UPDATE links SET " ADD("n0", "?3") ", " ADD("n1", "?4") ", "
	ADD("n2", "?5") ", " ADD("n3", "?6") ", " ADD("n4", "?7") ", "
	ADD("uniq", "?8") " WHERE campaign = ?1 AND url = ?2",
	"INSERT INTO links VALUES (?1, ?2, max(0, ?3), max(0, ?4),"
	" max(0, ?5), max(0, ?6), max(0, ?7), max(0, ?8))",
	"SELECT day, domain, stream, campaign, list, kind, verdict, n, uniq"
	" FROM totals WHERE day >= ?1 AND day < ?2"
	" AND (?3 IS NULL OR domain = ?3) AND (?4 IS NULL OR stream = ?4)"
	" AND (?5 IS NULL OR campaign = ?5) AND (n > 0 OR uniq > 0)"
	" ORDER BY day, domain, stream, campaign, list, kind, verdict",
	"SELECT c.domain, c.stream, c.campaign, l.url, l.n0, l.n1, l.n2, l.n3,"
	" l.n4, l.uniq FROM campaigns AS c JOIN links AS l"
	" ON l.campaign = c.id WHERE (?1 IS NULL OR c.domain = ?1)"
	" AND (?2 IS NULL OR c.stream = ?2)"
	" AND (?3 IS NULL OR c.campaign = ?3)"
	" AND l.n0 + l.n1 + l.n2 + l.n3 + l.n4 > 0"
	" ORDER BY l.n1 + l.n4 DESC, l.uniq DESC, c.domain, c.stream,"
	" c.campaign, l.url LIMIT ?4",
	"SELECT hours FROM seen WHERE hours > ?1 ORDER BY hours LIMIT 1",
	"DELETE FROM seen WHERE hours = ?1 AND last < ?2",
	"UPDATE state SET purged = ?1 WHERE id = 1",
	"SELECT purged FROM state WHERE id = 1",
	"SELECT count(*) FROM links WHERE mentions(url, ?1)",
	"INSERT INTO links SELECT campaign, '', sum(n0), sum(n1), sum(n2),"
	" sum(n3), sum(n4), sum(uniq) FROM links WHERE mentions(url, ?1)"
	" GROUP BY campaign ON CONFLICT DO UPDATE SET n0 = n0 + excluded.n0,"
	" n1 = n1 + excluded.n1, n2 = n2 + excluded.n2,"
	" n3 = n3 + excluded.n3, n4 = n4 + excluded.n4,"
	" uniq = uniq + excluded.uniq",
	"DELETE FROM links WHERE mentions(url, ?1)",
	"UPDATE campaigns SET links = (SELECT count(*) FROM links AS l"
	" WHERE l.campaign = campaigns.id)",
};

/* What is replaced or moved is overwritten: see sqlite_rollup_forget(). */
const struct sqlite_schema sqlite_schema_rollups = {
	.name = "rollups.db",
	.application_id = 0x426c6b05,
	.pragmas = "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384;"
	    "PRAGMA secure_delete = ON; PRAGMA journal_size_limit = 67108864",
	.steps = steps,
	.nsteps = sizeof(steps) / sizeof(steps[0]),
	.statements = statements,
	.nstatements = sizeof(statements) / sizeof(statements[0]),
};

static struct sqlite_file *
file_of(struct driver *driver)
{
	return &((struct sqlite_driver *)driver)->rollups;
}

/* Opened to read, and there is no file: nothing was rolled up yet. */
static bool
is_missing(const struct sqlite_file *f)
{
	return f->access == STORE_READ && f->db == NULL &&
	    f->generation == 0 && access(f->path, F_OK) != 0 &&
	    errno == ENOENT;
}

/* Within a transaction. */
static bool
read_state(struct sqlite_file *f, struct driver_rollup *out)
{
	sqlite3_stmt *s = sqlite_file_statement(f, ROLLUP_STATE);
	struct str key;

	if (s == NULL || sqlite3_step(s) != SQLITE_ROW)
		return false;
	*out = (struct driver_rollup){
		.cursor = { .day = (uint32_t)sqlite3_column_int64(s, 0),
		    .n = (uint64_t)sqlite3_column_int64(s, 1) },
		.at = sqlite3_column_int64(s, 2) };
	key = sqlite_str(s, 3);
	if (key.n == sizeof(out->key))
		memcpy(out->key, key.p, key.n);
	sqlite3_reset(s);
	return true;
}

static enum store_answer
begin(struct driver *driver, struct driver_call *call,
    struct driver_rollup *out)
{
	struct sqlite_file *f = file_of(driver);

	if (sqlite_file_write(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	return read_state(f, out) ? STORE_YES : sqlite_file_failed(f, call);
}

static bool
move(struct sqlite_file *f, const struct driver_rollup *now)
{
	sqlite3_stmt *s = sqlite_file_statement(f, ROLLUP_MOVE);

	if (s == NULL)
		return false;
	sqlite_bind_int(s, 1, now->cursor.day);
	sqlite_bind_int(s, 2, (int64_t)now->cursor.n);
	sqlite_bind_int(s, 3, now->at);
	return sqlite_run(s);
}

static enum store_answer
end(struct driver *driver, struct driver_call *call,
    struct rollup_batch *batch, const struct driver_rollup *now)
{
	struct sqlite_file *f = file_of(driver);
	enum store_answer answer;

	if (batch == NULL) {
		sqlite_file_rollback(f);
		return STORE_YES;
	}
	if (!sqlite_rollup_add(f, batch) || !move(f, now))
		return sqlite_file_failed(f, call);
	answer = sqlite_file_commit(f, call);
	if (batch->nevents > 0)
		sqlite_file_yield();
	return answer;
}

static enum store_answer
state(struct driver *driver, struct driver_call *call,
    struct driver_rollup *out)
{
	struct sqlite_file *f = file_of(driver);
	enum store_answer answer;

	*out = (struct driver_rollup){ .at = 0 };
	if (is_missing(f))
		return STORE_NO;
	if (sqlite_file_read(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	if (!read_state(f, out))
		return sqlite_file_failed(f, call);
	answer = sqlite_file_commit(f, call);
	return answer == STORE_YES && out->at == 0 ? STORE_NO : answer;
}

/* What is not filtered for stays NULL. */
static void
bind_filter(sqlite3_stmt *s, int first, const struct rollup_filter *filter)
{
	for (int i = first; i < first + 3; i++)
		sqlite3_bind_null(s, i);
	if (filter->domain.n > 0)
		sqlite_bind_str(s, first, filter->domain);
	if (filter->has_stream)
		sqlite_bind_int(s, first + 1, filter->stream);
	if (filter->has_campaign)
		sqlite_bind_str(s, first + 2, filter->campaign);
}

static void
read_row(sqlite3_stmt *s, struct rollup_row *out)
{
	*out = (struct rollup_row){
		.day = (uint32_t)sqlite3_column_int64(s, 0),
		.domain = sqlite_str(s, 1),
		.stream = (uint32_t)sqlite3_column_int64(s, 2),
		.campaign = sqlite_str(s, 3),
		.list = sqlite_str(s, 4),
		.kind = (enum event_kind)sqlite3_column_int(s, 5),
		.verdict = (enum event_verdict)sqlite3_column_int(s, 6),
		.n = (uint64_t)sqlite3_column_int64(s, 7),
		.unique = (uint64_t)sqlite3_column_int64(s, 8) };
}

static enum store_answer
walk(struct driver *driver, struct driver_call *call,
    const struct rollup_filter *filter,
    bool (*each)(void *arg, const struct rollup_row *row), void *arg)
{
	struct sqlite_file *f = file_of(driver);
	struct rollup_row row;
	sqlite3_stmt *s;
	int rc;

	if (is_missing(f))
		return STORE_YES;
	if (sqlite_file_read(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	s = sqlite_file_statement(f, ROLLUP_WALK);
	if (s == NULL)
		return sqlite_file_failed(f, call);
	sqlite_bind_int(s, 1, filter->from_day);
	sqlite_bind_int(s, 2, filter->until_day != 0 ? filter->until_day :
	    UINT32_MAX);
	bind_filter(s, 3, filter);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		read_row(s, &row);
		if (!each(arg, &row))
			break;
	}
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		return sqlite_file_failed(f, call);
	sqlite3_reset(s);
	return sqlite_file_commit(f, call);
}

static void
read_link(sqlite3_stmt *s, struct rollup_link *out)
{
	*out = (struct rollup_link){ .domain = sqlite_str(s, 0),
		.stream = (uint32_t)sqlite3_column_int64(s, 1),
		.campaign = sqlite_str(s, 2),
		.url = sqlite_str(s, 3),
		.unique = (uint64_t)sqlite3_column_int64(s, 9) };
	for (int i = 0; i < EVENT_VERDICTS; i++)
		out->n[i] = (uint64_t)sqlite3_column_int64(s, 4 + i);
}

static enum store_answer
links(struct driver *driver, struct driver_call *call,
    const struct rollup_filter *filter, size_t max,
    bool (*each)(void *arg, const struct rollup_link *link), void *arg)
{
	struct sqlite_file *f = file_of(driver);
	struct rollup_link link;
	sqlite3_stmt *s;
	int rc;

	if (is_missing(f))
		return STORE_YES;
	if (sqlite_file_read(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	s = sqlite_file_statement(f, ROLLUP_LINKS);
	if (s == NULL)
		return sqlite_file_failed(f, call);
	bind_filter(s, 1, filter);
	sqlite_bind_int(s, 4, max > INT64_MAX ? -1 : (int64_t)max);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		read_link(s, &link);
		if (!each(arg, &link))
			break;
	}
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		return sqlite_file_failed(f, call);
	sqlite3_reset(s);
	return sqlite_file_commit(f, call);
}

static bool
number_of(struct sqlite_file *f, size_t statement, int64_t arg, int64_t *out)
{
	sqlite3_stmt *s = sqlite_file_statement(f, statement);
	int rc;

	*out = -1;
	if (s == NULL)
		return false;
	if (sqlite3_bind_parameter_count(s) > 0)
		sqlite_bind_int(s, 1, arg);
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(s, 0);
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		sqlite3_reset(s);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

/*
 * All mails of one hour after the other, for a while: state.purged is 0 or the
 * day up to which nothing is left, and the table is not looked at for nothing.
 */
static bool
purge_some(struct sqlite_file *f, uint32_t before_day, int64_t *hours)
{
	int64_t until = clock_monotonic() + PURGE_NANOS;
	sqlite3_stmt *s;

	while (clock_monotonic() < until) {
		if (!number_of(f, ROLLUP_HOURS, *hours, hours))
			return false;
		if (*hours < 0)
			break;
		s = sqlite_file_statement(f, ROLLUP_PURGE);
		if (s == NULL)
			return false;
		sqlite_bind_int(s, 1, *hours);
		sqlite_bind_int(s, 2, before_day);
		if (!sqlite_run(s))
			return false;
	}
	if (*hours >= 0)
		return true;
	s = sqlite_file_statement(f, ROLLUP_PURGED);
	if (s == NULL)
		return false;
	sqlite_bind_int(s, 1, before_day);
	return sqlite_run(s);
}

static enum store_answer
purge(struct driver *driver, struct driver_call *call, uint32_t before_day)
{
	struct sqlite_file *f = file_of(driver);
	enum store_answer answer;
	int64_t hours = -1, purged;

	do {
		if (sqlite_file_write(f, call) != STORE_YES)
			return STORE_UNKNOWN;
		if (!number_of(f, ROLLUP_IS_PURGED, 0, &purged))
			return sqlite_file_failed(f, call);
		if (purged >= (int64_t)before_day)
			hours = -1;
		else if (!purge_some(f, before_day, &hours))
			return sqlite_file_failed(f, call);
		answer = sqlite_file_commit(f, call);
		if (hours >= 0)
			sqlite_file_yield();
	} while (answer == STORE_YES && hours >= 0 &&
	    clock_monotonic() < call->deadline - PURGE_LEAST);
	return answer;
}

const struct driver_rollup_ops sqlite_rollup_ops = {
	.begin = begin,
	.end = end,
	.state = state,
	.walk = walk,
	.links = links,
	.purge = purge,
	.forget = sqlite_rollup_forget,
};
