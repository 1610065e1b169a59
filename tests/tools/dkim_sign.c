/*
 * dkim_sign.c - signs messages with the engine in use, for other verifiers.
 *
 * dkim_sign DOMAIN DIRECTORY SELECTOR=KEYFILE[,...] FILE...: writes each
 * message, CRLF, with a signature of each key on top, to DIRECTORY under the
 * number of its place on the command line.
 */
#include "tests/tools/signer_in.h"

static void
write_signed(const struct signer *s, struct arena *a, const struct headers *h,
    struct str body, FILE *out)
{
	struct dkim_message m = { .headers = h, .body = body };
	struct str f;

	for (size_t i = s->n; i-- > 0;) {
		struct dkim_request r = signer_in_request(s, i);

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
		rc = signer_in(&s, a, dkim_engine_default(),
			 str_from(argv[3])) != 0;
		for (int i = 4; i < argc && rc == 0; i++)
			rc = sign_file(&s, argv[i], argv[2], i - 4);
	} else {
		fputs("usage: dkim_sign DOMAIN DIRECTORY "
		      "SELECTOR=KEYFILE[,...] FILE...\n",
		    stderr);
	}
	signer_in_free(&s);
	arena_free(&a);
	return rc;
}
