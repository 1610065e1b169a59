/*
 * driver_sqlite_suppress.h - the statements and steps that the files about
 * suppress.db share.
 */
#ifndef BULKHEAD_STORE_DRIVER_SQLITE_SUPPRESS_H
#define BULKHEAD_STORE_DRIVER_SQLITE_SUPPRESS_H

#include "store/driver_sqlite_open.h"

enum {
	ENTRY_FIND = SQLITE_FIRST_OWN,
	ENTRY_GET,
	ENTRY_INSERT,
	ENTRY_UPDATE,
	ENTRY_DELETE,
	ENTRY_SCAN,
	ENTRY_HAS_DOMAINS,
	ENTRY_EXPIRED,
	HISTORY_ADD,
	HISTORY_FORGET,
	HISTORY_BENEATH,
	HISTORY_TAKE,
	HISTORY_HOLDS,
	HISTORY_OF,
	HISTORY_OLD,
	HISTORY_REMOVED,
	HISTORY_DELETE,
	IMPORT_BEGIN,
	IMPORT_UPDATE,
	IMPORT_LIST,
	IMPORT_STATE,
	IMPORT_MARK,
	ADDITIONS_LAST,
	ADDITIONS_SINCE,
	ADDITIONS_MANY,
	ENTRY_ADDRESSES,
	SCHEMA_VERSION
};

/* How far an import's undo got: column "undone". */
enum { UNDONE_NOT, UNDONE_PARTLY, UNDONE_WHOLLY };

/* Binds a key to the parameters 1 to 5. */
void sqlite_bind_key(sqlite3_stmt *s, const struct suppress_entry *e);

/* Binds what is not the key to 6 and those that follow it. */
void sqlite_bind_rest(sqlite3_stmt *s, const struct suppress_entry *e);

/*
 * Reads a row: the key's columns begin at that number, the others follow
 * them.  Texts are SQLite's.
 */
void sqlite_read_key(sqlite3_stmt *s, int column, struct suppress_entry *e);
void sqlite_read_rest(sqlite3_stmt *s, int column, struct suppress_entry *e);

/*
 * The entry of e's key: *e gets the rest, its texts in the arena.  SQLITE_ROW,
 * SQLITE_DONE when there is none, or an error.
 */
int sqlite_get_entry(struct sqlite_file *f, struct arena *a,
    struct suppress_entry *e);

/* Writes a line of the history. */
bool sqlite_add_history(struct sqlite_file *f, const struct suppress_event *e,
    bool is_beneath);

/* What UNDONE_ an import is; SQLITE_ROW, SQLITE_DONE: unknown, or an error. */
int sqlite_import_state(struct sqlite_file *f, uint64_t id, int *state);

/*
 * Takes away an entry that an undone import had put (e is as it is stored) and
 * puts back the longest lasting that lies beneath it, if any does.
 */
bool sqlite_undo_entry(struct sqlite_file *f, struct arena *a,
    const struct suppress_entry *e, struct str actor, int64_t now,
    bool *was_restored);

/* Stores the counts of an import; STORE_NO: unknown or undone. */
enum store_answer sqlite_update_import(struct sqlite_file *f,
    struct driver_call *call, const struct suppress_import *import);

/*
 * Brings the driver's sieve, if it has one, up to what this transaction sees,
 * or drops it where that cannot be told.  Must be the first to read.  False:
 * see sqlite_file_failed().
 */
bool sqlite_follow_additions(struct sqlite_driver *d);

/* See struct driver_suppress_ops. */
struct suppress_sieve *sqlite_make_sieve(struct driver *d,
    struct driver_call *call, const atomic_bool *stop);
void sqlite_use_sieve(struct driver *d, struct suppress_sieve **sieve);
bool sqlite_wants_sieve(const struct driver *d);
enum store_answer sqlite_change(struct driver *d, struct driver_call *call,
    struct suppress_change *v, size_t n, const struct suppress_import *import);
enum store_answer sqlite_history(struct driver *d, struct driver_call *call,
    struct arena *a, struct str address, struct driver_events *out);
enum store_answer sqlite_removed(struct driver *d, struct driver_call *call,
    struct driver_removed *piece);
enum store_answer sqlite_purge(struct driver *d, struct driver_call *call,
    size_t max, bool *more);
enum store_answer sqlite_import_begin(struct driver *d,
    struct driver_call *call, struct suppress_import *import);
enum store_answer sqlite_import_end(struct driver *d, struct driver_call *call,
    const struct suppress_import *import);
enum store_answer sqlite_import_list(struct driver *d,
    struct driver_call *call, struct arena *a, struct driver_imports *out);
enum store_answer sqlite_undo(struct driver *d, struct driver_call *call,
    struct driver_undo *step);

#endif
