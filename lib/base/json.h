/*
 * json.h - JSON text out (RFC 8259), appended to a buffer.  Nothing here
 * reads JSON.
 */
#ifndef BULKHEAD_BASE_JSON_H
#define BULKHEAD_BASE_JSON_H

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/*
 * Appends s as a quoted string: always valid UTF-8, quotes, backslashes and
 * control characters escaped, each byte that belongs to no valid UTF-8
 * sequence made U+FFFD.  0, or -1 when the buffer is full.
 */
int json_string(struct buf *out, struct str s);

/* As json_string(), or null for an empty slice. */
int json_string_or_null(struct buf *out, struct str s);

/*
 * Appends `"name": ` behind a comma and a blank, unless an object was just
 * opened.  0, or -1 when the buffer is full.
 */
int json_key(struct buf *out, const char *name);

/* Appends true or false, or a whole number.  0, or -1 as above. */
int json_bool(struct buf *out, bool value);
int json_number(struct buf *out, int64_t value);

#endif
