/*
 * limit.h - what the verbs of `bulkhead limit` share: options, settings, what
 * policyd is asked, and what is paused.
 */
#ifndef BULKHEAD_CLI_LIMIT_H
#define BULKHEAD_CLI_LIMIT_H

#include "base/arena.h"
#include "base/buf.h"
#include "bulkhead/limit.h"
#include "bulkhead/settings.h"
#include "store/store.h"

#define LIMIT_OUTPUT_MAX (64 * 1024 * 1024)

/* As given; NULL or 0 where not. */
struct limit_options {
	const char *file, *note;
	bool json, dry_run, is_stream, is_domain, help;
	int argc; /* what is left behind the options and the verb */
	char **argv;
};

struct limit_run {
	const struct limit_options *o;
	struct arena *arena;
	struct settings *settings;
	int64_t now; /* seconds since 1970 */
};

/* Each returns the exit code. */
int limit_list(struct limit_run *r);
int limit_show(struct limit_run *r);
int limit_reset(struct limit_run *r);
int limit_pause(struct limit_run *r);
int limit_resume(struct limit_run *r);

/* One line "bulkhead limit: ..." on stderr. */
void limit_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The i-th argument, or empty. */
struct str limit_arg(const struct limit_run *r, int i);

/*
 * The limit that the first argument names, or NULL with one line on stderr:
 * EX_DATAERR then.
 */
const struct limit_settings *limit_of_arg(struct limit_run *r);

/*
 * True when the directory of "sqlite:/DIR" is there and the file in it is not:
 * nothing of its kind was ever stored, which is no error to who only looks.
 */
bool limit_is_new(struct limit_run *r, struct str store, const char *file);

/* The store with these kinds, or NULL with its errors on stderr. */
struct store *limit_store(struct limit_run *r, unsigned kinds,
    enum store_access access);

/*
 * Asks policyd: request is the name behind "bulkhead_", name and value may be
 * empty.  0 with the lines behind the action in *lines; 1 when policyd says no
 * (told on stderr); -1 when it does not answer, with why in *error.
 */
int limit_ask(struct limit_run *r, const char *request, struct str name,
    struct str value, struct str *lines, struct str *error);

/* A bucket as it is shown. */
struct limit_bucket {
	struct str limit, value, rate;
	uint64_t burst, used;
	int64_t full_at; /* seconds since 1970 */
};

struct limit_buckets {
	struct limit_bucket *v; /* by limit, then value */
	size_t n, cap;
	bool is_saved; /* policyd is down: as of the last time it was saved */
	bool has_more; /* than policyd gives */
};

/*
 * The buckets in use of a limit (all: name is empty), or of one value of it;
 * from policyd or else from the store.  An exit code, with one line on stderr
 * unless it is EX_OK; a note there when policyd is down.
 */
int limit_find_buckets(struct limit_run *r, struct str name, struct str value,
    struct limit_buckets *out);

/*
 * What is paused, by key.  An exit code, with one line on stderr unless it is
 * EX_OK.  A store that was never made pauses nothing.
 */
int limit_pauses(struct limit_run *r, struct limit_pause **v, size_t *n);

#endif
