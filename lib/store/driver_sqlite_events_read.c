/*
 * driver_sqlite_events_read.c - walks over the files of events, and the key of
 * hashes beside them.
 */
#include "store/driver_sqlite_events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Octets of events that one piece gives, at most, but for the last. */
#define PIECE_OCTETS ((size_t)1 << 20)
#define KEY_SIZE     32

static uint64_t
as_unsigned(int64_t v)
{
	uint64_t out;

	memcpy(&out, &v, sizeof(out));
	return out;
}

static enum event_verdict
read_verdict(sqlite3_stmt *s, int column)
{
	int v = sqlite3_column_int(s, column);

	return v >= 0 && v < EVENT_VERDICTS ? (enum event_verdict)v :
	    EVENT_UNKNOWN;
}

/* The texts are SQLite's until the next step; false: of no known kind. */
static bool
read_event(sqlite3_stmt *s, struct event *e)
{
	int kind = sqlite3_column_int(s, 3);
	struct str *texts[EVENT_TEXTS];

	*e = (struct event){
		.id = as_unsigned(sqlite3_column_int64(s, 1)),
		.at = sqlite3_column_int64(s, 2),
		.kind = (enum event_kind)kind,
		.verdict = read_verdict(s, 4),
		.was = read_verdict(s, 5),
		.stream = (uint32_t)sqlite3_column_int64(s, 6),
		.hours = (uint32_t)sqlite3_column_int64(s, 7),
	};
	event_texts(e, texts);
	for (int i = 0; i < EVENT_TEXTS; i++)
		*texts[i] = sqlite_str(s, 8 + i);
	return kind > 0 && kind < EVENT_KINDS;
}

static void
keep_event(struct driver_event_piece *piece, const struct event *from,
    size_t *cap)
{
	struct event *e;
	struct str *texts[EVENT_TEXTS];

	if (piece->n == *cap) {
		size_t cap_at = *cap;

		piece->v = arena_grow(piece->arena, piece->v, piece->n, cap,
		    sizeof(*piece->v));
		piece->at = arena_grow(piece->arena, piece->at, piece->n,
		    &cap_at, sizeof(*piece->at));
		if (cap_at < *cap)
			*cap = cap_at;
	}
	e = &piece->v[piece->n];
	*e = *from;
	event_texts(e, texts);
	for (size_t i = 0; i < EVENT_TEXTS; i++)
		*texts[i] = arena_copy(piece->arena, *texts[i]);
	piece->at[piece->n++] = piece->cursor;
}

/* Reads on in the file of the cursor's day; *is_over: sealed, and no more. */
static enum store_answer
scan_day(struct sqlite_events *e, struct driver_call *call,
    struct driver_event_piece *piece, size_t *left, bool *is_over)
{
	struct sqlite_events_state state;
	struct sqlite_file *f = &e->read;
	struct event event;
	size_t cap = 0;
	sqlite3_stmt *s;
	int rc;

	if (sqlite_events_read(e, piece->cursor.day, call) != STORE_YES)
		return STORE_UNKNOWN;
	if (!sqlite_events_get_state(f, &state) ||
	    (s = sqlite_file_statement(f, EVENTS_SCAN)) == NULL)
		return sqlite_file_failed(f, call);
	sqlite_bind_int(s, 1, (int64_t)piece->cursor.n);
	sqlite_bind_int(s, 2, (int64_t)*left);
	piece->n = 0;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		piece->cursor.n = (uint64_t)sqlite3_column_int64(s, 0);
		--*left;
		if (read_event(s, &event) && event_matches(&event,
		    piece->match))
			keep_event(piece, &event, &cap);
		if (arena_used(piece->arena) > PIECE_OCTETS) {
			*left = 0;
			break;
		}
	}
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		return sqlite_file_failed(f, call);
	sqlite3_reset(s);
	*is_over = *left > 0 && state.is_sealed;
	return sqlite_file_commit(f, call);
}

/* The next day's file, and the cursor before its first event. */
static enum store_answer
go_on(struct sqlite_events *e, struct driver_call *call,
    struct event_cursor *cursor, bool *is_end)
{
	struct arena *a = arena_new();
	struct sqlite_days days;
	enum store_answer answer = sqlite_events_days(e, a, &days, call);
	uint32_t day = sqlite_days_after(&days, cursor->day);

	*is_end = day == 0;
	if (answer == STORE_YES && day != 0)
		*cursor = (struct event_cursor){ .day = day };
	arena_free(&a);
	return answer;
}

/* One file at a time, until there is something to give. */
enum store_answer
sqlite_events_scan(struct driver *d, struct driver_call *call,
    struct driver_event_piece *piece)
{
	struct sqlite_events *e = &((struct sqlite_driver *)d)->events;
	enum store_answer answer = STORE_YES;
	size_t left = DRIVER_EVENTS_SIZE;

	while (answer == STORE_YES && !piece->is_end && piece->n == 0 &&
	    left > 0) {
		uint32_t day = piece->cursor.day;
		bool is_over = true;

		if (day != 0 && sqlite_events_is_there(e, day))
			answer = scan_day(e, call, piece, &left, &is_over);
		/* retention may have been faster */
		if (answer == STORE_UNKNOWN && day != 0 &&
		    !sqlite_events_is_there(e, day))
			answer = STORE_YES;
		if (answer == STORE_YES && is_over)
			answer = go_on(e, call, &piece->cursor,
			    &piece->is_end);
		else if (left > 0)
			piece->is_end = true;
	}
	return answer;
}

/* The first event of that time in a file: *n, 0 when there is none. */
static enum store_answer
seek_day(struct sqlite_events *e, struct driver_call *call, uint32_t day,
    int64_t at, int64_t *n, int64_t *last)
{
	struct sqlite_events_state state;
	struct sqlite_file *f = &e->read;
	sqlite3_stmt *s;
	int rc = SQLITE_DONE;

	*n = 0;
	if (sqlite_events_read(e, day, call) != STORE_YES)
		return STORE_UNKNOWN;
	if (!sqlite_events_get_state(f, &state) ||
	    (s = sqlite_file_statement(f, EVENTS_SEEK)) == NULL)
		return sqlite_file_failed(f, call);
	sqlite_bind_int(s, 1, at);
	if (at != INT64_MAX)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		*n = sqlite3_column_int64(s, 0);
	else if (rc != SQLITE_DONE)
		return sqlite_file_failed(f, call);
	sqlite3_reset(s);
	*last = state.last;
	return sqlite_file_commit(f, call);
}

/*
 * From the file before that day on, which may have been written a little
 * longer, by a clock that is behind.
 */
enum store_answer
sqlite_events_seek(struct driver *d, struct driver_call *call, int64_t at,
    struct event_cursor *out)
{
	struct sqlite_events *e = &((struct sqlite_driver *)d)->events;
	struct arena *a = arena_new();
	struct sqlite_days days;
	enum store_answer answer = sqlite_events_days(e, a, &days, call);
	uint32_t day = event_day(at);
	int64_t n = 0, last = 0;
	size_t i = 0;

	while (i + 1 < days.n && days.v[i + 1] < day)
		i++;
	for (; answer == STORE_YES && n == 0 && i < days.n; i++) {
		answer = seek_day(e, call, days.v[i], at, &n, &last);
		if (answer == STORE_YES)
			*out = (struct event_cursor){ days.v[i],
				(uint64_t)(n > 0 ? n - 1 : last) };
		else if (!sqlite_events_is_there(e, days.v[i]))
			answer = STORE_YES;
	}
	arena_free(&a);
	return answer;
}

enum store_answer
sqlite_events_oldest(struct driver *d, struct driver_call *call, uint32_t *day)
{
	struct sqlite_events *e = &((struct sqlite_driver *)d)->events;
	struct arena *a = arena_new();
	struct sqlite_days days;
	enum store_answer answer = sqlite_events_days(e, a, &days, call);

	if (answer == STORE_YES && days.n == 0)
		answer = STORE_NO;
	*day = days.n > 0 ? days.v[0] : 0;
	arena_free(&a);
	return answer;
}

/* ---- the key ---- */

/* STORE_NO: there is none. */
static enum store_answer
read_key(const char *path, struct driver_call *call,
    unsigned char out[KEY_SIZE])
{
	struct arena *a = arena_new();
	enum store_answer answer = STORE_YES;
	struct str key = STR("");

	if (file_read_secret(a, path, KEY_SIZE, &key) != 0)
		answer = errno == ENOENT ? STORE_NO :
		    driver_unknown(call, "%s: %s", path, strerror(errno));
	else if (key.n != KEY_SIZE)
		answer = driver_unknown(call, "%s: %zu octets, and not %d: "
		    "damaged, or not Bulkhead's", path, key.n, KEY_SIZE);
	else
		memcpy(out, key.p, KEY_SIZE);
	arena_free(&a);
	return answer;
}

/* Beside its name, and linked to it: whoever is first makes it for all. */
static enum store_answer
make_key(const char *directory, const char *path, const char *temporary,
    struct driver_call *call)
{
	enum store_answer answer = STORE_YES;
	unsigned char key[KEY_SIZE];

	unlink(temporary);
	if (getrandom(key, sizeof(key), 0) != sizeof(key) ||
	    file_create(temporary, 0660, str_make((char *)key,
	    sizeof(key))) != 0 || chmod(temporary, 0660) != 0 ||
	    (link(temporary, path) != 0 && errno != EEXIST))
		answer = driver_unknown(call, "%s: cannot be created: %s",
		    path, strerror(errno));
	explicit_bzero(key, sizeof(key));
	unlink(temporary);
	sqlite_sync_directory(directory);
	return answer;
}

enum store_answer
sqlite_events_key(struct driver *d, struct driver_call *call,
    unsigned char out[KEY_SIZE])
{
	struct sqlite_events *e = &((struct sqlite_driver *)d)->events;
	struct arena *a = arena_new();
	char *path = arena_cstr(a, arena_printf(a, "%s/events.key",
	    e->directory));
	enum store_answer answer = read_key(path, call, out);

	if (answer == STORE_NO && call->access == STORE_CHANGE) {
		char *temporary = arena_cstr(a, arena_printf(a, "%s-new-%ld-%p",
		    path, (long)getpid(), (const void *)e));

		answer = make_key(e->directory, path, temporary, call);
		if (answer == STORE_YES)
			answer = read_key(path, call, out);
	}
	arena_free(&a);
	return answer;
}
