/*
 * ask.h - the engine's questions to policyd, and what an answer that is not
 * "go on" means for the message.
 */
#ifndef BULKHEAD_ENGINE_ASK_H
#define BULKHEAD_ENGINE_ASK_H

#include "engine/message.h"
#include "engine/stage.h"

/* One of struct policy's functions. */
typedef void ask_function(void *arg, struct arena *a,
    const struct policy_message *m, struct policy_reply *out);

/*
 * Asks about the recipients that are left; indices in the reply are those of
 * places, which lists the indices of m->recipients.  All in m's arena.
 * STAGE_STOP: the verdict was set: over a limit, refused, or nobody answered
 * and on-store-failure says defer.  stage is for the notes.
 */
enum stage_result ask_policy(struct message *m, const char *stage,
    ask_function *ask, struct policy_reply *reply, size_t **places);

#endif
