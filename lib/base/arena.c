/*
 * arena.c - bump allocation in blocks of growing size.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Small at first: a session that waits holds an arena or three. */
#define FIRST_BLOCK 1024
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
	struct block *blocks; /* the one in use first, the first one last */
	struct hook *hooks;
	size_t used;
	struct budget *budget; /* NULL: none */
	size_t held;	       /* taken from it: all blocks and the credit */
	size_t credit;	       /* taken for blocks to come */
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
block_new(size_t size)
{
	struct block *b;

	if (size > SIZE_MAX - sizeof(*b))
		out_of_memory();
	b = mem_alloc(sizeof(*b) + size);
	b->next = NULL;
	b->size = size;
	b->used = 0;
	ASAN_POISON_MEMORY_REGION(b->data, size);
	return b;
}

struct arena *
arena_new(void)
{
	struct arena *a = mem_alloc(sizeof(*a));

	*a = (struct arena){ .blocks = block_new(FIRST_BLOCK) };
	return a;
}

void
arena_set_budget(struct arena *a, struct budget *budget)
{
	arena_reset(a);
	budget_give(a->budget, a->held);
	a->budget = budget;
	a->held = budget != NULL ? FIRST_BLOCK : 0;
	budget_force(budget, a->held);
}

void
arena_reset(struct arena *a)
{
	struct block *b = a->blocks;

	for (struct hook *h = a->hooks; h != NULL; h = h->next)
		h->fn(h->arg);
	a->hooks = NULL;
	while (b->next != NULL) {
		struct block *next = b->next;

		free(b);
		b = next;
	}
	b->used = 0;
	a->blocks = b;
	ASAN_POISON_MEMORY_REGION(b->data, b->size);
	a->used = 0;
	a->credit = 0;
	if (a->budget != NULL) {
		budget_give(a->budget, a->held - FIRST_BLOCK);
		a->held = FIRST_BLOCK;
	}
}

void
arena_free(struct arena **a)
{
	if (*a == NULL)
		return;
	arena_reset(*a);
	budget_give((*a)->budget, (*a)->held);
	free((*a)->blocks);
	free(*a);
	*a = NULL;
}

/* The size of the block after the one in use. */
static size_t
next_size(const struct arena *a)
{
	return a->blocks->size >= LARGEST_BLOCK / 2 ? LARGEST_BLOCK :
						      a->blocks->size * 2;
}

bool
arena_reserve(struct arena *a, size_t n)
{
	const struct block *b = a->blocks;
	size_t want = next_size(a);

	if (a->budget == NULL || (b->used < b->size && n <= b->size - b->used))
		return true;
	if (want < n)
		want = n;
	if (want <= a->credit)
		return true;
	want -= a->credit;
	if (!budget_take(a->budget, want))
		return false;
	a->held += want;
	a->credit += want;
	return true;
}

size_t
arena_held(const struct arena *a)
{
	return a->held;
}

/* The budget pays what no credit covers: an arena never says no. */
static void
pay(struct arena *a, size_t size)
{
	size_t covered = size < a->credit ? size : a->credit;

	if (a->budget == NULL)
		return;
	a->credit -= covered;
	a->held += size - covered;
	budget_force(a->budget, size - covered);
}

/*
 * What is larger than the next block would be gets one of its own, and the
 * block in use goes on; else that one is left with what it has.
 */
static struct block *
add_block(struct arena *a, size_t n)
{
	size_t size = next_size(a);
	struct block *b = block_new(n > size ? n : size);

	pay(a, b->size);
	if (n > size && a->blocks->next != NULL) {
		b->next = a->blocks->next;
		a->blocks->next = b;
	} else {
		b->next = a->blocks;
		a->blocks = b;
	}
	return b;
}

static char *
take(struct arena *a, size_t n, size_t align)
{
	struct block *b = a->blocks;
	size_t at = (b->used + align - 1) / align * align;

	if (at > b->size || n > b->size - at) {
		b = add_block(a, n);
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

/* Most is short: formatted once, not twice. */
struct str
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char text[256], *p;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	p = arena_bytes(a, (size_t)n + 1);
	if ((size_t)n < sizeof(text))
		memcpy(p, text, (size_t)n + 1);
	else
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
