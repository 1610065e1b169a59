/*
 * claims_signatures.c - DKIM signatures of what leaves, verified over the
 * bytes that leave: by our own verifier, and by libopendkim.
 */
#include "tests/fuzz/claims.h"

#include "mail/dkim_verify.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/referee.h"
#include "tests/fuzz/world.h"

static const struct dkim_key *
find_key(const struct keyring *k, const struct dkim_signature *s)
{
	for (size_t i = 0; i < k->settings->ndomains; i++)
		for (size_t n = 0; n < k->domains[i].nkeys; n++)
			if (str_eq(k->domains[i].domain->name, s->domain) &&
			    str_eq(k->domains[i].keys[n].selector,
				s->selector))
				return k->domains[i].keys[n].key;
	return NULL;
}

static void
check_signature(const struct outcome *o, const struct headers *h,
    struct str value, const unsigned char *hash)
{
	struct dkim_signature s;
	const struct dkim_key *key;
	const char *why;

	EXPECT(dkim_signature_read(value, &s) == 0);
	key = find_key(o->m->keyring, &s);
	EXPECT(key != NULL);
	why = dkim_signature_verify(o->arena, h, &s, key, hash, WORLD_TIME, 0);
	if (why != NULL)
		fuzz_fail(why, __FILE__, __LINE__);
}

/* A field as it travels. */
static struct str
wire(struct arena *a, const struct mta_field *f)
{
	struct buf b;
	struct str out;

	buf_init(&b, f->value.n * 2 + f->name.n + 1);
	buf_str(&b, f->name);
	buf_char(&b, ':');
	for (size_t i = 0; i < f->value.n; i++) {
		if (f->value.p[i] == '\n')
			buf_char(&b, '\r');
		buf_char(&b, f->value.p[i]);
	}
	out = fuzz_exact(a, buf_view(&b));
	buf_free(&b);
	return out;
}

/*
 * What no MTA hands to a verifier, and verifiers do not agree about: NUL, CR
 * and LF alone.
 */
static bool
is_odd(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\0' || (s.p[i] == '\r' &&
		    (i + 1 == s.n || s.p[i + 1] != '\n')) ||
		    (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r')))
			return true;
	return false;
}

/* Ours are the first ones; the application's may be anything. */
static void
ask_referee(const struct outcome *o)
{
	struct str *fields = arena_array(o->arena, o->mta->nfields,
	    sizeof(*fields));
	struct str body = o->mta->body;
	const char *why;

	if (is_odd(body))
		return;
	if (body.n > 0 && body.p[body.n - 1] != '\n') /* as DATA has it */
		body = arena_printf(o->arena, "%.*s\r\n", STR_ARG(body));
	for (size_t i = 0; i < o->mta->nfields; i++) {
		fields[i] = wire(o->arena, &o->mta->fields[i]);
		/* VT and FF are white space to libopendkim, not to RFC 6376 */
		if (is_odd(fields[i]) ||
		    str_chr(fields[i], '\v', 0) < fields[i].n ||
		    str_chr(fields[i], '\f', 0) < fields[i].n)
			return;
	}
	why = referee_verify(world_records(), fields, o->mta->nfields, body,
	    o->m->nsignatures);
	if (why == NULL)
		return;
	fprintf(stderr, "body:\n%.*s\n", STR_ARG(o->mta->body));
	fuzz_fail(why, __FILE__, __LINE__);
}

/* The domain's, and those of the services of the stream. */
static size_t
count_keys(const struct outcome *o)
{
	const struct stream_settings *st = o->m->stream;
	size_t n = keyring_domain(o->m->keyring, o->m->domain)->nkeys;

	for (size_t i = 0; st != NULL && i < st->nalso_sign; i++)
		if (st->also_sign[i] != o->m->domain)
			n += keyring_domain(o->m->keyring,
			    st->also_sign[i])->nkeys;
	return n;
}

void
claims_signatures(const struct outcome *o, bool with_referee)
{
	unsigned char hash[DKIM_HASH_SIZE];
	struct headers h;

	EXPECT(o->m->nsignatures == count_keys(o));
	headers_init(&h, o->arena);
	for (size_t i = 0; i < o->mta->nfields; i++)
		headers_append(&h, o->mta->fields[i].name,
		    o->mta->fields[i].value);
	dkim_body_hash(NULL, o->mta->body, hash);
	for (size_t i = 0; i < o->m->nsignatures; i++)
		check_signature(o, &h, h.v[i].value, hash);
	if (with_referee)
		ask_referee(o);
}
