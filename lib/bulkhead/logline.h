/*
 * logline.h - what the key=value lines of docs/LOGGING.md are made of; whose
 * facts they tell is the programs' matter.
 */
#ifndef BULKHEAD_BULKHEAD_LOGLINE_H
#define BULKHEAD_BULKHEAD_LOGLINE_H

#include "base/arena.h"
#include "base/buf.h"
#include "bulkhead/settings.h"

/* Octets of a line that syslog takes, with what it puts before it. */
#define LOGLINE_MAX 1800

/*
 * An address as log-addresses wants it: in full, as 16 hex digits of its
 * SHA-256, or "-".  In the arena.
 */
struct str logline_address(const struct settings *s, struct arena *a,
    struct str address);

/* Adds " key=value", the value in quotes where it needs them. */
void logline_add_value(struct buf *line, const char *key, struct str value);

#endif
