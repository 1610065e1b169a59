/*
 * listener.c - takes the listening socket from libmilter and gives it back,
 * behind its back: what is under its descriptor is exchanged.
 */
#include "milter/listener.h"

#include <fcntl.h>
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "milter/intake.h"
#include "milter/socket.h"

static struct {
	pthread_mutex_t lock;
	int fd;	     /* the descriptor that libmilter accepts from */
	int aside;   /* the same socket: when it is needed none may be free */
	int nothing; /* is never readable, and nobody can write to it */
	bool is_paused, has_left;
	struct sockaddr_storage name;
	socklen_t name_size;
	pthread_t runner;
	bool is_running;
} the_listener = { .lock = PTHREAD_MUTEX_INITIALIZER };

int
listener_open(const char *socket_name)
{
	int rc = socket_open(socket_name, &the_listener.fd);

	if (rc != EX_OK)
		return rc;
	the_listener.aside = fcntl(the_listener.fd, F_DUPFD_CLOEXEC, 0);
	the_listener.nothing = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	the_listener.name_size = sizeof(the_listener.name);
	if (the_listener.aside < 0 || the_listener.nothing < 0 ||
	    getsockname(the_listener.fd,
		(struct sockaddr *)&the_listener.name,
		&the_listener.name_size) != 0) {
		log_error("cannot prepare the socket's end: %m");
		return EX_OSERR;
	}
	return EX_OK;
}

bool
listener_is_local(void)
{
	return the_listener.name.ss_family == AF_UNIX;
}

static void
ignore(int sig)
{
	(void)sig;
}

int
listener_run(void)
{
	struct sigaction wake = { .sa_handler = ignore };
	int rc;

	sigaction(SIGUSR1, &wake, NULL);
	pthread_mutex_lock(&the_listener.lock);
	the_listener.runner = pthread_self();
	the_listener.is_running = true;
	pthread_mutex_unlock(&the_listener.lock);
	rc = smfi_main();
	pthread_mutex_lock(&the_listener.lock);
	the_listener.is_running = false;
	pthread_mutex_unlock(&the_listener.lock);
	return rc;
}

/*
 * poll(2) stays at what was there when it was called, up to 5 s, and keeps it
 * open: it is interrupted.
 */
static void
exchange(int what)
{
	dup2(what, the_listener.fd);
	if (the_listener.is_running)
		pthread_kill(the_listener.runner, SIGUSR1);
}

void
listener_pause(void)
{
	pthread_mutex_lock(&the_listener.lock);
	if (!the_listener.is_paused && !the_listener.has_left) {
		the_listener.is_paused = true;
		exchange(the_listener.nothing);
		log_error("too many files are open: new sessions wait");
	}
	pthread_mutex_unlock(&the_listener.lock);
}

void
listener_resume(void)
{
	pthread_mutex_lock(&the_listener.lock);
	if (the_listener.is_paused && !the_listener.has_left) {
		the_listener.is_paused = false;
		exchange(the_listener.aside);
		log_info("files may be opened again: new sessions are taken");
	}
	pthread_mutex_unlock(&the_listener.lock);
}

void
listener_leave(void)
{
	pthread_mutex_lock(&the_listener.lock);
	if (!the_listener.has_left) {
		the_listener.has_left = true;
		close(the_listener.aside);
		exchange(the_listener.nothing);
	}
	pthread_mutex_unlock(&the_listener.lock);
}

static in_port_t
port_of(const struct sockaddr_storage *name)
{
	const void *p = name;

	if (name->ss_family == AF_INET)
		return ((const struct sockaddr_in *)p)->sin_port;
	return ((const struct sockaddr_in6 *)p)->sin6_port;
}

/*
 * An accepted connection has the name of the socket that it came to, as that
 * one has itself, until listener_leave().
 */
static bool
came_here(int fd)
{
	struct sockaddr_storage name;
	socklen_t n = sizeof(name);

	if (getsockname(fd, (struct sockaddr *)&name, &n) != 0 ||
	    name.ss_family != the_listener.name.ss_family)
		return false;
	if (name.ss_family == AF_UNIX)
		return n == the_listener.name_size &&
		    memcmp(&name, &the_listener.name, n) == 0;
	return port_of(&name) == port_of(&the_listener.name);
}

unsigned
listener_connections(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < intake_descriptors(); fd++) {
		if (came_here(fd))
			n++;
	}
	return n;
}
