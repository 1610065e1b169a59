/*
 * reply.c - answers, and the one log line of a refusal.
 */
#include "policyd/reply.h"

#include "base/log.h"
#include "bulkhead/logline.h"

void
reply_write(const struct question *q, struct buf *out)
{
	if (q->request.kind != POLICY_ACCESS) {
		policy_write_reply(out, &q->reply);
		return;
	}
	/* what cannot be known gives way to a restriction that refuses */
	if (q->cause == CAUSE_STORE)
		buf_printf(out, "action=DEFER_IF_PERMIT %.*s %.*s\n",
		    STR_ARG(q->reply.status), STR_ARG(q->reply.text));
	else
		policy_write_action(out, &q->reply);
	policy_write_end(out);
}

static const char *
cause_name(enum cause cause)
{
	switch (cause) {
	case CAUSE_NONE:
		break;
	case CAUSE_MAY_SEND:
		return "may-send";
	case CAUSE_PAUSED:
		return "paused";
	case CAUSE_SUPPRESSED:
		return "suppressed";
	case CAUSE_LIMIT:
		return "limit";
	case CAUSE_STORE:
		return "store-down";
	}
	return "none";
}

static const char *
step_name(const struct question *q)
{
	if (q->request.kind == POLICY_ADMIT)
		return "admit";
	if (q->request.kind == POLICY_CHARGE)
		return "charge";
	return question_is_at(q, "DATA") ? "data" : "rcpt";
}

static const char *
action_name(const struct question *q)
{
	if (q->reply.answer != POLICY_ACCEPT)
		return "rejected";
	return q->reply.nsuppressed > 0 ? "suppressed" : "passed";
}

static void
add_address(struct buf *line, struct batch *b, const char *key,
    struct str address)
{
	struct str shown = logline_address(b->settings, b->arena, address);

	logline_add_value(line, key, arena_printf(b->arena, "<%.*s>",
	    STR_ARG(shown)));
}

static void
add_who(struct buf *line, struct batch *b, const struct question *q)
{
	const struct policy_message *m = &q->request.message;

	if (q->stream_title.n > 0)
		logline_add_value(line, "stream", q->stream_title);
	if (q->domain.n > 0)
		logline_add_value(line, "domain", q->domain);
	if (m->client.n > 0)
		logline_add_value(line, "client", m->client);
	if (m->sasl_user.n > 0)
		logline_add_value(line, "sasl-user", logline_address(
		    b->settings, b->arena, m->sasl_user));
	add_address(line, b, "sender", m->sender);
	if (q->request.kind == POLICY_ACCESS && q->nrecipients == 1)
		add_address(line, b, "recipient", q->recipients[0]);
	else
		buf_printf(line, " nrcpt=%zu", q->nrecipients);
}

/*
 * The reply names the recipient or login, and a report's words may hold any
 * address: in full only where addresses are.
 */
static bool
may_name_somebody(const struct batch *b, const struct question *q)
{
	const struct limit_settings *l;

	if (q->cause == CAUSE_SUPPRESSED || q->cause == CAUSE_MAY_SEND)
		return true;
	l = q->cause == CAUSE_LIMIT ?
	    limit_named(b->settings, q->reply.limit) : NULL;
	return l != NULL && l->per == LIMIT_PER_SASL_USER;
}

static void
add_reply(struct buf *line, struct batch *b, const struct question *q)
{
	bool is_plain = !may_name_somebody(b, q);

	if (q->reply.answer == POLICY_ACCEPT)
		return;
	if (is_plain || b->settings->log_addresses == LOG_ADDRESSES_FULL)
		logline_add_value(line, "reply", arena_printf(b->arena,
		    "%.*s %.*s %.*s", STR_ARG(q->reply.code),
		    STR_ARG(q->reply.status), STR_ARG(q->reply.text)));
	else
		logline_add_value(line, "reply", arena_printf(b->arena,
		    "%.*s %.*s", STR_ARG(q->reply.code),
		    STR_ARG(q->reply.status)));
}

static void
add_why(struct buf *line, struct batch *b, const struct question *q)
{
	logline_add_value(line, "cause", str_from(q->reply.was_open ?
	    "store-down" : cause_name(q->cause)));
	if (q->reason.n > 0)
		logline_add_value(line, "reason", q->reason);
	if (q->reply.nsuppressed > 0)
		buf_printf(line, " suppressed=%zu", q->reply.nsuppressed);
	if (q->reply.limit.n > 0)
		logline_add_value(line, "limit", q->reply.limit);
	if (q->reply.was_open)
		buf_puts(line, " policy=open");
	add_reply(line, b, q);
}

void
reply_log(struct batch *b, const struct question *q)
{
	const struct policy_message *m = &q->request.message;
	struct str id = m->queue_id.n > 0 ? m->queue_id : STR("NOQUEUE");
	struct buf line;

	if (q->cause == CAUSE_NONE && !q->reply.was_open)
		return;
	buf_init(&line, LOGLINE_MAX);
	buf_printf(&line, "%.*s: %saction=%s step=%s", STR_ARG(id),
	    m->is_dry ? "observe " : "", action_name(q), step_name(q));
	add_who(&line, b, q);
	add_why(&line, b, q);
	if (q->request.kind == POLICY_ACCESS && m->instance.n > 0)
		logline_add_value(&line, "instance", m->instance);
	if (!line.failed)
		log_info("%.*s", STR_ARG(buf_view(&line)));
	else
		log_warning("%.64s: action=%s step=%s (details too long for a "
			    "line)", arena_cstr(b->arena, id), action_name(q),
		    step_name(q));
	buf_free(&line);
}

void
reply_count(struct batch *b, const struct question *q)
{
	struct metrics *m = b->desk->metrics;

	metrics_add(m, METRIC_REQUESTS, 1);
	if (q->reply.answer == POLICY_DEFER)
		metrics_add(m, METRIC_DEFERRED, 1);
	if (q->reply.answer == POLICY_REFUSE)
		metrics_add(m, METRIC_REFUSED, 1);
	if (q->reply.was_open)
		metrics_add(m, METRIC_OPENED, 1);
	if (q->cause == CAUSE_PAUSED)
		metrics_add(m, METRIC_PAUSED, 1);
	if (q->cause == CAUSE_MAY_SEND)
		metrics_add(m, METRIC_MAY_NOT_SEND, 1);
}
