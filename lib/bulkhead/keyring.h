/*
 * keyring.h - the keys that settings name, loaded and checked: one immutable
 * snapshot beside the settings.  Each program loads what it needs.
 */
#ifndef BULKHEAD_BULKHEAD_KEYRING_H
#define BULKHEAD_BULKHEAD_KEYRING_H

#include "base/arena.h"
#include "base/buf.h"
#include "bulkhead/settings.h"
#include "bulkhead/token.h"
#include "mail/dkim.h"
#include "mail/returnpath.h"

#define KEYRING_DKIM	    1u
#define KEYRING_TOKEN	    2u
#define KEYRING_RETURN_PATH 4u

struct keyring_dkim {
	struct str selector;
	struct dkim_key *key;
};

/* The signing keys of one domain section, rsa-sha256 before ed25519-sha256. */
struct keyring_domain {
	const struct domain_settings *domain;
	struct keyring_dkim *keys;
	size_t nkeys;
};

struct keyring {
	struct arena *arena;
	int refs; /* atomic */
	struct settings *settings; /* a reference of its own */
	struct keyring_domain *domains; /* as settings->domains */
	struct token_keys *tokens;	/* NULL: not loaded or not configured */
	struct returnpath_key *returnpath; /* the first one signs */
	struct str *returnpath_names;	   /* in the same order */
	size_t nreturnpath;
};

/*
 * Loads the kinds asked for (KEYRING_ bits).  Every error at once in *errors
 * as "FILE:LINE: ..." of the line in the settings that names the key: missing,
 * unreadable, readable by others, no PEM, RSA under 1024 bits (under 2048: a
 * warning), the same selector twice.  Returns one reference, or NULL.
 */
struct keyring *keyring_load(struct settings *s, unsigned kinds,
    struct buf *errors);
struct keyring *keyring_ref(struct keyring *k);
void keyring_free(struct keyring **k);

/* The keys of a section; NULL when it has none. */
const struct keyring_domain *keyring_domain(const struct keyring *k,
    const struct domain_settings *d);

#endif
