/*
 * stage_charge.c - the last step: policyd charges all limits for the
 * recipients that are left, or refuses and charges none.
 */
#include "engine/stage.h"

#include "engine/ask.h"

/*
 * What was done was charged.  With charge-at = data smtpd's request charges;
 * a bounce is never put off for a limit.
 */
static bool
is_charged(const struct message *m)
{
	return m->policy != NULL && m->policy->charge != NULL &&
	    m->settings->policyd.charge_at == CHARGE_AT_MILTER &&
	    !m->is_already_done && !m->is_null_sender && m->nleft > 0;
}

enum stage_result
stage_charge(struct message *m)
{
	struct policy_reply reply;
	size_t *places;

	if (is_charged(m) &&
	    ask_policy(m, "charge", m->policy->charge, &reply, &places) !=
	    STAGE_NEXT)
		return STAGE_STOP;
	m->verdict = m->is_bare ? VERDICT_PASS : VERDICT_ACCEPT;
	return STAGE_NEXT;
}
