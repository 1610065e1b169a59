/*
 * fuzz_token.c - what opens was sealed, whatever is changed is refused, and
 * the payload's reader sees any octets, sealed with the key for it.
 *
 * First octet: 0 a token's text, 1 a payload, 2 a key file, else the fields
 * of a token and what to change in its text.
 */
#include "tests/fuzz/fuzz.h"

#include <openssl/evp.h>

#include "base/base64.h"
#include "bulkhead/token.h"
#include "bulkhead/token_keys.h"

#define HOST STR("t.example.com")
#define HEAD 5 /* version and key id */
#define SIV  16

static struct token_keys *
the_keys(void)
{
	static struct token_keys *keys;
	char key[TOKEN_KEY_SIZE], text[BASE64_SIZE(TOKEN_KEY_SIZE)];
	struct arena *a = arena_new();
	struct str why;

	if (keys == NULL) {
		memset(key, 't', sizeof(key));
		base64_write(text, key, sizeof(key));
		keys = token_keys_parse(a, arena_printf(a, "a %.*s\n",
		    (int)sizeof(text), text), &why);
		EXPECT(keys != NULL);
	}
	arena_free(&a);
	return keys;
}

static void
check_same(const struct token *got, const struct token *want)
{
	EXPECT(got->kind == want->kind && got->stream == want->stream &&
	    got->hours == want->hours);
	EXPECT_SAME(got->domain, want->domain);
	EXPECT_SAME(got->campaign, want->campaign);
	EXPECT_SAME(got->list, want->list);
	EXPECT_SAME(got->recipient, want->recipient);
	EXPECT_SAME(got->url,
	    want->kind == TOKEN_CLICK ? want->url : STR(""));
}

static int
seal(struct arena *a, const struct token *t, struct str *out)
{
	struct token_sealer *s = token_sealer_new(the_keys(), HOST);
	int rc = token_seal(s, a, t, out);

	token_sealer_free(&s);
	return rc;
}

/* There is one text for each token: what opens is what would be sealed. */
static void
check_text(struct arena *a, enum token_kind kind, struct str text)
{
	struct token t;
	struct str again;

	if (token_open(a, the_keys(), kind, HOST, text, &t) != 0)
		return;
	EXPECT(seal(a, &t, &again) == 0);
	EXPECT_SAME(again, text);
}

/* Any payload, sealed without token_seal(). */
static struct str
seal_payload(struct arena *a, enum token_kind kind, struct str payload)
{
	unsigned char *out = arena_alloc(a, HEAD + SIV + payload.n), ad[32];
	const struct token_key *key = token_keys_at(the_keys(), 0);
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-SIV", NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len;

	out[0] = 1;
	for (int i = 0; i < 4; i++)
		out[1 + i] = (unsigned char)(key->id >> (24 - 8 * i));
	ad[0] = (unsigned char)kind;
	memcpy(ad + 1, out, HEAD);
	memcpy(ad + 1 + HEAD, HOST.p, HOST.n);
	EXPECT(EVP_EncryptInit_ex2(ctx, cipher, key->key, NULL, NULL) == 1);
	EXPECT(EVP_EncryptUpdate(ctx, NULL, &len, ad,
	    (int)(1 + HEAD + HOST.n)) == 1);
	EXPECT(EVP_EncryptUpdate(ctx, out + HEAD + SIV, &len,
	    (const unsigned char *)payload.p, (int)payload.n) == 1);
	EXPECT(EVP_EncryptFinal_ex(ctx, out + HEAD + SIV + len, &len) == 1);
	EXPECT(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SIV,
	    out + HEAD) == 1);
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	return fuzz_exact(a, base64url_encode(a, out, HEAD + SIV + payload.n));
}

static enum token_kind
kind_of(unsigned byte)
{
	static const enum token_kind kinds[] = { TOKEN_CLICK, TOKEN_OPEN,
		TOKEN_UNSUBSCRIBE };

	return kinds[byte % 3];
}

static uint32_t
number(struct fuzz_input *in)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 8 | fuzz_byte(in);
	return v;
}

/* Another kind, another host, another octet anywhere. */
static void
check_refused(struct arena *a, const struct token *t, struct str text,
    unsigned where, unsigned change)
{
	struct str bad = fuzz_exact(a, text);
	char *p = arena_bytes(a, text.n);
	struct token got;

	EXPECT(token_open(a, the_keys(), kind_of(t->kind == TOKEN_CLICK),
	    HOST, bad, &got) != 0);
	EXPECT(token_open(a, the_keys(), t->kind, STR("t.example.org"), bad,
	    &got) != 0);
	EXPECT(token_open(a, the_keys(), t->kind, HOST,
	    str_sub(bad, 0, bad.n - 1), &got) != 0);
	if (change == 0)
		return;
	memcpy(p, text.p, text.n);
	p[where % text.n] = (char)(p[where % text.n] ^ change);
	EXPECT(token_open(a, the_keys(), t->kind, HOST,
	    fuzz_exact(a, str_make(p, text.n)), &got) != 0);
}

static void
check_fields(struct arena *a, struct fuzz_input *in)
{
	struct token t = { .kind = kind_of(fuzz_byte(in)) }, got;
	unsigned where, change;
	struct str text;

	where = fuzz_byte(in) << 8;
	where |= fuzz_byte(in);
	change = fuzz_byte(in);
	t.stream = number(in);
	t.hours = number(in);
	t.domain = fuzz_text(in, a);
	t.campaign = fuzz_text(in, a);
	t.list = fuzz_text(in, a);
	t.recipient = fuzz_text(in, a);
	t.url = fuzz_rest(in, a);
	if (seal(a, &t, &text) != 0) {
		EXPECT(t.domain.n + t.campaign.n + t.list.n + t.recipient.n +
		    t.url.n > 1400);
		return;
	}
	EXPECT(text.n <= TOKEN_MAX_SIZE);
	EXPECT(token_open(a, the_keys(), t.kind, HOST, fuzz_exact(a, text),
	    &got) == 0);
	check_same(&got, &t);
	EXPECT_SAME(token_key_name(the_keys(), text), STR("a"));
	check_refused(a, &t, text, where, change);
}

static void
check_key_file(struct arena *a, struct str text)
{
	struct str why = { 0 };
	struct token_keys *k = token_keys_parse(a, text, &why);

	EXPECT((k == NULL) == (why.n > 0));
	for (size_t i = 0; k != NULL && i < token_keys_count(k); i++)
		EXPECT(token_keys_find(k, token_keys_at(k, i)->id) ==
		    token_keys_at(k, i));
	token_keys_free(&k);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct arena *a = arena_new();
	unsigned mode = fuzz_byte(&in);
	enum token_kind kind;

	switch (mode) {
	case 0:
		kind = kind_of(fuzz_byte(&in));
		check_text(a, kind, fuzz_rest(&in, a));
		break;
	case 1:
		kind = kind_of(fuzz_byte(&in));
		if (in.n > 0) /* OpenSSL seals nothing that is empty */
			check_text(a, kind, seal_payload(a, kind,
			    fuzz_take(&in, a, 1400)));
		break;
	case 2:
		check_key_file(a, fuzz_rest(&in, a));
		break;
	default:
		check_fields(a, &in);
	}
	arena_free(&a);
	return 0;
}
