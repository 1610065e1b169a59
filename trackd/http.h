/*
 * http.h - HTTP by libmicrohttpd: connections, limits, what is wrong with a
 * request before any page sees it, and answers as octets.
 */
#ifndef BULKHEAD_TRACKD_HTTP_H
#define BULKHEAD_TRACKD_HTTP_H

#include "trackd/durable.h"
#include "trackd/world.h"

struct http;

struct http_spec {
	int fd; /* listening; the caller's to close, after http_drain() */
	unsigned threads, max_connections;
	struct metrics *metrics;
	struct worlds *worlds;	 /* borrowed */
	struct durable *durable; /* borrowed */
};

/* Answers from now on, by threads of its own.  NULL, logged. */
struct http *http_start(const struct http_spec *spec);

/*
 * Accepts no more connections (those that wait already are taken), closes
 * those that are idle and others behind their next answer.
 */
void http_drain(struct http *h);

/* What is open now. */
size_t http_connections(struct http *h);

/*
 * Hangs up on who would have to wait for the disk from now on.  False: some
 * wait already, and http_stop() must not be called.
 */
bool http_may_stop(struct http *h);

/* Closes what is open; after http_may_stop(). */
void http_stop(struct http **h);

#endif
