/*
 * placeholder.h - places in a body where the application, or a template of a
 * mail service that it came from, wants the recipient's unsubscribe URL.
 */
#ifndef BULKHEAD_ENGINE_PLACEHOLDER_H
#define BULKHEAD_ENGINE_PLACEHOLDER_H

#include "base/str.h"

/*
 * Finds the first placeholder at or after from; false when there is none.
 * The span covers a "http://" or "https://" that an editor put in front.
 */
bool placeholder_find(struct str text, size_t from, size_t *at, size_t *len);

#endif
