/*
 * language.h - which of the languages there are a reader asks for.
 */
#ifndef BULKHEAD_TRACKD_LANGUAGE_H
#define BULKHEAD_TRACKD_LANGUAGE_H

#include "base/str.h"

#define LANGUAGE_RANGES_MAX 64 /* further ones are not looked at */

/*
 * The place in have[] that an Accept-Language field likes best (RFC 9110,
 * section 12.5.4; RFC 4647, look-up: "de-AT" is served by "de"), 0 when it
 * likes none.  Of equals the first in the field, then in have[].  What is no
 * language range is passed over.
 */
size_t language_choose(struct str field, const struct str *have, size_t n);

#endif
