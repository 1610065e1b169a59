/*
 * test_dkim.c - lib/mail/dkim*: what is signed, the field's shape, keys, and
 * the published example of RFC 8463.  Canonical forms: test_dkim_canon.c. Other
 * verifiers are asked by tests/corpus/dkim_verifiers.py.
 */
#include "unit.h"

#include <malloc.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/hash.h"
#include "mail/dkim.h"
#include "mail/dkim_key.h"
#include "tests/unit/dkim_keys.h"

#define TEXT(lit)                                                              \
	{                                                                      \
		(lit), sizeof(lit) - 1                                         \
	}
#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const char rsa_record[] =
    "v=DKIM1; k=rsa; "
    "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6"
    "Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8u"
    "BsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTI"
    "KT+l/K4w3QIDAQAB";
static const char ed25519_record[] =
    "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

struct fixture {
	struct arena *a;
	struct dkim_key *rsa, *ed25519;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *why = NULL;

	f->a = arena_new();
	f->rsa = dkim_key_parse(exact(f->a, str_from(rsa_pem)), &why);
	f->ed25519 = dkim_key_parse(exact(f->a, ed25519_pem(f->a)), &why);
	*state = f;
	return f->rsa == NULL || f->ed25519 == NULL;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	dkim_key_free(&f->rsa);
	dkim_key_free(&f->ed25519);
	arena_free(&f->a);
	free(f);
	return 0;
}

static void
add_field(struct headers *h, const char *name, const char *value,
    enum header_edit edit)
{
	h->v = arena_grow(h->arena, h->v, h->n, &h->cap, sizeof(*h->v));
	h->v[h->n++] = (struct header){
		.name = str_from(name),
		.value = str_from(value),
		.edit = edit,
	};
}

/* The message of RFC 8463 appendix A.3. */
static void
rfc8463_message(struct headers *h, struct arena *a)
{
	*h = (struct headers){ .arena = a };
	add_field(h, "From", " Joe SixPack <joe@football.example.com>", 0);
	add_field(h, "To", " Suzie Q <suzie@shopping.example.net>", 0);
	add_field(h, "Subject", " Is dinner ready?", 0);
	add_field(h, "Date", " Fri, 11 Jul 2003 21:00:37 -0700 (PDT)", 0);
	add_field(h, "Message-ID",
	    " <20030712040037.46341.5F8J@football.example.com>", 0);
}

static const char rfc8463_body[] =
    "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";

static struct str
base64_of(struct arena *a, const unsigned char *p, size_t n)
{
	char *out = arena_bytes(a, BASE64_SIZE(n));

	return str_make(out, base64_write(out, p, n));
}

static void
test_rfc8463_example(void **state)
{
	static const struct {
		const char *name, *value, *b;
	} cases[] = {
		{ "ed25519",
		    " v=1; a=ed25519-sha256; c=relaxed/relaxed;\n"
		    " d=football.example.com; i=@football.example.com;\n"
		    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\n"
		    " subject : date : message-id : from : subject : date;\n"
		    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n b=",
		    "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus"
		    "Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==" },
		{ "rsa",
		    " v=1; a=rsa-sha256; c=relaxed/relaxed;\n"
		    " d=football.example.com; i=@football.example.com;\n"
		    " q=dns/txt; s=test; t=1528637909; h=from : to : subject "
		    ":\n"
		    " date : message-id : from : subject : date;\n"
		    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n b=",
		    "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3"
		    "DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz"
		    "dA+L10TeYt9BgDfQNZtKdN1WO//"
		    "KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=" },
	};
	static const struct str names[] = { TEXT("from"), TEXT("to"),
		TEXT("subject"), TEXT("date"), TEXT("message-id"), TEXT("from"),
		TEXT("subject"), TEXT("date") };
	struct fixture *f = *state;
	unsigned char sig[DKIM_MAX_SIGNATURE], bh[DKIM_HASH_SIZE];
	struct headers h;

	rfc8463_message(&h, f->a);
	dkim_body_hash(NULL, exact(f->a, str_from(rfc8463_body)), bh);
	expect_str("bh", base64_of(f->a, bh, sizeof(bh)),
	    STR("2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct str data = dkim_header_data(
		    f->a, &h, names, COUNT(names), str_from(cases[i].value));
		size_t n =
		    dkim_key_sign(i == 0 ? f->ed25519 : f->rsa, data, sig);

		expect_str(cases[i].name, base64_of(f->a, sig, n),
		    str_from(cases[i].b));
	}
}

static void
test_header_data_order(void **state)
{
	static const struct str names[] = { TEXT("received"), TEXT("To"),
		TEXT("RECEIVED"), TEXT("x-none"), TEXT("received"),
		TEXT("received"), TEXT("received"), TEXT("X-Gone") };
	struct fixture *f = *state;
	struct headers h = { .arena = f->a };

	add_field(&h, "Received", " one", HEADER_KEPT);
	add_field(&h, "X-Gone", " bye", HEADER_DELETED);
	add_field(&h, "received", " two", HEADER_CHANGED);
	add_field(&h, "To", " a@example.com", HEADER_KEPT);
	add_field(&h, "Received", " three", HEADER_ADDED);
	expect_str("order",
	    dkim_header_data(f->a, &h, names, COUNT(names), STR("v=1; b=")),
	    STR("received:three\r\nto:a@example.com\r\nreceived:two\r\n"
		"received:one\r\ndkim-signature:v=1; b="));
	expect_str("none", dkim_header_data(f->a, &h, NULL, 0, STR(" b=\n\t")),
	    STR("dkim-signature:b="));
}

/* The text of one tag, folds and blanks gone; fails when it is not there. */
static struct str
tag_of(struct arena *a, struct str value, const char *tag)
{
	char *flat = arena_bytes(a, value.n + 1);
	struct str s, want = arena_printf(a, ";%s=", tag);
	size_t n = 1, at;

	flat[0] = ';';
	for (size_t i = 0; i < value.n; i++)
		if (!str_is_space(value.p[i]))
			flat[n++] = value.p[i];
	s = str_make(flat, n);
	at = str_find(s, want, 0);
	if (at == s.n)
		fail_msg("no %s= in %.*s", tag, STR_ARG(value));
	at += want.n;
	return str_sub(s, at, str_chr(s, ';', at));
}

/* Verifies as a receiver would, with the key's public half. */
static bool
verifies(struct arena *a, const struct headers *h, struct str value,
    struct dkim_key *key)
{
	struct str names[128], sig, list = tag_of(a, value, "h");
	size_t n = 0, b = str_find(value, STR("\tb="), 0) + 3;
	bool is_rsa = dkim_key_algorithm(key) == DKIM_RSA_SHA256;
	unsigned char hash[DKIM_HASH_SIZE], again[DKIM_MAX_SIGNATURE];
	struct str data;

	for (size_t at = 0; at <= list.n; n++) {
		size_t end = str_chr(list, ':', at);

		assert_true(n < COUNT(names));
		names[n] = str_sub(list, at, end);
		at = end + 1;
	}
	assert_int_equal(base64_decode(a, tag_of(a, value, "b"), &sig), 0);
	data = dkim_header_data(a, h, names, n, str_sub(value, 0, b));
	hash_sha256(data, hash);
	assert_int_equal(
	    is_rsa, str_eq(tag_of(a, value, "a"), STR("rsa-sha256")));
	/* both algorithms are deterministic: the same data, the same b= */
	return sig.n == dkim_key_sign(key, data, again) &&
	       memcmp(again, sig.p, sig.n) == 0;
}

static const char a_body[] = "The body.\r\n";

static struct str
sign(struct arena *a, const struct headers *h, const struct dkim_request *r)
{
	struct dkim_message m = { .headers = h, .body = str_from(a_body) };

	return dkim_sign_message(a, &m, r);
}

static struct dkim_request
request(struct dkim_key *key)
{
	static const struct str sign[] = { TEXT("Subject"), TEXT("To"),
		TEXT("List-Id"), TEXT("DKIM-Signature"), TEXT("subject") };
	static const struct str oversign[] = { TEXT("Subject"),
		TEXT("Reply-To") };

	return (struct dkim_request){
		.key = key,
		.domain = STR("example.com"),
		.selector = STR("s2026a"),
		.time = 1767225600,
		.sign = sign,
		.nsign = COUNT(sign),
		.oversign = oversign,
		.noversign = COUNT(oversign),
	};
}

static void
test_sign_fields(void **state)
{
	struct fixture *f = *state;
	struct headers h = { .arena = f->a };
	struct dkim_key *keys[] = { f->rsa, f->ed25519 };
	unsigned char bh[DKIM_HASH_SIZE];

	dkim_body_hash(NULL, str_from(a_body), bh);
	add_field(&h, "DKIM-Signature", " v=1; a=rsa-sha1; b=x", HEADER_KEPT);
	add_field(&h, "From", " a@example.com", HEADER_KEPT);
	add_field(&h, "To", " b@example.net", HEADER_KEPT);
	add_field(&h, "TO", " c@example.net", HEADER_KEPT);
	add_field(&h, "Subject", " caf\xe9\n\tfolded", HEADER_CHANGED);
	add_field(&h, "List-Id", " <x>", HEADER_DELETED);
	add_field(&h, "X-Other", " y", HEADER_ADDED);
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct dkim_request r = request(keys[i]);
		struct str v = sign(f->a, &h, &r);

		expect_str("h", tag_of(f->a, v, "h"),
		    STR("From:Subject:To:To:From:Subject:Reply-To"));
		expect_str("v", tag_of(f->a, v, "v"), STR("1"));
		expect_str("c", tag_of(f->a, v, "c"), STR("relaxed/relaxed"));
		expect_str("d", tag_of(f->a, v, "d"), STR("example.com"));
		expect_str("s", tag_of(f->a, v, "s"), STR("s2026a"));
		expect_str("t", tag_of(f->a, v, "t"), STR("1767225600"));
		expect_str("bh", tag_of(f->a, v, "bh"),
		    base64_of(f->a, bh, DKIM_HASH_SIZE));
		assert_true(verifies(f->a, &h, v, keys[i]));
		h.v[4].value = STR(" caf\xe9\tfolded ");
		assert_true(verifies(f->a, &h, v, keys[i]));
		h.v[4].value = STR(" caf\xe8 folded");
		assert_false(verifies(f->a, &h, v, keys[i]));
		h.v[4].value = STR(" caf\xe9 folded");
	}
}

/* Signatures share work on one message: none may differ from one alone. */
static void
test_sign_several_times(void **state)
{
	struct fixture *f = *state;
	struct headers h;
	struct dkim_request r[6] = { request(f->rsa), request(f->ed25519),
		request(f->ed25519), request(f->rsa), request(f->rsa),
		request(f->ed25519) };
	struct dkim_message m = { .headers = &h, .body = str_from(a_body) };

	rfc8463_message(&h, f->a);
	r[1].selector = STR("other");
	r[2].nsign--;
	r[2].noversign--;
	r[3].sign++;
	r[3].nsign--;
	r[4].oversign = r[4].sign;
	for (size_t i = 0; i < COUNT(r); i++)
		expect_str("the same as alone",
		    dkim_sign_message(f->a, &m, &r[i]), sign(f->a, &h, &r[i]));
}

static void
test_added_fields_break_oversigned(void **state)
{
	static const struct {
		const char *name;
		bool want;
	} cases[] = {
		{ "X-New", true },
		{ "From", false },
		{ "Subject", false },
		{ "Reply-To", false },
		{ "DKIM-Signature", true },
		{ "List-Id", true },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct headers h;
		struct dkim_request r = request(f->ed25519);
		struct str v;

		rfc8463_message(&h, f->a);
		v = sign(f->a, &h, &r);
		assert_true(verifies(f->a, &h, v, f->ed25519));
		add_field(&h, cases[i].name, " new", HEADER_ADDED);
		if (verifies(f->a, &h, v, f->ed25519) != cases[i].want)
			fail_msg("%s added", cases[i].name);
	}
}

static void
test_from_is_always_signed(void **state)
{
	struct fixture *f = *state;
	struct headers h = { .arena = f->a };
	struct dkim_request r = request(f->ed25519);
	struct str v;

	r.nsign = r.noversign = 0;
	v = sign(f->a, &h, &r);
	expect_str("no fields", tag_of(f->a, v, "h"), STR("From"));
	add_field(&h, "from", " x", HEADER_KEPT);
	v = sign(f->a, &h, &r);
	expect_str("lists empty", tag_of(f->a, v, "h"), STR("From:From"));
}

static void
expect_lines(struct str value)
{
	size_t at = 0, start = sizeof("DKIM-Signature: ") - 1;

	for (;; start = 0) {
		size_t end = str_chr(value, '\n', at);

		if (start + end - at > 78)
			fail_msg("a line of %zu: %.*s", start + end - at,
			    STR_ARG(value));
		if (end == value.n)
			return;
		at = end + 1;
		assert_true(at < value.n && value.p[at] == '\t');
	}
}

static void
test_lines_are_short(void **state)
{
	struct fixture *f = *state;
	struct headers h;
	struct str names[90];

	rfc8463_message(&h, f->a);
	for (size_t i = 0; i < COUNT(names); i++) {
		names[i] = arena_printf(f->a, "X-%.*s%zu", (int)(i * 7 % 50),
		    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", i);
		add_field(&h, arena_cstr(f->a, names[i]), " v", HEADER_ADDED);
	}
	for (size_t n = 1; n <= 60; n++) {
		struct dkim_request r = request(n % 2 ? f->rsa : f->ed25519);
		struct str v;

		r.domain = str_make("a.very.long.domain.name.that.goes.on.and."
				    "on.example.com",
		    n % 55 + 1);
		r.selector = str_make(
		    "selector.with.dots.and.more.of.them.xyz", n % 39 + 1);
		r.sign = names;
		r.nsign = n + 30;
		v = sign(f->a, &h, &r);
		expect_lines(v);
		assert_true(verifies(f->a, &h, v, n % 2 ? f->rsa : f->ed25519));
	}
}

/* Oversigning does not reach for one that is not signed. */
static void
test_many_instances_are_bounded(void **state)
{
	static const struct {
		const char *name;
		size_t count, want; /* how often it stands in h= */
	} cases[] = {
		{ "To", 63, 64 }, /* the message has one already */
		{ "To", 20000, 64 },
		{ "Subject", 62, 64 },
		{ "Subject", 63, 65 },
		{ "Subject", 64, 64 },
		{ "Subject", 20000, 64 },
		{ "From", 20000, 64 },
		{ "Reply-To", 20000, 64 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dkim_request r = request(f->ed25519);
		struct str v, list, name = str_from(cases[i].name);
		struct headers h;
		size_t n = 0;

		rfc8463_message(&h, f->a);
		for (size_t j = 0; j < cases[i].count; j++)
			add_field(&h, cases[i].name, " x", HEADER_KEPT);
		v = sign(f->a, &h, &r);
		list = tag_of(f->a, v, "h");
		for (size_t at = 0; at < list.n;) {
			size_t end = str_chr(list, ':', at);

			n += str_eq(str_sub(list, at, end), name);
			at = end + 1;
		}
		if (n != cases[i].want)
			fail_msg("%zu of %s: %zu", cases[i].count,
			    cases[i].name, n);
		assert_true(verifies(f->a, &h, v, f->ed25519));
	}
}

static void
test_keys(void **state)
{
	struct fixture *f = *state;
	struct dkim_key *k = dkim_key_ref(f->rsa);

	assert_int_equal(dkim_key_algorithm(f->rsa), DKIM_RSA_SHA256);
	assert_int_equal(dkim_key_algorithm(f->ed25519), DKIM_ED25519_SHA256);
	assert_int_equal(dkim_key_bits(f->rsa), 1024);
	assert_int_equal(dkim_key_bits(f->ed25519), 256);
	expect_str("rsa", dkim_key_record(f->rsa, f->a), str_from(rsa_record));
	expect_str("ed25519", dkim_key_record(f->ed25519, f->a),
	    str_from(ed25519_record));
	dkim_key_free(&k);
	assert_null(k);
	dkim_key_free(&k);
	assert_int_equal(dkim_key_bits(f->rsa), 1024);
}

static void
test_created_keys_parse(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		enum dkim_algorithm alg =
		    i ? DKIM_ED25519_SHA256 : DKIM_RSA_SHA256;
		struct str pem = dkim_key_create(a, alg, 2048);
		struct str other = dkim_key_create(a, alg, 2048);
		const char *why = NULL;
		struct dkim_key *k = dkim_key_parse(exact(a, pem), &why);

		assert_non_null(k);
		assert_true(str_starts(pem, STR("-----BEGIN PRIVATE KEY---")));
		assert_int_equal(dkim_key_algorithm(k), alg);
		assert_int_equal(dkim_key_bits(k), i ? 256 : 2048);
		assert_false(str_eq(pem, other));
		dkim_key_free(&k);
	}
	arena_free(&a);
}

static struct str
public_pem(struct arena *a)
{
	return arena_printf(a,
	    "-----BEGIN PUBLIC KEY-----\n"
	    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
	    "-----END PUBLIC KEY-----\n");
}

static void
test_bad_keys(void **state)
{
	static const char ec[] =
	    "-----BEGIN EC PRIVATE KEY-----\n"
	    "MHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY/PuoAoGCCqGSM49\n"
	    "AwEHoUQDQgAEPR3tU2Fta9ktY+6P9G0cWO+0kETA6SFs38GecTyudlHz6xvCdz8q\n"
	    "EKTcWGekdmdDPsHloRNtsiCa697B2O9IFA==\n"
	    "-----END EC PRIVATE KEY-----\n";
	struct fixture *f = *state;
	struct str broken = arena_copy(f->a, str_from(rsa_pem));
	char *huge = arena_bytes(f->a, 70000);
	struct {
		const char *name;
		struct str pem;
		const char *want;
	} cases[] = {
		{ "empty", STR(""), "is no private key in PEM form" },
		{ "text", STR("hello\n"), "is no private key in PEM form" },
		{ "cut", str_make(rsa_pem, 300),
		    "is no private key in PEM form" },
		{ "public", public_pem(f->a), "is no private key in PEM form" },
		{ "encrypted",
		    STR("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII=\n"
			"-----END ENCRYPTED PRIVATE KEY-----\n"),
		    "is encrypted: a key without a passphrase is needed" },
		{ "elliptic curve", str_from(ec),
		    "is of another kind than RSA or Ed25519" },
		{ "modulus changed", broken,
		    "is damaged: its parts do not belong together" },
		{ "long", str_make(huge, 70000), "is longer than any key" },
	};

	memset(huge, 'x', 70000);
	/* in the second line of base64; OpenSSL mends a wrong prime itself */
	((char *)(uintptr_t)broken.p)[32 + 65 + 3] ^= 1;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *why = "";

		assert_null(dkim_key_parse(exact(f->a, cases[i].pem), &why));
		expect_str(
		    cases[i].name, str_from(why), str_from(cases[i].want));
	}
}

static void *
sign_in_thread(void *arg)
{
	struct fixture *f = arg;
	struct arena *a = arena_new();
	struct headers h;
	bool good = true;

	for (int i = 0; i < 30; i++) {
		struct dkim_key *k = i % 2 ? f->rsa : f->ed25519;
		struct dkim_request r = request(k);
		struct str v;

		rfc8463_message(&h, a);
		v = sign(a, &h, &r);
		good = good && verifies(a, &h, v, k);
		arena_reset(a);
	}
	arena_free(&a);
	return good ? f : NULL;
}

static void
test_threads_share_keys(void **state)
{
	pthread_t threads[4];

	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, sign_in_thread, *state),
		    0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		void *good;

		assert_int_equal(pthread_join(threads[i], &good), 0);
		assert_non_null(good);
	}
}

/* libopendkim loses 512 octets with each Ed25519 signature. */
static void
test_signing_does_not_leak(void **state)
{
	struct fixture *f = *state;
	struct arena *a = arena_new();
	const char *why;
	struct dkim_key *key =
	    dkim_key_parse_for(&dkim_native, ed25519_pem(f->a), &why);
	size_t before = 0;

	assert_non_null(key);
	for (int i = 0; i < 4000; i++) {
		struct headers h;
		struct dkim_request r = request(key);

		if (i == 1000)
			before = mallinfo2().uordblks;
		rfc8463_message(&h, a);
		assert_true(sign(a, &h, &r).n > 0);
		arena_reset(a);
	}
	assert_true(mallinfo2().uordblks < before + 65536);
	dkim_key_free(&key);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc8463_example),
		cmocka_unit_test(test_header_data_order),
		cmocka_unit_test(test_sign_fields),
		cmocka_unit_test(test_sign_several_times),
		cmocka_unit_test(test_added_fields_break_oversigned),
		cmocka_unit_test(test_from_is_always_signed),
		cmocka_unit_test(test_lines_are_short),
		cmocka_unit_test(test_many_instances_are_bounded),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_created_keys_parse),
		cmocka_unit_test(test_bad_keys),
		cmocka_unit_test(test_threads_share_keys),
		cmocka_unit_test(test_signing_does_not_leak),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
