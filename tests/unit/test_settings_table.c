/*
 * test_settings_table.c - what must hold for each key of the table, whatever
 * keys it will have: made from the table, not from a list.
 */
#include "conf_load.h"

#include "bulkhead/settings_table.h"

/* The way to a key: sections opened before it, and how many to close. */
struct way {
	struct str open;
	int depth;
};

typedef void key_fn(void **state, const struct way *way,
    const struct settings_key *key);

static struct arena *
scratch_of(struct loaded *l)
{
	l->arena = arena_new();
	l->s = NULL;
	return l->arena;
}

static void
walk(void **state, struct arena *a, const struct way *way,
    const struct settings_key *keys, key_fn *fn)
{
	for (; keys->name != NULL; keys++) {
		struct way below = { STR(""), way->depth + 1 };

		fn(state, way, keys);
		if (keys->keys == NULL)
			continue;
		below.open = arena_printf(a, "%.*s%s%s {\n",
		    STR_ARG(way->open), keys->name,
		    keys->kind == KEY_TITLED ? " \"t.example\"" : "");
		walk(state, a, &below, keys->keys, fn);
	}
}

static void
for_each_key(void **state, key_fn *fn)
{
	struct arena *a = arena_new();
	struct way top = { STR(""), 0 };

	walk(state, a, &top, settings_table, fn);
	arena_free(&a);
}

/* Loads "sections { text }"; the text begins on line way->depth + 1. */
static void
load_at(struct loaded *l, void **state, const struct way *way, struct str text)
{
	struct arena *a = scratch_of(l);
	struct str whole = arena_printf(a, "%.*s%.*s\n%.*s",
	    STR_ARG(way->open), STR_ARG(text), way->depth, "}}}}}}}}");

	buf_init(&l->messages, 1000000);
	l->s = settings_load(conf_write(a, state, "a.conf", whole),
	    &l->messages);
}

/* The text must be refused in its own first line, with those words. */
static void
expect_refused(void **state, const struct way *way, const char *name,
    struct str text, const char *want)
{
	struct loaded l;

	load_at(&l, state, way, text);
	if (l.s != NULL)
		fail_msg("%s: taken: %.*s", name, STR_ARG(text));
	expect_message(name, buf_view(&l.messages), "a.conf",
	    (unsigned)way->depth + 1, want);
	unload(&l);
}

static bool
is_section(const struct settings_key *key)
{
	return key->kind == KEY_SECTION || key->kind == KEY_TITLED;
}

static struct str
written(struct arena *a, const struct settings_key *key, const char *name)
{
	switch (key->kind) {
	case KEY_SECTION:
		return arena_printf(a, "%s { }", name);
	case KEY_TITLED:
		return arena_printf(a, "%s \"x\" { }", name);
	case KEY_LIST:
		return arena_printf(a, "%s = { \"x\" }", name);
	default:
		return arena_printf(a, "%s = \"x\"", name);
	}
}

/* Known where it belongs: whatever else is said, not that it is no key. */
static void
key_is_known(void **state, const struct way *way,
    const struct settings_key *key)
{
	struct arena *a = arena_new();
	struct loaded l;

	load_at(&l, state, way, written(a, key, key->name));
	if (conf_count(buf_view(&l.messages), "is no key") != 0 ||
	    conf_count(buf_view(&l.messages), "libconfuse") != 0)
		fail_msg("%s: %.*s", key->name,
		    STR_ARG(buf_view(&l.messages)));
	unload(&l);
	arena_free(&a);
}

static void
test_each_key_is_known(void **state)
{
	for_each_key(state, key_is_known);
}

/* With a letter too many it is unknown, and the key is what was meant. */
static void
typing_error_is_named(void **state, const struct way *way,
    const struct settings_key *key)
{
	struct arena *a = arena_new();
	const char *wrong = arena_cstr(a, arena_printf(a, "%c%s",
	    key->name[0], key->name));
	const char *want = arena_cstr(a, arena_printf(a,
	    "did you mean \"%s\"?", key->name));

	expect_refused(state, way, key->name, written(a, key, wrong), want);
	arena_free(&a);
}

static void
test_each_typing_error_is_named(void **state)
{
	for_each_key(state, typing_error_is_named);
}

/* The first counts, the second is the error. */
static void
second_is_refused(void **state, const struct way *way,
    const struct settings_key *key)
{
	struct arena *a = arena_new();
	struct str once = written(a, key, key->name);
	struct str twice = arena_printf(a, "%.*s %.*s", STR_ARG(once),
	    STR_ARG(once));

	expect_refused(state, way, key->name, twice,
	    is_section(key) ? "a second section" : "a second time");
	arena_free(&a);
}

static void
test_each_second_one_is_refused(void **state)
{
	for_each_key(state, second_is_refused);
}

/* Every shape but its own (a list may do without braces). */
static void
other_shape_is_refused(void **state, const struct way *way,
    const struct settings_key *key)
{
	static const char *const shapes[] = {
		[KEY_VALUE] = "%s = \"x\"",
		[KEY_LIST] = "%s = { \"x\" }",
		[KEY_SECTION] = "%s { }",
		[KEY_TITLED] = "%s \"x\" { }",
	};
	static const bool fits[4][4] = {
		[KEY_VALUE] = { [KEY_VALUE] = true },
		[KEY_LIST] = { [KEY_VALUE] = true, [KEY_LIST] = true },
		[KEY_SECTION] = { [KEY_SECTION] = true },
		[KEY_TITLED] = { [KEY_TITLED] = true },
	};
	char text[100], quoted[100];

	snprintf(quoted, sizeof(quoted), "\"%s\" ", key->name);
	for (int shape = 0; shape < 4; shape++) {
		size_t at = strlen(key->name);

		if (fits[key->kind][shape])
			continue;
		memcpy(text, key->name, at);
		snprintf(text + at, sizeof(text) - at, "%s",
		    shapes[shape] + 2);
		expect_refused(state, way, key->name, str_from(text), quoted);
	}
}

static void
test_each_other_shape_is_refused(void **state)
{
	for_each_key(state, other_shape_is_refused);
}

/* No value of any setting may come from the environment. */
static void
environment_is_refused(void **state, const struct way *way,
    const struct settings_key *key)
{
	struct arena *a = arena_new();

	if (!is_section(key))
		expect_refused(state, way, key->name, arena_printf(a,
		    "%s = \"${HOME}\"", key->name), "environment");
	arena_free(&a);
}

static void
test_no_key_reads_the_environment(void **state)
{
	for_each_key(state, environment_is_refused);
}

/* An empty text is right for free texts only; nothing may crash on it. */
static void
empty_is_answered(void **state, const struct way *way,
    const struct settings_key *key)
{
	struct arena *a = arena_new();
	struct loaded l;

	if (is_section(key)) {
		arena_free(&a);
		return;
	}
	load_at(&l, state, way, arena_printf(a, "%s = \"\"", key->name));
	assert_true((l.s == NULL) ==
	    (conf_errors(buf_view(&l.messages)) != 0));
	if (l.s != NULL && strcmp(key->name, "campaign") != 0)
		fail_msg("%s: an empty text was taken", key->name);
	unload(&l);
	arena_free(&a);
}

static void
test_empty_texts(void **state)
{
	for_each_key(state, empty_is_answered);
}

static void
test_words_are_told_apart(void **state)
{
	static const char *const *const all[] = {
		settings_on_failure_words, settings_log_addresses_words,
		settings_mode_words, settings_charge_at_words,
		settings_unsubscribe_words, settings_existing_words,
		settings_several_words, settings_suppressed_words,
		settings_control_words, settings_track_words,
		settings_per_words, settings_count_words,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		assert_non_null(all[i][0]);
		assert_non_null(all[i][1]);
		for (size_t j = 0; all[i][j] != NULL; j++)
			for (size_t k = 0; k < j; k++)
				assert_string_not_equal(all[i][j], all[i][k]);
	}
	assert_string_equal(settings_per_words[LIMIT_PER_STREAM], "stream");
	assert_string_equal(settings_unsubscribe_words[UNSUBSCRIBE_ONE_CLICK],
	    "one-click");
	assert_string_equal(settings_log_addresses_words[LOG_ADDRESSES_HASH],
	    "hash");
	assert_string_equal(settings_mode_words[MODE_OBSERVE], "observe");
	assert_string_equal(settings_charge_at_words[CHARGE_AT_DATA], "data");
	assert_string_equal(settings_on_failure_words[ON_FAILURE_ACCEPT],
	    "accept");
	assert_int_equal(TRACK_OPENS, 1u << 1);
	assert_string_equal(settings_track_words[1], "opens");
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, conf_setup, conf_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(test_each_key_is_known),
		CASE(test_each_typing_error_is_named),
		CASE(test_each_second_one_is_refused),
		CASE(test_each_other_shape_is_refused),
		CASE(test_no_key_reads_the_environment),
		CASE(test_empty_texts),
		CASE(test_words_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
