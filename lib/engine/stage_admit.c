/*
 * stage_admit.c - who may get the message: policyd names the suppressed
 * recipients, those are removed.
 */
#include "engine/stage.h"

#include "engine/ask.h"

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

/* Nobody is left: said with the first one's reason, never silently. */
static void
refuse_all(struct message *m, const struct policy_reply *reply, size_t first)
{
	struct str address = m->recipients[first].normal;
	struct str text = reply->suppressed[0].text;

	if (m->stream != NULL && m->stream->drop_suppressed) {
		m->verdict = VERDICT_DISCARD;
		m->reason = "all recipients are suppressed";
	} else if (m->nrecipients == 1) {
		message_refuse(m, "550", "5.7.1", "<%.*s>: %.*s",
		    STR_ARG(address), STR_ARG(text));
	} else {
		message_refuse(m, "550", "5.7.1",
		    "all %zu recipients are suppressed; <%.*s>: %.*s",
		    m->nrecipients, STR_ARG(address), STR_ARG(text));
	}
}

/*
 * The null sender's mail is exempt: a bounce or an auto-reply answers somebody
 * who wrote, and refusing one makes another.
 */
static bool
is_asked(const struct message *m)
{
	return m->policy != NULL && m->policy->admit != NULL &&
	    !m->is_null_sender && m->nleft > 0;
}

/*
 * Postfix makes an address of more than RFC 5321 knows: "<a@b@c>" goes to
 * "a@b"@c.  Whoever that is cannot be looked up here.  False: the verdict was
 * set, without the path, for the log's sake.
 */
static bool
can_look_up(struct message *m)
{
	size_t i = 0;

	if (m->settings->policyd.control.n == 0)
		return true;
	while (i < m->nrecipients && m->recipients[i].normal.n > 0)
		i++;
	if (i == m->nrecipients)
		return true;
	message_refuse(m, "550", "5.1.3", "recipient %zu of %zu is no address "
	    "that suppressions can be looked up for", i + 1, m->nrecipients);
	message_note(m, "admit", "what is %.*s?",
	    STR_ARG(m->recipients[i].raw));
	return false;
}

static enum stage_result
remove_suppressed(struct message *m)
{
	struct policy_reply reply;
	size_t *places;

	if (!can_look_up(m) || ask_policy(m, "admit", m->policy->admit, &reply,
	    &places) != STAGE_NEXT)
		return STAGE_STOP;
	for (size_t i = 0; i < reply.nsuppressed; i++) {
		const struct policy_suppressed *s = &reply.suppressed[i];
		struct recipient *r = &m->recipients[places[s->recipient]];

		r->is_removed = true;
		m->nremoved++;
		r->suppressed = s->reason;
		message_note(m, "admit", "%.*s removed: %.*s",
		    STR_ARG(r->raw), STR_ARG(s->text));
	}
	count_left(m);
	if (m->nleft > 0)
		return STAGE_NEXT;
	refuse_all(m, &reply, places[reply.suppressed[0].recipient]);
	return STAGE_STOP;
}

enum stage_result
stage_admit(struct message *m)
{
	count_left(m);
	if (is_asked(m) && remove_suppressed(m) != STAGE_NEXT)
		return STAGE_STOP;
	if (m->stream != NULL && m->stream->reject_several && m->nleft > 1 &&
	    !m->is_bare) {
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
