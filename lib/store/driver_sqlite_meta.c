/*
 * driver_sqlite_meta.c - meta.db: small keyed state with expiry.
 */
#include "store/driver_sqlite_open.h"

enum {
	META_GET = SQLITE_FIRST_OWN,
	META_PUT,
	META_DELETE,
	META_SCAN,
	META_EXPIRE
};

/* How many items one piece of a walk gives at most. */
#define SCAN_SIZE 256

static const char *const steps[] = {
	"CREATE TABLE meta (key BLOB NOT NULL PRIMARY KEY,"
	" value BLOB NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX meta_expires ON meta (expires) WHERE expires > 0;",
};

static const char *const statements[] = {
	"SELECT key, value, expires FROM meta WHERE key = ?1",
	"INSERT INTO meta (key, value, expires) VALUES (?1, ?2, ?3)"
	" ON CONFLICT DO UPDATE SET value = ?2, expires = ?3",
	"DELETE FROM meta WHERE key = ?1",
	"SELECT key, value, expires FROM meta WHERE key > ?1 AND key >= ?2"
	" ORDER BY key LIMIT ?3",
	"DELETE FROM meta WHERE key IN (SELECT key FROM meta"
	" WHERE expires > 0 AND expires <= ?1 ORDER BY expires LIMIT 64)",
};

const struct sqlite_schema sqlite_schema_meta = {
	.name = "meta.db",
	.application_id = 0x426c6b03,
	.pragmas = "PRAGMA synchronous = FULL; PRAGMA cache_size = -2048;"
	    "PRAGMA journal_size_limit = 4194304",
	.steps = steps,
	.nsteps = sizeof(steps) / sizeof(steps[0]),
	.statements = statements,
	.nstatements = sizeof(statements) / sizeof(statements[0]),
};

static void
read_item(sqlite3_stmt *s, struct arena *a, struct meta_item *out)
{
	out->key = arena_copy(a, sqlite_str(s, 0));
	out->value = arena_copy(a, sqlite_str(s, 1));
	out->expires = sqlite3_column_int64(s, 2);
}

static bool
is_live(const struct meta_item *item, int64_t now)
{
	return item->expires == 0 || item->expires > now;
}

static enum store_answer
get(struct driver *driver, struct driver_call *call, struct arena *a,
    struct str key, struct meta_item *out)
{
	struct sqlite_file *f = &((struct sqlite_driver *)driver)->meta;
	enum store_answer answer = STORE_NO;
	sqlite3_stmt *s;
	int rc;

	if (sqlite_file_read(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	s = sqlite_file_statement(f, META_GET);
	if (s == NULL)
		return sqlite_file_failed(f, call);
	sqlite_bind_bytes(s, 1, key);
	rc = sqlite3_step(s);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sqlite_file_failed(f, call);
	if (rc == SQLITE_ROW) {
		read_item(s, a, out);
		if (is_live(out, call->now))
			answer = STORE_YES;
	}
	sqlite3_reset(s);
	return sqlite_file_commit(f, call) == STORE_YES ? answer :
	    STORE_UNKNOWN;
}

static bool
put_item(struct sqlite_file *f, const struct meta_item *item)
{
	sqlite3_stmt *s = sqlite_file_statement(f, item->value.n > 0 ?
	    META_PUT : META_DELETE);

	if (s == NULL)
		return false;
	sqlite_bind_bytes(s, 1, item->key);
	if (item->value.n > 0) {
		sqlite_bind_bytes(s, 2, item->value);
		sqlite_bind_int(s, 3, item->expires);
	}
	return sqlite_run(s);
}

static bool
expire_some(struct sqlite_file *f, int64_t now)
{
	sqlite3_stmt *s = sqlite_file_statement(f, META_EXPIRE);

	if (s == NULL)
		return false;
	sqlite_bind_int(s, 1, now);
	return sqlite_run(s);
}

static enum store_answer
put(struct driver *driver, struct driver_call *call, const struct meta_item *v,
    size_t n)
{
	struct sqlite_driver *d = (struct sqlite_driver *)driver;
	struct sqlite_file *f = &d->meta;
	bool is_well;

	if (sqlite_file_write(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	is_well = expire_some(f, call->now);
	for (size_t i = 0; is_well && i < n; i++)
		is_well = put_item(f, &v[i]);
	d->meta_version++; /* data_version tells of others only */
	return is_well ? sqlite_file_commit(f, call) :
	    sqlite_file_failed(f, call);
}

static enum store_answer
scan(struct driver *driver, struct driver_call *call, struct arena *a,
    struct str prefix, struct str after, struct driver_items *out)
{
	struct sqlite_file *f = &((struct sqlite_driver *)driver)->meta;
	struct meta_item item = { .expires = 0 };
	sqlite3_stmt *s;
	size_t cap = 0;
	int rc;

	*out = (struct driver_items){ .is_end = true };
	if (sqlite_file_read(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	s = sqlite_file_statement(f, META_SCAN);
	if (s == NULL)
		return sqlite_file_failed(f, call);
	sqlite_bind_bytes(s, 1, after);
	sqlite_bind_bytes(s, 2, prefix);
	sqlite_bind_int(s, 3, -1);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		if (!str_starts(sqlite_str(s, 0), prefix) ||
		    out->n == SCAN_SIZE)
			break;
		read_item(s, a, &item);
		if (!is_live(&item, call->now))
			continue;
		out->v = arena_grow(a, out->v, out->n, &cap, sizeof(*out->v));
		out->v[out->n++] = item;
	}
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		return sqlite_file_failed(f, call);
	sqlite3_reset(s);
	out->is_end = out->n < SCAN_SIZE;
	return sqlite_file_commit(f, call);
}

static enum store_answer
version(struct driver *driver, struct driver_call *call, uint64_t *out)
{
	struct sqlite_driver *d = (struct sqlite_driver *)driver;
	struct sqlite_file *f = &d->meta;
	sqlite3_stmt *s;
	int64_t seen;

	if (sqlite_file_read(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	s = sqlite_file_statement(f, SQLITE_DATA_VERSION);
	if (s == NULL || sqlite3_step(s) != SQLITE_ROW)
		return sqlite_file_failed(f, call);
	seen = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	if (seen != d->meta_version_seen ||
	    f->generation != d->meta_generation_seen)
		d->meta_version++;
	d->meta_version_seen = seen;
	d->meta_generation_seen = f->generation;
	*out = d->meta_version;
	return sqlite_file_commit(f, call);
}

const struct driver_meta_ops sqlite_meta_ops = {
	.get = get,
	.put = put,
	.scan = scan,
	.version = version,
};
