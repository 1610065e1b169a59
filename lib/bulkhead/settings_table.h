/*
 * settings_table.h - the one table of all keys: what libconfuse is told, what
 * the scan is checked against, and the words that enumerations know.
 */
#ifndef BULKHEAD_BULKHEAD_SETTINGS_TABLE_H
#define BULKHEAD_BULKHEAD_SETTINGS_TABLE_H

#include <confuse.h>

#include "base/arena.h"
#include "bulkhead/settings_report.h"
#include "bulkhead/settings_scan.h"

enum settings_key_kind {
	KEY_VALUE,
	KEY_LIST,
	KEY_SECTION, /* without a title, once */
	KEY_TITLED   /* with a title, as many as titles */
};

struct settings_key {
	const char *name; /* NULL ends a table */
	enum settings_key_kind kind;
	const struct settings_key *keys; /* of a section */
};

extern const struct settings_key settings_table[];

/* Words of the enumerations, NULL at the end; the index is the value. */
extern const char *const settings_on_failure_words[];
extern const char *const settings_log_addresses_words[];
extern const char *const settings_event_addresses_words[];
extern const char *const settings_mode_words[];
extern const char *const settings_charge_at_words[];
extern const char *const settings_unsubscribe_words[];
extern const char *const settings_existing_words[];
extern const char *const settings_several_words[];
extern const char *const settings_suppressed_words[];
extern const char *const settings_control_words[];
extern const char *const settings_track_words[]; /* bit = 1 << index */
extern const char *const settings_per_words[];	 /* "none" first */
extern const char *const settings_count_words[];

/*
 * Compares what the scan found with the table: unknown keys (with the one that
 * was probably meant), a section where a setting belongs and the reverse, a
 * list for one value, titles missing or too many.  Such nodes become bad.
 */
void settings_table_check(struct settings_scan *s,
    struct settings_report *report);

/* The table as libconfuse wants it: every value a text.  In the arena. */
cfg_opt_t *settings_table_options(struct arena *a);

#endif
