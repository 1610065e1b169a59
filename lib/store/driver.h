/*
 * driver.h - what a driver of the store implements; for lib/store alone.
 * Callers of the store never see it: they use store.h and its kin.
 */
#ifndef BULKHEAD_STORE_DRIVER_H
#define BULKHEAD_STORE_DRIVER_H

#include <stdatomic.h>

#include "base/arena.h"
#include "store/events_private.h"
#include "store/meta.h"
#include "store/rate.h"
#include "store/rollup.h"
#include "store/sieve.h"
#include "store/store.h"
#include "store/suppress.h"

#define DRIVER_ERROR_SIZE 512

/*
 * What every call brings along.  A driver gives up by the deadline; it answers
 * STORE_UNKNOWN with driver_unknown(), never without a reason.
 */
struct driver_call {
	int64_t deadline; /* nanoseconds of clock_monotonic() */
	int64_t now;	  /* seconds since 1970, by the store's clock */
	char *error;	  /* DRIVER_ERROR_SIZE bytes */
	enum store_access access; /* what kind of a call it is */
};

/* Notes why, as one line, and returns STORE_UNKNOWN. */
enum store_answer driver_unknown(struct driver_call *call, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A driver's own struct begins with it. */
struct driver {
	const struct driver_ops *ops;
};

struct driver_spec {
	struct str where; /* what follows "sqlite:" */
	unsigned kinds;	  /* STORE_ bits to be served */
	enum store_access access;
	struct clock clock;
};

/* One piece of a walk: the entries that match, after a key. */
struct driver_scan {
	const struct suppress_filter *filter;
	struct arena *arena; /* for the entries and the last key */
	/*
	 * In: the walk goes on behind this key, when has_last.  Out: the last
	 * key that was looked at, in the arena.
	 */
	struct suppress_entry last;
	bool has_last;
	struct suppress_entry *v; /* in the arena */
	size_t n;
	bool is_end; /* there is nothing behind them */
};

/* How many entries one piece of a walk looks at, at most. */
#define DRIVER_SCAN_SIZE 4096

struct driver_events {
	struct suppress_event *v; /* in order of time; in the arena */
	size_t n;
};

struct driver_imports {
	struct suppress_import *v; /* in order of their ids; in the arena */
	size_t n;
};

/* One piece of a walk over removals.  All zero but since before the first. */
struct driver_removed {
	int64_t since;
	struct arena *arena;
	struct suppress_event *v; /* in order of time; in the arena */
	size_t n;
	struct suppress_event last; /* looked at, and its number */
	int64_t last_n;
	bool has_last;
	bool is_end;
};

/* One piece of an undo.  All zero but id and actor before the first. */
struct driver_undo {
	uint64_t id;
	struct str actor;
	struct arena *arena;	    /* for the last key */
	struct suppress_entry last; /* as in driver_scan */
	bool has_last;
	uint64_t nremoved, nrestored; /* counted on */
	bool is_end;
};

/* What was made of all addresses that had entries at one moment. */
struct suppress_sieve {
	struct sieve *texts;
	bool has_domains; /* one begins with "@" */
	/* of the driver: where and when that was */
	uint64_t file[2];
	int64_t moment, schema;
};

/*
 * What every change of a driver obeys is written in suppress.h; in addition an
 * entry that was replaced by a PUT lies beneath the new one until the key is
 * removed or purged: undo takes an import's entries out of that pile wherever
 * they lie.
 */
struct driver_suppress_ops {
	void (*find)(struct driver *d, struct driver_call *call,
	    struct arena *a, struct suppress_query *v, size_t n);
	/*
	 * import: NULL, or what these changes belong to: its counts and its
	 * position are stored with them.  STORE_NO when it is unknown or was
	 * undone.
	 */
	enum store_answer (*change)(struct driver *d, struct driver_call *call,
	    struct suppress_change *v, size_t n,
	    const struct suppress_import *import);
	enum store_answer (*scan)(struct driver *d, struct driver_call *call,
	    struct driver_scan *scan);
	enum store_answer (*history)(struct driver *d, struct driver_call *call,
	    struct arena *a, struct str address, struct driver_events *out);
	enum store_answer (*removed)(struct driver *d, struct driver_call *call,
	    struct driver_removed *piece);
	enum store_answer (*import_begin)(struct driver *d,
	    struct driver_call *call, struct suppress_import *import);
	/* Stores counts and end; STORE_NO as change. */
	enum store_answer (*import_end)(struct driver *d,
	    struct driver_call *call, const struct suppress_import *import);
	enum store_answer (*import_list)(struct driver *d,
	    struct driver_call *call, struct arena *a,
	    struct driver_imports *out);
	enum store_answer (*undo)(struct driver *d, struct driver_call *call,
	    struct driver_undo *step);
	enum store_answer (*purge)(struct driver *d, struct driver_call *call,
	    size_t max, bool *more);
	/* See suppress.h; all NULL where a look-up costs little anyway. */
	struct suppress_sieve *(*make_sieve)(struct driver *d,
	    struct driver_call *call, const atomic_bool *stop);
	void (*use_sieve)(struct driver *d, struct suppress_sieve **sieve);
	bool (*wants_sieve)(const struct driver *d);
};

struct driver_items {
	struct meta_item *v; /* in the arena */
	size_t n;
	bool is_end;
};

struct driver_meta_ops {
	enum store_answer (*get)(struct driver *d, struct driver_call *call,
	    struct arena *a, struct str key, struct meta_item *out);
	enum store_answer (*put)(struct driver *d, struct driver_call *call,
	    const struct meta_item *v, size_t n);
	/* Live items with that prefix behind the key, a bounded number. */
	enum store_answer (*scan)(struct driver *d, struct driver_call *call,
	    struct arena *a, struct str prefix, struct str after,
	    struct driver_items *out);
	enum store_answer (*version)(struct driver *d, struct driver_call *call,
	    uint64_t *version);
};

/* The state of a bucket as it is kept over restarts. */
struct driver_rate {
	struct str key;
	int64_t tat; /* theoretical arrival time: microseconds since 1970 */
	struct rate rate;
	uint64_t burst;
	int64_t expires; /* seconds since 1970 from when it is full */
};

/*
 * Rates are decided in one of two places.  A driver with decide() does it
 * itself (one atomic script of a shared server).  One without keeps what
 * store/rate.c decides in memory: loaded once, saved every second.
 */
struct driver_rate_ops {
	void (*decide)(struct driver *d, struct driver_call *call,
	    struct rate_request *v, size_t n);
	enum store_answer (*walk)(struct driver *d, struct driver_call *call,
	    struct str prefix, bool (*each)(void *arg,
	    const struct rate_state *r), void *arg);
	enum store_answer (*reset)(struct driver *d, struct driver_call *call,
	    struct str prefix, uint64_t *n);
	/* Every bucket saved that has not expired. */
	enum store_answer (*load)(struct driver *d, struct driver_call *call,
	    void (*each)(void *arg, const struct driver_rate *r), void *arg);
	/* All or nothing; a tat of 0 removes the bucket. */
	enum store_answer (*save)(struct driver *d, struct driver_call *call,
	    const struct driver_rate *v, size_t n);
};

/* One piece of a walk over events. */
struct driver_event_piece {
	const struct event_match *match;
	struct arena *arena;
	/* In: where to go on; out: behind the last event looked at. */
	struct event_cursor cursor;
	struct event *v; /* in the arena */
	struct event_cursor *at; /* of each */
	size_t n;
	bool is_end; /* there is nothing behind them now */
};

/* How many events one piece looks at, at most. */
#define DRIVER_EVENTS_SIZE 2048

/* One day's part of forgetting. */
struct driver_event_forget {
	struct str recipient, hash;
	bool is_dry;
	uint32_t day; /* in: the last one that was done, 0 at first; out */
	uint64_t n;   /* events of that day */
	bool is_end;  /* there was no day behind it */
};

/* Names, limits, hashes and ids are the front's (events.c). */
struct driver_event_ops {
	/*
	 * As store_events_add(); ids and texts are as they are to be stored.
	 * The day is of the driver's clock.
	 */
	enum store_answer (*add)(struct driver *d, struct driver_call *call,
	    const struct event *v, size_t n);
	enum store_answer (*scan)(struct driver *d, struct driver_call *call,
	    struct driver_event_piece *piece);
	enum store_answer (*seek)(struct driver *d, struct driver_call *call,
	    int64_t at, struct event_cursor *out);
	enum store_answer (*oldest)(struct driver *d, struct driver_call *call,
	    uint32_t *day);
	/* The key of hashes; STORE_NO: none was made, and this only looks. */
	enum store_answer (*key)(struct driver *d, struct driver_call *call,
	    unsigned char out[32]);
	enum store_answer (*forget)(struct driver *d, struct driver_call *call,
	    struct driver_event_forget *step);
	enum store_answer (*purge)(struct driver *d, struct driver_call *call,
	    uint32_t before_day, unsigned *nfiles);
};

/* How far events are rolled up. */
struct driver_rollup {
	struct event_cursor cursor;
	int64_t at;		   /* microseconds since 1970; 0: never */
	unsigned char key[32];	   /* of the MAC that tells mails apart */
};

struct rollup_batch;

/* See rollup.h.  Kept beside the events. */
struct driver_rollup_ops {
	/*
	 * Locks what is rolled up against others that roll up, until end();
	 * STORE_YES with *out, or STORE_UNKNOWN and nothing is locked.
	 */
	enum store_answer (*begin)(struct driver *d, struct driver_call *call,
	    struct driver_rollup *out);
	/* Adds the batch and moves on to now, all or nothing; NULL: nothing */
	enum store_answer (*end)(struct driver *d, struct driver_call *call,
	    struct rollup_batch *batch, const struct driver_rollup *now);
	/* STORE_NO: nothing was rolled up yet. */
	enum store_answer (*state)(struct driver *d, struct driver_call *call,
	    struct driver_rollup *out);
	enum store_answer (*walk)(struct driver *d, struct driver_call *call,
	    const struct rollup_filter *filter,
	    bool (*each)(void *arg, const struct rollup_row *row), void *arg);
	enum store_answer (*links)(struct driver *d, struct driver_call *call,
	    const struct rollup_filter *filter, size_t max,
	    bool (*each)(void *arg, const struct rollup_link *link), void *arg);
	enum store_answer (*purge)(struct driver *d, struct driver_call *call,
	    uint32_t before_day);
	enum store_answer (*forget)(struct driver *d, struct driver_call *call,
	    struct str address, bool is_dry, uint64_t *n);
};

struct driver_ops {
	const char *name; /* "sqlite": what a spec begins with */
	unsigned kinds;	  /* STORE_ bits that it can serve */
	bool is_durable;  /* STORE_YES to a change survives a crash */
	bool is_shared;	  /* several processes see the same */
	/* NULL with one line for each error added to *errors. */
	struct driver *(*open)(const struct driver_spec *spec,
	    struct buf *errors);
	void (*close)(struct driver *d);
	const struct driver_suppress_ops *suppress; /* NULL: kind not served */
	const struct driver_meta_ops *meta;
	const struct driver_rate_ops *rates;
	const struct driver_event_ops *events;
	const struct driver_rollup_ops *rollups; /* NULL: none are kept */
};

extern const struct driver_ops driver_sqlite;
extern const struct driver_ops driver_memory;
extern const struct driver_ops driver_fail;

/*
 * Opens what a spec names ("sqlite:/DIR").  A driver that does not serve all
 * the kinds is an error.
 */
struct driver *driver_open(struct str spec, unsigned kinds,
    enum store_access access, struct clock clock, struct buf *errors);
void driver_close(struct driver **d);

#endif
