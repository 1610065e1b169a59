/*
 * link.h - which links of an HTML part are tracked, and why others are not.
 */
#ifndef BULKHEAD_ENGINE_LINK_H
#define BULKHEAD_ENGINE_LINK_H

#include "engine/message.h"
#include "mail/html.h"

/* True for <a>, <area> and VML elements (<v:...>), which Outlook follows. */
bool link_is_element(const struct html_token *t);

/* The href that counts (the first one of that name), or NULL. */
const struct html_attr *link_href(const struct html_token *t);

/* True for an attribute with which some service's users opt a link out. */
bool link_is_opt_out(const struct html_attr *a);

/* True for an attribute that marks the link as the unsubscribe link. */
bool link_is_unsubscribe_mark(const struct html_attr *a);

/*
 * The URL of an href as a browser would use it: character references decoded,
 * blanks around it and line breaks inside it gone, UTF-8.  In the arena; 0, or
 * -1 when it is longer than any token could be.
 */
int link_url(struct message *m, struct str charset, struct str value,
    struct str *url);

/* Why the URL is left alone ("mailto", "merge tag", ...); NULL: track it. */
const char *link_why_not(const struct message *m, struct str url);

#endif
