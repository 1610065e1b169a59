/*
 * suppress_front.c - the calls of suppress.h: checked, entered, handed to the
 * driver; walks piece by piece.  Imports are import.c's.
 */
#include "store/suppress.h"

#include <stdlib.h>

#include "store/store_private.h"
#include "store/suppress_rules.h"

void
store_suppress_find(struct store *s, struct arena *a, struct suppress_query *v,
    size_t n, int64_t deadline)
{
	enum store_answer worst = STORE_YES;
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_SUPPRESS, STORE_READ, deadline,
	    &call);

	for (size_t i = 0; i < n; i++)
		v[i].answer = STORE_UNKNOWN;
	if (d == NULL)
		return;
	d->ops->suppress->find(d, &call, a, v, n);
	for (size_t i = 0; i < n; i++)
		if (v[i].answer == STORE_UNKNOWN)
			worst = STORE_UNKNOWN;
	store_leave(s, STORE_SUPPRESS, &call, worst);
}

bool
store_changes_are_well(struct driver_call *call,
    const struct suppress_change *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *fault = suppress_fault(&v[i].entry);

		if (fault == NULL && v[i].actor.n > SUPPRESS_LABEL_MAX)
			fault = "actor too long";
		if (fault != NULL) {
			driver_unknown(call, "entry %zu of %zu, \"%.*s\": %s",
			    i + 1, n,
			    STR_ARG(str_sub(v[i].entry.address, 0, 100)),
			    fault);
			return false;
		}
	}
	return true;
}

enum store_answer
store_suppress_change(struct store *s, struct suppress_change *v, size_t n,
    int64_t deadline)
{
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_SUPPRESS, STORE_CHANGE,
	    deadline, &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	if (!store_changes_are_well(&call, v, n))
		return STORE_NO;
	return store_leave(s, STORE_SUPPRESS, &call,
	    d->ops->suppress->change(d, &call, v, n, NULL));
}

/* One piece; the last key of the one before lives in an arena of its own. */
static enum store_answer
scan_piece(struct store *s, struct driver_scan *scan)
{
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_SUPPRESS, STORE_READ,
	    store_deadline(STORE_PIECE_MILLIS), &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	return store_leave(s, STORE_SUPPRESS, &call,
	    d->ops->suppress->scan(d, &call, scan));
}

static enum store_answer
walk_pieces(struct store *s, struct driver_scan *scan,
    bool (*each)(void *arg, const struct suppress_entry *e), void *arg)
{
	struct arena *keys[2] = { arena_new(), arena_new() };
	enum store_answer answer = STORE_YES;
	size_t turn = 0;

	while (answer == STORE_YES && !scan->is_end) {
		scan->arena = keys[turn++ % 2];
		arena_reset(scan->arena);
		answer = scan_piece(s, scan);
		for (size_t i = 0; answer == STORE_YES && i < scan->n; i++)
			if (!each(arg, &scan->v[i]))
				scan->is_end = true, i = scan->n;
	}
	arena_free(&keys[0]);
	arena_free(&keys[1]);
	return answer;
}

enum store_answer
store_suppress_walk(struct store *s, const struct suppress_filter *filter,
    bool (*each)(void *arg, const struct suppress_entry *e), void *arg)
{
	struct driver_scan scan = { .filter = filter };

	return walk_pieces(s, &scan, each, arg);
}

enum store_answer
store_suppress_history(struct store *s, struct str address,
    bool (*each)(void *arg, const struct suppress_event *e), void *arg)
{
	struct driver_events events = { .n = 0 };
	enum store_answer answer;
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_SUPPRESS, STORE_READ,
	    store_deadline(STORE_PIECE_MILLIS), &call);
	struct arena *a;

	if (d == NULL)
		return STORE_UNKNOWN;
	a = arena_new();
	answer = store_leave(s, STORE_SUPPRESS, &call,
	    d->ops->suppress->history(d, &call, a, address, &events));
	if (answer == STORE_YES)
		for (size_t i = 0; i < events.n && each(arg, &events.v[i]);)
			i++;
	arena_free(&a);
	return answer;
}

static enum store_answer
removed_piece(struct store *s, struct driver_removed *piece)
{
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_SUPPRESS, STORE_READ,
	    store_deadline(STORE_PIECE_MILLIS), &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	return store_leave(s, STORE_SUPPRESS, &call,
	    d->ops->suppress->removed(d, &call, piece));
}

enum store_answer
store_suppress_removed(struct store *s, int64_t since,
    bool (*each)(void *arg, const struct suppress_event *e), void *arg)
{
	struct driver_removed piece = { .since = since };
	struct arena *keys[2] = { arena_new(), arena_new() };
	enum store_answer answer = STORE_YES;
	size_t turn = 0;

	while (answer == STORE_YES && !piece.is_end) {
		piece.arena = keys[turn++ % 2];
		piece.v = NULL;
		piece.n = 0;
		arena_reset(piece.arena);
		answer = removed_piece(s, &piece);
		for (size_t i = 0; answer == STORE_YES && i < piece.n; i++)
			if (!each(arg, &piece.v[i]))
				piece.is_end = true, i = piece.n;
	}
	arena_free(&keys[0]);
	arena_free(&keys[1]);
	return answer;
}

enum store_answer
store_suppress_purge(struct store *s, size_t max, bool *more, int64_t deadline)
{
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_SUPPRESS, STORE_CHANGE,
	    deadline, &call);

	*more = false;
	if (d == NULL)
		return STORE_UNKNOWN;
	return store_leave(s, STORE_SUPPRESS, &call,
	    d->ops->suppress->purge(d, &call, max, more));
}

struct suppress_sieve *
store_suppress_make_sieve(struct store *s, const atomic_bool *stop,
    int64_t deadline)
{
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_SUPPRESS, STORE_READ, deadline,
	    &call);
	struct suppress_sieve *sieve;

	if (d == NULL || d->ops->suppress->make_sieve == NULL)
		return NULL;
	sieve = d->ops->suppress->make_sieve(d, &call, stop);
	store_leave(s, STORE_SUPPRESS, &call, sieve == NULL &&
	    !atomic_load(stop) ? STORE_UNKNOWN : STORE_YES);
	return sieve;
}

void
suppress_sieve_free(struct suppress_sieve **s)
{
	if (*s != NULL)
		sieve_free(&(*s)->texts);
	free(*s);
	*s = NULL;
}

void
store_suppress_use_sieve(struct store *s, struct suppress_sieve **sieve)
{
	struct driver *d = store_driver(s, STORE_SUPPRESS);

	if (*sieve != NULL && d != NULL && d->ops->suppress->use_sieve != NULL)
		d->ops->suppress->use_sieve(d, sieve);
	suppress_sieve_free(sieve);
}

bool
store_suppress_wants_sieve(const struct store *s)
{
	const struct driver *d = store_driver(s, STORE_SUPPRESS);

	return d != NULL && d->ops->suppress->wants_sieve != NULL &&
	    d->ops->suppress->wants_sieve(d);
}
