/*
 * test_token.c - lib/bulkhead/token*: sealing, opening, refusing, key files.
 */
#include "unit.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/hash.h"
#include "bulkhead/token.h"

#define TEXT(lit)                                                              \
	{                                                                      \
		(lit), sizeof(lit) - 1                                         \
	}
#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

/* A line of a key file whose 64 bytes all are `fill`. */
static struct str
key_line(struct arena *a, const char *name, int fill)
{
	unsigned char key[TOKEN_KEY_SIZE];
	char text[BASE64_SIZE(TOKEN_KEY_SIZE)];

	memset(key, fill, sizeof(key));
	return arena_printf(a, "%s %.*s\n", name,
	    (int)base64_write(text, key, sizeof(key)), text);
}

static struct token_keys *
parse(struct arena *a, struct str text)
{
	struct str why = STR("");
	struct token_keys *k = token_keys_parse(a, exact(a, text), &why);

	if (k == NULL)
		fail_msg("keys refused: %.*s", STR_ARG(why));
	return k;
}

struct fixture {
	struct arena *a;
	struct token_keys *keys;
	struct token_sealer *sealer;
};

static const struct str host = TEXT("t.example.com");

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->a = arena_new();
	f->keys = parse(f->a, key_line(f->a, "2026a", 7));
	f->sealer = token_sealer_new(f->keys, host);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	token_sealer_free(&f->sealer);
	token_keys_free(&f->keys);
	arena_free(&f->a);
	free(f);
	return 0;
}

static const struct token sample = {
	.kind = TOKEN_CLICK,
	.domain = TEXT("example.com"),
	.stream = 0x89abcdef,
	.campaign = TEXT("spring"),
	.list = TEXT("<news.example.com>"),
	.recipient = TEXT("jane@example.net"),
	.hours = 490896,
	.url = TEXT("https://www.example.com/offer?id=1&x=%20#top"),
};

static void
expect_token(const struct token *got, const struct token *want)
{
	assert_int_equal(got->kind, want->kind);
	assert_int_equal(got->stream, want->stream);
	assert_int_equal(got->hours, want->hours);
	expect_str("domain", got->domain, want->domain);
	expect_str("campaign", got->campaign, want->campaign);
	expect_str("list", got->list, want->list);
	expect_str("recipient", got->recipient, want->recipient);
	expect_str("url", got->url, want->url);
}

static struct str
seal(struct fixture *f, const struct token *t)
{
	struct str text;

	assert_int_equal(token_seal(f->sealer, f->a, t, &text), 0);
	return exact(f->a, text);
}

static bool
opens(struct fixture *f, enum token_kind kind, struct str at, struct str text)
{
	struct token t;

	return token_open(f->a, f->keys, kind, at, text, &t) == 0;
}

static void
test_round_trips(void **state)
{
	static const uint32_t hours[] = { 0, 1, 127, 128, 16383, 16384, 490896,
		0x0fffffff, 0x10000000, 0xffffffff };
	static const enum token_kind kinds[] = { TOKEN_CLICK, TOKEN_OPEN,
		TOKEN_UNSUBSCRIBE, TOKEN_UNDO };
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(hours) * COUNT(kinds) * 2; i++) {
		struct token t = sample, got;

		t.hours = hours[i % COUNT(hours)];
		t.kind = kinds[i % COUNT(kinds)];
		if (t.kind != TOKEN_CLICK && t.kind != TOKEN_UNDO)
			t.url = STR("");
		if (i % 2)
			t.campaign = t.list = t.recipient = STR("");
		assert_int_equal(
		    token_open(f->a, f->keys, t.kind, host, seal(f, &t), &got),
		    0);
		expect_token(&got, &t);
	}
}

static void
test_any_bytes_in_any_part(void **state)
{
	static const struct str odd[] = { TEXT(""), TEXT("\0"),
		TEXT("\xff\xfe\0\x80"), TEXT("a b\r\nc"), TEXT("\xc3\xa9") };
	struct fixture *f = *state;
	struct token t = sample, got;

	for (size_t i = 0; i < COUNT(odd); i++) {
		t.domain = odd[i];
		t.campaign = odd[(i + 1) % COUNT(odd)];
		t.list = odd[(i + 2) % COUNT(odd)];
		t.recipient = odd[(i + 3) % COUNT(odd)];
		t.url = odd[(i + 4) % COUNT(odd)];
		assert_int_equal(token_open(f->a, f->keys, TOKEN_CLICK, host,
				     seal(f, &t), &got),
		    0);
		expect_token(&got, &t);
	}
}

static void
test_is_deterministic(void **state)
{
	struct fixture *f = *state;
	struct token_sealer *again = token_sealer_new(f->keys, host);
	struct token other = sample;
	struct str one = seal(f, &sample), two;

	other.hours++;
	assert_false(str_eq(seal(f, &other), one));
	expect_str("same sealer", seal(f, &sample), one);
	assert_int_equal(token_seal(again, f->a, &sample, &two), 0);
	expect_str("new sealer", two, one);
	token_sealer_free(&again);
	assert_null(again);
	token_sealer_free(&again);
}

/* The format in full, sealed without siv.c. */
static void
test_is_what_openssl_makes(void **state)
{
	struct fixture *f = *state;
	const struct token_key *key = token_keys_at(f->keys, 0);
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-SIV", NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	struct str ad = arena_printf(f->a, "c\1%c%c%c%ct.example.com",
	    (char)(key->id >> 24), (char)(key->id >> 16),
	    (char)(key->id >> 8), (char)key->id);
	struct str in = arena_printf(f->a,
	    "\x89\xab\xcd\xef\x90\xfb\x1d\x0b%s\x06%s\x12%s\x10%s%s",
	    "example.com", "spring", "<news.example.com>", "jane@example.net",
	    "https://www.example.com/offer?id=1&x=%20#top");
	unsigned char out[5 + 16 + 200];
	int len;

	memcpy(out, ad.p + 1, 5);
	assert_int_equal(EVP_EncryptInit_ex2(ctx, cipher, key->key, NULL,
	    NULL), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, NULL, &len,
	    (const unsigned char *)ad.p, (int)ad.n), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, out + 21, &len,
	    (const unsigned char *)in.p, (int)in.n), 1);
	assert_int_equal(EVP_EncryptFinal_ex(ctx, out + 21 + len, &len), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16,
	    out + 5), 1);
	expect_str("token", seal(f, &sample),
	    base64url_encode(f->a, out, 21 + in.n));
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
}

static void
test_url_is_for_clicks_alone(void **state)
{
	struct fixture *f = *state;
	struct token t = sample, got;

	t.kind = TOKEN_OPEN;
	assert_int_equal(
	    token_open(f->a, f->keys, TOKEN_OPEN, host, seal(f, &t), &got), 0);
	expect_str("url", got.url, STR(""));
}

static void
test_wrong_kind_or_host(void **state)
{
	struct fixture *f = *state;
	struct token t = sample;

	t.url = STR("");
	t.kind = TOKEN_OPEN;
	assert_true(opens(f, TOKEN_OPEN, host, seal(f, &t)));
	assert_true(opens(f, TOKEN_OPEN, STR("T.Example.COM"), seal(f, &t)));
	assert_false(opens(f, TOKEN_UNSUBSCRIBE, host, seal(f, &t)));
	assert_false(opens(f, TOKEN_CLICK, host, seal(f, &t)));
	assert_false(opens(f, TOKEN_UNDO, host, seal(f, &t)));
	assert_false(opens(f, TOKEN_OPEN, STR("t.example.org"), seal(f, &t)));
	assert_false(opens(f, TOKEN_OPEN, STR(""), seal(f, &t)));
	assert_false(
	    opens(f, TOKEN_OPEN, STR("t.example.com:8443"), seal(f, &t)));
	t.kind = TOKEN_UNDO;
	t.url = STR("1796112000");
	assert_true(opens(f, TOKEN_UNDO, host, seal(f, &t)));
	assert_false(opens(f, TOKEN_UNSUBSCRIBE, host, seal(f, &t)));
	assert_false(opens(f, TOKEN_CLICK, host, seal(f, &t)));
	assert_false(opens(f, TOKEN_OPEN, host, seal(f, &t)));
}

static void
test_every_changed_bit_is_refused(void **state)
{
	struct fixture *f = *state;
	struct str text = seal(f, &sample), binary;

	assert_int_equal(base64url_decode(f->a, text, &binary), 0);
	for (size_t bit = 0; bit < binary.n * 8; bit++) {
		struct arena *a = arena_new();
		char *copy = arena_bytes(a, binary.n);
		struct token t;

		memcpy(copy, binary.p, binary.n);
		copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
		if (token_open(a, f->keys, TOKEN_CLICK, host,
			base64url_encode(a, copy, binary.n), &t) == 0)
			fail_msg("bit %zu changed", bit);
		arena_free(&a);
	}
}

static void
test_every_other_text_is_refused(void **state)
{
	struct fixture *f = *state;
	struct str text = seal(f, &sample);

	assert_true(opens(f, TOKEN_CLICK, host, text));
	for (size_t n = 0; n < text.n; n++)
		if (opens(
			f, TOKEN_CLICK, host, exact(f->a, str_sub(text, 0, n))))
			fail_msg("cut to %zu", n);
	for (size_t i = 0; i < text.n; i++)
		for (int c = 1; c < 256; c += 5) {
			struct str t = exact(f->a, text);

			((char *)(uintptr_t)t.p)[i] ^= (char)c;
			if (opens(f, TOKEN_CLICK, host, t))
				fail_msg("octet %zu", i);
		}
	assert_false(opens(
	    f, TOKEN_CLICK, host, arena_printf(f->a, "%.*sA", STR_ARG(text))));
	assert_false(opens(
	    f, TOKEN_CLICK, host, arena_printf(f->a, "%.*s==", STR_ARG(text))));
	assert_false(opens(
	    f, TOKEN_CLICK, host, arena_printf(f->a, " %.*s", STR_ARG(text))));
}

static void
test_random_input_is_refused(void **state)
{
	struct fixture *f = *state;
	uint32_t seed = 1;

	for (int i = 0; i < 2000; i++) {
		struct arena *a = arena_new();
		size_t n = (size_t)i % 97;
		char *p = arena_bytes(a, n + 5);
		struct token t;

		for (size_t j = 0; j < n; j++) {
			seed = seed * 1664525u + 1013904223u;
			p[j] = (char)(seed >> 24);
		}
		if (i % 2 && n >= 5) {
			uint32_t id = hash_id32(STR("2026a"));

			p[0] = 1;
			for (int k = 0; k < 4; k++)
				p[1 + k] = (char)(id >> (24 - 8 * k));
		}
		assert_int_equal(token_open(a, f->keys, TOKEN_OPEN, host,
				     base64url_encode(a, p, n), &t),
		    -1);
		assert_int_equal(token_open(a, f->keys, TOKEN_OPEN, host,
				     exact(a, str_make(p, n)), &t),
		    -1);
		arena_free(&a);
	}
}

static void
test_size_is_bounded(void **state)
{
	struct fixture *f = *state;
	char *url = arena_bytes(f->a, 4000), *big = arena_bytes(f->a, 2600);
	struct token t = sample, got;
	size_t longest = 0;

	memset(url, 'u', 4000);
	for (size_t n = 1200; n < 1600; n++) {
		struct str text;

		t.url = exact(f->a, str_make(url, n));
		if (token_seal(f->sealer, f->a, &t, &text) != 0)
			continue;
		assert_int_equal(n, longest ? longest + 1 : 1200);
		longest = n;
		assert_true(text.n <= TOKEN_MAX_SIZE);
		assert_int_equal(
		    token_open(f->a, f->keys, TOKEN_CLICK, host, text, &got),
		    0);
		expect_str("url", got.url, t.url);
	}
	assert_true(longest > 1350 && longest < 1500);
	for (size_t n = 1400; n < 4000; n += 100) {
		struct str text;
		struct token u = sample;

		u.recipient = str_make(url, n);
		if (n > 1500)
			assert_int_equal(
			    token_seal(f->sealer, f->a, &u, &text), -1);
	}
	memset(big, 'A', 2600);
	assert_false(opens(f, TOKEN_CLICK, host, str_make(big, 2001)));
	assert_false(opens(f, TOKEN_CLICK, host, str_make(big, 2000)));
}

static void
test_hosts_are_bounded(void **state)
{
	struct fixture *f = *state;
	char *name = arena_bytes(f->a, 1000);
	struct token_sealer *s;
	struct str text;

	memset(name, 'h', 1000);
	s = token_sealer_new(f->keys, str_make(name, 1000));
	assert_int_equal(token_seal(s, f->a, &sample, &text), -1);
	token_sealer_free(&s);
	assert_false(
	    opens(f, TOKEN_CLICK, str_make(name, 1000), seal(f, &sample)));
	s = token_sealer_new(f->keys, STR(""));
	assert_int_equal(token_seal(s, f->a, &sample, &text), 0);
	assert_true(opens(f, TOKEN_CLICK, STR(""), text));
	token_sealer_free(&s);
}

static void
test_keys_rotate(void **state)
{
	struct fixture *f = *state;
	struct str old = key_line(f->a, "2026a", 7);
	struct str new = key_line(f->a, "2027a", 9);
	struct str same_name = key_line(f->a, "2026a", 8);
	struct token_keys *added = parse(
	    f->a, arena_printf(f->a, "%.*s%.*s", STR_ARG(old), STR_ARG(new)));
	struct token_keys *promoted = parse(
	    f->a, arena_printf(f->a, "%.*s%.*s", STR_ARG(new), STR_ARG(old)));
	struct token_keys *removed = parse(f->a, new);
	struct token_keys *replaced = parse(f->a, same_name);
	struct token_sealer *s = token_sealer_new(promoted, host);
	struct str text = seal(f, &sample), young;
	struct token t;

	assert_int_equal(token_seal(s, f->a, &sample, &young), 0);
	assert_int_equal(
	    token_open(f->a, added, TOKEN_CLICK, host, text, &t), 0);
	assert_int_equal(
	    token_open(f->a, added, TOKEN_CLICK, host, young, &t), 0);
	expect_token(&t, &sample);
	assert_int_equal(
	    token_open(f->a, promoted, TOKEN_CLICK, host, text, &t), 0);
	assert_int_equal(
	    token_open(f->a, removed, TOKEN_CLICK, host, text, &t), -1);
	assert_int_equal(
	    token_open(f->a, replaced, TOKEN_CLICK, host, text, &t), -1);
	expect_str("old", token_key_name(added, text), STR("2026a"));
	expect_str("new", token_key_name(added, young), STR("2027a"));
	expect_str("gone", token_key_name(removed, text), STR(""));
	expect_str("no token", token_key_name(added, STR("hello")), STR(""));
	token_sealer_free(&s);
	token_keys_free(&added);
	token_keys_free(&promoted);
	token_keys_free(&removed);
	token_keys_free(&replaced);
}

static void
test_key_files(void **state)
{
	struct fixture *f = *state;
	struct str one = key_line(f->a, "a.b_c-1", 1);
	struct str two = key_line(f->a, "2026b", 2);
	struct token_keys *k = parse(
	    f->a, arena_printf(f->a, "# keys\r\n\n  \t\n%.*s   # more\n\t%.*s",
		      STR_ARG(one), (int)two.n - 1, two.p));
	struct token_keys *ref = token_keys_ref(k);

	assert_int_equal(token_keys_count(k), 2);
	expect_str("first", token_keys_at(k, 0)->name, STR("a.b_c-1"));
	expect_str("second", token_keys_at(k, 1)->name, STR("2026b"));
	assert_int_equal(token_keys_at(k, 1)->id, hash_id32(STR("2026b")));
	assert_int_equal(token_keys_at(k, 1)->key[TOKEN_KEY_SIZE - 1], 2);
	token_keys_free(&k);
	assert_null(k);
	assert_int_equal(token_keys_count(ref), 2);
	token_keys_free(&ref);
	token_keys_free(&ref);
}

static void
test_bad_key_files(void **state)
{
	struct fixture *f = *state;
	struct str good = key_line(f->a, "2026a", 1);
	struct str many = STR("");
	struct {
		const char *name;
		struct str text;
		const char *want; /* how the reason starts */
	} cases[] = {
		{ "empty", STR(""), "there is no key" },
		{ "comments", STR("# x\n\n"), "there is no key" },
		{ "name alone", STR("2026a"), "line 1: " },
		{ "no base64", STR("\n2026a x!\n"), "line 2: " },
		{ "short", STR("2026a AAAA\n"), "line 1: a key has 64 bytes" },
		{ "long",
		    arena_printf(
			f->a, "x AAAA%.*s", (int)good.n - 6, good.p + 6),
		    "line 1: a key has 64 bytes" },
		{ "two on a line",
		    arena_printf(f->a, "%.*s x", (int)good.n - 1, good.p),
		    "line 1: " },
		{ "bad name", key_line(f->a, "a/b", 1), "line 1: a name is" },
		{ "8-bit name", key_line(f->a, "\xe9", 1),
		    "line 1: a name is" },
		{ "same name",
		    arena_printf(
			f->a, "%.*s\n%.*s", STR_ARG(good), STR_ARG(good)),
		    "line 3: there is a key of this name" },
		{ "NUL", STR("\0\0 x\n"), "line 1: a name is" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct str why = STR("");

		assert_null(
		    token_keys_parse(f->a, exact(f->a, cases[i].text), &why));
		if (!str_starts(why, str_from(cases[i].want)))
			fail_msg("%s: %.*s", cases[i].name, STR_ARG(why));
	}
	for (int i = 0; i < 101; i++) {
		char name[16];
		struct str why = STR("");

		snprintf(name, sizeof(name), "k%d", i);
		many = arena_printf(f->a, "%.*s%.*s", STR_ARG(many),
		    STR_ARG(key_line(f->a, name, i)));
		if (i == 99) {
			struct token_keys *k = parse(f->a, many);

			assert_int_equal(token_keys_count(k), 100);
			token_keys_free(&k);
		}
		if (i == 100)
			assert_null(token_keys_parse(f->a, many, &why));
	}
}

/* Two names with one id, found by search. */
static void
test_names_of_one_id(void **state)
{
	struct fixture *f = *state;
	struct str a = key_line(f->a, "k153629", 1);
	struct str b = key_line(f->a, "k164064", 2);
	struct str why = STR("");

	assert_int_equal(hash_id32(STR("k153629")), hash_id32(STR("k164064")));
	assert_null(token_keys_parse(f->a,
	    arena_printf(f->a, "%.*s%.*s", STR_ARG(a), STR_ARG(b)), &why));
	assert_true(str_starts(why, STR("line 2: another name")));
}

static void *
seal_in_thread(void *arg)
{
	struct token_keys *k = token_keys_ref(arg);
	struct token_sealer *s = token_sealer_new(k, host);
	struct arena *a = arena_new();
	bool good = true;

	for (int i = 0; i < 500; i++) {
		struct token t = sample, got;
		struct str text;

		t.hours = (uint32_t)i;
		good = good && token_seal(s, a, &t, &text) == 0 &&
		       token_open(a, k, TOKEN_CLICK, host, text, &got) == 0 &&
		       got.hours == t.hours;
		arena_reset(a);
	}
	arena_free(&a);
	token_sealer_free(&s);
	token_keys_free(&k);
	return good ? arg : NULL;
}

static void
test_threads_share_keys(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[4];

	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, seal_in_thread, f->keys),
		    0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		void *good;

		assert_int_equal(pthread_join(threads[i], &good), 0);
		assert_non_null(good);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_any_bytes_in_any_part),
		cmocka_unit_test(test_is_deterministic),
		cmocka_unit_test(test_is_what_openssl_makes),
		cmocka_unit_test(test_url_is_for_clicks_alone),
		cmocka_unit_test(test_wrong_kind_or_host),
		cmocka_unit_test(test_every_changed_bit_is_refused),
		cmocka_unit_test(test_every_other_text_is_refused),
		cmocka_unit_test(test_random_input_is_refused),
		cmocka_unit_test(test_size_is_bounded),
		cmocka_unit_test(test_hosts_are_bounded),
		cmocka_unit_test(test_keys_rotate),
		cmocka_unit_test(test_key_files),
		cmocka_unit_test(test_bad_key_files),
		cmocka_unit_test(test_names_of_one_id),
		cmocka_unit_test(test_threads_share_keys),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
