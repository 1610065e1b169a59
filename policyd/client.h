/*
 * client.h - one connection: requests in, replies out, one at a time.
 */
#ifndef BULKHEAD_POLICYD_CLIENT_H
#define BULKHEAD_POLICYD_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "bulkhead/policy_proto.h"

/* Seconds that a request, or taking its reply, may take. */
#define CLIENT_PATIENCE 20

struct loop;
struct client;

/*
 * Serves that connection from now on; the descriptor is the client's.
 * is_control: it came to the control socket.
 */
void client_new(struct loop *l, int fd, bool is_control);

/* Closes it. */
void client_free(struct client *c);

/* Did it come to the control socket? */
bool client_is_control(const struct client *c);

/* "unix client (pid 4711)": for the log. */
const char *client_name(const struct client *c);

/*
 * Sends a reply, and looks for the request behind; may close the client.  The
 * buffer's content is taken.
 */
void client_answer(struct client *c, struct buf *reply);

/* Closes it, having logged that what it sent is not answered, and why. */
void client_break(struct client *c, const char *why);

/*
 * Closes one whose request or reply has taken CLIENT_PATIENCE; now is
 * clock_monotonic().
 */
void client_tick(struct client *c, int64_t now);

/* True when it has begun nothing, and waits for nothing. */
bool client_is_idle(const struct client *c);

/* The next of the loop's list. */
struct client *client_next(const struct client *c);

#endif
