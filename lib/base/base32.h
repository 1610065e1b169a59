/*
 * base32.h - RFC 4648 base32 (section 6), lower case, no padding: text that
 * survives case folding, as in local parts of return paths.
 */
#ifndef BULKHEAD_BASE_BASE32_H
#define BULKHEAD_BASE_BASE32_H

#include "base/str.h"

/* Characters that n bytes need. */
#define BASE32_SIZE(n) (((n) * 8 + 4) / 5)

/* Writes BASE32_SIZE(n) characters of a-z2-7. */
void base32_write(char *out, const void *in, size_t n);

/*
 * Reads exactly n bytes from a text of BASE32_SIZE(n) characters in either
 * case; 0, or -1 for another length, alphabet, or spare bits that are set.
 */
int base32_read(void *out, size_t n, struct str in);

#endif
