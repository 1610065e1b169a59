/*
 * store_place.h - a SQLite store in a directory of its own, and what the tests
 * of its files do with it.
 */
#ifndef BULKHEAD_TESTS_STORE_PLACE_H
#define BULKHEAD_TESTS_STORE_PLACE_H

#include "store_fixture.h"

#define PLACE_KINDS (STORE_SUPPRESS | STORE_META)

struct place {
	struct arena *a;
	const char *dir;
	char *spec, *file; /* "sqlite:DIR", its suppress.db */
};

struct place place_make(void);
void place_free(struct place *p);

/* Suppresses an address for good; place_put() fails the test if it cannot. */
void place_put(struct store *s, const char *address);
enum store_answer place_try_put(struct store *s, const char *address,
    unsigned millis);

/* Is it suppressed? */
enum store_answer place_look(struct place *p, struct store *s,
    const char *address);

/* Fails the test unless opening it fails, for that reason. */
void place_refuses(struct place *p, enum store_access access, const char *why);

void place_sleep(long millis);

/* Runs it in a child; its exit status. */
int place_in_child(void (*run)(struct place *p), struct place *p);

/* 1,000 entries, u0000@x.example on: several pages, none in the log. */
void place_fill(struct place *p);

#endif
