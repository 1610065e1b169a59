/*
 * import.c - the calls about imports: begin, slices, end, undo.  What is in
 * the files to be imported is the command's.
 */
#include "store/suppress.h"

#include "store/store_private.h"
#include "store/suppress_rules.h"

enum store_answer
store_import_begin(struct store *s, struct suppress_import *import,
    int64_t deadline)
{
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_SUPPRESS, STORE_CHANGE,
	    deadline, &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	if (import->started == 0)
		import->started = call.now;
	return store_leave(s, STORE_SUPPRESS, &call,
	    d->ops->suppress->import_begin(d, &call, import));
}

enum store_answer
store_import_slice(struct store *s, struct suppress_import *import,
    struct suppress_change *v, size_t n, int64_t deadline)
{
	enum store_answer answer;
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_SUPPRESS, STORE_CHANGE,
	    deadline, &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	for (size_t i = 0; i < n; i++)
		v[i].entry.import = import->id;
	if (!store_changes_are_well(&call, v, n))
		return STORE_NO;
	answer = store_leave(s, STORE_SUPPRESS, &call,
	    d->ops->suppress->change(d, &call, v, n, import));
	if (answer == STORE_YES)
		suppress_count(import, v, n);
	return answer;
}

enum store_answer
store_import_end(struct store *s, struct suppress_import *import,
    int64_t deadline)
{
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_SUPPRESS, STORE_CHANGE,
	    deadline, &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	if (import->ended == 0)
		import->ended = call.now;
	return store_leave(s, STORE_SUPPRESS, &call,
	    d->ops->suppress->import_end(d, &call, import));
}

enum store_answer
store_import_walk(struct store *s,
    bool (*each)(void *arg, const struct suppress_import *i), void *arg)
{
	struct driver_imports imports = { .n = 0 };
	enum store_answer answer;
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_SUPPRESS, STORE_READ,
	    store_deadline(STORE_PIECE_MILLIS), &call);
	struct arena *a;

	if (d == NULL)
		return STORE_UNKNOWN;
	a = arena_new();
	answer = store_leave(s, STORE_SUPPRESS, &call,
	    d->ops->suppress->import_list(d, &call, a, &imports));
	if (answer == STORE_YES)
		for (size_t i = 0; i < imports.n && each(arg, &imports.v[i]);)
			i++;
	arena_free(&a);
	return answer;
}

static enum store_answer
undo_piece(struct store *s, struct driver_undo *step)
{
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_SUPPRESS, STORE_CHANGE,
	    store_deadline(STORE_PIECE_MILLIS), &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	return store_leave(s, STORE_SUPPRESS, &call,
	    d->ops->suppress->undo(d, &call, step));
}

enum store_answer
store_import_undo(struct store *s, uint64_t id, struct str actor,
    uint64_t *nremoved, uint64_t *nrestored)
{
	struct driver_undo step = { .id = id,
		.actor = str_sub(actor, 0, SUPPRESS_LABEL_MAX) };
	struct arena *keys[2] = { arena_new(), arena_new() };
	enum store_answer answer = STORE_YES;
	size_t turn = 0;

	while (answer == STORE_YES && !step.is_end) {
		step.arena = keys[turn++ % 2];
		arena_reset(step.arena);
		answer = undo_piece(s, &step);
	}
	*nremoved = step.nremoved;
	*nrestored = step.nrestored;
	arena_free(&keys[0]);
	arena_free(&keys[1]);
	return answer;
}
