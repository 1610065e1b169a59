/*
 * report.c - what the log and the counters say of a message.
 */
#include "engine/report.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "bulkhead/limit.h"
#include "bulkhead/logline.h"

/* Who handed it over: what trusted-networks and may-send look at. */
static void
add_client(struct buf *line, const struct settings *s, struct arena *a,
    const struct client *c)
{
	char addr[NET_ADDR_TEXT];

	if (c->has_addr) {
		net_format_addr(&c->addr, addr);
		logline_add_value(line, "client", str_from(addr));
	}
	if (c->is_sendmail)
		buf_puts(line, " by=sendmail");
	if (c->sasl_user.n > 0)
		logline_add_value(line, "sasl-user",
		    logline_address(s, a, c->sasl_user));
}

void
report_stranger(const struct settings *s, struct arena *a,
    const struct client *c)
{
	struct buf line;

	buf_init(&line, LOGLINE_MAX);
	add_client(&line, s, a, c);
	log_info("NOQUEUE: action=passed%.*s reason=\"its client is none of "
		 "ours: no login, not in trusted-networks\"",
	    STR_ARG(buf_view(&line)));
	buf_free(&line);
}

static const char *
action_of(const struct message *m)
{
	switch (m->verdict) {
	case VERDICT_ACCEPT:
		return "signed";
	case VERDICT_PASS:
		return "passed";
	case VERDICT_REJECT:
		return "rejected";
	case VERDICT_DISCARD:
		return "discarded";
	case VERDICT_TEMPFAIL:
		break;
	}
	return "tempfailed";
}

/* A tag of a DKIM-Signature that we wrote; name is "d=" or "s=". */
static struct str
tag_of(struct str signature, struct str name)
{
	size_t at = str_find(signature, name, 0);

	return str_sub(signature, at + name.n,
	    str_chr(signature, ';', at));
}

/* Selectors; with their domain where that is a service's. */
static void
add_signatures(struct buf *line, const struct message *m)
{
	const char *sep = " signatures=";

	for (size_t i = 0; i < m->nsignatures; i++) {
		struct str domain = tag_of(m->signatures[i], STR("d="));
		struct str selector = tag_of(m->signatures[i], STR("s="));

		buf_puts(line, sep);
		if (!str_eq(domain, m->domain->name))
			buf_printf(line, "%.*s/", STR_ARG(domain));
		buf_str(line, selector);
		sep = ",";
	}
}

static void
add_hazards(struct buf *line, unsigned hazards)
{
	static const char *const names[] = { "8bit", "long-body-line",
		"long-header-line" };
	const char *sep = " hazards=";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((hazards & 1u << i) == 0)
			continue;
		buf_printf(line, "%s%s", sep, names[i]);
		sep = ",";
	}
}

/* Each removed recipient has a line of its own. */
static void
log_suppressed(const struct message *m, const char *observe)
{
	for (size_t i = 0; m->nremoved > 0 && i < m->nrecipients; i++) {
		const struct recipient *r = &m->recipients[i];
		struct buf line;

		if (!r->is_removed)
			continue;
		buf_init(&line, LOGLINE_MAX);
		logline_add_value(&line, "recipient",
		    logline_address(m->settings, m->arena, r->normal));
		logline_add_value(&line, "reason", r->suppressed);
		log_info("%.*s: %saction=suppressed%.*s",
		    STR_ARG(m->queue_id.n ? m->queue_id : STR("NOQUEUE")),
		    observe, STR_ARG(buf_view(&line)));
		buf_free(&line);
	}
}

static void
add_what_was_done(struct buf *line, const struct message *m)
{
	if (m->campaign.n > 0)
		logline_add_value(line, "campaign", m->campaign);
	if (m->list.n > 0)
		logline_add_value(line, "list", m->list);
	buf_printf(line, " links=%u left=%u pixels=%u", m->nlinks,
	    m->nlinks_left, m->npixels);
	if (m->nplaceholders > 0)
		buf_printf(line, " placeholders=%u", m->nplaceholders);
	if (m->unsubscribe_kind != NULL)
		buf_printf(line, " unsubscribe=%s", m->unsubscribe_kind);
	if (m->new_sender.n > 0)
		buf_puts(line, " return-path=yes");
	if (m->nencoded > 0)
		buf_printf(line, " encoded=%u", m->nencoded);
	add_signatures(line, m);
	if (m->nunsubscribe_removed > 0)
		buf_printf(line, " unsubscribe-removed=%u",
		    m->nunsubscribe_removed);
	if (m->nsignatures_removed > 0)
		buf_printf(line, " signatures-removed=%u",
		    m->nsignatures_removed);
	add_hazards(line, m->hazards);
	if (m->lacks != NULL)
		logline_add_value(line, "lacks", str_from(m->lacks));
	if (m->malformed != NULL)
		logline_add_value(line, "malformed", str_from(m->malformed));
}

/* The first recipient that was removed; NULL: none. */
static const struct recipient *
first_removed(const struct message *m)
{
	for (size_t i = 0; m->nremoved > 0 && i < m->nrecipients; i++)
		if (m->recipients[i].is_removed)
			return &m->recipients[i];
	return NULL;
}

/*
 * What the client was told names an address where all are suppressed, the
 * login where that one's limit is reached, and may begin with the login, made
 * printable and cut by message_refuse(): log-addresses counts there, too.
 */
static struct str
reply_text(const struct message *m)
{
	struct str text = str_from(m->reply.text), login = m->client.sasl_user;
	const struct recipient *removed = first_removed(m);
	const struct limit_settings *l = limit_named(m->settings, m->limit);
	struct str rest;
	size_t n = 0;

	if (removed != NULL && m->nleft == 0 &&
	    m->settings->log_addresses != LOG_ADDRESSES_FULL)
		return arena_printf(m->arena, "suppressed (%.*s)",
		    STR_ARG(removed->suppressed));
	if (l != NULL && l->per == LIMIT_PER_SASL_USER &&
	    m->settings->log_addresses != LOG_ADDRESSES_FULL)
		return STR("over a limit");
	while (n < login.n && n < text.n &&
	    (text.p[n] == login.p[n] || text.p[n] == '?'))
		n++;
	if (n == 0 || (n < text.n && (n < login.n || text.p[n] != ' ')))
		return text;
	login = logline_address(m->settings, m->arena, login);
	rest = str_sub(text, n, text.n);
	return arena_printf(m->arena, "%.*s%.*s", STR_ARG(login),
	    STR_ARG(rest));
}

static void
add_reply(struct buf *line, const struct message *m)
{
	struct str text = reply_text(m);

	logline_add_value(line, "reply", arena_printf(m->arena, "%s %s %.*s",
	    m->reply.code, m->reply.status, STR_ARG(text)));
}

void
report_log(const struct message *m, int64_t cpu_micros)
{
	bool observe = m->settings->milter.mode == MODE_OBSERVE;
	struct str sender = logline_address(m->settings, m->arena,
	    m->is_null_sender ? STR("") : addr_text(m->arena, &m->sender));
	char time[CLOCK_TEXT];
	struct buf line;

	log_suppressed(m, observe ? "observe " : "");
	buf_init(&line, LOGLINE_MAX);
	clock_rfc3339(m->now, time);
	buf_printf(&line, "%.*s: %saction=%s",
	    STR_ARG(m->queue_id.n ? m->queue_id : STR("NOQUEUE")),
	    observe ? "observe " : "", action_of(m));
	if (m->stream != NULL)
		logline_add_value(&line, "stream", m->stream->name);
	if (m->domain != NULL)
		logline_add_value(&line, "domain", m->domain->name);
	add_client(&line, m->settings, m->arena, &m->client);
	logline_add_value(&line, "sender", arena_printf(m->arena, "<%.*s>",
	    STR_ARG(sender)));
	buf_printf(&line, " nrcpt=%zu size=%zu", m->nrecipients, m->body.n);
	if (m->verdict == VERDICT_ACCEPT)
		add_what_was_done(&line, m);
	if (m->nremoved > 0)
		buf_printf(&line, " suppressed=%zu", m->nremoved);
	if (m->limit.n > 0)
		logline_add_value(&line, "limit", m->limit);
	if (m->was_open)
		buf_puts(&line, " policy=down");
	if (m->reason != NULL)
		logline_add_value(&line, "reason", str_from(m->reason));
	if (m->verdict == VERDICT_REJECT)
		add_reply(&line, m);
	buf_printf(&line, " time=%s cpu_us=%" PRId64, time, cpu_micros);
	if (!line.failed)
		log_info("%.*s", STR_ARG(buf_view(&line)));
	else
		log_warning("%.*s: action=%s (details too long for a line)",
		    STR_ARG(m->queue_id.n ? m->queue_id : STR("NOQUEUE")),
		    action_of(m));
	buf_free(&line);
}

static void
count_what_was_done(const struct message *m, struct metrics *metrics)
{
	const char *kind = m->unsubscribe_kind;
	bool is_kept = kind != NULL && strcmp(kind, "kept") == 0;
	bool is_ours = kind != NULL && !is_kept && strcmp(kind, "none") != 0;

	metrics_add(metrics, METRIC_RETURN_PATHS, m->new_sender.n > 0);
	metrics_add(metrics, METRIC_UNSUBSCRIBES, is_ours);
	metrics_add(metrics, METRIC_UNSUBSCRIBES_KEPT, is_kept);
	metrics_add(metrics, METRIC_PLACEHOLDERS, m->nplaceholders);
	metrics_add(metrics, METRIC_LINKS, m->nlinks);
	metrics_add(metrics, METRIC_LINKS_LEFT, m->nlinks_left);
	metrics_add(metrics, METRIC_PIXELS, m->npixels);
	metrics_add(metrics, METRIC_ENCODED, m->nencoded);
	metrics_add(metrics, METRIC_HAZARDS, m->hazards != 0);
	metrics_add(metrics, METRIC_MALFORMED, m->malformed != NULL);
	metrics_add(metrics, METRIC_SIGNATURES, m->nsignatures);
	metrics_add(metrics, METRIC_SIGNATURES_REMOVED,
	    m->nsignatures_removed);
}

void
report_count(const struct message *m, struct metrics *metrics)
{
	static const enum metric by_verdict[] = {
		[VERDICT_ACCEPT] = METRIC_SIGNED,
		[VERDICT_PASS] = METRIC_PASSED,
		[VERDICT_REJECT] = METRIC_REJECTED,
		[VERDICT_DISCARD] = METRIC_DISCARDED,
		[VERDICT_TEMPFAIL] = METRIC_TEMPFAILED,
	};

	metrics_add(metrics, METRIC_MESSAGES, 1);
	metrics_add(metrics, METRIC_OCTETS, m->body.n);
	metrics_add(metrics, METRIC_RECIPIENTS, m->nrecipients);
	metrics_add(metrics, by_verdict[m->verdict], 1);
	metrics_add(metrics, METRIC_REMOVED_RECIPIENTS, m->nremoved);
	metrics_add(metrics, METRIC_OVER_LIMIT, m->limit.n > 0);
	metrics_add(metrics, METRIC_POLICY_DOWN, m->was_open);
	if (m->is_already_done)
		metrics_add(metrics, METRIC_ALREADY_DONE, 1);
	if (m->verdict == VERDICT_ACCEPT)
		count_what_was_done(m, metrics);
}
