/*
 * stage_sign.c - the last word: DKIM signatures over what will leave, the
 * domain's and the service's.
 */
#include "engine/stage.h"

#include "base/log.h"
#include "mail/dkim.h"

/* RFC 6376 section 5.4.1, RFC 8058 section 4; never trace fields or Bcc. */
static const struct str signed_names[] = { STR("From"), STR("Sender"),
	STR("Reply-To"), STR("Subject"), STR("Date"), STR("Message-ID"),
	STR("To"), STR("Cc"), STR("In-Reply-To"), STR("References"),
	STR("MIME-Version"), STR("Content-Type"),
	STR("Content-Transfer-Encoding"), STR("Content-ID"),
	STR("Content-Description"), STR("Auto-Submitted"), STR("List-Id"),
	STR("List-Help"), STR("List-Unsubscribe"),
	STR("List-Unsubscribe-Post"), STR("List-Subscribe"), STR("List-Post"),
	STR("List-Owner"), STR("List-Archive"), STR("Feedback-ID"),
	STR("CFBL-Address") };

/* The first five for all mail, the rest too for mail of a stream. */
static const struct str oversigned_names[] = { STR("From"), STR("Subject"),
	STR("To"), STR("Date"), STR("Message-ID"), STR("Reply-To"),
	STR("List-Id"), STR("List-Help"), STR("List-Unsubscribe"),
	STR("List-Unsubscribe-Post"), STR("List-Subscribe"), STR("List-Post"),
	STR("List-Owner"), STR("List-Archive") };

#define COUNT(v)	 (sizeof(v) / sizeof((v)[0]))
#define OVERSIGN_ALWAYS	 5

/* Does the h= tag of a DKIM-Signature value name the field? */
static bool
covers(struct arena *a, struct str signature, struct str name)
{
	struct str v = header_unfold(a, signature);
	size_t at = 0;

	while (at < v.n) {
		size_t end = str_chr(v, ';', at);
		struct str tag = str_trim(str_sub(v, at, end));

		at = end + 1;
		if (tag.n < 2 || tag.p[0] != 'h' ||
		    (tag.p[1] != '=' && !str_is_space(tag.p[1])))
			continue;
		tag = str_sub(tag, str_chr(tag, '=', 0) + 1, tag.n);
		for (size_t i = 0; i < tag.n;) {
			size_t colon = str_chr(tag, ':', i);

			if (str_ieq(str_trim(str_sub(tag, i, colon)), name))
				return true;
			i = colon + 1;
		}
	}
	return false;
}

/* Did we change what this signature of the application covers? */
static bool
is_broken(struct message *m, struct str signature)
{
	if (m->splices.n > 0)
		return true;
	for (size_t i = 0; i < m->headers.n; i++)
		if (m->headers.v[i].edit != HEADER_KEPT &&
		    covers(m->arena, signature, m->headers.v[i].name))
			return true;
	return false;
}

static void
remove_broken(struct message *m)
{
	struct header *f = headers_find(&m->headers, STR("DKIM-Signature"));

	while (f != NULL) {
		struct header *next = headers_find_next(&m->headers, f);

		if (is_broken(m, f->value)) {
			headers_delete(&m->headers, f);
			log_info("%.*s: the application's DKIM-Signature "
			    "removed: what it signed was changed",
			    STR_ARG(m->queue_id));
			message_note(m, "sign",
			    "the application's DKIM-Signature removed");
		}
		f = next;
	}
}

static int
sign_with(struct message *m, const struct keyring_domain *k,
    const unsigned char *body_hash)
{
	struct dkim_request r = {
		.domain = k->domain->name,
		.time = m->now,
		.body_hash = body_hash,
		.sign = signed_names,
		.nsign = COUNT(signed_names),
		.oversign = oversigned_names,
		.noversign = m->stream != NULL ? COUNT(oversigned_names) :
						 OVERSIGN_ALWAYS,
	};

	for (size_t i = 0; i < k->nkeys; i++) {
		struct str value;

		r.key = k->keys[i].key;
		r.selector = k->keys[i].selector;
		value = dkim_sign(m->arena, &m->headers, &r);
		if (value.n == 0)
			return -1;
		m->signatures[m->nsignatures++] = value;
		message_note(m, "sign", "signed as %.*s with %.*s",
		    STR_ARG(r.domain), STR_ARG(r.selector));
	}
	return 0;
}

/* The domain itself, then the services; each once. */
static size_t
list_signers(struct message *m, const struct keyring_domain **out)
{
	size_t n = 0;

	out[n++] = keyring_domain(m->keyring, m->domain);
	for (size_t i = 0; m->stream != NULL && i < m->stream->nalso_sign; i++)
		if (m->stream->also_sign[i] != m->domain)
			out[n++] = keyring_domain(m->keyring,
			    m->stream->also_sign[i]);
	return n;
}

enum stage_result
stage_sign(struct message *m)
{
	size_t most = 1 + (m->stream != NULL ? m->stream->nalso_sign : 0);
	const struct keyring_domain **signers =
	    arena_array(m->arena, most, sizeof(struct keyring_domain *));
	unsigned char body_hash[DKIM_HASH_SIZE];
	size_t n = list_signers(m, signers), total = 0;

	remove_broken(m);
	for (size_t i = 0; i < n; i++)
		total += signers[i] != NULL ? signers[i]->nkeys : 0;
	m->signatures = arena_array(m->arena, total, sizeof(*m->signatures));
	dkim_body_hash(&m->splices, m->body, body_hash);
	for (size_t i = 0; i < n; i++) {
		if (signers[i] == NULL ||
		    sign_with(m, signers[i], body_hash) == 0)
			continue;
		log_error("%.*s: OpenSSL did not sign for %.*s",
		    STR_ARG(m->queue_id), STR_ARG(signers[i]->domain->name));
		m->verdict = VERDICT_TEMPFAIL;
		return STAGE_STOP;
	}
	return STAGE_NEXT;
}
