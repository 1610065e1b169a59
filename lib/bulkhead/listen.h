/*
 * listen.h - listening sockets as an administrator expects them: names, modes,
 * groups, stale ones.  Who accepts from them is not its matter.
 */
#ifndef BULKHEAD_BULKHEAD_LISTEN_H
#define BULKHEAD_BULKHEAD_LISTEN_H

#include <stdbool.h>

/* Connections that may wait: a burst of new sessions is no error. */
#define LISTEN_BACKLOG 1024

/*
 * Opens "unix:/PATH", "inet:HOST:PORT" (a numeric host, "localhost", or none
 * for all IPv4 addresses) or takes over "fd:N"; it does not block and is
 * closed on exec.  A unix socket is 0660, of that group unless NULL; one that
 * a live process listens on is not taken.  0 with *fd, or a sysexits code,
 * logged.
 */
int listen_open(const char *name, const char *group, int *fd);

#define LISTEN_WHY 512

/* The same with the reason in why, one line, instead of in the log. */
int listen_try(const char *name, const char *group, int *fd,
    char why[LISTEN_WHY]);

/* Removes a stale socket; 0, or a sysexits code, logged. */
int listen_clear_path(const char *path);

/* Changes the group of a socket; a warning is logged where it cannot. */
void listen_give_to(const char *path, const char *group);

/* Is it a listening socket? */
bool listen_is_listening(int fd);

/* For an inet socket, and what is accepted from it, ends Nagle's waiting. */
void listen_set_nodelay(int fd);

#endif
