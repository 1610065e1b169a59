/*
 * import_job.h - one run of `bulkhead suppress import`: read and sort
 * (import_job.c), then store in slices (import_store.c); what was refused
 * (import_reject.c) and what is said of it (suppress_import.c).
 *
 * What is sorted depends on the input and the options alone, never on the
 * time, so that a place in it means the same when an import goes on later.
 */
#ifndef BULKHEAD_CLI_IMPORT_JOB_H
#define BULKHEAD_CLI_IMPORT_JOB_H

#include "base/sort_external.h"
#include "cli/import.h"
#include "cli/suppress.h"

#define IMPORT_NREASONS 7
#define IMPORT_SHOWN	3 /* refused lines that are told at once */

struct import_rejects {
	const char *path; /* NULL: only told */
	FILE *file;
	int error; /* errno of opening or writing */
	uint64_t count;
};

struct import_job {
	struct suppress_run *run;
	const char *path; /* "-": standard input */
	int fd;
	uint64_t size; /* 0: not known */
	struct import_source source;
	struct import_rules rules;
	struct import_rejects rejects;
	struct suppress_scope scope; /* of --scope, or global */
	struct arena *row;	     /* of one row */
	int64_t expires;	     /* of --expires; 0: as the file says */
	const char *sort_directory;
	struct sorter *sorter;	     /* NULL in a dry run */
	uint64_t nrows, nleft_out;
	uint64_t reasons[IMPORT_NREASONS];
	bool is_resumed;
	struct suppress_import import;
	int64_t longest; /* slice, in nanoseconds */
	uint64_t nslices;
};

/* Writes down one refused line; what is wrong with the file is kept. */
void import_reject(struct import_rejects *x, const struct import_row *row,
    const char *cause, struct str raw);
/* 0, or -1 with errno: some could not be written. */
int import_rejects_close(struct import_rejects *x);

/* Reads all rows: EX_OK or an exit code with a line on stderr. */
int import_job_read(struct import_job *j);

/*
 * SHA-256 of all octets read, and of the options that change what becomes of
 * them, in hexadecimal, in the arena.
 */
struct str import_job_fingerprint(const struct import_job *j,
    const unsigned char digest[32]);

/*
 * Puts the sorted entries into the store, in slices of a few milliseconds, so
 * that others get their turn; goes on with an import of the same file that was
 * cut short.  EX_OK or an exit code with a line on stderr.
 */
int import_job_store(struct import_job *j);

#endif
