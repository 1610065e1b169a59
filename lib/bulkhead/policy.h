/*
 * policy.h - what the milter asks of policyd about a message, and what it is
 * told; neither sockets nor lines: those are policy_client.h and
 * policy_proto.h.
 */
#ifndef BULKHEAD_BULKHEAD_POLICY_H
#define BULKHEAD_BULKHEAD_POLICY_H

#include "base/arena.h"
#include "base/net.h"
#include "base/str.h"

struct policy_message {
	struct str instance; /* the MTA: its {j} */
	struct str queue_id;
	struct str sender;    /* address, as the envelope has it */
	struct str sasl_user; /* empty: none */
	struct str client;    /* address in text; empty: sendmail(1) */
	struct str domain;    /* name of the section; empty: none */
	struct str stream;    /* title; empty: none */
	struct str list;      /* list key; empty: none */
	const struct str *recipients; /* normal forms; may be empty texts */
	size_t nrecipients;
	bool is_dry; /* mode = observe: nothing is charged */
};

enum policy_answer {
	POLICY_ACCEPT,
	POLICY_DEFER, /* 4yz: over a limit, paused, or the store is down */
	POLICY_REFUSE, /* 5yz */
	POLICY_UNAVAILABLE /* nobody answered in time: on-store-failure */
};

struct policy_suppressed {
	size_t recipient; /* index into recipients */
	struct str text;  /* "suppressed (hard-bounce 2026-11-01: 550 ...)" */
	struct str reason; /* "hard-bounce": for the log */
};

/* All in the arena of the call. */
struct policy_reply {
	enum policy_answer answer;
	struct str code, status, text; /* DEFER, REFUSE: "450" "4.7.1" "..." */
	struct policy_suppressed *suppressed; /* admit only, in order */
	size_t nsuppressed;
	struct str limit; /* that was over, for the log; or empty */
	bool is_paused; /* DEFER: the stream or domain is */
	bool was_open; /* accepted because on-store-failure = accept */
};

/* Whom the engine asks; each call may take up to its deadline (< 2 s). */
struct policy {
	/* Which recipients are suppressed?  Also DEFER while paused. */
	void (*admit)(void *arg, struct arena *a,
	    const struct policy_message *m, struct policy_reply *out);
	/* Charges all limits for the recipients given, once a queue id. */
	void (*charge)(void *arg, struct arena *a,
	    const struct policy_message *m, struct policy_reply *out);
	void *arg;
};

#endif
