/*
 * drain.c - ends the milter without losing a message.
 */
#include "milter/drain.h"

#include <time.h>

#include "base/log.h"
#include "milter/intake.h"
#include "milter/listener.h"

/* Less than Postfix's 30 s, in which a connection waits for a successor. */
#define LONGEST_MILLIS 20000
#define STEP_MILLIS    20

static int64_t
now_millis(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A connection may have been accepted and not have negotiated yet. */
static unsigned
sessions_left(void)
{
	unsigned n = intake_sessions();

	return n > 0 ? n : listener_connections();
}

/*
 * A session without a message under way holds the end up, too: were its
 * connection closed, Postfix would answer 451 to all the rest of it, and
 * there is no way to tell Postfix anything before the next MAIL.
 */
bool
drain_run(struct service *s)
{
	int64_t start = now_millis(), millis = 0;
	unsigned left;

	intake_close();
	listener_leave();
	left = sessions_left();
	log_info("draining: %u sessions are open: each ends its message and "
		 "is sent away with 421 at the next, within %d s", left,
	    LONGEST_MILLIS / 1000);
	while (left > 0 && millis < LONGEST_MILLIS &&
	    !service_is_urged(s, STEP_MILLIS)) {
		left = sessions_left();
		millis = now_millis() - start;
	}
	log_info("drained in %lld.%lld s, %u messages answered 421",
	    (long long)millis / 1000, (long long)millis % 1000 / 100,
	    intake_refused_messages());
	if (left > 0)
		log_warning("%u sessions are cut off: the MTA answers them "
			    "451 until they connect again", left);
	return left == 0;
}
