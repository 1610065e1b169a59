/*
 * dkim_canon.c - what our signer hashes, for comparison with others'.
 *
 * dkim_canon FILE: the body hash in base64, a line end, then every field in
 * the relaxed form.  dkim_canon FILE NAMES SIGNATURE: in place of the fields
 * the header hash input for that h= list and that field without its b=.
 */
#include "base/base64.h"
#include "mail/dkim.h"
#include "mail/dkim_canon.h"
#include "tests/tools/mail_in.h"

#define MAX_NAMES 1000

static void
print_fields(struct arena *a, const struct headers *h)
{
	for (size_t i = 0; i < h->n; i++) {
		char *to = arena_bytes(a, h->v[i].name.n + h->v[i].value.n + 1);
		char *end = dkim_canon_field(to, h->v[i].name, h->v[i].value);

		fwrite(to, 1, (size_t)(end - to), stdout);
		fputs("\r\n", stdout);
	}
}

static void
print_data(struct arena *a, const struct headers *h, const char *list,
    const char *signature)
{
	struct str s = str_from(list), names[MAX_NAMES], data;
	size_t n = 0;

	for (size_t at = 0; at <= s.n && n < MAX_NAMES; n++) {
		size_t end = str_chr(s, ':', at);

		names[n] = str_trim(str_sub(s, at, end));
		at = end + 1;
	}
	data = dkim_header_data(a, h, names, n, str_from(signature));
	fwrite(data.p, 1, data.n, stdout);
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	unsigned char bh[DKIM_HASH_SIZE];
	char text[BASE64_SIZE(DKIM_HASH_SIZE)];
	struct headers h;
	struct str body;

	if (argc != 2 && argc != 4) {
		fputs("usage: dkim_canon FILE [NAMES SIGNATURE]\n", stderr);
		return 2;
	}
	if (mail_in(a, argv[1], &h, &body) != 0)
		return 1;
	dkim_body_hash(NULL, body, bh);
	printf("%.*s\n", (int)base64_write(text, bh, sizeof(bh)), text);
	if (argc == 2)
		print_fields(a, &h);
	else
		print_data(a, &h, argv[2], argv[3]);
	arena_free(&a);
	return 0;
}
