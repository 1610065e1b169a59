/*
 * driver_sqlite_events_forget.c - takes a person out of the files of events,
 * and old files away.
 */
#include "store/driver_sqlite_events.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "store/driver_sqlite_mentions.h"

/* Numbers of events between two looks for others who want to write. */
#define SLICE 512

static void
bind_person(sqlite3_stmt *s, const struct driver_event_forget *step)
{
	sqlite_bind_str(s, 1, step->recipient);
	sqlite_bind_str(s, 2, step->hash.n > 0 ? step->hash : step->recipient);
}

static enum store_answer
count(struct sqlite_file *f, struct driver_call *call,
    struct driver_event_forget *step)
{
	sqlite3_stmt *s;

	if (sqlite_file_read(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	s = sqlite_file_statement(f, EVENTS_COUNT);
	if (s == NULL)
		return sqlite_file_failed(f, call);
	bind_person(s, step);
	if (sqlite3_step(s) != SQLITE_ROW)
		return sqlite_file_failed(f, call);
	step->n = (uint64_t)sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return sqlite_file_commit(f, call);
}

/* The next event of that person behind number after; 0: none. */
static enum store_answer
find_next(struct sqlite_file *f, struct driver_call *call,
    const struct driver_event_forget *step, int64_t after, int64_t *n)
{
	sqlite3_stmt *s;
	int rc;

	if (sqlite_file_read(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	s = sqlite_file_statement(f, EVENTS_FIND);
	if (s == NULL)
		return sqlite_file_failed(f, call);
	bind_person(s, step);
	sqlite_bind_int(s, 3, after);
	rc = sqlite3_step(s);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sqlite_file_failed(f, call);
	*n = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
	sqlite3_reset(s);
	return sqlite_file_commit(f, call);
}

static enum store_answer
replace(struct sqlite_file *f, struct driver_call *call,
    struct driver_event_forget *step, int64_t from)
{
	sqlite3_stmt *s;

	if (sqlite_file_write(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	s = sqlite_file_statement(f, EVENTS_FORGET);
	if (s == NULL)
		return sqlite_file_failed(f, call);
	bind_person(s, step);
	sqlite_bind_int(s, 3, from);
	sqlite_bind_int(s, 4, from + SLICE);
	if (!sqlite_run(s))
		return sqlite_file_failed(f, call);
	step->n += (uint64_t)sqlite3_changes64(f->db);
	return sqlite_file_commit(f, call);
}

static enum store_answer
replace_all(struct sqlite_file *f, struct driver_call *call,
    struct driver_event_forget *step)
{
	enum store_answer answer = STORE_YES;
	int64_t n = 0, after = 0;

	for (;;) {
		answer = find_next(f, call, step, after, &n);
		if (answer != STORE_YES || n == 0)
			break;
		answer = replace(f, call, step, n);
		if (answer != STORE_YES)
			break;
		after = n + SLICE - 1;
		sqlite_file_yield();
	}
	return answer == STORE_YES ? sqlite_empty_log(f, call) : answer;
}

enum store_answer
sqlite_events_forget(struct driver *d, struct driver_call *call,
    struct driver_event_forget *step)
{
	struct sqlite_events *e = &((struct sqlite_driver *)d)->events;
	struct arena *a = arena_new();
	struct sqlite_days days;
	enum store_answer answer = sqlite_events_days(e, a, &days, call);
	uint32_t day = sqlite_days_after(&days, step->day);
	struct sqlite_file f;

	arena_free(&a);
	step->is_end = day == 0;
	step->n = 0;
	if (answer != STORE_YES || day == 0)
		return answer;
	step->day = day;
	sqlite_events_existing(e, &f, day, step->is_dry ? STORE_READ :
	    STORE_CHANGE);
	answer = sqlite_add_mentions(&f, call);
	if (answer == STORE_YES)
		answer = step->is_dry ? count(&f, call, step) :
		    replace_all(&f, call, step);
	sqlite_file_free(&f);
	if (answer == STORE_UNKNOWN && !sqlite_events_is_there(e, day))
		answer = STORE_YES; /* retention was faster */
	return answer;
}

/* ---- retention ---- */

/* The file first: what is left without it is removed by the next purge. */
static enum store_answer
remove_day(const struct sqlite_events *e, struct arena *a, uint32_t day,
    struct driver_call *call)
{
	static const char *const tails[] = { "", "-wal", "-shm" };
	char name[EVENTS_NAME_SIZE];

	sqlite_events_name(day, name);
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		char *path = arena_cstr(a, arena_printf(a, "%s/%s%s",
		    e->directory, name, tails[i]));

		if (unlink(path) != 0 && errno != ENOENT)
			return driver_unknown(call, "%s: cannot be removed: "
			    "%s", path, strerror(errno));
	}
	return STORE_YES;
}

/* "events-20261123.db-wal" without its file: nobody's. */
static void
remove_strays(const struct sqlite_events *e, struct arena *a,
    const struct sqlite_days *days, uint32_t before)
{
	DIR *dir = opendir(e->directory);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		struct str name = str_from(entry->d_name);
		char of[EVENTS_NAME_SIZE];
		bool is_owned = false;

		sqlite_events_name(before, of);
		if (!str_starts(name, STR("events-")) || name.n != 22 ||
		    (!str_eq(str_sub(name, 15, 22), STR(".db-wal")) &&
		    !str_eq(str_sub(name, 15, 22), STR(".db-shm"))) ||
		    str_cmp(str_sub(name, 0, 15),
		    str_sub(str_from(of), 0, 15)) >= 0)
			continue;
		for (size_t i = 0; i < days->n && !is_owned; i++) {
			sqlite_events_name(days->v[i], of);
			is_owned = str_starts(name, str_from(of));
		}
		if (!is_owned)
			unlink(arena_cstr(a, arena_printf(a, "%s/%.*s",
			    e->directory, STR_ARG(name))));
	}
	if (dir != NULL)
		closedir(dir);
}

/* Never the newest: a file that is made is later than all there were. */
static enum store_answer
purge_locked(const struct sqlite_events *e, struct arena *a, uint32_t before,
    unsigned *nfiles, struct driver_call *call)
{
	struct sqlite_days days;
	enum store_answer answer = sqlite_events_days(e, a, &days, call);

	if (answer == STORE_YES)
		remove_strays(e, a, &days, before);
	for (size_t i = 0; answer == STORE_YES && i + 1 < days.n &&
	    days.v[i] < before; i++) {
		/* whoever writes into it yet goes on in a later one */
		sqlite_events_seal(e, days.v[i], call);
		answer = remove_day(e, a, days.v[i], call);
		if (answer == STORE_YES)
			++*nfiles;
	}
	return answer;
}

enum store_answer
sqlite_events_purge(struct driver *d, struct driver_call *call,
    uint32_t before_day, unsigned *nfiles)
{
	struct sqlite_events *e = &((struct sqlite_driver *)d)->events;
	uint32_t today = event_day(clock_micros(&e->clock));
	int lock = sqlite_events_lock(e, call);
	enum store_answer answer;
	struct arena *a;

	if (lock < 0)
		return STORE_UNKNOWN;
	a = arena_new();
	answer = purge_locked(e, a, before_day < today ? before_day : today,
	    nfiles, call);
	arena_free(&a);
	close(lock);
	return answer;
}
