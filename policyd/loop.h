/*
 * loop.h - one thread that serves all connections: what is ready is gathered,
 * decided as one batch, answered.
 */
#ifndef BULKHEAD_POLICYD_LOOP_H
#define BULKHEAD_POLICYD_LOOP_H

#include "bulkhead/keyring.h"
#include "policyd/batch.h"
#include "policyd/client.h"
#include "policyd/upkeep.h"

struct event_base;
struct loop;

struct loop_spec {
	/* The keyring in force, with a reference for the caller. */
	struct keyring *(*keyring)(void *arg);
	void *arg;
	struct metrics *metrics;
	struct clock clock;
	/* Takes events; never waits.  NULL: nobody does. */
	void (*event)(void *arg, const struct event *e);
	void *event_arg;
	unsigned max_clients;  /* further ones wait to be accepted */
};

/* A loop that serves nobody yet; NULL, logged. */
struct loop *loop_new(const struct loop_spec *spec);
void loop_free(struct loop **l);

/*
 * Accepts from that listening descriptor, which is the loop's from now on.  0,
 * or -1, logged.  Before loop_run().
 */
int loop_listen(struct loop *l, int fd, bool is_control);

/* Where the loop gets its stores; without, they stay down.  As above. */
void loop_set_upkeep(struct loop *l, struct upkeep *u);

/* Serves until it was drained: returns then.  One thread. */
void loop_run(struct loop *l);

/*
 * Has loop_run() stop accepting, answer what has arrived and return.  Any
 * thread.
 */
void loop_drain(struct loop *l);

/* Wakes it, to look for stores that were opened.  Any thread. */
void loop_wake(struct loop *l);

/*
 * Adds members of a JSON object about policyd as it was in the last second;
 * any thread, from loop_new() to loop_free().
 */
void loop_write_status(struct loop *l, struct buf *out);

/* For clients. */
struct event_base *loop_base(struct loop *l);
struct client **loop_clients(struct loop *l); /* head of their list */
/* NULL, or a static text: what is wrong with the request. */
const char *loop_ask(struct loop *l, struct client *c, struct str block);
void loop_count_broken(struct loop *l);
/* A client ends; asking: the same, if its request is in the batch. */
void loop_forget(struct loop *l, struct client *asking);

#endif
