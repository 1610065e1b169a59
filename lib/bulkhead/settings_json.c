/*
 * settings_json.c - what is in force, as JSON: the keys are those of the
 * settings file, titles are "name".
 */
#include "bulkhead/settings.h"

#include "base/json.h"
#include "bulkhead/settings_table.h"
#include "bulkhead/settings_write.h"

static void
key_text(struct buf *out, const char *name, struct str value)
{
	json_key(out, name);
	json_string_or_null(out, value);
}

static void
key_word(struct buf *out, const char *name, const char *word)
{
	json_key(out, name);
	json_string(out, str_from(word));
}

static void
key_bool(struct buf *out, const char *name, bool value)
{
	json_key(out, name);
	json_bool(out, value);
}

static void
key_number(struct buf *out, const char *name, uint64_t value)
{
	json_key(out, name);
	json_number(out, (int64_t)value);
}

static void
item(struct buf *out, size_t i, struct str value)
{
	if (i != 0)
		buf_puts(out, ", ");
	json_string(out, value);
}

static void
open_list(struct buf *out, const char *name)
{
	json_key(out, name);
	buf_char(out, '[');
}

static void
key_texts(struct buf *out, const char *name, const struct str *v, size_t n)
{
	open_list(out, name);
	for (size_t i = 0; i < n; i++)
		item(out, i, v[i]);
	buf_char(out, ']');
}

static void
key_cidrs(struct buf *out, struct arena *a, const char *name,
    const struct net_cidr *v, size_t n)
{
	open_list(out, name);
	for (size_t i = 0; i < n; i++)
		item(out, i, text_of_cidr(a, &v[i]));
	buf_char(out, ']');
}

static void
write_trackd(struct buf *out, struct arena *a, const struct settings *s)
{
	json_key(out, "trackd");
	buf_char(out, '{');
	key_text(out, "listen", s->trackd.listen);
	key_text(out, "spool", s->trackd.spool);
	json_key(out, "public");
	json_bool(out, s->trackd.is_public);
	key_number(out, "threads", s->trackd.threads);
	key_number(out, "max-connections", s->trackd.max_connections);
	key_cidrs(out, a, "proxies", s->trackd.proxies, s->trackd.nproxies);
	key_text(out, "templates", s->trackd.templates);
	key_text(out, "robots", s->trackd.robots);
	json_key(out, "keep-visitors");
	json_bool(out, s->trackd.keep_visitors);
	key_text(out, "metrics", s->trackd.metrics);
	buf_char(out, '}');
}

static void
write_top(struct buf *out, struct arena *a, const struct settings *s)
{
	key_text(out, "file", s->file);
	key_text(out, "store", s->store);
	key_text(out, "rates", s->rates.n ? s->rates : s->store);
	key_text(out, "events", s->events.n ? s->events : s->store);
	key_text(out, "token-keys", s->token_keys);
	key_text(out, "return-path-keys", s->return_path_keys);
	key_cidrs(out, a, "trusted-networks", s->trusted, s->ntrusted);
	key_word(out, "on-store-failure",
	    settings_on_failure_words[s->on_store_failure]);
	key_word(out, "log-addresses",
	    settings_log_addresses_words[s->log_addresses]);
	key_word(out, "event-addresses",
	    settings_event_addresses_words[s->event_addresses]);
	key_number(out, "event-retention", s->event_retention);
	json_key(out, "milter");
	buf_char(out, '{');
	key_word(out, "mode", settings_mode_words[s->milter.mode]);
	key_text(out, "socket", s->milter.socket);
	key_number(out, "max-sessions", s->milter.max_sessions);
	key_number(out, "max-message", s->milter.max_message);
	key_number(out, "max-memory", s->milter.max_memory);
	key_text(out, "spool", s->milter.spool);
	key_text(out, "metrics", s->milter.metrics);
	buf_char(out, '}');
	json_key(out, "policyd");
	buf_char(out, '{');
	key_text(out, "socket", s->policyd.socket);
	key_text(out, "control", s->policyd.control);
	key_word(out, "charge-at",
	    settings_charge_at_words[s->policyd.charge_at]);
	key_text(out, "metrics", s->policyd.metrics);
	buf_char(out, '}');
	write_trackd(out, a, s);
}

static void
write_domain(struct buf *out, struct arena *a, const struct domain_settings *d)
{
	buf_char(out, '{');
	key_text(out, "name", d->name);
	open_list(out, "sign");
	for (size_t i = 0; i < d->nsign; i++) {
		buf_puts(out, i ? ", {" : "{");
		key_text(out, "selector", d->sign[i].selector);
		key_text(out, "key", d->sign[i].key);
		buf_char(out, '}');
	}
	buf_char(out, ']');
	key_text(out, "tracking-url", d->tracking_url);
	key_text(out, "return-path-domain", d->return_path_domain);
	key_text(out, "unsubscribe-mailto", d->unsubscribe_mailto);
	open_list(out, "may-send");
	for (size_t i = 0; i < d->nmay_send; i++)
		item(out, i, text_of_may_send(a, &d->may_send[i]));
	buf_puts(out, "]}");
}

static void
write_match(struct buf *out, struct arena *a, const struct match_settings *m)
{
	json_key(out, "match");
	buf_char(out, '{');
	key_texts(out, "from-domain", m->from_domain, m->nfrom_domain);
	open_list(out, "header");
	for (size_t i = 0; i < m->nheader; i++)
		item(out, i, text_of_header(a, &m->header[i]));
	buf_char(out, ']');
	key_texts(out, "sender", m->sender, m->nsender);
	key_texts(out, "sasl-user", m->sasl_user, m->nsasl_user);
	key_cidrs(out, a, "client", m->client, m->nclient);
	key_texts(out, "daemon", m->daemon, m->ndaemon);
	buf_char(out, '}');
}

static void
write_track(struct buf *out, unsigned track)
{
	size_t n = 0;

	open_list(out, "track");
	for (size_t i = 0; settings_track_words[i] != NULL; i++)
		if (track >> i & 1)
			item(out, n++, str_from(settings_track_words[i]));
	buf_char(out, ']');
}

static void
write_stream(struct buf *out, struct arena *a, const struct stream_settings *st)
{
	buf_char(out, '{');
	key_text(out, "name", st->name);
	json_key(out, "id");
	json_number(out, st->id);
	key_texts(out, "alias", st->alias_names, st->naliases);
	if (st->has_match)
		write_match(out, a, &st->match);
	key_word(out, "unsubscribe",
	    settings_unsubscribe_words[st->unsubscribe]);
	key_word(out, "existing-unsubscribe",
	    settings_existing_words[st->replace_unsubscribe]);
	write_track(out, st->track);
	key_texts(out, "no-track-hosts", st->no_track_hosts,
	    st->nno_track_hosts);
	key_bool(out, "return-path", st->return_path);
	key_word(out, "several-recipients",
	    settings_several_words[st->reject_several]);
	key_word(out, "suppressed",
	    settings_suppressed_words[st->drop_suppressed]);
	key_word(out, "control-headers",
	    settings_control_words[st->pass_control]);
	key_bool(out, "encode", !st->keep_8bit);
	key_bool(out, "envelope-domain", st->envelope_domain);
	key_text(out, "campaign", st->campaign);
	key_text(out, "domain", st->domain ? st->domain->name : STR(""));
	open_list(out, "also-sign");
	for (size_t i = 0; i < st->nalso_sign; i++)
		item(out, i, st->also_sign[i]->name);
	buf_puts(out, "]}");
}

static void
key_rate(struct buf *out, struct arena *a, const struct rate *rate,
    uint64_t burst, const struct limit_warm_up *warm)
{
	key_text(out, "rate", text_of_rate(a, rate));
	json_key(out, "burst");
	json_number(out, (int64_t)burst);
	open_list(out, "warm-up");
	for (size_t i = 0; i < warm->nstages; i++)
		item(out, i, text_of_rate(a, &warm->stages[i]));
	buf_char(out, ']');
	key_text(out, "from", warm->nstages != 0 ?
	    text_of_day(a, warm->from) : STR(""));
}

static void
write_limit(struct buf *out, struct arena *a, const struct limit_settings *l)
{
	buf_char(out, '{');
	key_text(out, "name", l->name);
	key_texts(out, "recipient-domain", l->recipient_domain,
	    l->nrecipient_domain);
	key_word(out, "per", settings_per_words[l->per]);
	key_rate(out, a, &l->rate, l->burst, &l->warm_up);
	key_word(out, "count", settings_count_words[l->count_messages]);
	open_list(out, "override");
	for (size_t i = 0; i < l->noverrides; i++) {
		buf_puts(out, i ? ", {" : "{");
		key_text(out, "value", l->overrides[i].value);
		key_rate(out, a, &l->overrides[i].rate, l->overrides[i].burst,
		    &l->overrides[i].warm_up);
		buf_char(out, '}');
	}
	buf_puts(out, "]}");
}

void
settings_write_json(const struct settings *s, struct buf *out)
{
	struct arena *a = arena_new();

	buf_char(out, '{');
	write_top(out, a, s);
	open_list(out, "domain");
	for (size_t i = 0; i < s->ndomains; i++) {
		buf_puts(out, i ? ", " : "");
		write_domain(out, a, &s->domains[i]);
	}
	buf_char(out, ']');
	open_list(out, "stream");
	for (size_t i = 0; i < s->nstreams; i++) {
		buf_puts(out, i ? ", " : "");
		write_stream(out, a, &s->streams[i]);
	}
	buf_char(out, ']');
	open_list(out, "limit");
	for (size_t i = 0; i < s->nlimits; i++) {
		buf_puts(out, i ? ", " : "");
		write_limit(out, a, &s->limits[i]);
	}
	buf_puts(out, "]}\n");
	arena_free(&a);
}
