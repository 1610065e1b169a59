/*
 * spool.h - octets that come in pieces and are read as one slice: short ones
 * in memory, long ones in a file without a name that is mapped in the end.
 * It knows nothing of what the octets mean.
 */
#ifndef BULKHEAD_BASE_SPOOL_H
#define BULKHEAD_BASE_SPOOL_H

#include <stdint.h>

#include "base/arena.h"
#include "base/budget.h"
#include "base/str.h"

/* What is longer goes into the file; see docs/DECISIONS.md. */
#define SPOOL_IN_MEMORY ((size_t)1 << 20)

enum spool_result {
	SPOOL_OK,
	SPOOL_TOO_LONG, /* max would be passed */
	SPOOL_FAILED	/* the directory does not take it: see error */
};

/* Fields are for spool.c; zeroed it is empty. */
struct spool {
	struct budget *budget;
	struct str directory;
	uint64_t max;
	size_t in_memory;
	char *p;       /* in memory, or mapped */
	size_t n, cap; /* cap: of the memory, 0 where there is none */
	int fd;	       /* while is_file and not mapped */
	bool is_file, is_mapped;
	enum spool_result result;
	int error; /* errno of SPOOL_FAILED */
};

/*
 * Begins an empty content of at most max octets.  Above in_memory octets, or
 * when the budget (borrowed; NULL: none) has no room, it goes into a file in
 * directory (borrowed, until spool_clear()).  What an earlier one held must
 * have been cleared.
 */
void spool_begin(struct spool *s, struct budget *budget, struct str directory,
    size_t in_memory, uint64_t max);

/*
 * Appends a copy.  What went wrong once stays: memory and file go at once, and
 * further pieces are passed over with the same answer.
 */
enum spool_result spool_add(struct spool *s, struct str piece);

/*
 * All that was added, in one slice, borrowed until spool_clear(); nothing may
 * be added any more.  Calling it again gives the same.
 */
enum spool_result spool_view(struct spool *s, struct str *out);

/* Gives back memory, file and budget; any number of times. */
void spool_clear(struct spool *s);

/*
 * Can a file be made there?  0, or -1 with errno: for a warning beforehand.
 */
int spool_check(struct str directory);

#endif
