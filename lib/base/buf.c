/*
 * buf.c - a growing byte buffer with a mandatory maximum.
 */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_free(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
	b->failed = false;
}

char *
buf_room(struct buf *b, size_t n)
{
	size_t want = b->cap ? b->cap : 256;

	if (b->failed || n > b->max - b->n) {
		buf_free(b);
		b->failed = true;
		return NULL;
	}
	while (want - 1 < b->n + n)
		want *= 2;
	if (want > b->cap) {
		b->p = mem_realloc(b->p, want);
		b->cap = want;
	}
	return b->p + b->n;
}

int
buf_add(struct buf *b, const void *p, size_t n)
{
	char *to = buf_room(b, n);

	if (to == NULL)
		return -1;
	if (n != 0)
		memcpy(to, p, n);
	b->n += n;
	b->p[b->n] = '\0';
	return 0;
}

int
buf_str(struct buf *b, struct str s)
{
	return buf_add(b, s.p, s.n);
}

int
buf_puts(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int
buf_char(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

/* Most fits where there is room already: formatted once, not twice. */
int
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	size_t room = b->failed || b->p == NULL ? 0 : b->cap - b->n;
	va_list again;
	char *to;
	int n;

	va_copy(again, ap);
	n = vsnprintf(room > 0 ? b->p + b->n : NULL, room, fmt, again);
	va_end(again);
	if (n < 0 || (to = buf_room(b, (size_t)n)) == NULL)
		return -1;
	if ((size_t)n >= room)
		vsnprintf(to, (size_t)n + 1, fmt, ap);
	b->n += (size_t)n;
	return 0;
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = buf_vprintf(b, fmt, ap);
	va_end(ap);
	return rc;
}

struct str
buf_view(const struct buf *b)
{
	return str_make(b->p, b->n);
}
