/*
 * base32.c - RFC 4648 base32, lower case.
 */
#include "base/base32.h"

#include <stdint.h>

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

void
base32_write(char *out, const void *in, size_t n)
{
	const unsigned char *p = in;
	uint32_t v = 0;
	int bits = 0;

	for (size_t i = 0; i < n; i++) {
		v = v << 8 | p[i];
		for (bits += 8; bits >= 5; bits -= 5)
			*out++ = alphabet[v >> (bits - 5) & 31];
	}
	if (bits > 0)
		*out = alphabet[v << (5 - bits) & 31];
}

static int
digit(char c)
{
	c = str_lower(c);
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

int
base32_read(void *out, size_t n, struct str in)
{
	unsigned char *to = out;
	uint32_t v = 0;
	int bits = 0;

	if (in.n != BASE32_SIZE(n))
		return -1;
	for (size_t i = 0; i < in.n; i++) {
		int d = digit(in.p[i]);

		if (d < 0)
			return -1;
		v = v << 5 | (uint32_t)d;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			*to++ = (unsigned char)(v >> bits & 0xff);
		}
	}
	return (v & ((1u << bits) - 1)) == 0 ? 0 : -1;
}
