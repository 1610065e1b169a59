/*
 * buf.h - a growing byte buffer with a mandatory maximum.
 * A buffer that would pass its maximum empties itself and stays failed, so
 * that no caller can send half of what it meant.
 */
#ifndef BULKHEAD_BASE_BUF_H
#define BULKHEAD_BASE_BUF_H

#include <stdarg.h>

#include "base/str.h"

struct buf {
	char *p; /* NUL terminated once anything was added */
	size_t n, cap, max;
	bool failed;
};

/* An empty buffer that will never hold more than max bytes. */
void buf_init(struct buf *b, size_t max);

/* Releases the memory; the buffer is as after buf_init(). */
void buf_free(struct buf *b);

/* Forgets the content, clears failed, keeps the memory. */
void buf_clear(struct buf *b);

/* Each returns 0, or -1 when the maximum would be passed, now or before. */
int buf_add(struct buf *b, const void *p, size_t n);
int buf_str(struct buf *b, struct str s);
int buf_puts(struct buf *b, const char *s);
int buf_char(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int buf_vprintf(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Makes room for n more bytes and returns where they go, or NULL. */
char *buf_room(struct buf *b, size_t n);

/* The content; borrowed until the next change. */
struct str buf_view(const struct buf *b);

#endif
