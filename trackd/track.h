/*
 * track.h - what all requests of trackd share, and the pages.  A page looks at
 * a request and fills an answer; it touches no store, no file and no
 * connection, and any thread may call it.
 */
#ifndef BULKHEAD_TRACKD_TRACK_H
#define BULKHEAD_TRACKD_TRACK_H

#include "bulkhead/metrics.h"
#include "store/events.h"
#include "trackd/request.h"
#include "trackd/robot.h"

struct bursts;
struct pages;

struct track {
	struct metrics *metrics;
	/* Takes events; never waits.  arg is event_arg. */
	void (*event)(void *arg, const struct event *e);
	void *event_arg;
	const struct robots *robots;
	struct bursts *bursts; /* NULL: not looked for */
	const struct pages *pages;
};

/* Fills the answer to any request: routes.c. */
void track_answer(const struct track *t, const struct request *r,
    struct answer *a);

/*
 * The pages.  text: what stands behind "/c/", "/o/", "/u/" in the path, as it
 * came.  Methods were looked at: GET and HEAD, for unsubscribe POST too.
 */
void page_click(const struct track *t, const struct request *r,
    struct str text, struct answer *a);
void page_open(const struct track *t, const struct request *r,
    struct str text, struct answer *a);
void page_unsubscribe(const struct track *t, const struct request *r,
    struct str text, struct answer *a);

/* 404, always the same, whatever was wrong. */
void answer_not_found(struct answer *a);

/*
 * Opens the token in a piece of a path: as it is, then what is left when that
 * is undone which mail programs do to URLs (percent escapes, "=3D" and soft
 * line breaks of quoted-printable, blanks, punctuation behind it).  0 with *t
 * in the request's arena, or -1: whatever was wrong.
 */
int request_token(const struct request *r, enum token_kind kind,
    struct str text, struct token *out);

/*
 * Judges the visit and sends the event of a token, and corrections of earlier
 * ones when a burst shows itself.
 */
void track_visit(const struct track *t, const struct request *r,
    enum event_kind kind, const struct token *token, struct str detail);

#endif
