/*
 * listener.h - the milter's socket: opened as an administrator expects it,
 * and taken from libmilter again, which has no way to stop accepting.
 */
#ifndef BULKHEAD_MILTER_LISTENER_H
#define BULKHEAD_MILTER_LISTENER_H

#include <stdbool.h>

/*
 * Gives the socket ("unix:/PATH", "inet:HOST:PORT", "fd:N") to libmilter and
 * opens it: a unix socket is 0660, of group postfix where that exists; one
 * that a live process listens on is not taken.  Once, before threads, after
 * intake_init().  0, or a sysexits code, logged.
 */
int listener_open(const char *socket);

/* True unless it is an inet socket. */
bool listener_is_local(void);

/* smfi_main(): serves until libmilter gives up; its result. */
int listener_run(void);

/*
 * Stops and starts accepting; connections wait in the kernel meanwhile.  Any
 * thread; says so in the log when it changes something.
 */
void listener_pause(void);
void listener_resume(void);

/*
 * Gives the socket up, for good: a successor may listen at the same place at
 * once, and gets what waits there if it has the same fd.  Any thread.
 */
void listener_leave(void);

/* After listener_leave(): connections accepted here that are still open. */
unsigned listener_connections(void);

#endif
