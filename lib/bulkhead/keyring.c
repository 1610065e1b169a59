/*
 * keyring.c - loads the keys that settings name.  Formats of keys are known
 * to mail/dkim_key.c and token_keys.c.
 */
#include "bulkhead/keyring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "bulkhead/settings_report.h"
#include "bulkhead/token_keys.h"

#define MAX_PEM	      16384
#define MAX_KEYS_FILE 65536
#define MIN_BITS      1024
#define GOOD_BITS     2048

/* Why a file with a secret in it could not be read. */
static const char *
unreadable(int err)
{
	switch (err) {
	case EPERM:
		return "others than its owner and group can read or write it: "
		       "chmod 640 makes that right";
	case EFBIG:
		return "it is too long to hold keys";
	case EINVAL:
		return "it is no regular file";
	case ENOENT:
		return "it is not there: `bulkhead key create DOMAIN` and "
		       "`bulkhead token create` make keys";
	default:
		return strerror(err);
	}
}

/* Parses the key of one sign section; NULL, having reported why. */
static struct dkim_key *
load_dkim_key(const struct sign_settings *s, struct arena *scratch,
    struct settings_report *report)
{
	const char *path = arena_cstr(scratch, s->key), *why;
	struct dkim_key *key;
	struct str pem;

	if (file_read_secret(scratch, path, MAX_PEM, &pem) != 0) {
		settings_error(report, s->pos, "cannot read the key %s: %s",
		    path, unreadable(errno));
		return NULL;
	}
	key = dkim_key_parse(pem, &why);
	if (key == NULL)
		settings_error(report, s->pos, "%s %s", path, why);
	return key;
}

static void
check_bits(const struct sign_settings *s, const struct dkim_key *key,
    struct settings_report *report)
{
	unsigned bits = dkim_key_bits(key);

	if (dkim_key_algorithm(key) != DKIM_RSA_SHA256 || bits >= GOOD_BITS)
		return;
	if (bits < MIN_BITS)
		settings_error(report, s->pos,
		    "%.*s has %u bits: receivers "
		    "take no RSA key under %d, and %d is right",
		    STR_ARG(s->key), bits, MIN_BITS, GOOD_BITS);
	else
		settings_warn(report, s->pos, "%.*s has %u bits: %d is right",
		    STR_ARG(s->key), bits, GOOD_BITS);
}

/* One key under two selectors: a copy that went to the wrong file. */
static void
check_copies(const struct keyring_domain *d, const struct sign_settings *s,
    const struct dkim_key *key, struct arena *scratch,
    struct settings_report *report)
{
	struct str record = dkim_key_record(key, scratch);

	for (size_t i = 0; i < d->nkeys; i++)
		if (str_eq(dkim_key_record(d->keys[i].key, scratch), record))
			settings_error(report, s->pos,
			    "%.*s holds the same key as selector \"%.*s\": "
			    "make one of its own",
			    STR_ARG(s->key), STR_ARG(d->keys[i].selector));
}

static bool
is_selector_taken(const struct domain_settings *d, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (str_ieq(d->sign[j].selector, d->sign[i].selector))
			return true;
	return false;
}

static void
dkim_key_release(void *arg)
{
	dkim_key_free(arg);
}

/* Puts a key in its place: RSA in front, else in the order of the file. */
static void
domain_add(struct keyring_domain *d, struct arena *a, struct str selector,
    struct dkim_key *key)
{
	struct dkim_key **owned = arena_alloc(a, sizeof(struct dkim_key *));
	size_t at = d->nkeys;

	if (dkim_key_algorithm(key) == DKIM_RSA_SHA256)
		while (at > 0 && dkim_key_algorithm(d->keys[at - 1].key) !=
				     DKIM_RSA_SHA256)
			at--;
	memmove(
	    d->keys + at + 1, d->keys + at, (d->nkeys - at) * sizeof(*d->keys));
	d->keys[at] = (struct keyring_dkim){ selector, key };
	d->nkeys++;
	*owned = key;
	arena_on_free(a, dkim_key_release, owned);
}

static void
load_domain(struct keyring_domain *out, const struct domain_settings *d,
    struct arena *a, struct settings_report *report)
{
	out->domain = d;
	out->keys = arena_array(a, d->nsign, sizeof(*out->keys));
	for (size_t i = 0; i < d->nsign; i++) {
		const struct sign_settings *s = &d->sign[i];
		struct arena *scratch = arena_new();
		struct dkim_key *key = load_dkim_key(s, scratch, report);

		if (key != NULL)
			check_copies(out, s, key, scratch, report);
		arena_free(&scratch);
		if (is_selector_taken(d, i))
			settings_error(report, s->pos,
			    "the selector \"%.*s\" "
			    "stands twice in a domain",
			    STR_ARG(s->selector));
		if (key == NULL)
			continue;
		check_bits(s, key, report);
		domain_add(out, a, s->selector, key);
	}
}

static void
load_dkim(struct keyring *k, struct settings_report *report)
{
	const struct settings *s = k->settings;

	k->domains = arena_array(k->arena, s->ndomains, sizeof(*k->domains));
	for (size_t i = 0; i < s->ndomains; i++)
		load_domain(&k->domains[i], &s->domains[i], k->arena, report);
}

/* Reads a keys file; NULL, having reported why, or for an empty path. */
static struct token_keys *
load_keys_file(struct settings_pos pos, const char *setting, struct str path,
    struct arena *scratch, struct settings_report *report)
{
	struct token_keys *keys;
	const char *why;
	struct str text;

	if (path.n == 0)
		return NULL;
	if (file_read_secret(scratch, arena_cstr(scratch, path), MAX_KEYS_FILE,
		&text) != 0) {
		settings_error(report, pos, "%s: cannot read %.*s: %s", setting,
		    STR_ARG(path), unreadable(errno));
		return NULL;
	}
	pos.file = path;
	keys = token_keys_read(scratch, text, &pos.line, &why);
	if (keys == NULL)
		settings_error(report, pos, "%s", why);
	return keys;
}

static void
load_token(
    struct keyring *k, struct arena *scratch, struct settings_report *report)
{
	const struct settings *s = k->settings;

	k->tokens = load_keys_file(s->token_keys_pos, "token-keys",
	    s->token_keys, scratch, report);
}

static void
release_mac(void *arg)
{
	struct hash_mac *mac = arg;

	hash_mac_free(&mac);
}

static void
load_return_path(
    struct keyring *k, struct arena *scratch, struct settings_report *report)
{
	const struct settings *s = k->settings;
	struct token_keys *keys = load_keys_file(s->return_path_keys_pos,
	    "return-path-keys", s->return_path_keys, scratch, report);

	if (keys == NULL)
		return;
	if (str_eq(s->return_path_keys, s->token_keys))
		settings_warn(report, s->return_path_keys_pos,
		    "return-path-keys and token-keys name one file: who reads "
		    "bounces could then forge links; give each its own");
	k->nreturnpath = token_keys_count(keys);
	k->returnpath =
	    arena_array(k->arena, k->nreturnpath, sizeof(*k->returnpath));
	k->returnpath_names =
	    arena_array(k->arena, k->nreturnpath, sizeof(struct str));
	for (size_t i = 0; i < k->nreturnpath; i++) {
		const struct token_key *key = token_keys_at(keys, i);
		struct hash_mac *mac = hash_mac_new(
		    str_make((const char *)key->key, TOKEN_KEY_SIZE));

		arena_on_free(k->arena, release_mac, mac);
		k->returnpath[i] = (struct returnpath_key){ key->id, mac };
		k->returnpath_names[i] = arena_copy(k->arena, key->name);
	}
	token_keys_free(&keys);
}

struct keyring *
keyring_load(struct settings *s, unsigned kinds, struct buf *errors)
{
	struct arena *scratch = arena_new(); /* wiped of every secret read */
	struct settings_report report = { .arena = scratch };
	struct keyring *k = mem_alloc(sizeof(*k));

	*k = (struct keyring){ .arena = arena_new(), .refs = 1 };
	k->settings = settings_ref(s);
	if ((kinds & KEYRING_DKIM) != 0)
		load_dkim(k, &report);
	if ((kinds & KEYRING_TOKEN) != 0)
		load_token(k, scratch, &report);
	if ((kinds & KEYRING_RETURN_PATH) != 0)
		load_return_path(k, scratch, &report);
	settings_report_write(&report, s->file, errors);
	if (report.errors > 0)
		keyring_free(&k);
	arena_free(&scratch);
	return k;
}

struct keyring *
keyring_ref(struct keyring *k)
{
	__atomic_add_fetch(&k->refs, 1, __ATOMIC_RELAXED);
	return k;
}

void
keyring_free(struct keyring **k)
{
	struct keyring *old = *k;

	*k = NULL;
	if (old == NULL ||
	    __atomic_sub_fetch(&old->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	token_keys_free(&old->tokens);
	settings_free(&old->settings);
	arena_free(&old->arena);
	free(old);
}

const struct keyring_domain *
keyring_domain(const struct keyring *k, const struct domain_settings *d)
{
	const struct settings *s = k->settings;
	size_t i;

	if (k->domains == NULL || d < s->domains ||
	    d >= s->domains + s->ndomains)
		return NULL;
	i = (size_t)(d - s->domains);
	return k->domains[i].nkeys > 0 ? &k->domains[i] : NULL;
}
