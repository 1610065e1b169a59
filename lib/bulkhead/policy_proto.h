/*
 * policy_proto.h - the lines of the policy protocol, Postfix's and our
 * extension of it (docs/POLICY-PROTOCOL.md), for policyd and those who ask
 * it; no sockets.
 *
 * What is sent, either way, is a block: `name=value` lines, ended by an empty
 * line.  Lines end with LF alone.
 */
#ifndef BULKHEAD_BULKHEAD_POLICY_PROTO_H
#define BULKHEAD_BULKHEAD_POLICY_PROTO_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "bulkhead/policy.h"

/* Octets of a block: on Postfix's socket, on the control socket, of replies. */
#define POLICY_ACCESS_MAX  ((size_t)64 * 1024)
#define POLICY_CONTROL_MAX ((size_t)1024 * 1024)
#define POLICY_REPLY_MAX   ((size_t)32 * 1024 * 1024)
/* Octets of a line without its end, and of the name in it. */
#define POLICY_LINE_MAX 8192
#define POLICY_NAME_MAX 64
/* Octets of the text behind code and status in an action. */
#define POLICY_TEXT_MAX 400

/* Finds the blocks in what arrives, however it is cut. */
struct policy_parser {
	struct buf in;
	size_t max;	 /* octets of a block */
	size_t start;	 /* the block under way begins here */
	size_t line;	 /* the line under way begins here */
	size_t scanned;	 /* no line ends between there and here */
	size_t clean;	 /* no NUL and no CR before it */
	const char *why; /* what was malformed; NULL: nothing */
};

enum policy_read {
	POLICY_READ_MORE,     /* no whole block is there */
	POLICY_READ_BLOCK,    /* one is */
	POLICY_READ_MALFORMED /* no block can follow any more */
};

/* For blocks of up to max octets, their empty line included. */
void policy_parser_init(struct policy_parser *p, size_t max);
/* Releases the memory; the parser is as after policy_parser_init(). */
void policy_parser_free(struct policy_parser *p);

/*
 * Where to read(2) to, and how many octets fit.  Only when
 * policy_parser_next() said POLICY_READ_MORE, or before it was ever called.
 */
char *policy_parser_room(struct policy_parser *p, size_t *n);

/* That many octets were put there. */
void policy_parser_added(struct policy_parser *p, size_t n);

/*
 * The next block, without its empty line, in *block: each line of it is
 * `name=value`, has a name of 1 to POLICY_NAME_MAX octets, no NUL and no CR.
 * It is the parser's and ends with the next call of any of these.  After
 * POLICY_READ_MALFORMED *why is a static text ("a line without =") and stays
 * so.
 */
enum policy_read policy_parser_next(struct policy_parser *p, struct str *block,
    const char **why);

/* True when a block was begun and has not ended. */
bool policy_parser_is_within(const struct policy_parser *p);

/*
 * Takes the first line of a block off and cuts it at its first '='.  False:
 * none is left.
 */
bool policy_next_attr(struct str *block, struct str *name, struct str *value);

enum policy_kind {
	POLICY_OTHER,	    /* a request= that is none of these */
	POLICY_ACCESS,	    /* smtpd_access_policy */
	POLICY_ADMIT,	    /* bulkhead_admit */
	POLICY_CHARGE,	    /* bulkhead_charge */
	POLICY_LIMITS,	    /* bulkhead_limits */
	POLICY_LIMIT_RESET, /* bulkhead_limit_reset */
	POLICY_REFRESH,	    /* bulkhead_refresh */
	POLICY_STATUS	    /* bulkhead_status */
};

/* "bulkhead_admit"; NULL for POLICY_OTHER. */
const char *policy_kind_name(enum policy_kind kind);

struct policy_request {
	enum policy_kind kind;
	struct str request; /* as it was written */
	struct policy_message message; /* what of it was said */
	struct str protocol_state; /* ACCESS: "RCPT", "DATA", ... */
	struct str recipient_count; /* ACCESS */
	struct str name, value; /* LIMITS, LIMIT_RESET */
};

/*
 * What a block asks: attributes in any order, unknown ones ignored.  Slices of
 * the block; the array of recipients is in the arena.  0, or -1 with a static
 * text in *why: no request=, an attribute twice that may be there once (only
 * admit and charge have several recipients), dry_run= neither 0 nor 1.
 */
int policy_request_read(struct arena *a, struct str block,
    struct policy_request *out, const char **why);

/* Adds `name=value`; NUL, CR and LF in the value are written as '?'. */
void policy_write_attr(struct buf *out, const char *name, struct str value);

/* Ends a block. */
void policy_write_end(struct buf *out);

/* A whole POLICY_ADMIT or POLICY_CHARGE request. */
void policy_write_message(struct buf *out, enum policy_kind kind,
    const struct policy_message *m);

/*
 * The action line of an answer: "DUNNO", or code, status and text, in which
 * other than printable ASCII is written as '?', at most POLICY_TEXT_MAX
 * octets.  POLICY_UNAVAILABLE has no action and must not be given.
 */
void policy_write_action(struct buf *out, const struct policy_reply *r);

/* A whole reply to admit and charge. */
void policy_write_reply(struct buf *out, const struct policy_reply *r);

/*
 * The reply to a question about that many recipients.  Texts are copied to
 * the arena.  0, or -1 with *why: not an answer that we understand.
 */
int policy_reply_read(struct arena *a, struct str block, size_t nrecipients,
    struct policy_reply *out, const char **why);

#endif
