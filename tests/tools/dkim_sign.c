/*
 * dkim_sign.c - signs messages with our signer, for other verifiers.
 *
 * dkim_sign DOMAIN DIRECTORY SELECTOR=KEYFILE[,...] FILE...: writes each
 * message, CRLF, with a signature of each key on top, to DIRECTORY under the
 * number of its place on the command line.
 */
#include <stdlib.h>

#include "mail/dkim.h"
#include "tests/tools/mail_in.h"

#define MAX_KEYS 8
#define NAME(s)                                                                \
	{                                                                      \
		(s), sizeof(s) - 1                                             \
	}

struct signer {
	struct str domain;
	struct str selectors[MAX_KEYS];
	struct dkim_key *keys[MAX_KEYS];
	size_t n;
};

static const struct str to_sign[] = { NAME("From"), NAME("Reply-To"),
	NAME("Subject"), NAME("Date"), NAME("To"), NAME("Cc"),
	NAME("Message-ID"), NAME("MIME-Version"), NAME("Content-Type"),
	NAME("Content-Transfer-Encoding"), NAME("List-Id"),
	NAME("List-Unsubscribe"), NAME("List-Unsubscribe-Post") };
static const struct str to_oversign[] = { NAME("From"), NAME("Subject"),
	NAME("To"), NAME("Date"), NAME("Message-ID") };

static int
add_keys(struct signer *s, struct arena *a, struct str list)
{
	for (size_t at = 0; at < list.n && s->n < MAX_KEYS; s->n++) {
		size_t end = str_chr(list, ',', at);
		struct str item = str_sub(list, at, end), pem;
		size_t eq = str_chr(item, '=', 0);
		const char *why = "cannot be read";

		at = end + 1;
		s->selectors[s->n] = str_sub(item, 0, eq);
		item = str_sub(item, eq + 1, item.n);
		if (file_read(a, arena_cstr(a, item), 65536, &pem) == 0)
			s->keys[s->n] = dkim_key_parse(pem, &why);
		if (s->keys[s->n] == NULL) {
			fprintf(stderr, "%.*s %s\n", STR_ARG(item), why);
			return -1;
		}
	}
	return 0;
}

static void
write_signed(const struct signer *s, struct arena *a, const struct headers *h,
    struct str body, FILE *out)
{
	struct dkim_message m = { .headers = h, .body = body };
	struct dkim_request r = {
		.domain = s->domain,
		.time = 1767225600,
		.sign = to_sign,
		.nsign = sizeof(to_sign) / sizeof(to_sign[0]),
		.oversign = to_oversign,
		.noversign = sizeof(to_oversign) / sizeof(to_oversign[0]),
	};
	struct str f;

	for (size_t i = s->n; i-- > 0;) {
		r.key = s->keys[i];
		r.selector = s->selectors[i];
		f = mail_in_crlf(a, dkim_sign_message(a, &m, &r));
		fprintf(out, "DKIM-Signature: %.*s\r\n", STR_ARG(f));
	}
	for (size_t i = 0; i < h->n; i++) {
		f = mail_in_crlf(a, h->v[i].value);
		fwrite(h->v[i].name.p, 1, h->v[i].name.n, out);
		fputc(':', out);
		fwrite(f.p, 1, f.n, out);
		fputs("\r\n", out);
	}
	fputs("\r\n", out);
	fwrite(body.p, 1, body.n, out);
	if (body.n > 0 && body.p[body.n - 1] != '\n')
		fputs("\r\n", out); /* as SMTP would */
}

static int
sign_file(const struct signer *s, const char *path, const char *dir, int number)
{
	struct arena *a = arena_new();
	struct headers h;
	struct str body;
	FILE *out =
	    fopen(arena_cstr(a, arena_printf(a, "%s/%d", dir, number)), "w");
	int rc = 1;

	if (out != NULL && mail_in(a, path, &h, &body) == 0) {
		write_signed(s, a, &h, body, out);
		rc = 0;
	}
	if (out == NULL || fclose(out) != 0)
		rc = 1;
	arena_free(&a);
	return rc;
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct signer s = { .n = 0 };
	int rc = 2;

	if (argc > 4) {
		s.domain = str_from(argv[1]);
		rc = add_keys(&s, a, str_from(argv[3])) != 0;
		for (int i = 4; i < argc && rc == 0; i++)
			rc = sign_file(&s, argv[i], argv[2], i - 4);
	} else {
		fputs("usage: dkim_sign DOMAIN DIRECTORY "
		      "SELECTOR=KEYFILE[,...] FILE...\n",
		    stderr);
	}
	for (size_t i = 0; i < s.n; i++)
		dkim_key_free(&s.keys[i]);
	arena_free(&a);
	return rc;
}
