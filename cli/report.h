/*
 * report.h - what the files of `bulkhead report` share: what it was asked, what
 * it found, and the ways to write that.
 */
#ifndef BULKHEAD_CLI_REPORT_H
#define BULKHEAD_CLI_REPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "bulkhead/settings.h"
#include "store/rollup.h"

#define REPORT_OUTPUT_MAX ((size_t)512 * 1024 * 1024)
#define REPORT_DAYS	  30   /* unless it is asked for others */
#define REPORT_DAYS_MAX	  3660 /* of one report */
#define REPORT_BUCKETS	  30   /* blocks of a sparkline */
#define REPORT_LINKS	  50   /* of one report */
#define REPORT_LINES	  200  /* that are written for people */

/* As given; NULL or false where not. */
struct report_options {
	const char *file, *domain, *since, *until, *stream, *campaign;
	const char *name; /* what may be a stream or a campaign */
	bool json, csv, html, help;
};

enum report_about { REPORT_ALL, REPORT_STREAM, REPORT_CAMPAIGN };

struct report_counts {
	uint64_t n[EVENT_KINDS][EVENT_VERDICTS];
	uint64_t unique[EVENT_KINDS];
};

/* A stream, or a campaign. */
struct report_line {
	struct str name;
	uint32_t stream;
	struct str campaign;
	uint32_t first_day; /* on which anything happened */
	struct report_counts counts;
	uint64_t handed[REPORT_BUCKETS], opened[REPORT_BUCKETS]; /* by humans */
};

struct report_link {
	struct str stream, campaign, url;
	uint64_t n[EVENT_VERDICTS], unique;
};

struct report {
	struct arena *arena;
	const struct settings *settings;
	struct store *store;
	enum report_about about;
	struct str domain;     /* empty: all */
	uint32_t stream;       /* REPORT_STREAM */
	struct str title;      /* the stream's, or the campaign */
	int64_t as_of;	       /* microseconds; 0: nothing is rolled up */
	bool is_current;       /* all that was there is in it */
	uint32_t from, until;  /* days, both in it */
	uint32_t *days;	       /* their dates */
	struct report_counts *by_day;
	size_t ndays, nbuckets;
	struct report_counts total;
	struct report_line *lines; /* streams; of a stream its campaigns */
	size_t nlines;
	struct report_link *links;
	size_t nlinks;
};

/* One line "bulkhead report: ..." on stderr. */
void report_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- report_days.c ---- */

/*
 * "2026-11-23" or "20261123": that day; "30d": so many days up to today, which
 * is the last of them.  0, or -1.
 */
int report_day_parse(struct str text, uint32_t today, uint32_t *out);

/* The day that many days later; negative: before. */
uint32_t report_day_add(uint32_t day, int64_t days);

/* How many days it is from one to the other. */
int64_t report_day_span(uint32_t from, uint32_t to);

#define REPORT_DAY_TEXT 16

/* "2026-11-23" */
void report_day_format(uint32_t day, char out[REPORT_DAY_TEXT]);

/* ---- report_open.c ---- */

/*
 * Opens the store and rolls up what is new, with a bar on a terminal.  Where
 * this user cannot, it says so and from when the report is.  An exit code.
 */
int report_open(struct report *r);

/* ---- report_find.c ---- */

/* Decides what the report is about; an exit code, having said why. */
int report_find(struct report *r, const struct report_options *o);

/* A stream's title, or "#1a2b3c4d"; "(none)" for 0.  In the arena. */
struct str report_stream_name(struct report *r, uint32_t stream);

/* ---- report_gather.c ---- */

/* Fills the report from the roll-ups; an exit code. */
int report_gather(struct report *r);

/* Humans (and those that nobody knows), robots, all of them. */
uint64_t report_human(const struct report_counts *c, enum event_kind kind);
uint64_t report_robot(const struct report_counts *c, enum event_kind kind);
uint64_t report_total(const struct report_counts *c, enum event_kind kind);

/*
 * Of a hundred that were handed over, a human did it with how many mails, in
 * tenths: 375 is 37.5 %; -1: none was handed.
 */
int64_t report_rate(const struct report_counts *c, enum event_kind kind);

/* In which block of a sparkline a day is. */
size_t report_bucket(const struct report *r, size_t day);

/* ---- report_name.c: text that others chose, on a terminal ---- */

/*
 * Appends s without controls, without what turns the direction of text, and as
 * valid UTF-8, in exactly width columns: an ellipsis in the middle of what is
 * longer, blanks behind what is not.  width 0: as long as it is.
 */
void report_name(struct buf *out, struct str s, size_t width);

/* How many columns it takes. */
size_t report_name_width(struct str s);

/* Appends blocks for n values; '·' for 0. */
void report_sparkline(struct buf *out, const uint64_t *v, size_t n);

/* ---- the ways to write it ---- */

void report_write_text(const struct report *r, struct buf *out);
void report_write_json(const struct report *r, struct buf *out);
void report_write_csv(const struct report *r, struct buf *out);
void report_write_html(const struct report *r, struct buf *out);

/* ---- report_plot.c ---- */

/* What a plot shows for each day: two values on top of each other. */
struct report_plot {
	const char *id;	   /* of the elements: "p1" */
	const char *title; /* and what it says, for who cannot see it */
	const char *lower, *upper; /* what they are; upper may be NULL */
	uint64_t (*value)(const struct report_counts *c, bool is_upper);
};

/* Appends an SVG element of it. */
void report_plot(const struct report *r, struct buf *out,
    const struct report_plot *plot);

/* Appends text with what HTML means something by escaped; valid UTF-8. */
void report_html_text(struct buf *out, struct str s);

#endif
