/*
 * events_private.h - the texts of an event as an array, names of files, and
 * what a filter lets through; for lib/store's events and drivers alone.
 */
#ifndef BULKHEAD_STORE_EVENTS_PRIVATE_H
#define BULKHEAD_STORE_EVENTS_PRIVATE_H

#include "store/events.h"

#define EVENT_TEXTS 12
/* An event's hash as it is stored: "hash:" and 32 hex digits. */
#define EVENT_HASH_TEXT 37

/*
 * Its texts in the order in which they are stored: rule, domain, campaign,
 * list, recipient, url, instance, queue_id, message_id, detail, metadata,
 * visitor.
 */
void event_texts(struct event *e, struct str *out[EVENT_TEXTS]);

/* Its texts, no longer than they may be; metadata that is too long is none. */
void event_cut(struct event *e);

/* A filter, with the recipient's hash: empty where there is none. */
struct event_match {
	const struct event_filter *filter;
	struct str hash;
};

bool event_matches(const struct event *e, const struct event_match *m);

/* The day after 20261123: 20261124. */
uint32_t event_day_next(uint32_t day);

/* False for 20261301: no day of the years 1970 to 9999. */
bool event_day_is_well(uint32_t day);

#endif
