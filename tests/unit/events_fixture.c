/*
 * events_fixture.c - helpers of the tests of events.
 */
#include "events_fixture.h"

#include <dirent.h>

#include "base/file.h"

struct events_place
events_place_make(void)
{
	struct events_place p = { .a = arena_new() };

	p.dir = fixture_directory(p.a);
	p.spec = arena_cstr(p.a, arena_printf(p.a, "sqlite:%s", p.dir));
	return p;
}

void
events_place_free(struct events_place *p)
{
	fixture_remove(p->dir);
	arena_free(&p->a);
}

struct store *
events_open(struct events_place *p, enum store_access access, int64_t now)
{
	struct store_spec spec = { .store = str_from(p->spec),
		.kinds = STORE_EVENTS, .access = access,
		.clock = clock_fixed(now) };
	struct store *s;
	struct buf errors;

	buf_init(&errors, 65536);
	s = store_open(&spec, &errors);
	if (s == NULL)
		fail_msg("%s: %.*s", p->spec, STR_ARG(buf_view(&errors)));
	buf_free(&errors);
	return s;
}

struct event
events_make(struct arena *a, uint64_t id, int64_t at)
{
	return (struct event){ .id = id, .at = at, .kind = EVENT_CLICKED,
		.verdict = EVENT_HUMAN, .rule = STR("browser"),
		.domain = STR("example.com"), .stream = 0xc0ffee42,
		.campaign = STR("winter"), .list = STR("news.example.com"),
		.recipient = STR("reader@x.example"), .hours = 7,
		.url = arena_printf(a, "https://x.example/%llu",
		    (unsigned long long)id) };
}

void
events_put(struct store *s, const struct event *e)
{
	if (store_events_add(s, e, 1, false, store_deadline(FIXTURE_MILLIS)) !=
	    STORE_YES)
		fail_msg("%s", store_error(s, STORE_EVENTS));
}

static bool
see(void *arg, const struct event *e, const struct event_cursor *at)
{
	struct events_seen *seen = arg;
	size_t cap = seen->cap;

	seen->v = arena_grow(seen->a, seen->v, seen->n, &seen->cap,
	    sizeof(*seen->v));
	seen->at = arena_grow(seen->a, seen->at, seen->n, &cap,
	    sizeof(*seen->at));
	seen->v[seen->n] = *e;
	seen->v[seen->n].url = arena_copy(seen->a, e->url);
	seen->v[seen->n].recipient = arena_copy(seen->a, e->recipient);
	seen->v[seen->n].metadata = arena_copy(seen->a, e->metadata);
	seen->v[seen->n].detail = arena_copy(seen->a, e->detail);
	seen->at[seen->n++] = *at;
	return seen->max == 0 || seen->n < seen->max;
}

void
events_read(struct store *s, struct event_cursor *c,
    const struct event_filter *filter, struct events_seen *seen)
{
	static const struct event_filter any = { .kinds = 0 };

	if (store_events_walk(s, c, filter != NULL ? filter : &any, see,
	    seen) != STORE_YES)
		fail_msg("%s", store_error(s, STORE_EVENTS));
}

char *
events_path(struct events_place *p, uint32_t day, const char *tail)
{
	return arena_cstr(p->a, arena_printf(p->a, "%s/events-%u.db%s", p->dir,
	    day, tail));
}

bool
events_dir_has(struct events_place *p, const char *text)
{
	DIR *d = opendir(p->dir);
	bool has = false;
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		char *path = arena_cstr(p->a, arena_printf(p->a, "%s/%s",
		    p->dir, e->d_name));
		struct arena *a = arena_new();
		struct str all;

		if (file_read(a, path, 100u << 20, &all) == 0 &&
		    str_find(all, str_from(text), 0) < all.n)
			has = true;
		arena_free(&a);
	}
	closedir(d);
	return has;
}
