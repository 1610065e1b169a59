/*
 * listen.c - listening sockets as an administrator expects them.
 */
#include "bulkhead/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/net.h"

#define SOCKET_MODE 0660

/*
 * Only a refusal says that nobody listens there; EACCES, say, does not, nor
 * EAGAIN: as many wait there as may.
 */
static bool
is_live(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool refused;

	if (fd < 0)
		return true;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	refused = connect(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0 &&
	    errno == ECONNREFUSED;
	close(fd);
	return !refused;
}

/* A stale socket goes; anything else stays and is an error. */
static int
clear_path(const char *path, char why[LISTEN_WHY])
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return EX_OK;
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(why, LISTEN_WHY, "%s is there and no socket: remove "
		    "it, or choose another path", path);
		return EX_CANTCREAT;
	}
	if (is_live(path)) {
		snprintf(why, LISTEN_WHY,
		    "%s: another process listens there: stop it first", path);
		return EX_UNAVAILABLE;
	}
	if (unlink(path) != 0) {
		snprintf(why, LISTEN_WHY,
		    "cannot remove the stale socket %s: %m", path);
		return EX_NOPERM;
	}
	return EX_OK;
}

int
listen_clear_path(const char *path)
{
	char why[LISTEN_WHY];
	int rc = clear_path(path, why);

	if (rc != EX_OK)
		log_error("%s", why);
	return rc;
}

/* Those who connect have other users: FACTS must 30. */
void
listen_give_to(const char *path, const char *group)
{
	struct group *gr = getgrnam(group);

	if (gr == NULL || chown(path, (uid_t)-1, gr->gr_gid) != 0)
		log_warning("%s: not of group %s: who connects may be unable "
			    "to", path, group);
}

bool
listen_is_listening(int fd)
{
	int on = 0;
	socklen_t n = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on;
}

/*
 * On inet sockets Nagle's algorithm and delayed acknowledgements cost 40 ms an
 * answer; accepted sockets inherit the option.
 */
void
listen_set_nodelay(int fd)
{
	struct sockaddr_storage name;
	socklen_t n = sizeof(name);
	int on = 1;

	if (getsockname(fd, (struct sockaddr *)&name, &n) == 0 &&
	    name.ss_family != AF_UNIX &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		log_warning("cannot set TCP_NODELAY: answers take 40 ms: %m");
}


/* -1 with errno when it cannot listen there. */
static int
listen_at(const struct sockaddr *where, socklen_t n)
{
	int fd = socket(where->sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, error;

	if (fd < 0)
		return -1;
	/*
	 * On Linux bind(2) makes a socket of its descriptor's mode, less the
	 * umask: nobody else can connect before chmod(2) makes it right.
	 */
	if (where->sa_family == AF_UNIX && fchmod(fd, SOCKET_MODE) != 0 &&
	    errno != EINVAL) {
		close(fd);
		return -1;
	}
	if (where->sa_family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (where->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, where, n) == 0 && listen(fd, LISTEN_BACKLOG) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int
say_failure(const char *name, char why[LISTEN_WHY])
{
	if (errno == ENOENT)
		snprintf(why, LISTEN_WHY, "cannot listen on %s: its directory "
		    "is not there: make it, of the group that connects and "
		    "mode 0710", name);
	else
		snprintf(why, LISTEN_WHY, "cannot listen on %s: %m", name);
	return errno == EACCES || errno == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
}

static int
open_unix(const char *path, const char *group, const char *name, int *fd,
    char why[LISTEN_WHY])
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int rc = clear_path(path, why);

	if (rc != EX_OK)
		return rc;
	if (strlen(path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return say_failure(name, why);
	}
	memcpy(sun.sun_path, path, strlen(path) + 1);
	*fd = listen_at((struct sockaddr *)&sun, sizeof(sun));
	if (*fd < 0)
		return say_failure(name, why);
	if (chmod(path, SOCKET_MODE) != 0)
		log_warning("%s: cannot make its mode 0660: %m", path);
	if (group != NULL)
		listen_give_to(path, group);
	return EX_OK;
}

static int
open_inet(struct arena *a, const struct net_socket *where, const char *name,
    int *fd, char why[LISTEN_WHY])
{
	const struct addrinfo want = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV };
	const char *port = arena_cstr(a, arena_printf(a, "%u", where->port));
	bool is_any = where->host[0] == '\0';
	bool is_local = strcmp(where->host, "localhost") == 0;
	struct addrinfo *found;

	if (getaddrinfo(is_any ? NULL : is_local ? "127.0.0.1" : where->host,
	    port, &want, &found) != 0) {
		snprintf(why, LISTEN_WHY,
		    "cannot listen on %s: write its host as an address", name);
		return EX_CONFIG;
	}
	*fd = listen_at(found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	if (*fd < 0)
		return say_failure(name, why);
	listen_set_nodelay(*fd);
	return EX_OK;
}

/* One that somebody else opened, systemd.socket(5) for example. */
static int
open_inherited(int fd, const char *name, char why[LISTEN_WHY])
{
	if (!listen_is_listening(fd)) {
		snprintf(why, LISTEN_WHY, "%s is no listening socket: leave "
		    "the socket to systemd.socket(5), or write unix:/PATH",
		    name);
		return EX_UNAVAILABLE;
	}
	if (listen(fd, LISTEN_BACKLOG) != 0)
		log_warning("%s: cannot let more connections wait: %m", name);
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
		snprintf(why, LISTEN_WHY, "%s: %m", name);
		return EX_OSERR;
	}
	listen_set_nodelay(fd);
	return EX_OK;
}

int
listen_try(const char *name, const char *group, int *fd, char why[LISTEN_WHY])
{
	struct arena *a = arena_new();
	struct net_socket where;
	const char *wrong;
	int rc;

	if (net_parse_socket(a, str_from(name), &where, &wrong) != 0) {
		snprintf(why, LISTEN_WHY, "socket \"%s\": %s", name, wrong);
		rc = EX_CONFIG;
	} else if (where.kind == NET_UNIX) {
		rc = open_unix(where.path, group, name, fd, why);
	} else if (where.kind == NET_INET) {
		rc = open_inet(a, &where, name, fd, why);
	} else {
		*fd = where.fd;
		rc = open_inherited(*fd, name, why);
	}
	arena_free(&a);
	return rc;
}

int
listen_open(const char *name, const char *group, int *fd)
{
	char why[LISTEN_WHY];
	int rc = listen_try(name, group, fd, why);

	if (rc != EX_OK)
		log_error("%s", why);
	return rc;
}
