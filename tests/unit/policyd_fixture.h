/*
 * policyd_fixture.h - a desk that decides, without sockets: settings from a
 * text, stores by name, requests in and replies out as text.
 */
#ifndef BULKHEAD_TESTS_POLICYD_FIXTURE_H
#define BULKHEAD_TESTS_POLICYD_FIXTURE_H

#include "conf_load.h"

#include "policyd/batch.h"

#define NOW INT64_C(1796112000) /* 2026-12-01T08:00:00Z */

struct office {
	struct arena *arena;
	struct loaded conf;
	struct metrics metrics;
	struct desk desk;
	struct batch batch;
	struct buf log; /* what the last asking logged */
	struct buf events; /* and told, '|' between */
};

/*
 * Opens with these settings (besides trusted-networks = 127.0.0.0/8) and
 * stores; NULL: down.
 */
struct office *office_open(void **state, const char *settings,
    const char *lists, const char *rates);
void office_close(struct office *o);

/* Other settings from now on. */
void office_settings(struct office *o, void **state, const char *settings);

/* The time of policyd, in seconds; stores keep NOW. */
void office_time(struct office *o, int64_t now);

/*
 * Asks as one batch; the n replies, blocks without their empty line, into
 * out.  What was logged is in o->log.
 */
void office_ask_all(struct office *o, const struct str *requests, size_t n,
    struct str *out);

/* One request, of lines with blanks between: "request=x name=y". */
struct str office_ask(struct office *o, const char *words);

/* smtpd's at RCPT of mail from 127.0.0.1, with these words besides. */
struct str office_rcpt(struct office *o, const char *recipient,
    const char *words);

/* An entry in the store, from 2026-11-01, without end. */
void office_suppress(struct office *o, const char *address,
    struct suppress_scope scope, enum suppress_reason reason,
    const char *evidence);

#endif
