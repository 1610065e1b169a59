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
 * there yet; an empty name: there is no policyd, all is accepted.  millis is
 * the deadline of a question, connecting included.
 */
struct policy_client *policy_client_new(struct str socket, unsigned millis);
void policy_client_free(struct policy_client **c);

/* From now on that socket, as after a reload; any thread. */
void policy_client_use(struct policy_client *c, struct str socket);

/* The questions, for the engine; any thread, several at once. */
struct policy policy_client_policy(struct policy_client *c);

/*
 * How it went so far, as members of a JSON object: "policyd" is null without a
 * socket, else holds the socket, when it answered last, and when and why it
 * did not.  Any thread.
 */
void policy_client_write(struct policy_client *c, struct buf *out);

/*
 * One request of other kinds for the command: lines of
 * docs/POLICY-PROTOCOL.md in, with the empty line; the reply's lines out
 * without it, in the arena.  0, or -1 with one line in *error, in the arena:
 * "unix:/run/bulkhead/policy.sock: Connection refused".
 */
int policy_client_ask(struct policy_client *c, struct arena *a,
    struct str request, struct str *reply, struct str *error);

#endif
