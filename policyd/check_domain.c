/*
 * check_domain.c - may-send at RCPT, where the envelope names the domain; the
 * milter's select stage is the authority.
 */
#include "policyd/check.h"

static void
judge(struct batch *b, struct question *q)
{
	struct str who = q->facts.sasl_user;

	if (q->request.kind != POLICY_ACCESS || q->section == NULL ||
	    stream_may_send(q->section, &q->facts))
		return;
	question_refuse(b, q, CAUSE_MAY_SEND, "550", "5.7.1",
	    "%.*s may not send as %.*s",
	    STR_ARG(who.n ? who : STR("this client")), STR_ARG(q->domain));
}

const struct check check_domain = {
	.name = "domain",
	.judge = judge,
};
