/*
 * report_events.c - the events of a message: who it was handed to the MTA for,
 * who was refused, and why.
 */
#include "engine/report.h"

#include "base/json.h"

/* Of one pair, each octet of which may become "\u0000". */
#define PAIR_MAX ((size_t)6 * EVENT_TEXT_MAX + 16)

/*
 * The application's pairs as a JSON object, in whole: the store would cut what
 * is longer.
 */
static struct str
metadata_of(const struct message *m)
{
	const struct control *c = &m->control;
	struct buf out;
	struct str text;

	if (c->nmetadata == 0)
		return STR("");
	buf_init(&out, PAIR_MAX + EVENT_TEXT_MAX);
	buf_char(&out, '{');
	for (size_t i = 0; i < c->nmetadata; i++) {
		const struct control_pair *pair = &c->metadata[i];
		size_t before = out.n;

		if (pair->key.n + pair->value.n > EVENT_TEXT_MAX)
			continue;
		if (before > 1)
			buf_puts(&out, ", ");
		json_string(&out, pair->key);
		buf_puts(&out, ": ");
		json_string(&out, pair->value);
		if (out.n >= EVENT_TEXT_MAX)
			out.n = before;
	}
	buf_char(&out, '}');
	text = out.n > 2 ? arena_copy(m->arena, buf_view(&out)) : STR("");
	buf_free(&out);
	return text;
}

/* Without its brackets. */
static struct str
message_id_of(struct message *m)
{
	struct header *f = headers_find(&m->headers, STR("Message-ID"));
	struct str id;

	if (f == NULL)
		return STR("");
	id = str_trim(header_unfold(m->arena, f->value));
	if (id.n > 2 && id.p[0] == '<' && id.p[id.n - 1] == '>')
		id = str_sub(id, 1, id.n - 1);
	return id;
}

/* Those of a kind: whom it is about, and what the detail is. */
struct happening {
	const struct session_env *env;
	struct event event;
};

static void
tell(struct happening *h, enum event_kind kind, const struct recipient *r,
    struct str detail)
{
	h->event.kind = kind;
	h->event.recipient = r->normal;
	h->event.detail = detail;
	h->env->event(h->env->event_arg, &h->event);
}

/* Everybody who is left. */
static void
tell_left(const struct message *m, struct happening *h, enum event_kind kind,
    struct str detail)
{
	for (size_t i = 0; i < m->nrecipients; i++)
		if (!m->recipients[i].is_removed)
			tell(h, kind, &m->recipients[i], detail);
}

static void
tell_removed(const struct message *m, struct happening *h)
{
	for (size_t i = 0; m->nremoved > 0 && i < m->nrecipients; i++)
		if (m->recipients[i].is_removed)
			tell(h, EVENT_SUPPRESSED, &m->recipients[i],
			    m->recipients[i].suppressed);
}

/* It will be offered again: then those are removed who are suppressed. */
static bool
is_put_off(const struct message *m)
{
	return m->verdict == VERDICT_TEMPFAIL ||
	    (m->verdict == VERDICT_REJECT && m->reply.code[0] == '4');
}

/* What comes back was handed before, whether a filter changed it or not. */
static bool
is_handed(const struct message *m)
{
	return m->verdict == VERDICT_ACCEPT && m->domain != NULL &&
	    !m->is_null_sender && !m->is_already_done && !m->was_ours;
}

static bool
is_limited(const struct message *m)
{
	return m->verdict == VERDICT_REJECT &&
	    (m->limit.n > 0 || m->is_paused);
}

void
report_events(struct message *m, const struct session_env *env)
{
	bool handed = is_handed(m), limited = is_limited(m);
	bool removed = m->nremoved > 0 && !is_put_off(m);
	struct happening h = { .env = env, .event = {
		.at = clock_micros(&env->clock),
		.domain = m->domain != NULL ? m->domain->name : STR(""),
		.stream = m->stream != NULL ? m->stream->id : 0,
		.campaign = m->campaign,
		.list = m->list,
		.hours = (uint32_t)(m->now / 3600),
		.instance = m->client.mta,
		.queue_id = m->queue_id,
	} };

	if (env->event == NULL || m->settings->milter.mode != MODE_ACT ||
	    m->recipients == NULL || (!handed && !limited && !removed))
		return;
	h.event.message_id = message_id_of(m);
	h.event.metadata = metadata_of(m);
	if (removed)
		tell_removed(m, &h);
	if (handed)
		tell_left(m, &h, EVENT_HANDED, STR(""));
	else if (limited)
		tell_left(m, &h, EVENT_LIMITED,
		    m->limit.n > 0 ? m->limit : STR("paused"));
}
