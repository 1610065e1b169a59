/*
 * test_trackd_pages.c - languages, escaping, and the operator's templates.
 */
#include "store_fixture.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "mail/charset.h"
#include "trackd/language.h"
#include "trackd/pages.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const struct str languages[] = { { "en", 2 }, { "de", 2 },
	{ "fr", 2 }, { "es", 2 }, { "ja", 2 } };

static void
languages_are_chosen(void **state)
{
	static const struct {
		const char *field, *want;
	} cases[] = {
		{ "", "en" },
		{ "de", "de" },
		{ "de-AT", "de" },
		{ "DE-at,en;q=0.8", "de" },
		{ "en-US,en;q=0.9,de;q=0.8", "en" },
		{ "en;q=0.7, fr;q=0.8", "fr" },
		{ "ja, en", "ja" },
		{ "it, es;q=0.3", "es" },
		{ "it", "en" },
		{ "*", "en" },
		{ "en;q=0, *", "de" },
		{ "en;q=0", "en" },
		{ "*;q=0.5, fr", "fr" },
		{ "de;q=0.2, *;q=0.9", "en" },
		{ "de-AT;q=0.1, de;q=0.9, en;q=0.5", "de" },
		{ "fr;q=1.0, es;q=0.999", "fr" },
		{ "fr;q=0.001", "fr" },
		{ "fr;q=1.001, es", "es" },
		{ "fr;q=-1, es;q=0.1", "es" },
		{ "fr;q=, es;q=0.1", "es" },
		{ "fr;q=2, es;q=0.1", "es" },
		{ "fr;level=1, es;q=0.1", "es" },
		{ ";;;,,,=,q=1", "en" },
		{ " fr ; q=0.5 ,\tes ; Q=0.6", "es" },
		{ "frx", "en" },
		{ "d", "en" },
		{ "\xff\xfe,\"de\",d\xc3", "en" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_str(cases[i].field, languages[language_choose(
		    exact(a, str_from(cases[i].field)), languages,
		    COUNT(languages))], str_from(cases[i].want));
	arena_free(&a);
}

static void
addresses_are_masked(void **state)
{
	static const char *const cases[][2] = {
		{ "jane@example.org", "j…@example.org" },
		{ "j@example.org", "j…@example.org" },
		{ "\xc3\xa9va@example.org", "é…@example.org" },
		{ "\xffva@example.org", "…@example.org" },
		{ "\"a@b\"@example.org", "\"…@example.org" },
		{ "@example.org", "…@example.org" },
		{ "nobody", "" },
		{ "", "" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_str(cases[i][0], page_mask(a,
		    exact(a, str_from(cases[i][0]))), str_from(cases[i][1]));
	arena_free(&a);
}

static bool
has(struct str s, const char *needle)
{
	return str_find(s, str_from(needle), 0) < s.n;
}

static struct pages *
load(const char *directory)
{
	struct buf errors;
	struct pages *p;

	buf_init(&errors, 65536);
	p = pages_load(str_from(directory), &errors);
	if (p == NULL)
		fail_msg("%.*s", STR_ARG(buf_view(&errors)));
	buf_free(&errors);
	return p;
}

static const struct page_values usual = {
	.recipient = { "jane@example.org", 16 },
	.sender = { "example.com", 11 },
	.stream = { "news", 4 },
};

/* Each page in each language: small, whole, and without a script. */
static void
pages_are_whole(void **state)
{
	struct pages *p = load("");
	struct arena *a = arena_new();

	(void)state;
	for (unsigned page = 0; page < PAGE_COUNT; page++)
		for (size_t i = 0; i < COUNT(languages); i++) {
			struct page_values v = usual;
			struct str language, s;

			v.message = page == PAGE_ERROR ? MESSAGE_LATER :
							 MESSAGE_LIST;
			v.stamp = STR("AQabc");
			s = page_write(p, a, page, languages[i], &v,
			    &language);
			expect_str("language", language, languages[i]);
			assert_true(s.n < 6144);
			assert_true(charset_is_utf8(s));
			assert_true(has(s, arena_cstr(a, arena_printf(a,
			    "<html lang=\"%.*s\">", STR_ARG(language)))));
			assert_true(has(s, "<title>"));
			assert_true(has(s, "<h1>"));
			assert_true(has(s, "prefers-color-scheme:dark"));
			assert_true(has(s, ":focus-visible"));
			assert_false(has(s, "<script"));
			assert_false(has(s, "{{"));
			assert_false(has(s, "jane@"));
			assert_int_equal(has(s, "<form method=\"post\""),
			    page == PAGE_UNSUBSCRIBE || page == PAGE_DONE);
		}
	arena_free(&a);
	pages_free(&p);
}

static void
undo_is_offered_with_a_stamp(void **state)
{
	struct pages *p = load("");
	struct arena *a = arena_new();
	struct page_values v = usual;
	struct str language;

	(void)state;
	assert_false(has(page_write(p, a, PAGE_DONE, STR(""), &v, &language),
	    "<form"));
	v.stamp = STR("AQ\"<");
	assert_true(has(page_write(p, a, PAGE_DONE, STR(""), &v, &language),
	    "name=\"undo\" value=\"AQ&quot;&lt;\">"));
	arena_free(&a);
	pages_free(&p);
}

static void
everything_is_escaped(void **state)
{
	struct pages *p = load("");
	struct arena *a = arena_new();
	struct page_values v = {
		.message = MESSAGE_LIST,
		.recipient = STR("<x@\"><script>"),
		.sender = STR("a&b<i>'"),
		.stream = STR("</title>{{fields}}\x01\xff\xc3\xa9\n"),
	};
	struct str language, s;

	(void)state;
	v.stream = exact(a, v.stream);
	for (unsigned page = 0; page < PAGE_COUNT; page++) {
		s = page_write(p, a, page, STR(""), &v, &language);
		assert_false(has(s, "<script>"));
		assert_false(has(s, "<i>"));
		assert_false(has(s, "</title>{{"));
		assert_false(has(s, "\x01"));
		assert_true(charset_is_utf8(s));
	}
	s = page_write(p, a, PAGE_DONE, STR(""), &v, &language);
	assert_true(has(s, "&lt;…@&quot;&gt;&lt;script&gt;"));
	assert_true(has(s, "&lt;/title&gt;{{fields}}\xef\xbf\xbdé"));
	arena_free(&a);
	pages_free(&p);
}

static void
put(const char *directory, const char *name, const char *text)
{
	char path[1100];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	unlink(path);
	assert_int_equal(file_create(path, 0600, str_from(text)), 0);
}

#define GOOD                                                                   \
	"<form method='POST' action='{{action}}'>{{ fields }}</form> mine"

static void
templates_take_their_place(void **state)
{
	struct arena *a = arena_new();
	const char *dir = fixture_directory(a);
	struct page_values v = usual;
	struct pages *p;
	struct str language, s;

	(void)state;
	v.message = MESSAGE_LIST;
	put(dir, "unsubscribe.html", GOOD " for all {{lang}}");
	put(dir, "unsubscribe.de.html", GOOD " auf deutsch {{recipient}}");
	put(dir, "done.IT.html", "{{message}}|{{stream}}|{{#undo}}" GOOD
	    "{{/undo}}|{{sender}}");
	put(dir, "README", "{{nothing}}");
	put(dir, ".hidden.html", "{{nothing}}");
	p = load(dir);
	s = page_write(p, a, PAGE_UNSUBSCRIBE, STR("fr"), &v, &language);
	assert_true(has(s, "mine for all fr"));
	assert_int_equal(language.n, 0);
	s = page_write(p, a, PAGE_UNSUBSCRIBE, STR("de-CH"), &v, &language);
	assert_true(has(s, "mine auf deutsch j…@example.org"));
	assert_true(has(s, "name=\"List-Unsubscribe\" value=\"page\""));
	expect_str("de", language, STR("de"));
	s = page_write(p, a, PAGE_DONE, STR("it-IT, en"), &v, &language);
	expect_str("it", language, STR("it"));
	expect_str("no stamp", s, STR("j…@example.org gets no more mail of "
	    "“news”.|news||example.com"));
	v.stamp = STR("AQx");
	s = page_write(p, a, PAGE_DONE, STR("it"), &v, &language);
	assert_true(has(s, "name=\"undo\" value=\"AQx\""));
	/* what it has no file for */
	s = page_write(p, a, PAGE_UNDONE, STR("it"), &v, &language);
	expect_str("it, none", language, STR("en"));
	pages_free(&p);
	fixture_remove(dir);
	arena_free(&a);
}

static void
wrong_templates_are_refused(void **state)
{
	static const char *const cases[][3] = {
		{ "done.html", "a\nb {{nobody}}",
		    "done.html:2: no placeholder" },
		{ "done.html", "a\n\n{{lang}", "done.html:3: \"{{\" without" },
		{ "done.html", "{{#undo}}{{/undo}}", "done.html:1: {{#undo}} "
		    "needs <form" },
		{ "done.html", "\n{{#undo}}" GOOD, "done.html:2: {{#undo}} "
		    "without {{/undo}}" },
		{ "done.html", "{{/undo}}", "done.html:1: {{/undo}} without" },
		{ "done.html", "ok\n\xff", "done.html:2: this is no UTF-8" },
		{ "error.html", "{{#undo}}{{/undo}}", "belongs in done" },
		{ "unsubscribe.html", "{{recipient}}", "unsubscribe.html:1: "
		    "without <form" },
		{ "unsubscribe.de.html", "<form method=post></form>",
		    "unsubscribe.de.html:1: without <form" },
		{ "unsubscribe.html", "<form>{{fields}}</form>",
		    "unsubscribe.html:1: without <form" },
		{ "unsubscribed.html", "x", "unsubscribed.html:1: no page" },
		{ "done.d_e.html", "x", "done.d_e.html:1: \"d_e\" is no lang" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *dir = fixture_directory(a);
		struct buf errors;
		struct pages *p;

		buf_init(&errors, 65536);
		put(dir, cases[i][0], cases[i][1]);
		put(dir, "undone.html", "fine");
		p = pages_load(str_from(dir), &errors);
		assert_null(p);
		if (!has(buf_view(&errors), cases[i][2]))
			fail_msg("%s: %.*s", cases[i][1],
			    STR_ARG(buf_view(&errors)));
		buf_free(&errors);
		fixture_remove(dir);
	}
	arena_free(&a);
}

static void
no_directory(void **state)
{
	struct buf errors;

	(void)state;
	buf_init(&errors, 65536);
	assert_null(pages_load(STR("/nonexistent/x"), &errors));
	assert_true(has(buf_view(&errors), "/nonexistent/x:1: "));
	buf_free(&errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(languages_are_chosen),
		cmocka_unit_test(addresses_are_masked),
		cmocka_unit_test(pages_are_whole),
		cmocka_unit_test(undo_is_offered_with_a_stamp),
		cmocka_unit_test(everything_is_escaped),
		cmocka_unit_test(templates_take_their_place),
		cmocka_unit_test(wrong_templates_are_refused),
		cmocka_unit_test(no_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
