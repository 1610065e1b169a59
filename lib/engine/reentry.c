/*
 * reentry.c - which mail is already done, told by its signatures: any field of
 * ours could be forged.  What is then left out is up to stage_select.c.
 */
#include "engine/reentry.h"

#include "base/log.h"
#include "mail/dkim_verify.h"

#define SIGNATURE   STR("DKIM-Signature")
#define DOMAIN_MAX 253

/* A search over the signatures of one message. */
struct search {
	struct message *m;
	const struct domain_settings *covers; /* its From; NULL: none does */
	unsigned tries;
	unsigned char body_hash[DKIM_HASH_SIZE]; /* once tries is not 0 */
	const char *why_not; /* of the last one tried */
};

/* Does a stream sign as that section for domains that have none? */
static bool
is_for_others(const struct settings *s, const struct domain_settings *d)
{
	for (size_t i = 0; i < s->nstreams; i++)
		if (s->streams[i].domain == d)
			return true;
	return false;
}

static const struct domain_settings *
section_of(const struct search *search, struct str domain)
{
	const struct settings *s = search->m->settings;
	const struct domain_settings *d;

	if (search->covers != NULL)
		return str_ieq(search->covers->name, domain) ? search->covers :
							       NULL;
	if (domain.n > DOMAIN_MAX)
		return NULL;
	d = settings_domain(s, arena_lower(search->m->arena, domain));
	return d != NULL && is_for_others(s, d) ? d : NULL;
}

static const struct dkim_key *
key_of(const struct keyring_domain *k, struct str selector)
{
	for (size_t i = 0; k != NULL && i < k->nkeys; i++)
		if (str_ieq(k->keys[i].selector, selector))
			return k->keys[i].key;
	return NULL;
}

/* True when the signature is ours and good; *d is then whose. */
static bool
try_signature(struct search *search, struct str value,
    const struct domain_settings **d)
{
	struct message *m = search->m;
	const struct dkim_key *key;
	struct dkim_signature s;

	if (dkim_signature_read(value, &s) != 0 ||
	    (*d = section_of(search, s.domain)) == NULL ||
	    (key = key_of(keyring_domain(m->keyring, *d), s.selector)) == NULL)
		return false;
	if (search->tries++ == 0)
		dkim_body_hash(NULL, m->body, search->body_hash);
	search->why_not = dkim_signature_verify(m->arena, &m->headers, &s, key,
	    search->body_hash, m->now, REENTRY_MAX_AGE);
	message_note(m, "select", "the signature of %.*s with %.*s %s",
	    STR_ARG(s.domain), STR_ARG(s.selector),
	    search->why_not != NULL ? search->why_not : "is good");
	return search->why_not == NULL;
}

const struct domain_settings *
reentry_find(struct message *m, const struct domain_settings *d)
{
	struct search search = { .m = m, .covers = d };
	struct header *f = headers_find(&m->headers, SIGNATURE);
	const struct domain_settings *signer;

	while (f != NULL && search.tries < REENTRY_MAX_TRIES) {
		if (try_signature(&search, f->value, &signer))
			return signer;
		f = headers_find_next(&m->headers, f);
	}
	m->was_ours = search.tries > 0;
	if (m->was_ours)
		log_info("%.*s: a DKIM-Signature of ours %s: done as if it "
			 "were new",
		    STR_ARG(m->queue_id), search.why_not);
	return NULL;
}

static bool
is_repeated(const struct dkim_signature *s,
    const struct keyring_domain *const *signers, size_t nsigners)
{
	for (size_t i = 0; i < nsigners; i++)
		if (str_ieq(s->domain, signers[i]->domain->name) &&
		    key_of(signers[i], s->selector) != NULL)
			return true;
	return false;
}

void
reentry_delete_repeated(struct message *m,
    const struct keyring_domain *const *signers, size_t nsigners)
{
	struct header *f = headers_find(&m->headers, SIGNATURE), *next;
	struct dkim_signature s;

	for (; f != NULL; f = next) {
		next = headers_find_next(&m->headers, f);
		if (dkim_signature_read(f->value, &s) != 0 ||
		    !is_repeated(&s, signers, nsigners))
			continue;
		headers_delete(&m->headers, f);
		m->nsignatures_removed++;
		message_note(m, "sign", "the former signature of %.*s with "
		    "%.*s removed", STR_ARG(s.domain), STR_ARG(s.selector));
	}
}
