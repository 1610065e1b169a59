/*
 * test_trackd_request.c - trackd/request.c and forwarded.c: tokens as mail
 * programs leave them, forged ones, and what proxies say.
 */
#include "trackd_fixture.h"

#include "trackd/forwarded.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))
#define URL	 STR("https://www.example.com/offer?id=1")

static bool
opens(struct desk *d, enum token_kind kind, struct str text)
{
	struct request r = desk_request(d, "GET", STR(""));
	struct token t;

	if (request_token(&r, kind, exact(d->arena, text), &t) != 0)
		return false;
	assert_int_equal(t.kind, kind);
	expect_str("recipient", t.recipient, STR("jane@example.net"));
	if (kind == TOKEN_CLICK)
		expect_str("url", t.url, URL);
	return true;
}

/* T: the token; { and }: its halves. */
static struct str
mangle(struct arena *a, const char *form, struct str token)
{
	struct str parts[8];
	size_t n = 0;

	for (const char *p = form; *p != '\0'; p++) {
		size_t half = token.n / 2;

		assert_true(n < COUNT(parts));
		if (*p == 'T')
			parts[n++] = token;
		else if (*p == '{')
			parts[n++] = str_sub(token, 0, half);
		else if (*p == '}')
			parts[n++] = str_sub(token, half, token.n);
		else if (n > 0 && parts[n - 1].p + parts[n - 1].n == p)
			parts[n - 1].n++;
		else
			parts[n++] = str_make(p, 1);
	}
	return arena_join(a, parts, n);
}

struct form {
	const char *form;
	bool opens;
};

static const struct form forms[] = {
	{ "T", true },
	/* punctuation of the text around it */
	{ "T.", true }, { "T,", true }, { "T)", true }, { "T).", true },
	{ "T;", true }, { "T:", true }, { "T!", true }, { "T?", true },
	{ "T>", true }, { "T\"", true }, { "T'", true }, { "T=", true },
	{ "T*", true }, { "T_", true }, { "T__", true }, { "T-", true },
	{ "T]", true }, { "T/", true }, { "T...", true }, { "T\">", true },
	{ "T%22", true }, { "T%29.", true }, { "T%3E", true },
	{ "T%E2%80%9D", true }, { "T\xe2\x80\xa6", true },
	/* markup that followed */
	{ "T&quot;", true }, { "T&gt;", true }, { "T&amp;x-a", true },
	{ "T\">Click-here</a>", true }, { "T<br", true },
	/* quoted-printable that nobody undid */
	{ "=3DT", true }, { "3DT", true }, { "=3dT", true }, { "=T", true },
	{ "{=\r\n}", true }, { "{=\n}", true }, { "{=%0D%0A}", true },
	{ "{=%0A}", true }, { "{=}", true }, { "{=3D}", true },
	{ "%3DT", true }, { "%3D3DT", true }, { "{%3D%0D%0A}", true },
	/* wrapped lines */
	{ "{\r\n}", true }, { "{ }", true }, { "{%20}", true },
	{ "{%0D%0A%20}", true }, { "{%0D%0A%20%20%09%20}.", true },
	{ "{%E2%80%8B}", true }, { "{%C2%AD}", true }, { "{%C2%A0}", true },
	{ "T%20and-more", true }, { "T%0D%0AMore-text", true },
	/* encoded once more */
	{ "T%2522", true }, { "{%250D%250A}", true }, { "%253DT", true },
	/* openings */
	{ "<T>", true }, { "\"T\"", true }, { "(T)", true }, { "%3CT%3E", true },
	/* what is no mangling */
	{ "Tx", false }, { "xT", false }, { "TT", false }, { "T/x", false },
	{ "T.x", false }, { "x/T", false }, { "{x}", false }, { "{.}", false },
	{ "{", false }, { "}", false }, { "}{", false }, { "{/}", false },
	{ "", false }, { "=", false }, { "%", false }, { "%2", false },
	{ "=3D", false }, { "...", false }, { "T%00x", true },
	{ "..%2FT", false }, { "{%2F}", false }, { "T%", false },
};

static void
test_mangled_tokens(void **state)
{
	struct desk *d = *state;
	struct str token = desk_token(d, TOKEN_CLICK, TRACKD_HOST, URL);

	for (size_t i = 0; i < COUNT(forms); i++)
		if (opens(d, TOKEN_CLICK, mangle(d->arena, forms[i].form,
		    token)) != forms[i].opens)
			fail_msg("\"%s\" %s", forms[i].form, forms[i].opens ?
			    "was refused" : "was taken");
}

static void
test_pixels(void **state)
{
	static const struct form pixels[] = {
		{ "T.gif", true }, { "T", true }, { "T.GIF", true },
		{ "T.gif\"", true }, { "T.gif%22", true }, { "T%2Egif", true },
		{ "{=%0D%0A}.gif", true }, { "{ }.gif", true },
		{ "=3DT.gif", true }, { "T.gif&quot;", true },
		{ "T.gi", false }, { "T.gifx", false }, { "T.gif/x", false },
		{ "T.png", false }, { ".gif", false }, { "x.gif", false },
	};
	struct desk *d = *state;
	struct str token = desk_token(d, TOKEN_OPEN, TRACKD_HOST, STR(""));

	for (size_t i = 0; i < COUNT(pixels); i++)
		if (opens(d, TOKEN_OPEN, mangle(d->arena, pixels[i].form,
		    token)) != pixels[i].opens)
			fail_msg("\"%s\"", pixels[i].form);
}

static void
test_other_kinds(void **state)
{
	static const enum token_kind kinds[] = { TOKEN_CLICK, TOKEN_OPEN,
		TOKEN_UNSUBSCRIBE };
	struct desk *d = *state;

	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct str token = desk_token(d, kinds[i], TRACKD_HOST, URL);

		for (size_t k = 0; k < COUNT(kinds); k++)
			assert_int_equal(opens(d, kinds[k], token), i == k);
	}
}

/* No other token is a mangled form of one: each bit, each length. */
static void
test_changed_tokens(void **state)
{
	struct desk *d = *state;
	struct str token = desk_token(d, TOKEN_CLICK, TRACKD_HOST, URL);

	for (size_t i = 0; i < token.n; i++)
		for (int bit = 0; bit < 8; bit++) {
			struct str bad = exact(d->arena, token);
			char *p = (char *)(uintptr_t)bad.p + i;

			*p = (char)(*p ^ 1 << bit);
			/* what opens is what it was without the last octet */
			if (opens(d, TOKEN_CLICK, bad))
				fail_msg("octet %zu, bit %d", i, bit);
		}
	for (size_t n = 0; n < token.n; n++)
		assert_false(opens(d, TOKEN_CLICK, str_sub(token, 0, n)));
	for (size_t n = 1; n < token.n; n++)
		assert_false(opens(d, TOKEN_CLICK, str_sub(token, n, token.n)));
}

struct host_case {
	const char *asked, *sealed;
	bool opens;
};

static void
test_hosts(void **state)
{
	static const struct host_case cases[] = {
		{ "t.example.com", "t.example.com", true },
		{ "t.mailer.example", "t.mailer.example", true },
		{ "t.mailer.example", "t.example.com", false },
		{ "t.example.com", "t.mailer.example", false },
		/* behind a proxy that does not pass it on */
		{ "", "t.example.com", true },
		{ "", "t.third.example:8443", true },
		{ "127.0.0.1:8025", "t.mailer.example", true },
		{ "evil.example", "t.mailer.example", true },
		/* of a section that is gone */
		{ "t.gone.example", "t.gone.example", true },
		{ "t.example.com", "t.gone.example", false },
		{ "", "t.gone.example", false },
	};
	struct desk *d = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct request r = desk_request(d, "GET", STR(""));
		struct token t;

		r.host = str_from(cases[i].asked);
		if ((request_token(&r, TOKEN_CLICK, desk_token(d, TOKEN_CLICK,
		    str_from(cases[i].sealed), URL), &t) == 0) !=
		    cases[i].opens)
			fail_msg("asked \"%s\", sealed \"%s\"",
			    cases[i].asked, cases[i].sealed);
	}
}

/* That many domains share a host takes no other one's turn. */
static void
test_shared_hosts(void **state)
{
	struct domain_settings domains[40] = { { .nsign = 0 } };
	struct desk *d = *state;
	struct request r = desk_request(d, "GET", STR(""));
	struct token t;

	for (size_t i = 0; i < COUNT(domains); i++)
		domains[i].tracking_host = TRACKD_HOST;
	domains[39].tracking_host = TRACKD_OTHER;
	d->settings.domains = domains;
	d->settings.ndomains = COUNT(domains);
	r.host = STR("");
	assert_int_equal(request_token(&r, TOKEN_CLICK, desk_token(d,
	    TOKEN_CLICK, TRACKD_OTHER, URL), &t), 0);
	d->settings.domains = d->domains;
	d->settings.ndomains = 3;
}

static void
test_without_keys(void **state)
{
	struct desk *d = *state;
	struct token_keys *keys = d->keyring.tokens;
	struct str token = desk_token(d, TOKEN_CLICK, TRACKD_HOST, URL);

	d->keyring.tokens = NULL;
	assert_false(opens(d, TOKEN_CLICK, token));
	d->keyring.tokens = keys;
	assert_true(opens(d, TOKEN_CLICK, token));
}

/* Long ones of all sorts are refused without harm. */
static void
test_long_texts(void **state)
{
	static const char *const units[] = { "a", "=", "%", "%3D", " ", "\xe2",
		"=\r\n", "_", "." };
	struct desk *d = *state;

	for (size_t i = 0; i < COUNT(units); i++) {
		struct buf b;

		buf_init(&b, REQUEST_PATH_MAX);
		while (b.n + strlen(units[i]) <= REQUEST_PATH_MAX)
			buf_puts(&b, units[i]);
		assert_false(opens(d, TOKEN_CLICK, buf_view(&b)));
		assert_false(opens(d, TOKEN_OPEN, buf_view(&b)));
		buf_free(&b);
	}
}

static void
test_fields(void **state)
{
	static const struct request_field fields[] = {
		{ { "X-A", 3 }, { " 1\t", 3 } },
		{ { "x-b", 3 }, { "2", 1 } },
		{ { "X-B", 3 }, { "3", 1 } },
		{ { "X-None", 6 }, { NULL, 0 } },
	};
	struct desk *d = *state;
	struct request r = desk_request(d, "GET", STR("/"));

	r.fields = fields;
	r.nfields = COUNT(fields);
	expect_str("trimmed", request_field(&r, "x-a"), STR("1"));
	expect_str("first", request_field(&r, "X-B"), STR("2"));
	expect_str("empty", request_field(&r, "X-None"), STR(""));
	expect_str("none", request_field(&r, "X"), STR(""));
}

struct proxy_case {
	const char *peer; /* NULL: a unix socket */
	const char *host, *authority, *forwarded_host, *forwarded_for;
	const char *want_host, *want_visitor; /* NULL: none */
};

static const struct proxy_case proxy_cases[] = {
	{ "192.0.2.1", "T.Example.COM", "", NULL, NULL, "t.example.com",
	    "192.0.2.1" },
	{ "192.0.2.1", "t.example.com:443", "", NULL, NULL, "t.example.com",
	    "192.0.2.1" },
	{ "192.0.2.1", "t.example.com:80", "", NULL, NULL, "t.example.com",
	    "192.0.2.1" },
	{ "192.0.2.1", "t.example.com.", "", NULL, NULL, "t.example.com",
	    "192.0.2.1" },
	{ "192.0.2.1", "t.example.com.:443", "", NULL, NULL, "t.example.com",
	    "192.0.2.1" },
	{ "192.0.2.1", "t.example.com:8443", "", NULL, NULL,
	    "t.example.com:8443", "192.0.2.1" },
	{ "192.0.2.1", "", "", NULL, NULL, "", "192.0.2.1" },
	{ "192.0.2.1", "a b", "", NULL, NULL, "", "192.0.2.1" },
	{ "192.0.2.1", "a/b", "", NULL, NULL, "", "192.0.2.1" },
	{ "192.0.2.1", "a@b", "", NULL, NULL, "", "192.0.2.1" },
	{ "192.0.2.1", "a", "b.example", NULL, NULL, "b.example",
	    "192.0.2.1" },
	/* who is no proxy is not believed */
	{ "192.0.2.1", "a", "", "b", "198.51.100.1", "a", "192.0.2.1" },
	{ "10.0.0.1", "a", "", "b", "198.51.100.1", "b", "198.51.100.1" },
	{ NULL, "a", "", "b", "198.51.100.1", "b", "198.51.100.1" },
	{ NULL, "a", "", NULL, NULL, "a", NULL },
	{ "10.0.0.1", "a", "", "x, b", "1.2.3.4, 198.51.100.1", "b",
	    "198.51.100.1" },
	{ "10.0.0.1", "a", "", "", "198.51.100.1, 10.1.1.1, 10.2.2.2", "a",
	    "198.51.100.1" },
	{ "10.0.0.1", "a", "", NULL, "1.2.3.4,, 198.51.100.1 ,", "a",
	    "198.51.100.1" },
	{ "10.0.0.1", "a", "", NULL, "10.3.3.3, 10.1.1.1", "a", "10.3.3.3" },
	{ "10.0.0.1", "a", "", NULL, "198.51.100.1:4711", "a",
	    "198.51.100.1" },
	{ "10.0.0.1", "a", "", NULL, "[2001:db8::1]:4711", "a",
	    "2001:db8::1" },
	{ "10.0.0.1", "a", "", NULL, "2001:db8::1", "a", "2001:db8::1" },
	{ "10.0.0.1", "a", "", NULL, "1.2.3.4, unknown", "a", NULL },
	{ "10.0.0.1", "a", "", NULL, "", "a", "10.0.0.1" },
};

static void
check_proxy(struct desk *d, const struct proxy_case *c)
{
	struct request_field fields[3] = {
		{ STR("Host"), exact(d->arena, str_from(c->host)) },
	};
	struct request r = desk_request(d, "GET", STR("/"));
	struct net_addr peer;
	char text[NET_ADDR_TEXT];

	r.fields = fields;
	r.nfields = 1;
	if (c->forwarded_host != NULL)
		fields[r.nfields++] = (struct request_field){
			STR("x-forwarded-host"),
			exact(d->arena, str_from(c->forwarded_host)) };
	if (c->forwarded_for != NULL)
		fields[r.nfields++] = (struct request_field){
			STR("X-FORWARDED-FOR"),
			exact(d->arena, str_from(c->forwarded_for)) };
	if (c->peer != NULL)
		assert_int_equal(net_parse_addr(str_from(c->peer), &peer), 0);
	forwarded_apply(&r, c->peer != NULL ? &peer : NULL,
	    exact(d->arena, str_from(c->authority)));
	expect_str(c->host, r.host, str_from(c->want_host));
	assert_int_equal(r.has_visitor, c->want_visitor != NULL);
	if (r.has_visitor) {
		net_format_addr(&r.visitor, text);
		expect_str(c->forwarded_for != NULL ? c->forwarded_for : "",
		    str_from(text), str_from(c->want_visitor));
	}
}

static void
test_proxies(void **state)
{
	for (size_t i = 0; i < COUNT(proxy_cases); i++)
		check_proxy(*state, &proxy_cases[i]);
}

/* The nearest proxy writes last, be it in a field of its own. */
static void
test_several_fields(void **state)
{
	static const struct request_field fields[] = {
		{ { "X-Forwarded-For", 15 }, { "1.2.3.4", 7 } },
		{ { "X-Forwarded-For", 15 }, { "198.51.100.1", 12 } },
		{ { "X-Forwarded-For", 15 }, { "10.1.1.1", 8 } },
	};
	struct desk *d = *state;
	struct request r = desk_request(d, "GET", STR("/"));
	char text[NET_ADDR_TEXT];

	r.fields = fields;
	r.nfields = COUNT(fields);
	forwarded_apply(&r, NULL, STR(""));
	assert_true(r.has_visitor);
	net_format_addr(&r.visitor, text);
	assert_string_equal(text, "198.51.100.1");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, desk_open, desk_close)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_mangled_tokens),
		TEST(test_pixels),
		TEST(test_other_kinds),
		TEST(test_changed_tokens),
		TEST(test_hosts),
		TEST(test_shared_hosts),
		TEST(test_without_keys),
		TEST(test_long_texts),
		TEST(test_fields),
		TEST(test_proxies),
		TEST(test_several_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
