/*
 * emit.h - the edits of a message go out to the MTA in the one order that
 * Postfix accepts.
 */
#ifndef BULKHEAD_ENGINE_EMIT_H
#define BULKHEAD_ENGINE_EMIT_H

#include "engine/message.h"
#include "engine/mta.h"

/* 0, or -1 when the MTA did not take one: temporary failure. */
int emit_edits(struct message *m, struct mta *mta);

#endif
