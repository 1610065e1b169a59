/*
 * sort_external.h - sorts more records than memory holds: runs sorted in a
 * bounded block of memory, written to one unnamed temporary file, and merged.
 * Records are bytes; their order is that of str_cmp().
 */
#ifndef BULKHEAD_BASE_SORT_EXTERNAL_H
#define BULKHEAD_BASE_SORT_EXTERNAL_H

#include <stdint.h>

#include "base/str.h"

/* The longest record. */
#define SORT_RECORD_MAX 65535

struct sorter;

/*
 * An empty sorter that uses about that much memory (at least 1 MiB is taken)
 * and, where that is not enough, a file in dir, which nobody else sees and
 * which is gone with the process.  dir is copied.
 */
struct sorter *sorter_new(const char *dir, size_t memory);
void sorter_free(struct sorter **s);

/*
 * Takes a copy of one record; all before sorter_finish().  0, or -1 with
 * errno: E2BIG for one longer than SORT_RECORD_MAX, EFBIG for more than 4096
 * runs, or what open(2) and write(2) say.
 */
int sorter_add(struct sorter *s, struct str record);

/* The records added so far; all of them once finished. */
uint64_t sorter_count(const struct sorter *s);

/* Ends the adding.  0, or -1 with errno. */
int sorter_finish(struct sorter *s);

/*
 * The next record in order, borrowed until the next call: 1, 0 behind the
 * last, or -1 with errno (EIO: the temporary file is shorter than it was).
 */
int sorter_next(struct sorter *s, struct str *record);

#endif
