/*
 * report_open.c - the store for a report: what is new is rolled up first, by
 * who may; others see what was rolled up last.
 */
#include "cli/report.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/owner.h"
#include "cli/progress.h"

#define ERRORS_MAX  65536
#define STEP_EVENTS 200000
#define STEP_MILLIS 60000
#define LOOK_MILLIS 10000

static struct store *
open_store(const struct report *r, enum store_access access,
    struct buf *errors)
{
	struct store_spec spec = { .store = r->settings->store,
		.events = r->settings->events,
		.kinds = STORE_EVENTS,
		.access = access,
		.clock = clock_system() };

	buf_clear(errors);
	return store_open(&spec, errors);
}

/* All that is there; false: *why says why not, without line end. */
static bool
roll_up(struct report *r, struct store *s, struct buf *why)
{
	struct progress p;
	uint64_t total = 0, n;
	bool more = true, is_well = true;

	progress_begin(&p, "adding up", "events", 0, 0);
	while (more && is_well) {
		is_well = store_rollup_step(s, STEP_EVENTS, &n, &more,
		    store_deadline(STEP_MILLIS)) == STORE_YES;
		total += n;
		progress_show(&p, total);
	}
	progress_end(&p);
	buf_clear(why);
	if (!is_well)
		buf_puts(why, store_error(s, STORE_EVENTS));
	r->is_current = is_well;
	return is_well;
}

/* The first line of what went wrong. */
static void
say_as_of(const struct report *r, const struct buf *why)
{
	struct str line = buf_view(why);
	char text[CLOCK_TEXT];

	line = str_sub(line, 0, str_chr(line, '\n', 0));
	if (r->as_of == 0) {
		report_say("nothing was added up yet, and this user cannot: "
		    "%.*s", STR_ARG(line));
		return;
	}
	clock_rfc3339(r->as_of / 1000000, text);
	report_say("the report is as of %s: what is newer cannot be added up: "
	    "%.*s", text, STR_ARG(line));
}

static int
find_time(struct report *r)
{
	if (store_rollup_time(r->store, &r->as_of,
	    store_deadline(LOOK_MILLIS)) != STORE_UNKNOWN)
		return EX_OK;
	report_say("%s", store_error(r->store, STORE_EVENTS));
	return EX_UNAVAILABLE;
}

int
report_open(struct report *r)
{
	struct str place = r->settings->events.n > 0 ? r->settings->events :
	    r->settings->store;
	int rc = owner_become(r->arena, place, "report");
	struct store *s;
	struct buf errors;

	if (rc != EX_OK)
		return rc;
	buf_init(&errors, ERRORS_MAX);
	r->store = open_store(r, STORE_READ, &errors);
	if (r->store == NULL) {
		file_write_all(STDERR_FILENO, buf_view(&errors));
		buf_free(&errors);
		return EX_UNAVAILABLE;
	}
	s = open_store(r, STORE_CHANGE, &errors);
	if (s != NULL)
		roll_up(r, s, &errors);
	store_close(&s);
	rc = find_time(r);
	if (rc == EX_OK && !r->is_current)
		say_as_of(r, &errors);
	buf_free(&errors);
	return rc;
}
