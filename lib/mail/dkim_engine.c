/*
 * dkim_engine.c - which engine signs; DKIM_ENGINE is configure's.  They are
 * in dkim.c and dkim_opendkim.c, and a program links those that it names.
 */
#include "mail/dkim.h"
#include "mail/dkim_key.h"

#ifndef DKIM_ENGINE /* a tool that compiles one file */
#define DKIM_ENGINE dkim_native
#endif

const struct dkim_engine *
dkim_engine_default(void)
{
	return &DKIM_ENGINE;
}

struct str
dkim_sign_message(
    struct arena *a, struct dkim_message *m, const struct dkim_request *r)
{
	return dkim_key_engine(r->key)->sign(a, m, r);
}
