/*
 * signals.c - keeps libmilter's hands off the signals.  It has a thread that
 * waits for SIGHUP, SIGTERM and SIGINT, and drops every session at any of
 * them; the kernel gives it each that comes while the main thread is busy.
 */
#include "milter/milter.h"

#include <signal.h>
#include <unistd.h>

/*
 * libmilter's only use of sigwait(3) ends up here, as the program's symbols go
 * before the C library's.  What this program waits for it takes by
 * sigtimedwait(2).
 */
int
sigwait(const sigset_t *set, int *sig)
{
	(void)set;
	(void)sig;
	for (;;)
		pause();
}
