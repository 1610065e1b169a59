/*
 * driver_memory_import.c - imports and their undo, in memory.
 */
#include "store/driver_memory.h"

#include "store/suppress_rules.h"

struct suppress_import *
memory_import(struct memory_driver *d, uint64_t id)
{
	return id == 0 || id > d->nimports ? NULL : &d->imports[id - 1];
}

enum store_answer
memory_import_begin(struct driver *driver, struct driver_call *call,
    struct suppress_import *import)
{
	struct memory_driver *d = (struct memory_driver *)driver;
	struct suppress_import *kept;

	(void)call;
	d->imports = arena_grow(d->arena, d->imports, d->nimports,
	    &d->imports_cap, sizeof(*d->imports));
	kept = &d->imports[d->nimports++];
	import->id = d->nimports;
	*kept = (struct suppress_import){
		.id = import->id,
		.started = import->started,
		.source = arena_copy(d->arena, import->source),
		.fingerprint = arena_copy(d->arena, import->fingerprint),
	};
	return STORE_YES;
}

enum store_answer
memory_import_end(struct driver *driver, struct driver_call *call,
    const struct suppress_import *import)
{
	struct memory_driver *d = (struct memory_driver *)driver;
	struct suppress_import *kept = memory_import(d, import->id);

	if (kept == NULL || kept->is_undone) {
		driver_unknown(call, "import: unknown, or undone");
		return STORE_NO;
	}
	kept->ended = import->ended;
	kept->nadded = import->nadded;
	kept->nextended = import->nextended;
	kept->nalready = import->nalready;
	kept->nrefused = import->nrefused;
	kept->position = import->position;
	return STORE_YES;
}

enum store_answer
memory_import_list(struct driver *driver, struct driver_call *call,
    struct arena *a, struct driver_imports *out)
{
	struct memory_driver *d = (struct memory_driver *)driver;

	(void)call;
	out->n = d->nimports;
	out->v = arena_array(a, d->nimports, sizeof(*out->v));
	for (size_t i = 0; i < d->nimports; i++)
		out->v[i] = d->imports[i];
	return STORE_YES;
}

/* The longest lasting beneath that is not of an undone import; the newest. */
static struct memory_event *
beneath(struct memory_driver *d, struct memory_record *r)
{
	struct memory_event *best = NULL;

	for (size_t i = 0; i < r->nevents; i++) {
		struct memory_event *e = &r->events[i];
		const struct suppress_import *import = memory_import(d,
		    e->event.entry.import);

		if (!e->is_beneath || (import != NULL && import->is_undone))
			continue;
		if (best == NULL || suppress_outlasts(&e->event.entry,
		    &best->event.entry))
			best = e;
	}
	return best;
}

bool
memory_undo_entry(struct memory_driver *d, struct memory_record *r,
    struct str actor, int64_t now)
{
	struct suppress_event event = { .at = now, .actor = actor,
		.what = SUPPRESS_REMOVE, .import = r->entry.import,
		.entry = r->entry };
	struct memory_event *back = beneath(d, r);

	r->has_entry = back != NULL;
	if (back != NULL) {
		back->is_beneath = false;
		r->entry = back->event.entry;
	}
	memory_add_event(d, r, &event, false);
	return r->has_entry;
}

enum store_answer
memory_undo(struct driver *driver, struct driver_call *call,
    struct driver_undo *step)
{
	struct memory_driver *d = (struct memory_driver *)driver;
	struct suppress_import *import = memory_import(d, step->id);

	if (import == NULL)
		return STORE_NO;
	import->is_undone = true;
	for (size_t i = 0; i < d->nrecords; i++) {
		struct memory_record *r = &d->records[i];

		if (!r->has_entry || r->entry.import != step->id)
			continue;
		step->nremoved++;
		step->nrestored += memory_undo_entry(d, r, step->actor,
		    call->now);
	}
	step->is_end = true;
	return STORE_YES;
}
