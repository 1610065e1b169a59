/*
 * driver_sqlite_events.c - events-20261123.db: the schema of a day's file, and
 * adding to it.  Which file that is, is driver_sqlite_events_day.c's.
 */
#include "store/driver_sqlite_events.h"

static const char *const steps[] = {
	"CREATE TABLE events (n INTEGER PRIMARY KEY, id INTEGER NOT NULL,"
	" at INTEGER NOT NULL, kind INTEGER NOT NULL, verdict INTEGER NOT NULL,"
	" was INTEGER NOT NULL, stream INTEGER NOT NULL,"
	" hours INTEGER NOT NULL, rule TEXT NOT NULL, domain TEXT NOT NULL,"
	" campaign TEXT NOT NULL, list TEXT NOT NULL, recipient TEXT NOT NULL,"
	" url TEXT NOT NULL, instance TEXT NOT NULL, queue_id TEXT NOT NULL,"
	" message_id TEXT NOT NULL, detail TEXT NOT NULL,"
	" metadata TEXT NOT NULL, visitor TEXT NOT NULL);"
	"CREATE TABLE state (name TEXT NOT NULL PRIMARY KEY,"
	" value NOT NULL) WITHOUT ROWID;",
};

#define COLUMNS                                                                \
	"id, at, kind, verdict, was, stream, hours, rule, domain, campaign,"   \
	" list, recipient, url, instance, queue_id, message_id, detail,"       \
	" metadata, visitor"

/* An address may be in a link, whoever clicked it. */
#define HAS_ADDRESS "(url <> '' AND mentions(url, ?1))"
#define IS_KNOWN                                                               \
	"(recipient = ?1 OR (recipient = ?2 AND (visitor <> '' OR"             \
	" metadata <> '')) OR " HAS_ADDRESS ")"

static const char *const statements[] = {
	"SELECT coalesce(max(n), 0),"
	" coalesce((SELECT value FROM state WHERE name = 'base'), 0),"
	" EXISTS (SELECT 1 FROM state WHERE name = 'sealed') FROM events",
	"INSERT INTO events (n, " COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
	" ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
	"INSERT INTO state (name, value) VALUES (?1, ?2)"
	" ON CONFLICT DO UPDATE SET value = ?2",
	"SELECT n, " COLUMNS " FROM events WHERE n > ?1 ORDER BY n LIMIT ?2",
	"SELECT n FROM events WHERE at >= ?1 ORDER BY n LIMIT 1",
	"SELECT n FROM events WHERE n > ?3 AND " IS_KNOWN " ORDER BY n LIMIT 1",
	"UPDATE events SET"
	" recipient = CASE recipient WHEN ?1 THEN ?2 ELSE recipient END,"
	" visitor = CASE WHEN recipient IN (?1, ?2) THEN '' ELSE visitor END,"
	" metadata = CASE WHEN recipient IN (?1, ?2) THEN '' ELSE metadata END,"
	" url = CASE WHEN " HAS_ADDRESS " THEN '' ELSE url END"
	" WHERE n >= ?3 AND n < ?4 AND " IS_KNOWN,
	"SELECT count(*) FROM events WHERE " IS_KNOWN,
};

/*
 * What is replaced is overwritten, in the free parts of pages, too: see
 * sqlite_events_forget().
 */
const struct sqlite_schema sqlite_schema_events = {
	.name = "events.db", /* of the kind; a file's has its day */
	.application_id = 0x426c6b04,
	.pragmas = "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -2048;"
	    "PRAGMA secure_delete = ON; PRAGMA journal_size_limit = 4194304",
	.steps = steps,
	.nsteps = sizeof(steps) / sizeof(steps[0]),
	.statements = statements,
	.nstatements = sizeof(statements) / sizeof(statements[0]),
};

/* As unsigned, with all its bits. */
static int64_t
as_stored(uint64_t v)
{
	int64_t out;

	memcpy(&out, &v, sizeof(out));
	return out;
}

static bool
insert(struct sqlite_file *f, int64_t n, const struct event *event)
{
	sqlite3_stmt *s = sqlite_file_statement(f, EVENTS_INSERT);
	struct event e = *event;
	struct str *texts[EVENT_TEXTS];

	if (s == NULL)
		return false;
	event_texts(&e, texts);
	sqlite_bind_int(s, 1, n);
	sqlite_bind_int(s, 2, as_stored(e.id));
	sqlite_bind_int(s, 3, e.at);
	sqlite_bind_int(s, 4, e.kind);
	sqlite_bind_int(s, 5, e.verdict);
	sqlite_bind_int(s, 6, e.was);
	sqlite_bind_int(s, 7, e.stream);
	sqlite_bind_int(s, 8, e.hours);
	for (int i = 0; i < EVENT_TEXTS; i++)
		sqlite_bind_str(s, 9 + i, *texts[i]);
	return sqlite_run(s);
}

static enum store_answer
add(struct driver *driver, struct driver_call *call, const struct event *v,
    size_t n)
{
	struct sqlite_events *e = &((struct sqlite_driver *)driver)->events;
	struct sqlite_events_state state;
	bool is_well = true;
	int64_t last;

	if (sqlite_events_begin(e, &state, call) != STORE_YES)
		return STORE_UNKNOWN;
	last = state.last > state.base ? state.last : state.base;
	for (size_t i = 0; is_well && i < n; i++)
		is_well = insert(&e->write, ++last, &v[i]);
	return is_well ? sqlite_file_commit(&e->write, call) :
	    sqlite_file_failed(&e->write, call);
}

const struct driver_event_ops sqlite_event_ops = {
	.add = add,
	.scan = sqlite_events_scan,
	.seek = sqlite_events_seek,
	.oldest = sqlite_events_oldest,
	.key = sqlite_events_key,
	.forget = sqlite_events_forget,
	.purge = sqlite_events_purge,
};
