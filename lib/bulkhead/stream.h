/*
 * stream.h - which stream a message belongs to.  Three-valued: what the header
 * decides is not known at RCPT.
 */
#ifndef BULKHEAD_BULKHEAD_STREAM_H
#define BULKHEAD_BULKHEAD_STREAM_H

#include "base/net.h"
#include "base/str.h"
#include "bulkhead/settings.h"
#include "mail/header.h"

/* What is known of a message.  headers NULL: only the envelope is. */
struct stream_facts {
	struct str sender;    /* envelope sender, `local@domain` or empty */
	struct str sasl_user; /* empty: not authenticated */
	struct str daemon;
	bool has_client; /* client_addr is set */
	struct net_addr client;
	struct str from_domain; /* lower case A-labels; counts with headers */
	struct headers *headers;
};

enum stream_answer { STREAM_NO, STREAM_YES, STREAM_UNKNOWN };

/*
 * Does this stream match?  Within a key the values are alternatives, between
 * keys all must hold.  A key that only the header decides is UNKNOWN while
 * f->headers is NULL; a NO of another key wins over it.
 */
enum stream_answer stream_matches(const struct stream_settings *s,
    const struct stream_facts *f);

/*
 * The first stream that matches.  NO: none does (*out NULL).  UNKNOWN: the
 * header must decide (*out NULL): one before any that matches is not known.
 */
enum stream_answer stream_select(const struct settings *s,
    const struct stream_facts *f, const struct stream_settings **out);

/*
 * The domain section for a From domain: of that title, or the closest parent,
 * never at or above a public suffix; NULL when there is none.
 */
const struct domain_settings *stream_domain(const struct settings *s,
    struct str from_domain);

/* May this client send as that domain (may-send)? */
bool stream_may_send(const struct domain_settings *d,
    const struct stream_facts *f);

#endif
