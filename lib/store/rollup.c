/*
 * rollup.c - the calls of rollup.h: reads events behind the cursor, adds them
 * up, hands the sums to the driver in one transaction.
 */
#include "store/rollup.h"

#include "store/rollup_batch.h"
#include "store/store_private.h"

/* A report over all there is: it reads, and others go on meanwhile. */
#define WALK_MILLIS 60000
/* A step reads no longer: whoever rolls up, too, waits for it. */
#define READ_NANOS 500000000
/* The clock is looked at once in so many events. */
#define CLOCK_EVENTS 256

/* Enters a call of a driver that keeps roll-ups; NULL as store_enter(). */
static struct driver *
enter(struct store *s, enum store_access access, int64_t deadline,
    struct driver_call *call)
{
	struct driver *d = store_enter(s, STORE_EVENTS, access, deadline,
	    call);

	if (d == NULL || d->ops->rollups != NULL)
		return d;
	driver_unknown(call, "events: this store keeps no roll-ups");
	return NULL;
}

/* One step under way. */
struct step {
	struct rollup_batch batch;
	size_t max;
	int64_t until; /* nanoseconds of clock_monotonic() */
	struct event_cursor last;
	bool is_cut; /* there is more */
};

static bool
add_event(void *arg, const struct event *e, const struct event_cursor *at)
{
	struct step *step = arg;
	uint64_t n;

	rollup_batch_add(&step->batch, e);
	step->last = *at;
	n = step->batch.nevents;
	step->is_cut = n >= step->max || (n % CLOCK_EVENTS == 0 &&
	    clock_monotonic() >= step->until);
	return !step->is_cut;
}

static enum store_answer
read_events(struct store *s, struct step *step, struct event_cursor *cursor)
{
	struct event_filter all = { .kinds = 0 };

	if (store_events_walk(s, cursor, &all, add_event, step) ==
	    STORE_UNKNOWN)
		return STORE_UNKNOWN;
	if (step->is_cut)
		*cursor = step->last;
	return STORE_YES;
}

/* Between begin() and end(); the lock keeps other processes out. */
static enum store_answer
roll(struct store *s, struct driver *d, struct driver_call *call,
    struct driver_rollup *state, struct step *step, uint64_t *ndone)
{
	enum store_answer answer;

	rollup_batch_init(&step->batch, state->key);
	answer = read_events(s, step, &state->cursor);
	state->at = clock_micros(&s->clock);
	if (answer == STORE_YES)
		answer = d->ops->rollups->end(d, call, &step->batch, state);
	else
		d->ops->rollups->end(d, call, NULL, state);
	*ndone = answer == STORE_YES ? step->batch.nevents : 0;
	rollup_batch_free(&step->batch);
	return answer;
}

enum store_answer
store_rollup_step(struct store *s, size_t max, uint64_t *ndone, bool *more,
    int64_t deadline)
{
	struct driver_call call;
	struct driver *d = enter(s, STORE_CHANGE, deadline, &call);
	struct driver_rollup state;
	struct step step = { .max = max };
	enum store_answer answer;
	int64_t now;

	*ndone = 0;
	*more = false;
	if (d == NULL)
		return STORE_UNKNOWN;
	if (step.max > ROLLUP_BATCH_MAX)
		step.max = ROLLUP_BATCH_MAX;
	answer = d->ops->rollups->begin(d, &call, &state);
	if (answer == STORE_YES) {
		now = clock_monotonic();
		step.until = now + (deadline - now) / 2;
		if (step.until > now + READ_NANOS)
			step.until = now + READ_NANOS;
		answer = roll(s, d, &call, &state, &step, ndone);
	}
	*more = answer == STORE_YES && step.is_cut;
	return store_leave(s, STORE_EVENTS, &call, answer);
}

enum store_answer
store_rollup_walk(struct store *s, const struct rollup_filter *filter,
    bool (*each)(void *arg, const struct rollup_row *row), void *arg)
{
	struct driver_call call;
	struct driver *d = enter(s, STORE_READ, store_deadline(WALK_MILLIS),
	    &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	return store_leave(s, STORE_EVENTS, &call,
	    d->ops->rollups->walk(d, &call, filter, each, arg));
}

enum store_answer
store_rollup_links(struct store *s, const struct rollup_filter *filter,
    size_t max, bool (*each)(void *arg, const struct rollup_link *link),
    void *arg)
{
	struct driver_call call;
	struct driver *d = enter(s, STORE_READ, store_deadline(WALK_MILLIS),
	    &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	return store_leave(s, STORE_EVENTS, &call,
	    d->ops->rollups->links(d, &call, filter, max, each, arg));
}

static enum store_answer
read_state(struct store *s, struct driver_rollup *out, int64_t deadline)
{
	struct driver_call call;
	struct driver *d = enter(s, STORE_READ, deadline, &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	return store_leave(s, STORE_EVENTS, &call,
	    d->ops->rollups->state(d, &call, out));
}

enum store_answer
store_rollup_cursor(struct store *s, struct event_cursor *out,
    int64_t deadline)
{
	struct driver_rollup state = { .at = 0 };
	enum store_answer answer = read_state(s, &state, deadline);

	*out = state.cursor;
	return answer;
}

enum store_answer
store_rollup_time(struct store *s, int64_t *at, int64_t deadline)
{
	struct driver_rollup state = { .at = 0 };
	enum store_answer answer = read_state(s, &state, deadline);

	*at = state.at;
	return answer;
}

enum store_answer
store_rollup_purge(struct store *s, uint32_t before_day, int64_t deadline)
{
	struct driver_call call;
	struct driver *d = enter(s, STORE_CHANGE, deadline, &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	return store_leave(s, STORE_EVENTS, &call,
	    d->ops->rollups->purge(d, &call, before_day));
}

enum store_answer
store_rollup_forget(struct store *s, struct str address, bool dry, uint64_t *n,
    int64_t deadline)
{
	struct driver_call call;
	struct driver *d = enter(s, dry ? STORE_READ : STORE_CHANGE, deadline,
	    &call);

	*n = 0;
	if (d == NULL)
		return STORE_UNKNOWN;
	return store_leave(s, STORE_EVENTS, &call,
	    d->ops->rollups->forget(d, &call, address, dry, n));
}
