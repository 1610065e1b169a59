/*
 * events_fixture.h - what the tests of events share: days, handles with a
 * clock that the test turns, events with a number in them.
 */
#ifndef BULKHEAD_TESTS_EVENTS_FIXTURE_H
#define BULKHEAD_TESTS_EVENTS_FIXTURE_H

#include "store_fixture.h"

#include "store/events.h"

#define DAY_ONE	  20261123u
#define DAY_TWO	  20261124u
#define DAY_THREE 20261125u
#define NOON	  (INT64_C(43200) * 1000000)

/* A store in a directory of its own. */
struct events_place {
	struct arena *a;
	const char *dir;
	char *spec;
};

struct events_place events_place_make(void);
void events_place_free(struct events_place *p);

/* Opens it with a clock that stands still at that microsecond. */
struct store *events_open(struct events_place *p, enum store_access access,
    int64_t now);

/* A click: its id, and the number in its URL ("https://x.example/N"). */
struct event events_make(struct arena *a, uint64_t id, int64_t at);

/* Adds it; fails the test unless STORE_YES. */
void events_put(struct store *s, const struct event *e);

/* What a walk gave, in the arena. */
struct events_seen {
	struct arena *a;
	struct event *v;
	struct event_cursor *at;
	size_t n, cap, max; /* stops at max; 0: never */
};

/* Reads on from the cursor; fails the test unless STORE_YES. */
void events_read(struct store *s, struct event_cursor *c,
    const struct event_filter *filter, struct events_seen *seen);

/* The path of a day's file and what follows its name, in the arena. */
char *events_path(struct events_place *p, uint32_t day, const char *tail);

/* Is that text in any file of the directory?  Only while none is open. */
bool events_dir_has(struct events_place *p, const char *text);

#endif
