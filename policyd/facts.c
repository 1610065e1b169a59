/*
 * facts.c - from a request to what the checks look at.
 */
#include "policyd/facts.h"

#include "mail/addr.h"

/*
 * Postfix does not tell the name of its service: a stream that wants one may
 * be the message's, unless something else speaks against it.
 */
static enum stream_answer
matches(const struct stream_settings *s, const struct stream_facts *f)
{
	struct stream_settings any = *s;

	if (s->match.ndaemon == 0)
		return stream_matches(s, f);
	any.match.ndaemon = 0;
	return stream_matches(&any, f) == STREAM_NO ? STREAM_NO :
						      STREAM_UNKNOWN;
}

/* As stream_select(), of what smtpd tells. */
static enum stream_answer
select_stream(const struct settings *s, const struct stream_facts *f,
    const struct stream_settings **out)
{
	*out = NULL;
	for (size_t i = 0; i < s->nstreams; i++) {
		enum stream_answer answer = matches(&s->streams[i], f);

		if (answer == STREAM_YES)
			*out = &s->streams[i];
		if (answer != STREAM_NO)
			return answer;
	}
	return STREAM_NO;
}

static void
find_client(struct question *q)
{
	const struct policy_message *m = &q->request.message;

	q->facts.sasl_user = m->sasl_user;
	q->facts.has_client = m->client.n > 0 &&
	    net_parse_addr(m->client, &q->facts.client) == 0;
}

/* The section that the envelope sender's domain names, or the stream. */
static void
find_section(struct batch *b, struct question *q, const struct addr *sender)
{
	if (sender->domain.n > 0)
		q->section = stream_domain(b->settings,
		    addr_domain_ascii(b->arena, sender->domain));
	if (q->section == NULL)
		q->section = q->stream->domain;
	if (q->section != NULL)
		q->domain = q->section->name;
}

/*
 * The stream that the envelope decides; its scope counts only if it says that
 * its envelope carries the From's domain.
 */
static void
find_scope(struct batch *b, struct question *q, const struct addr *sender)
{
	if (select_stream(b->settings, &q->facts, &q->stream) != STREAM_YES ||
	    !q->stream->envelope_domain) {
		q->stream = NULL;
		return;
	}
	q->knows_scope = true;
	q->stream_title = q->stream->name;
	find_section(b, q, sender);
}

static void
find_recipient(struct batch *b, struct question *q)
{
	const struct policy_message *m = &q->request.message;
	struct addr recipient;
	struct str *v;

	if (m->nrecipients == 0)
		return;
	v = arena_alloc(b->arena, sizeof(*v));
	recipient = addr_from_internal(m->recipients[0]);
	*v = addr_normal(b->arena, &recipient);
	q->recipients = v;
	q->nrecipients = 1;
}

static bool
is_ours(const struct batch *b, const struct question *q)
{
	return q->facts.sasl_user.n > 0 || (q->facts.has_client &&
	    settings_trusts(b->settings, &q->facts.client));
}

static bool
is_judged(const struct batch *b, const struct question *q)
{
	if (question_is_at(q, "RCPT"))
		return true;
	return question_is_at(q, "DATA") &&
	    b->settings->policyd.charge_at == CHARGE_AT_DATA;
}

static void
find_access(struct batch *b, struct question *q)
{
	const struct policy_message *m = &q->request.message;
	struct addr sender = addr_from_internal(m->sender);

	/* as the milter: what answers a mail is never refused for a list */
	if (!is_judged(b, q) || m->sender.n == 0 ||
	    str_eq(m->sender, STR("<>"))) {
		q->is_decided = true;
		return;
	}
	find_client(q);
	if (!is_ours(b, q)) {
		q->is_decided = true;
		metrics_add(b->desk->metrics, METRIC_NOT_OURS, 1);
		return;
	}
	q->facts.sender = addr_text(b->arena, &sender);
	find_scope(b, q, &sender);
	find_recipient(b, q);
}

/* The milter chose; it knew everything. */
static void
find_control(struct batch *b, struct question *q)
{
	const struct policy_message *m = &q->request.message;

	find_client(q);
	q->facts.sender = m->sender;
	q->knows_scope = true;
	q->domain = m->domain;
	q->stream_title = m->stream;
	q->section = settings_domain(b->settings, m->domain);
	q->stream = m->stream.n > 0 ?
	    settings_stream_named(b->settings, m->stream) : NULL;
	q->recipients = m->recipients;
	q->nrecipients = m->nrecipients;
}

void
facts_find(struct batch *b, struct question *q)
{
	switch (q->request.kind) {
	case POLICY_ACCESS:
		find_access(b, q);
		break;
	case POLICY_ADMIT:
	case POLICY_CHARGE:
		find_control(b, q);
		break;
	default:
		q->is_decided = true;
		break;
	}
}
