/*
 * upkeep.h - the thread that rolls events up and takes old ones away, with a
 * store handle of its own: answers never wait for it.
 */
#ifndef BULKHEAD_TRACKD_UPKEEP_H
#define BULKHEAD_TRACKD_UPKEEP_H

#include <stdbool.h>

#include "bulkhead/settings.h"

struct upkeep;

/* Starts the thread; the store is these settings' (copied).  NULL, logged. */
struct upkeep *upkeep_start(const struct settings *s);

/* Days that events are kept from now on; 0: for ever.  Any thread. */
void upkeep_set_retention(struct upkeep *u, uint64_t days);

/* Ends it, behind the slice that it is at. */
void upkeep_stop(struct upkeep **u);

#endif
