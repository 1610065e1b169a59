/*
 * token_keys.c - the keys of tokens as a file holds them, and the ciphers that
 * they are used with, keyed once.
 */
#include "bulkhead/token_keys.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/hash.h"

#define MAX_NAME 64
#define MAX_KEYS 100

struct token_keys {
	int refs; /* atomic */
	struct arena *arena;
	struct token_key *v;
	struct siv **siv; /* of the key in the same place */
	size_t n;
};

static bool
is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!str_is_alpha(s.p[i]) && !str_is_digit(s.p[i]) &&
		    memchr("._-", s.p[i], 3) == NULL)
			return false;
	return s.n > 0 && s.n <= MAX_NAME;
}

static void
key_wipe(void *arg)
{
	OPENSSL_cleanse(arg, sizeof(struct token_key));
}

static void
text_wipe(struct str s)
{
	OPENSSL_cleanse((char *)(uintptr_t)s.p, s.n);
}

static const char *
name_check(const struct token_keys *k, const struct token_key *key)
{
	if (!is_name(key->name))
		return "a name is letters, digits, '.', '_' and '-', at most "
		       "64 of them";
	for (size_t i = 0; i < k->n; i++) {
		if (str_eq(k->v[i].name, key->name))
			return "there is a key of this name above";
		if (k->v[i].id == key->id)
			return "another name has the same id: choose "
			       "another one";
	}
	return k->n < MAX_KEYS ? NULL : "more than 100 keys";
}

/* One key; NULL, or what is wrong with the line. */
static const char *
keys_add(struct token_keys *k, struct arena *a, struct str line)
{
	size_t blank = 0;
	struct token_key *key;
	struct str secret;
	const char *why;

	while (blank < line.n && !str_is_space(line.p[blank]))
		blank++;
	key = &k->v[k->n];
	key->name = arena_copy(k->arena, str_sub(line, 0, blank));
	key->id = hash_id32(key->name);
	why = name_check(k, key);
	if (why != NULL)
		return why;
	if (base64_decode(a, str_trim(str_sub(line, blank, line.n)), &secret) !=
	    0)
		return "NAME BASE64 is wanted, and this is no base64";
	if (secret.n == TOKEN_KEY_SIZE)
		memcpy(key->key, secret.p, TOKEN_KEY_SIZE);
	else
		why = "a key has 64 bytes";
	text_wipe(secret);
	if (why != NULL)
		return why;
	k->siv[k->n] = siv_new(key->key, TOKEN_KEY_SIZE);
	if (k->siv[k->n] == NULL)
		return "OpenSSL offers no AES-256-CBC or no AES-256-ECB";
	k->n++;
	return NULL;
}

static struct token_keys *
keys_refuse(struct token_keys *k)
{
	token_keys_free(&k);
	return NULL;
}

static const char *
keys_read(
    struct token_keys *k, struct arena *a, struct str text, unsigned *line_no)
{
	size_t at = 0;

	for (*line_no = 1; at < text.n; ++*line_no) {
		size_t end = str_chr(text, '\n', at);
		struct str line = str_trim(str_sub(text, at, end));
		const char *why = NULL;

		if (line.n > 0 && line.p[0] != '#')
			why = keys_add(k, a, line);
		if (why != NULL)
			return why;
		at = end + 1;
	}
	return NULL;
}

struct token_keys *
token_keys_read(
    struct arena *a, struct str text, unsigned *line, const char **why)
{
	struct token_keys *k = mem_alloc(sizeof(*k));

	*k = (struct token_keys){ .refs = 1, .arena = arena_new() };
	/* never grown: a key moved would leave a copy that nobody wipes */
	k->v = arena_array(k->arena, MAX_KEYS + 1, sizeof(*k->v));
	for (size_t i = 0; i <= MAX_KEYS; i++)
		arena_on_free(k->arena, key_wipe, &k->v[i]);
	k->siv = arena_array(k->arena, MAX_KEYS, sizeof(struct siv *));
	*why = keys_read(k, a, text, line);
	if (*why != NULL)
		return keys_refuse(k);
	*line = 0;
	if (k->n == 0)
		*why = "there is no key in it";
	return *why == NULL ? k : keys_refuse(k);
}

struct token_keys *
token_keys_parse(struct arena *a, struct str text, struct str *why)
{
	unsigned line;
	const char *wrong;
	struct token_keys *k = token_keys_read(a, text, &line, &wrong);

	if (k == NULL)
		*why = line == 0 ? str_from(wrong)
				 : arena_printf(a, "line %u: %s", line, wrong);
	return k;
}

struct token_keys *
token_keys_ref(struct token_keys *k)
{
	__atomic_add_fetch(&k->refs, 1, __ATOMIC_RELAXED);
	return k;
}

void
token_keys_free(struct token_keys **k)
{
	struct token_keys *old = *k;

	*k = NULL;
	if (old == NULL ||
	    __atomic_sub_fetch(&old->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	for (size_t i = 0; i < old->n; i++)
		siv_free(&old->siv[i]);
	arena_free(&old->arena);
	free(old);
}

size_t
token_keys_count(const struct token_keys *k)
{
	return k->n;
}

const struct token_key *
token_keys_at(const struct token_keys *k, size_t i)
{
	return &k->v[i];
}

const struct siv *
token_keys_siv(const struct token_keys *k, const struct token_key *key)
{
	return k->siv[key - k->v];
}

const struct token_key *
token_keys_find(const struct token_keys *k, uint32_t id)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->v[i].id == id)
			return &k->v[i];
	return NULL;
}
