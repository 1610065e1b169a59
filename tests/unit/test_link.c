/*
 * test_link.c - URLs of links as a browser would use them: the short way that
 * most take gives what the long way gives, and templates are left alone.
 */
#include "unit.h"

#include "engine/link.h"
#include "engine/message.h"
#include "mail/charset.h"

static unsigned
next_random(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16 & 0x7fff;
}

/* Every step, whether or not there is anything to do. */
static struct str
plain_url(struct arena *a, struct str value)
{
	struct buf text, decoded;
	size_t n = 0, from = 0, to;
	char *out;

	buf_init(&text, 1 << 16);
	buf_init(&decoded, 1 << 16);
	assert_int_equal(charset_url_utf8(STR("utf-8"), value, &text), 0);
	assert_int_equal(html_decode_attr(buf_view(&text), &decoded), 0);
	out = arena_bytes(a, decoded.n);
	to = decoded.n;
	while (from < to && (unsigned char)decoded.p[from] <= ' ')
		from++;
	while (to > from && (unsigned char)decoded.p[to - 1] <= ' ')
		to--;
	for (; from < to; from++)
		if (strchr("\t\r\n", decoded.p[from]) == NULL)
			out[n++] = decoded.p[from];
	buf_free(&text);
	buf_free(&decoded);
	return str_make(out, n);
}

static struct str
make_value(struct arena *a, unsigned *seed)
{
	static const char *const units[] = { "&amp;", "&amp;", "a", "b=c",
		"&", "&am", "&amp", "&AMP;", "amp;", "&#38;", "&lt;", ";", "~",
		" ", "\t", "\n", "\x7f", "\xc3\xbc", "\xfc", "%20", "!" };
	unsigned n = next_random(seed) % 12, kinds;
	char value[100];
	size_t at = 0;

	/* half of them of the first four only */
	kinds = next_random(seed) % 2 == 0 ? 4 :
	    sizeof(units) / sizeof(units[0]);
	while (n-- > 0) {
		const char *unit = units[next_random(seed) % kinds];

		memcpy(value + at, unit, strlen(unit));
		at += strlen(unit);
	}
	return exact(a, str_make(value, at));
}

static void
test_short_way(void **state)
{
	struct arena *a = arena_new();
	struct message m = { .arena = a };
	unsigned seed = 7;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct str value = make_value(a, &seed), url;

		assert_int_equal(link_url(&m, STR("utf-8"), value, &url), 0);
		expect_str("url", url, plain_url(a, value));
	}
	arena_free(&a);
}

/* The long way goes on where the short one does not. */
static void
test_long_values(void **state)
{
	struct arena *a = arena_new();
	struct message m = { .arena = a };
	struct str url;

	(void)state;
	for (size_t n = 8190; n <= 8194; n++) {
		char *p = arena_bytes(a, n);

		memset(p, 'x', n);
		memcpy(p + n - 6, "&amp;y", 6);
		assert_int_equal(link_url(&m, STR("utf-8"),
		    exact(a, str_make(p, n)), &url), 0);
		assert_int_equal(url.n, n - 4);
		expect_str("end", str_sub(url, n - 7, n), STR("x&y"));
	}
	arena_free(&a);
}

static void
test_reasons(void **state)
{
	static const struct {
		const char *url, *why;
	} cases[] = {
		{ "http://x.example/", NULL },
		{ "http://x.example/a*b$c%20[d]<e>{f}", NULL },
		{ "http://x.example/*|TAG|*", "a merge tag" },
		{ "http://x.example/%%tag%%", "a merge tag" },
		{ "http://x.example/[[t]]", "a merge tag" },
		{ "http://x.example/<%= t %>", "a merge tag" },
		{ "http://x.example/${t}", "a merge tag" },
		{ "http://x.example/%7b%7bt", "a merge tag" },
		{ "http://x.example/{%", "a merge tag" },
		{ "http://{{bulkhead-unsubscribe-url}}",
		    "an unsubscribe placeholder" },
		{ "{{amazonSESUnsubscribeUrl}}", "an unsubscribe placeholder" },
		{ "<%asm_group_unsubscribe_url%>",
		    "an unsubscribe placeholder" },
		{ "*|UNSUB|*", "an unsubscribe placeholder" },
		{ "{{t}}", "a merge tag" },
		{ "mailto:a@b.example", "not http or https" },
		{ "#top", "a fragment" },
		{ "", "empty" },
		{ "http:\\\\u:p@T.example:8\\x",
		    "already leads to the tracking host" },
		{ "https:t.example#x", "already leads to the tracking host" },
		{ "https:///t.example?x", "already leads to the tracking host" },
		{ "https://x.example/t.example", NULL },
	};
	struct arena *a = arena_new();
	struct domain_settings domain = { .tracking_host = STR("t.example") };
	struct stream_settings stream = { 0 };
	struct message m = { .arena = a, .domain = &domain,
		.stream = &stream };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why = link_why_not(&m,
		    exact(a, str_from(cases[i].url)));

		if (why == NULL || cases[i].why == NULL)
			assert_true(why == cases[i].why);
		else
			assert_string_equal(why, cases[i].why);
	}
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_way),
		cmocka_unit_test(test_long_values),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
