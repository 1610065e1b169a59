/*
 * rate_table.c - buckets in memory: a hash table with chains, and a list of
 * those that changed.
 */
#include "store/rate_table.h"

#include <stdlib.h>
#include <sys/random.h>

#include "store/rate_ids.h"

#define FIRST_SLOTS 256
#define SWEEP_SLOTS 1024 /* looked at when there is no room */

struct entry {
	struct entry *next;	    /* of its chain */
	struct entry *next_unsaved; /* while is_unsaved */
	uint64_t hash;
	struct gcra gcra;
	uint64_t burst;
	bool is_unsaved;
	bool is_stored; /* what is saved has it: a full one is deleted there */
	size_t n;
	char key[];
};

struct rate_table {
	struct rate_table_spec spec;
	struct entry **slots;
	size_t nslots, count; /* nslots is a power of two */
	size_t cursor;	      /* of the sweep */
	struct entry *unsaved, **unsaved_end; /* first in, first out */
	struct rate_ids *ids;
	struct entry **found; /* those of the request in hand */
	size_t nfound;
	uint64_t seed;
};

struct rate_table *
rate_table_new(const struct rate_table_spec *spec)
{
	struct rate_table *t = mem_alloc(sizeof(*t));

	*t = (struct rate_table){ .spec = *spec, .nslots = FIRST_SLOTS };
	t->slots = mem_alloc(t->nslots * sizeof(struct entry *));
	memset(t->slots, 0, t->nslots * sizeof(struct entry *));
	t->unsaved_end = &t->unsaved;
	t->ids = rate_ids_new(spec->max_ids, RATE_ID_LIFE);
	/* Without it chains can be made long by chosen keys, nothing more. */
	if (getrandom(&t->seed, sizeof(t->seed), GRND_NONBLOCK) < 0)
		t->seed = (uint64_t)(uintptr_t)t;
	return t;
}

void
rate_table_free(struct rate_table **t)
{
	if (*t == NULL)
		return;
	for (size_t i = 0; i < (*t)->nslots; i++) {
		struct entry *e = (*t)->slots[i], *next;

		for (; e != NULL; e = next) {
			next = e->next;
			free(e);
		}
	}
	rate_ids_free(&(*t)->ids);
	free((*t)->slots);
	free((*t)->found);
	free(*t);
	*t = NULL;
}

/* FNV-1a from a secret start, its bits mixed at the end. */
static uint64_t
hash_of(const struct rate_table *t, struct str key)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ t->seed;

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (unsigned char)key.p[i]) * UINT64_C(0x100000001b3);
	h ^= h >> 32;
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

static struct entry **
slot_of(const struct rate_table *t, uint64_t hash)
{
	return &t->slots[hash & (t->nslots - 1)];
}

static struct str
key_of(const struct entry *e)
{
	return str_make(e->key, e->n);
}

static struct entry *
find(const struct rate_table *t, struct str key)
{
	uint64_t hash = hash_of(t, key);
	struct entry *e = *slot_of(t, hash);

	while (e != NULL && (e->hash != hash || !str_eq(key_of(e), key)))
		e = e->next;
	return e;
}

static void
link_entry(struct rate_table *t, struct entry *e)
{
	struct entry **slot = slot_of(t, e->hash);

	e->next = *slot;
	*slot = e;
}

static void
grow(struct rate_table *t)
{
	struct entry **old = t->slots, *e, *next;
	size_t n = t->nslots;

	t->nslots = n * 2;
	t->cursor = 0;
	t->slots = mem_alloc(t->nslots * sizeof(struct entry *));
	memset(t->slots, 0, t->nslots * sizeof(struct entry *));
	for (size_t i = 0; i < n; i++) {
		for (e = old[i]; e != NULL; e = next) {
			next = e->next;
			link_entry(t, e);
		}
	}
	free(old);
}

static struct entry *
add(struct rate_table *t, struct str key, int64_t now)
{
	struct entry *e;

	if (t->count >= t->spec.max_buckets)
		return NULL;
	if (t->count >= t->nslots)
		grow(t);
	e = mem_alloc(sizeof(*e) + key.n);
	*e = (struct entry){ .hash = hash_of(t, key), .n = key.n };
	if (key.n != 0)
		memcpy(e->key, key.p, key.n);
	e->gcra.at = now;
	link_entry(t, e);
	t->count++;
	return e;
}

static void
mark_unsaved(struct rate_table *t, struct entry *e)
{
	if (!t->spec.is_saved || e->is_unsaved)
		return;
	e->is_unsaved = true;
	e->next_unsaved = NULL;
	*t->unsaved_end = e;
	t->unsaved_end = &e->next_unsaved;
}

/*
 * Room for the entries of a request: nothing is swept once some are found, as
 * that could free them.
 */
static void
reserve(struct rate_table *t, size_t n, int64_t now)
{
	if (t->count + n > t->spec.max_buckets)
		rate_table_sweep(t, SWEEP_SLOTS, now);
	if (n <= t->nfound)
		return;
	t->nfound = n * 2;
	t->found = mem_realloc(t->found, t->nfound * sizeof(struct entry *));
}

/* The bucket at that time, in the table or, as it is full, in *full. */
static struct gcra *
settled(struct entry *e, struct gcra *full, const struct rate_bucket *b,
    int64_t now)
{
	struct gcra *g = e != NULL ? &e->gcra : full;

	if (e == NULL)
		*full = (struct gcra){ .at = now };
	else
		e->burst = b->burst;
	gcra_settle(g, &b->rate, b->burst, now);
	return g;
}

/* Would all pass? */
static bool
look(struct rate_table *t, struct rate_request *r, int64_t now)
{
	bool passes = true;
	struct gcra full;

	for (size_t i = 0; i < r->nbuckets; i++) {
		struct rate_bucket *b = &r->buckets[i];
		struct gcra *g;

		t->found[i] = find(t, b->key);
		g = settled(t->found[i], &full, b, now);
		b->wait = gcra_wait(g, b->burst, b->cost);
		b->left = gcra_left(g, b->burst);
		passes = passes && b->wait == 0;
	}
	return passes;
}

/* Charges one; a key that came twice may fail even now. */
static enum store_answer
charge_bucket(struct rate_table *t, struct rate_bucket *b,
    struct entry **found, int64_t now)
{
	struct entry *e = *found;

	if (e == NULL)
		e = find(t, b->key);
	if (e == NULL)
		e = add(t, b->key, now);
	*found = e;
	if (e == NULL)
		return STORE_UNKNOWN;
	settled(e, NULL, b, now);
	b->wait = gcra_wait(&e->gcra, b->burst, b->cost);
	if (b->wait != 0)
		return STORE_NO;
	gcra_charge(&e->gcra, b->cost);
	return STORE_YES;
}

static enum store_answer
charge_all(struct rate_table *t, struct rate_request *r, int64_t now)
{
	enum store_answer answer = STORE_YES;
	size_t n = 0;

	for (; n < r->nbuckets; n++) {
		answer = charge_bucket(t, &r->buckets[n], &t->found[n], now);
		if (answer != STORE_YES)
			break;
	}
	for (size_t i = 0; i < n; i++) {
		struct gcra *g = &t->found[i]->gcra;

		if (answer == STORE_YES)
			mark_unsaved(t, t->found[i]);
		else
			gcra_undo(g, r->buckets[i].cost);
	}
	for (size_t i = 0; i < n; i++)
		r->buckets[i].left = gcra_left(&t->found[i]->gcra,
		    r->buckets[i].burst);
	return answer;
}

static void
decide(struct rate_table *t, struct rate_request *r, int64_t now)
{
	bool has_id = r->mode == RATE_CHARGE && r->id.n != 0;
	struct rate_id id;

	reserve(t, r->nbuckets, now);
	r->was_charged_before = false;
	r->answer = look(t, r, now) ? STORE_YES : STORE_NO;
	if (has_id) {
		id = rate_id_of(r->id);
		r->was_charged_before = rate_ids_has(t->ids, &id, now);
	}
	if (r->was_charged_before) {
		for (size_t i = 0; i < r->nbuckets; i++)
			r->buckets[i].wait = 0;
		r->answer = STORE_YES;
		return;
	}
	if (r->mode == RATE_CHARGE && r->answer == STORE_YES)
		r->answer = charge_all(t, r, now);
	if (has_id && r->answer == STORE_YES)
		rate_ids_add(t->ids, &id, now);
}

void
rate_table_decide(struct rate_table *t, struct rate_request *v, size_t n,
    int64_t now)
{
	for (size_t i = 0; i < n; i++)
		decide(t, &v[i], now);
}

void
rate_table_walk(struct rate_table *t, struct str prefix, int64_t now,
    bool (*each)(void *arg, const struct rate_state *r), void *arg)
{
	for (size_t i = 0; i < t->nslots; i++) {
		for (struct entry *e = t->slots[i]; e != NULL; e = e->next) {
			struct gcra g = e->gcra;
			struct rate_state r = { .key = key_of(e),
				.rate = g.rate, .burst = e->burst };

			gcra_settle(&g, &e->gcra.rate, e->burst, now);
			if (gcra_is_full(&g) || !str_starts(r.key, prefix))
				continue;
			r.used = gcra_used(&g);
			r.full_at = gcra_full_at(&g);
			if (!each(arg, &r))
				return;
		}
	}
}

static void
fill(struct rate_table *t, struct entry *e, int64_t now)
{
	e->gcra.used = 0;
	e->gcra.part = 0;
	e->gcra.at = now;
	mark_unsaved(t, e);
}

uint64_t
rate_table_reset(struct rate_table *t, struct str prefix, int64_t now)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->nslots; i++) {
		for (struct entry *e = t->slots[i]; e != NULL; e = e->next) {
			gcra_settle(&e->gcra, &e->gcra.rate, e->burst, now);
			if (gcra_is_full(&e->gcra) ||
			    !str_starts(key_of(e), prefix))
				continue;
			fill(t, e, now);
			n++;
		}
	}
	return n;
}

bool
rate_table_load(struct rate_table *t, const struct rate_record *r,
    int64_t now)
{
	struct entry *e;

	if (r->rate.count == 0 || r->rate.period == 0 || r->burst == 0)
		return false;
	e = find(t, r->key);
	if (e == NULL)
		e = add(t, r->key, now);
	if (e == NULL)
		return false;
	e->gcra = gcra_from(r->full_at, &r->rate, r->burst, now);
	e->burst = r->burst;
	e->is_stored = true;
	return true;
}

void
rate_table_unsaved(struct rate_table *t,
    bool (*each)(void *arg, const struct rate_record *r), void *arg)
{
	for (const struct entry *e = t->unsaved; e; e = e->next_unsaved) {
		struct rate_record r = { .key = key_of(e),
			.rate = e->gcra.rate, .burst = e->burst };

		if (!gcra_is_full(&e->gcra))
			r.full_at = gcra_full_at(&e->gcra);
		if (!each(arg, &r))
			return;
	}
}

void
rate_table_saved(struct rate_table *t, size_t n)
{
	struct entry *e;

	for (; n > 0 && (e = t->unsaved) != NULL; n--) {
		e->is_unsaved = false;
		e->is_stored = !gcra_is_full(&e->gcra);
		t->unsaved = e->next_unsaved;
	}
	if (t->unsaved == NULL)
		t->unsaved_end = &t->unsaved;
}

/* Drops a full bucket, or lets it be deleted where it is saved first. */
static void
sweep_slot(struct rate_table *t, struct entry **link, int64_t now)
{
	struct entry *e;

	while ((e = *link) != NULL) {
		gcra_settle(&e->gcra, &e->gcra.rate, e->burst, now);
		if (gcra_is_full(&e->gcra) && !e->is_unsaved &&
		    !e->is_stored) {
			*link = e->next;
			free(e);
			t->count--;
			continue;
		}
		if (gcra_is_full(&e->gcra) && e->is_stored)
			mark_unsaved(t, e);
		link = &e->next;
	}
}

void
rate_table_sweep(struct rate_table *t, size_t max, int64_t now)
{
	if (max > t->nslots)
		max = t->nslots;
	for (; max > 0; max--) {
		sweep_slot(t, &t->slots[t->cursor], now);
		t->cursor = (t->cursor + 1) & (t->nslots - 1);
	}
}

size_t
rate_table_count(const struct rate_table *t)
{
	return t->count;
}

size_t
rate_table_ids(const struct rate_table *t)
{
	return rate_ids_count(t->ids);
}
