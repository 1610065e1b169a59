/*
 * referee.c - verifies with libopendkim.  It signs nothing.
 */
#include "tests/fuzz/referee.h"

#include <sys/types.h>

#include <dkim.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/fuzz/fuzz.h"

/*
 * libopendkim keeps what OpenSSL gave it for Ed25519 keys; our own leaks have
 * nothing of it in their stacks.
 */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libopendkim\n";
}

static DKIM_LIB *
the_library(const char *records)
{
	static DKIM_LIB *lib;
	dkim_query_t file = DKIM_QUERY_FILE;

	if (lib != NULL)
		return lib;
	lib = dkim_init(NULL, NULL);
	EXPECT(lib != NULL);
	EXPECT(dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_QUERYMETHOD, &file,
	    sizeof(file)) == DKIM_STAT_OK);
	EXPECT(dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_QUERYINFO,
	    (void *)(uintptr_t)records, strlen(records)) == DKIM_STAT_OK);
	return lib;
}

static bool
feed(DKIM *dkim, const struct str *fields, size_t nfields, struct str body)
{
	DKIM_STAT stat;

	for (size_t i = 0; i < nfields; i++)
		if (dkim_header(dkim, (u_char *)(uintptr_t)fields[i].p,
		    fields[i].n) != DKIM_STAT_OK)
			return false;
	stat = dkim_eoh(dkim);
	if (stat != DKIM_STAT_OK && stat != DKIM_STAT_NOSIG)
		return false; /* a From that it cannot read */
	if (body.n > 0)
		(void)dkim_body(dkim, (u_char *)(uintptr_t)body.p, body.n);
	return true;
}

static const char *
judge(DKIM *dkim, DKIM_SIGINFO *sig)
{
	if ((dkim_sig_getflags(sig) & DKIM_SIGFLAG_PROCESSED) == 0)
		(void)dkim_sig_process(dkim, sig);
	if (dkim_sig_getbh(sig) == DKIM_SIGBH_MISMATCH)
		return "libopendkim: the body hash does not match";
	if (dkim_sig_getbh(sig) == DKIM_SIGBH_MATCH &&
	    (dkim_sig_getflags(sig) & DKIM_SIGFLAG_PASSED) != 0)
		return NULL;
	return dkim_sig_geterrorstr(dkim_sig_geterror(sig));
}

const char *
referee_verify(const char *records, const struct str *fields, size_t nfields,
    struct str body, size_t n)
{
	DKIM_STAT stat;
	DKIM *dkim = dkim_verify(the_library(records), (const u_char *)"fuzz",
	    NULL, &stat);
	DKIM_SIGINFO **sigs = NULL;
	const char *why = NULL;
	bool test_key;
	int found = 0;

	EXPECT(dkim != NULL);
	if (feed(dkim, fields, nfields, body)) {
		(void)dkim_eom(dkim, &test_key);
		(void)dkim_getsiglist(dkim, &sigs, &found);
		EXPECT((size_t)found >= n);
		for (size_t i = 0; i < n && why == NULL; i++)
			why = judge(dkim, sigs[i]);
	}
	dkim_free(dkim);
	return why;
}
