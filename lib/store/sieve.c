/*
 * sieve.c - a blocked Bloom filter: all bits of a text lie in one line of the
 * processor's cache, so that a look costs one miss at most.
 */
#include "store/sieve.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define BITS_EACH  16 /* of a text */
#define BLOCK_BITS 512
#define NBITS	   6 /* set for a text */
#define WORDS	   (BLOCK_BITS / 64)
#define BLOCK_OCTETS ((size_t)(BLOCK_BITS / 8))

struct sieve {
	uint64_t n, room;
	uint64_t nblocks; /* less than 2^32 */
	uint64_t *words;  /* aligned to a block, in: */
	char *memory;
};

struct sieve *
sieve_new(uint64_t n)
{
	struct sieve *s = mem_alloc(sizeof(*s));
	uint64_t nblocks = n / (BLOCK_BITS / BITS_EACH) + 1;

	if (nblocks > UINT32_MAX)
		nblocks = UINT32_MAX;
	*s = (struct sieve){ .room = n, .nblocks = nblocks,
		.memory = mem_alloc((nblocks + 1) * BLOCK_OCTETS) };
	memset(s->memory, 0, (nblocks + 1) * BLOCK_OCTETS);
	s->words = (uint64_t *)(((uintptr_t)s->memory + BLOCK_OCTETS - 1) &
	    ~(uintptr_t)(BLOCK_OCTETS - 1));
	return s;
}

void
sieve_free(struct sieve **s)
{
	if (*s != NULL)
		free((*s)->memory);
	free(*s);
	*s = NULL;
}

/* FNV-1a, then the end of MurmurHash3: every bit depends on every other. */
static uint64_t
hash(struct str text)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < text.n; i++)
		h = (h ^ (unsigned char)text.p[i]) * UINT64_C(0x100000001b3);
	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

/* The block by the upper half; the bits in it by other bits of a product. */
static uint64_t *
block_of(const struct sieve *s, uint64_t h, uint64_t *bits)
{
	*bits = h * UINT64_C(0x9e3779b97f4a7c15);
	return s->words + ((h >> 32) * s->nblocks >> 32) * WORDS;
}

void
sieve_add(struct sieve *s, struct str text)
{
	uint64_t bits, *block = block_of(s, hash(text), &bits);

	for (unsigned i = 0; i < NBITS; i++, bits >>= 9)
		block[bits >> 6 & (WORDS - 1)] |= UINT64_C(1) << (bits & 63);
	s->n++;
}

bool
sieve_may_have(const struct sieve *s, struct str text)
{
	uint64_t bits, *block = block_of(s, hash(text), &bits);

	for (unsigned i = 0; i < NBITS; i++, bits >>= 9)
		if (!(block[bits >> 6 & (WORDS - 1)] >> (bits & 63) & 1))
			return false;
	return true;
}

bool
sieve_is_full(const struct sieve *s)
{
	return s->n > 2 * s->room;
}
