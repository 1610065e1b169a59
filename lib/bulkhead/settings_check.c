/*
 * settings_check.c - what settings mean together.
 */
#include "bulkhead/settings_check.h"

#include <stdlib.h>

/* What a domain section must have for a thing that a stream wants. */
typedef bool need_fn(const struct settings *s, const struct domain_settings *d);

static bool
is_https(const struct domain_settings *d)
{
	return str_starts(d->tracking_url, STR("https://"));
}

static bool
has_https(const struct settings *s, const struct domain_settings *d)
{
	(void)s;
	return is_https(d);
}

static bool
has_url(const struct settings *s, const struct domain_settings *d)
{
	(void)s;
	return d->tracking_url.n != 0;
}

static bool
has_return_path(const struct settings *s, const struct domain_settings *d)
{
	(void)s;
	return d->return_path_domain.n != 0;
}

/* A List-Unsubscribe needs one of its two kinds of address. */
static bool
has_unsubscribe(const struct settings *s, const struct domain_settings *d)
{
	return d->unsubscribe_mailto.n != 0 ||
	    (is_https(d) && s->token_keys.n != 0);
}

bool
settings_needs_header(const struct stream_settings *stream)
{
	return stream->match.nfrom_domain != 0 || stream->match.nheader != 0;
}

/* Behind its last wildcard a glob is what the From domain must end with. */
static struct str
tail_of(struct str glob)
{
	size_t from = glob.n;

	while (from > 0 && glob.p[from - 1] != '*' && glob.p[from - 1] != '?')
		from--;
	return str_sub(glob, from, glob.n);
}

static bool
is_parent_of(struct str parent, struct str child)
{
	return child.n > parent.n && str_iends(child, parent) &&
	    child.p[child.n - parent.n - 1] == '.';
}

bool
settings_could_use(const struct stream_settings *stream,
    const struct domain_settings *domain)
{
	const struct match_settings *m = &stream->match;

	if (m->nfrom_domain == 0 || stream->domain == domain)
		return true;
	for (size_t i = 0; i < m->nfrom_domain; i++)
		if (str_glob(m->from_domain[i], domain->name) ||
		    is_parent_of(domain->name, tail_of(m->from_domain[i])))
			return true;
	return false;
}

/*
 * A thing that a stream wants must be there in a domain section that it can
 * use: none is an error, some a warning that names the first one without.
 */
static void
check_need(const struct settings *s, const struct stream_settings *st,
    const struct section *sec, const char *key, need_fn *has, const char *what)
{
	const struct domain_settings *without = NULL;
	size_t with = 0;

	for (size_t i = 0; i < s->ndomains; i++) {
		if (!settings_could_use(st, &s->domains[i]))
			continue;
		if (has(s, &s->domains[i]))
			with++;
		else if (without == NULL)
			without = &s->domains[i];
	}
	if (with == 0)
		settings_error(sec->report, section_pos(sec, key), "%s needs "
		    "%s in a domain section that stream \"%.*s\" can use",
		    key, what, SETTINGS_SHOW(st->name));
	else if (without != NULL)
		settings_warn(sec->report, section_pos(sec, key), "%s needs %s,"
		    " which domain \"%.*s\" does not have: its mail goes "
		    "without", key, what, SETTINGS_SHOW(without->name));
}

/* "KEY needs token-keys at the top level" unless something was written. */
static void
check_keys(struct str keys, const char *keys_name, const struct section *root,
    const struct section *sec, const char *key)
{
	if (keys.n == 0 && !section_has(root, keys_name))
		settings_error(sec->report, section_pos(sec, key),
		    "%s needs %s at the top level: `bulkhead token create` "
		    "makes the file", key, keys_name);
}

static void
check_unsubscribe(const struct settings *s, const struct section *root,
    const struct stream_settings *st, const struct section *sec)
{
	if (st->unsubscribe == UNSUBSCRIBE_ONE_CLICK) {
		check_need(s, st, sec, "unsubscribe", has_https,
		    "an https tracking-url (one-click works over https only)");
		check_keys(s->token_keys, "token-keys", root, sec,
		    "unsubscribe");
	} else if (st->unsubscribe == UNSUBSCRIBE_HEADER) {
		check_need(s, st, sec, "unsubscribe", has_unsubscribe,
		    "unsubscribe-mailto, or token-keys and an https "
		    "tracking-url,");
	}
}

static void
check_stream(const struct settings *s, const struct section *root,
    const struct stream_settings *st, const struct section *sec)
{
	struct section match;

	check_unsubscribe(s, root, st, sec);
	if (st->track != 0) {
		check_need(s, st, sec, "track", has_url, "a tracking-url");
		check_keys(s->token_keys, "token-keys", root, sec, "track");
	}
	if (st->return_path) {
		check_need(s, st, sec, "return-path", has_return_path,
		    "a return-path-domain");
		check_keys(s->return_path_keys, "return-path-keys", root, sec,
		    "return-path");
		settings_warn(sec->report, section_pos(sec, "return-path"),
		    "bounces need a mailbox at return-path-domain until "
		    "`bulkhead feedback` is there");
	}
	match = section_first(sec, "match");
	if (match.node != NULL && match.node->children == NULL)
		settings_warn(sec->report, match.node->pos, "an empty match "
		    "takes all mail that is ours: leave it out");
}

struct stream_id {
	uint32_t id;
	const struct stream_settings *stream;
	struct str name;
};

static int
compare_ids(const void *pa, const void *pb)
{
	const struct stream_id *a = pa, *b = pb;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return a->stream < b->stream ? -1 : a->stream > b->stream;
}

static size_t
collect_ids(const struct settings *s, struct stream_id *v)
{
	size_t n = 0;

	for (size_t i = 0; i < s->nstreams; i++) {
		const struct stream_settings *st = &s->streams[i];

		v[n++] = (struct stream_id){ st->id, st, st->name };
		for (size_t j = 0; j < st->naliases; j++)
			v[n++] = (struct stream_id){ st->aliases[j], st,
				st->alias_names[j] };
	}
	return n;
}

/* An id must lead to one stream: titles and aliases share one space. */
static void
check_ids(const struct settings *s, struct settings_report *report)
{
	struct stream_id *v;
	size_t n = 0;

	for (size_t i = 0; i < s->nstreams; i++)
		n += 1 + s->streams[i].naliases;
	v = mem_alloc((n + 1) * sizeof(*v));
	n = collect_ids(s, v);
	if (n > 1)
		qsort(v, n, sizeof(*v), compare_ids);
	for (size_t i = 1; i < n; i++)
		if (v[i].id == v[i - 1].id)
			settings_error(report, v[i].stream->pos, "the names "
			    "\"%.*s\" (line %u) and \"%.*s\" of streams share "
			    "one id: %s", SETTINGS_SHOW(v[i - 1].name),
			    v[i - 1].stream->pos.line, SETTINGS_SHOW(v[i].name),
			    str_eq(v[i].name, v[i - 1].name) ?
			    "give each name once, as title or as alias" :
			    "choose another title");
	free(v);
}

static void
check_reachable(const struct settings *s, struct settings_report *report)
{
	const struct stream_settings *all = NULL;

	for (size_t i = 0; i < s->nstreams; i++) {
		const struct stream_settings *st = &s->streams[i];

		if (all != NULL)
			settings_warn(report, st->pos, "stream \"%.*s\" gets no"
			    " mail: \"%.*s\" (line %u) has no match and takes "
			    "everything before it", SETTINGS_SHOW(st->name),
			    SETTINGS_SHOW(all->name), all->pos.line);
		else if (!st->has_match)
			all = st;
	}
}

static void
check_domain(const struct settings *s, const struct section *root,
    const struct domain_settings *d, const struct section *sec)
{
	if (d->name.n != 0 && d->nsign == 0 && !section_has(sec, "sign"))
		settings_warn(sec->report, d->pos, "domain \"%.*s\" has no "
		    "sign section: its mail goes out unsigned",
		    SETTINGS_SHOW(d->name));
	if (d->tracking_url.n != 0 && !is_https(d))
		settings_warn(sec->report, section_pos(sec, "tracking-url"),
		    "tracking-url is not https: no one-click unsubscribe, and "
		    "browsers warn of such links");
	if (d->unsubscribe_mailto.n == 0)
		return;
	for (size_t i = 0; i < s->nstreams; i++) {
		if (s->streams[i].unsubscribe == UNSUBSCRIBE_NONE ||
		    !settings_could_use(&s->streams[i], d))
			continue;
		check_keys(s->return_path_keys, "return-path-keys", root, sec,
		    "unsubscribe-mailto");
		return;
	}
}

/* Why the envelope alone cannot tell which bucket of a limit; or NULL. */
static const struct stream_settings *
undecided_stream(const struct settings *s, bool domain)
{
	for (size_t i = 0; i < s->nstreams; i++)
		if (settings_needs_header(&s->streams[i]) ||
		    (domain && !s->streams[i].envelope_domain))
			return &s->streams[i];
	return NULL;
}

/*
 * charge-at = data means that no milter is there to read the header: a limit
 * that depends on it would never be charged.
 */
static void
check_limit(const struct settings *s, const struct limit_settings *l,
    const struct section *sec)
{
	bool domain = l->per == LIMIT_PER_DOMAIN;
	const struct stream_settings *st = undecided_stream(s, domain);

	struct str per = STR("none");

	read_text(sec, "per", &per);
	if (l->noverrides != 0 && str_eq(per, STR("none")))
		settings_error(sec->report, l->pos, "limit \"%.*s\" has an "
		    "override but no per: say per what",
		    SETTINGS_SHOW(l->name));
	if (s->policyd.charge_at != CHARGE_AT_DATA)
		return;
	if (domain && (st != NULL || s->nstreams == 0))
		settings_error(sec->report, section_pos(sec, "per"),
		    "per = domain cannot work with charge-at = data: the From "
		    "domain is not known there unless every stream is decided "
		    "by the envelope and says envelope-domain = true");
	else if (l->per == LIMIT_PER_STREAM && st != NULL)
		settings_error(sec->report, section_pos(sec, "per"), "per = "
		    "stream cannot work with charge-at = data: stream \"%.*s\" "
		    "(line %u) is matched by the header",
		    SETTINGS_SHOW(st->name), st->pos.line);
}

static void
check_trusted(const struct settings *s, const struct section *root)
{
	for (size_t i = 0; i < s->ntrusted; i++)
		if (s->trusted[i].bits < 8 || s->trusted[i].bits == 96)
			settings_warn(root->report,
			    section_pos(root, "trusted-networks"), "a network "
			    "as wide as the internet is trusted: whoever "
			    "connects could send with our signature");
}

/* What is no socket was reported before. */
static bool
is_local(struct arena *a, struct str name)
{
	struct net_socket where;
	const char *why;

	return name.n == 0 || net_parse_socket(a, name, &where, &why) != 0 ||
	    net_socket_is_local(&where);
}

static void
check_metrics(const struct section *root, const char *program,
    struct str socket)
{
	struct section sec = section_first(root, program);

	if (sec.node != NULL && !is_local(root->arena, socket))
		settings_error(root->report, section_pos(&sec, "metrics"),
		    "metrics are told to this host only: write "
		    "inet:127.0.0.1:PORT, inet:[::1]:PORT or unix:/PATH");
}

static void
check_trackd(const struct settings *s, const struct section *root)
{
	struct section sec = section_first(root, "trackd");

	if (sec.node == NULL)
		return;
	if (!s->trackd.is_public && !is_local(root->arena, s->trackd.listen))
		settings_error(root->report, section_pos(&sec, "listen"),
		    "trackd belongs behind a proxy that speaks TLS, on "
		    "inet:127.0.0.1:PORT; public = true opens it to others");
	if (s->trackd.listen.n != 0 && s->token_keys.n == 0)
		settings_error(root->report, section_pos(&sec, "listen"),
		    "trackd needs token-keys at the top level: `bulkhead token "
		    "create` makes the file");
	if (s->trackd.listen.n != 0 && s->trackd.spool.n == 0)
		settings_warn(root->report, section_pos(&sec, "listen"),
		    "trackd without a spool refuses to unsubscribe while the "
		    "store is down: set spool = \"/var/spool/bulkhead\"");
}

void
settings_check(const struct settings *s, const struct section *root)
{
	check_trusted(s, root);
	check_trackd(s, root);
	check_metrics(root, "milter", s->milter.metrics);
	check_metrics(root, "policyd", s->policyd.metrics);
	check_metrics(root, "trackd", s->trackd.metrics);
	for (struct section sec = section_first(root, "domain"); sec.node;
	    section_next(root, &sec))
		check_domain(s, root, &s->domains[sec.index], &sec);
	for (struct section sec = section_first(root, "stream"); sec.node;
	    section_next(root, &sec))
		check_stream(s, root, &s->streams[sec.index], &sec);
	for (struct section sec = section_first(root, "limit"); sec.node;
	    section_next(root, &sec))
		check_limit(s, &s->limits[sec.index], &sec);
	check_ids(s, root->report);
	check_reachable(s, root->report);
}
