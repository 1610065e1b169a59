/*
 * racy_milter.c - a milter with a race in its first callback, to prove that
 * the thread sanitizer, as we run it, still finds one.  Good for nothing else.
 */
#include <sys/types.h>

#include <libmilter/mfapi.h>
#include <stdio.h>
#include <sysexits.h>

static unsigned long messages;

static sfsistat
on_mail(SMFICTX *ctx, char **argv)
{
	(void)ctx, (void)argv;
	messages++; /* many threads, no lock */
	return SMFIS_CONTINUE;
}

int
main(int argc, char **argv)
{
	static char name[] = "racy";
	struct smfiDesc callbacks = {
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_envfrom = on_mail,
	};

	if (argc != 2) {
		fprintf(stderr, "usage: racy_milter SOCKET\n");
		return EX_USAGE;
	}
	if (smfi_setconn(argv[1]) != MI_SUCCESS ||
	    smfi_register(callbacks) != MI_SUCCESS)
		return EX_SOFTWARE;
	return smfi_main() == MI_SUCCESS ? EX_OK : EX_SOFTWARE;
}
