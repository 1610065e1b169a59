/*
 * mail_in.h - how the DKIM test tools read a message: from a file, lines that
 * end in LF or CRLF, as header list and CRLF body.
 */
#ifndef BULKHEAD_TESTS_MAIL_IN_H
#define BULKHEAD_TESTS_MAIL_IN_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "mail/header.h"

#define MAIL_IN_MAX (64 * 1024 * 1024)

/* s with CRLF for each LF that has no CR before it; in the arena. */
static inline struct str
mail_in_crlf(struct arena *a, struct str s)
{
	char *out = arena_bytes(a, s.n * 2 + 1), *to = out;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			*to++ = '\r';
		*to++ = s.p[i];
	}
	return str_make(out, (size_t)(to - out));
}

/* Reads path, or standard input for "-".  0, or -1 having told why. */
static inline int
mail_in(struct arena *a, const char *path, struct headers *h, struct str *body)
{
	struct str text;
	size_t at = 0;
	int rc = strcmp(path, "-") == 0
		     ? file_read_fd(a, STDIN_FILENO, MAIL_IN_MAX, &text)
		     : file_read(a, path, MAIL_IN_MAX, &text);

	if (rc != 0) {
		perror(path);
		return -1;
	}
	headers_init(h, a);
	(void)headers_parse(h, text, &at);
	*body = mail_in_crlf(a, str_sub(text, at, text.n));
	return 0;
}

#endif
