/*
 * events.h - what the parts of `bulkhead events` share: options, settings and
 * store, and how an event is shown.
 */
#ifndef BULKHEAD_CLI_EVENTS_H
#define BULKHEAD_CLI_EVENTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "bulkhead/settings.h"
#include "store/events.h"

/* As given; NULL or 0 where not. */
struct events_options {
	const char *file, *since, *stream, *domain, *campaign, *recipient;
	const char *limit;
	unsigned kinds; /* bits, of --kind */
	bool follow, json, dry_run, help;
	int argc; /* what is left behind the options */
	char **argv;
};

struct events_run {
	const struct events_options *o;
	struct arena *arena;
	struct settings *settings;
	struct store *store;
	int64_t now; /* microseconds since 1970 */
};

/* ---- cmd_events.c ---- */

/* Says on stderr what is wrong, behind "bulkhead events: ". */
void events_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* EX_UNAVAILABLE, having said why. */
int events_store_failed(struct events_run *r);

/* Each returns the exit code. */
int events_show(struct events_run *r);
int events_forget(struct events_run *r);

/* ---- events_args.c ---- */

/* What to show: an exit code, having said what is wrong. */
int events_arg_filter(struct events_run *r, struct event_filter *out);

/*
 * Where to begin, by --since: a cursor, or a time, which is then in *from, too
 * (else 0); what retention has taken is said.  An exit code.
 */
int events_arg_since(struct events_run *r, struct event_cursor *out,
    int64_t *from);

/* ---- events_write.c ---- */

/* The line of names of the table. */
void events_write_head(struct buf *out);
/* One event as a line of the table, or of JSON. */
void events_write_line(struct buf *out, const struct settings *s,
    const struct event *e);
void events_write_json(struct buf *out, const struct settings *s,
    const struct event *e, const struct event_cursor *at);

/* ---- events_metadata.c ---- */

/*
 * Appends it as one line of JSON, read and written anew whatever was stored;
 * false when it is no object.
 */
bool events_metadata(struct buf *out, struct str text);

#endif
