/*
 * fuzz.h - what every fuzz target includes: its entry point, claims that hold
 * for any input, and inputs in heap blocks of exactly their size.  A target is
 * linked with libFuzzer, or with replay.c for make check.
 */
#ifndef BULKHEAD_TESTS_FUZZ_H
#define BULKHEAD_TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/str.h"

/* libFuzzer's name for a target.  Returns 0; a finding aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In replay.c alone: there what takes long is done for every input. */
void fuzz_replays(void) __attribute__((weak));

/* True for one input in n, always the same ones, and in a replay for all. */
static inline bool
fuzz_is_one_in(uint32_t n, uint32_t hash)
{
	return fuzz_replays != NULL || hash % n == 0;
}

static _Noreturn inline void
fuzz_fail(const char *claim, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, claim);
	abort();
}

/* A claim about the code under test, whatever the build's NDEBUG says. */
#define EXPECT(claim)                                                          \
	((claim) ? (void)0 : fuzz_fail(#claim, __FILE__, __LINE__))

/* What stands around an octet of s. */
static inline void
fuzz_show(const char *name, struct str s, size_t at)
{
	fprintf(stderr, "%s (%zu octets) at %zu: ", name, s.n, at);
	for (size_t i = at < 40 ? 0 : at - 40; i < s.n && i < at + 40; i++)
		fprintf(stderr, s.p[i] >= ' ' && s.p[i] < 127 ? "%c" :
		    "\\x%02x", (unsigned char)s.p[i]);
	fputs("\n", stderr);
}

static inline void
fuzz_expect_same(struct str got, struct str want, const char *file, int line)
{
	size_t at = 0;

	if (str_eq(got, want))
		return;
	while (at < got.n && at < want.n && got.p[at] == want.p[at])
		at++;
	fuzz_show("got", got, at);
	fuzz_show("want", want, at);
	fuzz_fail("the same text", file, line);
}

/* As EXPECT(str_eq(got, want)), showing both. */
#define EXPECT_SAME(got, want)                                                 \
	fuzz_expect_same(got, want, __FILE__, __LINE__)

/* s in a heap block of exactly s.n bytes that the arena frees. */
static inline struct str
fuzz_exact(struct arena *a, struct str s)
{
	char *p = malloc(s.n ? s.n : 1);

	EXPECT(p != NULL);
	if (s.n != 0)
		memcpy(p, s.p, s.n);
	arena_on_free(a, free, p);
	return str_make(p, s.n);
}

/* What is left of an input whose first octets choose something. */
struct fuzz_input {
	const uint8_t *p;
	size_t n;
};

/* The next octet; 0 when there is none left. */
static inline unsigned
fuzz_byte(struct fuzz_input *in)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return *in->p++;
}

/* The next max octets or fewer, in a block of their own. */
static inline struct str
fuzz_take(struct fuzz_input *in, struct arena *a, size_t max)
{
	size_t n = max < in->n ? max : in->n;
	struct str s = str_make((const char *)in->p, n);

	in->p += n;
	in->n -= n;
	return fuzz_exact(a, s);
}

/* A text whose length the next octet says. */
static inline struct str
fuzz_text(struct fuzz_input *in, struct arena *a)
{
	size_t n = fuzz_byte(in);

	return fuzz_take(in, a, n);
}

/* All that is left. */
static inline struct str
fuzz_rest(struct fuzz_input *in, struct arena *a)
{
	return fuzz_take(in, a, in->n);
}

/* A number that depends on all of s: for choices that need no octet. */
static inline uint32_t
fuzz_hash(struct str s)
{
	uint32_t x = 2166136261u;

	for (size_t i = 0; i < s.n; i++)
		x = (x ^ (unsigned char)s.p[i]) * 16777619u;
	return x ^ x >> 15;
}

/* True when p lies in s or right behind it. */
static inline bool
fuzz_is_in(const char *p, size_t n, struct str s)
{
	return n == 0 || (p >= s.p && n <= s.n &&
	    (size_t)(p - s.p) <= s.n - n);
}

#endif
