/*
 * test_trackd_form.c - what bodies of POST ask for: those of mail providers
 * and of our own page act, nothing else does.
 */
#include "unit.h"

#include "base/buf.h"
#include "trackd/form.h"

#define URLENCODED "application/x-www-form-urlencoded"
#define MULTIPART  "multipart/form-data"

struct form_case {
	const char *name, *type, *body;
	enum form_what what;
	bool is_domain;
	const char *stamp;
};

static const struct form_case cases[] = {
	/* one-click, as providers and libraries send it */
	{ "RFC 8058, 8.1", URLENCODED, "List-Unsubscribe=One-Click",
	    FORM_ONE_CLICK, false, NULL },
	{ "RFC 8058, 8.2", MULTIPART "; boundary=---FormBoundaryjWmhtjORrn",
	    "-----FormBoundaryjWmhtjORrn\r\n"
	    "Content-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\n"
	    "One-Click\r\n-----FormBoundaryjWmhtjORrn--\r\n",
	    FORM_ONE_CLICK, false, NULL },
	{ "charset behind the type", URLENCODED ";charset=UTF-8",
	    "List-Unsubscribe=One-Click", FORM_ONE_CLICK, false, NULL },
	{ "type in capitals", "Application/X-WWW-Form-URLEncoded",
	    "List-Unsubscribe=One-Click", FORM_ONE_CLICK, false, NULL },
	{ "quoted boundary", MULTIPART "; boundary=\"a b;c\"",
	    "--a b;c\r\nContent-Disposition: form-data; "
	    "name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--a b;c--",
	    FORM_ONE_CLICK, false, NULL },
	{ "bare line ends, name without quotes", MULTIPART ";boundary=x",
	    "--x\ncontent-disposition:form-data;name=list-unsubscribe\n\n"
	    "one-click\n--x--\n", FORM_ONE_CLICK, false, NULL },
	{ "part with a type of its own", MULTIPART "; boundary=x",
	    "--x\r\nContent-Type: text/plain; charset=utf-8\r\n"
	    "Content-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\n"
	    "One-Click\r\n--x--\r\n", FORM_ONE_CLICK, false, NULL },
	{ "preamble and a second field", MULTIPART "; boundary=x",
	    "see --x below\r\n--x\r\n"
	    "Content-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\n"
	    "Content-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\n"
	    "One-Click\r\n--x--\r\n", FORM_ONE_CLICK, false, NULL },
	{ "not closed", MULTIPART "; boundary=x", "--x\r\n"
	    "Content-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\n"
	    "One-Click", FORM_ONE_CLICK, false, NULL },
	{ "boundary only in the body", MULTIPART, "--q\r\n"
	    "Content-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\n"
	    "One-Click\r\n--q--\r\n", FORM_ONE_CLICK, false, NULL },
	{ "no type", "", "List-Unsubscribe=One-Click", FORM_ONE_CLICK, false,
	    NULL },
	{ "no type, escapes", "", "a=b&List%2DUnsubscribe=One%2DClick",
	    FORM_ONE_CLICK, false, NULL },
	{ "text, line end behind", "text/plain",
	    "List-Unsubscribe=One-Click\r\n", FORM_ONE_CLICK, false, NULL },
	{ "the text under a multipart type", MULTIPART "; boundary=x",
	    "List-Unsubscribe=One-Click", FORM_ONE_CLICK, false, NULL },
	{ "any case", URLENCODED, "list-unsubscribe=one-click",
	    FORM_ONE_CLICK, false, NULL },
	{ "twice", URLENCODED, "List-Unsubscribe=One-Click&"
	    "List-Unsubscribe=no", FORM_ONE_CLICK, false, NULL },
	/* our own page */
	{ "page", URLENCODED, "List-Unsubscribe=page&scope=list", FORM_PAGE,
	    false, NULL },
	{ "page, no scope", URLENCODED, "List-Unsubscribe=page", FORM_PAGE,
	    false, NULL },
	{ "page, domain", URLENCODED, "scope=domain&List-Unsubscribe=page",
	    FORM_PAGE, true, NULL },
	{ "page, other scope", URLENCODED, "List-Unsubscribe=page&scope=all",
	    FORM_OTHER, false, NULL },
	{ "undo", URLENCODED, "undo=AbC-_9", FORM_UNDO, false, "AbC-_9" },
	{ "undo before one-click", URLENCODED,
	    "undo=x&List-Unsubscribe=One-Click", FORM_UNDO, false, "x" },
	/* what does nothing */
	{ "no body", URLENCODED, "", FORM_EMPTY, false, NULL },
	{ "blanks", "", " \r\n", FORM_EMPTY, false, NULL },
	{ "another form", URLENCODED, "user=admin&pass=x", FORM_OTHER, false,
	    NULL },
	{ "another value", URLENCODED, "List-Unsubscribe=Two-Click",
	    FORM_OTHER, false, NULL },
	{ "no value", URLENCODED, "List-Unsubscribe=", FORM_OTHER, false,
	    NULL },
	{ "no equals sign", URLENCODED, "List-Unsubscribe", FORM_OTHER, false,
	    NULL },
	{ "in another field", URLENCODED, "x=List-Unsubscribe=One-Click",
	    FORM_OTHER, false, NULL },
	{ "undo, empty", URLENCODED, "undo=", FORM_OTHER, false, "" },
	{ "scope alone", URLENCODED, "scope=domain", FORM_OTHER, true, NULL },
	{ "JSON", "application/json",
	    "{\"List-Unsubscribe\": \"One-Click\"}", FORM_UNREADABLE, false,
	    NULL },
	{ "text with more", "text/plain", "List-Unsubscribe=One-Click&a=b",
	    FORM_UNREADABLE, false, NULL },
	{ "multipart, another boundary", MULTIPART "; boundary=y",
	    "--x\r\nContent-Disposition: form-data; "
	    "name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n",
	    FORM_UNREADABLE, false, NULL },
	{ "multipart, nothing in it", MULTIPART "; boundary=x", "--x--\r\n",
	    FORM_UNREADABLE, false, NULL },
	{ "multipart, no name", MULTIPART "; boundary=x",
	    "--x\r\n\r\nOne-Click\r\n--x--\r\n", FORM_OTHER, false, NULL },
	{ "multipart, name in a value", MULTIPART "; boundary=x",
	    "--x\r\nContent-Disposition: form-data; "
	    "filename=\"; name=List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--",
	    FORM_OTHER, false, NULL },
};

static void
forms_ask(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct form_case *c = &cases[i];
		struct form f;

		form_read(a, exact(a, str_from(c->type)),
		    exact(a, str_from(c->body)), &f);
		if (f.what != c->what)
			fail_msg("%s: %d, want %d", c->name, (int)f.what,
			    (int)c->what);
		if (f.is_domain != c->is_domain)
			fail_msg("%s: scope", c->name);
		expect_str(c->name, f.stamp, str_from(c->stamp));
		arena_reset(a);
	}
	arena_free(&a);
}

/* A form of 17 KB with the field behind more than are looked at. */
static void
many_fields(void **state)
{
	struct arena *a = arena_new();
	struct buf body;
	struct form f;

	(void)state;
	buf_init(&body, 65536);
	for (int i = 0; i < FORM_FIELDS_MAX; i++)
		buf_printf(&body, "field%d=%d&", i, i);
	buf_puts(&body, "List-Unsubscribe=One-Click");
	form_read(a, STR(URLENCODED), exact(a, buf_view(&body)), &f);
	assert_int_equal(f.what, FORM_OTHER);
	buf_free(&body);
	arena_free(&a);
}

/* Every beginning of a body, in a block of that size. */
static void
cut_anywhere(void **state)
{
	static const char body[] = "--x\r\nContent-Disposition: form-data; "
	    "name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
	static const char type[] = MULTIPART "; boundary=\"\\x\"; a=\"";
	struct arena *a = arena_new();

	(void)state;
	for (size_t n = 0; n <= sizeof(body) - 1; n++) {
		struct form f;

		form_read(a, STR(MULTIPART "; boundary=x"),
		    exact(a, str_make(body, n)), &f);
		if (n < (size_t)(strstr(body, "One-Click") + 9 - body))
			assert_int_not_equal(f.what, FORM_ONE_CLICK);
		if (n == sizeof(body) - 1)
			assert_int_equal(f.what, FORM_ONE_CLICK);
		arena_reset(a);
	}
	for (size_t n = 0; n <= sizeof(type) - 1; n++) {
		struct form f;

		form_read(a, exact(a, str_make(type, n)), STR("x"), &f);
		assert_int_not_equal(f.what, FORM_ONE_CLICK);
		arena_reset(a);
	}
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_ask),
		cmocka_unit_test(many_fields),
		cmocka_unit_test(cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
