/*
 * store_private.h - the front's inside: a handle, and how each call enters
 * and leaves it; for lib/store's fronts (suppress, import, meta, rate, events)
 * alone.
 */
#ifndef BULKHEAD_STORE_STORE_PRIVATE_H
#define BULKHEAD_STORE_STORE_PRIVATE_H

#include "base/hash.h"
#include "store/breaker.h"
#include "store/driver.h"

#define STORE_NKINDS 4

/* One kind of a handle: who serves it and how that went of late. */
struct store_kind {
	struct driver *driver; /* may serve several kinds */
	struct breaker breakers[2]; /* of looking, of changing: STORE_READ.. */
	char error[DRIVER_ERROR_SIZE];
};

struct store {
	struct store_kind kinds[STORE_NKINDS];
	struct driver *owned[STORE_NKINDS]; /* each driver once */
	struct clock clock;
	enum store_access access;
	/* what store/rate.c keeps for drivers that do not decide themselves */
	void *rates;
	void (*free_rates)(void *rates);
	struct hash_mac *event_mac; /* of recipients; NULL: not asked yet */
};

/*
 * Begins a call of that kind: fills *call and gives the driver, or NULL when
 * the answer is STORE_UNKNOWN at once (kind not opened, deadline passed,
 * breaker open, a change of a store opened to read), with the reason noted.
 */
struct driver *store_enter(struct store *s, unsigned kind,
    enum store_access access, int64_t deadline, struct driver_call *call);

/*
 * Ends it: the breaker learns from the answer, which is returned.  Looking and
 * changing have breakers of their own: a file that somebody keeps locked can
 * still be read.
 */
enum store_answer store_leave(struct store *s, unsigned kind,
    const struct driver_call *call, enum store_answer answer);

/* Who serves that kind, for calls that ask no store; NULL: not opened. */
struct driver *store_driver(const struct store *s, unsigned kind);

/* For calls without a deadline of their own: one piece of a walk. */
#define STORE_PIECE_MILLIS 10000

#endif
