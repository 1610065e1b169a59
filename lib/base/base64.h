/*
 * base64.h - RFC 4648 base64 (section 4) and base64url without padding
 * (section 5).  For tokens, keys and signatures; mail bodies are decoded
 * leniently by mail/coding.h.
 */
#ifndef BULKHEAD_BASE_BASE64_H
#define BULKHEAD_BASE_BASE64_H

#include "base/arena.h"
#include "base/str.h"

/* Characters that n bytes need, with padding. */
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4)

/* Writes BASE64_SIZE(n) characters to out and returns how many. */
size_t base64_write(char *out, const void *in, size_t n);

/* base64url without padding, in the arena. */
struct str base64url_encode(struct arena *a, const void *in, size_t n);

/*
 * Strict: only the alphabet, right padding (base64) or none (base64url), zero
 * spare bits, so that every byte string has exactly one text.  The result is
 * in the arena.  0, or -1 when the text is no such encoding.
 */
int base64_decode(struct arena *a, struct str in, struct str *out);
int base64url_decode(struct arena *a, struct str in, struct str *out);

#endif
