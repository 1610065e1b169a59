/*
 * socket.h - opens the milter's socket as an administrator expects it.
 */
#ifndef BULKHEAD_MILTER_SOCKET_H
#define BULKHEAD_MILTER_SOCKET_H

/*
 * Gives the socket ("unix:/PATH", "inet:HOST:PORT", "fd:N") to libmilter and
 * opens it: a unix socket is 0660, of group postfix where that exists; one
 * that a live process listens on is not taken.  Sets *fd to the descriptor
 * that libmilter accepts from, which does not block.  Once, before threads.
 * 0, or a sysexits code, logged.
 */
int socket_open(const char *name, int *fd);

#endif
