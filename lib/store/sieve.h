/*
 * sieve.h - a Bloom filter of texts: "certainly not there" or "perhaps".  It
 * knows no store and no file.
 */
#ifndef BULKHEAD_STORE_SIEVE_H
#define BULKHEAD_STORE_SIEVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct sieve;

/*
 * An empty one with room for n texts: two octets each, and of texts that are
 * not in it less than one in 500 is "perhaps".  More may be added; then more
 * are.  Never NULL.
 */
struct sieve *sieve_new(uint64_t n);

/* *s becomes NULL, a NULL *s is fine. */
void sieve_free(struct sieve **s);

void sieve_add(struct sieve *s, struct str text);

/* False: the text was never added. */
bool sieve_may_have(const struct sieve *s, struct str text);

/* True when so many were added that it should be made anew. */
bool sieve_is_full(const struct sieve *s);

#endif
