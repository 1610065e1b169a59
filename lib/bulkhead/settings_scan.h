/*
 * settings_scan.h - the check before libconfuse: where everything stands, and
 * what libconfuse would take silently.  Knows no key by name.
 *
 * libconfuse 3.3 counts lines wrongly after comments, keeps no position of an
 * option, lets the last of two settings win, takes a missing final brace and
 * drops an unquoted '*': hence this file.
 */
#ifndef BULKHEAD_BULKHEAD_SETTINGS_SCAN_H
#define BULKHEAD_BULKHEAD_SETTINGS_SCAN_H

#include "base/arena.h"
#include "base/buf.h"
#include "bulkhead/settings.h"
#include "bulkhead/settings_report.h"

#define SCAN_TEXT_MAX (16 * 1024 * 1024) /* with all that is included */

struct scan_value {
	struct str text; /* without quotes and escapes */
	struct settings_pos pos;
};

struct scan_node {
	enum { SCAN_OPTION, SCAN_SECTION } kind;
	struct str name, title;
	bool has_title;
	bool is_list; /* the value stood in braces */
	bool bad;     /* reported: must not reach libconfuse */
	struct settings_pos pos;
	size_t from, to; /* its bytes in the text for libconfuse */
	struct scan_value *values;
	size_t nvalues, cap;
	struct scan_node *next, *children, **tail;
};

struct settings_scan {
	struct arena *arena;
	struct buf text; /* one text: comments blanked, includes resolved */
	struct scan_node root;
	unsigned includes;
};

/*
 * Reads path and what it includes (relative to the including file, 10 deep).
 * 0 when its structure is known, even if errors were reported: the nodes that
 * they concern are marked bad.  -1 when it is not (a syntax error, reported).
 * Texts and nodes live in the arena; settings_scan_free() in either case.
 */
int settings_scan(struct settings_scan *s, struct arena *a, const char *path,
    struct settings_report *report);
void settings_scan_free(struct settings_scan *s);

/* Overwrites the bad nodes in the text with blanks, keeping the lines. */
void settings_scan_blank(struct settings_scan *s);

/* The innermost node that holds that line (from 1) of the text. */
const struct scan_node *settings_scan_at(const struct settings_scan *s,
    unsigned line);

#endif
