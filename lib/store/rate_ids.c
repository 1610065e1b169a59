/*
 * rate_ids.c - which requests were charged lately.
 */
#include "store/rate_ids.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"

#define FIRST_SLOTS 1024u
#define NONE	    UINT32_MAX
#define SLOTS_MOST  (UINT32_C(1) << 30)

struct slot {
	struct rate_id id;
	int64_t at;
	uint32_t next; /* of its chain */
};

/* A ring in order of adding; chains by hash lead through its slots. */
struct rate_ids {
	struct slot *slots;
	uint32_t *heads;
	uint32_t nslots; /* of both; a power of two */
	uint32_t first, count, max;
	int64_t life;
};

static void
make_slots(struct rate_ids *ids, uint32_t n)
{
	ids->slots = mem_alloc(n * sizeof(*ids->slots));
	ids->heads = mem_alloc(n * sizeof(*ids->heads));
	ids->nslots = n;
	for (uint32_t i = 0; i < n; i++)
		ids->heads[i] = NONE;
}

struct rate_ids *
rate_ids_new(size_t max, int64_t life)
{
	struct rate_ids *ids = mem_alloc(sizeof(*ids));

	*ids = (struct rate_ids){ .life = life };
	ids->max = max < SLOTS_MOST ? (uint32_t)max : SLOTS_MOST;
	if (ids->max == 0)
		ids->max = 1;
	make_slots(ids, FIRST_SLOTS);
	return ids;
}

void
rate_ids_free(struct rate_ids **ids)
{
	if (*ids == NULL)
		return;
	free((*ids)->slots);
	free((*ids)->heads);
	free(*ids);
	*ids = NULL;
}

struct rate_id
rate_id_of(struct str id)
{
	unsigned char digest[SHA256_SIZE];
	struct rate_id out;

	hash_sha256(id, digest);
	memcpy(out.b, digest, sizeof(out.b));
	return out;
}

/* The digest is as good as random: some bits of it lead to the chain. */
static uint32_t *
chain_of(const struct rate_ids *ids, const struct rate_id *id)
{
	uint32_t bits;

	memcpy(&bits, id->b, sizeof(bits));
	return &ids->heads[bits & (ids->nslots - 1)];
}

static bool
is_over(const struct rate_ids *ids, int64_t at, int64_t now)
{
	uint64_t apart = now > at ? (uint64_t)now - (uint64_t)at :
	    (uint64_t)at - (uint64_t)now;

	return apart >= (uint64_t)ids->life;
}

bool
rate_ids_has(const struct rate_ids *ids, const struct rate_id *id,
    int64_t now)
{
	for (uint32_t i = *chain_of(ids, id); i != NONE;
	    i = ids->slots[i].next)
		if (memcmp(&ids->slots[i].id, id, sizeof(*id)) == 0 &&
		    !is_over(ids, ids->slots[i].at, now))
			return true;
	return false;
}

static void
drop_first(struct rate_ids *ids)
{
	uint32_t *link = chain_of(ids, &ids->slots[ids->first].id);

	while (*link != ids->first)
		link = &ids->slots[*link].next;
	*link = ids->slots[ids->first].next;
	ids->first = (ids->first + 1) & (ids->nslots - 1);
	ids->count--;
}

static void
put_last(struct rate_ids *ids, const struct rate_id *id, int64_t at)
{
	uint32_t i = (ids->first + ids->count) & (ids->nslots - 1);
	uint32_t *head = chain_of(ids, id);

	ids->slots[i] = (struct slot){ *id, at, *head };
	*head = i;
	ids->count++;
}

static void
grow(struct rate_ids *ids)
{
	struct rate_ids old = *ids;

	make_slots(ids, old.nslots * 2);
	ids->first = 0;
	ids->count = 0;
	for (uint32_t i = 0; i < old.count; i++) {
		struct slot *slot =
		    &old.slots[(old.first + i) & (old.nslots - 1)];

		put_last(ids, &slot->id, slot->at);
	}
	free(old.slots);
	free(old.heads);
}

void
rate_ids_add(struct rate_ids *ids, const struct rate_id *id, int64_t now)
{
	while (ids->count > 0 && (ids->count >= ids->max ||
	    is_over(ids, ids->slots[ids->first].at, now)))
		drop_first(ids);
	if (ids->count == ids->nslots)
		grow(ids);
	put_last(ids, id, now);
}

size_t
rate_ids_count(const struct rate_ids *ids)
{
	return ids->count;
}
