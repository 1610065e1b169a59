/*
 * milter_client.h - the MTA's side of the milter protocol, version 6, packet
 * for packet as Postfix 3.7 plays it; blocking, one connection.  A test's
 * tool: it shares nothing with libmilter but the constants.
 */
#ifndef BULKHEAD_TESTS_MILTER_CLIENT_H
#define BULKHEAD_TESTS_MILTER_CLIENT_H

#include <stdint.h>

#include "base/buf.h"
#include "mail/header.h"

/* How a stage ended; all but the first end the message. */
enum milter_answer {
	MILTER_CONTINUE,
	MILTER_ACCEPT,
	MILTER_DISCARD,
	MILTER_REJECT,
	MILTER_TEMPFAIL,
	MILTER_REPLY,	 /* an SMTP reply of its own: code and text */
	MILTER_SHUTDOWN, /* 421 from the MTA, the session ends */
	MILTER_LOST,	 /* closed, or silent for too long */
	MILTER_BROKEN,	 /* what Postfix logs as a protocol error */
	MILTER_REFUSED,	 /* nobody listens */
	MILTER_ANSWERS
};

enum milter_stage {
	MILTER_AT_NEGOTIATE,
	MILTER_AT_CONNECT,
	MILTER_AT_HELO,
	MILTER_AT_MAIL,
	MILTER_AT_RCPT,
	MILTER_AT_DATA,
	MILTER_AT_HEADER,
	MILTER_AT_EOH,
	MILTER_AT_BODY,
	MILTER_AT_EOM,
	MILTER_STAGES
};

extern const char *const milter_answer_names[MILTER_ANSWERS];
extern const char *const milter_stage_names[MILTER_STAGES];

/* Who the SMTP client is that the MTA tells of.  Borrowed while in use. */
struct milter_identity {
	const char *socket;	 /* "unix:/path" or "inet:HOST:PORT" */
	const char *client_addr; /* IPv4 or IPv6 */
	const char *daemon;	 /* {daemon_name} */
	const char *user;	 /* {auth_authen}, or NULL */
	unsigned timeout;	 /* seconds without an answer */
};

/* One message as the MTA holds it.  Borrowed while in use. */
struct milter_mail {
	const char *sender; /* without <> */
	const char *args;   /* ESMTP parameters of MAIL, or NULL */
	const char *const *recipients;
	size_t nrecipients;
	const struct headers *headers;
	struct str body; /* CRLF */
	const char *queue_id;
	/* The stage that is not sent any more; MILTER_STAGES for none. */
	enum milter_stage stop;
};

/*
 * Called for each edit at the end of a message: the packet's command and
 * what follows it.
 */
typedef void milter_edit_fn(void *arg, char command, struct str data);

struct milter_client {
	const struct milter_identity *who;
	milter_edit_fn *edit;
	void *arg;
	int fd;
	uint32_t steps;	       /* SMFIP_* that the milter asked for */
	char *macros[7];       /* its lists of macros by SMFIM_*, or NULL */
	bool abort_pending;    /* ABORT stands before the next MAIL */
	char skipped;	       /* the command that it wants no more of */
	struct buf out, in;    /* written so far; the last packet */
	enum milter_stage at;  /* the last stage that was sent */
	char code[4];	       /* of MILTER_REPLY */
	char text[256];	       /* of MILTER_REPLY, cut to fit */
	const struct milter_mail *mail;
	const char *recipient; /* of this RCPT */
	bool has_queue_id;
};

/* A client that is not connected; edit may be NULL. */
void milter_client_init(struct milter_client *c,
    const struct milter_identity *who, milter_edit_fn *edit, void *arg);

/*
 * Connects, negotiates, sends CONNECT and HELO.  MILTER_CONTINUE, or what
 * else came at c->at; the connection is closed then.
 */
enum milter_answer milter_client_open(struct milter_client *c);

/*
 * One message up to its stop.  MILTER_CONTINUE when the milter takes it as
 * it is after its edits (or when it stopped); c->at tells the stage of the
 * answer.  The connection is closed when the session cannot go on, see
 * milter_client_is_open().
 */
enum milter_answer milter_client_send(struct milter_client *c,
    const struct milter_mail *mail);

bool milter_client_is_open(const struct milter_client *c);

/* Sends ABORT now: Postfix sends it with the next MAIL, or before QUIT. */
void milter_client_abort(struct milter_client *c);

/* QUIT and close; closes without a word.  Both are fine when closed. */
void milter_client_quit(struct milter_client *c);
void milter_client_drop(struct milter_client *c);

#endif
