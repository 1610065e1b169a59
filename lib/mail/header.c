/*
 * header.c - the list of fields, found by name and edited.  How the text of a
 * field is read and written is in header_text.c.
 */
#include "mail/header.h"

#include <stdint.h>

/* Places in v plus one; 0: an empty slot. */
struct name_slot {
	size_t first, last;
};

/*
 * An open hash.  The basis differs from message to message, so that nobody
 * can write a header whose names all fall into one slot.
 */
struct header_names {
	struct name_slot *slots;
	size_t nslots, used; /* nslots is a power of two */
	uint64_t basis;
};

#define FIRST_SLOTS 64

void
headers_init(struct headers *h, struct arena *a)
{
	memset(h, 0, sizeof(*h));
	h->arena = a;
	h->names = arena_alloc(a, sizeof(*h->names));
	h->names->nslots = FIRST_SLOTS;
	h->names->slots = arena_array(a, FIRST_SLOTS, sizeof(struct name_slot));
	h->names->basis = (uint64_t)(uintptr_t)h->names;
}

static size_t
name_hash(const struct header_names *names, struct str name)
{
	uint64_t x = names->basis;

	for (size_t i = 0; i < name.n; i++) {
		x ^= (unsigned char)str_lower(name.p[i]);
		x *= UINT64_C(0x9e3779b97f4a7c15);
		x ^= x >> 29;
	}
	return (size_t)(x ^ x >> 32);
}

/* The slot of that name: the one that has it, or the empty one for it. */
static struct name_slot *
name_slot(const struct headers *h, struct str name)
{
	const struct header_names *names = h->names;
	size_t i = name_hash(names, name);

	for (;; i++) {
		struct name_slot *s = &names->slots[i & (names->nslots - 1)];

		if (s->first == 0 || str_ieq(h->v[s->first - 1].name, name))
			return s;
	}
}

static void
names_grow(struct headers *h)
{
	struct header_names *names = h->names;
	struct name_slot *old = names->slots;
	size_t nold = names->nslots;

	if (names->used < nold / 2)
		return;
	names->nslots = nold * 2;
	names->slots = arena_array(h->arena, names->nslots, sizeof(*old));
	for (size_t i = 0; i < nold; i++)
		if (old[i].first != 0)
			*name_slot(h, h->v[old[i].first - 1].name) = old[i];
}

/* Appends a field and links it behind the others of its name. */
static struct header *
list_append(struct headers *h, struct str name, struct str value)
{
	struct name_slot *slot;
	struct header *f;

	names_grow(h);
	h->v = arena_grow(h->arena, h->v, h->n, &h->cap, sizeof(*h->v));
	f = &h->v[h->n++];
	f->name = name;
	f->value = value;
	f->same = 0;
	slot = name_slot(h, name);
	if (slot->first == 0) {
		h->names->used++;
		slot->first = h->n;
		f->index = 1;
	} else {
		struct header *last = &h->v[slot->last - 1];

		last->same = h->n - 1;
		f->index = last->index + 1;
	}
	slot->last = h->n;
	return f;
}

void
headers_append(struct headers *h, struct str name, struct str value)
{
	list_append(h, name, value)->edit = HEADER_KEPT;
}

struct header *
headers_find(struct headers *h, struct str name)
{
	const struct name_slot *slot = name_slot(h, name);
	struct header *f;

	if (slot->first == 0)
		return NULL;
	f = &h->v[slot->first - 1];
	return f->edit == HEADER_DELETED ? headers_find_next(h, f) : f;
}

struct header *
headers_find_next(struct headers *h, struct header *after)
{
	while (after->same != 0) {
		after = &h->v[after->same];
		if (after->edit != HEADER_DELETED)
			return after;
	}
	return NULL;
}

size_t
headers_count(struct headers *h, struct str name)
{
	size_t n = 0;

	for (struct header *f = headers_find(h, name); f != NULL;
	     f = headers_find_next(h, f))
		n++;
	return n;
}

void
headers_add(struct headers *h, struct str name, struct str value)
{
	struct header *f;

	f = list_append(h, arena_copy(h->arena, name),
	    header_wire_value(h->arena, name.n, value));
	f->edit = HEADER_ADDED;
	f->index = 0;
}

void
headers_change(struct headers *h, struct header *f, struct str value)
{
	f->value = header_wire_value(h->arena, f->name.n, value);
	if (f->edit != HEADER_ADDED)
		f->edit = HEADER_CHANGED;
}

void
headers_delete(struct headers *h, struct header *f)
{
	(void)h;
	f->edit = HEADER_DELETED;
}

bool
headers_edited(const struct headers *h)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].edit != HEADER_KEPT &&
		    (h->v[i].edit != HEADER_DELETED || h->v[i].index != 0))
			return true;
	return false;
}
