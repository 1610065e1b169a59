/*
 * driver_sqlite_rollup.h - what the two files about rollups.db share: its
 * statements, and adding a batch.
 */
#ifndef BULKHEAD_STORE_DRIVER_SQLITE_ROLLUP_H
#define BULKHEAD_STORE_DRIVER_SQLITE_ROLLUP_H

#include "store/driver_sqlite_open.h"
#include "store/rollup_batch.h"

enum {
	ROLLUP_STATE = SQLITE_FIRST_OWN,
	ROLLUP_MOVE,
	ROLLUP_ADD,
	ROLLUP_SEEN,
	ROLLUP_SEEN_PUT,
	ROLLUP_SEEN_DELETE,
	ROLLUP_CAMPAIGN,
	ROLLUP_CAMPAIGN_NEW,
	ROLLUP_CAMPAIGN_LINKS,
	ROLLUP_LINK_ADD,
	ROLLUP_LINK_NEW,
	ROLLUP_WALK,
	ROLLUP_LINKS,
	ROLLUP_HOURS,
	ROLLUP_PURGE,
	ROLLUP_PURGED,
	ROLLUP_IS_PURGED,
	ROLLUP_FORGET_COUNT,
	ROLLUP_FORGET_KEEP,
	ROLLUP_FORGET,
	ROLLUP_FORGET_COUNTED
};

/*
 * Adds a batch within the transaction that is open; false: see
 * sqlite_file_failed().
 */
bool sqlite_rollup_add(struct sqlite_file *f, struct rollup_batch *b);

/* See struct driver_rollup_ops. */
enum store_answer sqlite_rollup_forget(struct driver *driver,
    struct driver_call *call, struct str address, bool is_dry, uint64_t *n);

#endif
