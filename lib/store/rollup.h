/*
 * rollup.h - what events add up to: counts by day, stream, campaign, list, kind
 * and verdict, and by link.  Kept for ever, in rollups.db beside the events.
 * Whoever reports, and trackd each minute, rolls up what is new.
 */
#ifndef BULKHEAD_STORE_ROLLUP_H
#define BULKHEAD_STORE_ROLLUP_H

#include "store/events.h"

/*
 * Adds up to max events behind where the last call, of any process, ended.
 * Each is added exactly once, kill -9 or not.  A correction moves its event
 * from one verdict to the other.  *ndone: how many it read; *more: come again.
 * It reads for half of the time until the deadline at most, and for half a
 * second: others wait for it meanwhile.
 */
enum store_answer store_rollup_step(struct store *s, size_t max,
    uint64_t *ndone, bool *more, int64_t deadline);

/* Empty and 0 mean any. */
struct rollup_filter {
	struct str domain;
	bool has_stream;
	uint32_t stream;
	bool has_campaign; /* exactly this one, which may be empty */
	struct str campaign;
	uint32_t from_day, until_day; /* 20261123; in [from, until) */
};

/*
 * unique: mails - recipient, domain, stream, campaign, list, hour - for which
 * a human (EVENT_HUMAN, EVENT_UNKNOWN) did something of that kind, counted in
 * the row of the event that was the first of them, as long as any of them is
 * still held to be a human's.  Events of shared tokens, which name no
 * recipient, are never unique.
 */
struct rollup_row {
	uint32_t day;
	struct str domain;
	uint32_t stream;
	struct str campaign, list;
	enum event_kind kind;
	enum event_verdict verdict;
	uint64_t n, unique;
};

struct rollup_link {
	struct str domain;
	uint32_t stream;
	struct str campaign;
	struct str url;
	uint64_t n[EVENT_VERDICTS]; /* clicks by verdict */
	uint64_t unique;	    /* mails of which a human clicked it */
};

/* In order of day, domain, stream, campaign, list, kind, verdict. */
enum store_answer store_rollup_walk(struct store *s,
    const struct rollup_filter *filter,
    bool (*each)(void *arg, const struct rollup_row *row), void *arg);

/* Links of a campaign; those beyond it are added up as one with no url. */
#define ROLLUP_LINKS_MAX 10000

/*
 * All links of these campaigns; days are not told apart.  Most clicked (by
 * humans) first, max at the most.
 */
enum store_answer store_rollup_links(struct store *s,
    const struct rollup_filter *filter, size_t max,
    bool (*each)(void *arg, const struct rollup_link *link), void *arg);

/* Up to where events are rolled up; STORE_NO: nothing was yet. */
enum store_answer store_rollup_cursor(struct store *s,
    struct event_cursor *out, int64_t deadline);

/* When that was (microseconds since 1970); STORE_NO: never. */
enum store_answer store_rollup_time(struct store *s, int64_t *at,
    int64_t deadline);

/*
 * Forgets with which mails humans did something where that was before that
 * day, a few days more than events are kept: what was added up stays, and a
 * mail that is opened later still counts as another one.  In short
 * transactions, as many as there is time for: the next call goes on.
 */
enum store_answer store_rollup_purge(struct store *s, uint32_t before_day,
    int64_t deadline);

/*
 * Takes links with a person's address in them out, *n of them: what was counted
 * for them goes to the one with no url of their campaign; nothing of them stays
 * in the file.  After store_events_forget(): until then they may come back.
 * dry: counts only.
 */
enum store_answer store_rollup_forget(struct store *s, struct str address,
    bool dry, uint64_t *n, int64_t deadline);

#endif
