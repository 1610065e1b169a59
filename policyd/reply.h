/*
 * reply.h - what is said of a question that was decided: to who asked, and in
 * the log.
 */
#ifndef BULKHEAD_POLICYD_REPLY_H
#define BULKHEAD_POLICYD_REPLY_H

#include "policyd/batch.h"

/* Adds the whole reply. */
void reply_write(const struct question *q, struct buf *out);

/*
 * Logs a refusal, or that a message went on though the store did not tell;
 * nothing for all others.
 */
void reply_log(struct batch *b, const struct question *q);

/* Counts what came of it. */
void reply_count(struct batch *b, const struct question *q);

/* Gives the desk's sink what happened to recipients of smtpd's question. */
void reply_events(struct batch *b, const struct question *q);

#endif
