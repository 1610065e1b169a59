/*
 * driver_sqlite_change.c - suppress.db: putting, removing, purging, and the
 * history of it.
 */
#include "store/driver_sqlite_suppress.h"

#include <stdio.h>

#include "store/suppress_rules.h"

/*
 * Pages.  Less than what makes others check-point: who adds one address does
 * not write back the megabytes of an import, nor wait long for the disk.
 */
#define IMPORT_CHECKPOINT 1000

/* How long the history of what was removed or replaced is kept. */
#define HISTORY_SECONDS ((int64_t)2 * 365 * 86400)

int
sqlite_get_entry(struct sqlite_file *f, struct arena *a,
    struct suppress_entry *e)
{
	sqlite3_stmt *s = sqlite_file_statement(f, ENTRY_GET);
	int rc;

	if (s == NULL)
		return SQLITE_ERROR;
	sqlite_bind_key(s, e);
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		sqlite_read_rest(s, 0, e);
		*e = suppress_copy(a, e);
	}
	sqlite3_reset(s);
	return rc;
}

bool
sqlite_add_history(struct sqlite_file *f, const struct suppress_event *e,
    bool is_beneath)
{
	sqlite3_stmt *s = sqlite_file_statement(f, HISTORY_ADD);

	if (s == NULL)
		return false;
	sqlite_bind_key(s, &e->entry);
	sqlite_bind_rest(s, &e->entry);
	sqlite_bind_int(s, 11, e->at);
	sqlite_bind_str(s, 12, e->actor);
	sqlite_bind_int(s, 13, (int64_t)e->what);
	sqlite_bind_int(s, 14, (int64_t)e->import);
	sqlite_bind_int(s, 15, is_beneath);
	return sqlite_run(s);
}

/* Runs a statement that takes the key, and the rest where it has it. */
static bool
run_entry(struct sqlite_file *f, size_t number, const struct suppress_entry *e)
{
	sqlite3_stmt *s = sqlite_file_statement(f, number);

	if (s == NULL)
		return false;
	sqlite_bind_key(s, e);
	if (number == ENTRY_INSERT || number == ENTRY_UPDATE)
		sqlite_bind_rest(s, e);
	return sqlite_run(s);
}

/* *out: something beneath the key that nobody can undo lasts as long as e. */
static bool
is_held_beneath(struct sqlite_file *f, const struct suppress_entry *e,
    bool *out)
{
	sqlite3_stmt *s = sqlite_file_statement(f, HISTORY_HOLDS);
	int rc;

	if (s == NULL)
		return false;
	sqlite_bind_key(s, e);
	sqlite_bind_int(s, 6, e->expires);
	rc = sqlite3_step(s);
	sqlite3_reset(s);
	*out = rc == SQLITE_ROW;
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

/*
 * What was acknowledged must outlive the undo of an import that was there
 * first: it lies beneath the import's entry.
 */
static bool
lay_beneath(struct sqlite_file *f, const struct suppress_change *c,
    const struct suppress_entry *was, int64_t now)
{
	struct suppress_event event = { .at = now, .actor = c->actor,
		.what = SUPPRESS_PUT, .import = was->import,
		.entry = c->entry };
	bool is_held;

	if (was->import == 0 || c->entry.import != 0)
		return true;
	if (!is_held_beneath(f, &c->entry, &is_held))
		return false;
	return is_held || sqlite_add_history(f, &event, true);
}

/* An undone import's entry that its undo did not reach yet counts no more. */
static bool
is_of_undone(struct sqlite_file *f, const struct suppress_entry *e, bool *out)
{
	int state = UNDONE_NOT, rc = SQLITE_DONE;

	if (e->import != 0)
		rc = sqlite_import_state(f, e->import, &state);
	*out = state != UNDONE_NOT;
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

/* The key is taken: was is what is there. */
static bool
put_over(struct sqlite_file *f, const struct suppress_entry *was,
    struct suppress_change *c, int64_t now)
{
	struct suppress_event event = { .at = now, .actor = c->actor,
		.what = SUPPRESS_PUT, .import = c->entry.import,
		.entry = *was };

	c->outcome = suppress_put_outcome(was, &c->entry, now);
	if (c->outcome == SUPPRESS_ALREADY)
		return lay_beneath(f, c, was, now);
	return sqlite_add_history(f, &event, true) &&
	    run_entry(f, ENTRY_UPDATE, &c->entry);
}

static bool
put(struct sqlite_file *f, struct arena *a, struct suppress_change *c,
    int64_t now)
{
	struct suppress_entry was = c->entry;
	bool is_undone, was_restored;

	c->outcome = SUPPRESS_ADDED;
	if (!run_entry(f, ENTRY_INSERT, &c->entry))
		return false;
	if (sqlite3_changes(f->db) > 0)
		return true;
	if (sqlite_get_entry(f, a, &was) != SQLITE_ROW ||
	    !is_of_undone(f, &was, &is_undone))
		return false;
	if (!is_undone)
		return put_over(f, &was, c, now);
	/* what comes back was not put by an undone import: no third round */
	return sqlite_undo_entry(f, a, &was, STR("undo"), now,
	    &was_restored) && put(f, a, c, now);
}

static bool
take_away(struct sqlite_file *f, struct arena *a, struct suppress_change *c,
    int64_t now)
{
	struct suppress_event event = { .at = now, .actor = c->actor,
		.what = SUPPRESS_REMOVE, .entry = c->entry };
	int rc = sqlite_get_entry(f, a, &event.entry);

	c->outcome = SUPPRESS_ABSENT;
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE;
	if (c->is_exact && event.entry.created != c->entry.created)
		return true;
	c->outcome = SUPPRESS_REMOVED;
	return sqlite_add_history(f, &event, false) &&
	    run_entry(f, ENTRY_DELETE, &c->entry) &&
	    run_entry(f, HISTORY_FORGET, &c->entry);
}

static bool
apply(struct sqlite_file *f, struct suppress_change *v, size_t n, int64_t now)
{
	struct arena *a = arena_new();
	bool is_well = true;

	for (size_t i = 0; is_well && i < n; i++) {
		is_well = v[i].what == SUPPRESS_PUT ?
		    put(f, a, &v[i], now) : take_away(f, a, &v[i], now);
		if (arena_used(a) > 65536)
			arena_reset(a);
	}
	arena_free(&a);
	return is_well;
}

/* What a slice adds is not logged one by one: see sqlite_file_relax(). */
static bool
note_many(struct sqlite_file *f)
{
	sqlite3_stmt *s = sqlite_file_statement(f, ADDITIONS_MANY);

	return s != NULL && sqlite_run(s);
}

/* A change of nothing tells whether one could be made. */
static bool
touch(struct sqlite_file *f)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA user_version = %zu",
	    f->schema->nsteps);
	return sqlite3_exec(f->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* The changes, and the import's numbers with them. */
static enum store_answer
change(struct sqlite_driver *d, struct driver_call *call,
    struct suppress_change *v, size_t n, const struct suppress_import *import)
{
	struct sqlite_file *f = &d->suppress;

	if (sqlite_file_write(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	if (!apply(f, v, n, call->now) || (n == 0 && !touch(f)))
		return sqlite_file_failed(f, call);
	d->domains_generation = 0; /* data_version tells of others only */
	if (import != NULL) {
		struct suppress_import counted = *import;
		enum store_answer answer;

		suppress_count(&counted, v, n);
		answer = sqlite_update_import(f, call, &counted);
		if (answer != STORE_YES)
			return answer;
		if (!note_many(f))
			return sqlite_file_failed(f, call);
	}
	return sqlite_file_commit(f, call);
}

/*
 * Not synced while others wait for the lock: a disk that is busy would make
 * them wait, too.  The log is written in order, so that what a power failure
 * takes are the last slices, with the position that says so; whoever adds
 * durably, or ends the import, syncs the log with all that is in it.
 */
static enum store_answer
change_slice(struct sqlite_driver *d, struct driver_call *call,
    struct suppress_change *v, size_t n, const struct suppress_import *import)
{
	struct sqlite_file *f = &d->suppress;
	enum store_answer answer;

	sqlite_file_relax(f, IMPORT_CHECKPOINT);
	answer = change(d, call, v, n, import);
	sqlite_file_strict(f);
	sqlite_file_yield();
	return answer;
}

enum store_answer
sqlite_change(struct driver *driver, struct driver_call *call,
    struct suppress_change *v, size_t n, const struct suppress_import *import)
{
	struct sqlite_driver *d = (struct sqlite_driver *)driver;

	return import != NULL ? change_slice(d, call, v, n, import)
			      : change(d, call, v, n, import);
}

static void
read_event(sqlite3_stmt *s, struct arena *a, struct suppress_event *e)
{
	struct suppress_entry entry;

	sqlite_read_key(s, 0, &entry);
	sqlite_read_rest(s, 5, &entry);
	e->entry = suppress_copy(a, &entry);
	e->at = sqlite3_column_int64(s, 10);
	e->actor = arena_copy(a, sqlite_str(s, 11));
	e->what = (enum suppress_what)sqlite3_column_int(s, 12);
	e->import = (uint64_t)sqlite3_column_int64(s, 13);
}

/* The newest were read first. */
static void
turn_round(struct driver_events *events)
{
	for (size_t i = 0; i < events->n / 2; i++) {
		struct suppress_event *a = &events->v[i];
		struct suppress_event *b = &events->v[events->n - 1 - i];
		struct suppress_event t = *a;

		*a = *b;
		*b = t;
	}
}

enum store_answer
sqlite_history(struct driver *driver, struct driver_call *call,
    struct arena *a, struct str address, struct driver_events *out)
{
	struct sqlite_file *f = &((struct sqlite_driver *)driver)->suppress;
	size_t cap = 0;
	sqlite3_stmt *s;
	int rc;

	if (sqlite_file_read(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	s = sqlite_file_statement(f, HISTORY_OF);
	if (s == NULL)
		return sqlite_file_failed(f, call);
	sqlite_bind_str(s, 1, address);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		out->v = arena_grow(a, out->v, out->n, &cap, sizeof(*out->v));
		read_event(s, a, &out->v[out->n++]);
	}
	if (rc != SQLITE_DONE)
		return sqlite_file_failed(f, call);
	sqlite3_reset(s);
	turn_round(out);
	return sqlite_file_commit(f, call);
}

/* The keys first, then the deletions: a cursor does not see what it deletes. */
static bool
purge_entries(struct sqlite_file *f, struct arena *a, int64_t now, size_t max,
    size_t *n)
{
	sqlite3_stmt *s = sqlite_file_statement(f, ENTRY_EXPIRED);
	struct suppress_entry *v = arena_array(a, max, sizeof(*v));
	int rc = SQLITE_DONE;

	if (s == NULL)
		return false;
	sqlite_bind_int(s, 1, now);
	sqlite_bind_int(s, 2, (int64_t)max);
	for (*n = 0; *n < max && (rc = sqlite3_step(s)) == SQLITE_ROW; ++*n) {
		sqlite_read_key(s, 0, &v[*n]);
		sqlite_read_rest(s, 5, &v[*n]);
		v[*n] = suppress_copy(a, &v[*n]);
	}
	sqlite3_reset(s);
	for (size_t i = 0; i < *n; i++)
		if (!run_entry(f, HISTORY_FORGET, &v[i]) ||
		    !run_entry(f, ENTRY_DELETE, &v[i]))
			return false;
	return *n == max || rc == SQLITE_DONE;
}

struct old_event {
	struct suppress_entry key;
	int64_t n;
};

static bool
delete_event(struct sqlite_file *f, const struct old_event *e)
{
	sqlite3_stmt *s = sqlite_file_statement(f, HISTORY_DELETE);

	if (s == NULL)
		return false;
	sqlite_bind_key(s, &e->key);
	sqlite_bind_int(s, 6, e->n);
	return sqlite_run(s);
}

static bool
purge_history(struct sqlite_file *f, struct arena *a, int64_t now, size_t max,
    size_t *n)
{
	sqlite3_stmt *s = sqlite_file_statement(f, HISTORY_OLD);
	struct old_event *v = arena_array(a, max, sizeof(*v));
	int rc = SQLITE_DONE;

	if (s == NULL)
		return false;
	sqlite_bind_int(s, 1, now - HISTORY_SECONDS);
	sqlite_bind_int(s, 2, (int64_t)max);
	for (*n = 0; *n < max && (rc = sqlite3_step(s)) == SQLITE_ROW; ++*n) {
		v[*n].key = (struct suppress_entry){ .created = 0 };
		sqlite_read_key(s, 0, &v[*n].key);
		v[*n].key = suppress_copy(a, &v[*n].key);
		v[*n].n = sqlite3_column_int64(s, 5);
	}
	sqlite3_reset(s);
	for (size_t i = 0; i < *n; i++)
		if (!delete_event(f, &v[i]))
			return false;
	return *n == max || rc == SQLITE_DONE;
}

enum store_answer
sqlite_purge(struct driver *driver, struct driver_call *call, size_t max,
    bool *more)
{
	struct sqlite_driver *d = (struct sqlite_driver *)driver;
	struct sqlite_file *f = &d->suppress;
	size_t nentries = 0, nevents = 0;
	struct arena *a;
	bool is_well;

	if (sqlite_file_write(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	a = arena_new();
	is_well = purge_entries(f, a, call->now, max, &nentries) &&
	    (nentries == max ||
	    purge_history(f, a, call->now, max - nentries, &nevents));
	arena_free(&a);
	if (!is_well)
		return sqlite_file_failed(f, call);
	d->domains_generation = 0;
	*more = nentries + nevents == max;
	return sqlite_file_commit(f, call);
}
