/*
 * num.h - numbers as people write them in settings and on command lines.
 * All are strict: the whole text, no sign, no leading zero, no blanks.
 */
#ifndef BULKHEAD_BASE_NUM_H
#define BULKHEAD_BASE_NUM_H

#include <stdint.h>

#include "base/str.h"

/* Decimal; 0, or -1 for anything else or more than max. */
int num_parse(struct str s, uint64_t max, uint64_t *out);

/* "64M": bytes with an optional k, M or G (1024 based). */
int num_parse_size(struct str s, uint64_t *bytes);

/* "30d": seconds; a unit of s, m, h or d is required except for 0. */
int num_parse_duration(struct str s, uint64_t *seconds);

struct rate {
	uint64_t count;	 /* at least 1 */
	uint64_t period; /* seconds: 1, 60, 3600 or 86400 */
};

/* "20000/h": a count for each s, m, h or d. */
int num_parse_rate(struct str s, struct rate *out);

#endif
