/*
 * link.c - which links are tracked.
 */
#include "engine/link.h"

#include "engine/placeholder.h"
#include "mail/charset.h"
#include "mail/listhdr.h"

#define URL_MAX 8192

bool
link_is_element(const struct html_token *t)
{
	return str_ieq(t->name, STR("a")) || str_ieq(t->name, STR("area")) ||
	    str_istarts(t->name, STR("v:"));
}

const struct html_attr *
link_href(const struct html_token *t)
{
	for (size_t i = 0; i < t->nattrs; i++)
		if (str_ieq(t->attrs[i].name, STR("href")))
			return &t->attrs[i];
	return NULL;
}

/* want NULL: the attribute need only be there. */
static const struct {
	const char *name, *want;
} opt_outs[] = {
	{ "clicktracking", "off" },	   /* SendGrid */
	{ "ses:no-track", NULL },	   /* Amazon SES */
	{ "disable-tracking", "true" },	   /* Mailgun */
	{ "data-pm-no-track", NULL },	   /* Postmark */
	{ "data-msys-clicktrack", "0" },   /* SparkPost, Momentum */
	{ "data-as-no-track", NULL },	   /* simplemailservice.eu */
	{ "data-ph-no-track", NULL },	   /* PostHog */
};

bool
link_is_opt_out(const struct html_attr *a)
{
	for (size_t i = 0; i < sizeof(opt_outs) / sizeof(opt_outs[0]); i++)
		if (str_ieq(a->name, str_from(opt_outs[i].name)))
			return opt_outs[i].want == NULL ||
			    str_ieq(str_trim(a->value),
				str_from(opt_outs[i].want));
	return false;
}

bool
link_is_unsubscribe_mark(const struct html_attr *a)
{
	return str_ieq(a->name, STR("data-msys-unsubscribe")) &&
	    str_eq(str_trim(a->value), STR("1"));
}

/*
 * WHATWG URL section 4.4: control characters and blanks around a URL and
 * tabs and line breaks inside it do not count.
 */
static struct str
clean_url(struct arena *a, struct str raw)
{
	size_t from = 0, to = raw.n, n = 0;
	char *out;

	while (from < to && (unsigned char)raw.p[from] <= ' ')
		from++;
	while (to > from && (unsigned char)raw.p[to - 1] <= ' ')
		to--;
	out = arena_bytes(a, to - from);
	for (size_t i = from; i < to; i++)
		if (raw.p[i] != '\t' && raw.p[i] != '\n' && raw.p[i] != '\r')
			out[n++] = raw.p[i];
	return str_make(out, n);
}

/* Most URLs are as they stand: printable ASCII, nothing to decode. */
static bool
is_literal(struct str value)
{
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (c <= ' ' || c >= 0x7f || c == '&')
			return false;
	}
	return true;
}

int
link_url(struct message *m, struct str charset, struct str value,
    struct str *url)
{
	struct buf text, decoded;
	int rc = -1;

	if (value.n <= URL_MAX && is_literal(value)) {
		*url = value;
		return 0;
	}
	buf_init(&text, URL_MAX * 3);
	buf_init(&decoded, URL_MAX * 3);
	if (charset_url_utf8(charset, value, &text) == 0 &&
	    html_decode_attr(buf_view(&text), &decoded) == 0) {
		*url = clean_url(m->arena, buf_view(&decoded));
		rc = 0;
	}
	buf_free(&text);
	buf_free(&decoded);
	return rc;
}

/* Can a merge tag start with it?  Asked of every octet of every URL. */
static bool
starts_tag(char c)
{
	switch (c) {
	case '{':
	case '*':
	case '%':
	case '[':
	case '<':
	case '$':
		return true;
	default:
		return false;
	}
}

/* A template's tag that nobody filled in: rewriting would freeze it. */
static bool
has_merge_tag(struct str url)
{
	static const char *const tags[] = { "{{", "{%", "*|", "%%", "[[", "<%",
		"${", "%7B%7B", "%recipient." };

	for (size_t i = 0; i + 1 < url.n; i++) {
		if (!starts_tag(url.p[i]))
			continue;
		for (size_t t = 0; t < sizeof(tags) / sizeof(tags[0]); t++)
			if (str_istarts(str_sub(url, i, url.n),
			    str_from(tags[t])))
				return true;
	}
	return false;
}

/*
 * `//user@host:port/path?query`: host and port, in the case they are in.  As
 * in browsers any number of slashes, of either kind, follows the scheme.
 */
static struct str
host_of(struct str url, size_t scheme)
{
	struct str authority;
	size_t at, end;

	while (scheme < url.n && strchr("/\\", url.p[scheme]) != NULL)
		scheme++;
	end = scheme;
	while (end < url.n && strchr("/?#\\", url.p[end]) == NULL)
		end++;
	authority = str_sub(url, scheme, end);
	while ((at = str_chr(authority, '@', 0)) < authority.n)
		authority = str_sub(authority, at + 1, authority.n);
	return authority;
}

/* The host without a port. */
static struct str
bare_host(struct str host)
{
	size_t colon = host.n;

	for (size_t i = 0; i < host.n; i++) {
		if (host.p[i] == ']')
			colon = host.n;
		else if (host.p[i] == ':' && colon == host.n)
			colon = i;
	}
	return str_sub(host, 0, colon);
}

/* A link that the message itself names as its way to unsubscribe. */
static bool
is_unsubscribe(const struct message *m, struct str url)
{
	for (size_t i = 0; i < m->nunsubscribe_uris; i++)
		if (str_eq(m->unsubscribe_uris[i], url))
			return true;
	return false;
}

static const char *
why_not_scheme(struct str url)
{
	if (url.n == 0)
		return "empty";
	if (url.p[0] == '#')
		return "a fragment";
	if (placeholder_is_in(url))
		return "an unsubscribe placeholder";
	if (has_merge_tag(url))
		return "a merge tag";
	return "not http or https";
}

const char *
link_why_not(const struct message *m, struct str url)
{
	size_t scheme = str_istarts(url, STR("https:")) ? 6 :
	    str_istarts(url, STR("http:"))		? 5 :
							  0;
	struct str host;

	if (scheme == 0)
		return why_not_scheme(url);
	if (str_chr(url, '\0', 0) < url.n)
		return "a NUL in it";
	if (placeholder_is_in(url))
		return "an unsubscribe placeholder";
	if (has_merge_tag(url))
		return "a merge tag";
	host = host_of(url, scheme);
	if (str_ieq(bare_host(host), bare_host(m->domain->tracking_host)))
		return "already leads to the tracking host";
	for (size_t i = 0; i < m->stream->nno_track_hosts; i++)
		if (str_glob(m->stream->no_track_hosts[i], bare_host(host)))
			return "its host is on no-track-hosts";
	if (is_unsubscribe(m, url))
		return "the unsubscribe link";
	return NULL;
}
