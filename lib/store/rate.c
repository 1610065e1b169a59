/*
 * rate.c - the calls of rate.h: handed to a driver that decides itself, or
 * decided here, in memory, for one that only keeps what is saved.
 */
#include "store/rate.h"

#include "store/rate_table.h"
#include "store/store_private.h"

/* Buckets in one transaction: some 20 ms of SQLite. */
#define SAVE_SLICE 1024
/* A further one is begun only with so much time left: nanoseconds. */
#define SAVE_LEAST INT64_C(50000000)
/* The whole table is swept in that many calls of store_rate_save(). */
#define SWEEP_PARTS 60
#define SWEEP_LEAST 256

static void
free_table(void *table)
{
	struct rate_table *t = table;

	rate_table_free(&t);
}

struct loading {
	struct rate_table *table;
	int64_t now;
};

static void
load_one(void *arg, const struct driver_rate *r)
{
	struct loading *l = arg;
	struct rate_record record = { r->key, r->rate, r->burst, r->tat };

	rate_table_load(l->table, &record, l->now);
}

/* A table with what is saved, or NULL with the reason noted. */
static struct rate_table *
load_table(struct store *s, int64_t deadline)
{
	struct rate_table_spec spec = { RATE_TABLE_BUCKETS, RATE_TABLE_IDS,
		s->access == STORE_CHANGE };
	struct loading l = { .now = clock_micros(&s->clock) };
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_RATES, STORE_READ, deadline,
	    &call);

	if (d == NULL)
		return NULL;
	l.table = rate_table_new(&spec);
	if (store_leave(s, STORE_RATES, &call, d->ops->rates->load(d, &call,
	    load_one, &l)) != STORE_YES)
		rate_table_free(&l.table);
	return l.table;
}

/*
 * The owner's table, loaded once.  From then on the driver's state is no
 * concern of a decision: what cannot be saved now is saved later.
 */
static struct rate_table *
table_of(struct store *s, int64_t deadline)
{
	if (s->rates == NULL) {
		s->rates = load_table(s, deadline);
		s->free_rates = free_table;
	}
	return s->rates;
}

/* What the driver has for it when it decides itself; NULL: the table does. */
static const struct driver_rate_ops *
deciding(const struct store *s)
{
	for (size_t i = 0; i < STORE_NKINDS; i++) {
		const struct driver *d = s->kinds[i].driver;

		if (1u << i == STORE_RATES && d != NULL &&
		    d->ops->rates->decide != NULL)
			return d->ops->rates;
	}
	return NULL;
}

static void
answer_unknown(struct rate_request *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		v[i].answer = STORE_UNKNOWN;
		v[i].was_charged_before = false;
		for (size_t j = 0; j < v[i].nbuckets; j++) {
			v[i].buckets[j].wait = 0;
			v[i].buckets[j].left = 0;
		}
	}
}

static bool
has_charge(const struct rate_request *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].mode == RATE_CHARGE)
			return true;
	return false;
}

static void
decide_there(struct store *s, struct rate_request *v, size_t n,
    enum store_access access, int64_t deadline)
{
	enum store_answer answer = STORE_YES;
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_RATES, access, deadline,
	    &call);

	if (d == NULL)
		return;
	d->ops->rates->decide(d, &call, v, n);
	for (size_t i = 0; i < n; i++)
		if (v[i].answer == STORE_UNKNOWN)
			answer = STORE_UNKNOWN;
	store_leave(s, STORE_RATES, &call, answer);
}

void
store_rate_decide(struct store *s, struct rate_request *v, size_t n,
    int64_t deadline)
{
	enum store_access access = has_charge(v, n) ? STORE_CHANGE :
	    STORE_READ;
	struct rate_table *t = NULL;
	struct driver_call call;

	answer_unknown(v, n);
	if (deciding(s) != NULL) {
		decide_there(s, v, n, access, deadline);
		return;
	}
	if (s->rates != NULL && access <= s->access &&
	    clock_monotonic() < deadline)
		t = s->rates;
	else if (store_enter(s, STORE_RATES, access, deadline, &call) != NULL)
		t = table_of(s, deadline);
	if (t != NULL)
		rate_table_decide(t, v, n, clock_micros(&s->clock));
}

/* Who only reads sees what was saved last, not what he saw before. */
static struct rate_table *
table_to_read(struct store *s, int64_t deadline)
{
	if (s->access == STORE_READ && s->rates != NULL) {
		free_table(s->rates);
		s->rates = NULL;
	}
	return table_of(s, deadline);
}

enum store_answer
store_rate_walk(struct store *s, struct str prefix,
    bool (*each)(void *arg, const struct rate_state *r), void *arg)
{
	int64_t deadline = store_deadline(STORE_PIECE_MILLIS);
	const struct driver_rate_ops *ops = deciding(s);
	struct driver_call call;
	struct rate_table *t;

	if (ops != NULL) {
		struct driver *d = store_enter(s, STORE_RATES, STORE_READ,
		    deadline, &call);

		return d == NULL ? STORE_UNKNOWN : store_leave(s, STORE_RATES,
		    &call, ops->walk(d, &call, prefix, each, arg));
	}
	t = table_to_read(s, deadline);
	if (t == NULL)
		return STORE_UNKNOWN;
	rate_table_walk(t, prefix, clock_micros(&s->clock), each, arg);
	return STORE_YES;
}

enum store_answer
store_rate_reset(struct store *s, struct str prefix, uint64_t *n,
    int64_t deadline)
{
	const struct driver_rate_ops *ops = deciding(s);
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_RATES, STORE_CHANGE, deadline,
	    &call);
	struct rate_table *t;

	*n = 0;
	if (d == NULL)
		return STORE_UNKNOWN;
	if (ops != NULL)
		return store_leave(s, STORE_RATES, &call, ops->reset(d, &call,
		    prefix, n));
	t = table_of(s, deadline);
	if (t == NULL)
		return STORE_UNKNOWN;
	*n = rate_table_reset(t, prefix, clock_micros(&s->clock));
	return store_rate_save(s, deadline) == STORE_YES ? STORE_YES :
	    STORE_UNKNOWN;
}

/* What goes into one transaction. */
struct slice {
	struct driver_rate *v;
	size_t n, cap;
	struct arena *arena;
};

static bool
add_to_slice(void *arg, const struct rate_record *r)
{
	struct slice *slice = arg;

	slice->v = arena_grow(slice->arena, slice->v, slice->n, &slice->cap,
	    sizeof(*slice->v));
	slice->v[slice->n++] = (struct driver_rate){
		.key = r->key,
		.tat = r->full_at,
		.rate = r->rate,
		.burst = r->burst,
		.expires = r->full_at / 1000000 + 1,
	};
	return slice->n < SAVE_SLICE;
}

/* Saves one slice; *more says whether to come again. */
static enum store_answer
save_slice(struct store *s, struct rate_table *t, struct arena *a,
    int64_t deadline, bool *more)
{
	struct slice slice = { .arena = a };
	enum store_answer answer;
	struct driver_call call;
	struct driver *d;

	*more = false;
	rate_table_unsaved(t, add_to_slice, &slice);
	if (slice.n == 0)
		return STORE_YES;
	d = store_enter(s, STORE_RATES, STORE_CHANGE, deadline, &call);
	if (d == NULL)
		return STORE_UNKNOWN;
	answer = store_leave(s, STORE_RATES, &call, d->ops->rates->save(d,
	    &call, slice.v, slice.n));
	if (answer == STORE_YES)
		rate_table_saved(t, slice.n);
	*more = answer == STORE_YES && slice.n == SAVE_SLICE;
	return answer;
}

enum store_answer
store_rate_save(struct store *s, int64_t deadline)
{
	struct rate_table *t = s->rates;
	enum store_answer answer = STORE_YES;
	struct arena *a;
	bool more;

	if (t == NULL || s->access != STORE_CHANGE)
		return STORE_YES;
	rate_table_sweep(t, SWEEP_LEAST + rate_table_count(t) / SWEEP_PARTS,
	    clock_micros(&s->clock));
	a = arena_new();
	do {
		arena_reset(a);
		answer = save_slice(s, t, a, deadline, &more);
	} while (more && clock_monotonic() + SAVE_LEAST < deadline);
	if (more)
		answer = STORE_NO;
	arena_free(&a);
	return answer;
}
