/*
 * reentry.h - mail that comes back: a content filter, an alias or a next hop
 * hands over what we have made before.
 */
#ifndef BULKHEAD_ENGINE_REENTRY_H
#define BULKHEAD_ENGINE_REENTRY_H

#include "engine/message.h"

/* Postfix gives up after maximal_queue_lifetime, 5 days, and some more. */
#define REENTRY_MAX_AGE (7 * INT64_C(86400))

/* Signatures of ours that are tried, from the top of the header down. */
#define REENTRY_MAX_TRIES 8

/*
 * The section by whose d= and configured key a signature over the message as
 * it came verifies now; NULL when there is none.  d is the section that covers
 * its From: only that one counts; where it is NULL, any that a stream names
 * for such mail does.  Before any edit.  Costs nothing unless a DKIM-Signature
 * names such a domain and selector; then at most one body hash and
 * REENTRY_MAX_TRIES verifications.
 */
const struct domain_settings *reentry_find(struct message *m,
    const struct domain_settings *d);

/*
 * Deletes the signatures that those who now sign make anew, those of the same
 * d= and s=: they were found broken or will be repeated.
 */
void reentry_delete_repeated(struct message *m,
    const struct keyring_domain *const *signers, size_t nsigners);

#endif
