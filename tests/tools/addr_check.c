/*
 * addr_check.c - what lib/mail makes of addresses, to compare it with tables
 * of others.  It is a test, not a program for users.
 *
 * Reads addresses that end with NUL; for each one a line: 1 or 0 (mailbox), 1
 * or 0 (path), the normal form in hexadecimal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "mail/addr.h"

#define MAX_INPUT (16 * 1024 * 1024)

static void
print_one(struct arena *a, struct str text)
{
	struct addr addr;
	bool is_path = addr_parse_path(a, text, &addr) == 0;
	struct str normal = is_path ? addr_normal(a, &addr) : STR("");

	printf("%d %d ", addr_is_mailbox(text), is_path);
	for (size_t i = 0; i < normal.n; i++)
		printf("%02x", (unsigned char)normal.p[i]);
	putchar('\n');
}

int
main(void)
{
	struct arena *a = arena_new();
	struct str in;
	size_t at = 0;

	if (file_read_fd(a, STDIN_FILENO, MAX_INPUT, &in) != 0) {
		perror("stdin");
		return EXIT_FAILURE;
	}
	while (at < in.n) {
		size_t end = str_chr(in, '\0', at);

		print_one(a, str_sub(in, at, end));
		at = end + 1;
	}
	arena_free(&a);
	return EXIT_SUCCESS;
}
