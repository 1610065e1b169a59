/*
 * test_base.c - lib/base: slices, arenas, buffers, numbers, codings, time,
 * addresses and files.
 */
#include "unit.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base32.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/net.h"
#include "base/num.h"

static void
test_str_finds_and_compares(void **state)
{
	struct str s = STR("one Two three");

	(void)state;
	assert_int_equal(str_find(s, STR("Two"), 0), 4);
	assert_int_equal(str_find(s, STR("Two"), 5), s.n);
	assert_int_equal(str_find(s, STR("e"), s.n + 3), s.n);
	assert_int_equal(str_ifind(s, STR("TWO"), 0), 4);
	assert_int_equal(str_chr(s, 't', 0), 8);
	assert_true(str_istarts(s, STR("ONE ")));
	assert_false(str_starts(s, STR("ONE ")));
	assert_true(str_iends(s, STR("THREE")));
	assert_true(str_cmp(STR("a"), STR("ab")) < 0);
	assert_true(str_cmp(STR("b"), STR("ab")) > 0);
	expect_str("trim", str_trim(STR(" \t x y\r\n")), STR("x y"));
	expect_str("trim all", str_trim(STR(" \t ")), STR(""));
	expect_str("sub", str_sub(s, 4, 7), STR("Two"));
	expect_str("sub beyond", str_sub(s, 20, 7), STR(""));
}

static void
test_str_glob(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool want;
	} cases[] = {
		{ "*", "", true },
		{ "", "", true },
		{ "", "x", false },
		{ "*.example.com", "a.b.Example.com", true },
		{ "*.example.com", "example.com", false },
		{ "a?c", "abc", true },
		{ "a?c", "ac", false },
		{ "news*@*", "newsletter@example.com", true },
		{ "*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (str_glob(str_from(cases[i].pattern),
		    str_from(cases[i].text)) != cases[i].want)
			fail_msg("%s over %s", cases[i].pattern, cases[i].text);
}

static void
count_up(void *arg)
{
	++*(int *)arg;
}

static void
test_arena_hooks_and_growth(void **state)
{
	struct arena *a = arena_new();
	size_t cap = 0, n = 0;
	int freed = 0;
	int *v = NULL;

	(void)state;
	arena_on_free(a, count_up, &freed);
	for (int i = 0; i < 1000; i++) {
		v = arena_grow(a, v, n, &cap, sizeof(*v));
		v[n++] = i;
	}
	assert_int_equal(v[999], 999);
	memset(arena_alloc(a, 3000000), 1, 3000000);
	arena_reset(a);
	assert_int_equal(freed, 1);
	assert_int_equal(arena_used(a), 0);
	expect_str("join", arena_join(a, (struct str[]){ STR("a"), STR(""),
	    STR("bc") }, 3), STR("abc"));
	expect_str("printf", arena_printf(a, "%d-%s", 7, "x"), STR("7-x"));
	arena_free(&a);
	assert_null(a);
	assert_int_equal(freed, 1);
}

static void
test_buf_keeps_its_maximum(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_int_equal(buf_puts(&b, "12345"), 0);
	assert_int_equal(buf_printf(&b, "%s", "67890"), 0);
	expect_str("full", buf_view(&b), STR("1234567890"));
	assert_int_equal(buf_char(&b, 'x'), -1);
	assert_true(b.failed);
	assert_int_equal(buf_view(&b).n, 0);
	assert_int_equal(buf_char(&b, 'x'), -1);
	buf_clear(&b);
	assert_int_equal(buf_char(&b, 'x'), 0);
	buf_free(&b);
}

/* Around every size at which a text is formatted a second time. */
static void
test_printf_of_any_length(void **state)
{
	struct arena *a = arena_new();
	char text[700];

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t n = 0; n < sizeof(text); n++) {
		struct str want = str_make(text, n), got;
		struct buf b;

		got = arena_printf(a, "%.*s", (int)n, text);
		expect_str("arena", got, want);
		assert_int_equal(got.p[n], '\0');
		buf_init(&b, sizeof(text) + 1);
		for (size_t held = 0; held < 2; held++)
			assert_int_equal(buf_printf(&b, "%.*s",
			    (int)(held == 0 ? n % 258 : n - n % 258),
			    text), 0);
		expect_str("buf", buf_view(&b), want);
		assert_int_equal(b.p[n], '\0');
		assert_int_equal(buf_printf(&b, "%700s", "y"), n <= 1 ? 0 : -1);
		assert_true(b.failed == (n > 1));
		assert_int_equal(buf_printf(&b, "%s", ""), n <= 1 ? 0 : -1);
		buf_free(&b);
	}
	arena_free(&a);
}

static void
test_numbers(void **state)
{
	struct rate rate;
	uint64_t v;

	(void)state;
	assert_int_equal(num_parse(STR("65535"), 65535, &v), 0);
	assert_int_equal(v, 65535);
	assert_int_equal(num_parse(STR("65536"), 65535, &v), -1);
	assert_int_equal(num_parse(STR("7"), 5, &v), -1);
	assert_int_equal(num_parse(STR("010"), 65535, &v), -1);
	assert_int_equal(num_parse(STR(""), 65535, &v), -1);
	assert_int_equal(num_parse(STR("-1"), 65535, &v), -1);
	assert_int_equal(num_parse(STR("18446744073709551615"), UINT64_MAX,
	    &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(num_parse(STR("18446744073709551616"), UINT64_MAX,
	    &v), -1);
	assert_int_equal(num_parse_size(STR("64M"), &v), 0);
	assert_int_equal(v, 64 * 1024 * 1024);
	assert_int_equal(num_parse_size(STR("M"), &v), -1);
	assert_int_equal(num_parse_size(STR("99999999999G"), &v), -1);
	assert_int_equal(num_parse_duration(STR("30d"), &v), 0);
	assert_int_equal(v, 30 * 86400);
	assert_int_equal(num_parse_duration(STR("30"), &v), -1);
	assert_int_equal(num_parse_rate(STR("20000/h"), &rate), 0);
	assert_int_equal(rate.count, 20000);
	assert_int_equal(rate.period, 3600);
	assert_int_equal(num_parse_rate(STR("0/h"), &rate), -1);
	assert_int_equal(num_parse_rate(STR("5/w"), &rate), -1);
	assert_int_equal(num_parse_rate(STR("5"), &rate), -1);
}

static void
test_base64_round_trips_and_is_strict(void **state)
{
	struct arena *a = arena_new();
	unsigned char bytes[70];
	char text[BASE64_SIZE(70)];
	struct str back;

	(void)state;
	for (size_t n = 0; n < sizeof(bytes); n++) {
		for (size_t i = 0; i < n; i++)
			bytes[i] = (unsigned char)(i * 37 + n);
		struct str url = base64url_encode(a, bytes, n);
		struct str std = str_make(text, base64_write(text, bytes, n));

		assert_int_equal(base64url_decode(a, exact(a, url), &back), 0);
		expect_str("url", back, str_make((char *)bytes, n));
		assert_int_equal(base64_decode(a, exact(a, std), &back), 0);
		expect_str("std", back, str_make((char *)bytes, n));
	}
	assert_int_equal(base64_decode(a, STR("QQ"), &back), -1);
	assert_int_equal(base64_decode(a, STR("QR=="), &back), -1);
	assert_int_equal(base64_decode(a, STR("Q==="), &back), -1);
	assert_int_equal(base64url_decode(a, STR("QQ=="), &back), -1);
	assert_int_equal(base64url_decode(a, STR("Q+"), &back), -1);
	arena_free(&a);
}

static void
test_base32(void **state)
{
	unsigned char in[15], out[15];
	char text[BASE32_SIZE(15)];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)(i * 53 + 200);
	base32_write(text, in, sizeof(in));
	for (size_t i = 0; i < sizeof(text); i += 2)
		if (str_is_alpha(text[i]))
			text[i] = (char)(text[i] - 'a' + 'A');
	assert_int_equal(base32_read(out, sizeof(out), str_make(text, 24)), 0);
	assert_memory_equal(in, out, sizeof(in));
	text[3] = '1';
	assert_int_equal(base32_read(out, sizeof(out), str_make(text, 24)), -1);
	assert_int_equal(base32_read(out, 14, str_make(text, 24)), -1);
}

static void
test_hashes(void **state)
{
	unsigned char mac[SHA256_SIZE];
	static const unsigned char want[4] = { 0x5b, 0xdc, 0xc1, 0x46 };
	struct hash_mac *jefe;

	(void)state;
	assert_int_equal(hash_id32(STR("abc")), 0xba7816bf);
	/* RFC 4231, test case 2 */
	jefe = hash_mac_new(STR("Jefe"));
	hash_mac(jefe, STR("what do ya want for nothing?"), mac);
	assert_memory_equal(mac, want, sizeof(want));
	hash_mac_free(&jefe);
	assert_null(jefe);
	hash_mac_free(&jefe);
	assert_true(hash_equal("ab", "ab", 2));
	assert_false(hash_equal("ab", "ac", 2));
}

/* Keys around SHA-256's block, and texts: as OpenSSL has it. */
static void
test_macs(void **state)
{
	unsigned char text[200], key[130], got[SHA256_SIZE], want[SHA256_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (unsigned char)(i * 7 + 1);
	for (size_t n = 0; n <= sizeof(key); n += n < 60 ? 12 : 1) {
		struct arena *a = arena_new();
		struct hash_mac *m;

		memset(key, (int)n + 1, sizeof(key));
		m = hash_mac_new(exact(a, str_make((char *)key, n)));
		for (size_t len = 0; len <= sizeof(text); len += 5) {
			struct str in = str_make((char *)text, len);
			unsigned int size = sizeof(want);

			assert_non_null(HMAC(EVP_sha256(), key, (int)n, text,
			    len, want, &size));
			hash_mac(m, exact(a, in), got);
			assert_memory_equal(got, want, sizeof(got));
		}
		hash_mac_free(&m);
		arena_free(&a);
	}
}

static void
test_times(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: refused */
	} cases[] = {
		{ "2026-12-01T08:00:00Z", 1796112000000000 },
		{ "2026-12-01T09:30:00+01:30", 1796112000000000 },
		{ "2026-12-01 08:00:00.25Z", 1796112000250000 },
		{ "1796112000", 1796112000000000 },
		{ "1796112000.5", 1796112000500000 },
		{ "2026-12-01", -1 },
		{ "2026-02-30T08:00:00Z", -1 },
		{ "2026-12-01T08:00:00", -1 },
		{ "2026-12-01T08:00:00Zx", -1 },
		{ "now", -1 },
		{ "", -1 },
		{ "12.", -1 },
	};
	char text[CLOCK_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t got = -1;

		if (clock_parse(str_from(cases[i].text), &got) != 0)
			got = -1;
		if (got != cases[i].want)
			fail_msg("%s: %lld", cases[i].text, (long long)got);
	}
	clock_rfc5322(1796112000, text);
	assert_string_equal(text, "Tue, 01 Dec 2026 08:00:00 +0000");
	clock_rfc3339(1796112000, text);
	assert_string_equal(text, "2026-12-01T08:00:00Z");
}

static void
test_networks(void **state)
{
	char text[NET_ADDR_TEXT];
	struct net_cidr net;
	struct net_addr addr;

	(void)state;
	assert_int_equal(net_parse_cidr(STR("127.0.0.0/8"), &net), 0);
	assert_int_equal(net_parse_addr(STR("127.9.9.9"), &addr), 0);
	assert_true(net_contains(&net, &addr));
	assert_true(net_is_loopback(&addr));
	assert_int_equal(net_parse_addr(STR("128.0.0.1"), &addr), 0);
	assert_false(net_contains(&net, &addr));
	assert_int_equal(net_parse_addr(STR("IPv6:::1"), &addr), 0);
	assert_true(net_is_loopback(&addr));
	assert_false(net_contains(&net, &addr));
	assert_int_equal(net_parse_cidr(STR("[2001:db8::]/33"), &net), 0);
	assert_int_equal(net_parse_addr(STR("2001:db8:7fff::1"), &addr), 0);
	assert_true(net_contains(&net, &addr));
	assert_int_equal(net_parse_addr(STR("2001:db8:8000::1"), &addr), 0);
	assert_false(net_contains(&net, &addr));
	net_format_addr(&addr, text);
	assert_string_equal(text, "2001:db8:8000::1");
	assert_int_equal(net_parse_addr(STR("192.0.2.1"), &addr), 0);
	net_format_addr(&addr, text);
	assert_string_equal(text, "192.0.2.1");
	for (unsigned i = 0; i < 256; i++) {
		char want[NET_ADDR_TEXT];

		snprintf(want, sizeof(want), "%u.%u.%u.%u", i, 255 - i,
		    i / 2, i / 3);
		assert_int_equal(net_parse_addr(str_from(want), &addr), 0);
		net_format_addr(&addr, text);
		assert_string_equal(text, want);
	}
	assert_int_equal(net_parse_cidr(STR("10.0.0.1/8"), &net), -1);
	assert_int_equal(net_parse_cidr(STR("10.0.0.0/33"), &net), -1);
	assert_int_equal(net_parse_cidr(STR("host/8"), &net), -1);
}

static void
test_sockets(void **state)
{
	struct arena *a = arena_new();
	struct net_socket s;
	const char *why;

	(void)state;
	assert_int_equal(net_parse_socket(a, STR("unix:/run/x"), &s, &why), 0);
	assert_string_equal(s.path, "/run/x");
	assert_int_equal(net_parse_socket(a, STR("inet:[::1]:25"), &s, &why),
	    0);
	assert_string_equal(s.host, "::1");
	assert_int_equal(s.port, 25);
	assert_int_equal(net_parse_socket(a, STR("inet:8025@localhost"), &s,
	    &why), 0);
	assert_string_equal(s.host, "localhost");
	assert_int_equal(net_parse_socket(a, STR("fd:3"), &s, &why), 0);
	assert_int_equal(s.fd, 3);
	for (size_t i = 0; i < 7; i++) {
		static const struct {
			const char *name;
			bool is_local;
		} cases[] = {
			{ "unix:/x", true }, { "fd:3", true },
			{ "inet:127.9.9.9:1", true },
			{ "inet:localhost:1", true },
			{ "inet:[::1]:1", true },
			{ "inet:192.0.2.1:1", false }, { "inet::1", false },
		};

		assert_int_equal(net_parse_socket(a, str_from(cases[i].name),
		    &s, &why), 0);
		assert_int_equal(net_socket_is_local(&s), cases[i].is_local);
	}
	assert_int_equal(net_parse_socket(a, STR("unix:x"), &s, &why), -1);
	assert_int_equal(net_parse_socket(a, STR("inet:x:0"), &s, &why), -1);
	assert_int_equal(net_parse_socket(a, STR("/run/x"), &s, &why), -1);
	arena_free(&a);
}

static void
test_files(void **state)
{
	struct arena *a = arena_new();
	char dir[] = "/tmp/bulkhead-test-XXXXXX";
	struct str path, back;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = arena_printf(a, "%s/a/b/key", dir);
	assert_int_equal(file_create(path.p, 0600, STR("x")), -1);
	assert_int_equal(file_make_dirs(path.p, 0700), 0);
	assert_int_equal(file_create(path.p, 0640, STR("secret")), 0);
	assert_int_equal(file_create(path.p, 0640, STR("other")), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(file_read_secret(a, path.p, 100, &back), 0);
	expect_str("content", back, STR("secret"));
	assert_int_equal(file_read_secret(a, path.p, 5, &back), -1);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(chmod(path.p, 0644), 0);
	assert_int_equal(file_read_secret(a, path.p, 100, &back), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(file_read_secret(a, "/dev/null", 100, &back), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(file_read(a, path.p, 100, &back), 0);
	assert_int_equal(file_read(a, dir, 100, &back), -1);
	assert_int_equal(errno, EISDIR);
	unlink(path.p);
	rmdir(arena_printf(a, "%s/a/b", dir).p);
	rmdir(arena_printf(a, "%s/a", dir).p);
	rmdir(dir);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_str_finds_and_compares),
		cmocka_unit_test(test_str_glob),
		cmocka_unit_test(test_arena_hooks_and_growth),
		cmocka_unit_test(test_buf_keeps_its_maximum),
		cmocka_unit_test(test_printf_of_any_length),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_base64_round_trips_and_is_strict),
		cmocka_unit_test(test_base32),
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_macs),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
