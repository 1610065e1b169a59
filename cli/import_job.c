/*
 * import_job.c - rows become sorted entries.  The store is import_store.c's.
 */
#include "cli/import_job.h"

#include <errno.h>
#include <inttypes.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/hash.h"
#include "cli/progress.h"

#define SHOW_EVERY 2048

static int
fail_reading(const struct import_job *j)
{
	if (errno == 0) {
		suppress_say("%s: %.*s", j->path,
		    STR_ARG(buf_view(&j->source.error)));
		return EX_DATAERR;
	}
	suppress_say("%s: %s", j->path, strerror(errno));
	return EX_NOINPUT;
}

static int
sort_entry(struct import_job *j, const struct suppress_entry *e,
    const struct suppress_scope *scope)
{
	char packed[IMPORT_PACK_MAX];
	struct str record = { packed, 0 };

	if (j->sorter == NULL)
		return EX_OK;
	record.n = import_pack(packed, e, scope);
	if (sorter_add(j->sorter, record) == 0)
		return EX_OK;
	suppress_say("cannot sort in %s: %s (--tmp DIR names another "
		     "directory)",
	    j->sort_directory, strerror(errno));
	return EX_CANTCREAT;
}

static int
take_row(struct import_job *j, const struct import_row *row)
{
	const struct suppress_scope *scope;
	struct suppress_entry e;
	enum import_made made;
	const char *cause;

	arena_reset(j->row);
	made = import_entry_make(&j->rules, row, j->row, &e, &scope, &cause);
	if (made == IMPORT_EXPIRED && j->expires != 0)
		made = IMPORT_MADE; /* --expires says otherwise */
	switch (made) {
	case IMPORT_MADE:
		j->reasons[e.reason]++;
		return sort_entry(j, &e, scope);
	case IMPORT_EXPIRED:
		j->nleft_out++;
		return sort_entry(j, &e, scope);
	case IMPORT_LEFT_OUT:
		j->nleft_out++;
		return EX_OK;
	default:
		import_reject(&j->rejects, row, cause, j->source.raw);
		return EX_OK;
	}
}

int
import_job_read(struct import_job *j)
{
	struct progress progress;
	struct import_row row;
	const char *cause = "";
	int rc = EX_OK;
	bool is_end = false;

	progress_begin(&progress, "reading", "octets", 0, j->size);
	while (rc == EX_OK && !is_end) {
		switch (import_source_next(&j->source, &row, &cause)) {
		case IMPORT_END:
			is_end = true;
			break;
		case IMPORT_ERROR:
			rc = fail_reading(j);
			break;
		case IMPORT_BAD:
			j->nrows++;
			import_reject(&j->rejects, &row, cause, j->source.raw);
			break;
		case IMPORT_ROW:
			j->nrows++;
			j->rules.kind = j->source.kind;
			rc = take_row(j, &row);
			break;
		}
		if (j->nrows % SHOW_EVERY == 0)
			progress_show(&progress, j->source.in.nread);
	}
	progress_end(&progress);
	return rc;
}

static struct str
hex(struct arena *a, const unsigned char *p, size_t n)
{
	char *out = arena_bytes(a, n * 2 + 1);

	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
	return str_make(out, n * 2);
}

struct str
import_job_fingerprint(const struct import_job *j,
    const unsigned char digest[32])
{
	const struct suppress_options *o = j->run->o;
	const char *const options[] = { o->scope, o->reason, o->expires,
		o->note, o->from, o->format };
	struct arena *a = j->run->arena;
	unsigned char all[SHA256_SIZE];
	struct str text = hex(a, digest, 32);

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		text = arena_printf(a, "%.*s\n%s", STR_ARG(text),
		    options[i] != NULL ? options[i] : "");
	/* The file's name may tell what it is. */
	text = arena_printf(a, "%.*s\n%.*s", STR_ARG(text),
	    STR_ARG(j->source.file));
	hash_sha256(text, all);
	return hex(a, all, sizeof(all));
}
