/*
 * conf_file.h - settings files for tests: a directory of its own for each
 * test, gone afterwards.
 */
#ifndef BULKHEAD_TESTS_CONF_FILE_H
#define BULKHEAD_TESTS_CONF_FILE_H

#include "unit.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

static inline int
conf_setup(void **state)
{
	char *dir = strdup("/tmp/bulkhead-conf-XXXXXX");

	*state = dir;
	return dir != NULL && mkdtemp(dir) != NULL ? 0 : -1;
}

static inline int
conf_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int
conf_teardown(void **state)
{
	int rc = nftw(*state, conf_remove, 8, FTW_DEPTH | FTW_PHYS);

	free(*state);
	return rc;
}

/* Writes DIR/NAME (over an older one) and returns its path, in the arena. */
static inline const char *
conf_write(struct arena *a, void **state, const char *name, struct str text)
{
	const char *path = arena_cstr(a, arena_printf(a, "%s/%s",
	    (const char *)*state, name));

	FILE *f = fopen(path, "w");

	if (f == NULL || fwrite(text.p, 1, text.n, f) != text.n ||
	    fclose(f) != 0)
		fail_msg("cannot write %s", path);
	return path;
}

/* How often needle stands in s. */
static inline size_t
conf_count(struct str s, const char *needle)
{
	size_t n = 0, at = 0;

	while ((at = str_find(s, str_from(needle), at)) < s.n) {
		n++;
		at++;
	}
	return n;
}

/* Lines that are errors, not warnings. */
static inline size_t
conf_errors(struct str messages)
{
	return conf_count(messages, "\n") - conf_count(messages, ": warning: ");
}

/* Fails unless a message of that line (0: any) holds the text. */
static inline void
expect_message(const char *name, struct str messages, const char *file,
    unsigned line, const char *text)
{
	char prefix[64] = "";
	size_t at = 0;

	if (line != 0)
		snprintf(prefix, sizeof(prefix), "%s:%u: ", file, line);
	while (at < messages.n) {
		size_t end = str_chr(messages, '\n', at);
		struct str m = str_sub(messages, at, end);

		if (str_find(m, str_from(prefix), 0) < m.n + (line == 0) &&
		    str_find(m, str_from(text), 0) < m.n)
			return;
		at = end + 1;
	}
	fail_msg("%s: no message %s\"%s\" in:\n%.*s", name, prefix, text,
	    STR_ARG(messages));
}

#endif
