/*
 * test_settings_scan.c - positions, blanked comments, included files, and what
 * the scan refuses before libconfuse sees it.
 */
#include "conf_file.h"

#include "bulkhead/settings_scan.h"

/* What one scan gave; the caller frees arena and scan. */
struct result {
	struct arena *arena;
	struct settings_scan scan;
	struct buf messages;
	int rc;
};

static void
scan_path(struct result *r, const char *path)
{
	struct settings_report report = { .arena = r->arena };

	buf_init(&r->messages, 100000);
	r->rc = settings_scan(&r->scan, r->arena, path, &report);
	settings_report_write(&report, r->scan.root.pos.file, &r->messages);
}

static void
scan_text(struct result *r, void **state, struct str text)
{
	r->arena = arena_new();
	scan_path(r, conf_write(r->arena, state, "a.conf", text));
}

static void
result_free(struct result *r)
{
	settings_scan_free(&r->scan);
	buf_free(&r->messages);
	arena_free(&r->arena);
}

/* "domain/example.com/sign/s1/key": a node by names and titles. */
static const struct scan_node *
node_at(const struct settings_scan *s, const char *path)
{
	const struct scan_node *n = &s->root;
	struct str rest = str_from(path);

	while (n != NULL && rest.n != 0) {
		size_t end = str_chr(rest, '/', 0);
		struct str name = str_sub(rest, 0, end), title = STR("");

		rest = str_sub(rest, end + 1, rest.n);
		n = n->children;
		while (n != NULL && !str_eq(n->name, name))
			n = n->next;
		if (n == NULL || !n->has_title)
			continue;
		end = str_chr(rest, '/', 0);
		title = str_sub(rest, 0, end);
		rest = str_sub(rest, end + 1, rest.n);
		while (n != NULL && (!str_eq(n->name, name) ||
		    !str_eq(n->title, title)))
			n = n->next;
	}
	return n;
}

static void
test_positions(void **state)
{
	static const char text[] =
	    "# a comment, which libconfuse counts twice\n"
	    "store = \"sqlite:/x\" // another\n"
	    "/* two\n"
	    "   lines */ trusted-networks = {\n"
	    "\t\"127.0.0.0/8\", # first\n"
	    "\t'::1/128'\n"
	    "}\n"
	    "domain example.com { sign \"s1\" {\n"
	    "\tkey = /k.pem } }\n"
	    "\n"
	    "domain \"b.example\" {\r\n"
	    "\ttracking-url = https://t.b.example }\r\n";
	static const struct {
		const char *path;
		unsigned line, last_value_line;
	} cases[] = {
		{ "store", 2, 2 },
		{ "trusted-networks", 4, 6 },
		{ "domain/example.com", 8, 0 },
		{ "domain/example.com/sign/s1", 8, 0 },
		{ "domain/example.com/sign/s1/key", 9, 9 },
		{ "domain/b.example", 11, 0 },
		{ "domain/b.example/tracking-url", 12, 12 },
	};
	struct result r;

	scan_text(&r, state, str_from(text));
	expect_str("messages", buf_view(&r.messages), STR(""));
	assert_int_equal(r.rc, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct scan_node *n = node_at(&r.scan, cases[i].path);

		if (n == NULL)
			fail_msg("%s: not found", cases[i].path);
		assert_int_equal(n->pos.line, cases[i].line);
		if (cases[i].last_value_line != 0)
			assert_int_equal(n->values[n->nvalues - 1].pos.line,
			    cases[i].last_value_line);
	}
	result_free(&r);
}

static void
test_values_lose_quotes_and_escapes(void **state)
{
	static const char text[] =
	    "a = \"x \\\"y\\\" \\\\z\"\n"
	    "b = 'it\\'s'\n"
	    "c = { one, \"two, three\", four, }\n"
	    "d = {}\n"
	    "e = \"\"\n"
	    "f = \"# no // comment /* here */\"\n"
	    "g = \"caf\xc3\xa9\"\n";
	static const struct {
		const char *path;
		size_t n;
		const char *last;
	} cases[] = {
		{ "a", 1, "x \"y\" \\z" },
		{ "b", 1, "it's" },
		{ "c", 3, "four" },
		{ "d", 0, "" },
		{ "e", 1, "" },
		{ "f", 1, "# no // comment /* here */" },
		{ "g", 1, "caf\xc3\xa9" },
	};
	struct result r;

	scan_text(&r, state, str_from(text));
	expect_str("messages", buf_view(&r.messages), STR(""));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct scan_node *n = node_at(&r.scan, cases[i].path);

		assert_non_null(n);
		assert_int_equal(n->nvalues, cases[i].n);
		if (n->nvalues != 0)
			expect_str(cases[i].path,
			    n->values[n->nvalues - 1].text,
			    str_from(cases[i].last));
	}
	result_free(&r);
}

static void
test_comments_become_blanks(void **state)
{
	static const struct {
		const char *name, *text, *want;
	} cases[] = {
		{ "hash", "a = 1 # x\nb = 2\n", "a = 1    \nb = 2\n\n" },
		{ "slashes", "a = 1 // x\n", "a = 1     \n\n" },
		{ "block", "a /* \n * */ = 1", "a    \n      = 1\n" },
		{ "in a list", "a = { 1, # x }\n2 }", "a = { 1,      \n2 }\n" },
		{ "carriage return", "a = 1\r\n", "a = 1 \n\n" },
		{ "byte order mark", "\xef\xbb\xbf" "a = 1", "   a = 1\n" },
		{ "url is no comment", "a = http://x", "a = http://x\n" },
		{ "no newline at the end", "a = 1#", "a = 1 \n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct result r;

		scan_text(&r, state, str_from(cases[i].text));
		assert_int_equal(r.rc, 0);
		expect_str(cases[i].name, buf_view(&r.scan.text),
		    str_from(cases[i].want));
		result_free(&r);
	}
}

/* Structure is lost: nothing is known behind the error. */
static void
test_syntax_errors(void **state)
{
	static const struct {
		const char *name, *text;
		unsigned line;
		const char *want;
	} cases[] = {
		{ "final brace missing", "a {\n b = 1\n", 1,
		    "its } is missing" },
		{ "inner brace missing", "s \"1\" {\n m {\n  x = 1\n}\n"
		    "s \"2\" {\n}\n", 1, "missing before line 5" },
		{ "brace too many", "a {\n}\n}\n", 3, "closes nothing" },
		{ "string not closed", "a = 1\nb = \"x\nc = \"y\"\n", 2,
		    "not closed in its line" },
		{ "string at the end", "a = \"x", 1, "not closed in its line" },
		{ "backslash at the end", "a = \"x\\", 1, "not closed" },
		{ "single quote", "a = 'x\n", 1, "write ' behind it" },
		{ "comment not closed", "a = 1\n/* x\n\n", 2, "has no end" },
		{ "comment half closed", "/*/", 1, "has no end" },
		{ "no value", "a =\n", 1, "has no value" },
		{ "value is a brace", "a = }\n", 1, "has no value" },
		{ "equals forgotten", "a \"x\"\nb = 1\n", 1,
		    "has a = before its value" },
		{ "nothing behind the name", "a", 1, "goes on with =" },
		{ "two equals", "a = = 1", 1, "has no value" },
		{ "value forgotten", "a =\nb = 1\n", 2, "name of a setting" },
		{ "list not closed", "a = { 1, 2\nb = 1\n", 2,
		    "is its } missing" },
		{ "list ends the file", "a = { 1,", 1, "is its } missing" },
		{ "list of nothing", "a = { , }", 1, "is its } missing" },
		{ "string for a name", "\"a\" = 1", 1, "name of a setting" },
		{ "title and equals", "a \"x\" = 1", 1, "goes on with {" },
		{ "include without name", "include()", 1,
		    "write include(\"FILE\")" },
		{ "include without brackets", "include \"x\"\n", 1,
		    "goes on with {" },
		{ "include not closed", "include(\"x\"\na = 1", 1,
		    "write include(\"FILE\")" },
		{ "include of nothing there", "\ninclude(\"no.conf\")\n", 2,
		    "cannot read" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct result r;

		scan_text(&r, state, str_from(cases[i].text));
		if (r.rc != -1)
			fail_msg("%s: taken", cases[i].name);
		expect_message(cases[i].name, buf_view(&r.messages), "a.conf",
		    cases[i].line, cases[i].want);
		result_free(&r);
	}
}

/* The rest is still read, but the bad part must not reach libconfuse. */
static void
test_errors_that_leave_the_rest(void **state)
{
	static const struct {
		const char *name, *text;
		unsigned line;
		const char *want;
	} cases[] = {
		{ "star unquoted", "ok = 1\na = *.x\n", 2, "must be quoted" },
		{ "dollar unquoted", "ok = 1\na = $x", 2, "must be quoted" },
		{ "plus", "ok = 1\na = b+c", 2, "quote values that hold" },
		{ "plus equals", "ok = 1\na += { b }", 2, "whole list once" },
		{ "semicolon", "ok = 1;\na = 2", 1, "semicolon" },
		{ "semicolon alone", "ok = \"1\";\n", 1, "semicolon" },
		{ "environment", "ok = 1\na = \"${HOME}/x\"", 2,
		    "do not read the environment" },
		{ "environment, single", "ok = 1\na = '${X}'", 2,
		    "do not read the environment" },
		{ "escape", "ok = 1\na = \"x\\n\"", 2, "backslash" },
		{ "other quote escaped", "ok = 1\na = \"x\\'\"", 2,
		    "backslash" },
		{ "tab in a string", "ok = 1\na = \"x\ty\"", 2, "control" },
		{ "comma forgotten", "ok = 1\na = { 1,\n2\n3 }", 4,
		    "comma is missing before \"3\"" },
		{ "set twice", "ok = 1\na = 1\nb = 2\na = 3", 4,
		    "second time, first at" },
		{ "list set twice", "ok = 1\na = { 1 }\na = { 2 }", 3,
		    "second time" },
		{ "section twice", "ok = 1\na { }\na { }", 3,
		    "a second section a, the first" },
		{ "title twice", "ok = 1\na \"x\" { }\na \"y\" { }\na x { }", 4,
		    "a second section a \"x\"" },
		{ "twice inside", "ok = 1\na {\n b = 1\n b = 1 }", 4,
		    "second time" },
		{ "UTF-8 unquoted", "ok = 1\na = caf\xc3\xa9", 2,
		    "must be quoted" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct result r;

		scan_text(&r, state, str_from(cases[i].text));
		if (r.rc != 0)
			fail_msg("%s: lost", cases[i].name);
		expect_message(cases[i].name, buf_view(&r.messages), "a.conf",
		    cases[i].line, cases[i].want);
		assert_int_equal(conf_errors(buf_view(&r.messages)), 1);
		assert_non_null(node_at(&r.scan, "ok"));
		result_free(&r);
	}
}

static void
test_control_bytes(void **state)
{
	static const struct {
		const char *name;
		struct str text;
	} cases[] = {
		{ "NUL in a word", { "a = x\0y\n", 8 } },
		{ "NUL in a string", { "a = \"x\0y\"\n", 10 } },
		{ "NUL alone", { "\0 = 1", 5 } },
		{ "form feed", { "a\f= 1", 6 } },
		{ "escape in a name", { "a\033b = 1", 7 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct result r;

		scan_text(&r, state, cases[i].text);
		if (r.messages.n == 0)
			fail_msg("%s: taken", cases[i].name);
		for (size_t j = 0; j < r.messages.n; j++)
			assert_true(r.messages.p[j] == '\n' ||
			    (unsigned char)r.messages.p[j] >= ' ');
		settings_scan_blank(&r.scan);
		if (r.rc == 0)
			assert_int_equal(strlen(r.scan.text.p), r.scan.text.n);
		result_free(&r);
	}
}

static void
test_bad_nodes_are_blanked(void **state)
{
	static const char text[] = "a = 1\nb = { *,\n2 }\nc { d = \"${x}\" "
				   "e = 2 }\na = 7\n";
	static const char want[] = "a = 1\n        \n   \nc {            "
				   "e = 2 }\n     \n\n";
	struct result r;

	scan_text(&r, state, str_from(text));
	assert_int_equal(r.rc, 0);
	settings_scan_blank(&r.scan);
	expect_str("blanked", buf_view(&r.scan.text), str_from(want));
	result_free(&r);
}

static void
test_includes(void **state)
{
	struct result r;
	const struct scan_node *n;

	r.arena = arena_new();
	conf_write(r.arena, state, "b.conf",
	    STR("# three lines\nb = 1\ns { x = 1 }"));
	conf_write(r.arena, state, "c.conf", STR("\n\nx = 2\n"));
	scan_path(&r, conf_write(r.arena, state, "a.conf",
	    STR("a = 1\ninclude(\"b.conf\") d = 1\nt {\n"
		"include('c.conf')\ny = 3 }\n")));
	expect_str("messages", buf_view(&r.messages), STR(""));
	n = node_at(&r.scan, "s/x");
	assert_non_null(n);
	assert_true(str_iends(n->pos.file, STR("/b.conf")));
	assert_int_equal(n->pos.line, 3);
	n = node_at(&r.scan, "d");
	assert_non_null(n);
	assert_true(str_iends(n->pos.file, STR("/a.conf")));
	assert_int_equal(n->pos.line, 2);
	n = node_at(&r.scan, "t/x");
	assert_non_null(n);
	assert_int_equal(n->pos.line, 3);
	n = node_at(&r.scan, "t/y");
	assert_non_null(n);
	assert_int_equal(n->pos.line, 5);
	result_free(&r);
}

static void
test_include_errors(void **state)
{
	static const struct {
		const char *name, *main, *other;
		const char *file;
		unsigned line;
		const char *want;
	} cases[] = {
		{ "itself", "include(\"a.conf\")", "", "a.conf", 1,
		    "include itself" },
		{ "brace not closed there", "include(\"b.conf\")\n}",
		    "\ns {\n", "b.conf", 2, "its } is missing" },
		{ "brace too many there", "s {\ninclude(\"b.conf\")", "}",
		    "b.conf", 1, "closes nothing" },
		{ "twice over two files", "a = 1\ninclude(\"b.conf\")",
		    "\n\na = 2", "b.conf", 3, "a.conf:1: keep one" },
		{ "twice in a section", "s { a = 1\ninclude(b.conf) }",
		    "a = 2", "b.conf", 1, "a.conf:1: keep one" },
		{ "a directory", "include(\"/tmp\")", "", "a.conf", 1,
		    "directory" },
		{ "a bad name", "include(\"${x}\")", "", "a.conf", 1,
		    "environment" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct result r;

		r.arena = arena_new();
		conf_write(r.arena, state, "b.conf", str_from(cases[i].other));
		scan_path(&r, conf_write(r.arena, state, "a.conf",
		    str_from(cases[i].main)));
		expect_message(cases[i].name, buf_view(&r.messages),
		    cases[i].file, cases[i].line, cases[i].want);
		result_free(&r);
	}
}

static void
test_bounds(void **state)
{
	struct arena *a = arena_new();
	struct buf text;
	struct result r;

	buf_init(&text, 1000000);
	for (int i = 0; i < 40; i++)
		buf_puts(&text, "a {\n");
	scan_text(&r, state, buf_view(&text));
	assert_int_equal(r.rc, -1);
	expect_message("depth", buf_view(&r.messages), "a.conf", 17,
	    "nest more than 16 deep");
	result_free(&r);
	buf_clear(&text);
	buf_puts(&text, "a = \"");
	for (int i = 0; i < 5000; i++)
		buf_char(&text, 'x');
	buf_puts(&text, "\"\nb = 1\n");
	scan_text(&r, state, buf_view(&text));
	assert_int_equal(r.rc, 0);
	expect_message("string", buf_view(&r.messages), "a.conf", 1,
	    "a string of 5000 octets");
	result_free(&r);
	buf_free(&text);
	arena_free(&a);
}

/* Each includes the next one four times: 4^9 files, if nobody counted. */
static void
test_include_bomb(void **state)
{
	struct result r;

	r.arena = arena_new();
	for (int i = 0; i < 9; i++) {
		char name[16], text[128];

		snprintf(name, sizeof(name), "%d.conf", i);
		snprintf(text, sizeof(text), "include(%d.conf)\ninclude(%d.conf"
		    ")\ninclude(%d.conf)\ninclude(%d.conf)\n", i + 1, i + 1,
		    i + 1, i + 1);
		conf_write(r.arena, state, name, str_from(text));
	}
	conf_write(r.arena, state, "9.conf", STR("\n"));
	scan_path(&r, arena_cstr(r.arena, arena_printf(r.arena, "%s/0.conf",
	    (const char *)*state)));
	assert_int_equal(r.rc, -1);
	expect_message("bomb", buf_view(&r.messages), "", 0, "are the most");
	result_free(&r);
}

static void
test_too_long(void **state)
{
	struct result r;
	char *p = malloc(SCAN_TEXT_MAX + 1);

	assert_non_null(p);
	memset(p, ' ', SCAN_TEXT_MAX + 1);
	r.arena = arena_new();
	conf_write(r.arena, state, "b.conf", str_make(p, SCAN_TEXT_MAX - 10));
	scan_path(&r, conf_write(r.arena, state, "a.conf",
	    STR("include(b.conf)\na = 1\n")));
	assert_int_equal(r.rc, -1);
	expect_message("sum", buf_view(&r.messages), "a.conf", 0, "16 MiB");
	result_free(&r);
	scan_text(&r, state, str_make(p, SCAN_TEXT_MAX + 1));
	assert_int_equal(r.rc, -1);
	expect_message("one", buf_view(&r.messages), "a.conf", 0,
	    "cannot read");
	result_free(&r);
	free(p);
}

static void
test_line_to_node(void **state)
{
	struct result r;

	scan_text(&r, state,
	    STR("a = 1\n\ns {\n  b = {\n 1,\n 2 }\n}\nc = 3\n"));
	expect_str("1", settings_scan_at(&r.scan, 1)->name, STR("a"));
	assert_ptr_equal(settings_scan_at(&r.scan, 2), &r.scan.root);
	expect_str("3", settings_scan_at(&r.scan, 3)->name, STR("s"));
	expect_str("5", settings_scan_at(&r.scan, 5)->name, STR("b"));
	expect_str("7", settings_scan_at(&r.scan, 7)->name, STR("s"));
	expect_str("8", settings_scan_at(&r.scan, 8)->name, STR("c"));
	assert_ptr_equal(settings_scan_at(&r.scan, 99), &r.scan.root);
	result_free(&r);
}

static void
test_report_order_and_limit(void **state)
{
	struct arena *a = arena_new();
	struct settings_report r = { .arena = a };
	struct buf out;
	struct settings_pos main1 = { STR("m"), 1 }, main9 = { STR("m"), 9 };
	struct settings_pos other = { STR("a"), 1 };

	(void)state;
	buf_init(&out, 100000);
	settings_error(&r, other, "four");
	settings_error(&r, main9, "two");
	settings_warn(&r, main9, "three %d", 3);
	settings_error(&r, main1, "one\n\x7f");
	settings_report_write(&r, STR("m"), &out);
	expect_str("order", buf_view(&out), STR("m:1: one??\nm:9: two\n"
	    "m:9: warning: three 3\na:1: four\n"));
	assert_int_equal(r.errors, 3);
	for (int i = 0; i < 1000; i++)
		settings_error(&r, main1, "again");
	buf_clear(&out);
	settings_report_write(&r, STR("m"), &out);
	assert_int_equal(conf_count(buf_view(&out), "\n"), 201);
	expect_message("sum", buf_view(&out), "m", 0, "1003 errors in all");
	buf_free(&out);
	arena_free(&a);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, conf_setup, conf_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(test_positions),
		CASE(test_values_lose_quotes_and_escapes),
		CASE(test_comments_become_blanks),
		CASE(test_syntax_errors),
		CASE(test_errors_that_leave_the_rest),
		CASE(test_control_bytes),
		CASE(test_bad_nodes_are_blanked),
		CASE(test_includes),
		CASE(test_include_errors),
		CASE(test_bounds),
		CASE(test_include_bomb),
		CASE(test_too_long),
		CASE(test_line_to_node),
		CASE(test_report_order_and_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
