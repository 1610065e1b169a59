/*
 * token_make.c - for tests of the command: seals a token, or many, or makes an
 * address, with the first key of a file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "bulkhead/token.h"
#include "mail/returnpath.h"

static const char usage[] =
    "usage: token_make token KEYS HOST c|o|u DOMAIN STREAM CAMPAIGN LIST\n"
    "           RECIPIENT HOURS URL\n"
    "       token_make tokens KEYS ... URL COUNT: to 0.RECIPIENT, 1.RECIPIENT,"
    " ...\n"
    "       token_make address KEYS AT b|c|u DOMAIN STREAM DAY USER HOST\n";

/* Of many the recipients are numbered; of one it is as it was given. */
static int
seal(struct token_sealer *s, struct arena *a, struct token *t, bool is_many,
    unsigned long number)
{
	struct str recipient = t->recipient, text = STR("");
	char buf[320];
	int rc;

	if (is_many) {
		snprintf(buf, sizeof(buf), "%lu.%.*s", number,
		    STR_ARG(recipient));
		t->recipient = str_from(buf);
	}
	rc = token_seal(s, a, t, &text);
	t->recipient = recipient;
	printf("%.*s\n", STR_ARG(text));
	return rc;
}

static int
make_tokens(struct arena *a, struct token_keys *keys, char **v, bool is_many)
{
	struct token_sealer *s = token_sealer_new(keys, str_from(v[0]));
	unsigned long count = is_many ? strtoul(v[9], NULL, 10) : 1;
	struct token t = {
		.kind = (enum token_kind)v[1][0],
		.domain = str_from(v[2]),
		.stream = hash_id32(str_from(v[3])),
		.campaign = str_from(v[4]),
		.list = str_from(v[5]),
		.recipient = str_from(v[6]),
		.hours = (uint32_t)strtoul(v[7], NULL, 10),
		.url = str_from(v[8]),
	};
	int rc = 0;

	for (unsigned long i = 0; i < count && rc == 0; i++)
		rc = seal(s, a, &t, is_many, i);
	token_sealer_free(&s);
	return rc != 0;
}

static int
make_address(struct arena *a, struct token_keys *keys, char **v)
{
	const struct token_key *first = token_keys_at(keys, 0);
	struct hash_mac *mac = hash_mac_new(
	    str_make((const char *)first->key, TOKEN_KEY_SIZE));
	struct returnpath_key key = { .id = first->id, .mac = mac };
	struct returnpath r = {
		.kind = (enum returnpath_kind)v[1][0],
		.scope =
		    returnpath_scope(str_from(v[2]), hash_id32(str_from(v[3]))),
		.day = (uint16_t)strtoul(v[4], NULL, 10),
		.user = str_from(v[5]),
		.host = str_from(v[6]),
	};
	struct str local = returnpath_make(a, &key, &r, str_from(v[0]));

	hash_mac_free(&mac);
	printf("%.*s\n", STR_ARG(local));
	return 0;
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct token_keys *keys = NULL;
	struct str text, why = STR("");
	int rc = 2;

	if (argc > 2 && file_read(a, argv[2], 65536, &text) == 0)
		keys = token_keys_parse(a, text, &why);
	if (keys != NULL && argc == 12 && strcmp(argv[1], "token") == 0)
		rc = make_tokens(a, keys, argv + 3, false);
	else if (keys != NULL && argc == 13 && strcmp(argv[1], "tokens") == 0)
		rc = make_tokens(a, keys, argv + 3, true);
	else if (keys != NULL && argc == 10 && strcmp(argv[1], "address") == 0)
		rc = make_address(a, keys, argv + 3);
	else
		fprintf(stderr, "%s%.*s\n", usage, STR_ARG(why));
	token_keys_free(&keys);
	arena_free(&a);
	return rc;
}
