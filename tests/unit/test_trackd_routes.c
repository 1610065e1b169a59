/*
 * test_trackd_routes.c - trackd/routes.c and the pages of clicks and opens:
 * which answer, with which methods, to which path; what Location may hold.
 */
#include "trackd_fixture.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))
#define URL	 "https://www.example.com/offer?id=1"
#define GET	 "GET, HEAD, OPTIONS"
#define POST	 "GET, HEAD, POST, OPTIONS"

struct route_case {
	const char *method, *path; /* $: a token of that kind behind it */
	unsigned status;
	const char *allow;
};

static const struct route_case cases[] = {
	{ "GET", "/healthz", 200, "" },
	{ "HEAD", "/healthz", 200, "" },
	{ "POST", "/healthz", 405, GET },
	{ "OPTIONS", "/healthz", 204, GET },
	{ "GET", "/robots.txt", 200, "" },
	{ "DELETE", "/robots.txt", 405, GET },
	{ "GET", "/c/$", 302, "" },
	{ "HEAD", "/c/$", 302, "" },
	{ "POST", "/c/$", 405, GET },
	{ "OPTIONS", "/c/$", 204, GET },
	{ "get", "/c/$", 405, GET },
	{ "GET", "/o/$", 200, "" },
	{ "GET", "/o/$.gif", 200, "" },
	{ "HEAD", "/o/$.gif", 200, "" },
	{ "PUT", "/o/$.gif", 405, GET },
	{ "OPTIONS", "/u/$", 204, POST },
	{ "PUT", "/u/$", 405, POST },
	{ "OPTIONS", "*", 204, POST },
	/* that a path is refused says nothing of a token behind it */
	{ "POST", "/c/x", 405, GET },
	{ "GET", "/c/x", 404, "" },
	{ "GET", "/o/x.gif", 404, "" },
	{ "GET", "/u/x", 404, "" },
	{ "POST", "/u/x", 404, "" },
	{ "GET", "/", 404, "" },
	{ "GET", "", 404, "" },
	{ "GET", "*", 404, "" },
	{ "GET", "/c/", 404, "" },
	{ "GET", "/c", 404, "" },
	{ "GET", "/o/", 404, "" },
	{ "GET", "/u/", 404, "" },
	{ "GET", "/C/$", 404, "" },
	{ "GET", "//c/$", 404, "" },
	{ "GET", "/./c/$", 404, "" },
	{ "GET", "/x/../c/$", 404, "" },
	{ "GET", "/c%2F$", 404, "" },
	{ "GET", "/%63/$", 404, "" },
	{ "GET", "/healthz/", 404, "" },
	{ "GET", "/healthzx", 404, "" },
	{ "POST", "/x", 404, "" },
	{ "DELETE", "/", 404, "" },
	{ "OPTIONS", "/x", 404, "" },
	{ "CONNECT", "t.example.com:443", 404, "" },
};

static struct str
fill(struct desk *d, const char *path)
{
	struct str form = str_from(path);
	size_t at = str_chr(form, '$', 0);
	enum token_kind kind = form.n > 1 && form.p[1] == 'o' ? TOKEN_OPEN :
	    form.n > 1 && form.p[1] == 'u' ? TOKEN_UNSUBSCRIBE : TOKEN_CLICK;
	struct str parts[3] = { str_sub(form, 0, at),
		desk_token(d, kind, TRACKD_HOST, STR(URL)),
		str_sub(form, at + 1, form.n) };

	return at < form.n ? arena_join(d->arena, parts, 3) : form;
}

static void
test_routes(void **state)
{
	struct desk *d = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct route_case *c = &cases[i];
		struct request r = desk_request(d, c->method,
		    fill(d, c->path));
		struct answer a = desk_ask(d, &r);

		if (a.status != c->status)
			fail_msg("%s %s: %u", c->method, c->path, a.status);
		expect_str(c->path, a.allow, str_from(c->allow));
		assert_int_equal(a.location.n > 0, a.status == 302);
		assert_int_equal(d->events.n > 0, (a.status == 302 ||
		    a.status == 200) && strchr(c->path, '$') != NULL);
		assert_null(a.wish);
	}
}

/* A forger learns nothing: all that is not there has one answer. */
static void
test_one_not_found(void **state)
{
	static const char *const paths[] = { "/", "/x", "/c/x", "/o/x.gif",
		"/u/x", "/o/$", "/c/$", "/u/$" };
	struct desk *d = *state;
	struct answer first;

	answer_not_found(&first);
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct str path = fill(d, paths[i]);
		char *kind = (char *)(uintptr_t)path.p + 1;
		struct request r;
		struct answer a;

		if (strchr(paths[i], '$') != NULL) /* another kind's */
			*kind = *kind == 'c' ? 'o' : 'c';
		r = desk_request(d, "GET", path);
		a = desk_ask(d, &r);
		assert_int_equal(a.status, 404);
		expect_str(paths[i], a.body, first.body);
		expect_str(paths[i], a.type, first.type);
		assert_int_equal(d->events.n, 0);
	}
}

struct location_case {
	const char *url;
	const char *want; /* NULL: 404 */
};

static void
test_locations(void **state)
{
	static const struct location_case locations[] = {
		{ URL, URL },
		{ "http://example.com", "http://example.com" },
		{ "HTTPS://example.com/", "HTTPS://example.com/" },
		{ "https://example.com/%20?a=%41&b[]=1#x",
		    "https://example.com/%20?a=%41&b[]=1#x" },
		{ "https://example.com/a b\tc", "https://example.com/a%20b%09c" },
		{ "https://example.com/\r\nSet-Cookie: x=1",
		    "https://example.com/%0D%0ASet-Cookie:%20x=1" },
		{ "https://example.com/\xc3\xa4\x7f\x01",
		    "https://example.com/%C3%A4%7F%01" },
		{ "https://example.com/\"<>\\^`{|}",
		    "https://example.com/%22%3C%3E%5C%5E%60%7B%7C%7D" },
		{ "https://b\xc3\xbc" "cher.example/",
		    "https://b%C3%BCcher.example/" },
		{ "javascript:alert(1)", NULL },
		{ "//evil.example/", NULL },
		{ "/relative", NULL },
		{ "ftp://example.com/", NULL },
		{ "https:example.com", NULL },
		{ " https://example.com", NULL },
		{ "", NULL },
	};
	struct desk *d = *state;

	for (size_t i = 0; i < COUNT(locations); i++) {
		struct str url = str_from(locations[i].url);
		struct str parts[2] = { STR("/c/"),
			desk_token(d, TOKEN_CLICK, TRACKD_HOST, url) };
		struct request r = desk_request(d, "GET",
		    arena_join(d->arena, parts, 2));
		struct answer a = desk_ask(d, &r);

		assert_int_equal(a.status, locations[i].want ? 302 : 404);
		expect_str(locations[i].url, a.location,
		    str_from(locations[i].want));
	}
}

static void
test_events(void **state)
{
	static const struct request_field agent = {
		{ "User-Agent", 10 }, { "Mozilla/5.0", 11 }
	};
	struct desk *d = *state;
	struct request r = desk_request(d, "GET", fill(d, "/c/$"));

	r.fields = &agent;
	r.nfields = 1;
	r.has_visitor = net_parse_addr(STR("192.0.2.1"), &r.visitor) == 0;
	desk_ask(d, &r);
	expect_str("click", buf_view(&d->events),
	    STR("clicked jane@example.net " URL "\n"));
	d->settings.trackd.keep_visitors = true;
	desk_ask(d, &r);
	expect_str("visitor", buf_view(&d->events),
	    STR("clicked jane@example.net " URL
	    " by 192.0.2.1 Mozilla/5.0\n"));
	r = desk_request(d, "GET", fill(d, "/o/$.gif"));
	desk_ask(d, &r);
	expect_str("open", buf_view(&d->events),
	    STR("opened jane@example.net  by - \n"));
	assert_int_equal(metrics_get(&d->metrics, METRIC_CLICKS), 2);
	assert_int_equal(metrics_get(&d->metrics, METRIC_OPENS), 1);
}

static void
test_pixel(void **state)
{
	struct desk *d = *state;
	struct request r = desk_request(d, "GET", fill(d, "/o/$.gif"));
	struct answer a = desk_ask(d, &r);

	assert_int_equal(a.body.n, 43);
	assert_memory_equal(a.body.p, "GIF89a\1\0\1\0", 10);
	assert_int_equal(a.body.p[42], ';');
	expect_str("type", a.type, STR("image/gif"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, desk_open, desk_close)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_routes),
		TEST(test_one_not_found),
		TEST(test_locations),
		TEST(test_events),
		TEST(test_pixel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
