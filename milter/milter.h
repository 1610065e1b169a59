/*
 * milter.h - what the files of the milter share.  Only here and in these files
 * libmilter is included.
 */
#ifndef BULKHEAD_MILTER_MILTER_H
#define BULKHEAD_MILTER_MILTER_H

#include <libmilter/mfapi.h>

#include "engine/mta.h"
#include "engine/session.h"

/* The real MTA behind engine/mta.h; one a connection. */
struct mta_milter {
	struct mta mta;
	SMFICTX *ctx;
	struct arena *scratch;
	bool has_leadspc; /* values are taken verbatim: we give the blank */
};

/* For one connection, whose callbacks run one at a time. */
void mta_milter_init(struct mta_milter *m, SMFICTX *ctx, bool has_leadspc);

/* Frees what init made. */
void mta_milter_close(struct mta_milter *m);

/*
 * Registers the callbacks with libmilter.  env must outlive smfi_main().
 * 0, or -1.
 */
int callbacks_register(const struct session_env *env);

#endif
