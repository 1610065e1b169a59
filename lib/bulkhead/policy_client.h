/*
 * policy_client.h - asks policyd over its control socket: a few connections
 * kept open, a deadline for each question, one more try on a connection that
 * had gone stale.
 */
#ifndef BULKHEAD_BULKHEAD_POLICY_CLIENT_H
#define BULKHEAD_BULKHEAD_POLICY_CLIENT_H

#include "bulkhead/policy.h"
#include "bulkhead/settings.h"

struct policy_client;

/*
 * A client of the socket ("unix:/PATH" or "inet:HOST:PORT"), which need not be
 * there yet.  millis is the deadline of a question, connecting included.
 */
struct policy_client *policy_client_new(struct str socket, unsigned millis);
void policy_client_free(struct policy_client **c);

/* The questions, for the engine; any thread, several at once. */
struct policy policy_client_policy(struct policy_client *c);

/*
 * One request of other kinds for the command: text in the form of
 * POLICY-PROTOCOL.md in, the reply's lines out (in the arena).  0, or -1 with
 * one line in *error.
 */
int policy_client_ask(struct policy_client *c, struct arena *a,
    struct str request, struct str *reply, struct str *error);

#endif
