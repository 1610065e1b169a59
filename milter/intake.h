/*
 * intake.h - how many sessions there are and may be, and whether new messages
 * are taken.  Atomic numbers only: every connection asks, every MAIL.
 */
#ifndef BULKHEAD_MILTER_INTAKE_H
#define BULKHEAD_MILTER_INTAKE_H

#include <stdbool.h>

/*
 * Sets the number of sessions and the descriptors that they need: two each
 * (the connection, a spooled body), and some.  Where the system allows fewer
 * descriptors there are fewer sessions, logged.  Once, before threads, as
 * root if there is a choice.  0, or a sysexits code, logged.
 */
int intake_init(unsigned max_sessions);

/* A session begins; false: there are as many as may be, it is to be refused. */
bool intake_enter(void);

/* A session that intake_enter() took has ended. */
void intake_leave(void);

/* From now on no message begins. */
void intake_close(void);

/* False once intake_close() was called: the message is counted as refused. */
bool intake_takes_message(void);

/* Sessions that are open; messages refused since intake_close(). */
unsigned intake_sessions(void);
unsigned intake_refused_messages(void);

/* No descriptor has a number as high as this. */
int intake_descriptors(void);

/* Are the descriptors so few that accept(2) might soon fail?  Any thread. */
bool intake_is_short(void);

/* Says when sessions are no longer refused; every second, by one thread. */
void intake_tick(void);

#endif
