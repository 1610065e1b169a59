/*
 * import_reject.c - lines that were not imported, with number and cause.
 */
#include "cli/import_job.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#define RAW_MAX 1000

/* It holds addresses: nobody else reads it. */
static FILE *
open_file(const struct import_rejects *x)
{
	FILE *f = NULL;
	int fd;

	fd = open(x->path,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && (f = fdopen(fd, "w")) == NULL)
		close(fd);
	if (f != NULL)
		fputs("line,cause,text\n", f);
	return f;
}

void
import_reject(struct import_rejects *x, const struct import_row *row,
    const char *cause, struct str raw)
{
	struct buf out;
	int n;

	raw = str_trim(str_sub(raw, 0, RAW_MAX));
	buf_init(&out, 65536);
	if (row->number != 0)
		buf_printf(&out, "record %" PRIu64 ": ", row->number);
	buf_puts(&out, cause);
	if (x->count++ < IMPORT_SHOWN)
		suppress_say("line %" PRIu64 ": %.*s: %.*s", row->line,
		    STR_ARG(buf_view(&out)), STR_ARG(str_sub(raw, 0, 100)));
	if (x->path != NULL && x->file == NULL && x->error == 0 &&
	    (x->file = open_file(x)) == NULL)
		x->error = errno;
	if (x->file != NULL) {
		struct buf line;

		buf_init(&line, 65536);
		n = (int)out.n;
		buf_printf(&line, "%" PRIu64 ",", row->line);
		suppress_write_csv_field(&line, str_make(out.p, (size_t)n));
		buf_char(&line, ',');
		suppress_write_csv_field(&line, raw);
		buf_char(&line, '\n');
		if (fwrite(line.p, 1, line.n, x->file) != line.n)
			x->error = errno;
		buf_free(&line);
	}
	buf_free(&out);
}

int
import_rejects_close(struct import_rejects *x)
{
	if (x->file != NULL && fclose(x->file) != 0 && x->error == 0)
		x->error = errno;
	x->file = NULL;
	errno = x->error;
	return x->error != 0 ? -1 : 0;
}
