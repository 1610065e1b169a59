/*
 * splice.c - edits over bytes that are never copied.
 * It knows nothing of what the bytes mean.
 */
#include "mail/splice.h"

#include <stdlib.h>

void
splices_add(struct splices *s, struct arena *a, size_t at, size_t del,
    struct str ins)
{
	s->v = arena_grow(a, s->v, s->n, &s->cap, sizeof(*s->v));
	s->v[s->n++] = (struct splice){ at, del, ins };
}

/* Insertions stand before a deletion at the same offset. */
static bool
is_after(const struct splice *x, const struct splice *y)
{
	if (x->at != y->at)
		return x->at > y->at;
	return x->del != 0 && y->del == 0;
}

static bool
is_sorted(const struct splices *s)
{
	for (size_t i = 1; i < s->n; i++)
		if (is_after(&s->v[i - 1], &s->v[i]))
			return false;
	return true;
}

/* Merges the sorted halves of from[lo, hi) into to; stable, unlike qsort(). */
static void
merge(const struct splice *from, struct splice *to, size_t lo, size_t mid,
    size_t hi)
{
	size_t i = lo, j = mid;

	for (size_t k = lo; k < hi; k++) {
		if (j == hi || (i < mid && !is_after(&from[i], &from[j])))
			to[k] = from[i++];
		else
			to[k] = from[j++];
	}
}

static void
sort(struct splices *s)
{
	struct splice *tmp = mem_alloc(s->n * sizeof(*tmp));

	for (size_t width = 1; width < s->n; width *= 2) {
		for (size_t lo = 0; lo < s->n; lo += 2 * width) {
			size_t left = s->n - lo;
			size_t mid = lo + (left < width ? left : width);
			size_t hi = lo + (left < 2 * width ? left : 2 * width);

			merge(s->v, tmp, lo, mid, hi);
		}
		memcpy(s->v, tmp, s->n * sizeof(*tmp));
	}
	free(tmp);
}

int
splices_sort(struct splices *s, size_t length)
{
	size_t end = 0;

	if (!is_sorted(s))
		sort(s);
	for (size_t i = 0; i < s->n; i++) {
		const struct splice *e = &s->v[i];

		if (e->at < end || e->at > length || e->del > length - e->at)
			return -1;
		end = e->at + e->del;
	}
	return 0;
}

size_t
splices_length(const struct splices *s, size_t original)
{
	for (size_t i = 0; i < s->n; i++)
		original = original - s->v[i].del + s->v[i].ins.n;
	return original;
}

bool
splices_next(const struct splices *s, struct str original,
    struct splice_cursor *c, struct str *piece)
{
	while (c->next < s->n) {
		const struct splice *e = &s->v[c->next];

		if (c->at < e->at) {
			*piece = str_sub(original, c->at, e->at);
			c->at = e->at;
			c->inserted = false;
			return true;
		}
		c->at = e->at + e->del;
		c->next++;
		if (e->ins.n != 0) {
			*piece = e->ins;
			c->inserted = true;
			return true;
		}
	}
	if (c->at >= original.n)
		return false;
	*piece = str_sub(original, c->at, original.n);
	c->at = original.n;
	c->inserted = false;
	return true;
}

struct str
splices_apply(const struct splices *s, struct arena *a, struct str original)
{
	struct splice_cursor c = { 0 };
	struct str piece;
	size_t n = 0;
	char *out = arena_bytes(a, splices_length(s, original.n));

	while (splices_next(s, original, &c, &piece)) {
		memcpy(out + n, piece.p, piece.n);
		n += piece.n;
	}
	return str_make(out, n);
}
