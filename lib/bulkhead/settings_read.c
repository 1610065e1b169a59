/*
 * settings_read.c - one value of a section at a time.  Nothing here knows what
 * the sections are.
 */
#include "bulkhead/settings_read.h"

#include <inttypes.h>

#include "base/clock.h"
#include "mail/addr.h"

#define SIZE_MOST (UINT64_C(1) << 40)
#define DAYS_MOST 36500
#define BURST_MAX 1000000000000

static const struct scan_node *
find_child(const struct section *s, const char *name, bool with_bad)
{
	const struct scan_node *c = s->node->children;

	for (; c != NULL; c = c->next)
		if ((with_bad || !c->bad) && str_eq(c->name, str_from(name)))
			return c;
	return NULL;
}

size_t
section_count(const struct section *s, const char *name)
{
	return find_child(s, name, false) ? cfg_size(s->cfg, name) : 0;
}

struct section
section_first(const struct section *s, const char *name)
{
	struct section sub = *s;

	sub.index = 0;
	sub.node = find_child(s, name, false);
	if (sub.node != NULL)
		sub.cfg = cfg_getnsec(s->cfg, name, 0);
	return sub;
}

void
section_next(const struct section *s, struct section *sub)
{
	struct str name = sub->node->name;

	do
		sub->node = sub->node->next;
	while (sub->node != NULL &&
	    (sub->node->bad || !str_eq(sub->node->name, name)));
	if (sub->node != NULL)
		sub->cfg = cfg_getnsec(s->cfg, cfg_name(sub->cfg),
		    (unsigned)++sub->index);
}

struct scan_value
section_title(const struct section *s)
{
	return (struct scan_value){
		arena_copy(s->arena, str_from(cfg_title(s->cfg))),
		s->node->pos
	};
}

bool
section_has(const struct section *s, const char *name)
{
	return find_child(s, name, true) != NULL;
}

struct settings_pos
section_pos(const struct section *s, const char *name)
{
	const struct scan_node *c = find_child(s, name, true);

	if (c == NULL)
		return s->node->pos;
	return c->nvalues != 0 ? c->values[0].pos : c->pos;
}

const struct scan_value *
read_list(const struct section *s, const char *name, size_t *n)
{
	const struct scan_node *c = find_child(s, name, false);
	struct scan_value *v;

	*n = 0;
	if (c == NULL || c->nvalues == 0)
		return NULL;
	*n = cfg_size(s->cfg, name);
	v = arena_array(s->arena, *n, sizeof(*v));
	for (size_t i = 0; i < *n; i++) {
		v[i].text = arena_copy(s->arena, str_from(
		    cfg_getnstr(s->cfg, name, (unsigned)i)));
		v[i].pos = i < c->nvalues ? c->values[i].pos : c->pos;
	}
	return v;
}

static bool
read_value(const struct section *s, const char *name, struct scan_value *out)
{
	size_t n;
	const struct scan_value *v = read_list(s, name, &n);

	if (n != 0)
		*out = v[0];
	return n != 0;
}

bool
read_text(const struct section *s, const char *name, struct str *out)
{
	struct scan_value v;

	if (!read_value(s, name, &v))
		return false;
	*out = v.text;
	return true;
}

static struct str
join_words(struct arena *a, const char *const words[])
{
	struct str all = str_from(words[0]);

	for (size_t i = 1; words[i] != NULL; i++)
		all = arena_printf(a, "%.*s%s%s", STR_ARG(all),
		    words[i + 1] == NULL ? " or " : ", ", words[i]);
	return all;
}

static bool
value_word(const struct section *s, const char *name,
    const struct scan_value *v, const char *const words[], unsigned *out)
{
	for (unsigned i = 0; words[i] != NULL; i++) {
		if (str_eq(v->text, str_from(words[i]))) {
			*out = i;
			return true;
		}
	}
	settings_error(s->report, v->pos, "%s = \"%.*s\": %.*s is possible",
	    name, SETTINGS_SHOW(v->text),
	    STR_ARG(join_words(s->arena, words)));
	return false;
}

bool
read_word(const struct section *s, const char *name, const char *const words[],
    unsigned *out)
{
	struct scan_value v;

	return read_value(s, name, &v) && value_word(s, name, &v, words, out);
}

bool
read_flag(const struct section *s, const char *name, const char *const words[],
    bool *out)
{
	unsigned word;

	if (!read_word(s, name, words, &word))
		return false;
	*out = word == 1;
	return true;
}

bool
read_bool(const struct section *s, const char *name, bool *out)
{
	static const char *const words[] = { "false", "true", NULL };

	return read_flag(s, name, words, out);
}

void
read_words(const struct section *s, const char *name, const char *const words[],
    unsigned *bits)
{
	size_t n;
	const struct scan_value *v = read_list(s, name, &n);
	unsigned word;

	for (size_t i = 0; i < n; i++)
		if (value_word(s, name, &v[i], words, &word))
			*bits |= 1u << word;
}

bool
read_path(const struct section *s, const char *name, struct str *out)
{
	struct scan_value v;

	if (!read_value(s, name, &v))
		return false;
	if (v.text.n == 0 || v.text.p[0] != '/') {
		settings_error(s->report, v.pos, "%s = \"%.*s\": a whole path "
		    "that starts with / is needed", name,
		    SETTINGS_SHOW(v.text));
		return false;
	}
	*out = v.text;
	return true;
}

bool
read_socket(const struct section *s, const char *name, struct str *out)
{
	struct scan_value v;
	struct net_socket sock;
	const char *why;

	if (!read_value(s, name, &v))
		return false;
	if (net_parse_socket(s->arena, v.text, &sock, &why) != 0) {
		settings_error(s->report, v.pos, "%s = \"%.*s\": %s", name,
		    SETTINGS_SHOW(v.text), why);
		return false;
	}
	*out = v.text;
	return true;
}

bool
read_store(const struct section *s, const char *name, struct str *out)
{
	const char *why = "write \"sqlite:/DIRECTORY\"";
	struct scan_value v;

	if (!read_value(s, name, &v))
		return false;
	if (str_starts(v.text, STR("sqlite:/"))) {
		*out = v.text;
		return true;
	}
	if (str_starts(v.text, STR("sqlite:")))
		why = "the directory must be a whole path, as in "
		    "\"sqlite:/var/lib/bulkhead\"";
	else if (str_starts(v.text, STR("valkey:")) ||
	    str_starts(v.text, STR("redis:")))
		why = "there is no driver for Valkey yet, use "
		    "\"sqlite:/DIRECTORY\"";
	settings_error(s->report, v.pos, "%s = \"%.*s\": %s", name,
	    SETTINGS_SHOW(v.text), why);
	return false;
}

/* Labels of letters, digits and inner hyphens: RFC 1123 section 2.1. */
bool
text_is_domain(struct str d)
{
	size_t label = 0;

	if (d.n == 0 || d.n > 253)
		return false;
	for (size_t i = 0; i <= d.n; i++) {
		if (i == d.n || d.p[i] == '.') {
			if (label == 0 || label > 63 || d.p[i - 1] == '-')
				return false;
			label = 0;
		} else if (str_is_alpha(d.p[i]) || str_is_digit(d.p[i]) ||
		    (d.p[i] == '-' && label > 0)) {
			label++;
		} else {
			return false;
		}
	}
	return true;
}

bool
value_domain(const struct section *s, const struct scan_value *v,
    struct str *out)
{
	struct str d = addr_domain_ascii(s->arena, v->text);

	if (!text_is_domain(d)) {
		settings_error(s->report, v->pos, "\"%.*s\" is no domain name: "
		    "write one such as example.com", SETTINGS_SHOW(v->text));
		return false;
	}
	*out = d;
	return true;
}

bool
read_domain(const struct section *s, const char *name, struct str *out)
{
	struct scan_value v;

	return read_value(s, name, &v) && value_domain(s, &v, out);
}

/* Without its wildcards it must look like a part of a domain. */
static bool
is_domain_glob(struct str g)
{
	if (g.n == 0 || g.n > 253)
		return false;
	for (size_t i = 0; i < g.n; i++)
		if (!str_is_alpha(g.p[i]) && !str_is_digit(g.p[i]) &&
		    strchr("-.*?", g.p[i] ? g.p[i] : '!') == NULL)
			return false;
	return true;
}

bool
value_domain_glob(const struct section *s, const struct scan_value *v,
    struct str *out)
{
	bool dot = str_starts(v->text, STR("*."));
	struct str rest = str_sub(v->text, dot ? 2 : 0, v->text.n), g;

	if (str_chr(rest, '*', 0) == rest.n && str_chr(rest, '?', 0) == rest.n)
		rest = addr_domain_ascii(s->arena, rest);
	g = arena_lower(s->arena, arena_printf(s->arena, "%s%.*s",
	    dot ? "*." : "", STR_ARG(rest)));
	if (!is_domain_glob(g)) {
		settings_error(s->report, v->pos, "\"%.*s\" is no domain name: "
		    "write one such as example.com or *.example.com",
		    SETTINGS_SHOW(v->text));
		return false;
	}
	*out = g;
	return true;
}

bool
value_cidr(const struct section *s, const struct scan_value *v,
    struct net_cidr *out)
{
	if (net_parse_cidr(v->text, out) == 0)
		return true;
	settings_error(s->report, v->pos, "\"%.*s\" is no network: write an "
	    "address or ADDRESS/BITS with no bits set behind the prefix",
	    SETTINGS_SHOW(v->text));
	return false;
}

bool
read_mailbox(const struct section *s, const char *name, struct str *out)
{
	struct scan_value v;

	if (!read_value(s, name, &v))
		return false;
	if (!addr_is_mailbox(v.text) || str_chr(v.text, '@', 0) == v.text.n) {
		settings_error(s->report, v.pos, "%s = \"%.*s\": an address "
		    "such as unsubscribe@b.example.com is needed", name,
		    SETTINGS_SHOW(v.text));
		return false;
	}
	*out = v.text;
	return true;
}

bool
value_rate(const struct section *s, const char *name,
    const struct scan_value *v, struct rate *out)
{
	struct rate rate;

	if (num_parse_rate(v->text, &rate) != 0) {
		settings_error(s->report, v->pos, "%s = \"%.*s\": write a "
		    "number for each second, minute, hour or day: \"20/s\", "
		    "\"300/m\", \"20000/h\", \"500000/d\"", name,
		    SETTINGS_SHOW(v->text));
		return false;
	}
	*out = rate;
	return true;
}

bool
read_rate(const struct section *s, const char *name, struct rate *out)
{
	struct scan_value v;

	return read_value(s, name, &v) && value_rate(s, name, &v, out);
}

bool
read_day(const struct section *s, const char *name, int64_t *out)
{
	struct scan_value v;
	struct str text;
	int64_t micros;

	if (!read_value(s, name, &v))
		return false;
	text = arena_printf(s->arena, "%.*sT00:00:00Z", SETTINGS_SHOW(v.text));
	if (v.text.n != 10 || clock_parse(text, &micros) != 0 || micros < 0) {
		settings_error(s->report, v.pos, "%s = \"%.*s\": write a day "
		    "that there is, as YEAR-MONTH-DAY: \"2026-12-01\"", name,
		    SETTINGS_SHOW(v.text));
		return false;
	}
	*out = micros / 1000000;
	return true;
}

bool
read_burst(const struct section *s, const char *name, uint64_t *out)
{
	struct scan_value v;
	uint64_t burst;

	if (!read_value(s, name, &v))
		return false;
	if (num_parse(v.text, BURST_MAX, &burst) != 0 || burst == 0) {
		settings_error(s->report, v.pos, "%s = \"%.*s\": write a whole "
		    "number from 1, without unit or leading zero", name,
		    SETTINGS_SHOW(v.text));
		return false;
	}
	*out = burst;
	return true;
}

bool
read_count(const struct section *s, const char *name, uint64_t min,
    uint64_t max, uint64_t *out)
{
	struct scan_value v;
	uint64_t n;

	if (!read_value(s, name, &v))
		return false;
	if (num_parse(v.text, max, &n) != 0 || n < min) {
		settings_error(s->report, v.pos, "%s = \"%.*s\": write a whole "
		    "number from %" PRIu64 " to %" PRIu64, name,
		    SETTINGS_SHOW(v.text), min, max);
		return false;
	}
	*out = n;
	return true;
}

bool
read_size(const struct section *s, const char *name, uint64_t min,
    uint64_t *out)
{
	struct scan_value v;
	uint64_t n;

	if (!read_value(s, name, &v))
		return false;
	if (num_parse_size(v.text, &n) != 0 || n < min || n > SIZE_MOST) {
		settings_error(s->report, v.pos, "%s = \"%.*s\": write a size "
		    "such as 64M (k, M or G), %" PRIu64 "k at least and %"
		    PRIu64 "G at most", name, SETTINGS_SHOW(v.text),
		    min / 1024, SIZE_MOST >> 30);
		return false;
	}
	*out = n;
	return true;
}

bool
read_days(const struct section *s, const char *name, uint64_t *out)
{
	struct scan_value v;
	uint64_t n;

	if (!read_value(s, name, &v))
		return false;
	if (num_parse_duration(v.text, &n) != 0 || n % 86400 != 0 ||
	    n / 86400 > DAYS_MOST) {
		settings_error(s->report, v.pos, "%s = \"%.*s\": write a "
		    "number of days such as 90d, %d at most, or 0 for ever",
		    name, SETTINGS_SHOW(v.text), DAYS_MOST);
		return false;
	}
	*out = n / 86400;
	return true;
}

/* [from, to) of the URL is host or host:port; says what is wrong, or NULL. */
static const char *
check_host(struct str host)
{
	size_t colon = host.n;
	struct net_addr addr;
	uint64_t port;

	if (str_chr(host, '@', 0) < host.n)
		return "it must name no user";
	if (host.n != 0 && host.p[0] == '[') {
		size_t end = str_chr(host, ']', 0);

		if (net_parse_addr(str_sub(host, 0, end + 1), &addr) != 0)
			return "the IPv6 address in it is none";
		colon = end + 1;
		if (colon < host.n && host.p[colon] != ':')
			return "behind the host stands :PORT or /";
	} else {
		colon = str_chr(host, ':', 0);
		if (!text_is_domain(str_sub(host, 0, colon)))
			return "the host in it is no host name";
	}
	if (colon < host.n && (num_parse(str_sub(host, colon + 1, host.n),
	    65535, &port) != 0 || port == 0))
		return "the port in it is none";
	return NULL;
}

static const char *
check_url(struct str url, size_t scheme, size_t path)
{
	const char *why;

	if (scheme == 0)
		return "write https://HOST";
	if (url.n > 255)
		return "255 octets are the most";
	why = check_host(str_sub(url, scheme, path));
	if (why != NULL)
		return why;
	for (size_t i = path; i < url.n; i++) {
		char c = url.p[i];

		if (c == '?' || c == '#')
			return "it must have no query and no fragment";
		if (!str_is_alpha(c) && !str_is_digit(c) &&
		    (c == '\0' || strchr("/-._~", c) == NULL))
			return "its path may hold letters, digits and - . _ ~";
	}
	return NULL;
}

/* Where authority and path start in an http or https URL. */
static void
split_url(struct str url, size_t *scheme, size_t *path)
{
	*scheme = str_istarts(url, STR("https://")) ? 8 :
	    str_istarts(url, STR("http://")) ? 7 : 0;
	*path = *scheme;
	while (*path < url.n && strchr("/?#", url.p[*path]) == NULL)
		++*path;
}

bool
read_url(const struct section *s, const char *name, struct str *url,
    struct str *host)
{
	struct scan_value v;
	size_t scheme, path;
	const char *why;

	if (!read_value(s, name, &v))
		return false;
	split_url(v.text, &scheme, &path);
	why = check_url(v.text, scheme, path);
	if (why != NULL) {
		settings_error(s->report, v.pos, "%s = \"%.*s\": %s", name,
		    SETTINGS_SHOW(v.text), why);
		return false;
	}
	while (v.text.n > path && v.text.p[v.text.n - 1] == '/')
		v.text.n--;
	*host = arena_lower(s->arena, str_sub(v.text, scheme, path));
	*url = arena_printf(s->arena, "%s%.*s%.*s",
	    scheme == 8 ? "https://" : "http://", STR_ARG(*host),
	    STR_ARG(str_sub(v.text, path, v.text.n)));
	return true;
}

void
read_globs(const struct section *s, const char *name, struct str **out,
    size_t *n)
{
	size_t count;
	const struct scan_value *v = read_list(s, name, &count);

	*n = 0;
	*out = arena_array(s->arena, count, sizeof(**out));
	for (size_t i = 0; i < count; i++) {
		if (v[i].text.n == 0)
			settings_error(s->report, v[i].pos,
			    "an empty text in \"%s\" matches nothing: leave it "
			    "out", name);
		else
			(*out)[(*n)++] = v[i].text;
	}
}

void
read_domain_globs(const struct section *s, const char *name, struct str **out,
    size_t *n)
{
	size_t count;
	const struct scan_value *v = read_list(s, name, &count);

	*n = 0;
	*out = arena_array(s->arena, count, sizeof(**out));
	for (size_t i = 0; i < count; i++)
		*n += value_domain_glob(s, &v[i], &(*out)[*n]);
}

void
read_cidrs(const struct section *s, const char *name, struct net_cidr **out,
    size_t *n)
{
	size_t count;
	const struct scan_value *v = read_list(s, name, &count);

	*n = 0;
	*out = arena_array(s->arena, count, sizeof(**out));
	for (size_t i = 0; i < count; i++)
		*n += value_cidr(s, &v[i], &(*out)[*n]);
}
