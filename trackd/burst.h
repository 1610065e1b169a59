/*
 * burst.h - one mail's links all followed within seconds: a scanner, whatever
 * it calls itself.  Remembers the last mails that were clicked, a bounded
 * number; any thread.
 */
#ifndef BULKHEAD_TRACKD_BURST_H
#define BULKHEAD_TRACKD_BURST_H

#include "base/arena.h"
#include "store/events.h"

struct bursts;

struct bursts *bursts_new(void);
void bursts_free(struct bursts **b);

/*
 * Notes a click.  When it makes a burst, or belongs to one, its verdict and
 * rule change to EVENT_SCANNER and "burst", and corrections of the earlier
 * clicks of the burst that were not judged so are given to each().  Events of
 * shared tokens are never a burst: many people have them.
 */
void bursts_note(struct bursts *b, struct event *e,
    void (*each)(void *arg, const struct event *correction), void *arg);

#endif
