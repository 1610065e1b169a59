/*
 * lines.h - the connections that are open, and since when each waits: who
 * takes too long over a request, or over its answer, is hung up on, though a
 * few octets may come now and then.
 */
#ifndef BULKHEAD_TRACKD_LINES_H
#define BULKHEAD_TRACKD_LINES_H

#include "base/net.h"
#include "bulkhead/metrics.h"

struct sockaddr;
struct lines;
struct line;

/* Starts a thread that looks after them; NULL, logged. */
struct lines *lines_new(struct metrics *m);
/* When none is left. */
void lines_free(struct lines **l);

/*
 * A connection begins, and ends: before its descriptor is closed.  Any
 * thread.
 */
struct line *line_open(struct lines *l, int fd, const struct sockaddr *peer);
void line_close(struct line **l);

/* Who is connected; NULL: by a unix socket. */
const struct net_addr *line_peer(const struct line *l);

enum line_state {
	LINE_IDLE,	/* no line of a request was seen yet */
	LINE_ASKING,	/* the rest of it is to come */
	LINE_WAITING,	/* for us: no time is up */
	LINE_ANSWERING
};

/* By the thread that serves it. */
void line_set(struct line *l, enum line_state state);

/* How many are open. */
size_t lines_count(struct lines *l);

/*
 * Ends those that are idle: what they have sent by now is still read and
 * answered.  Later ones, too, when they become idle.
 */
void lines_drain(struct lines *l);

#endif
