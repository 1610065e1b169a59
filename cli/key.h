/*
 * key.h - what cmd_key.c and key_create.c share.
 */
#ifndef BULKHEAD_CLI_KEY_H
#define BULKHEAD_CLI_KEY_H

#include "base/arena.h"
#include "base/buf.h"
#include "mail/dkim.h"

#define KEY_DEFAULT_DIR	 "/etc/bulkhead/keys"
#define KEY_DEFAULT_BITS 2048

struct key_options {
	const char *file; /* settings */
	const char *dir;
	const char *selector_rsa, *selector_ed25519; /* NULL: by the year */
	const char *bits;
	bool json, help;
};

/* One key, as the verbs tell of it. */
struct key_entry {
	struct str domain, selector, file;
	struct dkim_key *key;
};

/* Appends {"domain": ..., ...}, with the DNS record where asked for. */
void key_write_json(struct buf *out, struct arena *a, const struct key_entry *e,
    bool with_record);

/* Appends the record as a line of a zone file, TXT strings of 255 octets. */
void key_write_zone(
    struct buf *out, struct arena *a, const struct key_entry *e);

/* "rsa" or "ed25519". */
const char *key_algorithm_name(const struct dkim_key *key);

/* `key create DOMAIN`; returns the exit code. */
int key_create(const struct key_options *o, const char *domain);

#endif
