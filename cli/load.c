/*
 * load.c - settings and keys for a verb, and its output.
 */
#include "cli/load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"

#define MESSAGES_MAX (1024 * 1024)

struct keyring *
load_keyring(const char *file, unsigned kinds)
{
	struct keyring *k = NULL;
	struct settings *s;
	struct buf errors;

	buf_init(&errors, MESSAGES_MAX);
	s = settings_load(file, &errors);
	if (s != NULL)
		k = keyring_load(s, kinds, &errors);
	settings_free(&s);
	if (k == NULL)
		file_write_all(STDERR_FILENO, buf_view(&errors));
	buf_free(&errors);
	return k;
}

int
load_flush(struct buf *out, const char *verb)
{
	int rc = EX_OK;

	if (out->failed)
		errno = ENOMEM;
	if (out->failed || file_write_all(STDOUT_FILENO, buf_view(out)) != 0) {
		fprintf(stderr, "bulkhead %s: cannot write: %s\n", verb,
		    strerror(errno));
		rc = EX_IOERR;
	}
	buf_free(out);
	return rc;
}
