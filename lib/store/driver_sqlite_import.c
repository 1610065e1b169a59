/*
 * driver_sqlite_import.c - suppress.db: the table of imports, and undoing one.
 */
#include "store/driver_sqlite_suppress.h"

#include "store/suppress_rules.h"

enum store_answer
sqlite_import_begin(struct driver *driver, struct driver_call *call,
    struct suppress_import *import)
{
	struct sqlite_file *f = &((struct sqlite_driver *)driver)->suppress;
	sqlite3_stmt *s;

	if (sqlite_file_write(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	s = sqlite_file_statement(f, IMPORT_BEGIN);
	if (s == NULL)
		return sqlite_file_failed(f, call);
	sqlite_bind_int(s, 1, import->started);
	sqlite_bind_str(s, 2, import->source);
	sqlite_bind_str(s, 3, import->fingerprint);
	if (!sqlite_run(s))
		return sqlite_file_failed(f, call);
	import->id = (uint64_t)sqlite3_last_insert_rowid(f->db);
	return sqlite_file_commit(f, call);
}

enum store_answer
sqlite_update_import(struct sqlite_file *f, struct driver_call *call,
    const struct suppress_import *i)
{
	sqlite3_stmt *s = sqlite_file_statement(f, IMPORT_UPDATE);
	const uint64_t v[] = { i->id, (uint64_t)i->ended, i->nadded,
		i->nextended, i->nalready, i->nrefused, i->position };

	if (s == NULL)
		return sqlite_file_failed(f, call);
	for (size_t n = 0; n < sizeof(v) / sizeof(v[0]); n++)
		sqlite_bind_int(s, (int)n + 1, (int64_t)v[n]);
	if (!sqlite_run(s))
		return sqlite_file_failed(f, call);
	if (sqlite3_changes(f->db) > 0)
		return STORE_YES;
	sqlite_file_rollback(f);
	driver_unknown(call, "import %llu: unknown, or undone",
	    (unsigned long long)i->id);
	return STORE_NO;
}

enum store_answer
sqlite_import_end(struct driver *driver, struct driver_call *call,
    const struct suppress_import *import)
{
	struct sqlite_file *f = &((struct sqlite_driver *)driver)->suppress;
	enum store_answer answer;

	if (sqlite_file_write(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	answer = sqlite_update_import(f, call, import);
	return answer == STORE_YES ? sqlite_file_commit(f, call) : answer;
}

static void
read_import(sqlite3_stmt *s, struct arena *a, struct suppress_import *i)
{
	*i = (struct suppress_import){
		.id = (uint64_t)sqlite3_column_int64(s, 0),
		.started = sqlite3_column_int64(s, 1),
		.ended = sqlite3_column_int64(s, 2),
		.source = arena_copy(a, sqlite_str(s, 3)),
		.fingerprint = arena_copy(a, sqlite_str(s, 4)),
		.nadded = (uint64_t)sqlite3_column_int64(s, 5),
		.nextended = (uint64_t)sqlite3_column_int64(s, 6),
		.nalready = (uint64_t)sqlite3_column_int64(s, 7),
		.nrefused = (uint64_t)sqlite3_column_int64(s, 8),
		.position = (uint64_t)sqlite3_column_int64(s, 9),
		.is_undone = sqlite3_column_int(s, 10) != UNDONE_NOT,
	};
}

enum store_answer
sqlite_import_list(struct driver *driver, struct driver_call *call,
    struct arena *a, struct driver_imports *out)
{
	struct sqlite_file *f = &((struct sqlite_driver *)driver)->suppress;
	size_t cap = 0;
	sqlite3_stmt *s;
	int rc;

	if (sqlite_file_read(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	s = sqlite_file_statement(f, IMPORT_LIST);
	if (s == NULL)
		return sqlite_file_failed(f, call);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		out->v = arena_grow(a, out->v, out->n, &cap, sizeof(*out->v));
		read_import(s, a, &out->v[out->n++]);
	}
	if (rc != SQLITE_DONE)
		return sqlite_file_failed(f, call);
	sqlite3_reset(s);
	return sqlite_file_commit(f, call);
}

int
sqlite_import_state(struct sqlite_file *f, uint64_t id, int *state)
{
	sqlite3_stmt *s = sqlite_file_statement(f, IMPORT_STATE);
	int rc;

	if (s == NULL)
		return SQLITE_ERROR;
	sqlite_bind_int(s, 1, (int64_t)id);
	rc = sqlite3_step(s);
	*state = rc == SQLITE_ROW ? sqlite3_column_int(s, 0) : UNDONE_NOT;
	sqlite3_reset(s);
	return rc;
}

static bool
mark_import(struct sqlite_file *f, uint64_t id, int state)
{
	sqlite3_stmt *s = sqlite_file_statement(f, IMPORT_MARK);

	if (s == NULL)
		return false;
	sqlite_bind_int(s, 1, (int64_t)id);
	sqlite_bind_int(s, 2, state);
	return sqlite_run(s);
}

/* *e becomes what lies beneath it; SQLITE_DONE: nothing does. */
static int
take_beneath(struct sqlite_file *f, struct arena *a, struct suppress_entry *e)
{
	sqlite3_stmt *s = sqlite_file_statement(f, HISTORY_BENEATH);
	int64_t n = 0;
	int rc;

	if (s == NULL)
		return SQLITE_ERROR;
	sqlite_bind_key(s, e);
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		sqlite_read_rest(s, 0, e);
		*e = suppress_copy(a, e);
		n = sqlite3_column_int64(s, 5);
	}
	sqlite3_reset(s);
	if (rc != SQLITE_ROW)
		return rc;
	s = sqlite_file_statement(f, HISTORY_TAKE);
	if (s == NULL)
		return SQLITE_ERROR;
	sqlite_bind_key(s, e);
	sqlite_bind_int(s, 6, n);
	return sqlite_run(s) ? SQLITE_ROW : SQLITE_ERROR;
}

bool
sqlite_undo_entry(struct sqlite_file *f, struct arena *a,
    const struct suppress_entry *e, struct str actor, int64_t now,
    bool *was_restored)
{
	struct suppress_event event = { .at = now, .actor = actor,
		.what = SUPPRESS_REMOVE, .import = e->import, .entry = *e };
	struct suppress_entry back = *e;
	sqlite3_stmt *s;
	int rc = take_beneath(f, a, &back);

	*was_restored = rc == SQLITE_ROW;
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return false;
	s = sqlite_file_statement(f, rc == SQLITE_ROW ? ENTRY_UPDATE :
	    ENTRY_DELETE);
	if (s == NULL)
		return false;
	sqlite_bind_key(s, &back);
	if (rc == SQLITE_ROW)
		sqlite_bind_rest(s, &back);
	return sqlite_run(s) && sqlite_add_history(f, &event, false);
}

/* Is there anything to do?  Marks the import, so that nothing is added. */
static enum store_answer
begin_undo(struct sqlite_file *f, struct driver_undo *step)
{
	int state, rc = sqlite_import_state(f, step->id, &state);

	if (rc == SQLITE_DONE)
		return STORE_NO;
	if (rc != SQLITE_ROW)
		return STORE_UNKNOWN;
	step->is_end = state == UNDONE_WHOLLY;
	if (state == UNDONE_NOT && !mark_import(f, step->id, UNDONE_PARTLY))
		return STORE_UNKNOWN;
	return STORE_YES;
}

/* How many entries one piece may take away: some 20 ms with their history. */
#define UNDO_SIZE 500

/* The import's entries of one piece of a walk, until enough were found. */
static int
gather(struct sqlite_file *f, struct driver_undo *step,
    struct suppress_entry *v, size_t *n)
{
	static const struct suppress_entry before_all = { .created = 0 };
	sqlite3_stmt *s = sqlite_file_statement(f, ENTRY_SCAN);
	struct suppress_entry e;
	size_t nlooked = 0;
	int rc = SQLITE_ROW;

	if (s == NULL)
		return SQLITE_ERROR;
	sqlite_bind_key(s, step->has_last ? &step->last : &before_all);
	sqlite_bind_int(s, 6, DRIVER_SCAN_SIZE);
	while (*n < UNDO_SIZE && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		sqlite_read_key(s, 0, &e);
		sqlite_read_rest(s, 5, &e);
		nlooked++;
		if (e.import != step->id && nlooked < DRIVER_SCAN_SIZE)
			continue;
		step->last = suppress_copy(step->arena, &e);
		if (e.import == step->id)
			v[(*n)++] = step->last;
	}
	sqlite3_reset(s);
	step->has_last = true;
	step->is_end = rc == SQLITE_DONE && nlooked < DRIVER_SCAN_SIZE;
	return rc;
}

static bool
undo_piece(struct sqlite_file *f, struct driver_undo *step, int64_t now)
{
	struct suppress_entry *v = arena_array(step->arena, UNDO_SIZE,
	    sizeof(*v));
	bool was_restored;
	size_t n = 0;
	int rc = gather(f, step, v, &n);

	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!sqlite_undo_entry(f, step->arena, &v[i], step->actor, now,
		    &was_restored))
			return false;
		step->nremoved++;
		step->nrestored += was_restored;
	}
	return !step->is_end || mark_import(f, step->id, UNDONE_WHOLLY);
}

enum store_answer
sqlite_undo(struct driver *driver, struct driver_call *call,
    struct driver_undo *step)
{
	struct sqlite_driver *d = (struct sqlite_driver *)driver;
	struct sqlite_file *f = &d->suppress;
	enum store_answer answer = STORE_YES;

	if (sqlite_file_write(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	d->domains_generation = 0;
	if (!step->has_last)
		answer = begin_undo(f, step);
	if (answer == STORE_NO) {
		sqlite_file_rollback(f);
		return answer;
	}
	if (answer == STORE_UNKNOWN ||
	    (!step->is_end && !undo_piece(f, step, call->now)))
		return sqlite_file_failed(f, call);
	if (sqlite_file_commit(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	sqlite_file_yield();
	return STORE_YES;
}
