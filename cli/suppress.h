/*
 * suppress.h - what the verbs of `bulkhead suppress` share: their options, the
 * settings and the store, scopes in text, and how an entry is shown.
 */
#ifndef BULKHEAD_CLI_SUPPRESS_H
#define BULKHEAD_CLI_SUPPRESS_H

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "bulkhead/settings.h"
#include "store/suppress.h"

/* As given; NULL or 0 where not. */
struct suppress_options {
	const char *file, *scope, *reason, *expires, *note, *format, *from;
	const char *rejects, *tmp, *since, *until, *source, *domain, *import;
	bool dry_run, json, with_expired, help;
	int argc; /* what is left behind the options */
	char **argv;
};

struct suppress_run {
	const struct suppress_options *o;
	struct arena *arena;
	struct settings *settings;
	struct store *store; /* NULL until suppress_open() */
	int64_t now;	     /* seconds since 1970 */
	struct str actor;    /* who runs the command */
};

/* Each returns the exit code. */
int suppress_add(struct suppress_run *r);
int suppress_remove(struct suppress_run *r);
int suppress_check(struct suppress_run *r);
int suppress_list(struct suppress_run *r);
int suppress_import(struct suppress_run *r);
int suppress_imports(struct suppress_run *r);
int suppress_export(struct suppress_run *r);
int suppress_stats(struct suppress_run *r);
int suppress_undo(struct suppress_run *r);
int suppress_history(struct suppress_run *r);

/* ---- suppress_open.c ---- */

/* Says on stderr what is wrong, behind "bulkhead suppress: ". */
void suppress_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Loads the settings and finds out who runs us: EX_OK or an exit code. */
int suppress_begin(struct suppress_run *r, const struct suppress_options *o);
void suppress_end(struct suppress_run *r);

/*
 * Opens the store, as the owner of its directory from now on (see owner.h); a
 * directory that root makes is the daemons'.  EX_OK, or an exit code with a
 * line on stderr.
 */
int suppress_open(struct suppress_run *r, enum store_access access);

/* The directory of the store in the arena, empty when it has none. */
struct str suppress_directory(const struct suppress_run *r);

/* EX_UNAVAILABLE, having said why. */
int suppress_store_failed(struct suppress_run *r);

/* ---- suppress_scope.c ---- */

/*
 * A scope in text: "global", "example.com", "example.com/TITLE" or
 * "example.com/#8hexdigits", "example.com/TITLE/LISTKEY", with '*' for TITLE
 * for all streams.  is_strict: the domain must be in the settings.  0 with
 * *out in the arena, or -1 with *why.
 */
int suppress_scope_parse(struct arena *a, const struct settings *s,
    struct str text, bool is_strict, struct suppress_scope *out,
    struct str *why);

/* The opposite: what suppress_scope_parse() reads the same way. */
void suppress_scope_write(struct buf *out, const struct settings *s,
    const struct suppress_scope *scope);

/* ---- suppress_args.c: options that several verbs have ---- */

/* Each: 0, or -1 having said what is wrong. */
int suppress_arg_scope(struct suppress_run *r, bool is_strict,
    struct suppress_scope *out);
int suppress_arg_reason(struct suppress_run *r, enum suppress_reason *out);
int suppress_arg_expires(struct suppress_run *r, int64_t *out);
int suppress_arg_time(struct suppress_run *r, const char *text,
    const char *option, int64_t *out);

/*
 * The filter that --reason, --scope, --source, --since, --until, --domain,
 * --import, --expired and one address make; *scope is room for it.  An exit
 * code.
 */
int suppress_arg_filter(struct suppress_run *r, struct suppress_filter *out,
    struct suppress_scope *scope);

/*
 * The addresses given as arguments, "-" for those on stdin, in normal form in
 * the arena.  0, or -1 having said which is none.
 */
int suppress_arg_addresses(struct suppress_run *r, struct str **out, size_t *n);

/* ---- suppress_write.c ---- */

enum suppress_format { FORMAT_TABLE, FORMAT_CSV, FORMAT_JSON, FORMAT_TXT };

struct suppress_writer {
	const struct settings *settings;
	enum suppress_format format;
	bool with_change; /* a column that says "added" or "removed" */
	struct str asked; /* JSON: for which address, where that is not n 0 */
	bool failed;	  /* stdout takes no more */
	struct buf out;
	struct buf last; /* txt: each address once */
	uint64_t count;
};

/* A writer on stdout; settings are borrowed, for the titles of streams. */
void suppress_writer_init(struct suppress_writer *w,
    const struct settings *settings, enum suppress_format format);
/* Writes the line of names, where the format has one. */
void suppress_writer_head(struct suppress_writer *w);
/* One entry; false when stdout takes no more. */
bool suppress_write_entry(struct suppress_writer *w,
    const struct suppress_entry *e, const char *change);
/* JSON: what was asked for is not listed. */
void suppress_write_absent(struct suppress_writer *w);
/* Writes what is left: EX_OK or EX_IOERR. */
int suppress_writer_end(struct suppress_writer *w);

/* The members of an entry, without braces. */
void suppress_write_json(struct buf *out, const struct settings *s,
    const struct suppress_entry *e);

/* RFC 3339 in quotes, or null for 0. */
void suppress_write_json_time(struct buf *out, int64_t seconds);

/* A field of a CSV file, quoted where it must be. */
void suppress_write_csv_field(struct buf *out, struct str text);

#endif
