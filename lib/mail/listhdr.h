/*
 * listhdr.h - the values of list header fields: List-Id (RFC 2919),
 * List-Unsubscribe (RFC 2369), Feedback-ID.
 */
#ifndef BULKHEAD_MAIL_LISTHDR_H
#define BULKHEAD_MAIL_LISTHDR_H

#include "base/arena.h"
#include "base/str.h"

/*
 * The list's identifier: what stands in the last angle brackets, lower-cased,
 * else the whole value trimmed.  Empty when there is none.  In the arena.
 */
struct str listhdr_id(struct arena *a, struct str value);

/*
 * The URIs of a List-Unsubscribe value in order: what stands in angle
 * brackets, white space inside removed (RFC 2369 section 2).  Returns how
 * many; at most max are stored.
 */
size_t listhdr_uris(struct arena *a, struct str value, struct str *out,
    size_t max);

/*
 * A List-Unsubscribe value from one or two URIs (an empty one is left out),
 * a line a URI: "<https://...>,\n <mailto:...>".
 */
struct str listhdr_unsubscribe(struct arena *a, struct str https,
    struct str mailto);

/*
 * Feedback-ID of four fields, the last one most significant: what is no
 * letter, digit, '.', '_' or '-' becomes '_' (Gmail splits at ':').
 */
struct str listhdr_feedback_id(struct arena *a, struct str campaign,
    struct str stream, struct str list, struct str domain);

#endif
