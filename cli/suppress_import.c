/*
 * suppress_import.c - `bulkhead suppress import`: options, the order of the
 * steps, and what is said at the end.
 */
#include "cli/suppress.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/import_job.h"
#include "cli/load.h"

#define SORT_MEMORY ((size_t)96 * 1024 * 1024)
#define OUTPUT_MAX  65536
#define TMP_DEFAULT "/var/tmp"

static const struct suppress_scope *
scope_of_text(void *arg, struct str text)
{
	struct import_job *j = arg;
	struct suppress_scope *scope = arena_alloc(j->row, sizeof(*scope));
	struct str why;

	return suppress_scope_parse(j->row, j->run->settings, text, true,
		   scope, &why) == 0
	    ? scope
	    : NULL;
}

static int
open_input(struct import_job *j)
{
	struct stat st;

	j->fd = strcmp(j->path, "-") == 0 ? STDIN_FILENO
					  : open(j->path, O_RDONLY | O_CLOEXEC);
	if (j->fd < 0 || fstat(j->fd, &st) != 0) {
		suppress_say("%s: %s", j->path, strerror(errno));
		return EX_NOINPUT;
	}
	if (S_ISDIR(st.st_mode)) {
		suppress_say("%s: %s", j->path, strerror(EISDIR));
		return EX_NOINPUT;
	}
	j->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	return EX_OK;
}

/* --from: a service or a format. */
static int
check_from(struct suppress_run *r, enum import_format *format)
{
	struct str from = str_from(r->o->from);
	struct buf list;

	*format = IMPORT_FORMAT_ANY;
	if (r->o->format != NULL &&
	    import_format_parse(str_from(r->o->format), format) != 0) {
		suppress_say("--format: \"%s\" is none of csv, json, txt",
		    r->o->format);
		return EX_USAGE;
	}
	if (from.n == 0 || import_kind_is_known(from) ||
	    import_format_parse(from, format) == 0)
		return EX_OK;
	buf_init(&list, OUTPUT_MAX);
	import_kind_list(&list);
	suppress_say("--from: \"%s\" is none of %.*sor csv, json, txt",
	    r->o->from, STR_ARG(buf_view(&list)));
	buf_free(&list);
	return EX_USAGE;
}

static struct str
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (strcmp(path, "-") == 0)
		return STR("standard input");
	return str_from(slash != NULL ? slash + 1 : path);
}

static int
prepare(struct import_job *j)
{
	struct suppress_run *r = j->run;
	enum import_format format;
	int rc = check_from(r, &format);

	if (rc != EX_OK)
		return rc;
	if (suppress_arg_scope(r, true, &j->scope) != 0 ||
	    suppress_arg_reason(r, &j->rules.reason) != 0 ||
	    suppress_arg_expires(r, &j->expires) != 0)
		return EX_USAGE;
	j->path = r->o->argv[0];
	j->rules.now = r->now;
	j->rules.has_scope = r->o->scope != NULL;
	j->rules.scope = scope_of_text;
	j->rules.arg = j;
	j->rejects.path = r->o->rejects;
	if (j->rejects.path == NULL && strcmp(j->path, "-") != 0 &&
	    !r->o->dry_run)
		j->rejects.path = arena_cstr(r->arena,
		    arena_printf(r->arena, "%s.rejects", j->path));
	rc = open_input(j);
	if (rc == EX_OK &&
	    import_source_open(&j->source, j->fd, base_name(j->path),
		str_from(r->o->from), format) != 0) {
		suppress_say("%s: %s", j->path,
		    errno != 0 ? strerror(errno) : j->source.error.p);
		rc = errno != 0 ? EX_NOINPUT : EX_DATAERR;
	}
	return rc;
}

/* Where the sort may put what memory does not hold. */
static const char *
sort_directory(const struct suppress_run *r)
{
	const char *dir = arena_cstr(r->arena, suppress_directory(r));

	if (r->o->tmp != NULL)
		return r->o->tmp;
	return *dir != '\0' && access(dir, W_OK) == 0 ? dir : TMP_DEFAULT;
}

static void
write_json(const struct import_job *j, struct buf *out, int rc)
{
	const struct suppress_import *i = &j->import;

	buf_char(out, '{');
	json_key(out, "import");
	if (i->id != 0)
		json_number(out, (int64_t)i->id);
	else
		buf_puts(out, "null");
	json_key(out, "done");
	json_bool(out, rc == EX_OK && j->sorter != NULL);
	json_key(out, "dry-run");
	json_bool(out, j->sorter == NULL);
	json_key(out, "resumed");
	json_bool(out, j->is_resumed);
	json_key(out, "service");
	json_string_or_null(out, str_from(j->source.kind != NULL
		? j->source.kind->service
		: NULL));
	json_key(out, "kind");
	json_string_or_null(out, str_from(j->source.kind != NULL
		? j->source.kind->kind
		: NULL));
	json_key(out, "format");
	json_string(out, str_from(j->source.format == IMPORT_JSON ? "json"
		: j->source.format == IMPORT_CSV		  ? "csv"
								  : "txt"));
	json_key(out, "rows");
	json_number(out, (int64_t)j->nrows);
	json_key(out, "added");
	json_number(out, (int64_t)i->nadded);
	json_key(out, "extended");
	json_number(out, (int64_t)i->nextended);
	json_key(out, "already");
	json_number(out, (int64_t)i->nalready);
	json_key(out, "refused");
	json_number(out, (int64_t)j->rejects.count);
	json_key(out, "left-out");
	json_number(out, (int64_t)j->nleft_out);
	json_key(out, "unread-dates");
	json_number(out, (int64_t)j->rules.nbad_dates);
	json_key(out, "rejects");
	json_string_or_null(out, j->rejects.count > 0
		? str_from(j->rejects.path)
		: STR(""));
	json_key(out, "longest-slice-ms");
	json_number(out, j->longest / 1000000);
	json_key(out, "reasons");
	buf_char(out, '{');
	for (int reason = 1; reason < IMPORT_NREASONS; reason++) {
		if (j->reasons[reason] == 0)
			continue;
		json_key(out, suppress_reason_name(
				  (enum suppress_reason)reason));
		json_number(out, (int64_t)j->reasons[reason]);
	}
	buf_puts(out, "}}\n");
}

static void
write_reasons(const struct import_job *j, struct buf *out)
{
	const char *apart = "  by reason: ";

	for (int reason = 1; reason < IMPORT_NREASONS; reason++) {
		if (j->reasons[reason] == 0)
			continue;
		buf_printf(out, "%s%s %" PRIu64, apart,
		    suppress_reason_name((enum suppress_reason)reason),
		    j->reasons[reason]);
		apart = ", ";
	}
	if (*apart == ',')
		buf_char(out, '\n');
}

static void
write_exceptions(const struct import_job *j, struct buf *out)
{
	if (j->nleft_out > 0)
		buf_printf(out, "  %" PRIu64 " left out: expired, or told as "
			"removed\n", j->nleft_out);
	if (j->rules.nbad_dates > 0)
		buf_printf(out, "  %" PRIu64 " dates could not be read: the "
			"time of the import stands for them\n",
		    j->rules.nbad_dates);
	if (j->rejects.count > 0)
		buf_printf(out, "  %" PRIu64 " lines refused%s%s\n",
		    j->rejects.count,
		    j->rejects.path != NULL ? ", with causes in " : "",
		    j->rejects.path != NULL ? j->rejects.path : "");
}

static void
write_text(const struct import_job *j, struct buf *out)
{
	const struct suppress_import *i = &j->import;

	buf_printf(out, "%s: ", j->path);
	import_source_describe(&j->source, out);
	if (j->source.is_settled)
		buf_printf(out, "; %" PRIu64 " rows\n", j->nrows);
	else
		buf_puts(out, "; empty\n");
	if (j->sorter == NULL)
		buf_puts(out, "  dry run: nothing was changed\n");
	else
		buf_printf(out, "  import %" PRIu64 "%s: %" PRIu64
			" added, %" PRIu64 " extended, %" PRIu64
			" already listed\n",
		    i->id, j->is_resumed ? " (that was cut short)" : "",
		    i->nadded, i->nextended, i->nalready);
	write_reasons(j, out);
	write_exceptions(j, out);
	if (j->sorter != NULL)
		buf_printf(out, "  to undo it: bulkhead suppress undo %" PRIu64
			"\n", i->id);
}

static int
report(struct import_job *j, int rc)
{
	struct buf out;
	int rc2;

	buf_init(&out, OUTPUT_MAX);
	if (j->run->o->json)
		write_json(j, &out, rc);
	else if (rc == EX_OK)
		write_text(j, &out);
	rc2 = load_flush(&out, "suppress");
	if (rc != EX_OK || rc2 != EX_OK)
		return rc != EX_OK ? rc : rc2;
	return j->rejects.count > 0 ? EX_DATAERR : EX_OK;
}

/* Before the store is opened we are whoever started us: the input, the
 * rejects and the temporary file are his. */
static int
read_and_sort(struct import_job *j)
{
	int rc;

	j->sort_directory = sort_directory(j->run);
	if (!j->run->o->dry_run)
		j->sorter = sorter_new(j->sort_directory, SORT_MEMORY);
	rc = import_job_read(j);
	if (import_rejects_close(&j->rejects) != 0) {
		suppress_say("%s: %s", j->rejects.path, strerror(errno));
		rc = rc != EX_OK ? rc : EX_CANTCREAT;
	}
	return rc;
}

int
suppress_import(struct suppress_run *r)
{
	struct import_job *j = arena_alloc(r->arena, sizeof(*j));
	int rc;

	j->run = r;
	j->fd = -1;
	j->row = arena_new();
	rc = prepare(j);
	if (rc == EX_OK) {
		j->rules.source = str_from("import");
		rc = read_and_sort(j);
		if (rc == EX_OK && j->sorter != NULL)
			rc = import_job_store(j);
		rc = report(j, rc);
	}
	if (j->source.in.p != NULL)
		import_source_close(&j->source);
	sorter_free(&j->sorter);
	arena_free(&j->row);
	if (j->fd > STDIN_FILENO)
		close(j->fd);
	return rc;
}
