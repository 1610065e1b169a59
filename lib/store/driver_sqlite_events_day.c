/*
 * driver_sqlite_events_day.c - which day's file is written: made, opened, and
 * those before it sealed.
 */
#include "store/driver_sqlite_events.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/num.h"

#define LOCK_POLL_NANOS 1000000
/*
 * Numbers left free after a power failure: those of events that it took were
 * perhaps given to readers, who would miss the new ones.
 */
#define RESTART_GAP (INT64_C(1) << 20)
#define BOOT_ID	    "/proc/sys/kernel/random/boot_id"

void
sqlite_events_name(uint32_t day, char out[EVENTS_NAME_SIZE])
{
	snprintf(out, EVENTS_NAME_SIZE, "events-%08" PRIu32 ".db", day);
}

/* 0: the name is no day's. */
static uint32_t
day_of_name(struct str name)
{
	char again[EVENTS_NAME_SIZE];
	uint64_t day;

	if (!str_starts(name, STR("events-")) ||
	    num_parse(str_sub(name, 7, 15), 99991231, &day) != 0 ||
	    !event_day_is_well((uint32_t)day))
		return 0;
	sqlite_events_name((uint32_t)day, again);
	return str_eq(name, str_from(again)) ? (uint32_t)day : 0;
}

static int
compare_days(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

enum store_answer
sqlite_events_days(const struct sqlite_events *e, struct arena *a,
    struct sqlite_days *out, struct driver_call *call)
{
	DIR *dir = opendir(e->directory);
	struct dirent *entry;
	size_t cap = 0;

	*out = (struct sqlite_days){ .n = 0 };
	if (dir == NULL)
		return driver_unknown(call, "%s: %s", e->directory,
		    strerror(errno));
	while ((entry = readdir(dir)) != NULL) {
		uint32_t day = day_of_name(str_from(entry->d_name));

		if (day == 0)
			continue;
		out->v = arena_grow(a, out->v, out->n, &cap, sizeof(*out->v));
		out->v[out->n++] = day;
	}
	closedir(dir);
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), compare_days);
	return STORE_YES;
}

uint32_t
sqlite_days_after(const struct sqlite_days *days, uint32_t day)
{
	for (size_t i = 0; i < days->n; i++)
		if (days->v[i] > day)
			return days->v[i];
	return 0;
}

static void
init_day(const struct sqlite_events *e, struct sqlite_file *f, uint32_t day,
    enum store_access access)
{
	char name[EVENTS_NAME_SIZE];

	sqlite_events_name(day, name);
	sqlite_file_init_name(f, &sqlite_schema_events,
	    str_from(e->directory), name, access);
}

void
sqlite_events_existing(const struct sqlite_events *e, struct sqlite_file *f,
    uint32_t day, enum store_access access)
{
	init_day(e, f, day, access);
	f->generation = 1; /* as if it had been opened: it is not made anew */
}

static char *
path_of(const struct sqlite_events *e, const char *name)
{
	size_t size = strlen(e->directory) + strlen(name) + 2;
	char *path = mem_alloc(size);

	snprintf(path, size, "%s/%s", e->directory, name);
	return path;
}

bool
sqlite_events_is_there(const struct sqlite_events *e, uint32_t day)
{
	char name[EVENTS_NAME_SIZE], *path;
	bool is_there;

	sqlite_events_name(day, name);
	path = path_of(e, name);
	is_there = access(path, F_OK) == 0;
	free(path);
	return is_there;
}

enum store_answer
sqlite_events_init(struct sqlite_events *e, const struct driver_spec *spec,
    struct driver_call *call)
{
	*e = (struct sqlite_events){ .clock = spec->clock,
		.access = spec->access,
		.directory = mem_alloc(spec->where.n + 1) };
	memcpy(e->directory, spec->where.p, spec->where.n);
	e->directory[spec->where.n] = '\0';
	return spec->access == STORE_CHANGE ?
	    sqlite_make_directory(e->directory, call) :
	    sqlite_check_directory(e->directory, call);
}

static void
close_day(struct sqlite_file *f, uint32_t *day)
{
	if (*day != 0)
		sqlite_file_free(f);
	*day = 0;
}

void
sqlite_events_free(struct sqlite_events *e)
{
	close_day(&e->write, &e->write_day);
	close_day(&e->read, &e->read_day);
	free(e->directory);
	e->directory = NULL;
}

enum store_answer
sqlite_events_read(struct sqlite_events *e, uint32_t day,
    struct driver_call *call)
{
	if (e->read_day != day) {
		close_day(&e->read, &e->read_day);
		sqlite_events_existing(e, &e->read, day, STORE_READ);
		e->read_day = day;
	}
	return sqlite_file_read(&e->read, call);
}

bool
sqlite_events_get_state(struct sqlite_file *f, struct sqlite_events_state *out)
{
	sqlite3_stmt *s = sqlite_file_statement(f, EVENTS_STATE);

	if (s == NULL || sqlite3_step(s) != SQLITE_ROW)
		return false;
	out->last = sqlite3_column_int64(s, 0);
	out->base = sqlite3_column_int64(s, 1);
	out->is_sealed = sqlite3_column_int(s, 2) != 0;
	sqlite3_reset(s);
	return true;
}

static bool
set_state(struct sqlite_file *f, struct str name, struct str text,
    int64_t number)
{
	sqlite3_stmt *s = sqlite_file_statement(f, EVENTS_SET);

	if (s == NULL)
		return false;
	sqlite_bind_str(s, 1, name);
	if (text.n > 0)
		sqlite_bind_str(s, 2, text);
	else
		sqlite_bind_int(s, 2, number);
	return sqlite_run(s);
}

/* ---- the end of a day ---- */

/* The seal is on disk before any event of a later file. */
static enum store_answer
seal_file(struct sqlite_file *f, struct driver_call *call)
{
	struct sqlite_events_state state;

	if (sqlite_file_write(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	if (!sqlite_events_get_state(f, &state))
		return sqlite_file_failed(f, call);
	if (state.is_sealed) {
		sqlite_file_rollback(f);
		return STORE_YES;
	}
	if (!set_state(f, STR("sealed"), STR(""), call->now))
		return sqlite_file_failed(f, call);
	return sqlite_file_commit(f, call);
}

enum store_answer
sqlite_events_seal(const struct sqlite_events *e, uint32_t day,
    struct driver_call *call)
{
	enum store_answer answer;
	struct sqlite_file f;

	sqlite_events_existing(e, &f, day, STORE_CHANGE);
	answer = sqlite_file_open(&f, call);
	if (answer == STORE_YES && sqlite3_exec(f.db,
	    "PRAGMA synchronous = FULL", NULL, NULL, NULL) != SQLITE_OK)
		answer = sqlite_file_failed(&f, call);
	if (answer == STORE_YES)
		answer = seal_file(&f, call);
	sqlite_file_free(&f);
	return answer;
}

/* STORE_NO: it is open yet. */
static enum store_answer
look_for_seal(const struct sqlite_events *e, uint32_t day,
    struct driver_call *call)
{
	struct sqlite_events_state state = { .is_sealed = false };
	enum store_answer answer;
	struct sqlite_file f;

	sqlite_events_existing(e, &f, day, STORE_READ);
	answer = sqlite_file_read(&f, call);
	if (answer == STORE_YES && !sqlite_events_get_state(&f, &state))
		answer = sqlite_file_failed(&f, call);
	if (answer == STORE_YES)
		sqlite_file_rollback(&f);
	sqlite_file_free(&f);
	return answer == STORE_YES && !state.is_sealed ? STORE_NO : answer;
}

/*
 * Seals are set in order: before a sealed file there is none that is open.  A
 * file that is damaged does not keep events from being written: nobody can
 * write into it either.
 */
static enum store_answer
seal_before(const struct sqlite_events *e, uint32_t day,
    struct driver_call *call)
{
	struct arena *a = arena_new();
	struct sqlite_days days;
	enum store_answer answer = sqlite_events_days(e, a, &days, call);
	size_t end = 0, from;

	while (end < days.n && days.v[end] < day)
		end++;
	for (from = end; answer == STORE_YES && from > 0; from--)
		if (look_for_seal(e, days.v[from - 1], call) == STORE_YES)
			break;
	for (size_t i = from; answer == STORE_YES && i < end; i++)
		if (sqlite_events_seal(e, days.v[i], call) != STORE_YES &&
		    clock_monotonic() >= call->deadline)
			answer = STORE_UNKNOWN;
	arena_free(&a);
	return answer;
}

/* ---- the lock ---- */

static bool
wait_for_lock(int fd, int64_t deadline)
{
	struct timespec pause = { .tv_nsec = LOCK_POLL_NANOS };
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	while (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return false;
		if (clock_monotonic() >= deadline) {
			errno = ETIMEDOUT;
			return false;
		}
		nanosleep(&pause, NULL);
	}
	return true;
}

/* A new one is for all of the store's group, whatever the umask. */
static int
open_lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);

	if (fd < 0)
		return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
	(void)fchmod(fd, 0660);
	return fd;
}

int
sqlite_events_lock(const struct sqlite_events *e, struct driver_call *call)
{
	char *path = path_of(e, "events.lock");
	int fd = open_lock(path);

	if (fd < 0 || !wait_for_lock(fd, call->deadline)) {
		driver_unknown(call, "%s: %s", path, errno == ETIMEDOUT ?
		    "locked by another process until the deadline" :
		    strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	free(path);
	return fd;
}

/* ---- the file that is written ---- */

/* The one to write, which is later than `after`, a day that is over. */
static enum store_answer
choose_day(const struct sqlite_events *e, uint32_t after, uint32_t *day,
    struct driver_call *call)
{
	uint32_t today = event_day(clock_micros(&e->clock));
	struct arena *a = arena_new();
	struct sqlite_days days;
	enum store_answer answer = sqlite_events_days(e, a, &days, call);
	uint32_t newest = days.n > 0 ? days.v[days.n - 1] : 0;

	if (today <= after)
		today = event_day_next(after);
	/* a clock that went back: the newest goes on */
	*day = newest > today ? newest : today;
	arena_free(&a);
	return answer;
}

/* Opens it; a file that is not there is made under the lock. */
static enum store_answer
open_day(struct sqlite_events *e, uint32_t after, struct driver_call *call)
{
	enum store_answer answer;
	uint32_t day;
	int lock = -1;

	answer = choose_day(e, after, &day, call);
	if (answer == STORE_YES && !sqlite_events_is_there(e, day)) {
		lock = sqlite_events_lock(e, call);
		answer = lock < 0 ? STORE_UNKNOWN :
		    choose_day(e, after, &day, call);
	}
	if (answer == STORE_YES) {
		if (lock >= 0)
			init_day(e, &e->write, day, STORE_CHANGE);
		else
			sqlite_events_existing(e, &e->write, day,
			    STORE_CHANGE);
		e->write_day = day;
		answer = sqlite_file_open(&e->write, call);
	}
	if (lock >= 0)
		close(lock);
	return answer;
}

/* Of this boot of the machine; empty where the system does not tell. */
static struct str
boot_id(struct arena *a)
{
	struct str id;
	int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	bool is_well = fd >= 0 && file_read_fd(a, fd, 256, &id) == 0;

	if (fd >= 0)
		close(fd);
	return is_well ? str_trim(id) : STR("");
}

static bool
note_boot(struct sqlite_file *f, struct str id)
{
	struct sqlite_events_state state;
	int64_t is_known = 0;

	if (!sqlite_events_get_state(f, &state))
		return false;
	if (!sqlite_number(f, "SELECT count(*) FROM state"
	    " WHERE name = 'boot'", &is_known))
		return false;
	if (is_known != 0 && !set_state(f, STR("base"), STR(""),
	    (state.last > state.base ? state.last : state.base) + RESTART_GAP))
		return false;
	return set_state(f, STR("boot"), id, 0);
}

/* The machine may have lost power since the file was written last. */
static enum store_answer
check_boot(struct sqlite_file *f, struct driver_call *call)
{
	struct arena *a = arena_new();
	struct str id = boot_id(a);
	enum store_answer answer = sqlite_file_write(f, call);
	struct str sql = arena_printf(a, "SELECT count(*) FROM state WHERE"
	    " name = 'boot' AND value = '%.*s'", STR_ARG(id));
	int64_t same = 0;

	if (answer == STORE_YES && (!sqlite_number(f, arena_cstr(a, sql),
	    &same) || (same == 0 && !note_boot(f, id))))
		answer = sqlite_file_failed(f, call);
	if (answer == STORE_YES)
		answer = sqlite_file_commit(f, call);
	arena_free(&a);
	return answer;
}

/* Opens what is to be written, if it is not open. */
static enum store_answer
ensure_day(struct sqlite_events *e, uint32_t after, struct driver_call *call)
{
	enum store_answer answer;

	if (e->write_day != 0)
		return STORE_YES;
	answer = open_day(e, after, call);
	if (answer == STORE_YES)
		answer = seal_before(e, e->write_day, call);
	if (answer == STORE_YES)
		answer = check_boot(&e->write, call);
	if (answer != STORE_YES)
		close_day(&e->write, &e->write_day);
	return answer;
}

/* STORE_NO: that day is over, and *after says so. */
static enum store_answer
begin_day(struct sqlite_events *e, struct sqlite_events_state *state,
    uint32_t *after, struct driver_call *call)
{
	uint32_t day = e->write_day;
	enum store_answer answer = sqlite_file_write(&e->write, call);

	if (answer == STORE_YES && !sqlite_events_get_state(&e->write, state))
		answer = sqlite_file_failed(&e->write, call);
	if (answer != STORE_YES) {
		if (sqlite_events_is_there(e, day))
			return answer;
		/* retention, or somebody: there may be another */
		close_day(&e->write, &e->write_day);
		return STORE_NO;
	}
	if (state->is_sealed)
		*after = day;
	else if (event_day(clock_micros(&e->clock)) <= day)
		return STORE_YES;
	sqlite_file_rollback(&e->write);
	close_day(&e->write, &e->write_day);
	return STORE_NO;
}

enum store_answer
sqlite_events_begin(struct sqlite_events *e, struct sqlite_events_state *state,
    struct driver_call *call)
{
	enum store_answer answer = STORE_NO;
	uint32_t after = 0;

	while (answer == STORE_NO) {
		if (clock_monotonic() >= call->deadline)
			return driver_unknown(call, "%s: no file of events to "
			    "write into was found by the deadline",
			    e->directory);
		answer = ensure_day(e, after, call);
		if (answer == STORE_YES)
			answer = begin_day(e, state, &after, call);
	}
	return answer;
}
