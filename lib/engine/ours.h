/*
 * ours.h - what several stages mint for a message: tokens, tracking URLs and
 * addresses that come back.
 */
#ifndef BULKHEAD_ENGINE_OURS_H
#define BULKHEAD_ENGINE_OURS_H

#include "engine/message.h"
#include "mail/returnpath.h"

/* Can tokens be made for this message: token keys and a tracking URL? */
bool ours_has_tokens(const struct message *m);

/* Can addresses that come back be made: keys and a return-path-domain? */
bool ours_has_addresses(const struct message *m);

/*
 * `BASE/c/TOKEN`, `BASE/o/TOKEN.gif`, `BASE/u/TOKEN` for this message; url
 * counts for TOKEN_CLICK.  0 with *out in the arena, or -1: too long.
 */
int ours_url(struct message *m, enum token_kind kind, struct str url,
    struct str *out);

/*
 * Is there a link or pixel in the text, raw HTML, that we made with these keys
 * for the tracking host of this message?  Looks at the first few only.
 */
bool ours_is_in(struct message *m, struct str text);

/* The local part of an address of that kind for this message. */
struct str ours_local(struct message *m, enum returnpath_kind kind,
    struct str at_domain);

#endif
