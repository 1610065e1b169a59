/*
 * ask.c - questions to policyd.
 */
#include "engine/ask.h"

#include "base/log.h"
#include "store/suppress.h"

/* Who is left, as policyd is to know them. */
static struct policy_message
question(struct message *m, size_t **places)
{
	struct str *recipients = arena_alloc(m->arena,
	    m->nleft * sizeof(*recipients));
	char client[NET_ADDR_TEXT] = "";
	struct policy_message q = {
		.instance = m->client.mta,
		.queue_id = m->queue_id,
		.sender = m->is_null_sender ? STR("") :
					      addr_text(m->arena, &m->sender),
		.sasl_user = m->client.sasl_user,
		.domain = m->domain != NULL ? m->domain->name : STR(""),
		.stream = m->stream != NULL ? m->stream->name : STR(""),
		/* no entry has a longer one, and no line of ours room for it */
		.list = m->list.n <= SUPPRESS_LABEL_MAX ? m->list : STR(""),
		.recipients = recipients,
		.is_dry = m->settings->milter.mode == MODE_OBSERVE,
	};

	*places = arena_alloc(m->arena, m->nleft * sizeof(**places));
	for (size_t i = 0; i < m->nrecipients; i++) {
		if (m->recipients[i].is_removed)
			continue;
		(*places)[q.nrecipients] = i;
		recipients[q.nrecipients++] = m->recipients[i].normal;
	}
	if (m->client.has_addr && !m->client.is_sendmail)
		net_format_addr(&m->client.addr, client);
	q.client = arena_copy(m->arena, str_from(client));
	return q;
}

/* Nobody could tell. */
static enum stage_result
no_answer(struct message *m, const char *stage)
{
	if (m->settings->on_store_failure == ON_FAILURE_DEFER) {
		message_defer(m, "4.3.0", "policy service unavailable");
		return STAGE_STOP;
	}
	m->was_open = true;
	message_note(m, stage, "policyd does not answer: accepted, as "
	    "on-store-failure says");
	return STAGE_NEXT;
}

enum stage_result
ask_policy(struct message *m, const char *stage, ask_function *ask,
    struct policy_reply *reply, size_t **places)
{
	struct policy_message q = question(m, places);

	*reply = (struct policy_reply){ .answer = POLICY_UNAVAILABLE };
	ask(m->policy->arg, m->arena, &q, reply);
	m->was_open = m->was_open || reply->was_open;
	m->limit = reply->limit;
	m->is_paused = reply->is_paused;
	switch (reply->answer) {
	case POLICY_ACCEPT:
		return STAGE_NEXT;
	case POLICY_DEFER:
	case POLICY_REFUSE:
		message_refuse(m, arena_cstr(m->arena, reply->code),
		    arena_cstr(m->arena, reply->status), "%.*s",
		    STR_ARG(reply->text));
		message_note(m, stage, "%.*s %.*s %.*s", STR_ARG(reply->code),
		    STR_ARG(reply->status), STR_ARG(reply->text));
		return STAGE_STOP;
	case POLICY_UNAVAILABLE:
		break;
	}
	return no_answer(m, stage);
}
