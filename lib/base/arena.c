/*
 * arena.c - bump allocation in blocks of growing size.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_BLOCK 16384
#define LARGEST_BLOCK (1024 * 1024)
#define ALIGN _Alignof(max_align_t)

/*
 * Under the address sanitizer each piece stands alone between octets that
 * nobody may touch, and what was reset may not be touched either.
 */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define GAP 16
#define TEXT_ALIGN 8 /* the sanitizer knows no finer beginning */
#else
#define ASAN_POISON_MEMORY_REGION(p, n)	  ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define GAP 0
#define TEXT_ALIGN 1
#endif

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(max_align_t) char data[];
};

struct hook {
	struct hook *next;
	void (*fn)(void *);
	void *arg;
};

struct arena {
	struct block *blocks; /* newest first; the last one is the first */
	struct hook *hooks;
	size_t used;
};

static _Noreturn void
out_of_memory(void)
{
	fputs("bulkhead: out of memory\n", stderr);
	abort();
}

void *
mem_alloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *
mem_realloc(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	if (p == NULL)
		out_of_memory();
	return p;
}

static struct block *
block_new(size_t size, struct block *next)
{
	struct block *b;

	if (size > SIZE_MAX - sizeof(*b))
		out_of_memory();
	b = mem_alloc(sizeof(*b) + size);
	b->next = next;
	b->size = size;
	b->used = 0;
	ASAN_POISON_MEMORY_REGION(b->data, size);
	return b;
}

struct arena *
arena_new(void)
{
	struct arena *a = mem_alloc(sizeof(*a));

	a->blocks = block_new(FIRST_BLOCK, NULL);
	a->hooks = NULL;
	a->used = 0;
	return a;
}

void
arena_reset(struct arena *a)
{
	for (struct hook *h = a->hooks; h != NULL; h = h->next)
		h->fn(h->arg);
	a->hooks = NULL;
	while (a->blocks->next != NULL) {
		struct block *b = a->blocks;

		a->blocks = b->next;
		free(b);
	}
	a->blocks->used = 0;
	ASAN_POISON_MEMORY_REGION(a->blocks->data, a->blocks->size);
	a->used = 0;
}

void
arena_free(struct arena **a)
{
	if (*a == NULL)
		return;
	arena_reset(*a);
	free((*a)->blocks);
	free(*a);
	*a = NULL;
}

static char *
take(struct arena *a, size_t n, size_t align)
{
	struct block *b = a->blocks;
	size_t at = (b->used + align - 1) / align * align;

	if (at > b->size || n > b->size - at) {
		size_t size = b->size < LARGEST_BLOCK ? b->size * 2 : b->size;

		if (size > LARGEST_BLOCK)
			size = LARGEST_BLOCK;
		b = block_new(n > size ? n : size, b);
		a->blocks = b;
		at = 0;
	}
	b->used = at + n + GAP;
	a->used += n;
	ASAN_UNPOISON_MEMORY_REGION(b->data + at, n);
	return b->data + at;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	return memset(take(a, n, ALIGN), 0, n);
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		out_of_memory();
	return arena_alloc(a, count * size);
}

char *
arena_bytes(struct arena *a, size_t n)
{
	return take(a, n, TEXT_ALIGN);
}

struct str
arena_copy(struct arena *a, struct str s)
{
	char *p;

	if (s.n == 0)
		return STR("");
	p = arena_bytes(a, s.n);
	memcpy(p, s.p, s.n);
	return str_make(p, s.n);
}

char *
arena_cstr(struct arena *a, struct str s)
{
	char *p = arena_bytes(a, s.n + 1);

	if (s.n != 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

struct str
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *p;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	p = arena_bytes(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return str_make(p, (size_t)n);
}

struct str
arena_join(struct arena *a, const struct str *parts, size_t n)
{
	size_t total = 0, at = 0;
	char *p;

	for (size_t i = 0; i < n; i++)
		total += parts[i].n;
	p = arena_bytes(a, total);
	for (size_t i = 0; i < n; at += parts[i++].n)
		if (parts[i].n != 0)
			memcpy(p + at, parts[i].p, parts[i].n);
	return str_make(p, total);
}

struct str
arena_lower(struct arena *a, struct str s)
{
	char *p = arena_bytes(a, s.n);

	for (size_t i = 0; i < s.n; i++)
		p[i] = str_lower(s.p[i]);
	return str_make(p, s.n);
}

void
arena_on_free(struct arena *a, void (*fn)(void *), void *arg)
{
	struct hook *h = arena_alloc(a, sizeof(*h));

	h->fn = fn;
	h->arg = arg;
	h->next = a->hooks;
	a->hooks = h;
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}

void *
arena_grow(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
	size_t want = *cap ? *cap * 2 : 8;
	void *grown;

	if (n < *cap)
		return v;
	grown = arena_array(a, want, size);
	if (n != 0)
		memcpy(grown, v, n * size);
	*cap = want;
	return grown;
}
