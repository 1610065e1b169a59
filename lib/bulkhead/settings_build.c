/*
 * settings_build.c - from sections to struct settings, defaults included.
 */
#include "bulkhead/settings_build.h"

#include <stdlib.h>

#include "base/hash.h"
#include "bulkhead/settings_limit.h"
#include "bulkhead/settings_table.h"
#include "mail/header.h"

/* A list of networks; this host where it was not written. */
static void
build_networks(struct settings *s, const struct section *sec, const char *name,
    struct net_cidr **out, size_t *n)
{
	static const struct net_cidr loopback[] = {
		{ { { [10] = 0xff, [11] = 0xff, [12] = 127 } }, 104 },
		{ { { [15] = 1 } }, 128 },
	};

	if (sec->node != NULL && section_has(sec, name)) {
		read_cidrs(sec, name, out, n);
		return;
	}
	*n = 2;
	*out = arena_array(s->arena, 2, sizeof(**out));
	memcpy(*out, loopback, sizeof(loopback));
}

static void
build_top(struct settings *s, const struct section *root)
{
	unsigned word;

	s->store = STR("sqlite:/var/lib/bulkhead");
	read_store(root, "store", &s->store);
	read_store(root, "rates", &s->rates);
	read_store(root, "events", &s->events);
	read_path(root, "token-keys", &s->token_keys);
	read_path(root, "return-path-keys", &s->return_path_keys);
	s->token_keys_pos = section_pos(root, "token-keys");
	s->return_path_keys_pos = section_pos(root, "return-path-keys");
	build_networks(s, root, "trusted-networks", &s->trusted,
	    &s->ntrusted);
	if (read_word(root, "on-store-failure", settings_on_failure_words,
	    &word))
		s->on_store_failure = (enum settings_on_failure)word;
	if (read_word(root, "log-addresses", settings_log_addresses_words,
	    &word))
		s->log_addresses = (enum settings_log_addresses)word;
	if (read_word(root, "event-addresses", settings_event_addresses_words,
	    &word))
		s->event_addresses = (enum settings_event_addresses)word;
	s->event_retention = 400;
	read_days(root, "event-retention", &s->event_retention);
}

static void
build_milter(struct settings *s, const struct section *root)
{
	struct section sec = section_first(root, "milter");
	uint64_t sessions = 1000;
	unsigned word;

	s->milter.socket = STR("unix:/var/spool/postfix/bulkhead/milter.sock");
	s->milter.spool = STR("/var/tmp");
	s->milter.max_message = UINT64_C(128) << 20;
	s->milter.max_memory = UINT64_C(512) << 20;
	if (sec.node != NULL) {
		read_socket(&sec, "socket", &s->milter.socket);
		if (read_word(&sec, "mode", settings_mode_words, &word))
			s->milter.mode = (enum settings_mode)word;
		read_count(&sec, "max-sessions", 1, 100000, &sessions);
		read_size(&sec, "max-message", 64 * 1024,
		    &s->milter.max_message);
		read_size(&sec, "max-memory", 1024 * 1024,
		    &s->milter.max_memory);
		read_path(&sec, "spool", &s->milter.spool);
		read_socket(&sec, "metrics", &s->milter.metrics);
	}
	s->milter.max_sessions = (unsigned)sessions;
}

static void
build_trackd(struct settings *s, const struct section *root)
{
	struct section sec = section_first(root, "trackd");
	uint64_t threads = 1, connections = 16384;

	build_networks(s, &sec, "proxies", &s->trackd.proxies,
	    &s->trackd.nproxies);
	if (sec.node != NULL) {
		read_socket(&sec, "listen", &s->trackd.listen);
		read_path(&sec, "spool", &s->trackd.spool);
		read_bool(&sec, "public", &s->trackd.is_public);
		read_count(&sec, "threads", 1, 256, &threads);
		read_count(&sec, "max-connections", 1, 1000000, &connections);
		read_path(&sec, "templates", &s->trackd.templates);
		read_path(&sec, "robots", &s->trackd.robots);
		read_bool(&sec, "keep-visitors", &s->trackd.keep_visitors);
		read_socket(&sec, "metrics", &s->trackd.metrics);
	}
	s->trackd.threads = (unsigned)threads;
	s->trackd.max_connections = (unsigned)connections;
}

static void
build_programs(struct settings *s, const struct section *root)
{
	struct section sec;
	unsigned word;

	build_milter(s, root);
	sec = section_first(root, "policyd");
	if (sec.node != NULL) {
		read_socket(&sec, "socket", &s->policyd.socket);
		read_socket(&sec, "control", &s->policyd.control);
		if (read_word(&sec, "charge-at", settings_charge_at_words,
		    &word))
			s->policyd.charge_at = (enum settings_charge_at)word;
		read_socket(&sec, "metrics", &s->policyd.metrics);
	}
	build_trackd(s, root);
}

static void
build_sign(struct domain_settings *d, const struct section *dom)
{
	d->nsign = section_count(dom, "sign");
	d->sign = arena_array(dom->arena, d->nsign, sizeof(*d->sign));
	for (struct section sec = section_first(dom, "sign"); sec.node;
	    section_next(dom, &sec)) {
		struct scan_value title = section_title(&sec);
		size_t i = sec.index;

		d->sign[i].pos = section_pos(&sec, "key");
		d->sign[i].selector = arena_lower(sec.arena, title.text);
		if (!text_is_domain(title.text))
			settings_error(sec.report, title.pos, "the selector "
			    "\"%.*s\" is none: letters, digits, inner hyphens "
			    "and dots make one", SETTINGS_SHOW(title.text));
		for (size_t j = 0; j < i; j++)
			if (str_eq(d->sign[i].selector, d->sign[j].selector))
				settings_error(sec.report, title.pos,
				    "the selector \"%.*s\" twice in a domain: "
				    "case does not tell them apart",
				    SETTINGS_SHOW(title.text));
		read_path(&sec, "key", &d->sign[i].key);
		if (!section_has(&sec, "key"))
			settings_error(sec.report, title.pos, "sign \"%.*s\" "
			    "has no key: write key = \"/PATH/TO/KEY.pem\"",
			    SETTINGS_SHOW(title.text));
	}
}

static bool
may_send_entry(const struct section *sec, const struct scan_value *v,
    struct may_send *out)
{
	struct scan_value rest = *v;

	if (str_starts(v->text, STR("client:"))) {
		rest.text = str_sub(v->text, 7, v->text.n);
		out->kind = MAY_SEND_CLIENT;
		return value_cidr(sec, &rest, &out->client);
	}
	if (str_starts(v->text, STR("sasl-user:")) && v->text.n > 10) {
		out->kind = MAY_SEND_SASL_USER;
		out->user = str_sub(v->text, 10, v->text.n);
		return true;
	}
	settings_error(sec->report, v->pos, "may-send \"%.*s\": write "
	    "\"sasl-user:USER\" or \"client:ADDRESS/BITS\"",
	    SETTINGS_SHOW(v->text));
	return false;
}

static void
build_domain(struct domain_settings *d, const struct section *sec)
{
	struct scan_value title = section_title(sec);
	const struct scan_value *v;
	size_t n;

	d->pos = title.pos;
	value_domain(sec, &title, &d->name);
	build_sign(d, sec);
	/* What is there but bad shall not be called missing as well. */
	if (!read_url(sec, "tracking-url", &d->tracking_url,
	    &d->tracking_host) && section_has(sec, "tracking-url"))
		d->tracking_url = STR("https://bad.invalid");
	if (!read_domain(sec, "return-path-domain", &d->return_path_domain) &&
	    section_has(sec, "return-path-domain"))
		d->return_path_domain = STR("bad.invalid");
	if (!read_mailbox(sec, "unsubscribe-mailto", &d->unsubscribe_mailto) &&
	    section_has(sec, "unsubscribe-mailto"))
		d->unsubscribe_mailto = STR("bad@bad.invalid");
	v = read_list(sec, "may-send", &n);
	d->may_send = arena_array(sec->arena, n, sizeof(*d->may_send));
	for (size_t i = 0; i < n; i++)
		d->nmay_send += may_send_entry(sec, &v[i],
		    &d->may_send[d->nmay_send]);
	if (section_has(sec, "may-send") && n == 0)
		settings_error(sec->report, section_pos(sec, "may-send"),
		    "an empty may-send: leave it out for whoever is ours, or "
		    "name who may");
}

static int
compare_domains(const void *pa, const void *pb)
{
	const struct domain_settings *const *a = pa, *const *b = pb;
	int c = str_cmp((*a)->name, (*b)->name);

	return c != 0 ? c : *a < *b ? -1 : *a > *b;
}

static void
build_domains(struct settings *s, const struct section *root)
{
	s->ndomains = section_count(root, "domain");
	s->domains = arena_array(s->arena, s->ndomains, sizeof(*s->domains));
	s->by_name = arena_array(s->arena, s->ndomains, sizeof(*s->by_name));
	for (struct section sec = section_first(root, "domain"); sec.node;
	    section_next(root, &sec)) {
		build_domain(&s->domains[sec.index], &sec);
		s->by_name[sec.index] = &s->domains[sec.index];
	}
	if (s->ndomains > 1)
		qsort(s->by_name, s->ndomains, sizeof(*s->by_name),
		    compare_domains);
	for (size_t i = 1; i < s->ndomains; i++)
		if (s->by_name[i]->name.n != 0 &&
		    str_eq(s->by_name[i]->name, s->by_name[i - 1]->name))
			settings_error(root->report, s->by_name[i]->pos,
			    "a second section for the domain %.*s, the first "
			    "is at %.*s:%u: join them",
			    SETTINGS_SHOW(s->by_name[i]->name),
			    STR_ARG(s->by_name[i - 1]->pos.file),
			    s->by_name[i - 1]->pos.line);
}

/* "Name" or "Name: glob" */
static bool
header_entry(const struct section *sec, const struct scan_value *v,
    struct header_match *out)
{
	size_t colon = str_chr(v->text, ':', 0);

	out->name = str_trim(str_sub(v->text, 0, colon));
	out->glob = str_trim(str_sub(v->text, colon + 1, v->text.n));
	if (header_name_ok(out->name) &&
	    (colon == v->text.n || out->glob.n != 0))
		return true;
	settings_error(sec->report, v->pos, "header \"%.*s\": write \"Name\" "
	    "or \"Name: glob\"", SETTINGS_SHOW(v->text));
	return false;
}

static void
build_match(struct match_settings *m, const struct section *sec)
{
	const struct scan_value *v;
	size_t n;

	read_domain_globs(sec, "from-domain", &m->from_domain,
	    &m->nfrom_domain);
	read_globs(sec, "sender", &m->sender, &m->nsender);
	read_globs(sec, "sasl-user", &m->sasl_user, &m->nsasl_user);
	read_cidrs(sec, "client", &m->client, &m->nclient);
	read_globs(sec, "daemon", &m->daemon, &m->ndaemon);
	v = read_list(sec, "header", &n);
	m->header = arena_array(sec->arena, n, sizeof(*m->header));
	for (size_t i = 0; i < n; i++)
		m->nheader += header_entry(sec, &v[i], &m->header[m->nheader]);
	for (const struct scan_node *c = sec->node->children; c; c = c->next)
		if (!c->bad && c->nvalues == 0)
			settings_error(sec->report, c->pos, "\"%.*s\" is an "
			    "empty list: leave it out, or it could match "
			    "nothing", SETTINGS_SHOW(c->name));
}

/* The section that a stream names. */
static const struct domain_settings *
named_domain(const struct settings *s, const struct section *sec,
    const struct scan_value *v)
{
	const struct domain_settings *d;
	struct str name;

	if (!value_domain(sec, v, &name))
		return NULL;
	d = settings_domain(s, name);
	if (d == NULL)
		settings_error(sec->report, v->pos, "there is no section "
		    "domain \"%.*s\": write one or name another",
		    SETTINGS_SHOW(v->text));
	return d;
}

static void
build_stream_domains(const struct settings *s, struct stream_settings *st,
    const struct section *sec)
{
	size_t n;
	const struct scan_value *v = read_list(sec, "domain", &n);

	if (n != 0)
		st->domain = named_domain(s, sec, &v[0]);
	v = read_list(sec, "also-sign", &n);
	st->also_sign = arena_array(sec->arena, n, sizeof(*st->also_sign));
	for (size_t i = 0; i < n; i++) {
		const struct domain_settings *d = named_domain(s, sec, &v[i]);

		if (d != NULL && d->nsign == 0)
			settings_error(sec->report, v[i].pos, "also-sign = "
			    "\"%.*s\": that domain has no sign section",
			    SETTINGS_SHOW(v[i].text));
		if (d != NULL)
			st->also_sign[st->nalso_sign++] = d;
	}
}

static void
build_aliases(struct stream_settings *st, const struct section *sec)
{
	size_t n;
	const struct scan_value *v = read_list(sec, "alias", &n);

	st->aliases = arena_array(sec->arena, n, sizeof(*st->aliases));
	st->alias_names = arena_array(sec->arena, n,
	    sizeof(*st->alias_names));
	st->naliases = n;
	for (size_t i = 0; i < n; i++) {
		st->aliases[i] = hash_id32(v[i].text);
		st->alias_names[i] = v[i].text;
		if (v[i].text.n == 0)
			settings_error(sec->report, v[i].pos,
			    "an empty alias: leave it out");
	}
}

static void
build_stream(const struct settings *s, struct stream_settings *st,
    const struct section *sec)
{
	struct scan_value title = section_title(sec);
	struct section match;
	bool encode;
	unsigned word;

	st->pos = title.pos;
	st->name = title.text;
	st->id = hash_id32(title.text);
	st->has_match = section_has(sec, "match");
	match = section_first(sec, "match");
	if (match.node != NULL)
		build_match(&st->match, &match);
	build_aliases(st, sec);
	if (read_word(sec, "unsubscribe", settings_unsubscribe_words, &word))
		st->unsubscribe = (enum unsubscribe_mode)word;
	read_flag(sec, "existing-unsubscribe", settings_existing_words,
	    &st->replace_unsubscribe);
	read_words(sec, "track", settings_track_words, &st->track);
	read_domain_globs(sec, "no-track-hosts", &st->no_track_hosts,
	    &st->nno_track_hosts);
	read_bool(sec, "return-path", &st->return_path);
	read_flag(sec, "several-recipients", settings_several_words,
	    &st->reject_several);
	read_flag(sec, "suppressed", settings_suppressed_words,
	    &st->drop_suppressed);
	read_flag(sec, "control-headers", settings_control_words,
	    &st->pass_control);
	if (read_bool(sec, "encode", &encode))
		st->keep_8bit = !encode;
	read_bool(sec, "envelope-domain", &st->envelope_domain);
	read_text(sec, "campaign", &st->campaign);
	build_stream_domains(s, st, sec);
}

void
settings_build(struct settings *s, const struct section *root)
{
	build_top(s, root);
	build_programs(s, root);
	build_domains(s, root);
	s->nstreams = section_count(root, "stream");
	s->streams = arena_array(s->arena, s->nstreams, sizeof(*s->streams));
	for (struct section sec = section_first(root, "stream"); sec.node;
	    section_next(root, &sec))
		build_stream(s, &s->streams[sec.index], &sec);
	build_limits(s, root);
}
