/*
 * driver_sqlite_suppress.c - suppress.db: its schema, looking up, walking.
 * Changes are driver_sqlite_change.c's, imports driver_sqlite_import.c's.
 */
#include "store/driver_sqlite_suppress.h"

#include "store/suppress_rules.h"

/*
 * The key begins with the address, so that all that is known of an address
 * lies side by side: one seek whatever the scope.  No row ids: the key is the
 * table.  The history keeps what was replaced in the same order.
 */
#define ADDITIONS_TRIM                                                         \
	" DELETE FROM additions WHERE n <= last_insert_rowid() - 10000; "

static const char *const steps[] = {
	"CREATE TABLE suppressions ("
	" address TEXT NOT NULL, domain TEXT NOT NULL,"
	" stream INTEGER NOT NULL, list TEXT NOT NULL,"
	" reason INTEGER NOT NULL,"
	" created INTEGER NOT NULL, expires INTEGER NOT NULL,"
	" source TEXT NOT NULL, evidence TEXT NOT NULL,"
	" import INTEGER NOT NULL,"
	" PRIMARY KEY (address, domain, stream, list, reason)"
	") WITHOUT ROWID;"
	"CREATE INDEX suppressions_expires ON suppressions (expires)"
	" WHERE expires > 0;"
	"CREATE TABLE history ("
	" address TEXT NOT NULL, domain TEXT NOT NULL,"
	" stream INTEGER NOT NULL, list TEXT NOT NULL,"
	" reason INTEGER NOT NULL, n INTEGER NOT NULL,"
	" created INTEGER NOT NULL, expires INTEGER NOT NULL,"
	" source TEXT NOT NULL, evidence TEXT NOT NULL,"
	" import INTEGER NOT NULL,"
	" at INTEGER NOT NULL, actor TEXT NOT NULL, what INTEGER NOT NULL,"
	" by_import INTEGER NOT NULL, is_beneath INTEGER NOT NULL,"
	" PRIMARY KEY (address, domain, stream, list, reason, n)"
	") WITHOUT ROWID;"
	"CREATE INDEX history_at ON history (at) WHERE is_beneath = 0;"
	"CREATE TABLE imports ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" started INTEGER NOT NULL, ended INTEGER NOT NULL,"
	" source TEXT NOT NULL, fingerprint TEXT NOT NULL,"
	" nadded INTEGER NOT NULL, nextended INTEGER NOT NULL,"
	" nalready INTEGER NOT NULL, nrefused INTEGER NOT NULL,"
	" position INTEGER NOT NULL, undone INTEGER NOT NULL);",
	/*
	 * A log of the addresses that were added, for sieves; an empty text
	 * stands for more than are worth telling.  By triggers, so that no
	 * writer can forget it.
	 */
	"CREATE TABLE additions ("
	" n INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT NOT NULL);"
	"CREATE TRIGGER suppressions_added AFTER INSERT ON suppressions BEGIN"
	" INSERT INTO additions (address) VALUES (new.address);"
	ADDITIONS_TRIM "END;"
	"CREATE TRIGGER suppressions_renamed AFTER UPDATE OF address"
	" ON suppressions BEGIN"
	" INSERT INTO additions (address) VALUES (new.address);"
	ADDITIONS_TRIM "END;"
	"CREATE TRIGGER imports_changed AFTER UPDATE ON imports BEGIN"
	" INSERT INTO additions (address) VALUES ('');"
	ADDITIONS_TRIM "END;",
};

#define KEY_IS                                                                 \
	"address = ?1 AND domain = ?2 AND stream = ?3 AND list = ?4"           \
	" AND reason = ?5"
#define KEY  "address, domain, stream, list, reason"
#define REST "created, expires, source, evidence, import"

/* In the order of the enum in driver_sqlite_suppress.h. */
static const char *const statements[] = {
	"SELECT " KEY ", " REST " FROM suppressions WHERE address = ?1",
	"SELECT " REST " FROM suppressions WHERE " KEY_IS,
	"INSERT INTO suppressions (" KEY ", " REST ") VALUES"
	" (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
	"UPDATE suppressions SET created = ?6, expires = ?7, source = ?8,"
	" evidence = ?9, import = ?10 WHERE " KEY_IS,
	"DELETE FROM suppressions WHERE " KEY_IS,
	"SELECT " KEY ", " REST " FROM suppressions WHERE (" KEY ") >"
	" (?1, ?2, ?3, ?4, ?5) ORDER BY " KEY " LIMIT ?6",
	"SELECT 1 FROM suppressions WHERE address >= '@' AND address < 'A'"
	" LIMIT 1",
	"SELECT " KEY ", " REST " FROM suppressions WHERE expires > 0"
	" AND expires <= ?1 ORDER BY expires LIMIT ?2",
	"INSERT INTO history (" KEY ", " REST ", at, actor, what, by_import,"
	" is_beneath, n) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
	" ?12, ?13, ?14, ?15, (SELECT coalesce(max(n), 0) + 1 FROM history"
	" WHERE " KEY_IS "))",
	"UPDATE history SET is_beneath = 0 WHERE " KEY_IS
	" AND is_beneath = 1",
	"SELECT " REST ", n FROM history WHERE " KEY_IS " AND is_beneath = 1"
	" AND (import = 0 OR NOT EXISTS (SELECT 1 FROM imports"
	" WHERE id = history.import AND undone > 0))"
	" ORDER BY expires = 0 DESC, expires DESC, n DESC LIMIT 1",
	"UPDATE history SET is_beneath = 0 WHERE " KEY_IS " AND n = ?6",
	"SELECT 1 FROM history WHERE " KEY_IS " AND is_beneath = 1"
	" AND import = 0 AND (expires = 0 OR (?6 <> 0 AND expires >= ?6))",
	"SELECT " KEY ", " REST ", at, actor, what, by_import FROM history"
	" WHERE address = ?1 ORDER BY at DESC, n DESC LIMIT 10000",
	"SELECT " KEY ", n FROM history WHERE is_beneath = 0 AND at < ?1"
	" ORDER BY at LIMIT ?2",
	"SELECT " KEY ", " REST ", at, actor, what, by_import, n,"
	" EXISTS (SELECT 1 FROM suppressions AS s WHERE s.address = h.address"
	" AND s.domain = h.domain AND s.stream = h.stream AND s.list = h.list"
	" AND s.reason = h.reason) FROM history AS h"
	" WHERE is_beneath = 0 AND (at, " KEY ", n) >"
	" (?7, ?1, ?2, ?3, ?4, ?5, ?6) ORDER BY at, " KEY ", n LIMIT ?8",
	"DELETE FROM history WHERE " KEY_IS " AND n = ?6",
	"INSERT INTO imports (started, ended, source, fingerprint, nadded,"
	" nextended, nalready, nrefused, position, undone)"
	" VALUES (?1, 0, ?2, ?3, 0, 0, 0, 0, 0, 0)",
	"UPDATE imports SET ended = ?2, nadded = ?3, nextended = ?4,"
	" nalready = ?5, nrefused = ?6, position = ?7"
	" WHERE id = ?1 AND undone = 0",
	"SELECT id, started, ended, source, fingerprint, nadded, nextended,"
	" nalready, nrefused, position, undone FROM imports ORDER BY id",
	"SELECT undone FROM imports WHERE id = ?1",
	"UPDATE imports SET undone = ?2 WHERE id = ?1",
	"SELECT max(n) FROM additions",
	"SELECT n, address FROM additions WHERE n > ?1 ORDER BY n",
	"INSERT INTO additions (address) VALUES ('')",
	"SELECT address FROM suppressions WHERE address > ?1"
	" ORDER BY address LIMIT ?2",
	"PRAGMA schema_version",
};

const struct sqlite_schema sqlite_schema_suppress = {
	.name = "suppress.db",
	.application_id = 0x426c6b01, /* "Blk" and the kind */
	.pragmas = "PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;"
	    "PRAGMA wal_autocheckpoint = 4000;"
	    "PRAGMA journal_size_limit = 33554432;"
	    "PRAGMA temp_store = MEMORY",
	.steps = steps,
	.nsteps = sizeof(steps) / sizeof(steps[0]),
	.statements = statements,
	.nstatements = sizeof(statements) / sizeof(statements[0]),
};

void
sqlite_bind_key(sqlite3_stmt *s, const struct suppress_entry *e)
{
	sqlite_bind_str(s, 1, e->address);
	sqlite_bind_str(s, 2, e->scope.domain);
	sqlite_bind_int(s, 3, e->scope.stream);
	sqlite_bind_str(s, 4, e->scope.list);
	sqlite_bind_int(s, 5, (int64_t)e->reason);
}

void
sqlite_bind_rest(sqlite3_stmt *s, const struct suppress_entry *e)
{
	sqlite_bind_int(s, 6, e->created);
	sqlite_bind_int(s, 7, e->expires);
	sqlite_bind_str(s, 8, e->source);
	sqlite_bind_str(s, 9, e->evidence);
	sqlite_bind_int(s, 10, (int64_t)e->import);
}

void
sqlite_read_key(sqlite3_stmt *s, int column, struct suppress_entry *e)
{
	e->address = sqlite_str(s, column);
	e->scope.domain = sqlite_str(s, column + 1);
	e->scope.stream = (uint32_t)sqlite3_column_int64(s, column + 2);
	e->scope.list = sqlite_str(s, column + 3);
	e->reason = (enum suppress_reason)sqlite3_column_int(s, column + 4);
}

void
sqlite_read_rest(sqlite3_stmt *s, int column, struct suppress_entry *e)
{
	e->created = sqlite3_column_int64(s, column);
	e->expires = sqlite3_column_int64(s, column + 1);
	e->source = sqlite_str(s, column + 2);
	e->evidence = sqlite_str(s, column + 3);
	e->import = (uint64_t)sqlite3_column_int64(s, column + 4);
}

/*
 * The strongest of an address's entries that apply.  Most addresses have none:
 * texts are copied only of an entry that counts.  False: an error.
 */
static bool
find_address(struct sqlite_file *f, struct arena *a, int64_t now,
    struct str address, struct suppress_query *q)
{
	sqlite3_stmt *s = sqlite_file_statement(f, ENTRY_FIND);
	struct suppress_entry e;
	int rc;

	if (s == NULL)
		return false;
	sqlite_bind_str(s, 1, address);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		sqlite_read_key(s, 0, &e);
		sqlite_read_rest(s, 5, &e);
		if (!suppress_scope_applies(&e.scope, &q->scope) ||
		    !suppress_is_live(&e, now))
			continue;
		if (q->answer == STORE_YES &&
		    !suppress_is_stronger(&e, &q->entry))
			continue;
		q->entry = suppress_copy(a, &e);
		q->answer = STORE_YES;
	}
	sqlite3_reset(s);
	return rc == SQLITE_DONE;
}

/*
 * Does any "@domain" entry exist?  Asked again when somebody wrote; that is
 * known only inside a transaction that has read something.
 */
static bool
look_for_domains(struct sqlite_driver *d)
{
	struct sqlite_file *f = &d->suppress;
	unsigned version = 0;
	sqlite3_stmt *s;
	int rc;

	if (sqlite3_file_control(f->db, "main", SQLITE_FCNTL_DATA_VERSION,
	    &version) != SQLITE_OK)
		return false;
	if (d->domains_generation == f->generation &&
	    d->domains_version == version)
		return true;
	s = sqlite_file_statement(f, ENTRY_HAS_DOMAINS);
	if (s == NULL)
		return false;
	rc = sqlite3_step(s);
	sqlite3_reset(s);
	d->has_domains = rc == SQLITE_ROW;
	d->domains_generation = f->generation;
	d->domains_version = version;
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

static bool
may_have(const struct sqlite_driver *d, struct str address)
{
	return address.n > 0 && (d->sieve == NULL ||
	    sieve_may_have(d->sieve->texts, address));
}

static bool
find_addresses(struct sqlite_driver *d, struct arena *a, int64_t now,
    struct suppress_query *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		v[i].answer = STORE_NO;
		if (may_have(d, v[i].address) && !find_address(&d->suppress, a,
		    now, v[i].address, &v[i]))
			return false;
	}
	return true;
}

static bool
find_domains(struct sqlite_driver *d, struct arena *a, int64_t now,
    struct suppress_query *v, size_t n)
{
	bool has_domains = d->sieve != NULL ? d->sieve->has_domains :
					      d->has_domains;
	char room[SUPPRESS_ADDRESS_MAX];

	for (size_t i = 0; has_domains && i < n; i++) {
		struct str domain = suppress_domain_entry(v[i].address, room);

		if (may_have(d, domain) && !find_address(&d->suppress, a, now,
		    domain, &v[i]))
			return false;
	}
	return true;
}

/* All within one transaction: the sieve is asked as of the same moment. */
static bool
find_all(struct sqlite_driver *d, struct arena *a, int64_t now,
    struct suppress_query *v, size_t n)
{
	return sqlite_follow_additions(d) &&
	    find_addresses(d, a, now, v, n) &&
	    (d->sieve != NULL || look_for_domains(d)) &&
	    find_domains(d, a, now, v, n);
}

static void
find(struct driver *driver, struct driver_call *call, struct arena *a,
    struct suppress_query *v, size_t n)
{
	struct sqlite_driver *d = (struct sqlite_driver *)driver;
	bool is_well;

	if (sqlite_file_read(&d->suppress, call) != STORE_YES)
		return;
	is_well = find_all(d, a, call->now, v, n);
	if (is_well && sqlite_file_commit(&d->suppress, call) == STORE_YES)
		return;
	if (!is_well)
		sqlite_file_failed(&d->suppress, call);
	for (size_t i = 0; i < n; i++)
		v[i].answer = STORE_UNKNOWN;
}

/* Binds where a piece of a walk begins. */
static sqlite3_stmt *
scan_statement(struct sqlite_file *f, const struct driver_scan *scan)
{
	static const struct suppress_entry before_all = { .created = 0 };
	bool is_one = scan->filter->address.n > 0;
	sqlite3_stmt *s = sqlite_file_statement(f, is_one ? ENTRY_FIND :
	    ENTRY_SCAN);

	if (s == NULL)
		return NULL;
	if (is_one) {
		sqlite_bind_str(s, 1, scan->filter->address);
	} else {
		sqlite_bind_key(s, scan->has_last ? &scan->last : &before_all);
		sqlite_bind_int(s, 6, DRIVER_SCAN_SIZE);
	}
	return s;
}

static enum store_answer
scan(struct driver *driver, struct driver_call *call, struct driver_scan *scan)
{
	struct sqlite_file *f = &((struct sqlite_driver *)driver)->suppress;
	size_t cap = 0, nlooked = 0;
	struct suppress_entry e;
	sqlite3_stmt *s;
	int rc;

	if (sqlite_file_read(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	scan->v = NULL;
	scan->n = 0;
	s = scan_statement(f, scan);
	if (s == NULL)
		return sqlite_file_failed(f, call);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		sqlite_read_key(s, 0, &e);
		sqlite_read_rest(s, 5, &e);
		if (++nlooked == DRIVER_SCAN_SIZE)
			scan->last = suppress_copy(scan->arena, &e);
		if (!suppress_matches(scan->filter, &e, call->now))
			continue;
		scan->v = arena_grow(scan->arena, scan->v, scan->n, &cap,
		    sizeof(*scan->v));
		scan->v[scan->n++] = suppress_copy(scan->arena, &e);
	}
	if (rc != SQLITE_DONE)
		return sqlite_file_failed(f, call);
	sqlite3_reset(s);
	scan->has_last = true;
	scan->is_end = scan->filter->address.n > 0 ||
	    nlooked < DRIVER_SCAN_SIZE;
	return sqlite_file_commit(f, call);
}

const struct driver_suppress_ops sqlite_suppress_ops = {
	.find = find,
	.change = sqlite_change,
	.scan = scan,
	.history = sqlite_history,
	.removed = sqlite_removed,
	.import_begin = sqlite_import_begin,
	.import_end = sqlite_import_end,
	.import_list = sqlite_import_list,
	.undo = sqlite_undo,
	.make_sieve = sqlite_make_sieve,
	.use_sieve = sqlite_use_sieve,
	.wants_sieve = sqlite_wants_sieve,
	.purge = sqlite_purge,
};
