/*
 * driver_sqlite_removed.c - suppress.db: what was removed since a time and did
 * not come back, in pieces.
 */
#include "store/driver_sqlite_suppress.h"

#include "store/suppress_rules.h"

/* The columns of HISTORY_REMOVED behind the key's five and the rest's five. */
enum { COLUMN_AT = 10, COLUMN_ACTOR, COLUMN_WHAT, COLUMN_BY, COLUMN_N,
	COLUMN_IS_BACK };

static sqlite3_stmt *
begin_piece(struct sqlite_file *f, const struct driver_removed *piece)
{
	static const struct suppress_entry before_all = { .created = 0 };
	sqlite3_stmt *s = sqlite_file_statement(f, HISTORY_REMOVED);

	if (s == NULL)
		return NULL;
	sqlite_bind_key(s, piece->has_last ? &piece->last.entry : &before_all);
	sqlite_bind_int(s, 6, piece->last_n);
	sqlite_bind_int(s, 7, piece->has_last ? piece->last.at : piece->since);
	sqlite_bind_int(s, 8, DRIVER_SCAN_SIZE);
	return s;
}

static struct suppress_event
read_event(sqlite3_stmt *s, struct arena *a)
{
	struct suppress_event e = { .at = sqlite3_column_int64(s, COLUMN_AT) };

	sqlite_read_key(s, 0, &e.entry);
	sqlite_read_rest(s, 5, &e.entry);
	e.entry = suppress_copy(a, &e.entry);
	e.actor = arena_copy(a, sqlite_str(s, COLUMN_ACTOR));
	e.what = (enum suppress_what)sqlite3_column_int(s, COLUMN_WHAT);
	e.import = (uint64_t)sqlite3_column_int64(s, COLUMN_BY);
	return e;
}

enum store_answer
sqlite_removed(struct driver *driver, struct driver_call *call,
    struct driver_removed *piece)
{
	struct sqlite_file *f = &((struct sqlite_driver *)driver)->suppress;
	size_t cap = 0, nlooked = 0;
	sqlite3_stmt *s;
	int rc;

	if (sqlite_file_read(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	s = begin_piece(f, piece);
	if (s == NULL)
		return sqlite_file_failed(f, call);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct suppress_event e = read_event(s, piece->arena);

		nlooked++;
		piece->last = e;
		piece->last_n = sqlite3_column_int64(s, COLUMN_N);
		piece->has_last = true;
		if (e.what != SUPPRESS_REMOVE ||
		    sqlite3_column_int(s, COLUMN_IS_BACK) != 0)
			continue;
		piece->v = arena_grow(piece->arena, piece->v, piece->n, &cap,
		    sizeof(*piece->v));
		piece->v[piece->n++] = e;
	}
	if (rc != SQLITE_DONE)
		return sqlite_file_failed(f, call);
	sqlite3_reset(s);
	piece->is_end = nlooked < DRIVER_SCAN_SIZE;
	return sqlite_file_commit(f, call);
}
