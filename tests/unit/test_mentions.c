/*
 * test_mentions.c - a person's address in a link: as it is, encoded once or
 * more, in any case; and what is another person's.
 */
#include "tests/unit/unit.h"

#include "store/driver_sqlite_mentions.h"
#include "store/events.h"

struct mention {
	const char *url, *address;
	bool is_there;
};

static const struct mention mentions[] = {
	{ "https://x.example/?u=ann@x.example", "ann@x.example", true },
	{ "ann@x.example", "ann@x.example", true },
	{ "https://x.example/?u=ANN%40X.example&v=1", "ann@x.example", true },
	{ "https://x.example/?u=ann%40x%2Eexample", "Ann@X.example", true },
	{ "https://x.example/?u=ann%2540x.example#a", "ann@x.example", true },
	{ "https://x.example/?u=%2Fann%252540x.example", "ann@x.example",
	    true },
	{ "https://x.example/?u=a%2Bn@x.example", "a+n@x.example", true },
	{ "https://x.example/?u=a+n%40x.example", "a+n@x.example", true },
	{ "https://x.example/joann@x.example/ann@x.example", "ann@x.example",
	    true },
	{ "https://x.example/u-ann@x.example.html", "ann@x.example", true },
	{ "https://x.example/joann@x.example", "ann@x.example", false },
	{ "https://x.example/ann@x.examples", "ann@x.example", false },
	{ "https://x.example/ann%4", "ann@x.example", false },
	{ "https://x.example/ann%", "ann@x.example", false },
	{ "https://x.example/%zzann%4gx.example", "ann@x.example", false },
	{ "", "ann@x.example", false },
	{ "https://x.example/", "", false },
};

static void
test_mentions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mentions) / sizeof(mentions[0]); i++) {
		const struct mention *m = &mentions[i];
		struct arena *a = arena_new();

		if (sqlite_has_mention(exact(a, str_from(m->url)),
		    exact(a, str_from(m->address))) != m->is_there)
			fail_msg("%s in %s", m->address, m->url);
		arena_free(&a);
	}
}

/* Behind what a link may be long nothing is looked for, nor read. */
static void
test_long(void **state)
{
	size_t n = 2 * (size_t)EVENT_URL_MAX;
	char *text = mem_alloc(n);

	(void)state;
	memset(text, '/', n);
	memcpy(text + EVENT_URL_MAX - 3, "a@b", 3);
	assert_true(sqlite_has_mention(str_make(text, n), STR("a@b")));
	assert_false(sqlite_has_mention(str_make(text, n), STR("a@b/c")));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mentions),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
