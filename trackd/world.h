/*
 * world.h - what requests are answered with: settings, keys, rules and pages,
 * one immutable, reference-counted snapshot.
 */
#ifndef BULKHEAD_TRACKD_WORLD_H
#define BULKHEAD_TRACKD_WORLD_H

#include "trackd/track.h"

struct world {
	struct track track;
	struct keyring *keyring;
};

/* What does not change while trackd lives. */
struct world_spec {
	struct metrics *metrics;
	void (*event)(void *arg, const struct event *e);
	void *event_arg;
	struct bursts *bursts; /* borrowed */
};

struct worlds;

/*
 * The first one, of this keyring (referenced).  NULL, logged, when rules or
 * pages cannot be read.
 */
struct worlds *worlds_new(const struct world_spec *spec, struct keyring *k);
void worlds_free(struct worlds **w);

/*
 * From now on this keyring, and rules and pages as they are on disk now: both,
 * or, when one of them has errors, neither (-1, logged).
 */
int worlds_change(struct worlds *w, struct keyring *k);

/* The one in force; goes back by world_release().  Any thread. */
struct world *worlds_hold(struct worlds *w);
void world_release(struct world **w);

#endif
