/*
 * world.h - an installation in memory for the engine's target: settings with
 * a stream for each variant, and keys made when the program starts.
 */
#ifndef BULKHEAD_TESTS_FUZZ_WORLD_H
#define BULKHEAD_TESTS_FUZZ_WORLD_H

#include "bulkhead/keyring.h"

#define WORLD_TIME     INT64_C(1735718400) /* 2025-01-01T08:00:00Z */
#define WORLD_VARIANTS 8

/*
 * The keys and settings, made at the first call; borrowed.  The stream of
 * variant N takes what comes from the daemon "vN", if N has one.
 */
struct keyring *world_keyring(void);

/*
 * The public keys as libopendkim reads them from a file: its path, which is
 * that of a file without a name, until the program ends.
 */
const char *world_records(void);

/* The last line that was logged, for a look at a finding. */
const char *world_last_log(void);

#endif
