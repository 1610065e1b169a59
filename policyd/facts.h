/*
 * facts.h - what a request tells of its message: whose it is, its stream, its
 * domain, its recipients.
 */
#ifndef BULKHEAD_POLICYD_FACTS_H
#define BULKHEAD_POLICYD_FACTS_H

#include "policyd/batch.h"

/*
 * Fills in what is known.  A question that nothing is checked of (not ours, a
 * bounce, another state) is decided: accepted.
 */
void facts_find(struct batch *b, struct question *q);

#endif
