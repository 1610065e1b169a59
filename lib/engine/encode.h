/*
 * encode.h - how the parts of a message leave: edits of their text and other
 * transfer encodings become splices of the body, in one pass.
 */
#ifndef BULKHEAD_ENGINE_ENCODE_H
#define BULKHEAD_ENGINE_ENCODE_H

#include "engine/message.h"

/*
 * Renders all parts into m->splices: those with edits, and, where
 * parts_are_encoded(), those that some hop would convert or cut (ARCHITECTURE
 * section 4, encode).  A Content-Transfer-Encoding of 8bit or binary becomes
 * 7bit where nothing is left that needs it, as hops go by the name too.  0, or
 * -1 on edits that overlap: a bug, the message gets a temporary failure.
 */
int encode_parts(struct message *m);

/*
 * Is it internationalized mail (RFC 6531) that goes to hops with 8BITMIME only?
 * The parameter alone is not enough: where header and addresses are ASCII
 * Postfix sends it to any hop, and converts it.
 */
bool encode_is_utf8_mail(struct message *m);

/*
 * Folds the header lines that are too long, if they have blanks enough:
 * relaxed canonicalization makes the same of them.
 */
void encode_fold_header(struct message *m);

/* Sets m->hazards: what a later hop may break in what leaves now. */
void encode_name_hazards(struct message *m);

#endif
