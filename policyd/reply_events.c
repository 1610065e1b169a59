/*
 * reply_events.c - the events of smtpd's questions: a recipient was refused.
 * What the milter asks about, the milter tells.
 */
#include "policyd/reply.h"

/* Everybody it was about; one, unnamed, where nobody is known. */
static void
tell_all(struct batch *b, const struct question *q, struct event *e)
{
	size_t i = 0;

	do {
		e->recipient = i < q->nrecipients ? q->recipients[i] : STR("");
		b->desk->event(b->desk->event_arg, e);
	} while (++i < q->nrecipients);
}

void
reply_events(struct batch *b, const struct question *q)
{
	struct event e = {
		.at = b->now,
		.domain = q->domain,
		.stream = q->stream != NULL ? q->stream->id : 0,
		.queue_id = q->request.message.queue_id,
	};

	if (b->desk->event == NULL || q->request.kind != POLICY_ACCESS ||
	    q->reply.answer == POLICY_ACCEPT)
		return;
	switch (q->cause) {
	case CAUSE_SUPPRESSED:
		e.kind = EVENT_SUPPRESSED;
		e.detail = q->reason;
		break;
	case CAUSE_LIMIT:
		e.kind = EVENT_LIMITED;
		e.detail = q->reply.limit;
		break;
	case CAUSE_PAUSED:
		e.kind = EVENT_LIMITED;
		e.detail = STR("paused");
		break;
	case CAUSE_NONE:
	case CAUSE_MAY_SEND:
	case CAUSE_STORE:
		return;
	}
	tell_all(b, q, &e);
}
