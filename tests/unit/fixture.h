/*
 * fixture.h - a small installation in a temporary directory for engine tests:
 * settings, keys, and messages sent through a session into an MTA in memory.
 */
#ifndef BULKHEAD_TESTS_FIXTURE_H
#define BULKHEAD_TESTS_FIXTURE_H

#include "unit.h"

#include "bulkhead/keyring.h"
#include "engine/mta_memory.h"
#include "engine/session.h"

#define FIXTURE_TIME 1796112000 /* 2026-12-01T08:00:00Z */

struct fixture {
	struct arena *arena;
	char dir[64];
	struct keyring *keyring;
	struct session_env env;
	struct session *session;
	int64_t later; /* seconds: the clock is at FIXTURE_TIME and these */
	const struct policy *policy; /* whom the stages ask; NULL: nobody */
	void (*event)(void *arg, const struct event *e); /* NULL: nobody */
	void *event_arg;
	bool is_loud;		/* log lines are wanted */
	struct metrics metrics; /* of all messages sent */
	/* the last message sent */
	struct mta_memory mta;
	enum verdict verdict;
	struct str out;
};

/* Makes keys and settings; extra is added to the settings' end. */
void fixture_open(struct fixture *f, const char *extra);

/* As fixture_open(), with more in milter { }. */
void fixture_open_with(struct fixture *f, const char *milter,
    const char *extra);
void fixture_close(struct fixture *f);

/* Whoever sends: trusted by default. */
struct fixture_sender {
	const char *client;    /* "127.0.0.1" */
	const char *sasl_user; /* none */
	const char *from;      /* "news@example.com" */
	const char *to[4];     /* "user@example.net" */
	const char *args;      /* of MAIL: none */
	const char *mta;       /* {j}: none */
	bool is_sendmail;
};

/*
 * Sends a message (lines end with LF) and keeps what would leave in f->out,
 * with LF, and the verdict.
 */
void fixture_send(struct fixture *f, const struct fixture_sender *from,
    const char *message);

/* The message just sent. */
const struct message *fixture_message(const struct fixture *f);

/* How often needle stands in f->out. */
unsigned fixture_count(const struct fixture *f, const char *needle);

/* How many header fields of that name would leave. */
unsigned fixture_fields(const struct fixture *f, const char *name);

/* The first URL in f->out that starts with this; fails when there is none. */
struct str fixture_url(struct fixture *f, const char *start);

#endif
