/*
 * rate_ids.h - which requests were charged lately: a bounded ring, the oldest
 * go first.  What is charged is rate_table.h's.
 */
#ifndef BULKHEAD_STORE_RATE_IDS_H
#define BULKHEAD_STORE_RATE_IDS_H

#include <stdint.h>

#include "base/str.h"

struct rate_ids;

/* A set that knows at most max ids, each for life microseconds. */
struct rate_ids *rate_ids_new(size_t max, int64_t life);
void rate_ids_free(struct rate_ids **ids);

/* An id as it is kept: half of its SHA-256. */
struct rate_id {
	unsigned char b[16];
};

/* The id of any bytes. */
struct rate_id rate_id_of(struct str id);

/*
 * Was it added less than its life ago?  After the clock was set back an id may
 * be known for twice its life, never longer.
 */
bool rate_ids_has(const struct rate_ids *ids, const struct rate_id *id,
    int64_t now);

/* Adds it; those that lived long enough go, the oldest when there are max. */
void rate_ids_add(struct rate_ids *ids, const struct rate_id *id, int64_t now);

/* How many are in memory, those that lived too long included. */
size_t rate_ids_count(const struct rate_ids *ids);

#endif
