/*
 * settings_check.h - what settings mean together: what cannot work is an
 * error, what is unwise a warning.  Opens no files and asks no DNS.
 */
#ifndef BULKHEAD_BULKHEAD_SETTINGS_CHECK_H
#define BULKHEAD_BULKHEAD_SETTINGS_CHECK_H

#include "bulkhead/settings.h"
#include "bulkhead/settings_read.h"

/* After settings_build(), with the same root. */
void settings_check(const struct settings *s, const struct section *root);

/* Does matching this stream need the header of the message? */
bool settings_needs_header(const struct stream_settings *stream);

/* Could mail of this stream fall under that domain section? */
bool settings_could_use(const struct stream_settings *stream,
    const struct domain_settings *domain);

#endif
