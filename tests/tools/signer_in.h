/*
 * signer_in.h - how the DKIM test tools take keys from the command line, and
 * what they sign of a message.
 */
#ifndef BULKHEAD_TESTS_SIGNER_IN_H
#define BULKHEAD_TESTS_SIGNER_IN_H

#include "mail/dkim.h"
#include "tests/tools/mail_in.h"

#define SIGNER_IN_MAX  8
#define SIGNER_IN_TIME 1767225600
#define SIGNER_IN_NAME(s)                                                      \
	{                                                                      \
		(s), sizeof(s) - 1                                             \
	}

struct signer {
	struct str domain;
	struct str selectors[SIGNER_IN_MAX];
	struct dkim_key *keys[SIGNER_IN_MAX];
	size_t n;
};

/* Reads SELECTOR=KEYFILE[,...].  0, or -1 having told why. */
static inline int
signer_in(struct signer *s, struct arena *a, const struct dkim_engine *e,
    struct str list)
{
	for (size_t at = 0; at < list.n && s->n < SIGNER_IN_MAX; s->n++) {
		size_t end = str_chr(list, ',', at);
		struct str item = str_sub(list, at, end), pem;
		size_t eq = str_chr(item, '=', 0);
		const char *why = "cannot be read";

		at = end + 1;
		s->selectors[s->n] = str_sub(item, 0, eq);
		item = str_sub(item, eq + 1, item.n);
		if (file_read(a, arena_cstr(a, item), 65536, &pem) == 0)
			s->keys[s->n] = dkim_key_parse_for(e, pem, &why);
		if (s->keys[s->n] == NULL) {
			fprintf(stderr, "%.*s %s\n", STR_ARG(item), why);
			return -1;
		}
	}
	return 0;
}

static inline void
signer_in_free(struct signer *s)
{
	for (size_t i = 0; i < s->n; i++)
		dkim_key_free(&s->keys[i]);
}

/* The request for the i-th key. */
static inline struct dkim_request
signer_in_request(const struct signer *s, size_t i)
{
	static const struct str sign[] = { SIGNER_IN_NAME("From"),
		SIGNER_IN_NAME("Reply-To"), SIGNER_IN_NAME("Subject"),
		SIGNER_IN_NAME("Date"), SIGNER_IN_NAME("To"),
		SIGNER_IN_NAME("Cc"), SIGNER_IN_NAME("Message-ID"),
		SIGNER_IN_NAME("MIME-Version"), SIGNER_IN_NAME("Content-Type"),
		SIGNER_IN_NAME("Content-Transfer-Encoding"),
		SIGNER_IN_NAME("List-Id"), SIGNER_IN_NAME("List-Unsubscribe"),
		SIGNER_IN_NAME("List-Unsubscribe-Post") };
	static const struct str oversign[] = { SIGNER_IN_NAME("From"),
		SIGNER_IN_NAME("Subject"), SIGNER_IN_NAME("To"),
		SIGNER_IN_NAME("Date"), SIGNER_IN_NAME("Message-ID") };

	return (struct dkim_request){
		.key = s->keys[i],
		.domain = s->domain,
		.selector = s->selectors[i],
		.time = SIGNER_IN_TIME,
		.sign = sign,
		.nsign = sizeof(sign) / sizeof(sign[0]),
		.oversign = oversign,
		.noversign = sizeof(oversign) / sizeof(oversign[0]),
	};
}

#endif
