/*
 * str.c - byte slices.
 */
#include "base/str.h"

#include <strings.h>

bool
str_same_folded(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_lower(a[i]) != str_lower(b[i]))
			return false;
	return true;
}

bool
str_iends(struct str s, struct str suffix)
{
	return s.n >= suffix.n &&
	    str_ieq(str_sub(s, s.n - suffix.n, s.n), suffix);
}

int
str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	if (c != 0)
		return c;
	return a.n < b.n ? -1 : a.n > b.n;
}

/* memmem() walks octet by octet for two, where memchr() leaps. */
static size_t
find_pair(struct str s, struct str needle, size_t from)
{
	for (size_t at = from; (at = str_chr(s, needle.p[0], at)) < s.n; at++)
		if (s.n - at > 1 && s.p[at + 1] == needle.p[1])
			return at;
	return s.n;
}

size_t
str_find(struct str s, struct str needle, size_t from)
{
	const char *hit;

	if (from > s.n || needle.n > s.n - from)
		return s.n;
	if (needle.n == 0)
		return from;
	if (needle.n == 2)
		return find_pair(s, needle, from);
	hit = memmem(s.p + from, s.n - from, needle.p, needle.n);
	return hit ? (size_t)(hit - s.p) : s.n;
}

size_t
str_ifind(struct str s, struct str needle, size_t from)
{
	if (needle.n == 0)
		return from < s.n ? from : s.n;
	for (size_t i = from; i + needle.n <= s.n; i++)
		if (str_lower(s.p[i]) == str_lower(needle.p[0]) &&
		    str_ieq(str_make(s.p + i, needle.n), needle))
			return i;
	return s.n;
}

struct str
str_trim(struct str s)
{
	size_t from = 0, to = s.n;

	while (from < to && str_is_space(s.p[from]))
		from++;
	while (to > from && str_is_space(s.p[to - 1]))
		to--;
	return str_sub(s, from, to);
}

int
str_hex(char c)
{
	if (str_is_digit(c))
		return c - '0';
	c = str_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
str_glob(struct str pattern, struct str s)
{
	size_t p = 0, i = 0, star = pattern.n, mark = 0;

	while (i < s.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			mark = i;
		} else if (p < pattern.n && (pattern.p[p] == '?' ||
		    str_lower(pattern.p[p]) == str_lower(s.p[i]))) {
			p++;
			i++;
		} else if (star < pattern.n) {
			p = star + 1;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}
