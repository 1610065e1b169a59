/*
 * test_siv.c - lib/base/siv: the vectors of RFC 5297, and octet for octet what
 * OpenSSL's own AES-SIV gives.
 */
#include "unit.h"

#include <openssl/evp.h>
#include <pthread.h>

#include "base/siv.h"

#define LEN(v) (sizeof(v) / sizeof((v)[0]))

static struct str
unhex(struct arena *a, const char *hex)
{
	size_t n = strlen(hex) / 2;
	char *p = arena_bytes(a, n);

	for (size_t i = 0; i < n; i++)
		p[i] = (char)(str_hex(hex[2 * i]) << 4 |
		    str_hex(hex[2 * i + 1]));
	return exact(a, str_make(p, n));
}

/* n octets that are random enough, other ones with each call. */
static struct str
some_octets(struct arena *a, uint32_t *seed, size_t n)
{
	char *p = arena_bytes(a, n);

	for (size_t i = 0; i < n; i++) {
		*seed = *seed * 1664525u + 1013904223u;
		p[i] = (char)(*seed >> 24);
	}
	return exact(a, str_make(p, n));
}

static struct siv *
keyed(struct str key)
{
	struct siv *s = siv_new((const unsigned char *)key.p, key.n);

	assert_non_null(s);
	return s;
}

static void
associate(struct siv *s, const struct str *data, size_t n)
{
	siv_restart(s);
	for (size_t i = 0; i < n; i++)
		siv_associate(s, data[i].p, data[i].n);
}

/* The tag, then the encrypted text: one block as RFC 5297 prints it. */
static struct str
encrypt(struct arena *a, struct siv *s, struct str text)
{
	char *out = malloc(SIV_SIZE + text.n);

	assert_non_null(out);
	arena_on_free(a, free, out);
	siv_encrypt(s, text.p, text.n, (unsigned char *)out, out + SIV_SIZE);
	return str_make(out, SIV_SIZE + text.n);
}

static bool
decrypts(struct arena *a, struct siv *s, struct str sealed, struct str *text)
{
	struct str copy = exact(a, sealed);
	unsigned char *p = (unsigned char *)(uintptr_t)copy.p;

	*text = str_make(copy.p + SIV_SIZE, copy.n - SIV_SIZE);
	return siv_decrypt(s, p + SIV_SIZE, text->n, p, p + SIV_SIZE);
}

/* What OpenSSL gives. */
static struct str
oracle(struct arena *a, struct str key, const struct str *data, size_t n,
    struct str text)
{
	unsigned char *out = arena_alloc(a, SIV_SIZE + text.n);
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL,
	    key.n == 32 ? "AES-128-SIV" : "AES-256-SIV", NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len;

	assert_int_equal(EVP_EncryptInit_ex2(ctx, cipher,
	    (const unsigned char *)key.p, NULL, NULL), 1);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(EVP_EncryptUpdate(ctx, NULL, &len,
		    (const unsigned char *)data[i].p, (int)data[i].n), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, out + SIV_SIZE, &len,
	    (const unsigned char *)text.p, (int)text.n), 1);
	assert_int_equal(EVP_EncryptFinal_ex(ctx, out + SIV_SIZE + len, &len),
	    1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG,
	    SIV_SIZE, out), 1);
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	return str_make((char *)out, SIV_SIZE + text.n);
}

/* RFC 5297, appendices A.1 and A.2 (the nonce is the last piece of data). */
static const struct {
	const char *name, *key, *data[3], *text, *want;
} vectors[] = {
	{ "A.1",
	    "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0"
	    "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
	    { "101112131415161718191a1b1c1d1e1f2021222324252627" },
	    "112233445566778899aabbccddee",
	    "85632d07c6e8f37f950acd320a2ecc93"
	    "40c02b9690c4dc04daef7f6afe5c" },
	{ "A.2",
	    "7f7e7d7c7b7a79787776757473727170"
	    "404142434445464748494a4b4c4d4e4f",
	    { "00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa9988"
	      "7766554433221100",
		"102030405060708090a0", "09f911029d74e35bd84156c5635688c0" },
	    "7468697320697320736f6d6520706c61696e7465787420746f20656e63727970"
	    "74207573696e67205349562d414553",
	    "7bdb6e3b432667eb06f4d14bff2fbd0f"
	    "cb900f2fddbe404326601965c889bf17dba77ceb094fa663b7a3f748ba8af829"
	    "ea64ad544a272e9c485b62a3fd5c0d" },
};

static void
test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(vectors); i++) {
		struct arena *a = arena_new();
		struct siv *s = keyed(unhex(a, vectors[i].key));
		struct str text = unhex(a, vectors[i].text), got;
		struct str want = unhex(a, vectors[i].want);

		for (size_t j = 0; j < 3 && vectors[i].data[j] != NULL; j++) {
			struct str data = unhex(a, vectors[i].data[j]);

			siv_associate(s, data.p, data.n);
		}
		/* again and again: one text leaves nothing to the next */
		for (int j = 0; j < 3; j++) {
			got = encrypt(a, s, text);
			if (!str_eq(got, want))
				fail_msg("%s, time %d", vectors[i].name, j);
			assert_true(decrypts(a, s, want, &got));
			expect_str(vectors[i].name, got, text);
		}
		siv_free(&s);
		assert_null(s);
		siv_free(&s);
		arena_free(&a);
	}
}

/* Every length around the blocks' ends, under one context. */
static void
test_lengths(void **state)
{
	static const size_t keys[] = { 32, 64 };
	uint32_t seed = 7;

	(void)state;
	for (size_t i = 0; i < LEN(keys); i++) {
		struct arena *a = arena_new();
		struct str key = some_octets(a, &seed, keys[i]), got;
		struct siv *s = keyed(key);

		for (size_t n = 1; n <= SIV_MAX_TEXT;
		    n += n < 300 || n > SIV_MAX_TEXT - 40 ? 1 : 37) {
			struct str text = some_octets(a, &seed, n);
			struct str data[2];

			data[0] = some_octets(a, &seed, 1 + n % 70);
			data[1] = some_octets(a, &seed, 1 + n % 33);
			associate(s, data, n % 3);
			got = encrypt(a, s, text);
			if (!str_eq(got, oracle(a, key, data, n % 3, text)))
				fail_msg("%zu octets", n);
			assert_true(decrypts(a, s, got, &got));
			expect_str("back", got, text);
		}
		siv_free(&s);
		arena_free(&a);
	}
}

static void
test_lengths_of_data(void **state)
{
	struct arena *a = arena_new();
	uint32_t seed = 3;
	struct str key = some_octets(a, &seed, 64);
	struct siv *s = keyed(key);

	(void)state;
	for (size_t n = 1; n <= 330; n++) {
		struct str data = some_octets(a, &seed, n);
		struct str text = some_octets(a, &seed, 1 + n * 5 % 100);

		associate(s, &data, 1);
		expect_str("data", encrypt(a, s, text),
		    oracle(a, key, &data, 1, text));
	}
	siv_free(&s);
	arena_free(&a);
}

/* Enough texts that the counter carries over two octets some times. */
static void
test_many_texts(void **state)
{
	struct arena *a = arena_new();
	uint32_t seed = 11;
	struct str key = some_octets(a, &seed, 64);
	struct str data = some_octets(a, &seed, 19);
	struct siv *s = keyed(key);

	(void)state;
	associate(s, &data, 1);
	for (int i = 0; i < 4000; i++) {
		struct arena *b = arena_new();
		struct str text = some_octets(b, &seed, 2000);

		if (!str_eq(encrypt(b, s, text),
		    oracle(b, key, &data, 1, text)))
			fail_msg("text %d", i);
		arena_free(&b);
	}
	siv_free(&s);
	arena_free(&a);
}

/*
 * Nothing is a text and a piece of data too (RFC 5297 section 2.4 pads it).
 * OpenSSL 3.0 is no oracle here: it takes an empty update for none.
 */
static void
test_nothing(void **state)
{
	struct arena *a = arena_new();
	uint32_t seed = 5;
	struct siv *s = keyed(some_octets(a, &seed, 64));
	struct str none, empty, two, got;

	(void)state;
	none = encrypt(a, s, STR(""));
	assert_int_equal(none.n, SIV_SIZE);
	siv_associate(s, NULL, 0);
	empty = encrypt(a, s, STR(""));
	siv_associate(s, "", 0);
	two = encrypt(a, s, STR(""));
	assert_false(str_eq(none, empty) || str_eq(empty, two));
	assert_true(decrypts(a, s, two, &got));
	assert_false(decrypts(a, s, empty, &got));
	siv_restart(s);
	expect_str("restarted", encrypt(a, s, STR("")), none);
	siv_free(&s);
	arena_free(&a);
}

static void
test_in_place(void **state)
{
	struct arena *a = arena_new();
	uint32_t seed = 2;
	struct siv *s = keyed(some_octets(a, &seed, 64));

	(void)state;
	for (size_t n = 0; n < 70; n++) {
		struct str text = some_octets(a, &seed, n), want, copy;
		unsigned char tag[SIV_SIZE];

		want = encrypt(a, s, text);
		copy = exact(a, text);
		siv_encrypt(s, copy.p, n, tag, (char *)(uintptr_t)copy.p);
		assert_memory_equal(tag, want.p, SIV_SIZE);
		expect_str("text", copy, str_sub(want, SIV_SIZE, want.n));
	}
	siv_free(&s);
	arena_free(&a);
}

/* Any bit of tag or text, other data, another key: refused, and wiped. */
static void
test_changes_are_refused(void **state)
{
	static const size_t lengths[] = { 1, 9, 15, 16, 17, 33, 100 };
	struct arena *a = arena_new();
	uint32_t seed = 9;
	struct siv *s = keyed(some_octets(a, &seed, 64));
	struct siv *other = keyed(some_octets(a, &seed, 64));
	struct str got;

	(void)state;
	for (size_t i = 0; i < LEN(lengths); i++) {
		struct str text = some_octets(a, &seed, lengths[i]), sealed;
		char *p;

		siv_restart(s);
		siv_associate(s, "data", 4);
		sealed = encrypt(a, s, text);
		p = (char *)(uintptr_t)sealed.p;
		for (size_t bit = 0; bit < sealed.n * 8; bit++) {
			p[bit / 8] = (char)(p[bit / 8] ^ 1 << bit % 8);
			if (decrypts(a, s, sealed, &got))
				fail_msg("bit %zu", bit);
			for (size_t j = 0; j < got.n; j++)
				assert_int_equal(got.p[j], 0);
			p[bit / 8] = (char)(p[bit / 8] ^ 1 << bit % 8);
		}
		assert_true(decrypts(a, s, sealed, &got));
		assert_false(decrypts(a, other, sealed, &got));
		siv_associate(s, "", 0);
		assert_false(decrypts(a, s, sealed, &got));
		assert_false(decrypts(a, s, str_sub(sealed, 0, sealed.n - 1),
		    &got));
	}
	siv_free(&s);
	siv_free(&other);
	arena_free(&a);
}

static void
test_too_long(void **state)
{
	static const unsigned char tag[SIV_SIZE];
	struct arena *a = arena_new();
	uint32_t seed = 1;
	struct siv *s = keyed(some_octets(a, &seed, 64));
	struct str text = some_octets(a, &seed, SIV_MAX_TEXT + 1);
	char *out = arena_alloc(a, text.n);

	(void)state;
	assert_false(siv_decrypt(s, text.p, text.n, tag, out));
	assert_int_equal(out[0], 0);
	siv_free(&s);
	arena_free(&a);
}

/* A copy is as its origin was, and goes its own way from then on. */
static void
test_copies(void **state)
{
	struct arena *a = arena_new();
	uint32_t seed = 4;
	struct siv *s = keyed(some_octets(a, &seed, 64)), *copy;
	struct str text = some_octets(a, &seed, 50), want;

	(void)state;
	siv_associate(s, "data", 4);
	want = encrypt(a, s, text);
	copy = siv_copy(s);
	siv_associate(s, "more", 4);
	encrypt(a, s, some_octets(a, &seed, 77));
	expect_str("copy", encrypt(a, copy, text), want);
	siv_free(&s);
	expect_str("alone", encrypt(a, copy, text), want);
	siv_free(&copy);
	arena_free(&a);
}

static void *
copy_in_thread(void *arg)
{
	const struct siv *shared = arg;
	struct arena *a = arena_new();
	struct siv *s = siv_copy(shared);
	struct str want = encrypt(a, s, STR("the text of all"));
	void *good = arg;

	siv_free(&s);
	for (int i = 0; i < 500 && good != NULL; i++) {
		struct arena *b = arena_new();

		s = siv_copy(shared);
		encrypt(b, s, str_sub(STR("to stir it well"), 0,
		    (size_t)i % 16));
		if (!str_eq(encrypt(b, s, STR("the text of all")), want))
			good = NULL;
		siv_free(&s);
		arena_free(&b);
	}
	arena_free(&a);
	return good;
}

static void
test_threads_copy_one(void **state)
{
	struct arena *a = arena_new();
	uint32_t seed = 6;
	struct siv *s = keyed(some_octets(a, &seed, 64));
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
		    copy_in_thread, s), 0);
	for (size_t i = 0; i < LEN(threads); i++) {
		void *good;

		assert_int_equal(pthread_join(threads[i], &good), 0);
		assert_non_null(good);
	}
	siv_free(&s);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_lengths_of_data),
		cmocka_unit_test(test_many_texts),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_in_place),
		cmocka_unit_test(test_changes_are_refused),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_threads_copy_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
