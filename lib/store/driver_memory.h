/*
 * driver_memory.h - the memory driver's state: sorted arrays, nothing is ever
 * given back before it is closed.  For tests, previews and small lists.
 */
#ifndef BULKHEAD_STORE_DRIVER_MEMORY_H
#define BULKHEAD_STORE_DRIVER_MEMORY_H

#include "store/driver.h"

struct memory_event {
	struct suppress_event event;
	bool is_beneath; /* waits to come back: see driver.h */
};

/* All that is known of a key; it stays for its history. */
struct memory_record {
	struct suppress_entry entry; /* its key always holds */
	bool has_entry;
	struct memory_event *events; /* oldest first */
	size_t nevents, cap;
};

struct memory_driver {
	struct driver base;
	struct arena *arena; /* every text and array */
	struct memory_record *records; /* by key */
	size_t nrecords, records_cap;
	struct suppress_import *imports; /* import i has the id i + 1 */
	size_t nimports, imports_cap;
	struct meta_item *items; /* by key; an empty value: removed */
	size_t nitems, items_cap;
	uint64_t meta_version;
};

/* The first record whose key is not less than e's. */
size_t memory_lower_bound(const struct memory_driver *d,
    const struct suppress_entry *e);

/* The import of that id, or NULL. */
struct suppress_import *memory_import(struct memory_driver *d, uint64_t id);

/* Adds a line to the history of a record; the texts are copied. */
void memory_add_event(struct memory_driver *d, struct memory_record *r,
    const struct suppress_event *e, bool is_beneath);

/*
 * Takes the record's entry away, as its import was undone; true when what lay
 * beneath came back.
 */
bool memory_undo_entry(struct memory_driver *d, struct memory_record *r,
    struct str actor, int64_t now);

extern const struct driver_suppress_ops memory_suppress_ops;
extern const struct driver_meta_ops memory_meta_ops;

/* See struct driver_suppress_ops. */
enum store_answer memory_import_begin(struct driver *d,
    struct driver_call *call, struct suppress_import *import);
enum store_answer memory_import_end(struct driver *d, struct driver_call *call,
    const struct suppress_import *import);
enum store_answer memory_import_list(struct driver *d,
    struct driver_call *call, struct arena *a, struct driver_imports *out);
enum store_answer memory_undo(struct driver *d, struct driver_call *call,
    struct driver_undo *step);

#endif
