/*
 * event_put.c - adds events to a store as a daemon does, at any time:
 *	event_put SPEC SECONDS FIRST N RECIPIENT [KIND [METADATA [WAS [URL]]]]
 * Their ids are FIRST and the numbers behind it, and their URLs
 * end with them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/arena.h"
#include "store/events.h"

#define BATCH	500
#define DEADLINE 30000

static struct event
make(struct arena *a, char **argv, int argc, uint64_t id)
{
	struct event e = { .id = id,
		.at = strtoll(argv[2], NULL, 10) * 1000000 + (int64_t)id,
		.kind = EVENT_CLICKED, .verdict = EVENT_HUMAN,
		.rule = STR("test"), .domain = STR("example.com"),
		.stream = 0xe6a8b2cf, .campaign = STR("winter"),
		.list = STR("news.example.com"),
		.recipient = str_from(argv[5]),
		.url = arena_printf(a, "%s%llu", argc > 9 ? argv[9] :
		    "https://shop.example/", (unsigned long long)id) };

	if (argc > 6 && event_kind_parse(str_from(argv[6]), &e.kind) != 0)
		exit(EX_USAGE);
	if (argc > 7)
		e.metadata = str_from(argv[7]);
	if (argc > 8 && event_verdict_parse(str_from(argv[8]), &e.was) != 0)
		exit(EX_USAGE);
	return e;
}

int
main(int argc, char **argv)
{
	struct store_spec spec = { .kinds = STORE_EVENTS,
		.access = STORE_CHANGE };
	uint64_t id, end;
	struct store *s;
	struct buf errors;

	if (argc < 6)
		return EX_USAGE;
	spec.store = str_from(argv[1]);
	spec.clock = clock_fixed(strtoll(argv[2], NULL, 10) * 1000000);
	buf_init(&errors, 65536);
	s = store_open(&spec, &errors);
	if (s == NULL) {
		fputs(errors.p, stderr);
		return EX_UNAVAILABLE;
	}
	id = strtoull(argv[3], NULL, 10);
	end = id + strtoull(argv[4], NULL, 10);
	while (id < end) {
		struct arena *a = arena_new();
		struct event v[BATCH];
		size_t n = 0;

		while (n < BATCH && id < end)
			v[n++] = make(a, argv, argc, id++);
		if (store_events_add(s, v, n, false,
		    store_deadline(DEADLINE)) != STORE_YES) {
			fprintf(stderr, "%s\n", store_error(s, STORE_EVENTS));
			return EX_UNAVAILABLE;
		}
		arena_free(&a);
	}
	store_close(&s);
	buf_free(&errors);
	return EX_OK;
}
