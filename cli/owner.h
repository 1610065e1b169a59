/*
 * owner.h - who runs the command, and as whom it touches the store: run as
 * root it takes the identity of the store's owner, so that no file becomes
 * root's and locks the daemons out.
 */
#ifndef BULKHEAD_CLI_OWNER_H
#define BULKHEAD_CLI_OWNER_H

#include "base/arena.h"

/* The name of who typed it, also behind sudo; never empty.  In the arena. */
struct str owner_actor(struct arena *a);

/*
 * Before a store is changed: root makes its directory, if it is not there yet,
 * the daemons' user's, where there is one: root's own would lock them out.  An
 * exit code, as below.
 */
int owner_prepare(struct arena *a, struct str store, const char *verb);

/*
 * Before a store is opened: root becomes the owner of the directory in
 * "sqlite:/DIR", for good; others stay who they are.  An exit code, with one
 * line behind "bulkhead VERB:" on stderr unless it is EX_OK.
 */
int owner_become(struct arena *a, struct str store, const char *verb);

#endif
