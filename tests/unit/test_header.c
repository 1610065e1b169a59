/*
 * test_header.c - lib/mail/header: finding, editing, reading and writing the
 * fields of a message.
 */
#include "unit.h"

#include <stdio.h>
#include <time.h>

#include "mail/header.h"

static void
add_all(struct headers *h, const char *const *fields, size_t n)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		headers_append(h, exact(h->arena, str_from(fields[i])),
		    exact(h->arena, str_from(fields[i + 1])));
}

static void
test_finds_by_name_and_order(void **state)
{
	static const char *const fields[] = {
		"Received", " a", "Subject", " one", "X-A", "no blank",
		"SUBJECT", "\ttwo", "subject", " three",
	};
	struct arena *a = arena_new();
	struct headers h;
	struct header *f;

	(void)state;
	headers_init(&h, a);
	assert_null(headers_find(&h, STR("Subject")));
	add_all(&h, fields, 10);
	f = headers_find(&h, STR("sUbJeCt"));
	assert_non_null(f);
	expect_str("verbatim", f->value, STR(" one"));
	assert_int_equal(f->index, 1);
	f = headers_find_next(&h, f);
	expect_str("tab", f->value, STR("\ttwo"));
	expect_str("spelling", f->name, STR("SUBJECT"));
	assert_int_equal(f->index, 2);
	f = headers_find_next(&h, f);
	assert_int_equal(f->index, 3);
	assert_null(headers_find_next(&h, f));
	assert_null(headers_find(&h, STR("Subjec")));
	assert_null(headers_find(&h, STR("")));
	expect_str("no blank", headers_find(&h, STR("x-a"))->value,
	    STR("no blank"));
	assert_int_equal(headers_count(&h, STR("subject")), 3);
	assert_int_equal(headers_count(&h, STR("To")), 0);
	assert_false(headers_edited(&h));
	arena_free(&a);
}

static void
test_edits_keep_what_came_apart(void **state)
{
	static const char *const fields[] = {
		"To", " x", "To", " y", "To", " z", "Cc", " c",
	};
	struct arena *a = arena_new();
	struct headers h;
	struct header *f;

	(void)state;
	headers_init(&h, a);
	add_all(&h, fields, 8);
	headers_delete(&h, headers_find(&h, STR("to")));
	f = headers_find(&h, STR("to"));
	assert_int_equal(f->index, 2);
	headers_change(&h, f, STR("new"));
	assert_int_equal(f->edit, HEADER_CHANGED);
	expect_str("changed", f->value, STR(" new"));
	headers_delete(&h, headers_find(&h, STR("cc")));
	assert_null(headers_find(&h, STR("cc")));
	headers_add(&h, STR("Cc"), STR("added"));
	f = headers_find(&h, STR("cc"));
	assert_int_equal(f->index, 0);
	assert_int_equal(f->edit, HEADER_ADDED);
	expect_str("added", f->value, STR(" added"));
	assert_ptr_equal(f, &h.v[4]);
	headers_change(&h, f, STR("twice"));
	assert_int_equal(f->edit, HEADER_ADDED);
	assert_int_equal(headers_count(&h, STR("to")), 2);
	assert_int_equal(headers_count(&h, STR("cc")), 1);
	assert_true(headers_edited(&h));
	arena_free(&a);
}

static void
test_edited_is_about_the_outcome(void **state)
{
	struct arena *a = arena_new();
	struct headers h;

	(void)state;
	headers_init(&h, a);
	headers_append(&h, STR("To"), STR(" x"));
	headers_add(&h, STR("X-New"), STR("1"));
	assert_true(headers_edited(&h));
	headers_delete(&h, headers_find(&h, STR("X-New")));
	assert_false(headers_edited(&h));
	headers_delete(&h, headers_find(&h, STR("To")));
	assert_true(headers_edited(&h));
	arena_free(&a);
}

static void
test_added_values_are_fit_for_the_wire(void **state)
{
	static const struct {
		const char *name, *in, *want;
		size_t n;
	} cases[] = {
		{ "plain", "a b", " a b", 0 },
		{ "empty", "", " ", 0 },
		{ "fold", "a,\n b", " a,\n b", 0 },
		{ "fold with a tab", "a,\n\tb", " a,\n\tb", 0 },
		{ "CRLF", "a,\r\n b", " a,\n b", 0 },
		{ "LF without a blank", "a\nBcc: x", " a\n\tBcc: x", 0 },
		{ "empty line", "a\n\nb", " a\n\tb", 0 },
		{ "line of blanks", "a\n  \n b", " a\n b", 0 },
		{ "last LF", "a\n", " a", 0 },
		{ "first line empty", "\n a", " a", 0 },
		{ "leading blanks", "  a", " a", 0 },
		{ "trailing blanks", "a \n b ", " a\n b", 0 },
		{ "lone CR", "a\rb", " ab", 0 },
		{ "NUL", "a\0b", " ab", 3 },
		{ "only breaks", "\r\n\r\n", " ", 0 },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str in = cases[i].n ?
		    str_make(cases[i].in, cases[i].n) : str_from(cases[i].in);

		expect_str(cases[i].name,
		    header_wire_value(a, 4, exact(a, in)),
		    str_from(cases[i].want));
	}
	arena_free(&a);
}

static size_t
longest_line(size_t column, struct str value)
{
	size_t most = 0;

	for (size_t i = 0; i < value.n; i++) {
		column = value.p[i] == '\n' ? 0 : column + 1;
		if (column > most)
			most = column;
	}
	return most;
}

static void
test_long_lines_are_folded(void **state)
{
	struct arena *a = arena_new();
	char text[4000];
	struct str got;

	(void)state;
	for (size_t word = 1; word < 990; word = word * 3 + 1) {
		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = i % (word + 1) == word ? ' ' : 'a';
		text[sizeof(text) - 1] = 'z';
		got = header_wire_value(a, 7,
		    exact(a, str_make(text, sizeof(text))));
		assert_true(longest_line(8, got) <= HEADER_LINE_MAX);
		expect_str("unfolds to itself", header_unfold(a, got),
		    str_make(text, sizeof(text)));
		assert_true(got.n < sizeof(text) + 10);
	}
	memset(text, 'a', sizeof(text));
	text[2000] = ' ';
	got = header_wire_value(a, 7, str_make(text, sizeof(text)));
	assert_int_equal(str_chr(got, '\n', 0), 2001);
	memset(text, 'a', sizeof(text));
	got = header_wire_value(a, 7, str_make(text, sizeof(text)));
	assert_int_equal(got.n, sizeof(text) + 1);
	got = header_wire_value(a, 7, str_make(text, 989));
	assert_int_equal(longest_line(8, got), HEADER_LINE_MAX);
	arena_free(&a);
}

static void
test_unfold(void **state)
{
	static const struct {
		const char *name, *in, *want;
	} cases[] = {
		{ "trim", " a b \t", "a b" },
		{ "fold", " a\n b", "a b" },
		{ "fold with a tab", " a\n\tb", "a\tb" },
		{ "blanks before", " a  \n b", "a b" },
		{ "blanks after", " a\n  b", "a  b" },
		{ "CRLF", " a\r\n b", "a b" },
		{ "twice", " a\n \n\tb", "a\tb" },
		{ "inner blanks stay", " a  b\t c", "a  b\t c" },
		{ "nothing", " \n \n", "" },
		{ "empty", "", "" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_str(cases[i].name,
		    header_unfold(a, exact(a, str_from(cases[i].in))),
		    str_from(cases[i].want));
	arena_free(&a);
}

static void
test_names(void **state)
{
	size_t value = 0;

	(void)state;
	assert_true(header_name_ok(STR("X-!#$")));
	assert_false(header_name_ok(STR("")));
	assert_false(header_name_ok(STR("a b")));
	assert_false(header_name_ok(STR("a:")));
	assert_false(header_name_ok(STR("\303\244")));
	assert_false(header_name_ok(STR("a\177")));
	assert_int_equal(header_name_length(STR("To: x"), &value), 2);
	assert_int_equal(value, 3);
	assert_int_equal(header_name_length(STR("To \t: x"), &value), 2);
	assert_int_equal(value, 5);
	assert_int_equal(header_name_length(STR("To"), &value), 0);
	assert_int_equal(header_name_length(STR("To x: y"), &value), 0);
	assert_int_equal(header_name_length(STR(": y"), &value), 0);
	assert_int_equal(header_name_length(STR(" To: y"), &value), 0);
	assert_int_equal(header_name_length(STR("T\303\266: y"), &value), 0);
	assert_int_equal(header_name_length(STR(""), &value), 0);
}

/* "NAME|VALUE;" for each field. */
static struct str
show(struct arena *a, const struct headers *h)
{
	struct str s = STR("");

	for (size_t i = 0; i < h->n; i++)
		s = arena_printf(a, "%.*s%.*s|%.*s;", STR_ARG(s),
		    STR_ARG(h->v[i].name), STR_ARG(h->v[i].value));
	return s;
}

static void
test_parse(void **state)
{
	static const struct {
		const char *name, *in, *want;
		size_t body;
		int rc;
	} cases[] = {
		{ "CRLF", "A: b\r\nC:d\r\n\r\nbody", "A| b;C|d;", 13, 0 },
		{ "LF", "A: b\nC:\td\n\nbody", "A| b;C|\td;", 11, 0 },
		{ "fold CRLF", "A: b\r\n c\r\n\td\r\n\r\n", "A| b\n c\n\td;",
		    16, 0 },
		{ "fold LF", "A: b\n c\n\n", "A| b\n c;", 9, 0 },
		{ "fold of blanks", "A: b\n \nC: d\n\n", "A| b\n ;C| d;", 13,
		    0 },
		{ "empty value", "A:\r\n\r\n", "A|;", 6, 0 },
		{ "no field", "A: b\r\nhello\r\nC: d\r\n", "A| b;", 6, -1 },
		{ "blank first", " A: b\n\n", "", 0, -1 },
		{ "end of text", "A: b\r\nC: d", "A| b;C| d;", 10, -1 },
		{ "end after a line", "A: b\r\n", "A| b;", 6, -1 },
		{ "end in a CR", "A: b\r", "A| b\r;", 5, -1 },
		{ "only a body", "\r\nbody", "", 2, 0 },
		{ "nothing", "", "", 0, -1 },
		{ "blank before colon", "A : b\n\n", "A| b;", 7, 0 },
		{ "CR inside", "A: b\rc\r\n d\r\n\r\n", "A| b\rc\n d;", 14, 0 },
		{ "mbox", "From x Mon\nA: b\n\n", "A| b;", 17, 0 },
		{ "quoted mbox", ">From x Mon\nA: b\n\n", "A| b;", 18, 0 },
		{ "From", "From: x\n\n", "From| x;", 9, 0 },
		{ "mbox later", "A: b\nFrom x\nC: d\n\n", "A| b;", 5, -1 },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct headers h;
		size_t body = 99;
		int rc;

		headers_init(&h, a);
		rc = headers_parse(&h, exact(a, str_from(cases[i].in)), &body);
		expect_str(cases[i].name, show(a, &h), str_from(cases[i].want));
		if (rc != cases[i].rc || body != cases[i].body)
			fail_msg("%s: rc %d body %zu", cases[i].name, rc, body);
	}
	arena_free(&a);
}

static void
test_many_fields_stay_cheap(void **state)
{
	enum { MANY = 100000 };
	struct arena *a = arena_new();
	clock_t start = clock();
	struct headers h;
	struct header *f;
	size_t n = 0;

	(void)state;
	headers_init(&h, a);
	for (unsigned i = 0; i < MANY; i++)
		headers_append(&h, arena_printf(a, "X-%u", i), STR(" v"));
	for (unsigned i = 0; i < MANY; i++)
		headers_append(&h, STR("Received"), STR(" v"));
	for (f = headers_find(&h, STR("received")); f != NULL;
	     f = headers_find_next(&h, f))
		assert_int_equal(f->index, ++n);
	assert_int_equal(n, MANY);
	for (unsigned i = 0; i < MANY; i += 1000)
		assert_ptr_equal(headers_find(&h, arena_printf(a, "x-%u", i)),
		    &h.v[i]);
	assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 3);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_by_name_and_order),
		cmocka_unit_test(test_edits_keep_what_came_apart),
		cmocka_unit_test(test_edited_is_about_the_outcome),
		cmocka_unit_test(test_added_values_are_fit_for_the_wire),
		cmocka_unit_test(test_long_lines_are_folded),
		cmocka_unit_test(test_unfold),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_many_fields_stay_cheap),
	};

	return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
