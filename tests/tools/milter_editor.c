/*
 * milter_editor.c - a milter that stands before or behind ours in a chain and
 * does one thing to each message: nothing, subject, header, body, quarantine.
 * A test's tool; no part of Bulkhead.
 */
#include <sys/types.h>

#include <libmilter/mfapi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* The body of the message under way. */
struct body {
	unsigned char *p;
	size_t n;
};

static const char *action;

static bool
does(const char *what)
{
	return strcmp(action, what) == 0;
}

static bool
append(struct body *b, const void *p, size_t n)
{
	unsigned char *larger = realloc(b->p, b->n + n);

	if (larger == NULL)
		return false;
	memcpy(larger + b->n, p, n);
	b->p = larger;
	b->n += n;
	return true;
}

static sfsistat
on_mail(SMFICTX *ctx, char **argv)
{
	struct body *b = smfi_getpriv(ctx);

	(void)argv;
	if (b == NULL) {
		b = calloc(1, sizeof(*b));
		if (b == NULL)
			return SMFIS_TEMPFAIL;
		smfi_setpriv(ctx, b);
	}
	b->n = 0;
	return SMFIS_CONTINUE;
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *chunk, size_t n)
{
	struct body *b = smfi_getpriv(ctx);

	return b != NULL && append(b, chunk, n) ? SMFIS_CONTINUE :
						  SMFIS_TEMPFAIL;
}

static int
replace_body(SMFICTX *ctx, struct body *b)
{
	static const char line[] = "edited on the way\r\n";

	if (b == NULL || !append(b, line, sizeof(line) - 1))
		return MI_FAILURE;
	return smfi_replacebody(ctx, b->p, (int)b->n);
}

static sfsistat
on_end(SMFICTX *ctx)
{
	char subject[] = "Subject", mark[] = "X-Editor";
	char text[] = "edited on the way";
	int rc = MI_SUCCESS;

	if (does("subject"))
		rc = smfi_chgheader(ctx, subject, 1, text);
	else if (does("header"))
		rc = smfi_addheader(ctx, mark, text);
	else if (does("body"))
		rc = replace_body(ctx, smfi_getpriv(ctx));
	else if (does("quarantine"))
		rc = smfi_quarantine(ctx, text);
	return rc == MI_SUCCESS ? SMFIS_CONTINUE : SMFIS_TEMPFAIL;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	struct body *b = smfi_getpriv(ctx);

	if (b != NULL)
		free(b->p);
	free(b);
	smfi_setpriv(ctx, NULL);
	return SMFIS_CONTINUE;
}

int
main(int argc, char **argv)
{
	static char name[] = "editor";
	struct smfiDesc callbacks = {
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY |
		    SMFIF_QUARANTINE,
		.xxfi_envfrom = on_mail,
		.xxfi_body = on_body,
		.xxfi_eom = on_end,
		.xxfi_close = on_close,
	};

	if (argc != 3) {
		fprintf(stderr, "usage: milter_editor SOCKET ACTION\n");
		return EX_USAGE;
	}
	action = argv[2];
	if (smfi_setconn(argv[1]) != MI_SUCCESS ||
	    smfi_register(callbacks) != MI_SUCCESS)
		return EX_SOFTWARE;
	return smfi_main() == MI_SUCCESS ? EX_OK : EX_SOFTWARE;
}
