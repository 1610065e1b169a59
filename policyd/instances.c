/*
 * instances.c - messages under way at smtpd, in a table with a list by age.
 */
#include "policyd/instances.h"

#include <stdlib.h>

#define NBUCKETS 65536

struct cost {
	uint64_t bucket; /* hash of its key */
	uint64_t cost;
};

/*
 * Most messages have one recipient or two and touch few buckets: all of such
 * a one is in one block.
 */
#define FEW 4

struct instance {
	struct instance *chain;		/* of the same hash */
	struct instance *older, *newer; /* by touch */
	uint64_t hash;
	int64_t touched;
	size_t counted; /* of octets() in the table's sum */
	uint64_t *seen; /* hashes of recipients */
	size_t nseen, cap_seen;
	char *texts; /* each with a NUL behind it */
	size_t ntexts, cap_texts;
	struct cost *costs;
	size_t ncosts, cap_costs;
	uint64_t few_seen[FEW];
	struct cost few_costs[FEW];
	size_t nname;
	char name[];
};

struct instances {
	struct instance *chains[NBUCKETS];
	struct instance *oldest, *newest;
	size_t n, max;
	size_t octets, max_octets;
};

/*
 * FNV-1a.  What collides is taken for the same recipient or bucket of one
 * message: its peek is off by one, what is charged is not.
 */
static uint64_t
hash(struct str s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
	return h ^ h >> 32;
}

/* Makes room for n more members; few is the room within the instance. */
static void *
grow(void *v, void *few, size_t used, size_t n, size_t *cap, size_t size)
{
	size_t want = *cap ? *cap : FEW;
	void *grown;

	while (want < used + n)
		want *= 2;
	if (want == *cap)
		return v;
	*cap = want;
	if (v == NULL || v != few)
		return mem_realloc(v, want * size);
	grown = mem_alloc(want * size);
	if (few != NULL && used > 0)
		memcpy(grown, few, used * size);
	return grown;
}

static void
free_many(void *v, const void *few)
{
	if (v != few)
		free(v);
}

struct instances *
instances_new(size_t max, size_t octets)
{
	struct instances *t = mem_alloc(sizeof(*t));

	memset(t, 0, sizeof(*t));
	t->max = max;
	t->max_octets = octets;
	return t;
}

static struct instance **
chain_of(struct instances *t, uint64_t h)
{
	return &t->chains[h % NBUCKETS];
}

static void
unlink_age(struct instances *t, struct instance *i)
{
	if (i->older != NULL)
		i->older->newer = i->newer;
	else
		t->oldest = i->newer;
	if (i->newer != NULL)
		i->newer->older = i->older;
	else
		t->newest = i->older;
}

static void
link_newest(struct instances *t, struct instance *i)
{
	i->older = t->newest;
	i->newer = NULL;
	if (t->newest != NULL)
		t->newest->newer = i;
	else
		t->oldest = i;
	t->newest = i;
}

static void
drop(struct instances *t, struct instance *i)
{
	struct instance **at = chain_of(t, i->hash);

	while (*at != i)
		at = &(*at)->chain;
	*at = i->chain;
	unlink_age(t, i);
	t->octets -= i->counted;
	t->n--;
	free_many(i->seen, i->few_seen);
	free(i->texts);
	free_many(i->costs, i->few_costs);
	free(i);
}

void
instances_free(struct instances **t)
{
	if (*t == NULL)
		return;
	while ((*t)->oldest != NULL)
		drop(*t, (*t)->oldest);
	free(*t);
	*t = NULL;
}

void
instances_expire(struct instances *t, int64_t now)
{
	/* a clock that was set back makes nothing older */
	while (t->oldest != NULL &&
	    now - t->oldest->touched > INSTANCES_LIFE)
		drop(t, t->oldest);
}

static struct instance *
find(struct instances *t, struct str name, uint64_t h)
{
	struct instance *i;

	for (i = *chain_of(t, h); i != NULL; i = i->chain)
		if (i->hash == h && str_eq(str_make(i->name, i->nname), name))
			return i;
	return NULL;
}

struct instance *
instances_find(struct instances *t, struct str name)
{
	return name.n > 0 ? find(t, name, hash(name)) : NULL;
}

static struct instance *
make(struct instances *t, struct str name, uint64_t h)
{
	struct instance *i = mem_alloc(sizeof(*i) + name.n);

	*i = (struct instance){ .hash = h, .nname = name.n,
		.cap_seen = FEW, .cap_costs = FEW };
	i->seen = i->few_seen;
	i->costs = i->few_costs;
	if (name.n > 0)
		memcpy(i->name, name.p, name.n);
	i->chain = *chain_of(t, i->hash);
	*chain_of(t, i->hash) = i;
	link_newest(t, i);
	t->n++;
	return i;
}

static size_t
octets(const struct instance *i)
{
	size_t sum = sizeof(*i) + i->nname + i->cap_texts;

	if (i->seen != i->few_seen)
		sum += i->cap_seen * sizeof(*i->seen);
	if (i->costs != i->few_costs)
		sum += i->cap_costs * sizeof(*i->costs);
	return sum;
}

/* It grew when it was touched last; what grows now counts the next time. */
static void
count(struct instances *t, struct instance *i)
{
	t->octets -= i->counted;
	i->counted = octets(i);
	t->octets += i->counted;
	while (t->octets > t->max_octets && t->oldest != i)
		drop(t, t->oldest);
}

struct instance *
instances_make(struct instances *t, struct str name, int64_t now)
{
	uint64_t h = hash(name);
	struct instance *i = find(t, name, h);

	if (i == NULL) {
		if (t->n >= t->max)
			drop(t, t->oldest);
		i = make(t, name, h);
	} else {
		unlink_age(t, i);
		link_newest(t, i);
	}
	i->touched = now;
	count(t, i);
	return i;
}

bool
instance_has(const struct instance *i, struct str recipient)
{
	uint64_t h = hash(recipient);

	for (size_t k = 0; k < i->nseen; k++)
		if (i->seen[k] == h)
			return true;
	return false;
}

void
instance_add(struct instance *i, struct str recipient, bool keep_text)
{
	if (i->nseen >= INSTANCE_RCPT_MAX)
		return;
	i->seen = grow(i->seen, i->few_seen, i->nseen, 1, &i->cap_seen,
	    sizeof(*i->seen));
	i->seen[i->nseen++] = hash(recipient);
	if (!keep_text)
		return;
	i->texts = grow(i->texts, NULL, i->ntexts, recipient.n + 1,
	    &i->cap_texts, 1);
	if (recipient.n > 0)
		memcpy(i->texts + i->ntexts, recipient.p, recipient.n);
	i->ntexts += recipient.n + 1;
	i->texts[i->ntexts - 1] = '\0';
}

size_t
instance_recipients(const struct instance *i, struct str *out, size_t max)
{
	size_t at = 0;

	for (size_t k = 0; k < max && at < i->ntexts; k++) {
		out[k] = str_from(i->texts + at);
		at += out[k].n + 1;
	}
	return i->nseen;
}

uint64_t
instance_cost(const struct instance *i, struct str bucket)
{
	uint64_t h = hash(bucket);

	for (size_t k = 0; k < i->ncosts; k++)
		if (i->costs[k].bucket == h)
			return i->costs[k].cost;
	return 0;
}

void
instance_charge(struct instance *i, struct str bucket, uint64_t cost)
{
	uint64_t h = hash(bucket);

	for (size_t k = 0; k < i->ncosts; k++) {
		if (i->costs[k].bucket == h) {
			i->costs[k].cost += cost;
			return;
		}
	}
	i->costs = grow(i->costs, i->few_costs, i->ncosts, 1, &i->cap_costs,
	    sizeof(*i->costs));
	i->costs[i->ncosts++] = (struct cost){ h, cost };
}
