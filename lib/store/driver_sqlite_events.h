/*
 * driver_sqlite_events.h - the files of events, one for each day: which there
 * are, which is written, and how a day ends.
 *
 * Nobody writes into a file that is sealed; whoever first writes into a later
 * one seals all before it.  New files are made under a lock, and later than
 * all there are.  So a reader who sees the seal in the same transaction as the
 * last event knows that no other event comes before the next file's.
 */
#ifndef BULKHEAD_STORE_DRIVER_SQLITE_EVENTS_H
#define BULKHEAD_STORE_DRIVER_SQLITE_EVENTS_H

#include "store/driver_sqlite_open.h"

/* The statements of a day's file. */
enum {
	EVENTS_STATE = SQLITE_FIRST_OWN,
	EVENTS_INSERT,
	EVENTS_SET,
	EVENTS_SCAN,
	EVENTS_SEEK,
	EVENTS_FIND,
	EVENTS_FORGET,
	EVENTS_COUNT
};

#define EVENTS_NAME_SIZE 32

extern const struct sqlite_schema sqlite_schema_events;

/* Which days there are, in order; in the arena. */
struct sqlite_days {
	uint32_t *v;
	size_t n;
};

/* Of a file, as a transaction sees it. */
struct sqlite_events_state {
	int64_t last; /* the last event's number, 0: none */
	int64_t base; /* new ones are greater: see sqlite_events_begin() */
	bool is_sealed;
};

/* Prepares for the kind; STORE_CHANGE: makes the directory. */
enum store_answer sqlite_events_init(struct sqlite_events *e,
    const struct driver_spec *spec, struct driver_call *call);
void sqlite_events_free(struct sqlite_events *e);

enum store_answer sqlite_events_days(const struct sqlite_events *e,
    struct arena *a, struct sqlite_days *out, struct driver_call *call);

/* The first of them that is later; 0: none. */
uint32_t sqlite_days_after(const struct sqlite_days *days, uint32_t day);

/* "events-20261123.db" */
void sqlite_events_name(uint32_t day, char out[EVENTS_NAME_SIZE]);

/* Is the file of that day there? */
bool sqlite_events_is_there(const struct sqlite_events *e, uint32_t day);

/*
 * Prepares *f for the file of that day, which is not made where it is missing.
 */
void sqlite_events_existing(const struct sqlite_events *e,
    struct sqlite_file *f, uint32_t day, enum store_access access);

/* The file that is read, for that day; begins a transaction. */
enum store_answer sqlite_events_read(struct sqlite_events *e, uint32_t day,
    struct driver_call *call);

/* In a transaction. */
bool sqlite_events_get_state(struct sqlite_file *f,
    struct sqlite_events_state *out);

/* Seals the file of that day, durably. */
enum store_answer sqlite_events_seal(const struct sqlite_events *e,
    uint32_t day, struct driver_call *call);

/*
 * Begins a transaction in the file that is to be written now, made and opened
 * where it is not, after all earlier ones were sealed.
 */
enum store_answer sqlite_events_begin(struct sqlite_events *e,
    struct sqlite_events_state *state, struct driver_call *call);

/* The lock under which files are made and removed: a descriptor, or -1. */
int sqlite_events_lock(const struct sqlite_events *e, struct driver_call *call);

/* See struct driver_event_ops. */
enum store_answer sqlite_events_scan(struct driver *d,
    struct driver_call *call, struct driver_event_piece *piece);
enum store_answer sqlite_events_seek(struct driver *d,
    struct driver_call *call, int64_t at, struct event_cursor *out);
enum store_answer sqlite_events_oldest(struct driver *d,
    struct driver_call *call, uint32_t *day);
enum store_answer sqlite_events_key(struct driver *d, struct driver_call *call,
    unsigned char out[32]);
enum store_answer sqlite_events_forget(struct driver *d,
    struct driver_call *call, struct driver_event_forget *step);
enum store_answer sqlite_events_purge(struct driver *d,
    struct driver_call *call, uint32_t before_day, unsigned *nfiles);

#endif
