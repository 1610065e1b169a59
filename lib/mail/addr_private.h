/*
 * addr_private.h - what the files of addr share.  Not for callers.
 */
#ifndef BULKHEAD_MAIL_ADDR_PRIVATE_H
#define BULKHEAD_MAIL_ADDR_PRIVATE_H

#include "mail/addr.h"

/* atext of RFC 5322 section 3.2.3 and, after RFC 6532, all above ASCII. */
bool addr_is_atom_char(char c);

/*
 * The A-labels of a domain with other characters than ASCII; false when IDNA
 * refuses it.  *out is in the arena.
 */
bool addr_idna(struct arena *a, struct str domain, struct str *out);

#endif
