/*
 * milter_tally.h - what a load on a milter saw: answers by stage, latencies,
 * edits; added up over sessions and printed.
 */
#ifndef BULKHEAD_TESTS_MILTER_TALLY_H
#define BULKHEAD_TESTS_MILTER_TALLY_H

#include "tests/tools/milter_client.h"

#define TALLY_CODES 600

struct tally {
	uint64_t answers[MILTER_ANSWERS][MILTER_STAGES];
	uint64_t codes[TALLY_CODES];
	uint64_t edits[128];  /* by the packet's command */
	uint64_t unexpected;  /* answers that were not asked for */
	uint64_t aborted, dropped; /* messages that we gave up on purpose */
	uint64_t connections;
	uint32_t *micros; /* from MAIL to the answer of messages that ended */
	size_t nmicros, cap;
	char reply[256]; /* the last SMTP reply */
};

/* Counts the answer that a message, or a connection, got. */
void tally_answer(struct tally *t, const struct milter_client *c,
    enum milter_answer answer);

/* Counts the time that one message took. */
void tally_time(struct tally *t, int64_t micros);

/* Adds one session's to the sum, and frees what the session's held. */
void tally_add(struct tally *sum, struct tally *t);

/* Messages that got an answer of the kind, at any stage. */
uint64_t tally_count(const struct tally *t, enum milter_answer answer);

/* One object in JSON and a newline, or some lines of text. */
void tally_print(struct tally *t, unsigned sessions, double seconds,
    bool is_json);

#endif
