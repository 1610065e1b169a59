/*
 * stage_select.c - whose mail it is, which stream it belongs to and which
 * domain signs it.  ARCHITECTURE section 3.
 */
#include "engine/stage.h"

#include "base/log.h"
#include "bulkhead/stream.h"
#include "engine/reentry.h"
#include "mail/listhdr.h"

#define PROBLEMS_MAX 4096

static enum stage_result
pass(struct message *m, const char *reason)
{
	m->verdict = VERDICT_PASS;
	m->reason = reason;
	message_note(m, "select", "left as it came: %s", reason);
	return STAGE_STOP;
}

/* It is ours all the same: suppressions and limits hold for all such mail. */
static enum stage_result
pass_ours(struct message *m, const char *reason)
{
	m->is_bare = true;
	pass(m, reason);
	return STAGE_NEXT;
}

/*
 * From with a display name that should have been quoted ("Foo, Inc. <a@b>"):
 * what stands in its only angle brackets.
 */
static bool
find_bracketed(struct message *m, struct str value, struct addr *out)
{
	struct str v = header_unfold(m->arena, value);
	size_t open = str_chr(v, '<', 0);
	size_t close = str_chr(v, '>', open);

	if (close == v.n || close + 1 != v.n ||
	    str_chr(v, '<', open + 1) < v.n || str_chr(v, '"', 0) < v.n)
		return false;
	return addr_parse_path(m->arena, str_sub(v, open, v.n), out) == 0;
}

/* The one address of From; NULL, or why there is none. */
static const char *
find_from(struct message *m)
{
	struct header *f = headers_find(&m->headers, STR("From"));
	struct addr_list list;
	struct addr addr;

	if (f == NULL)
		return "it has no From";
	if (headers_find_next(&m->headers, f) != NULL)
		return "it has several From fields";
	if (addr_parse_list(m->arena, f->value, &list) == 0) {
		if (list.n > 1)
			return "it has several From addresses";
		if (list.n == 0)
			return "its From names nobody";
		addr = list.v[0];
	} else if (!find_bracketed(m, f->value, &addr)) {
		return "its From is no address";
	}
	if (addr.domain.n == 0)
		return "its From has no domain";
	m->from_domain = addr_domain_ascii(m->arena, addr.domain);
	return NULL;
}

static struct str
sender_text(const struct message *m)
{
	return m->is_null_sender ? STR("") : addr_text(m->arena, &m->sender);
}

static void
read_control(struct message *m)
{
	struct buf problems;
	struct str rest;

	buf_init(&problems, PROBLEMS_MAX);
	control_read(&m->control, m->arena, &m->headers, &problems);
	rest = buf_view(&problems);
	while (rest.n > 0) {
		size_t end = str_chr(rest, '\n', 0);

		log_warning("%.*s: control field ignored: %.*s",
		    STR_ARG(m->queue_id), STR_ARG(str_sub(rest, 0, end)));
		rest = str_sub(rest, end + 1, rest.n);
	}
	buf_free(&problems);
}

static const struct stream_settings *
choose_stream(struct message *m, const struct stream_facts *facts)
{
	const struct stream_settings *stream;

	if (m->control.stream.n > 0) {
		stream = settings_stream_named(m->settings, m->control.stream);
		if (stream != NULL)
			return stream;
		log_warning("%.*s: no stream is named \"%.*s\"",
		    STR_ARG(m->queue_id), STR_ARG(m->control.stream));
	}
	stream_select(m->settings, facts, &stream);
	return stream;
}

static void
set_switch(unsigned *track, unsigned bit, enum control_switch s)
{
	if (s == CONTROL_ON)
		*track |= bit;
	else if (s == CONTROL_OFF)
		*track &= ~bit;
}

/* What the stream and the application's control fields ask for. */
static void
take_wishes(struct message *m)
{
	struct header *list;

	m->campaign = m->control.campaign.n ? m->control.campaign :
					      m->stream->campaign;
	list = headers_find(&m->headers, STR("List-Id"));
	if (m->control.list.n > 0)
		m->list = m->control.list;
	else if (list != NULL)
		m->list = listhdr_id(m->arena, list->value);
	m->track = m->stream->track;
	set_switch(&m->track, TRACK_CLICKS, m->control.clicks);
	set_switch(&m->track, TRACK_OPENS, m->control.opens);
	if (m->stream->pass_control)
		return;
	for (size_t i = 0; i < m->control.nfields; i++) {
		struct header *f = m->control.fields[i];

		message_note(m, "select", "control field %.*s read and removed",
		    STR_ARG(f->name));
		headers_delete(&m->headers, f);
	}
}

static enum stage_result
check_sender(struct message *m, const struct stream_facts *facts)
{
	const struct keyring_domain *keys =
	    keyring_domain(m->keyring, m->domain);

	struct str who = m->client.sasl_user;

	/* a refused bounce would come back as another one */
	if (!stream_may_send(m->domain, facts) && m->is_null_sender)
		return pass_ours(m, "its client may not send as its domain");
	if (!stream_may_send(m->domain, facts)) {
		message_refuse(m, "550", "5.7.1", "%.*s may not send as %.*s",
		    STR_ARG(who.n ? who : STR("this client")),
		    STR_ARG(m->domain->name));
		return STAGE_STOP;
	}
	if (keys == NULL || keys->nkeys == 0)
		return pass_ours(m, "its domain has no signing key");
	return STAGE_NEXT;
}

/*
 * Ours already, by a signature that nobody else can make: no second rewrite,
 * charge or event.  Its control fields are not read: they were, or are not
 * meant for us.
 */
static bool
is_done(struct message *m)
{
	const struct domain_settings *signer = reentry_find(m, m->domain);

	if (signer == NULL)
		return false;
	m->domain = signer;
	m->is_already_done = true;
	return true;
}

enum stage_result
stage_select(struct message *m)
{
	struct stream_facts facts = {
		.sasl_user = m->client.sasl_user,
		.daemon = m->client.daemon,
		.has_client = m->client.has_addr,
		.client = m->client.addr,
		.headers = &m->headers,
	};
	const char *reason;

	if (!client_is_ours(m->settings, &m->client))
		return pass(m, "its client is none of ours");
	if ((reason = find_from(m)) != NULL)
		return pass_ours(m, reason);
	m->domain = stream_domain(m->settings, m->from_domain);
	if (is_done(m))
		return pass_ours(m, "already signed by us");
	facts.sender = sender_text(m);
	facts.from_domain = m->from_domain;
	if (!m->is_null_sender) {
		read_control(m);
		m->stream = choose_stream(m, &facts);
	}
	if (m->domain == NULL && m->stream != NULL)
		m->domain = m->stream->domain;
	if (m->domain == NULL)
		return pass_ours(m, "no domain section covers its From");
	message_note(m, "select", "stream %.*s, domain %.*s",
	    STR_ARG(m->stream ? m->stream->name : STR("(none)")),
	    STR_ARG(m->domain->name));
	if (check_sender(m, &facts) != STAGE_NEXT)
		return STAGE_STOP;
	if (m->stream != NULL && !m->is_bare)
		take_wishes(m);
	return STAGE_NEXT;
}
