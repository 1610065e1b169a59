/*
 * keys_file.h - a file of token keys as its administrator sees it: comments
 * stay, keys are added and moved, owner and mode are kept.
 */
#ifndef BULKHEAD_CLI_KEYS_FILE_H
#define BULKHEAD_CLI_KEYS_FILE_H

#include <sys/stat.h>

#include "base/arena.h"
#include "bulkhead/token.h"

struct keys_file {
	const char *path; /* without symbolic links */
	struct str text;  /* wiped with the arena */
	struct stat st;
	struct str *names; /* of the keys, in their order */
	size_t n;
	struct str pending; /* added, to come first; empty: none */
};

/* 0, or -1 with one line in *why, in the arena. */
int keys_file_read(struct arena *a, const char *path, struct keys_file *out,
    struct str *why);

/* Where that key is; out->n: there is none. */
size_t keys_file_find(const struct keys_file *f, struct str name);

/* "2026b": this year and the first letter that is free. */
struct str keys_file_new_name(struct arena *a, const struct keys_file *f);

/*
 * Adds a new key at the end, with a comment that says it is pending; moves a
 * key to the front, and takes that comment away.  The file is replaced as a
 * whole, on disk when they return.  0, or -1 with one line in *why and errno.
 */
int keys_file_add(struct arena *a, const struct keys_file *f, struct str name,
    struct str *why);
int keys_file_promote(struct arena *a, const struct keys_file *f,
    struct str name, struct str *why);

#define KEYS_FILE_LINE 256

/* "NAME BASE64\n", NAME of 64 octets at most, to be wiped. */
void keys_file_line(struct str name, char out[KEYS_FILE_LINE]);

#endif
