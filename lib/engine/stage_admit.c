/*
 * stage_admit.c - who may get the message.  A seam: policyd, which will name
 * the suppressed recipients, does not exist yet, so all are accepted.
 */
#include "engine/stage.h"

static void
count_left(struct message *m)
{
	m->nleft = 0;
	m->recipient = STR("");
	for (size_t i = 0; i < m->nrecipients; i++) {
		if (m->recipients[i].is_removed)
			continue;
		m->nleft++;
		m->recipient = m->recipients[i].normal;
	}
	if (m->nleft != 1)
		m->recipient = STR("");
}

enum stage_result
stage_admit(struct message *m)
{
	count_left(m);
	if (m->stream != NULL && m->stream->reject_several && m->nleft > 1) {
		message_refuse(m, "550", "5.5.3",
		    "stream %.*s takes one recipient a message, this one has "
		    "%zu: send it once for each",
		    STR_ARG(m->stream->name), m->nleft);
		return STAGE_STOP;
	}
	message_note(m, "admit", "%zu recipient%s, %s", m->nleft,
	    m->nleft == 1 ? "" : "s",
	    m->recipient.n ? "tokens name it" : "tokens name nobody");
	return STAGE_NEXT;
}
