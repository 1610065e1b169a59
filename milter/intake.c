/*
 * intake.c - counts sessions and bounds them.
 */
#include "milter/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"

/* Standard files, libmilter's, the log's, keys being read; connections that
 * are being refused. */
#define SPARE 64

/* So many before the last descriptor accepting pauses. */
#define MARGIN 16

static struct {
	unsigned max;
	int descriptors;
	atomic_uint sessions;
	atomic_uint refused_sessions; /* since they began to be refused */
	atomic_uint refused_messages;
	atomic_bool is_closed;
	unsigned refused_before; /* at the last tick */
} the_intake;

/* Raises the limit as far as it goes; what it is then. */
static rlim_t
set_limit(rlim_t wanted)
{
	struct rlimit now, want;

	if (getrlimit(RLIMIT_NOFILE, &now) != 0)
		return 0;
	want = now;
	want.rlim_cur = wanted;
	if (now.rlim_max < wanted)
		want.rlim_max = wanted; /* root may */
	if (setrlimit(RLIMIT_NOFILE, &want) == 0)
		return wanted;
	want.rlim_cur = want.rlim_max = now.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &want) == 0 ? want.rlim_cur :
						      now.rlim_cur;
}

int
intake_init(unsigned max_sessions)
{
	rlim_t wanted = (rlim_t)max_sessions * 2 + SPARE;
	rlim_t got = set_limit(wanted);

	if (got < SPARE + 2) {
		log_error("only %lu files may be open, which serves nobody: "
			  "raise LimitNOFILE= of the service or ulimit -n",
		    (unsigned long)got);
		return EX_OSERR;
	}
	the_intake.descriptors = (int)got;
	the_intake.max = max_sessions;
	if (got < wanted) {
		the_intake.max = (unsigned)(got - SPARE) / 2;
		log_warning("max-sessions is %u, not %u: only %lu files may "
			    "be open; raise LimitNOFILE= of the service or "
			    "ulimit -n to %lu", the_intake.max, max_sessions,
		    (unsigned long)got, (unsigned long)wanted);
	}
	return EX_OK;
}

bool
intake_enter(void)
{
	if (atomic_fetch_add(&the_intake.sessions, 1) < the_intake.max)
		return true;
	atomic_fetch_sub(&the_intake.sessions, 1);
	if (atomic_fetch_add(&the_intake.refused_sessions, 1) == 0)
		log_warning("%u sessions are open, as many as max-sessions "
			    "allows: further ones are answered 421",
		    the_intake.max);
	return false;
}

void
intake_leave(void)
{
	atomic_fetch_sub(&the_intake.sessions, 1);
}

void
intake_close(void)
{
	atomic_store(&the_intake.is_closed, true);
}

bool
intake_takes_message(void)
{
	if (!atomic_load_explicit(&the_intake.is_closed, memory_order_relaxed))
		return true;
	atomic_fetch_add(&the_intake.refused_messages, 1);
	return false;
}

unsigned
intake_sessions(void)
{
	return atomic_load(&the_intake.sessions);
}

unsigned
intake_refused_messages(void)
{
	return atomic_load(&the_intake.refused_messages);
}

int
intake_descriptors(void)
{
	return the_intake.descriptors;
}

/* The kernel gives the lowest free number: it says how many are taken. */
bool
intake_is_short(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE;
	close(fd);
	return fd >= the_intake.descriptors - MARGIN;
}

void
intake_tick(void)
{
	unsigned refused = atomic_load(&the_intake.refused_sessions);

	if (refused > 0 && refused == the_intake.refused_before &&
	    intake_sessions() < the_intake.max) {
		refused = atomic_exchange(&the_intake.refused_sessions, 0);
		log_info("sessions are taken again, %u were answered 421",
		    refused);
		refused = 0;
	}
	the_intake.refused_before = refused;
}
