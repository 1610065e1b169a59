/*
 * token_show.c - `bulkhead token show`: one argument or lines on stdin.
 */
#include "cli/token.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define LINE_MAX_SIZE 8192 /* a URL of ours is at most 2300 long */
#define OUTPUT_MAX    (1024 * 1024)

/* True while there are lines; *n is more than LINE_MAX_SIZE for a long one. */
static bool
read_line(FILE *in, char *line, size_t *n)
{
	int c;

	*n = 0;
	while ((c = getc_unlocked(in)) != EOF && c != '\n') {
		if (*n < LINE_MAX_SIZE)
			line[*n] = (char)c;
		if (*n <= LINE_MAX_SIZE)
			++*n;
	}
	return c != EOF || *n > 0;
}

/* One answer on stdout; true when it was a token of ours. */
static bool
show(const struct keyring *k, struct arena *a, struct str input, bool json)
{
	struct token_answer t = { .error = "longer than any token" };
	struct buf out;

	buf_init(&out, OUTPUT_MAX);
	if (input.n <= LINE_MAX_SIZE)
		token_find(a, k, input, &t);
	else
		input.n = LINE_MAX_SIZE;
	if (json)
		token_write_json(&out, a, k->settings, input, &t);
	else if (t.error == NULL)
		token_write_text(&out, a, k->settings, &t);
	else
		fprintf(stderr, "bulkhead token: %.*s: %s\n",
		    (int)(input.n < 80 ? input.n : 80), input.p, t.error);
	fwrite(out.p, 1, out.n, stdout);
	buf_free(&out);
	return t.error == NULL;
}

static int
show_lines(const struct keyring *k, bool json)
{
	char line[LINE_MAX_SIZE];
	struct arena *a = arena_new();
	size_t n, shown = 0;
	int rc = EX_OK;

	while (read_line(stdin, line, &n)) {
		struct str input = str_make(line, n);

		if (n <= LINE_MAX_SIZE && str_trim(input).n == 0)
			continue;
		if (shown++ > 0 && !json)
			putchar('\n');
		if (n <= LINE_MAX_SIZE)
			input = str_trim(input);
		if (!show(k, a, input, json))
			rc = EX_DATAERR;
		arena_reset(a);
	}
	arena_free(&a);
	return rc;
}

int
token_show(const struct keyring *k, const char *input, bool json)
{
	struct arena *a = arena_new();
	int rc;

	if (strcmp(input, "-") == 0)
		rc = show_lines(k, json);
	else
		rc = show(k, a, str_from(input), json) ? EX_OK : 1;
	arena_free(&a);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return rc;
	perror("bulkhead token: cannot write");
	return EX_IOERR;
}
