/*
 * listener.c - the milter's socket.
 */
#include "milter/listener.h"

#include <errno.h>
#include <grp.h>
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/net.h"

bool
listener_is_local(const char *socket)
{
	return !str_starts(str_from(socket), STR("inet"));
}

/* Only a refusal says that nobody listens there; EACCES, say, does not. */
static bool
is_live(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
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
clear_path(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return EX_OK;
	if (!S_ISSOCK(st.st_mode)) {
		log_error("%s is there and no socket: remove it, or choose "
			  "another path", path);
		return EX_CANTCREAT;
	}
	if (is_live(path)) {
		log_error("%s: another process listens there: stop it first",
		    path);
		return EX_UNAVAILABLE;
	}
	if (unlink(path) != 0) {
		log_error("cannot remove the stale socket %s: %m", path);
		return EX_NOPERM;
	}
	return EX_OK;
}

/* FACTS must 30: smtpd and cleanup run as postfix. */
static void
give_to_postfix(const char *path)
{
	struct group *gr = getgrnam("postfix");

	if (gr == NULL || chown(path, (uid_t)-1, gr->gr_gid) != 0)
		log_warning("%s: not of group postfix: Postfix may be unable "
			    "to connect", path);
}

/*
 * On inet sockets Nagle's algorithm and delayed acknowledgements cost 40 ms a
 * message; accepted sockets inherit the option.
 */
static void
set_nodelay(void)
{
	int on = 1;

	for (int fd = 3; fd < 256; fd++) {
		int listening = 0;
		socklen_t n = sizeof(listening);

		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening,
		    &n) == 0 && listening)
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
			    sizeof(on));
	}
}

static int
open_socket(char *name, const char *shown)
{
	errno = 0;
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
	int rc = clear_path(path);

	if (rc != EX_OK)
		return rc;
	old = umask(0117);
	rc = open_socket(name, shown);
	umask(old);
	if (rc == EX_OK)
		give_to_postfix(path);
	return rc;
}

int
listener_open(const char *socket)
{
	struct arena *a = arena_new();
	struct net_socket where;
	const char *why;
	int rc;

	if (net_parse_socket(a, str_from(socket), &where, &why) != 0) {
		log_error("socket \"%s\": %s", socket, why);
		rc = EX_CONFIG;
	} else if (where.kind == NET_UNIX) {
		rc = open_unix(a, where.path, socket);
	} else if (where.kind == NET_INET) {
		rc = open_socket(arena_cstr(a, arena_printf(a, "%s:%u@%s",
		    strchr(where.host, ':') ? "inet6" : "inet", where.port,
		    where.host)), socket);
		if (rc == EX_OK)
			set_nodelay();
	} else {
		rc = open_socket(arena_cstr(a, arena_printf(a, "fd:%d",
		    where.fd)), socket);
	}
	arena_free(&a);
	return rc;
}
