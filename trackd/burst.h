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
 * Notes a click, and hands it to each() in any case: as struct track's event()
 * takes it.  When it makes a burst, or belongs to one, its verdict and rule
 * are EVENT_SCANNER and "burst" then, and corrections of the earlier clicks of
 * the burst that were not judged so follow it.  One mail's clicks are handed
 * over in one order, whatever thread they come from: a correction never comes
 * before its event.  So each() is called under a lock: it must not wait, nor
 * call back.
 *
 * e->id is chosen when it is 0: a correction names it.  Left alone, and never
 * counted, are what is no click, clicks that a rule took for a robot's
 * already, and shared tokens: many people have those.
 */
void bursts_note(struct bursts *b, struct event *e,
    void (*each)(void *arg, const struct event *e), void *arg);

#endif
