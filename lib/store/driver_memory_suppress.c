/*
 * driver_memory_suppress.c - suppressions in a sorted array.
 */
#include "store/driver_memory.h"

#include <stdlib.h>

#include "store/suppress_rules.h"

/* As in suppress.db: how long history is kept. */
#define HISTORY_SECONDS ((int64_t)2 * 365 * 86400)

size_t
memory_lower_bound(const struct memory_driver *d,
    const struct suppress_entry *e)
{
	size_t from = 0, to = d->nrecords;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (suppress_key_cmp(&d->records[middle].entry, e) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* The record of that key, made where there is none. */
static struct memory_record *
record_of(struct memory_driver *d, const struct suppress_entry *e)
{
	size_t at = memory_lower_bound(d, e);

	if (at < d->nrecords &&
	    suppress_key_cmp(&d->records[at].entry, e) == 0)
		return &d->records[at];
	d->records = arena_grow(d->arena, d->records, d->nrecords,
	    &d->records_cap, sizeof(*d->records));
	memmove(&d->records[at + 1], &d->records[at],
	    (d->nrecords - at) * sizeof(*d->records));
	d->nrecords++;
	d->records[at] = (struct memory_record){
		.entry = suppress_copy(d->arena, e) };
	return &d->records[at];
}

void
memory_add_event(struct memory_driver *d, struct memory_record *r,
    const struct suppress_event *e, bool is_beneath)
{
	struct memory_event *event;

	r->events = arena_grow(d->arena, r->events, r->nevents, &r->cap,
	    sizeof(*r->events));
	event = &r->events[r->nevents++];
	event->event = *e;
	event->event.actor = arena_copy(d->arena, e->actor);
	event->event.entry = suppress_copy(d->arena, &e->entry);
	event->is_beneath = is_beneath;
}

static void
find_address(const struct memory_driver *d, int64_t now, struct str address,
    struct suppress_query *q, struct arena *a)
{
	struct suppress_entry first = { .address = address };

	for (size_t i = memory_lower_bound(d, &first); i < d->nrecords &&
	    str_eq(d->records[i].entry.address, address); i++) {
		const struct suppress_entry *e = &d->records[i].entry;

		if (!d->records[i].has_entry || !suppress_is_live(e, now) ||
		    !suppress_scope_applies(&e->scope, &q->scope))
			continue;
		if (q->answer == STORE_YES &&
		    !suppress_is_stronger(e, &q->entry))
			continue;
		q->entry = suppress_copy(a, e);
		q->answer = STORE_YES;
	}
}

static void
find(struct driver *driver, struct driver_call *call, struct arena *a,
    struct suppress_query *v, size_t n)
{
	struct memory_driver *d = (struct memory_driver *)driver;
	char room[SUPPRESS_ADDRESS_MAX];

	for (size_t i = 0; i < n; i++) {
		struct str domain = suppress_domain_entry(v[i].address, room);

		v[i].answer = STORE_NO;
		find_address(d, call->now, v[i].address, &v[i], a);
		if (domain.n > 0)
			find_address(d, call->now, domain, &v[i], a);
	}
}

/* Something beneath that nobody can undo lasts as long as e. */
static bool
is_held_beneath(const struct memory_record *r, const struct suppress_entry *e)
{
	for (size_t i = 0; i < r->nevents; i++)
		if (r->events[i].is_beneath &&
		    r->events[i].event.entry.import == 0 &&
		    suppress_outlasts(&r->events[i].event.entry, e))
			return true;
	return false;
}

static void
put(struct memory_driver *d, struct suppress_change *c, int64_t now)
{
	struct memory_record *r = record_of(d, &c->entry);
	struct suppress_event event = { .at = now, .actor = c->actor,
		.what = SUPPRESS_PUT, .import = c->entry.import };
	const struct suppress_import *import = memory_import(d,
	    r->entry.import);

	if (r->has_entry && import != NULL && import->is_undone)
		memory_undo_entry(d, r, STR("undo"), now);
	c->outcome = r->has_entry ? suppress_put_outcome(&r->entry, &c->entry,
	    now) : SUPPRESS_ADDED;
	if (c->outcome == SUPPRESS_ALREADY) {
		event.entry = c->entry;
		event.import = r->entry.import;
		if (r->entry.import != 0 && c->entry.import == 0 &&
		    !is_held_beneath(r, &c->entry))
			memory_add_event(d, r, &event, true);
		return;
	}
	event.entry = r->entry;
	if (r->has_entry)
		memory_add_event(d, r, &event, true);
	r->entry = suppress_copy(d->arena, &c->entry);
	r->has_entry = true;
}

static void
forget_beneath(struct memory_record *r)
{
	for (size_t i = 0; i < r->nevents; i++)
		r->events[i].is_beneath = false;
}

static void
take_away(struct memory_driver *d, struct suppress_change *c, int64_t now)
{
	struct memory_record *r = record_of(d, &c->entry);
	struct suppress_event event = { .at = now, .actor = c->actor,
		.what = SUPPRESS_REMOVE, .entry = r->entry };

	c->outcome = SUPPRESS_ABSENT;
	if (!r->has_entry ||
	    (c->is_exact && r->entry.created != c->entry.created))
		return;
	c->outcome = SUPPRESS_REMOVED;
	memory_add_event(d, r, &event, false);
	forget_beneath(r);
	r->has_entry = false;
}

static enum store_answer
change(struct driver *driver, struct driver_call *call,
    struct suppress_change *v, size_t n, const struct suppress_import *import)
{
	struct memory_driver *d = (struct memory_driver *)driver;
	struct suppress_import *kept = import == NULL ? NULL :
	    memory_import(d, import->id);

	if (import != NULL && (kept == NULL || kept->is_undone)) {
		driver_unknown(call, "import: unknown, or undone");
		return STORE_NO;
	}
	for (size_t i = 0; i < n; i++)
		if (v[i].what == SUPPRESS_PUT)
			put(d, &v[i], call->now);
		else
			take_away(d, &v[i], call->now);
	if (import != NULL) {
		struct suppress_import counted = *import;

		suppress_count(&counted, v, n);
		counted.source = kept->source;
		counted.fingerprint = kept->fingerprint;
		*kept = counted;
	}
	return STORE_YES;
}

static enum store_answer
scan(struct driver *driver, struct driver_call *call, struct driver_scan *scan)
{
	struct memory_driver *d = (struct memory_driver *)driver;
	size_t i = scan->has_last ? memory_lower_bound(d, &scan->last) : 0;
	size_t cap = 0, nlooked = 0;

	scan->v = NULL;
	scan->n = 0;
	if (scan->has_last && i < d->nrecords &&
	    suppress_key_cmp(&d->records[i].entry, &scan->last) == 0)
		i++;
	for (; i < d->nrecords && nlooked < DRIVER_SCAN_SIZE; i++, nlooked++) {
		const struct suppress_entry *e = &d->records[i].entry;

		if (!d->records[i].has_entry ||
		    !suppress_matches(scan->filter, e, call->now))
			continue;
		scan->v = arena_grow(scan->arena, scan->v, scan->n, &cap,
		    sizeof(*scan->v));
		scan->v[scan->n++] = suppress_copy(scan->arena, e);
	}
	scan->is_end = i == d->nrecords;
	scan->has_last = true;
	if (i > 0)
		scan->last = suppress_copy(scan->arena,
		    &d->records[i - 1].entry);
	return STORE_YES;
}

static int
compare_events(const void *a, const void *b)
{
	const struct suppress_event *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static enum store_answer
history(struct driver *driver, struct driver_call *call, struct arena *a,
    struct str address, struct driver_events *out)
{
	struct memory_driver *d = (struct memory_driver *)driver;
	struct suppress_entry first = { .address = address };
	size_t cap = 0;

	(void)call;
	for (size_t i = memory_lower_bound(d, &first); i < d->nrecords &&
	    str_eq(d->records[i].entry.address, address); i++)
		for (size_t j = 0; j < d->records[i].nevents; j++) {
			out->v = arena_grow(a, out->v, out->n, &cap,
			    sizeof(*out->v));
			out->v[out->n++] = d->records[i].events[j].event;
		}
	if (out->n > 0)
		qsort(out->v, out->n, sizeof(*out->v), compare_events);
	return STORE_YES;
}

/* All at once: the memory driver is for small lists. */
static enum store_answer
removed(struct driver *driver, struct driver_call *call,
    struct driver_removed *piece)
{
	struct memory_driver *d = (struct memory_driver *)driver;
	size_t cap = 0;

	(void)call;
	for (size_t i = 0; i < d->nrecords; i++)
		for (size_t j = 0; j < d->records[i].nevents &&
		    !d->records[i].has_entry; j++) {
			const struct memory_event *e =
			    &d->records[i].events[j];

			if (e->is_beneath || e->event.at < piece->since ||
			    e->event.what != SUPPRESS_REMOVE)
				continue;
			piece->v = arena_grow(piece->arena, piece->v,
			    piece->n, &cap, sizeof(*piece->v));
			piece->v[piece->n++] = e->event;
		}
	if (piece->n > 0)
		qsort(piece->v, piece->n, sizeof(*piece->v), compare_events);
	piece->is_end = true;
	return STORE_YES;
}

/* Old lines go; how many of max are left. */
static size_t
purge_events(struct memory_record *r, int64_t before, size_t max)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->nevents; i++)
		if (max > 0 && !r->events[i].is_beneath &&
		    r->events[i].event.at < before)
			max--;
		else
			r->events[kept++] = r->events[i];
	r->nevents = kept;
	return max;
}

static enum store_answer
purge(struct driver *driver, struct driver_call *call, size_t max, bool *more)
{
	struct memory_driver *d = (struct memory_driver *)driver;

	for (size_t i = 0; max > 0 && i < d->nrecords; i++) {
		struct memory_record *r = &d->records[i];

		if (r->has_entry && !suppress_is_live(&r->entry, call->now)) {
			r->has_entry = false;
			forget_beneath(r);
			max--;
		}
		max = purge_events(r, call->now - HISTORY_SECONDS, max);
	}
	*more = max == 0;
	return STORE_YES;
}

const struct driver_suppress_ops memory_suppress_ops = {
	.find = find,
	.change = change,
	.scan = scan,
	.history = history,
	.removed = removed,
	.import_begin = memory_import_begin,
	.import_end = memory_import_end,
	.import_list = memory_import_list,
	.undo = memory_undo,
	.purge = purge,
};
