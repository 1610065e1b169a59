/*
 * upkeep.h - the thread for what may take long: opening stores, again while
 * they are down, taking away expired entries, and reading whole lists into
 * sieves.  Decisions never wait for it.
 */
#ifndef BULKHEAD_POLICYD_UPKEEP_H
#define BULKHEAD_POLICYD_UPKEEP_H

#include "bulkhead/metrics.h"
#include "bulkhead/settings.h"
#include "store/suppress.h"

struct upkeep;

/*
 * Starts the thread, which opens the stores of these settings (copied) at
 * once.  opened(arg) is called by it whenever upkeep_take() has something.
 * NULL, logged.
 */
struct upkeep *upkeep_start(const struct settings *s, struct metrics *m,
    void (*opened)(void *arg), void *arg);

/* Ends it, and closes what nobody took. */
void upkeep_stop(struct upkeep **u);

/* Waits until opening was tried, but no longer than that. */
void upkeep_wait(struct upkeep *u, unsigned millis);

/*
 * Sets *lists (suppressions and meta) and *rates to handles that were opened
 * since, which are the caller's then; leaves them alone otherwise.
 */
void upkeep_take(struct upkeep *u, struct store **lists,
    struct store **rates);

/* A sieve for the handle of lists, the caller's then; NULL: none is new. */
struct suppress_sieve *upkeep_take_sieve(struct upkeep *u);

/* Look-ups would be faster with a new one. */
void upkeep_want_sieve(struct upkeep *u);

/* The handle of lists does not answer: another one is wanted. */
void upkeep_want_lists(struct upkeep *u);

#endif
