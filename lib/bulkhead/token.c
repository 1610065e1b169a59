/*
 * token.c - sealing and opening tokens.  Which keys there are is known to
 * token_keys.c.
 *
 * text    = base64url(version 1, key id 4, SIV 16, ciphertext)
 * payload = stream 4, hours, {domain, campaign, list, recipient}, url
 *
 * Numbers of fixed size are big endian; hours and lengths are of seven bits a
 * byte, lowest first, the top bit on all but the last (LEB128), as short as
 * can be.  The url is what is left.
 */
#include "bulkhead/token.h"

#include <stdlib.h>

#include "base/base64.h"
#include "bulkhead/token_keys.h"

#define VERSION	   1
#define ID_SIZE	   4
#define HEAD_SIZE  (1 + ID_SIZE)
#define AD_SIZE	   (1 + HEAD_SIZE) /* with the kind, before the host */
#define MAX_BINARY (TOKEN_MAX_SIZE / 4 * 3)
#define MAX_HOST   300

struct token_sealer {
	struct siv *siv;
	int kind; /* which it is ready for; 0: none */
	size_t nad;
	unsigned char ad[AD_SIZE + MAX_HOST];
};

static unsigned char *
put_u32(unsigned char *to, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		*to++ = (unsigned char)(v >> shift);
	return to;
}

static uint32_t
get_u32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

/*
 * Kind, version, key id and host: the associated data, one block, unambiguous
 * since only the host has no fixed length.  Returns its length, 0 when the
 * host is longer than any.
 */
static size_t
write_ad(unsigned char *ad, enum token_kind kind, uint32_t id, struct str host)
{
	if (host.n > MAX_HOST)
		return 0;
	ad[0] = (unsigned char)kind;
	ad[1] = VERSION;
	put_u32(ad + 2, id);
	for (size_t i = 0; i < host.n; i++)
		ad[AD_SIZE + i] = (unsigned char)str_lower(host.p[i]);
	return AD_SIZE + host.n;
}

struct token_sealer *
token_sealer_new(const struct token_keys *k, struct str host)
{
	struct token_sealer *s = mem_alloc(sizeof(*s));
	const struct token_key *key = token_keys_at(k, 0);

	s->siv = siv_copy(token_keys_siv(k, key));
	s->kind = 0;
	s->nad = write_ad(s->ad, TOKEN_CLICK, key->id, host);
	return s;
}

void
token_sealer_free(struct token_sealer **s)
{
	struct token_sealer *old = *s;

	*s = NULL;
	if (old == NULL)
		return;
	siv_free(&old->siv);
	free(old);
}

/* The associated data is the same for all tokens of a kind: done once. */
static void
sealer_prepare(struct token_sealer *s, enum token_kind kind)
{
	if (s->kind == (int)kind)
		return;
	s->ad[0] = (unsigned char)kind;
	siv_restart(s->siv);
	siv_associate(s->siv, s->ad, s->nad);
	s->kind = (int)kind;
}

static unsigned char *
put_number(unsigned char *to, uint32_t v)
{
	for (; v >= 0x80; v >>= 7)
		*to++ = (unsigned char)(v | 0x80);
	*to++ = (unsigned char)v;
	return to;
}

static unsigned char *
put_text(unsigned char *to, struct str s)
{
	to = put_number(to, (uint32_t)s.n);
	if (s.n > 0)
		memcpy(to, s.p, s.n);
	return to + s.n;
}

static bool
has_rest(enum token_kind kind)
{
	return kind == TOKEN_CLICK || kind == TOKEN_UNDO;
}

/* The payload's length, or 0 when it is too long for a token. */
static size_t
write_payload(unsigned char *out, size_t max, const struct token *t)
{
	const struct str parts[] = { t->domain, t->campaign, t->list,
		t->recipient };
	unsigned char *to = put_number(put_u32(out, t->stream), t->hours);
	struct str url = has_rest(t->kind) ? t->url : STR("");

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].n + 5 > max - (size_t)(to - out))
			return 0;
		to = put_text(to, parts[i]);
	}
	if (url.n > max - (size_t)(to - out))
		return 0;
	if (url.n > 0)
		memcpy(to, url.p, url.n);
	return (size_t)(to - out) + url.n;
}

int
token_seal(struct token_sealer *s, struct arena *a, const struct token *t,
    struct str *out)
{
	unsigned char binary[MAX_BINARY], payload[MAX_BINARY];
	size_t n = write_payload(payload, MAX_BINARY - HEAD_SIZE - SIV_SIZE, t);

	if (n == 0 || s->nad == 0)
		return -1;
	sealer_prepare(s, t->kind);
	memcpy(binary, s->ad + 1, HEAD_SIZE);
	siv_encrypt(s->siv, payload, n, binary + HEAD_SIZE,
	    binary + HEAD_SIZE + SIV_SIZE);
	*out = base64url_encode(a, binary, HEAD_SIZE + SIV_SIZE + n);
	return 0;
}

static bool
decrypt(const struct siv *keyed, const unsigned char *ad, size_t nad,
    struct str binary, unsigned char *out)
{
	struct siv *siv = siv_copy(keyed);
	const unsigned char *tag = (const unsigned char *)binary.p + HEAD_SIZE;
	bool is_ours;

	siv_associate(siv, ad, nad);
	is_ours = siv_decrypt(
	    siv, tag + SIV_SIZE, binary.n - HEAD_SIZE - SIV_SIZE, tag, out);
	siv_free(&siv);
	return is_ours;
}

/* A reader over the payload; failed once anything was wrong. */
struct reader {
	const unsigned char *p, *end;
	bool failed;
};

static uint32_t
get_number(struct reader *r)
{
	uint32_t v = 0;

	for (int shift = 0; shift < 35; shift += 7) {
		unsigned char c;

		if (r->p == r->end)
			break;
		c = *r->p++;
		if (shift == 28 && c > 0x0f)
			break; /* more than 32 bits */
		v |= (uint32_t)(c & 0x7f) << shift;
		if (c < 0x80) {
			r->failed |= c == 0 && shift > 0; /* too long */
			return v;
		}
	}
	r->failed = true;
	return 0;
}

static struct str
get_text(struct reader *r)
{
	uint32_t n = get_number(r);
	struct str s = STR("");

	if (r->failed || n > (size_t)(r->end - r->p)) {
		r->failed = true;
		return s;
	}
	s = str_make((const char *)r->p, n);
	r->p += n;
	return s;
}

static int
read_payload(const unsigned char *p, size_t n, struct token *t)
{
	struct reader r = { .p = p, .end = p + n };

	if (n < 4)
		return -1;
	t->stream = get_u32(p);
	r.p += 4;
	t->hours = get_number(&r);
	t->domain = get_text(&r);
	t->campaign = get_text(&r);
	t->list = get_text(&r);
	t->recipient = get_text(&r);
	t->url = str_make((const char *)r.p, (size_t)(r.end - r.p));
	if (!has_rest(t->kind) && t->url.n > 0)
		return -1;
	return r.failed ? -1 : 0;
}

/* The bytes behind the text and the key that they name, or NULL. */
static const struct token_key *
find_key(struct arena *a, const struct token_keys *k, struct str text,
    struct str *binary)
{
	if (text.n > TOKEN_MAX_SIZE || base64url_decode(a, text, binary) != 0 ||
	    binary->n < HEAD_SIZE + SIV_SIZE || binary->p[0] != VERSION)
		return NULL;
	return token_keys_find(
	    k, get_u32((const unsigned char *)binary->p + 1));
}

int
token_open(struct arena *a, const struct token_keys *k, enum token_kind kind,
    struct str host, struct str text, struct token *t)
{
	struct str binary;
	const struct token_key *key = find_key(a, k, text, &binary);
	unsigned char ad[AD_SIZE + MAX_HOST], *payload;
	size_t nad, n;

	if (key == NULL)
		return -1;
	nad = write_ad(ad, kind, key->id, host);
	n = binary.n - HEAD_SIZE - SIV_SIZE;
	payload = arena_alloc(a, n + 1);
	if (nad == 0 ||
	    !decrypt(token_keys_siv(k, key), ad, nad, binary, payload))
		return -1;
	*t = (struct token){ .kind = kind };
	return read_payload(payload, n, t);
}

struct str
token_key_name(const struct token_keys *k, struct str text)
{
	struct arena *a = arena_new();
	struct str binary;
	const struct token_key *key = find_key(a, k, text, &binary);

	arena_free(&a);
	return key != NULL ? key->name : STR("");
}
