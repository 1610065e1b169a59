/*
 * siphash.c - SipHash-2-4-128, as its authors' reference has it.
 */
#include "base/siphash.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

struct state {
	uint64_t v[4];
};

static uint64_t
rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void
rounds(struct state *s, unsigned n)
{
	uint64_t a = s->v[0], b = s->v[1], c = s->v[2], d = s->v[3];

	while (n-- > 0) {
		a += b;
		b = rotate(b, 13) ^ a;
		a = rotate(a, 32);
		c += d;
		d = rotate(d, 16) ^ c;
		a += d;
		d = rotate(d, 21) ^ a;
		c += b;
		b = rotate(b, 17) ^ c;
		c = rotate(c, 32);
	}
	s->v[0] = a;
	s->v[1] = b;
	s->v[2] = c;
	s->v[3] = d;
}

static void
take(struct state *s, uint64_t word)
{
	s->v[3] ^= word;
	rounds(s, 2);
	s->v[0] ^= word;
}

static uint64_t
read_word(const void *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return le64toh(word);
}

static void
write_half(struct state *s, unsigned char *out)
{
	uint64_t word;

	rounds(s, 4);
	word = htole64(s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3]);
	memcpy(out, &word, sizeof(word));
}

void
siphash(const unsigned char key[SIPHASH_KEY], struct str in,
    unsigned char out[SIPHASH_SIZE])
{
	uint64_t k0 = read_word(key), k1 = read_word(key + 8);
	struct state s = { {
		k0 ^ UINT64_C(0x736f6d6570736575),
		k1 ^ UINT64_C(0x646f72616e646f6d) ^ 0xee, /* of 128 bits */
		k0 ^ UINT64_C(0x6c7967656e657261),
		k1 ^ UINT64_C(0x7465646279746573),
	} };
	uint64_t last = (uint64_t)in.n << 56;
	size_t i = 0;

	for (; i + 8 <= in.n; i += 8)
		take(&s, read_word(in.p + i));
	for (unsigned shift = 0; i < in.n; i++, shift += 8)
		last |= (uint64_t)(unsigned char)in.p[i] << shift;
	take(&s, last);
	s.v[2] ^= 0xee;
	write_half(&s, out);
	s.v[1] ^= 0xdd;
	write_half(&s, out + 8);
}
