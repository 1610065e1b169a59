/*
 * rotate_daemons.c - has daemons load keys, and waits until they did.
 */
#include "cli/rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#define SECOND INT64_C(1000000000)
#define STEP   100000000L

/*
 * A daemon that just starts, or waits for the socket of one that ends, may have
 * read the file before the key was in it, and tells nothing yet: who is down is
 * asked again for so long.
 */
#define START_TIME (2 * SECOND)

/* A daemon that was told to load the settings. */
struct told {
	int64_t pid;	/* 0: it was not */
	int64_t second; /* since 1970 */
	int64_t at;	/* clock_monotonic() */
};

/* policyd has no such keys, trackd none of return paths. */
static bool
is_concerned(const struct rotate *r, const struct daemon *d)
{
	return strcmp(d->section, "milter") == 0 ||
	    (strcmp(d->section, "trackd") == 0 && !r->is_return_path);
}

static bool
is_down(const struct daemon *d)
{
	return !d->is_up && (d->error == ECONNREFUSED || d->error == ENOENT);
}

static const struct daemon_keys *
keys_of(const struct rotate *r, const struct daemon *d)
{
	return r->is_return_path ? &d->return_path_keys : &d->token_keys;
}

static enum rotate_state
state_of(const struct rotate *r, const struct daemon *d,
    enum rotate_need need, struct str name)
{
	const struct daemon_keys *keys = keys_of(r, d);
	size_t n = need == ROTATE_FIRST && keys->n > 0 ? 1 : keys->n;

	if (!is_concerned(r, d))
		return ROTATE_IDLE;
	if (d->socket.n == 0)
		return d->is_configured ? ROTATE_SILENT : ROTATE_IDLE;
	if (!d->is_up)
		return is_down(d) ? ROTATE_IDLE : ROTATE_SILENT;
	if (!keys->is_loaded)
		return ROTATE_IDLE;
	/* its successor waits for the socket: that one is to be asked */
	if (d->is_ending)
		return ROTATE_LACKS;
	for (size_t i = 0; i < n; i++)
		if (str_eq(keys->names[i], name))
			return ROTATE_READY;
	return ROTATE_LACKS;
}

void
rotate_look(struct rotate *r, struct arena *a, enum rotate_need need,
    struct str name)
{
	for (size_t i = 0; i < DAEMONS; i++) {
		struct daemon *d = &r->daemons[i];

		if (is_concerned(r, d))
			daemon_ask(a, d);
		r->states[i] = state_of(r, d, need, name);
	}
}

/* Somebody else may listen there: no other process is to be signalled. */
static bool
is_program(struct arena *a, const struct daemon *d)
{
	const char *path = arena_cstr(a, arena_printf(a, "/proc/%" PRId64
	    "/comm", d->pid));
	struct str comm;
	int fd;

	if (d->pid <= 1 || d->pid > INT32_MAX)
		return false;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return errno == ENOENT && kill((pid_t)d->pid, 0) == 0;
	if (file_read_fd(a, fd, 64, &comm) != 0)
		comm = STR("");
	close(fd);
	/* the system keeps 15 characters of a name */
	return str_eq(str_trim(comm), str_sub(str_from(d->program), 0, 15));
}

static int
tell(struct rotate *r, struct arena *a, const struct daemon *d,
    struct told *told)
{
	const struct clock clock = clock_system();

	if (told->pid == d->pid || d->is_ending)
		return EX_OK;
	if (!is_program(a, d)) {
		fprintf(stderr, "bulkhead token: process %" PRId64 " is no "
		    "%s: who listens at %.*s?\n", d->pid, d->program,
		    STR_ARG(d->socket));
		return EX_NOPERM;
	}
	*told = (struct told){ d->pid, clock_seconds(&clock),
		clock_monotonic() };
	if (kill((pid_t)d->pid, SIGHUP) != 0 && errno != ESRCH) {
		fprintf(stderr, "bulkhead token: cannot signal %s: %s: run "
		    "this as root, or run there: kill -HUP %" PRId64 "\n",
		    d->program, strerror(errno), d->pid);
		return EX_NOPERM;
	}
	if (!r->is_quiet)
		printf("%s (pid %" PRId64 ") is to load its settings\n",
		    d->program, d->pid);
	return EX_OK;
}

/* Times are in whole seconds: a failure may be of just before. */
static int
check_reload(const struct daemon *d, const struct told *told)
{
	if (told->pid != d->pid || !d->has_reload_failed ||
	    d->reload.time < told->second ||
	    clock_monotonic() - told->at < SECOND)
		return EX_OK;
	fprintf(stderr, "bulkhead token: %s did not load its settings: %.*s\n",
	    d->program, STR_ARG(d->reload.text));
	return EX_CONFIG;
}

static int
check_late(const struct rotate *r, int64_t since)
{
	int rc = EX_OK;

	if (clock_monotonic() - since < (int64_t)r->seconds * SECOND)
		return EX_OK;
	for (size_t i = 0; i < DAEMONS; i++) {
		const struct daemon *d = &r->daemons[i];

		if (r->states[i] != ROTATE_LACKS)
			continue;
		fprintf(stderr, "bulkhead token: %s %s after %" PRIu64 " s\n",
		    d->program, d->is_ending ? "is still ending" :
		    "has not loaded the keys", r->seconds);
		rc = EX_TEMPFAIL;
	}
	return rc;
}

/* One round; *is_over: none lacks it. */
static int
round_of(struct rotate *r, struct arena *a, struct told *told, bool *is_over,
    bool *is_any_down)
{
	*is_over = true;
	*is_any_down = false;
	for (size_t i = 0; i < DAEMONS; i++) {
		const struct daemon *d = &r->daemons[i];
		int rc;

		if (d->socket.n > 0 && is_concerned(r, d) && is_down(d))
			*is_any_down = true;
		if (r->states[i] != ROTATE_LACKS)
			continue;
		*is_over = false;
		if ((rc = tell(r, a, d, &told[i])) != EX_OK ||
		    (rc = check_reload(d, &told[i])) != EX_OK)
			return rc;
	}
	return EX_OK;
}

int
rotate_wait(struct rotate *r, struct arena *a, enum rotate_need need,
    struct str name)
{
	const struct timespec step = { 0, STEP };
	struct told told[DAEMONS] = { { 0 } };
	int64_t since = clock_monotonic(), lacked = since;
	int rc;

	for (;;) {
		bool is_over, is_any_down;

		rotate_look(r, a, need, name);
		rc = round_of(r, a, told, &is_over, &is_any_down);
		if (rc != EX_OK)
			return rc;
		if (!is_over)
			lacked = clock_monotonic();
		if (is_over && (!is_any_down || need == ROTATE_FIRST ||
		    clock_monotonic() - lacked >= START_TIME))
			return EX_OK;
		if ((rc = check_late(r, since)) != EX_OK)
			return rc;
		fflush(stdout);
		nanosleep(&step, NULL);
	}
}
