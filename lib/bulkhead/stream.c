/*
 * stream.c - which stream a message belongs to, which domain section, and who
 * may send as it.
 */
#include "bulkhead/stream.h"

#include <libpsl.h>

#define DOMAIN_MAX 253

static bool
any_glob(const struct str *globs, size_t n, struct str text)
{
	for (size_t i = 0; i < n; i++)
		if (str_glob(globs[i], text))
			return true;
	return false;
}

static bool
any_client(const struct match_settings *m, const struct stream_facts *f)
{
	for (size_t i = 0; f->has_client && i < m->nclient; i++)
		if (net_contains(&m->client[i], &f->client))
			return true;
	return false;
}

/* Any field of that name whose unfolded value matches. */
static bool
header_matches(const struct header_match *m, struct headers *h)
{
	struct header *f = headers_find(h, m->name);

	for (; f != NULL; f = headers_find_next(h, f))
		if (m->glob.n == 0 ||
		    str_glob(m->glob, header_unfold(h->arena, f->value)))
			return true;
	return false;
}

static bool
any_header(const struct match_settings *m, struct headers *h)
{
	for (size_t i = 0; i < m->nheader; i++)
		if (header_matches(&m->header[i], h))
			return true;
	return false;
}

/* What the envelope says; an empty user or daemon never matches a "*". */
static bool
envelope_matches(const struct match_settings *m, const struct stream_facts *f)
{
	if (m->nsasl_user != 0 && (f->sasl_user.n == 0 ||
	    !any_glob(m->sasl_user, m->nsasl_user, f->sasl_user)))
		return false;
	if (m->ndaemon != 0 && (f->daemon.n == 0 ||
	    !any_glob(m->daemon, m->ndaemon, f->daemon)))
		return false;
	if (m->nclient != 0 && !any_client(m, f))
		return false;
	return m->nsender == 0 || any_glob(m->sender, m->nsender, f->sender);
}

static bool
content_matches(const struct match_settings *m, const struct stream_facts *f)
{
	if (m->nfrom_domain != 0 && (f->from_domain.n == 0 ||
	    !any_glob(m->from_domain, m->nfrom_domain, f->from_domain)))
		return false;
	return m->nheader == 0 || any_header(m, f->headers);
}

enum stream_answer
stream_matches(const struct stream_settings *s, const struct stream_facts *f)
{
	const struct match_settings *m = &s->match;

	if (!s->has_match)
		return STREAM_YES;
	if (!envelope_matches(m, f))
		return STREAM_NO;
	if (m->nfrom_domain == 0 && m->nheader == 0)
		return STREAM_YES;
	if (f->headers == NULL)
		return STREAM_UNKNOWN;
	return content_matches(m, f) ? STREAM_YES : STREAM_NO;
}

enum stream_answer
stream_select(const struct settings *s, const struct stream_facts *f,
    const struct stream_settings **out)
{
	*out = NULL;
	for (size_t i = 0; i < s->nstreams; i++) {
		enum stream_answer answer = stream_matches(&s->streams[i], f);

		if (answer == STREAM_YES)
			*out = &s->streams[i];
		if (answer != STREAM_NO)
			return answer;
	}
	return STREAM_NO;
}

/* Unlisted top-level domains count as public suffixes, as in libpsl. */
static bool
is_public_suffix(const psl_ctx_t *psl, struct str domain)
{
	char text[DOMAIN_MAX + 1];

	if (str_chr(domain, '.', 0) == domain.n)
		return true;
	memcpy(text, domain.p, domain.n);
	text[domain.n] = '\0';
	return psl != NULL && psl_is_public_suffix(psl, text) != 0;
}

const struct domain_settings *
stream_domain(const struct settings *s, struct str from_domain)
{
	const struct domain_settings *d = settings_domain(s, from_domain);
	const psl_ctx_t *psl = psl_builtin();

	if (from_domain.n > DOMAIN_MAX)
		return NULL;
	while (d == NULL && !is_public_suffix(psl, from_domain)) {
		from_domain = str_sub(from_domain,
		    str_chr(from_domain, '.', 0) + 1, from_domain.n);
		if (!is_public_suffix(psl, from_domain))
			d = settings_domain(s, from_domain);
	}
	return d;
}

bool
stream_may_send(const struct domain_settings *d, const struct stream_facts *f)
{
	if (d->nmay_send == 0)
		return true;
	for (size_t i = 0; i < d->nmay_send; i++) {
		const struct may_send *m = &d->may_send[i];

		if (m->kind == MAY_SEND_SASL_USER ?
		    f->sasl_user.n != 0 && str_glob(m->user, f->sasl_user) :
		    f->has_client && net_contains(&m->client, &f->client))
			return true;
	}
	return false;
}
