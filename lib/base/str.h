/*
 * str.h - byte slices: a pointer and a length, never NUL terminated.
 * Mail is bytes; NUL inside is data.  Nothing here allocates.
 */
#ifndef BULKHEAD_BASE_STR_H
#define BULKHEAD_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* A borrowed run of bytes.  p may be NULL only when n is 0. */
struct str {
	const char *p;
	size_t n;
};

/* A slice over a string literal. */
#define STR(lit)                                                               \
	((struct str){ (lit), sizeof(lit) - 1 })

/* For "%.*s": STR_ARG(s) gives the int length and the pointer. */
#define STR_ARG(s) (int)(s).n, (s).n ? (s).p : ""

static inline struct str
str_make(const char *p, size_t n)
{
	return (struct str){ p, n };
}

/* Borrows a C string; NULL gives the empty slice. */
static inline struct str
str_from(const char *s)
{
	return (struct str){ s, s ? strlen(s) : 0 };
}

/* Bytes [from, to) of s; both are clamped to s. */
static inline struct str
str_sub(struct str s, size_t from, size_t to)
{
	if (to > s.n)
		to = s.n;
	if (from > to)
		from = to;
	if (s.p == NULL) /* adding to a null pointer is undefined */
		return str_make(NULL, 0);
	return str_make(s.p + from, to - from);
}

/* The same bytes. */
static inline bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* n bytes each, ASCII case folded: for str_ieq(), which knows the lengths. */
bool str_same_folded(const char *a, const char *b, size_t n);

/*
 * The same bytes, ASCII case folded; bytes over 127 compare as they are.  Most
 * names differ in length already: no call is made for those.
 */
static inline bool
str_ieq(struct str a, struct str b)
{
	return a.n == b.n && str_same_folded(a.p, b.p, a.n);
}

/* Is prefix what s begins with? */
static inline bool
str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 ||
	    memcmp(s.p, prefix.p, prefix.n) == 0);
}

/* As str_ieq() at the start of s, or at its end. */
static inline bool
str_istarts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_same_folded(s.p, prefix.p, prefix.n);
}

bool str_iends(struct str s, struct str suffix);

/* Orders by bytes, then by length, as memcmp does. */
int str_cmp(struct str a, struct str b);

/* Offset of the first needle at or after from, or s.n when there is none. */
size_t str_find(struct str s, struct str needle, size_t from);
size_t str_ifind(struct str s, struct str needle, size_t from);

/* As str_find() for one byte. */
static inline size_t
str_chr(struct str s, char c, size_t from)
{
	const char *hit;

	if (from >= s.n)
		return s.n;
	hit = memchr(s.p + from, c, s.n - from);
	return hit ? (size_t)(hit - s.p) : s.n;
}

/* Without leading and trailing SP, TAB, CR and LF. */
struct str str_trim(struct str s);

/* ASCII lower case of one byte. */
static inline char
str_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool
str_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline bool
str_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
str_is_alpha(char c)
{
	c = str_lower(c);
	return c >= 'a' && c <= 'z';
}

/* 0 to 15, or -1 for a byte that is no hexadecimal digit. */
int str_hex(char c);

/*
 * Shell-like match over all of s: '*' is any run, '?' any byte; ASCII case
 * folded.  Linear in s for one '*', never recursive.
 */
bool str_glob(struct str pattern, struct str s);

#endif
