/*
 * session.h - one SMTP session as a milter sees it, without libmilter: facts
 * come in, at end of message a verdict and edits go out.  One thread at a
 * time; threads may change between calls.
 */
#ifndef BULKHEAD_ENGINE_SESSION_H
#define BULKHEAD_ENGINE_SESSION_H

#include "base/clock.h"
#include "bulkhead/keyring.h"
#include "bulkhead/metrics.h"
#include "engine/message.h"
#include "engine/mta.h"

/* The longest message that is taken into memory; beyond it: 552 5.3.4. */
#define SESSION_MAX_HEADER ((size_t)16 << 20)
#define SESSION_MAX_BODY   ((size_t)128 << 20)
#define SESSION_MAX_FIELDS 20000
#define SESSION_MAX_RCPTS  100000

struct session;

/* What a session asks of the program around it. */
struct session_env {
	/* The keyring in force, with a reference for the session. */
	struct keyring *(*keyring)(void *arg);
	void *arg;
	struct clock clock;
	struct metrics *metrics; /* may be NULL */
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
 * LF), a chunk of the body.  All is copied.  What passes the limits above is
 * remembered and refused at end of message.
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
