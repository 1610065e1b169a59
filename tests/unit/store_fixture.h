/*
 * store_fixture.h - what the tests of the store share: directories that go
 * away, entries in one line, handles with an injected clock.
 */
#ifndef BULKHEAD_TESTS_STORE_FIXTURE_H
#define BULKHEAD_TESTS_STORE_FIXTURE_H

#include "unit.h"

#include "store/meta.h"
#include "store/store.h"
#include "store/suppress.h"

/* A new empty directory below $TMPDIR, 0700; freed with the arena. */
const char *fixture_directory(struct arena *a);

/* Removes the directory and the files in it. */
void fixture_remove(const char *directory);

/* Opens; fails the test with the errors where it cannot. */
struct store *fixture_open(const char *spec, unsigned kinds,
    enum store_access access, int64_t now);

/*
 * As fixture_open(), but returns NULL and the errors (NUL terminated, in the
 * arena) where it cannot.
 */
struct store *fixture_try(struct arena *a, const char *spec, unsigned kinds,
    enum store_access access, int64_t now, const char **errors);

/* A global entry. */
struct suppress_entry fixture_entry(const char *address,
    enum suppress_reason reason, int64_t created, int64_t expires);

/* A PUT or REMOVE of it. */
struct suppress_change fixture_change(enum suppress_what what,
    struct suppress_entry entry);

/* One change with a long deadline; fails the test unless STORE_YES. */
enum suppress_outcome fixture_do(struct store *s, enum suppress_what what,
    struct suppress_entry entry);

/* Looks one address up in a scope; NULL: global. */
struct suppress_query fixture_find(struct store *s, struct arena *a,
    const char *address, const struct suppress_scope *scope);

/* How many entries a walk gives. */
size_t fixture_count(struct store *s, const struct suppress_filter *filter);

#define FIXTURE_MILLIS 5000

#endif
