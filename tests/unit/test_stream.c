/*
 * test_stream.c - which stream, which domain section, who may send: with the
 * envelope alone and with the header.
 */
#include "conf_file.h"

#include "bulkhead/stream.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

struct loaded {
	struct arena *arena;
	struct settings *s;
};

static void
load(struct loaded *l, void **state, const char *text)
{
	struct buf messages;

	buf_init(&messages, 100000);
	l->arena = arena_new();
	l->s = settings_load(conf_write(l->arena, state, "a.conf",
	    str_from(text)), &messages);
	if (l->s == NULL)
		fail_msg("%.*s", STR_ARG(buf_view(&messages)));
	buf_free(&messages);
}

static void
unload(struct loaded *l)
{
	settings_free(&l->s);
	arena_free(&l->arena);
}

/* What a case knows; NULL: not known (header: not yet). */
struct facts {
	const char *sender, *sasl_user, *client, *daemon, *from_domain, *header;
};

static struct stream_facts
facts_of(struct arena *a, const struct facts *in)
{
	struct stream_facts f = { 0 };
	size_t body;

	f.sender = exact(a, str_from(in->sender));
	f.sasl_user = exact(a, str_from(in->sasl_user));
	f.daemon = exact(a, str_from(in->daemon));
	if (in->client != NULL) {
		f.has_client = true;
		assert_int_equal(net_parse_addr(str_from(in->client),
		    &f.client), 0);
	}
	if (in->header == NULL)
		return f;
	f.from_domain = exact(a, str_from(in->from_domain));
	f.headers = arena_alloc(a, sizeof(*f.headers));
	headers_init(f.headers, a);
	headers_parse(f.headers, exact(a, str_from(in->header)), &body);
	return f;
}

static void
test_one_stream(void **state)
{
	static const struct {
		const char *name, *match;
		struct facts facts;
		enum stream_answer want;
	} cases[] = {
		{ "everything", "", { 0 }, STREAM_YES },
		{ "sender", "match { sender = { \"*@example.com\" } }",
		    { .sender = "News@EXAMPLE.com" }, STREAM_YES },
		{ "other sender", "match { sender = { \"*@example.com\" } }",
		    { .sender = "news@example.org" }, STREAM_NO },
		{ "null sender", "match { sender = { \"*@*\" } }", { 0 },
		    STREAM_NO },
		{ "one of two users", "match { sasl-user = { a, b } }",
		    { .sasl_user = "b" }, STREAM_YES },
		{ "any user, none there", "match { sasl-user = { \"*\" } }",
		    { 0 }, STREAM_NO },
		{ "client", "match { client = { \"10.0.0.0/8\" } }",
		    { .client = "10.2.3.4" }, STREAM_YES },
		{ "mapped client", "match { client = { \"10.0.0.0/8\" } }",
		    { .client = "::ffff:10.2.3.4" }, STREAM_YES },
		{ "other client", "match { client = { \"10.0.0.0/8\" } }",
		    { .client = "11.0.0.0" }, STREAM_NO },
		{ "no client", "match { client = { \"::/0\" } }", { 0 },
		    STREAM_NO },
		{ "daemon", "match { daemon = { \"bulk*\" } }",
		    { .daemon = "bulk-in" }, STREAM_YES },
		{ "no daemon", "match { daemon = { \"*\" } }", { 0 },
		    STREAM_NO },
		{ "both keys", "match { sasl-user = { a } sender = { s } }",
		    { .sasl_user = "a", .sender = "s" }, STREAM_YES },
		{ "one key of two", "match { sasl-user = { a } sender = { s } "
		    "}", { .sasl_user = "a", .sender = "t" }, STREAM_NO },
		{ "header at RCPT", "match { header = { X } }", { 0 },
		    STREAM_UNKNOWN },
		{ "no beats unknown", "match { header = { X } sender = { s } }",
		    { .sender = "t" }, STREAM_NO },
		{ "yes does not", "match { header = { X } sender = { s } }",
		    { .sender = "s" }, STREAM_UNKNOWN },
		{ "from at RCPT", "match { from-domain = { \"*\" } }", { 0 },
		    STREAM_UNKNOWN },
		{ "header there", "match { header = { list-id } }",
		    { .header = "List-ID: x\n\n" }, STREAM_YES },
		{ "header empty", "match { header = { X } }",
		    { .header = "X:\n\n" }, STREAM_YES },
		{ "header absent", "match { header = { X } }",
		    { .header = "Y: X\n\n" }, STREAM_NO },
		{ "header value", "match { header = { \"X: news*\" } }",
		    { .header = "X: Newsletter\n\n" }, STREAM_YES },
		{ "header value, second field", "match { header = { \"X: b\" }"
		    " }", { .header = "X: a\nX: b\n\n" }, STREAM_YES },
		{ "header value folded", "match { header = { \"X: a b\" } }",
		    { .header = "X: a\n b\n\n" }, STREAM_YES },
		{ "header value, other", "match { header = { \"X: a\" } }",
		    { .header = "X: a b\n\n" }, STREAM_NO },
		{ "one of two headers", "match { header = { A, B } }",
		    { .header = "B: 1\n\n" }, STREAM_YES },
		{ "from", "match { from-domain = { example.com } }",
		    { .from_domain = "example.com", .header = "\n" },
		    STREAM_YES },
		{ "from below", "match { from-domain = { example.com } }",
		    { .from_domain = "a.example.com", .header = "\n" },
		    STREAM_NO },
		{ "from glob", "match { from-domain = { \"*.example.com\" } }",
		    { .from_domain = "a.example.com", .header = "\n" },
		    STREAM_YES },
		{ "no from", "match { from-domain = { \"*\" } }",
		    { .header = "\n" }, STREAM_NO },
		{ "from and header", "match { from-domain = { x.example } "
		    "header = { A } }", { .from_domain = "x.example",
		    .header = "B: 1\n\n" }, STREAM_NO },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct stream_facts f;
		struct loaded l;
		char text[256];

		snprintf(text, sizeof(text), "stream s { %s }",
		    cases[i].match);
		load(&l, state, text);
		f = facts_of(l.arena, &cases[i].facts);
		if (stream_matches(&l.s->streams[0], &f) != cases[i].want)
			fail_msg("%s", cases[i].name);
		unload(&l);
	}
}

static void
test_first_match_wins(void **state)
{
	static const char text[] =
	    "stream \"user\" { match { sasl-user = { shop } } }\n"
	    "stream \"list\" { match { header = { List-Id } } }\n"
	    "stream \"bulk\" { match { daemon = { bulk } } }\n"
	    "stream \"sender\" { match { sender = { \"*@x.example\" } } }\n";
	static const struct {
		const char *name;
		struct facts facts;
		enum stream_answer want;
		const char *stream;
	} cases[] = {
		{ "decided by the envelope", { .sasl_user = "shop" },
		    STREAM_YES, "user" },
		{ "hidden behind an unknown", { .daemon = "bulk" },
		    STREAM_UNKNOWN, NULL },
		{ "only the unknown is left", { .sender = "a@y.example" },
		    STREAM_UNKNOWN, NULL },
		{ "known later", { .daemon = "bulk", .header =
		    "List-Id: x\n\n" }, STREAM_YES, "list" },
		{ "behind a no", { .daemon = "bulk", .header = "\n" },
		    STREAM_YES, "bulk" },
		{ "the last", { .sender = "a@x.example", .header = "\n" },
		    STREAM_YES, "sender" },
		{ "nothing", { .sender = "a@y.example", .header = "\n" },
		    STREAM_NO, NULL },
	};
	struct loaded l;

	load(&l, state, text);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct stream_facts f = facts_of(l.arena, &cases[i].facts);
		const struct stream_settings *out = l.s->streams;

		if (stream_select(l.s, &f, &out) != cases[i].want)
			fail_msg("%s", cases[i].name);
		if (cases[i].stream == NULL)
			assert_null(out);
		else
			expect_str(cases[i].name, out->name,
			    str_from(cases[i].stream));
	}
	unload(&l);
}

static void
test_no_streams(void **state)
{
	const struct stream_settings *out;
	struct stream_facts f = { 0 };
	struct loaded l;

	load(&l, state, "");
	assert_int_equal(stream_select(l.s, &f, &out), STREAM_NO);
	assert_null(out);
	unload(&l);
}

static void
test_domain_section(void **state)
{
	static const char *const sections[] = { "example.com",
		"news.example.com", "shop.co.uk", "co.uk", "com", "github.io",
		"me.github.io", "localhost", "mailer.example", "example",
		"xn--bcher-kva.de", "kawasaki.jp" };
	static const struct {
		const char *from, *want;
	} cases[] = {
		{ "example.com", "example.com" },
		{ "a.example.com", "example.com" },
		{ "a.b.example.com", "example.com" },
		{ "news.example.com", "news.example.com" },
		{ "x.news.example.com", "news.example.com" },
		{ "notexample.com", NULL },
		{ "a.shop.co.uk", "shop.co.uk" },
		{ "other.co.uk", NULL },
		{ "co.uk", "co.uk" },
		{ "other.com", NULL },
		{ "github.io", "github.io" },
		{ "you.github.io", NULL },
		{ "a.me.github.io", "me.github.io" },
		{ "localhost", "localhost" },
		{ "a.localhost", NULL },
		{ "a.mailer.example", "mailer.example" },
		{ "other.example", NULL },
		{ "www.xn--bcher-kva.de", "xn--bcher-kva.de" },
		{ "x.kawasaki.jp", NULL },
		{ "", NULL },
		{ ".", NULL },
		{ "..com", NULL },
	};
	struct buf text;
	struct loaded l;

	buf_init(&text, 10000);
	for (size_t i = 0; i < COUNT(sections); i++)
		buf_printf(&text, "domain \"%s\" { sign s { key = /k } }\n",
		    sections[i]);
	load(&l, state, text.p);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct domain_settings *d = stream_domain(l.s,
		    exact(l.arena, str_from(cases[i].from)));

		if ((d == NULL) != (cases[i].want == NULL))
			fail_msg("%s: %s", cases[i].from,
			    d ? "found" : "not found");
		if (d != NULL)
			expect_str(cases[i].from, d->name,
			    str_from(cases[i].want));
	}
	unload(&l);
	buf_free(&text);
}

static void
test_long_domain(void **state)
{
	struct loaded l;
	char name[2000];

	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 3 == 2 ? '.' : 'a';
	load(&l, state, "domain \"aa.aa\" { sign s { key = /k } }");
	for (size_t n = 0; n < sizeof(name); n += 11)
		stream_domain(l.s, exact(l.arena, str_make(name, n)));
	assert_null(stream_domain(l.s, str_make(name, sizeof(name))));
	unload(&l);
}

static void
test_may_send(void **state)
{
	static const struct {
		const char *name, *may_send;
		struct facts facts;
		bool want;
	} cases[] = {
		{ "whoever", "", { 0 }, true },
		{ "user", "may-send = { \"sasl-user:news@*\" }",
		    { .sasl_user = "news@example.com" }, true },
		{ "other user", "may-send = { \"sasl-user:news@*\" }",
		    { .sasl_user = "shop@example.com" }, false },
		{ "no user", "may-send = { \"sasl-user:*\" }", { 0 }, false },
		{ "client", "may-send = { \"client:127.0.0.0/8\" }",
		    { .client = "127.0.0.2" }, true },
		{ "other client", "may-send = { \"client:127.0.0.0/8\" }",
		    { .client = "::1" }, false },
		{ "no client", "may-send = { \"client:::/0\" }", { 0 }, false },
		{ "second entry", "may-send = { \"sasl-user:a\", "
		    "\"client:::1/128\" }", { .client = "::1",
		    .sasl_user = "b" }, true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct stream_facts f;
		struct loaded l;
		char text[256];

		snprintf(text, sizeof(text), "domain d.example { sign s { key "
		    "= /k } %s }", cases[i].may_send);
		load(&l, state, text);
		f = facts_of(l.arena, &cases[i].facts);
		if (stream_may_send(&l.s->domains[0], &f) != cases[i].want)
			fail_msg("%s", cases[i].name);
		unload(&l);
	}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, conf_setup, conf_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(test_one_stream),
		CASE(test_first_match_wins),
		CASE(test_no_streams),
		CASE(test_domain_section),
		CASE(test_long_domain),
		CASE(test_may_send),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
