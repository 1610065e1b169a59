/*
 * base64.c - RFC 4648 base64 and base64url.
 */
#include "base/base64.h"

#include <stdint.h>

static const char std_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Writes the text without padding and returns its length. */
static size_t
encode(char *out, const unsigned char *in, size_t n, const char *alphabet)
{
	char *to = out;
	size_t i = 0;

	for (; n - i >= 3; i += 3) {
		uint32_t v = (uint32_t)in[i] << 16 | in[i + 1] << 8 | in[i + 2];

		*to++ = alphabet[v >> 18];
		*to++ = alphabet[v >> 12 & 63];
		*to++ = alphabet[v >> 6 & 63];
		*to++ = alphabet[v & 63];
	}
	if (n - i == 1) {
		*to++ = alphabet[in[i] >> 2];
		*to++ = alphabet[(in[i] & 3) << 4];
	} else if (n - i == 2) {
		*to++ = alphabet[in[i] >> 2];
		*to++ = alphabet[(in[i] & 3) << 4 | in[i + 1] >> 4];
		*to++ = alphabet[(in[i + 1] & 15) << 2];
	}
	return (size_t)(to - out);
}

size_t
base64_write(char *out, const void *in, size_t n)
{
	size_t len = encode(out, in, n, std_alphabet);

	while (len % 4 != 0)
		out[len++] = '=';
	return len;
}

struct str
base64url_encode(struct arena *a, const void *in, size_t n)
{
	char *out = arena_bytes(a, BASE64_SIZE(n));

	return str_make(out, encode(out, in, n, url_alphabet));
}

/* One more than the digit's value, in either alphabet; 0: no digit. */
static const unsigned char values[256] = {
	['+'] = 63, ['-'] = 63, ['/'] = 64,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
	19, 20, 21, 22, 23, 24, 25, 26,
	['_'] = 64,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42,
	43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
};

/* A table: which digit comes next no branch predictor knows. */
static int
digit(char c, const char *alphabet)
{
	int value = values[(unsigned char)c] - 1;

	return value < 62 || c == alphabet[value] ? value : -1;
}

static int
decode(struct arena *a, struct str in, const char *alphabet, struct str *out)
{
	char *start, *to;
	uint32_t v = 0;
	int bits = 0;

	if (in.n % 4 == 1)
		return -1;
	start = to = arena_bytes(a, in.n / 4 * 3 + 3);
	for (size_t i = 0; i < in.n; i++) {
		int d = digit(in.p[i], alphabet);

		if (d < 0)
			return -1;
		v = v << 6 | (uint32_t)d;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			*to++ = (char)(v >> bits & 0xff);
		}
	}
	if ((v & ((1u << bits) - 1)) != 0)
		return -1;
	*out = str_make(start, (size_t)(to - start));
	return 0;
}

int
base64_decode(struct arena *a, struct str in, struct str *out)
{
	size_t pad = 0;

	if (in.n % 4 != 0)
		return -1;
	while (pad < 2 && pad < in.n && in.p[in.n - 1 - pad] == '=')
		pad++;
	return decode(a, str_sub(in, 0, in.n - pad), std_alphabet, out);
}

int
base64url_decode(struct arena *a, struct str in, struct str *out)
{
	return decode(a, in, url_alphabet, out);
}
