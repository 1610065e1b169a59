/*
 * token.h - what the files of `bulkhead token` share.
 */
#ifndef BULKHEAD_CLI_TOKEN_H
#define BULKHEAD_CLI_TOKEN_H

#include "base/arena.h"
#include "base/buf.h"
#include "bulkhead/keyring.h"
#include "bulkhead/token.h"
#include "mail/returnpath.h"

/* What an argument turned out to be; error not NULL: nothing of ours. */
struct token_answer {
	const char *error;
	bool is_address; /* a return path, complaint or unsubscribe address */
	struct token token;
	struct returnpath address;
};

/*
 * Finds out what a token, a URL with one, or an address of ours says; blanks
 * and "<>" around it do not matter.
 */
void token_find(struct arena *a, const struct keyring *k, struct str input,
    struct token_answer *out);

/* `token show`: one argument, or "-" for lines on stdin; the exit code. */
int token_show(const struct keyring *k, const char *input, bool json);

struct token_rotate {
	const char *file;	     /* settings */
	const char *name, *promote; /* NULL: not said */
	bool is_return_path, is_dry_run, json;
	uint64_t seconds; /* for each of two reloads */
};

/*
 * `token rotate`: add, have it loaded, put it first; the exit code.  What it
 * does is said on stdout, or as one JSON object at the end.
 */
int token_rotate(const struct token_rotate *r);

/* The answer as one line of JSON or as lines of text. */
void token_write_json(struct buf *out, struct arena *a,
    const struct settings *s, struct str input, const struct token_answer *t);
void token_write_text(struct buf *out, struct arena *a,
    const struct settings *s, const struct token_answer *t);

#endif
