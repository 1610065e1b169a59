/*
 * pauses.c - paused streams and domains.
 */
#include "policyd/pauses.h"

#include <stdlib.h>

#include "base/json.h"
#include "bulkhead/limit.h"

struct pauses {
	struct arena *arena;
	struct meta_item *v; /* keys and expiries; values are not kept */
	size_t n, cap;
	uint64_t version;
	bool is_known;	 /* v is what the store held at some time */
	bool is_current; /* it is what it held at that version */
};

struct pauses *
pauses_new(void)
{
	struct pauses *p = mem_alloc(sizeof(*p));

	*p = (struct pauses){ .arena = arena_new() };
	return p;
}

void
pauses_free(struct pauses **p)
{
	if (*p == NULL)
		return;
	arena_free(&(*p)->arena);
	free(*p);
	*p = NULL;
}

static bool
keep(void *arg, const struct meta_item *item)
{
	struct pauses *fresh = arg;

	fresh->v = arena_grow(fresh->arena, fresh->v, fresh->n, &fresh->cap,
	    sizeof(*fresh->v));
	fresh->v[fresh->n++] = (struct meta_item){
		.key = arena_copy(fresh->arena, item->key),
		.expires = item->expires,
	};
	return true;
}

enum store_answer
pauses_update(struct pauses *p, struct store *s, bool is_forced,
    int64_t deadline)
{
	struct pauses fresh = { .is_known = true };
	enum store_answer versioned;

	if (s == NULL) {
		p->is_current = false;
		return STORE_UNKNOWN;
	}
	/* before what is read: what changes meanwhile is read again */
	versioned = store_meta_version(s, &fresh.version, deadline);
	if (!is_forced && p->is_current && versioned == STORE_YES &&
	    fresh.version == p->version)
		return STORE_YES;
	fresh.arena = arena_new();
	if (store_meta_walk(s, STR(LIMIT_PAUSE_PREFIX), keep, &fresh,
	    deadline) != STORE_YES) {
		arena_free(&fresh.arena);
		p->is_current = false;
		return STORE_UNKNOWN;
	}
	fresh.is_current = versioned == STORE_YES;
	arena_free(&p->arena);
	*p = fresh;
	return STORE_YES;
}

bool
pauses_are_known(const struct pauses *p)
{
	return p->is_known;
}

static bool
is_live(const struct meta_item *item, int64_t now)
{
	return item->expires == 0 || item->expires > now;
}

bool
pauses_are_any(const struct pauses *p)
{
	return p->n > 0;
}

bool
pauses_has(const struct pauses *p, struct str key, int64_t now)
{
	for (size_t i = 0; i < p->n; i++)
		if (is_live(&p->v[i], now) && str_eq(p->v[i].key, key))
			return true;
	return false;
}

void
pauses_write_json(const struct pauses *p, int64_t now, struct buf *out)
{
	const char *sep = "";

	buf_char(out, '[');
	for (size_t i = 0; i < p->n; i++) {
		if (!is_live(&p->v[i], now))
			continue;
		buf_puts(out, sep);
		json_string(out, str_sub(p->v[i].key,
		    strlen(LIMIT_PAUSE_PREFIX), p->v[i].key.n));
		sep = ", ";
	}
	buf_char(out, ']');
}
