/*
 * control.h - the control socket's requests about policyd itself: buckets,
 * resets, pauses, status.
 */
#ifndef BULKHEAD_POLICYD_CONTROL_H
#define BULKHEAD_POLICYD_CONTROL_H

#include "policyd/batch.h"

/* Buckets that one reply holds. */
#define CONTROL_BUCKETS_MAX 10000

/*
 * Writes the whole reply to such a request, a refusal in q->reply too.  False:
 * the question is of another kind.
 */
bool control_answer(struct desk *d, struct batch *b, struct question *q,
    unsigned nclients, struct buf *out);

/*
 * Adds members of a JSON object about policyd as it is now: clients, whether
 * the store tells, what is paused.  Asks nobody.
 */
void control_write_state(const struct desk *d, unsigned nclients,
    struct buf *json);

#endif
