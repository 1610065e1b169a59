/*
 * page_unsubscribe.h - what the parts of the unsubscribe page share.
 */
#ifndef BULKHEAD_TRACKD_PAGE_UNSUBSCRIBE_H
#define BULKHEAD_TRACKD_PAGE_UNSUBSCRIBE_H

#include "trackd/pages.h"
#include "trackd/track.h"

/* How long an unsubscription can be undone by its stamp, seconds. */
#define UNSUBSCRIBE_UNDO 3600

/* A request of a token that opened; in the request's arena. */
struct unsubscribe {
	const struct track *t;
	struct token token;
	bool is_page; /* else one-click */
	struct request_wish wish;
};

/* Answers with a page of ours. */
void unsubscribe_show(const struct unsubscribe *u, const struct request *r,
    struct answer *a, unsigned status, enum page page,
    enum page_message message, struct str stamp);

/* 503: neither store nor spool. */
void unsubscribe_later(const struct unsubscribe *u, const struct request *r,
    struct answer *a);

/*
 * The stamp of an entry that was just made: a token of a kind of its own, that
 * holds its key and the time of its making.  Empty: too long for one.
 */
struct str unsubscribe_stamp(const struct request *r,
    const struct suppress_entry *e);

/* Fills the answer to a POST with a stamp. */
void unsubscribe_undo(struct unsubscribe *u, const struct request *r,
    struct str stamp, struct answer *a);

#endif
