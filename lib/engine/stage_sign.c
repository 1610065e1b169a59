/*
 * stage_sign.c - the last word: DKIM signatures over what will leave, the
 * domain's and the service's.
 */
#include "engine/stage.h"

#include <stdlib.h>

#include "base/log.h"
#include "bulkhead/stream.h"
#include "engine/reentry.h"
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

/* The names of the fields that we changed, sorted: several may be equal. */
struct edited {
	struct str *names;
	size_t n;
};

static int
by_name(const void *a, const void *b)
{
	const struct str *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;

	for (size_t i = 0; i < n; i++)
		if (str_lower(x->p[i]) != str_lower(y->p[i]))
			return str_lower(x->p[i]) < str_lower(y->p[i]) ? -1 : 1;
	return x->n < y->n ? -1 : x->n > y->n;
}

static struct edited
find_edited(struct message *m)
{
	struct edited e = { arena_array(m->arena, m->headers.n,
	    sizeof(struct str)), 0 };

	for (size_t i = 0; i < m->headers.n; i++)
		if (m->headers.v[i].edit != HEADER_KEPT)
			e.names[e.n++] = m->headers.v[i].name;
	if (e.n > 0)
		qsort(e.names, e.n, sizeof(*e.names), by_name);
	return e;
}

/* The value of the h= tag of a signature, empty when there is none. */
static struct str
signed_fields(struct arena *a, struct str signature)
{
	struct str v = header_unfold(a, signature);
	size_t at = 0;

	while (at < v.n) {
		size_t end = str_chr(v, ';', at);
		struct str tag = str_trim(str_sub(v, at, end));
		size_t equals = str_chr(tag, '=', 0);

		if (str_eq(str_trim(str_sub(tag, 0, equals)), STR("h")))
			return str_sub(tag, equals + 1, tag.n);
		at = end + 1;
	}
	return STR("");
}

/* Did we change what this signature of the application covers? */
static bool
is_broken(struct message *m, const struct edited *e, struct str signature)
{
	struct str list;

	if (m->splices.n > 0)
		return true;
	if (e->n == 0)
		return false;
	list = signed_fields(m->arena, signature);
	for (size_t i = 0; i < list.n;) {
		size_t colon = str_chr(list, ':', i);
		struct str name = str_trim(str_sub(list, i, colon));

		if (bsearch(&name, e->names, e->n, sizeof(name), by_name))
			return true;
		i = colon + 1;
	}
	return false;
}

static void
remove_broken(struct message *m)
{
	struct header *f = headers_find(&m->headers, STR("DKIM-Signature"));
	struct edited e = { NULL, 0 };

	if (f != NULL)
		e = find_edited(m);
	while (f != NULL) {
		struct header *next = headers_find_next(&m->headers, f);

		if (is_broken(m, &e, f->value)) {
			headers_delete(&m->headers, f);
			m->nsignatures_removed++;
			message_note(m, "sign", "the application's "
			    "DKIM-Signature removed: what it signed was "
			    "changed");
		}
		f = next;
	}
}

static int
sign_with(struct message *m, const struct keyring_domain *k,
    struct dkim_message *mail)
{
	struct dkim_request r = {
		.domain = k->domain->name,
		.time = m->now,
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
		value = dkim_sign_message(m->arena, mail, &r);
		if (value.n == 0)
			return -1;
		m->signatures[m->nsignatures++] = value;
		message_note(m, "sign", "signed as %.*s with %.*s",
		    STR_ARG(r.domain), STR_ARG(r.selector));
	}
	return 0;
}

/*
 * A service's domain may say who may use it, too: a control field could have
 * chosen the stream.
 */
static bool
may_also_sign(struct message *m, const struct domain_settings *d)
{
	struct stream_facts facts = {
		.sasl_user = m->client.sasl_user,
		.has_client = m->client.has_addr,
		.client = m->client.addr,
	};
	const struct keyring_domain *k = keyring_domain(m->keyring, d);

	if (k == NULL || k->nkeys == 0)
		m->lacks = "a key of an also-sign domain";
	else if (!stream_may_send(d, &facts))
		m->lacks = "the right to sign as an also-sign domain";
	else
		return true;
	return false;
}

/* The domain itself, then the services; each once. */
static size_t
list_signers(struct message *m, const struct keyring_domain **out)
{
	size_t n = 0;

	out[n++] = keyring_domain(m->keyring, m->domain);
	for (size_t i = 0; m->stream != NULL && i < m->stream->nalso_sign; i++)
		if (m->stream->also_sign[i] != m->domain &&
		    may_also_sign(m, m->stream->also_sign[i]))
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
	struct dkim_message mail = { .headers = &m->headers,
		.edits = &m->splices, .body = m->body };
	size_t n = list_signers(m, signers), total = 0;

	remove_broken(m);
	reentry_delete_repeated(m, signers, n);
	for (size_t i = 0; i < n; i++)
		total += signers[i]->nkeys;
	m->signatures = arena_array(m->arena, total, sizeof(*m->signatures));
	for (size_t i = 0; i < n; i++) {
		if (sign_with(m, signers[i], &mail) == 0)
			continue;
		log_error("%.*s: the %s engine did not sign for %.*s",
		    STR_ARG(m->queue_id), dkim_engine_default()->name,
		    STR_ARG(signers[i]->domain->name));
		m->verdict = VERDICT_TEMPFAIL;
		return STAGE_STOP;
	}
	if (mail.ntaken_over > 0)
		message_note(m, "sign", "signed natively: libopendkim would "
		    "hash what no receiver does");
	return STAGE_NEXT;
}
