/*
 * listener.h - opens the milter's socket as an administrator expects it.
 */
#ifndef BULKHEAD_MILTER_LISTENER_H
#define BULKHEAD_MILTER_LISTENER_H

#include <stdbool.h>

/*
 * Gives the socket ("unix:/PATH", "inet:HOST:PORT", "fd:N") to libmilter and
 * opens it: a unix socket is 0660, of group postfix where that exists; one
 * that a live process listens on is not taken.  0, or a sysexits code, logged.
 */
int listener_open(const char *socket);

/* True unless it is an inet socket. */
bool listener_is_local(const char *socket);

#endif
