/*
 * opendkim_in.h - how the DKIM test tools ask libopendkim, without any code of
 * ours that signs.
 */
#ifndef BULKHEAD_TESTS_OPENDKIM_IN_H
#define BULKHEAD_TESTS_OPENDKIM_IN_H

#include <sys/types.h>

#include <opendkim/dkim.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/tools/mail_in.h"

/* Its interface knows no const, but changes nothing. */
static inline u_char *
opendkim_octets(const char *p)
{
	return (u_char *)(uintptr_t)p;
}

/* The library over a file of "NAME VALUE" lines in place of DNS, or NULL. */
static inline DKIM_LIB *
opendkim_in(char *records)
{
	DKIM_LIB *lib = dkim_init(NULL, NULL);
	dkim_query_t file = DKIM_QUERY_FILE;

	if (lib != NULL &&
	    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_QUERYMETHOD, &file,
		sizeof(file)) == DKIM_STAT_OK &&
	    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_QUERYINFO, records,
		strlen(records)) == DKIM_STAT_OK)
		return lib;
	if (lib != NULL)
		dkim_close(lib);
	return NULL;
}

/* One field.  What libopendkim refuses is left out, as a milter would do. */
static inline void
opendkim_feed_field(
    DKIM *dkim, struct arena *a, struct str name, struct str value)
{
	struct str parts[] = { name, { ":", 1 }, value };
	struct str f = mail_in_crlf(a, arena_join(a, parts, 3));

	(void)dkim_header(dkim, opendkim_octets(f.p), f.n);
}

/* The fields that are not deleted, the end of the header, the body. */
static inline bool
opendkim_feed(
    DKIM *dkim, struct arena *a, const struct headers *h, struct str body)
{
	DKIM_STAT stat;

	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].edit != HEADER_DELETED)
			opendkim_feed_field(
			    dkim, a, h->v[i].name, h->v[i].value);
	stat = dkim_eoh(dkim);
	if (body.n > 0)
		(void)dkim_body(dkim, opendkim_octets(body.p), body.n);
	return stat == DKIM_STAT_OK;
}

#endif
