/*
 * arena.h - memory that lives and dies together, with clean-up hooks.
 * One arena per message, per request, or per settings snapshot.
 */
#ifndef BULKHEAD_BASE_ARENA_H
#define BULKHEAD_BASE_ARENA_H

#include <stddef.h>

#include "base/budget.h"
#include "base/str.h"

struct arena;

/* A new, empty arena.  Out of memory stops the process, here and below. */
struct arena *arena_new(void);

/*
 * Runs the hooks, newest first, and frees everything.  *a becomes NULL; a NULL
 * *a is fine.
 */
void arena_free(struct arena **a);

/* Runs the hooks and forgets everything, keeping the first block for reuse. */
void arena_reset(struct arena *a);

/*
 * Resets the arena; from now on its blocks count against the budget, which
 * must outlive it (NULL: against none), until they are freed.  The arena
 * itself never says no: who takes in what others send asks arena_reserve().
 */
void arena_set_budget(struct arena *a, struct budget *budget);

/*
 * Takes what n more octets need from the budget beforehand: true when they
 * cannot pass the limit any more; false, with nothing taken, when they would.
 * True without a budget.  What is not used is given back at the next reset.
 */
bool arena_reserve(struct arena *a, size_t n);

/* Octets that this arena has of its budget, its first block included. */
size_t arena_held(const struct arena *a);

/* n bytes aligned for any type, zeroed.  Owned by the arena. */
void *arena_alloc(struct arena *a, size_t n);

/* As arena_alloc() for count members; an overflow stops the process. */
void *arena_array(struct arena *a, size_t count, size_t size);

/* n bytes, not zeroed and not aligned: for text that is written at once. */
char *arena_bytes(struct arena *a, size_t n);

/* Copies of s: as a slice, or NUL terminated. */
struct str arena_copy(struct arena *a, struct str s);
char *arena_cstr(struct arena *a, struct str s);

/* printf into the arena. */
struct str arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* n slices one behind the other. */
struct str arena_join(struct arena *a, const struct str *parts, size_t n);

/* s with A-Z made a-z. */
struct str arena_lower(struct arena *a, struct str s);

/* Calls fn(arg) when the arena is reset or freed. */
void arena_on_free(struct arena *a, void (*fn)(void *), void *arg);

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *a);

/* malloc family that stops the process when memory is out. */
void *mem_alloc(size_t n);
void *mem_realloc(void *p, size_t n);

/*
 * Makes room for one more member in a growing array in an arena: returns the
 * array (moved if it had to grow) with *cap updated.  The old array stays in
 * the arena until it is freed.
 */
void *arena_grow(struct arena *a, void *v, size_t n, size_t *cap, size_t size);

#endif
