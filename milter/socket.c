/*
 * socket.c - the milter's socket comes to be, by libmilter's hands.
 */
#include "milter/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libmilter/mfapi.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/net.h"
#include "bulkhead/listen.h"

static int
open_socket(char *name, const char *shown)
{
	errno = 0;
	smfi_setbacklog(LISTEN_BACKLOG);
	if (smfi_setconn(name) == MI_SUCCESS &&
	    smfi_opensocket(false) == MI_SUCCESS)
		return EX_OK;
	if (errno == ENOENT)
		log_error("cannot listen on %s: its directory is not there: "
			  "make it, of group postfix and mode 0710", shown);
	else if (errno == 0)
		log_error("cannot listen on %s: its host has no address here",
		    shown);
	else
		log_error("cannot listen on %s: %m", shown);
	return errno == EACCES || errno == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
}

static int
open_unix(struct arena *a, const char *path, const char *shown)
{
	char *name = arena_cstr(a, arena_printf(a, "unix:%s", path));
	mode_t old;
	int rc = listen_clear_path(path);

	if (rc != EX_OK)
		return rc;
	old = umask(0117);
	rc = open_socket(name, shown);
	umask(old);
	if (rc == EX_OK)
		listen_give_to(path, "postfix");
	return rc;
}

/* One that somebody else opened, systemd.socket(5) for example. */
static int
open_inherited(struct arena *a, int fd, const char *shown)
{
	if (!listen_is_listening(fd)) {
		log_error("%s is no listening socket: leave the socket to "
			  "systemd.socket(5), or write unix:/PATH", shown);
		return EX_UNAVAILABLE;
	}
	if (listen(fd, LISTEN_BACKLOG) != 0)
		log_warning("%s: cannot let more connections wait: %m", shown);
	return open_socket(arena_cstr(a, arena_printf(a, "fd:%d", fd)), shown);
}

static int
open_any(struct arena *a, const struct net_socket *where, const char *shown)
{
	switch (where->kind) {
	case NET_UNIX:
		return open_unix(a, where->path, shown);
	case NET_INET:
		return open_socket(arena_cstr(a, arena_printf(a, "%s:%u@%s",
		    strchr(where->host, ':') ? "inet6" : "inet", where->port,
		    where->host)), shown);
	case NET_FD:
		break;
	}
	return open_inherited(a, where->fd, shown);
}

/* The first listening descriptor from there on, or -1. */
static int
find_listening(int from)
{
	long end = sysconf(_SC_OPEN_MAX);

	for (int fd = from; fd < end && fd < 65536; fd++) {
		if (listen_is_listening(fd))
			return fd;
	}
	return -1;
}

/* libmilter does not tell its descriptor: it is the lowest that was free. */
static int
next_descriptor(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd;
}

int
socket_open(const char *name, int *fd)
{
	struct arena *a = arena_new();
	struct net_socket where;
	const char *why;
	int next = next_descriptor();
	int rc;

	if (net_parse_socket(a, str_from(name), &where, &why) != 0) {
		log_error("socket \"%s\": %s", name, why);
		rc = EX_CONFIG;
	} else if ((rc = open_any(a, &where, name)) == EX_OK) {
		*fd = where.kind == NET_FD ? where.fd : find_listening(next);
		/* two that share an inherited one wake for one connection */
		if (*fd < 0 || fcntl(*fd, F_SETFL,
		    fcntl(*fd, F_GETFL) | O_NONBLOCK) != 0) {
			log_error("cannot find the socket that listens");
			rc = EX_SOFTWARE;
		} else {
			listen_set_nodelay(*fd);
		}
	}
	arena_free(&a);
	return rc;
}
