/*
 * fuzz_dkim.c - a message with DKIM-Signature fields: their tags lie in them,
 * none is taken for one of ours, and what we sign, with either engine, is good
 * until a signed field, the body or the signature changes.
 */
#include "tests/fuzz/fuzz.h"

#include "mail/dkim_verify.h"

#define NOW   INT64_C(1735718400)
#define FIELD STR("DKIM-Signature")

static struct dkim_key *
new_key(const struct dkim_engine *engine, enum dkim_algorithm algorithm)
{
	struct arena *a = arena_new();
	const char *why;
	struct dkim_key *k = dkim_key_parse_for(engine, dkim_key_create(a,
	    algorithm, 1024), &why);

	EXPECT(k != NULL);
	arena_free(&a);
	return k;
}

/* libopendkim loses memory with each signature by an Ed25519 key. */
static const struct dkim_key *
the_key(bool is_native)
{
	static struct dkim_key *native, *other;

	if (native == NULL) {
		native = new_key(&dkim_native, DKIM_ED25519_SHA256);
		other = new_key(&dkim_opendkim, DKIM_RSA_SHA256);
	}
	return is_native ? native : other;
}

static void
check_tags(const struct dkim_signature *s)
{
	const struct str *const tags[] = { &s->domain, &s->selector,
		&s->version, &s->algorithm, &s->canon, &s->names,
		&s->body_hash, &s->signature, &s->identity, &s->time,
		&s->expires, &s->before, &s->after };

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		EXPECT(fuzz_is_in(tags[i]->p, tags[i]->n, s->value));
	EXPECT(s->before.n + s->signature.n + s->after.n <= s->value.n);
	EXPECT(s->domain.n > 0 && s->selector.n > 0);
}

/* Nobody but the one with the key can have made a good one. */
static void
check_foreign(struct arena *a, struct headers *h, struct str value,
    const unsigned char *hash)
{
	struct dkim_signature s;

	if (dkim_signature_read(value, &s) != 0)
		return;
	check_tags(&s);
	EXPECT(dkim_signature_verify(a, h, &s, the_key(true), hash, NOW,
	    0) != NULL);
}

static struct str
sign(struct arena *a, struct headers *h, struct str body, bool is_native)
{
	static const struct str names[] = { STR("From"), STR("Subject"),
		STR("To"), STR("X-Any") };
	const struct splices none = { 0 };
	struct dkim_message m = { .headers = h, .edits = &none,
		.body = body };
	struct dkim_request r = { .key = the_key(is_native),
		.domain = STR("example.com"), .selector = STR("s"),
		.time = NOW, .sign = names, .nsign = 4, .oversign = names,
		.noversign = 2 };

	return dkim_sign_message(a, &m, &r);
}

static const char *
verify(struct arena *a, struct headers *h, struct str body, struct str value,
    bool is_native)
{
	unsigned char hash[DKIM_HASH_SIZE];
	struct dkim_signature s;

	dkim_body_hash(NULL, body, hash);
	EXPECT(dkim_signature_read(value, &s) == 0);
	check_tags(&s);
	return dkim_signature_verify(a, h, &s, the_key(is_native), hash, NOW,
	    3600);
}

/* Another octet in the signature's hash, in the body, in From. */
static void
check_changed(struct arena *a, struct headers *h, struct str body,
    struct str value)
{
	size_t at = str_find(value, STR("bh="), 0) + 3;
	char *p = arena_bytes(a, value.n);
	struct header *from = headers_find(h, STR("From"));

	memcpy(p, value.p, value.n);
	p[at] = p[at] == 'A' ? 'B' : 'A';
	EXPECT(verify(a, h, body, fuzz_exact(a, str_make(p, value.n)),
	    true) != NULL);
	EXPECT(verify(a, h, arena_printf(a, "%.*sx", STR_ARG(body)), value,
	    true) != NULL);
	headers_add(h, STR("From"), STR("x@example.com"));
	EXPECT(verify(a, h, body, value, true) != NULL);
	if (from == NULL)
		return;
	headers_delete(h, headers_find(h, STR("From")));
	EXPECT(verify(a, h, body, value, true) != NULL);
}

static void
check_ours(struct arena *a, struct headers *h, struct str body, bool is_native)
{
	struct str value = fuzz_exact(a, sign(a, h, body, is_native));
	const char *why;

	EXPECT(value.n > 0);
	why = verify(a, h, body, value, is_native);
	if (why != NULL)
		fuzz_fail(why, __FILE__, __LINE__);
	if (is_native)
		check_changed(a, h, body, value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = fuzz_exact(a, str_make((const char *)data, size));
	unsigned char hash[DKIM_HASH_SIZE];
	struct headers h;
	struct str body;
	size_t at = 0;

	headers_init(&h, a);
	headers_parse(&h, text, &at);
	body = fuzz_exact(a, str_sub(text, at, text.n));
	dkim_body_hash(NULL, body, hash);
	check_foreign(a, &h, text, hash);
	for (struct header *f = headers_find(&h, FIELD); f != NULL;
	    f = headers_find_next(&h, f))
		check_foreign(a, &h, f->value, hash);
	if (fuzz_is_one_in(8, fuzz_hash(text)))
		check_ours(a, &h, body, false);
	check_ours(a, &h, body, true);
	arena_free(&a);
	return 0;
}
