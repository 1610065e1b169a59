/*
 * placeholder.h - places in a body where the application, or a template of a
 * mail service that it came from, wants the recipient's unsubscribe URL.
 */
#ifndef BULKHEAD_ENGINE_PLACEHOLDER_H
#define BULKHEAD_ENGINE_PLACEHOLDER_H

#include "base/str.h"

/* A search through one text; see placeholder_next(). */
struct placeholder_search {
	struct str text;
	size_t at;
	size_t next[3]; /* where the octets that one may start with come next */
};

/* Begins at the start of text, which must outlive the search. */
void placeholder_search_init(struct placeholder_search *s, struct str text);

/*
 * The next placeholder; false when there is none.  The span covers a "http://"
 * or "https://" that an editor put in front.  A whole search is linear in the
 * text.
 */
bool placeholder_next(struct placeholder_search *s, size_t *at, size_t *len);

/* Is there a placeholder in the text? */
bool placeholder_is_in(struct str text);

#endif
