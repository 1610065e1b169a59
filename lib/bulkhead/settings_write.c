/*
 * settings_write.c - what is in force, as a settings file that loads again and
 * gives the same.  Not a formatter: comments and includes are gone.
 */
#include "bulkhead/settings_write.h"

#include <arpa/inet.h>
#include <inttypes.h>

#include "base/clock.h"
#include "bulkhead/settings_table.h"

struct str
text_of_cidr(struct arena *a, const struct net_cidr *net)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool v4 = net->bits >= 96 && memcmp(net->addr.b, mapped, 12) == 0;
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(v4 ? AF_INET : AF_INET6, net->addr.b + (v4 ? 12 : 0),
	    text, sizeof(text)) == NULL)
		text[0] = '\0';
	return arena_printf(a, "%s/%u", text, net->bits - (v4 ? 96 : 0));
}

struct str
text_of_rate(struct arena *a, const struct rate *rate)
{
	char unit = rate->period == 1 ? 's' : rate->period == 60 ? 'm' :
	    rate->period == 3600 ? 'h' : 'd';

	return arena_printf(a, "%" PRIu64 "/%c", rate->count, unit);
}

struct str
text_of_day(struct arena *a, int64_t seconds)
{
	char text[CLOCK_TEXT];

	clock_rfc3339(seconds, text);
	return arena_copy(a, str_make(text, 10));
}

struct str
text_of_may_send(struct arena *a, const struct may_send *m)
{
	if (m->kind == MAY_SEND_CLIENT)
		return arena_printf(a, "client:%.*s",
		    STR_ARG(text_of_cidr(a, &m->client)));
	return arena_printf(a, "sasl-user:%.*s", STR_ARG(m->user));
}

struct str
text_of_header(struct arena *a, const struct header_match *h)
{
	if (h->glob.n == 0)
		return h->name;
	return arena_printf(a, "%.*s: %.*s", STR_ARG(h->name),
	    STR_ARG(h->glob));
}

/* Where the text goes, how deep, and scratch memory for values. */
struct writer {
	struct buf *out;
	struct arena *scratch;
	int depth;
};

static void
put_string(struct writer *w, struct str s)
{
	buf_char(w->out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_char(w->out, '\\');
		buf_char(w->out, s.p[i]);
	}
	buf_char(w->out, '"');
}

static void
put_name(struct writer *w, const char *name)
{
	for (int i = 0; i < w->depth; i++)
		buf_char(w->out, '\t');
	buf_puts(w->out, name);
}

static void
put_word(struct writer *w, const char *name, const char *word)
{
	put_name(w, name);
	buf_printf(w->out, " = %s\n", word);
}

static void
put_bool(struct writer *w, const char *name, bool value)
{
	put_word(w, name, value ? "true" : "false");
}

/* Empty texts are settings that were not made. */
static void
put_text(struct writer *w, const char *name, struct str value)
{
	if (value.n == 0)
		return;
	put_name(w, name);
	buf_puts(w->out, " = ");
	put_string(w, value);
	buf_char(w->out, '\n');
}

static void
put_number(struct writer *w, const char *name, uint64_t value)
{
	put_name(w, name);
	buf_printf(w->out, " = %" PRIu64 "\n", value);
}

static void
open_section(struct writer *w, const char *name, struct str title)
{
	if (w->depth == 0)
		buf_char(w->out, '\n');
	put_name(w, name);
	buf_char(w->out, ' ');
	if (title.n != 0) {
		put_string(w, title);
		buf_char(w->out, ' ');
	}
	buf_puts(w->out, "{\n");
	w->depth++;
}

static void
close_section(struct writer *w)
{
	w->depth--;
	put_name(w, "}\n");
}

static void
open_list(struct writer *w, const char *name)
{
	put_name(w, name);
	buf_puts(w->out, " = {");
}

static void
put_item(struct writer *w, size_t i, struct str value)
{
	buf_puts(w->out, i ? ", " : " ");
	put_string(w, value);
}

static void
close_list(struct writer *w)
{
	buf_puts(w->out, " }\n");
}

static void
put_texts(struct writer *w, const char *name, const struct str *v, size_t n)
{
	if (n == 0)
		return;
	open_list(w, name);
	for (size_t i = 0; i < n; i++)
		put_item(w, i, v[i]);
	close_list(w);
}

static void
put_cidrs(struct writer *w, const char *name, const struct net_cidr *v,
    size_t n)
{
	open_list(w, name);
	for (size_t i = 0; i < n; i++)
		put_item(w, i, text_of_cidr(w->scratch, &v[i]));
	close_list(w);
}

static void
put_days(struct writer *w, const char *name, uint64_t days)
{
	put_text(w, name, days == 0 ? STR("0") :
	    arena_printf(w->scratch, "%" PRIu64 "d", days));
}

static void
put_trackd(struct writer *w, const struct settings *s)
{
	open_section(w, "trackd", STR(""));
	put_text(w, "listen", s->trackd.listen);
	put_text(w, "spool", s->trackd.spool);
	put_word(w, "public", s->trackd.is_public ? "true" : "false");
	put_number(w, "threads", s->trackd.threads);
	put_number(w, "max-connections", s->trackd.max_connections);
	put_cidrs(w, "proxies", s->trackd.proxies, s->trackd.nproxies);
	put_text(w, "templates", s->trackd.templates);
	put_text(w, "robots", s->trackd.robots);
	put_word(w, "keep-visitors",
	    s->trackd.keep_visitors ? "true" : "false");
	put_text(w, "metrics", s->trackd.metrics);
	close_section(w);
}

static void
put_top(struct writer *w, const struct settings *s)
{
	put_text(w, "store", s->store);
	put_text(w, "rates", s->rates);
	put_text(w, "events", s->events);
	put_text(w, "token-keys", s->token_keys);
	put_text(w, "return-path-keys", s->return_path_keys);
	put_cidrs(w, "trusted-networks", s->trusted, s->ntrusted);
	put_word(w, "on-store-failure",
	    settings_on_failure_words[s->on_store_failure]);
	put_word(w, "log-addresses",
	    settings_log_addresses_words[s->log_addresses]);
	put_word(w, "event-addresses",
	    settings_event_addresses_words[s->event_addresses]);
	put_days(w, "event-retention", s->event_retention);
	open_section(w, "milter", STR(""));
	put_word(w, "mode", settings_mode_words[s->milter.mode]);
	put_text(w, "socket", s->milter.socket);
	put_number(w, "max-sessions", s->milter.max_sessions);
	put_number(w, "max-message", s->milter.max_message);
	put_number(w, "max-memory", s->milter.max_memory);
	put_text(w, "spool", s->milter.spool);
	put_text(w, "metrics", s->milter.metrics);
	close_section(w);
	open_section(w, "policyd", STR(""));
	put_text(w, "socket", s->policyd.socket);
	put_text(w, "control", s->policyd.control);
	put_word(w, "charge-at",
	    settings_charge_at_words[s->policyd.charge_at]);
	put_text(w, "metrics", s->policyd.metrics);
	close_section(w);
	put_trackd(w, s);
}

static void
put_domain(struct writer *w, const struct domain_settings *d)
{
	open_section(w, "domain", d->name);
	for (size_t i = 0; i < d->nsign; i++) {
		open_section(w, "sign", d->sign[i].selector);
		put_text(w, "key", d->sign[i].key);
		close_section(w);
	}
	put_text(w, "tracking-url", d->tracking_url);
	put_text(w, "return-path-domain", d->return_path_domain);
	put_text(w, "unsubscribe-mailto", d->unsubscribe_mailto);
	if (d->nmay_send != 0) {
		open_list(w, "may-send");
		for (size_t i = 0; i < d->nmay_send; i++)
			put_item(w, i, text_of_may_send(w->scratch,
			    &d->may_send[i]));
		close_list(w);
	}
	close_section(w);
}

static void
put_match(struct writer *w, const struct match_settings *m)
{
	open_section(w, "match", STR(""));
	put_texts(w, "from-domain", m->from_domain, m->nfrom_domain);
	if (m->nheader != 0) {
		open_list(w, "header");
		for (size_t i = 0; i < m->nheader; i++)
			put_item(w, i, text_of_header(w->scratch,
			    &m->header[i]));
		close_list(w);
	}
	put_texts(w, "sender", m->sender, m->nsender);
	put_texts(w, "sasl-user", m->sasl_user, m->nsasl_user);
	if (m->nclient != 0)
		put_cidrs(w, "client", m->client, m->nclient);
	put_texts(w, "daemon", m->daemon, m->ndaemon);
	close_section(w);
}

static void
put_track(struct writer *w, unsigned track)
{
	size_t n = 0;

	open_list(w, "track");
	for (size_t i = 0; settings_track_words[i] != NULL; i++)
		if (track >> i & 1)
			put_item(w, n++, str_from(settings_track_words[i]));
	close_list(w);
}

static void
put_stream(struct writer *w, const struct stream_settings *st)
{
	open_section(w, "stream", st->name);
	if (st->has_match)
		put_match(w, &st->match);
	put_texts(w, "alias", st->alias_names, st->naliases);
	put_word(w, "unsubscribe", settings_unsubscribe_words[st->unsubscribe]);
	put_word(w, "existing-unsubscribe",
	    settings_existing_words[st->replace_unsubscribe]);
	put_track(w, st->track);
	put_texts(w, "no-track-hosts", st->no_track_hosts,
	    st->nno_track_hosts);
	put_bool(w, "return-path", st->return_path);
	put_word(w, "several-recipients",
	    settings_several_words[st->reject_several]);
	put_word(w, "suppressed",
	    settings_suppressed_words[st->drop_suppressed]);
	put_word(w, "control-headers",
	    settings_control_words[st->pass_control]);
	put_bool(w, "encode", !st->keep_8bit);
	put_bool(w, "envelope-domain", st->envelope_domain);
	put_text(w, "campaign", st->campaign);
	if (st->domain != NULL)
		put_text(w, "domain", st->domain->name);
	if (st->nalso_sign != 0) {
		open_list(w, "also-sign");
		for (size_t i = 0; i < st->nalso_sign; i++)
			put_item(w, i, st->also_sign[i]->name);
		close_list(w);
	}
	close_section(w);
}

static void
put_warm_up(struct writer *w, const struct limit_warm_up *warm)
{
	if (warm->nstages == 0)
		return;
	open_list(w, "warm-up");
	for (size_t i = 0; i < warm->nstages; i++)
		put_item(w, i, text_of_rate(w->scratch, &warm->stages[i]));
	close_list(w);
	put_text(w, "from", text_of_day(w->scratch, warm->from));
}

static void
put_limit(struct writer *w, const struct limit_settings *l)
{
	open_section(w, "limit", l->name);
	put_texts(w, "recipient-domain", l->recipient_domain,
	    l->nrecipient_domain);
	put_word(w, "per", settings_per_words[l->per]);
	put_text(w, "rate", text_of_rate(w->scratch, &l->rate));
	put_number(w, "burst", l->burst);
	put_warm_up(w, &l->warm_up);
	put_word(w, "count", settings_count_words[l->count_messages]);
	for (size_t i = 0; i < l->noverrides; i++) {
		const struct limit_override *o = &l->overrides[i];

		open_section(w, "override", o->value);
		put_text(w, "rate", text_of_rate(w->scratch, &o->rate));
		put_number(w, "burst", o->burst);
		put_warm_up(w, &o->warm_up);
		close_section(w);
	}
	close_section(w);
}

void
settings_write(const struct settings *s, struct buf *out)
{
	struct writer w = { out, arena_new(), 0 };

	put_top(&w, s);
	for (size_t i = 0; i < s->ndomains; i++)
		put_domain(&w, &s->domains[i]);
	for (size_t i = 0; i < s->nstreams; i++)
		put_stream(&w, &s->streams[i]);
	for (size_t i = 0; i < s->nlimits; i++)
		put_limit(&w, &s->limits[i]);
	arena_free(&w.scratch);
}
