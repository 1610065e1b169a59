/*
 * session.h - one SMTP session as a milter sees it, without libmilter: facts
 * come in, at end of message a verdict and edits go out.  One thread at a
 * time; threads may change between calls.
 */
#ifndef BULKHEAD_ENGINE_SESSION_H
#define BULKHEAD_ENGINE_SESSION_H

#include "base/budget.h"
#include "base/clock.h"
#include "base/spool.h"
#include "bulkhead/keyring.h"
#include "bulkhead/metrics.h"
#include "engine/message.h"
#include "engine/mta.h"
#include "store/events.h"

/* Beyond these, and a body beyond milter { max-message }: 552 5.3.4. */
#define SESSION_MAX_HEADER ((size_t)16 << 20)
#define SESSION_MAX_FIELDS 20000
#define SESSION_MAX_RCPTS  100000

struct session;

/*
 * Memory.  A message counts against the budget, whose limit is milter {
 * max-memory }, with its envelope, header, a body of up to SPOOL_IN_MEMORY
 * octets, and what the stages make of it.  Longer bodies, and all bodies when
 * there is no room, are in files in milter { spool } and are mapped: pages
 * that the kernel can take back.  Envelope and header are taken in, and text
 * parts opened, only after their need was reserved; what a stage needs beyond
 * that is bounded (a block of 1 MB for each message that is at its end, a few
 * kB for each of at most 10,000 links) and counted, so that the others are
 * refused sooner.  A message for which there is no room gives back what it
 * holds and gets 451 4.3.1 in the end; one that alone needs more than all
 * there is, 552 5.3.4.  Not counted: what libmilter and the buffers before it
 * hold for a connection that is being served (a packet and up to 80 kB), and
 * some 4 kB a connection.
 */

/* What a session asks of the program around it. */
struct session_env {
	/* The keyring in force, with a reference for the session. */
	struct keyring *(*keyring)(void *arg);
	void *arg;
	struct clock clock;
	struct metrics *metrics; /* may be NULL */
	struct budget *budget;	 /* of all sessions; NULL: no limit */
	size_t in_memory;	 /* of a body; 0: SPOOL_IN_MEMORY */
	const struct policy *policy; /* NULL: nobody is asked */
	/* Takes the events of a message; never waits.  NULL: nobody does. */
	void (*event)(void *arg, const struct event *e);
	void *event_arg;
	bool wants_notes;	 /* preview --explain */
	bool is_quiet;		 /* no log lines: preview and tests */
};

/* A session over env, which must outlive it. */
struct session *session_new(const struct session_env *env);
void session_free(struct session **s);

/* The client; texts are copied.  May come again (XCLIENT). */
void session_connect(struct session *s, const struct client *client);

/* SASL login of the client; empty for none.  Before session_mail(). */
void session_login(struct session *s, struct str user);

/*
 * MAIL: begins a message, forgetting one that was under way.  args are its
 * ESMTP parameters with blanks between ("SIZE=1000 BODY=8BITMIME SMTPUTF8").
 * False when it is not ours: no more of it need come, and what comes is passed
 * over.
 */
bool session_mail(struct session *s, struct str path, struct str args);

/*
 * RCPT, one header field (the value verbatim, with its leading blank, folds as
 * LF), a chunk of the body.  All is copied.  What passes a limit, or what there
 * is no room for, is remembered and refused at end of message.
 */
void session_rcpt(struct session *s, struct str path);
void session_header(struct session *s, struct str name, struct str value);
void session_body(struct session *s, struct str chunk);

/*
 * End of message: runs the stages, logs one line, sends the edits unless the
 * mode is observe, and returns what the MTA is to be answered; for
 * VERDICT_REJECT and VERDICT_TEMPFAIL the reply was set through mta.  The
 * message stays readable through session_message() until the next call.
 */
enum verdict session_end(struct session *s, struct str queue_id,
    struct mta *mta);

/* The message is abandoned; any number of times, at any time. */
void session_abort(struct session *s);

/* The message last ended: for preview; NULL when there is none. */
const struct message *session_message(const struct session *s);

#endif
