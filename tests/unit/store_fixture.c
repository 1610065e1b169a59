/*
 * store_fixture.c - helpers of the tests of the store.
 */
#include "store_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

const char *
fixture_directory(struct arena *a)
{
	const char *tmp = getenv("TMPDIR");
	struct str path = arena_printf(a, "%s/bulkhead-store-XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	char *out = arena_cstr(a, path);

	assert_non_null(mkdtemp(out));
	return out;
}

void
fixture_remove(const char *directory)
{
	DIR *d = opendir(directory);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		char path[1024];

		snprintf(path, sizeof(path), "%s/%s", directory, e->d_name);
		unlink(path);
	}
	if (d != NULL)
		closedir(d);
	rmdir(directory);
}

struct store *
fixture_try(struct arena *a, const char *spec, unsigned kinds,
    enum store_access access, int64_t now, const char **errors)
{
	struct store_spec s = { .store = str_from(spec), .kinds = kinds,
		.access = access, .clock = clock_fixed(now * 1000000) };
	struct store *store;
	struct buf text;

	buf_init(&text, 65536);
	store = store_open(&s, &text);
	*errors = arena_cstr(a, buf_view(&text));
	buf_free(&text);
	return store;
}

struct store *
fixture_open(const char *spec, unsigned kinds, enum store_access access,
    int64_t now)
{
	struct arena *a = arena_new();
	const char *errors;
	struct store *store = fixture_try(a, spec, kinds, access, now,
	    &errors);

	if (store == NULL)
		fail_msg("%s: %s", spec, errors);
	arena_free(&a);
	return store;
}

struct suppress_entry
fixture_entry(const char *address, enum suppress_reason reason,
    int64_t created, int64_t expires)
{
	return (struct suppress_entry){ .address = str_from(address),
		.reason = reason, .created = created, .expires = expires,
		.source = STR("test"), .evidence = STR("as the test says") };
}

struct suppress_change
fixture_change(enum suppress_what what, struct suppress_entry entry)
{
	return (struct suppress_change){ .what = what, .entry = entry,
		.actor = STR("tester") };
}

enum suppress_outcome
fixture_do(struct store *s, enum suppress_what what,
    struct suppress_entry entry)
{
	struct suppress_change c = fixture_change(what, entry);

	if (store_suppress_change(s, &c, 1, store_deadline(FIXTURE_MILLIS)) !=
	    STORE_YES)
		fail_msg("%s", store_error(s, STORE_SUPPRESS));
	return c.outcome;
}

struct suppress_query
fixture_find(struct store *s, struct arena *a, const char *address,
    const struct suppress_scope *scope)
{
	struct suppress_query q = { .address = str_from(address) };

	if (scope != NULL)
		q.scope = *scope;
	store_suppress_find(s, a, &q, 1, store_deadline(FIXTURE_MILLIS));
	return q;
}

static bool
count_one(void *arg, const struct suppress_entry *e)
{
	(void)e;
	++*(size_t *)arg;
	return true;
}

size_t
fixture_count(struct store *s, const struct suppress_filter *filter)
{
	size_t n = 0;

	if (store_suppress_walk(s, filter, count_one, &n) != STORE_YES)
		fail_msg("%s", store_error(s, STORE_SUPPRESS));
	return n;
}
