/*
 * progress.h - a bar on stderr for long work, where that is a terminal.
 */
#ifndef BULKHEAD_CLI_PROGRESS_H
#define BULKHEAD_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	bool is_on;
	const char *what, *unit; /* "reading", "octets" */
	uint64_t total;		 /* 0: not known */
	uint64_t first;		 /* done when it began */
	int64_t started, shown;	 /* nanoseconds of clock_monotonic() */
};

/* what and unit are borrowed; nothing is shown unless stderr is a terminal. */
void progress_begin(struct progress *p, const char *what, const char *unit,
    uint64_t first, uint64_t total);

/* Shows how far it is, ten times a second at most. */
void progress_show(struct progress *p, uint64_t done);

/* Wipes the line. */
void progress_end(struct progress *p);

/* One line for it, without line end, at most size - 1 octets. */
void progress_line(char *out, size_t size, const struct progress *p,
    uint64_t done, int64_t now);

#endif
