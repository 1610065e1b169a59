/*
 * message.h - one message on its way through the stages: what came, what was
 * found out, what is to be done.  Lives in one arena; used by one thread at a
 * time, though not always by the same.
 */
#ifndef BULKHEAD_ENGINE_MESSAGE_H
#define BULKHEAD_ENGINE_MESSAGE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/net.h"
#include "base/str.h"
#include "bulkhead/keyring.h"
#include "bulkhead/policy.h"
#include "bulkhead/settings.h"
#include "engine/control.h"
#include "engine/parts.h"
#include "mail/addr.h"
#include "mail/header.h"
#include "mail/mime.h"

/* Who handed the message over. */
struct client {
	bool has_addr;
	struct net_addr addr;
	struct str sasl_user; /* empty: not authenticated */
	struct str daemon;    /* {daemon_name} */
	struct str mta;	      /* its name, {j}: queue ids are unique there */
	bool is_sendmail;     /* submitted by sendmail(1) */
};

/*
 * Step 0: is it ours?  Authenticated, from a trusted network, or submitted by
 * sendmail(1).  No setting overrides a no.
 */
bool client_is_ours(const struct settings *s, const struct client *c);

struct recipient {
	struct str raw;	   /* as the client spelled it */
	struct str normal; /* addr_normal(); empty when it does not parse */
	struct addr addr;
	bool is_removed;      /* suppressed */
	struct str suppressed; /* the reason, for the log */
};

/* What is done with the whole message. */
enum verdict {
	VERDICT_ACCEPT,	 /* with the edits */
	VERDICT_PASS,	 /* as it came: none of our business */
	VERDICT_REJECT,	 /* with the reply: 4yz or 5yz */
	VERDICT_DISCARD, /* accepted and dropped, logged */
	VERDICT_TEMPFAIL /* something of ours failed: 451 */
};

/* Memory that there is not; see message_reserve(). */
enum shortage {
	SHORTAGE_NONE,
	SHORTAGE_NOW, /* others hold it */
	SHORTAGE_EVER /* this message alone needs more than there is */
};

struct reply {
	char code[4];
	char status[12];
	char text[400]; /* libmilter takes 980 with each % doubled */
};

/* A line of `preview --explain`. */
struct note {
	const char *stage;
	struct str text;
};

/* What a later hop may break; see encode_hazards.c. */
#define HAZARD_8BIT	   1u /* a hop without 8BITMIME converts it */
#define HAZARD_BODY_LINE   2u /* over 998 octets: the smtp client cuts it */
#define HAZARD_HEADER_LINE 4u

struct message {
	struct arena *arena;
	struct keyring *keyring; /* borrowed from the session */
	const struct settings *settings;
	const struct policy *policy; /* NULL: nobody is asked */
	int64_t now; /* seconds since 1970, fixed at end of message */

	struct client client;
	struct str queue_id;
	struct str sender_raw; /* as the client spelled it */
	struct addr sender;
	bool is_null_sender;
	bool is_smtputf8; /* MAIL said so: goes on to such hops only */
	struct recipient *recipients;
	size_t nrecipients;

	struct headers headers;
	struct str body; /* lines end with CRLF */

	/* select */
	struct str from_domain; /* A-labels; empty: none or several From */
	struct control control;
	const struct stream_settings *stream;
	const struct domain_settings *domain; /* NULL: unsigned, unchanged */
	struct str campaign, list;
	unsigned track; /* TRACK_ bits in force */

	/* admit */
	size_t nleft;		/* recipients not removed */
	size_t nremoved;	/* suppressed ones; 0: recipients may be NULL */
	struct str recipient;	/* the only one, normal form; else empty */
	struct token_sealer *sealer; /* see ours.c */

	/* edits */
	struct str new_sender; /* path with brackets; empty: unchanged */
	struct str new_sender_args;
	struct parts parts;
	struct splices splices; /* of body */
	struct str *signatures; /* DKIM-Signature values, top one first */
	size_t nsignatures;

	/* what there is to tell */
	struct str unsubscribe_url; /* https, of this message; may be empty */
	struct str *unsubscribe_uris; /* what List-Unsubscribe names */
	size_t nunsubscribe_uris;
	unsigned nlinks, nlinks_left, npixels, nplaceholders;
	unsigned nencoded; /* parts that got another transfer encoding */
	const char *unsubscribe_kind; /* for the log */
	unsigned hazards;	      /* HAZARD_ bits */
	const char *malformed;	      /* why no part was touched, or NULL */
	const char *reason;	      /* why it passes as it came, or NULL */
	bool is_already_done;	      /* and that is why */
	bool is_bare; /* ours, passes as it came: admitted and charged only */
	struct str limit;	      /* that it was over, or empty */
	bool is_paused;		      /* its stream or domain, and so refused */
	bool was_open; /* went on though policyd or its store was down */
	bool was_ours; /* a signature of ours is on it that is not good now */
	const char *lacks;	      /* what was wanted and is not there */
	unsigned nunsubscribe_removed; /* further List-Unsubscribe fields */
	unsigned nsignatures_removed; /* the application's, now broken */
	bool wants_notes;
	struct note *notes;
	size_t nnotes, cap_notes;

	enum shortage shortage;
	enum verdict verdict;
	struct reply reply;
};

/* Adds a note if somebody wants notes. */
void message_note(struct message *m, const char *stage, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Sets verdict and reply: "550", "5.7.1" and the text, in which what SMTP
 * cannot carry is written as '?'.
 */
void message_refuse(struct message *m, const char *code, const char *status,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Sets VERDICT_TEMPFAIL with a reply of its own, 451, that asks to try again,
 * and the reason for the log.  status is as "4.3.1", reason a constant.
 */
void message_defer(struct message *m, const char *status, const char *reason);

/*
 * To be asked before n octets or so are made of the message.  False: there is
 * no room for them, nothing may be done, and no further stage will run.
 */
bool message_reserve(struct message *m, size_t n);

/* What one more edit of a part may take: its text and its place in lists. */
#define MESSAGE_EDIT_MEMORY 4096

/* True when the body or any field differs from what came. */
bool message_is_edited(const struct message *m);

#endif
