/*
 * dkim_referee.c - verifies messages with libopendkim over a file of DNS
 * records: the second opinion on our signatures.  Uses no signer of ours.
 *
 * dkim_referee RECORDS [FILE...]: RECORDS has "NAME VALUE" lines; no FILE is
 * standard input.  A line for each signature, fields between tabs: file,
 * algorithm, domain, selector, pass or fail, body hash match or mismatch, and
 * for a failure why.  Exit: 0 all pass, 1 one does not or there is none.
 */
#include "tests/tools/opendkim_in.h"

static const char *
algorithm_name(dkim_alg_t alg)
{
	switch (alg) {
	case DKIM_SIGN_RSASHA1:
		return "rsa-sha1";
	case DKIM_SIGN_RSASHA256:
		return "rsa-sha256";
	case DKIM_SIGN_ED25519SHA256:
		return "ed25519-sha256";
	default:
		return "unknown";
	}
}

static bool
report(DKIM *dkim, DKIM_SIGINFO *sig, const char *path)
{
	bool bh, good;
	dkim_alg_t alg;

	if ((dkim_sig_getflags(sig) & DKIM_SIGFLAG_PROCESSED) == 0)
		(void)dkim_sig_process(dkim, sig);
	bh = dkim_sig_getbh(sig) == DKIM_SIGBH_MATCH;
	good = bh && (dkim_sig_getflags(sig) & DKIM_SIGFLAG_PASSED) != 0;
	if (dkim_sig_getsignalg(sig, &alg) != DKIM_STAT_OK)
		alg = DKIM_SIGN_UNKNOWN;
	printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\n", path, algorithm_name(alg),
	    (const char *)dkim_sig_getdomain(sig),
	    (const char *)dkim_sig_getselector(sig), good ? "pass" : "fail",
	    bh ? "match" : "mismatch",
	    good ? "" : dkim_sig_geterrorstr(dkim_sig_geterror(sig)));
	return good;
}

static bool
verify(DKIM_LIB *lib, const char *path)
{
	struct arena *a = arena_new();
	DKIM_SIGINFO **sigs = NULL;
	struct headers h;
	struct str body;
	DKIM_STAT stat;
	DKIM *dkim = dkim_verify(lib, (const u_char *)"referee", NULL, &stat);
	bool test_key, good = dkim != NULL;
	int n = 0;

	if (good && mail_in(a, path, &h, &body) == 0) {
		(void)opendkim_feed(dkim, a, &h, body);
		(void)dkim_eom(dkim, &test_key);
		(void)dkim_getsiglist(dkim, &sigs, &n);
	}
	for (int i = 0; i < n; i++)
		good = report(dkim, sigs[i], path) && good;
	if (dkim != NULL)
		dkim_free(dkim);
	arena_free(&a);
	return good && n > 0;
}

int
main(int argc, char **argv)
{
	static char from_stdin[] = "-";
	DKIM_LIB *lib = argc < 2 ? NULL : opendkim_in(argv[1]);
	bool good = true;

	if (lib == NULL) {
		fputs("usage: dkim_referee RECORDS [FILE...]\n", stderr);
		return 2;
	}
	if (argc == 2)
		good = verify(lib, from_stdin);
	for (int i = 2; i < argc; i++)
		good = verify(lib, argv[i]) && good;
	dkim_close(lib);
	return good ? 0 : 1;
}
