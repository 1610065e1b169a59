/*
 * settings_report.h - the errors and warnings of one load, kept until all are
 * found and then written in the order of the file.  Not a log.
 */
#ifndef BULKHEAD_BULKHEAD_SETTINGS_REPORT_H
#define BULKHEAD_BULKHEAD_SETTINGS_REPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "bulkhead/settings.h"

struct settings_message {
	struct settings_pos pos; /* line 0: the file as a whole */
	bool is_warning;
	struct str text;
	size_t order;
};

/* Zeroed but for the arena, which owns the texts. */
struct settings_report {
	struct arena *arena;
	struct settings_message *v;
	size_t n, cap;
	size_t errors; /* all of them, also those not kept */
};

/* For "%.*s": a value as it may be quoted in a message, at most 80 octets. */
#define SETTINGS_SHOW(s)                                                       \
	(int)((s).n < 80 ? (s).n : 80), (s).n ? (s).p : ""

/*
 * One error, or warning: what is wrong and what would be right.  Control
 * characters in the text become '?'.  Past 200 messages only counts are kept.
 */
void settings_error(struct settings_report *r, struct settings_pos pos,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void settings_warn(struct settings_report *r, struct settings_pos pos,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * Adds "FILE:LINE: text" lines to *out, those of the main file first, each
 * file's by line.
 */
void settings_report_write(struct settings_report *r, struct str main_file,
    struct buf *out);

#endif
