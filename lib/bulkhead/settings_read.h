/*
 * settings_read.h - one value of a section at a time: text from libconfuse,
 * position from the scan, converted and checked by itself.  What values mean
 * together is settings_check.c's.
 */
#ifndef BULKHEAD_BULKHEAD_SETTINGS_READ_H
#define BULKHEAD_BULKHEAD_SETTINGS_READ_H

#include <confuse.h>

#include "base/arena.h"
#include "base/net.h"
#include "base/num.h"
#include "bulkhead/settings_report.h"
#include "bulkhead/settings_scan.h"

/* A section as both see it. */
struct section {
	cfg_t *cfg;
	const struct scan_node *node;
	struct arena *arena; /* owns what is read */
	struct settings_report *report;
	size_t index; /* among those of its name */
};

/* How many subsections of that name are good. */
size_t section_count(const struct section *s, const char *name);

/*
 * The first of them, and the one behind *sub; their node is NULL when there
 * is none.
 */
struct section section_first(const struct section *s, const char *name);
void section_next(const struct section *s, struct section *sub);

/* Its title and where that stands. */
struct scan_value section_title(const struct section *s);

/* Was it written at all, even if badly?  Then no default replaces it. */
bool section_has(const struct section *s, const char *name);

/* Where a setting stands, or the section when it was not written. */
struct settings_pos section_pos(const struct section *s, const char *name);

/*
 * Each reads a setting into *out and reports what is wrong with it.  True when
 * it was written and is good; *out is left alone otherwise.
 */
bool read_text(const struct section *s, const char *name, struct str *out);
bool read_word(const struct section *s, const char *name,
    const char *const words[], unsigned *out);
bool read_bool(const struct section *s, const char *name, bool *out);
/* A choice of two words: is it the second one? */
bool read_flag(const struct section *s, const char *name,
    const char *const words[], bool *out);
bool read_path(const struct section *s, const char *name, struct str *out);
bool read_socket(const struct section *s, const char *name, struct str *out);
bool read_store(const struct section *s, const char *name, struct str *out);
bool read_url(const struct section *s, const char *name, struct str *url,
    struct str *host);
bool read_domain(const struct section *s, const char *name, struct str *out);
bool read_mailbox(const struct section *s, const char *name, struct str *out);
bool read_rate(const struct section *s, const char *name, struct rate *out);
bool read_burst(const struct section *s, const char *name, uint64_t *out);
bool read_count(const struct section *s, const char *name, uint64_t min,
    uint64_t max, uint64_t *out);
bool read_size(const struct section *s, const char *name, uint64_t min,
    uint64_t *out);

/* "400d": days, whole ones, 1 at least; "0": 0. */
bool read_days(const struct section *s, const char *name, uint64_t *out);

/* The members of a list as they stand, with their positions; NULL for none. */
const struct scan_value *read_list(const struct section *s, const char *name,
    size_t *n);

/* Midnight UTC of a day, "2026-12-01", in seconds since 1970. */
bool read_day(const struct section *s, const char *name, int64_t *out);

/* Lists of globs, of globs over domains, of networks, of words (bits). */
void read_globs(const struct section *s, const char *name, struct str **out,
    size_t *n);
void read_domain_globs(const struct section *s, const char *name,
    struct str **out, size_t *n);
void read_cidrs(const struct section *s, const char *name,
    struct net_cidr **out, size_t *n);
void read_words(const struct section *s, const char *name,
    const char *const words[], unsigned *bits);

/* A domain name in ASCII: labels of letters, digits and inner hyphens. */
bool text_is_domain(struct str d);

/* The same for one text at a place. */
bool value_domain(const struct section *s, const struct scan_value *v,
    struct str *out);
bool value_domain_glob(const struct section *s, const struct scan_value *v,
    struct str *out);
bool value_rate(const struct section *s, const char *name,
    const struct scan_value *v, struct rate *out);
bool value_cidr(const struct section *s, const struct scan_value *v,
    struct net_cidr *out);

#endif
