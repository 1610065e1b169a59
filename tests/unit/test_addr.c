/*
 * test_addr.c - lib/mail/addr: paths, address lists, normal forms, and what
 * may stand in an envelope.
 */
#include "unit.h"

#include <time.h>

#include "base/buf.h"
#include "mail/addr.h"

#define LEN(v) (sizeof(v) / sizeof((v)[0]))

static void
test_paths(void **state)
{
	static const struct {
		const char *in;
		int rc;
		const char *local, *domain;
	} cases[] = {
		{ "<a@x>", 0, "a", "x" },
		{ "a@x", 0, "a", "x" },
		{ " <a@x> ", 0, "a", "x" },
		{ "<>", 0, "", "" },
		{ "< >", 0, "", "" },
		{ "", 0, "", "" },
		{ "<\"x y\"@z>", 0, "x y", "z" },
		{ "\"x@y\"@z", 0, "x@y", "z" },
		{ "\"a\\\"b\\\\c\"@z", 0, "a\"b\\c", "z" },
		{ "\"\"@z", 0, "", "z" },
		{ "<@a,@b.c:d@x>", 0, "d", "x" },
		{ "@a,@b.c:d@x", 0, "d", "x" },
		{ "@d@x", -1, "", "" },
		{ "<@a,@b.c:@d:e@x>", -1, "", "" },
		{ "<@a:d@x>", 0, "d", "x" },
		{ "root", 0, "root", "" },
		{ "<root>", 0, "root", "" },
		{ "A.B@X.Example", 0, "A.B", "X.Example" },
		{ "a..b.@x", 0, "a..b.", "x" },
		{ "a+b=c%d!e@x", 0, "a+b=c%d!e", "x" },
		{ "a@[127.0.0.1]", 0, "a", "[127.0.0.1]" },
		{ "a@[IPv6:::1]", 0, "a", "[IPv6:::1]" },
		{ "\303\244@\303\266.de", 0, "\303\244", "\303\266.de" },
		{ "a(c)@x(d)", 0, "a", "x" },
		{ "a@x.", 0, "a", "x." },
		{ "a@", 0, "a", "" },
		{ "<a%b@ @>", 0, "a%b", "" },
		{ "a@x@", 0, "a", "x" },
		{ "<a@[127.0.0.1]@ (c)@>", 0, "a", "[127.0.0.1]" },
		{ "a@@x", -1, "", "" },
		{ "<a@x@", -1, "", "" },
		{ "a@x@>", -1, "", "" },
		{ "a@x@(open", -1, "", "" },
		{ "@", -1, "", "" },
		{ "@x", -1, "", "" },
		{ "<a@x", -1, "", "" },
		{ "a@x>", -1, "", "" },
		{ "<a@x> b", -1, "", "" },
		{ "a b@x", -1, "", "" },
		{ "a@b@c", -1, "", "" },
		{ "a@x, b@y", -1, "", "" },
		{ "Name <a@x>", -1, "", "" },
		{ "\"a@x", -1, "", "" },
		{ "\"a\\", -1, "", "" },
		{ "a@[127.0.0.1", -1, "", "" },
		{ "a@x (open", -1, "", "" },
		{ "(open\\", -1, "", "" },
		{ "a\001@x", -1, "", "" },
		{ "\"a\001\"@x", -1, "", "" },
		{ "a@x\177", -1, "", "" },
		{ "<@a>", -1, "", "" },
		{ "\"a\nb\"@x", -1, "", "" },
		{ "a\r\n @x", -1, "", "" },
		{ "(\n)a@x", -1, "", "" },
		{ ".", -1, "", "" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct addr got;
		int rc = addr_parse_path(a, exact(a, str_from(cases[i].in)),
		    &got);

		if (rc != cases[i].rc)
			fail_msg("%s: %d", cases[i].in, rc);
		if (rc != 0)
			continue;
		expect_str(cases[i].in, got.local, str_from(cases[i].local));
		expect_str(cases[i].in, got.domain, str_from(cases[i].domain));
	}
	arena_free(&a);
}

static void
test_nul_is_no_address(void **state)
{
	static const char text[] = "\"a\0b\"@x";
	struct arena *a = arena_new();
	struct addr got;
	struct addr_list list;

	(void)state;
	assert_int_equal(addr_parse_path(a, STR("a\0b@x"), &got), -1);
	assert_int_equal(addr_parse_path(a, STR(text), &got), -1);
	assert_int_equal(addr_parse_list(a, STR("a@x,\0"), &list), -1);
	assert_int_equal(list.n, 1);
	assert_int_equal(addr_parse_list(a, STR("\0 <a@x>"), &list), -1);
	assert_false(addr_is_mailbox(STR("a\0b@x")));
	assert_false(addr_is_mailbox(STR("a@x\0")));
	arena_free(&a);
}

/* "local@domain" in brackets, a 'g' behind when there was a group. */
static struct str
show_list(struct arena *a, const struct addr_list *list)
{
	struct str s = STR("");

	for (size_t i = 0; i < list->n; i++)
		s = arena_printf(a, "%.*s[%.*s@%.*s]", STR_ARG(s),
		    STR_ARG(list->v[i].local), STR_ARG(list->v[i].domain));
	return list->has_group ? arena_printf(a, "%.*sg", STR_ARG(s)) : s;
}

static void
test_lists(void **state)
{
	static const struct {
		const char *in;
		int rc;
		const char *want;
	} cases[] = {
		{ " a@x", 0, "[a@x]" },
		{ "", 0, "" },
		{ " , ,", 0, "" },
		{ "a@x, b@y,\n c@z", 0, "[a@x][b@y][c@z]" },
		{ ",a@x,,b@y,", 0, "[a@x][b@y]" },
		{ "Ann <a@x>", 0, "[a@x]" },
		{ "<a@x>,<b@y>", 0, "[a@x][b@y]" },
		{ "\"Doe, Ann\" <a@x>, b@y", 0, "[a@x][b@y]" },
		{ "\"<evil@z>\" <a@x>", 0, "[a@x]" },
		{ "\"a \\\" <evil@z>, \" <a@x>", 0, "[a@x]" },
		{ "Dr. A. Doe <a@x>", 0, "[a@x]" },
		{ "evil@z <a@x>", 0, "[a@x]" },
		{ "=?utf-8?q?J=C3=B6?= <a@x>", 0, "[a@x]" },
		{ "J\303\266rg <a@x>", 0, "[a@x]" },
		{ "(c) a (d) @ (e (f\\)) g) x (h)", 0, "[a@x]" },
		{ "(c, <evil@z>) Ann (d) <(e)a@x(f)>(g)", 0, "[a@x]" },
		{ "a . b @ x . y", 0, "[a.b@x.y]" },
		{ "\"a\".b@x", 0, "[a.b@x]" },
		{ "\"a\n b\"@x", 0, "[a b@x]" },
		{ "<@r,@s:a@x>", 0, "[a@x]" },
		{ "a@[IPv6:::1], b@y", 0, "[a@[IPv6:::1]][b@y]" },
		{ "undisclosed-recipients:;", 0, "g" },
		{ "undisclosed-recipients:", 0, "g" },
		{ "g: a@x, B <b@y>; , c@z", 0, "[a@x][b@y][c@z]g" },
		{ "\"a group\": a@x;", 0, "[a@x]g" },
		{ "g:; h:a@x;", 0, "[a@x]g" },
		{ "a@x b@y", -1, "" },
		{ "a@x, Doe, b@y", -1, "[a@x]" },
		{ "Ann", -1, "" },
		{ "Ann <a>", -1, "" },
		{ "<>", -1, "" },
		{ "Ann <a@x", -1, "" },
		{ "Ann <a@x> b", -1, "" },
		{ "Ann <a@x> <b@y>", -1, "" },
		{ "Ann <a@x>>", -1, "" },
		{ "\"Ann <a@x>", -1, "" },
		{ "a@x (open", -1, "" },
		{ "a@x, b@y (open, c@z", -1, "[a@x]" },
		{ "a@x;", -1, "[a@x]" },
		{ ": a@x", -1, "" },
		{ "g: h: a@x;", -1, "g" },
		{ "a@x\001", -1, "" },
		{ "Ann [x <a@x>", -1, "" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct addr_list list;
		int rc = addr_parse_list(a, exact(a, str_from(cases[i].in)),
		    &list);

		expect_str(cases[i].in, show_list(a, &list),
		    str_from(cases[i].want));
		if (rc != cases[i].rc)
			fail_msg("%s: %d", cases[i].in, rc);
	}
	arena_free(&a);
}

static void
test_text_reads_back(void **state)
{
	static const struct {
		const char *local, *domain, *want;
	} cases[] = {
		{ "a", "x", "a@x" },
		{ "a.b+c", "x", "a.b+c@x" },
		{ "a b", "x", "\"a b\"@x" },
		{ "a\"\\b", "x", "\"a\\\"\\\\b\"@x" },
		{ "", "x", "\"\"@x" },
		{ "", "", "" },
		{ "root", "", "root" },
		{ "a..b", "x", "\"a..b\"@x" },
		{ ".a", "x", "\".a\"@x" },
		{ "a.", "x", "\"a.\"@x" },
		{ "a@b", "x", "\"a@b\"@x" },
		{ "\303\244", "\303\266.de", "\303\244@\303\266.de" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct addr in = { exact(a, str_from(cases[i].local)),
			exact(a, str_from(cases[i].domain)) }, back;
		struct str text = addr_text(a, &in);

		expect_str("text", text, str_from(cases[i].want));
		assert_int_equal(addr_parse_path(a, text, &back), 0);
		expect_str("local", back.local, in.local);
		expect_str("domain", back.domain, in.domain);
	}
	arena_free(&a);
}

/* Postfix's inner form: what is no quote is no quote. */
static void
test_internal_form(void **state)
{
	static const struct {
		const char *in, *local, *domain, *normal;
	} cases[] = {
		{ "A@X", "A", "X", "a@x" },
		{ "x y@z", "x y", "z", "\"x y\"@z" },
		{ "a@y@z", "a@y", "z", "\"a@y\"@z" },
		{ "(c)a@z", "(c)a", "z", "\"(c)a\"@z" },
		{ "\"a\"@z", "\"a\"", "z", "\"\\\"a\\\"\"@z" },
		{ "a\\b@z", "a\\b", "z", "\"a\\\\b\"@z" },
		{ "<a@z", "<a", "z", "\"<a\"@z" },
		{ "@z", "", "z", "\"\"@z" },
		{ "a@", "a", "", "a" },
		{ "a@z@@", "a", "z", "a@z" },
		{ "a%z", "a%z", "", "a@z" },
		{ "a@[127.0.0.1]", "a", "[127.0.0.1]", "a@[127.0.0.1]" },
		{ "@y,@x:a@z", "a", "z", "a@z" },
		{ "@[IPv6:::1]", "", "[IPv6:::1]", "\"\"@[ipv6:::1]" },
		{ "a:@z", "a:", "z", "\"a:\"@z" },
		{ "root", "root", "", "root" },
		{ "@", "", "", "" },
		{ "", "", "", "" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct addr got = addr_from_internal(exact(a,
		    str_from(cases[i].in)));

		expect_str(cases[i].in, got.local, str_from(cases[i].local));
		expect_str(cases[i].in, got.domain, str_from(cases[i].domain));
		expect_str(cases[i].in, addr_normal(a, &got),
		    str_from(cases[i].normal));
	}
	arena_free(&a);
}

static void
test_normal_form(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "Ann.Doe@Example.COM", "ann.doe@example.com" },
		{ "a@x.example.", "a@x.example" },
		{ "a@fa\303\237.de", "a@xn--fa-hia.de" },
		{ "a@B\303\234CHER.example", "a@xn--bcher-kva.example" },
		{ "a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example" },
		{ "a@b\303\274cher\343\200\202example",
		    "a@xn--bcher-kva.example" },
		{ "\303\204@X", "\303\204@x" },
		{ "\"A B\"@X", "\"a b\"@x" },
		{ "a@[IPv6:2001:DB8::1]", "a@[ipv6:2001:db8::1]" },
		{ "a@\377X.example", "a@\377x.example" },
		{ "a@-\303\274.Example", "a@-\303\274.example" },
		/* full-width '@' and backslash: IDNA makes ASCII of them */
		{ "a@X\357\274\240y.example", "a@x\357\274\240y.example" },
		{ "a@\357\274\274", "a@\357\274\274" },
		{ "a@\343\200\202", "a@\343\200\202" },
		{ "<>", "" },
		{ "Root", "root" },
		/* as Postfix rewrites what has no domain */
		{ "A%B.Example", "a@b.example" },
		{ "a%b%c.example", "a%b@c.example" },
		{ "B.example!a", "a@b.example" },
		{ "b!c!a%d", "c!a%d@b" },
		{ "a%b.example@", "a@b.example" },
		{ "a%b.example.", "a@b.example" },
		{ "a%b@c.example", "a%b@c.example" },
		{ "%b", "%b" },
		{ "a%", "a%" },
		{ "a!", "a!" },
		{ "\"a%b c\"", "\"a%b c\"" },
		{ "\"a%b@c\"", "\"a%b@c\"" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct addr in;

		assert_int_equal(addr_parse_path(a,
		    exact(a, str_from(cases[i].in)), &in), 0);
		expect_str(cases[i].in, addr_normal(a, &in),
		    str_from(cases[i].want));
	}
	expect_str("root", addr_domain_ascii(a, STR(".")), STR("."));
	expect_str("empty", addr_domain_ascii(a, STR("")), STR(""));
	arena_free(&a);
}

static void
test_long_domains_are_only_lowered(void **state)
{
	struct arena *a = arena_new();
	char text[5000];
	struct str got;

	(void)state;
	memset(text, 'A', sizeof(text));
	text[0] = '\303';
	text[1] = '\274';
	got = addr_domain_ascii(a, exact(a, str_make(text, sizeof(text))));
	assert_int_equal(got.n, sizeof(text));
	assert_int_equal(got.p[2], 'a');
	arena_free(&a);
}

#define A10 "aaaaaaaaaa"
#define A60 A10 A10 A10 A10 A10 A10

static void
test_mailboxes(void **state)
{
	static const struct {
		const char *in;
		bool want;
	} cases[] = {
		{ "a@x", true },
		{ "a.b+c@x-y.example", true },
		{ "!#$%&'*+-/=?^_`{|}~@x", true },
		{ "\"a b\\\"@\"@x", true },
		{ "\"\"@x", true },
		{ "a@[127.0.0.1]", true },
		{ "a@[IPv6:2001:db8::1]", true },
		{ "a@1.2.3.4", true },
		{ "\303\244@x", true },
		{ "a@b\303\274cher.example", true },
		{ "a@xn--bcher-kva.example", true },
		{ "a@x_y", true },
		{ A60 "aaaa@x", true },
		{ "a@" A60 "aaa", true },
		{ "", false },
		{ "a", false },
		{ "a@", false },
		{ "@x", false },
		{ "a b@x", false },
		{ " a@x", false },
		{ "a@x ", false },
		{ "<a@x>", false },
		{ "a(c)@x", false },
		{ "a@x(c)", false },
		{ ".a@x", false },
		{ "a.@x", false },
		{ "a..b@x", false },
		{ "a@b@x", false },
		{ "\"a@x", false },
		{ "\"a\"b@x", false },
		{ "\"a\\", false },
		{ "\"a\n\"@x", false },
		{ "\"a\\\n\"@x", false },
		{ "\"a\177\"@x", false },
		{ "a@.x", false },
		{ "a@x.", false },
		{ "a@x..y", false },
		{ "a@-x", false },
		{ "a@x-", false },
		{ "a@x y", false },
		{ "a@x/y", false },
		{ "a@xn--example.com", false },
		{ "a@[127.0.0.256]", false },
		{ "a@[127.0.0.1", false },
		{ "a@[::1]", false },
		{ "a@[[::1]]", false },
		{ "a@[x:y]", false },
		{ "a@[IPv6:[127.0.0.1]]", false },
		{ "a@[IPv6:127.0.0.1]", false },
		{ "a@[IPv6:IPv6:::1]", false },
		{ "a@[]", false },
		{ "\303@x", false },
		{ "\300\200@x", false },
		{ "\355\240\200@x", false },
		{ "\360\200\200\200@x", false },
		{ "\364\220\200\200@x", false },
		{ "\302\200@x", false },
		{ "\"\302\"@x", false },
		{ "a@\377.example", false },
		{ A60 "aaaaa@x", false },
		{ "a@" A60 "aaaa", false },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++)
		if (addr_is_mailbox(exact(a, str_from(cases[i].in))) !=
		    cases[i].want)
			fail_msg("%s", cases[i].in);
	arena_free(&a);
}

static void
test_total_length(void **state)
{
	struct arena *a = arena_new();
	struct str s = STR("a@" A60 "." A60 "." A60 "." A60);

	(void)state;
	s = arena_printf(a, "%.*s.%s", STR_ARG(s), "bbbbbbb");
	assert_int_equal(s.n, 253);
	assert_true(addr_is_mailbox(s));
	assert_true(addr_is_mailbox(arena_printf(a, "a%.*s", STR_ARG(s))));
	assert_false(addr_is_mailbox(arena_printf(a, "aa%.*s", STR_ARG(s))));
	arena_free(&a);
}

/* Whatever the octets are: no crash, and what is accepted is stable. */
static void
test_mutations(void **state)
{
	static const char *const samples[] = {
		"\"Doe, A\" <@r:a.b@x.example>, g: \"c\\\"d\"@[IPv6:::1] (e);",
		"\303\244 <a@b\303\274cher.example>, (x (y)) b . c @ d",
	};
	static const char likely[] = "\"\\<>()[]:;@,. \n\0\303\177a";
	struct arena *a = arena_new();
	uint32_t seed = 99;
	clock_t start = clock();

	(void)state;
	for (size_t i = 0; i < 30000 && clock() - start < CLOCKS_PER_SEC; i++) {
		struct str s = exact(a, str_from(samples[i % 2]));
		char *p = arena_bytes(a, s.n);
		struct addr_list list;
		struct addr addr;

		memcpy(p, s.p, s.n);
		for (int k = 0; k < 3; k++) {
			seed = seed * 1664525u + 1013904223u;
			p[(seed >> 8) % s.n] =
			    likely[(seed >> 24) % (sizeof(likely) - 1)];
		}
		s = exact(a, str_make(p, s.n));
		addr_parse_list(a, s, &list);
		addr_is_mailbox(s);
		for (size_t k = 0; k < list.n; k++) {
			struct str text = addr_text(a, &list.v[k]);

			assert_int_equal(addr_parse_path(a, text, &addr), 0);
			expect_str("stable", addr_text(a, &addr), text);
			addr_normal(a, &addr);
		}
		addr_parse_path(a, s, &addr);
		arena_reset(a);
	}
	arena_free(&a);
}

static void
test_long_lists_are_linear(void **state)
{
	static const char *const pieces[] = { "a@x,", "(", "\"\\\"", "g:;",
		"a . ", "<@a,", "a   ", "()" };
	clock_t start = clock();

	(void)state;
	for (size_t i = 0; i < LEN(pieces); i++) {
		struct arena *a = arena_new();
		struct addr_list list;
		struct addr addr;
		struct buf b;

		buf_init(&b, 4 * 1024 * 1024);
		for (int k = 0; k < 200000; k++)
			buf_puts(&b, pieces[i]);
		addr_parse_list(a, buf_view(&b), &list);
		assert_int_equal(list.n, i == 0 ? 200000 : 0);
		addr_parse_path(a, buf_view(&b), &addr);
		assert_false(addr_is_mailbox(buf_view(&b)));
		buf_free(&b);
		arena_free(&a);
	}
	assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_nul_is_no_address),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_text_reads_back),
		cmocka_unit_test(test_internal_form),
		cmocka_unit_test(test_normal_form),
		cmocka_unit_test(test_long_domains_are_only_lowered),
		cmocka_unit_test(test_mailboxes),
		cmocka_unit_test(test_total_length),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_long_lists_are_linear),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
