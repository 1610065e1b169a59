/*
 * names.h - names that more than one program must spell alike: our header
 * fields, URL paths and placeholders.
 */
#ifndef BULKHEAD_BULKHEAD_NAMES_H
#define BULKHEAD_BULKHEAD_NAMES_H

/* Control fields (bulkhead.conf(5), "control-headers"). */
#define NAME_STREAM   "X-Bulkhead-Stream"
#define NAME_CAMPAIGN "X-Bulkhead-Campaign"
#define NAME_TRACK    "X-Bulkhead-Track"
#define NAME_LIST     "X-Bulkhead-List"
#define NAME_METADATA "X-Bulkhead-Metadata"

/* Placeholder in a body that becomes the recipient's unsubscribe URL. */
#define NAME_UNSUBSCRIBE_PLACEHOLDER "{{bulkhead-unsubscribe-url}}"

/* Paths of trackd below a domain's tracking-url. */
#define NAME_PATH_CLICK	      "/c/"
#define NAME_PATH_OPEN	      "/o/"
#define NAME_PATH_OPEN_END    ".gif"
#define NAME_PATH_UNSUBSCRIBE "/u/"

#endif
