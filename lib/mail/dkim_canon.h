/*
 * dkim_canon.h - relaxed canonicalisation of header fields, for the signer.
 * The body's is behind dkim_body_hash() in dkim.h.
 */
#ifndef BULKHEAD_MAIL_DKIM_CANON_H
#define BULKHEAD_MAIL_DKIM_CANON_H

#include "base/str.h"

/*
 * Writes "name:value" in the relaxed form (RFC 6376 section 3.4.2) without a
 * final CRLF: at most name.n + 1 + value.n bytes.  Folds in the value may be
 * LF or CRLF; a bare CR is data.  Returns the end of what was written.
 */
char *dkim_canon_field(char *to, struct str name, struct str value);

#endif
