/*
 * test_placeholder.c - where an unsubscribe URL is wanted, and at what price.
 */
#include "unit.h"

#include "base/buf.h"
#include "engine/placeholder.h"

static void
test_what_is_found(void **state)
{
	static const struct {
		const char *text, *want; /* what is found, joined by '|' */
	} cases[] = {
		{ "", "" },
		{ "{ % * {{ %% <%", "" },
		{ "a {{bulkhead-unsubscribe-url}} b",
		    "{{bulkhead-unsubscribe-url}}" },
		{ "{{{bulkhead-unsubscribe-url}}}",
		    "{{bulkhead-unsubscribe-url}}" },
		{ "{{BULKHEAD-unsubscribe-url}}",
		    "{{BULKHEAD-unsubscribe-url}}" },
		{ "http://%7B%7Bbulkhead-unsubscribe-url%7D%7D",
		    "http://%7B%7Bbulkhead-unsubscribe-url%7D%7D" },
		{ "HTTPS://*|UNSUB|**|UNSUB|*",
		    "HTTPS://*|UNSUB|*|*|UNSUB|*" },
		{ "<%asm_group_unsubscribe_raw_url%>",
		    "<%asm_group_unsubscribe_raw_url%>" },
		{ "%unsubscribe_url%%tag_unsubscribe_url%",
		    "%unsubscribe_url%|%tag_unsubscribe_url%" },
		{ "{{{ pm:unsubscribe }}}{{{pm:unsubscribe_url}}}",
		    "{{{ pm:unsubscribe }}}|{{{pm:unsubscribe_url}}}" },
		{ "{{amazonSESUnsubscribeUrl", "" },
		{ "%unsubscribe_url", "" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str text = exact(a, str_from(cases[i].text));
		struct placeholder_search s;
		size_t at, len;
		struct buf found;

		buf_init(&found, 1000);
		placeholder_search_init(&s, text);
		while (placeholder_next(&s, &at, &len)) {
			if (found.n > 0)
				buf_char(&found, '|');
			buf_str(&found, str_sub(text, at, at + len));
		}
		expect_str(cases[i].text, buf_view(&found),
		    str_from(cases[i].want));
		assert_int_equal(placeholder_is_in(text), found.n > 0);
		buf_free(&found);
	}
	arena_free(&a);
}

/* Quadratic, this took minutes; linear, nobody sees it. */
static void
test_many(void **state)
{
	struct placeholder_search s;
	size_t at, len, n = 0;
	struct buf text;

	(void)state;
	buf_init(&text, 64 << 20);
	for (int i = 0; i < 300000; i++)
		buf_puts(&text, "{{bulkhead-unsubscribe-url}} { {{ {{b ");
	placeholder_search_init(&s, buf_view(&text));
	while (placeholder_next(&s, &at, &len))
		n++;
	assert_int_equal(n, 300000);
	buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_found),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
