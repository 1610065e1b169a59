/*
 * test_returnpath.c - lib/mail/returnpath: what is made reads back, and
 * nothing else does.
 */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>

#include "mail/addr.h"
#include "mail/returnpath.h"

#define LEN(v) (sizeof(v) / sizeof((v)[0]))
#define HEAD_LENGTH 25

static struct returnpath_key key_one = { 0x11223344, NULL };
static struct returnpath_key key_two = { 0xaabbcc55, NULL };
/* Another key whose hint is that of key_one. */
static struct returnpath_key key_same = { 0x99999944, NULL };
static struct hash_mac *macs[3];

static int
set_up(void **state)
{
	(void)state;
	key_one.mac = macs[0] = hash_mac_new(STR("first secret"));
	key_two.mac = macs[1] = hash_mac_new(STR("second secret"));
	key_same.mac = macs[2] = hash_mac_new(STR("third secret"));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(macs); i++)
		hash_mac_free(&macs[i]);
	return 0;
}

static struct returnpath
sample(const char *user, const char *host)
{
	return (struct returnpath){ RETURNPATH_BOUNCE,
		returnpath_scope(STR("example.com"), 7), 20789,
		str_from(user), str_from(host) };
}

static int
read_one(struct arena *a, const struct returnpath_key *key, struct str local,
    const char *domain, struct returnpath *out, bool *is_forged)
{
	return returnpath_read(a, key, 1, exact(a, local), str_from(domain),
	    out, is_forged);
}

/* What may stand before '@' in SMTP without quotes, in 64 octets. */
static void
expect_local(struct arena *a, struct str local)
{
	assert_true(local.n <= RETURNPATH_MAX_LOCAL);
	assert_true(local.p[0] != '"');
	assert_true(addr_is_mailbox(arena_printf(a, "%.*s@b.example.com",
	    STR_ARG(local))));
	expect_str("lower case", arena_lower(a, local), local);
}

static void
test_round_trip(void **state)
{
	static const struct {
		const char *user, *host;
		bool fits;
	} cases[] = {
		{ "ann", "example.org", true },
		{ "a", "b", true },
		{ "ann.doe+news=x", "example.org", true },
		{ "a@b", "x.example", true },
		{ "x y", "x.example", true },
		{ "a..b.", "x.example", true },
		{ ".a", "x.example", true },
		{ "a", "[192.0.2.1]", true },
		{ "a", "x.example.", true },
		{ "a", ".x..example", true },
		{ "!#$%&'*/", "x.example", true },
		{ "a-b_c", "x-y.example", true },
		{ "", "example.org", false },
		{ "ann", "", false },
		{ "j\303\266rg", "example.org", false },
		{ "ann", "b\303\274cher.example", false },
		{ "a\tb", "example.org", false },
		{ "a\177b", "example.org", false },
		{ "abcdefghijklmnopqrstuvwxy", "example.org", true },
		{ "abcdefghijklmnopqrstuvwxyz", "example.org", true },
		{ "abcdefghijklmnopqrstuvwxyz0", "example.org", false },
		{ "abcdefghijklmnopqrstuvwxyz0123456789abcd", "x", false },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct returnpath r = sample(cases[i].user, cases[i].host), got;
		struct str local = returnpath_make(a, &key_one, &r,
		    STR("B.Example.com"));
		bool is_forged;

		expect_local(a, local);
		assert_int_equal(local.n > HEAD_LENGTH, cases[i].fits);
		if (read_one(a, &key_one, local, "b.exAMPLE.com", &got,
		    &is_forged) != 0)
			fail_msg("%s: %.*s", cases[i].user, STR_ARG(local));
		assert_false(is_forged);
		assert_int_equal(got.kind, r.kind);
		assert_int_equal(got.scope, r.scope);
		assert_int_equal(got.day, r.day);
		expect_str("user", got.user,
		    cases[i].fits ? r.user : STR(""));
		expect_str("host", got.host,
		    cases[i].fits ? r.host : STR(""));
	}
	arena_free(&a);
}

static void
test_case_is_folded(void **state)
{
	struct arena *a = arena_new();
	struct returnpath r = sample("Ann=X", "Example.org"), got;
	struct str local = returnpath_make(a, &key_one, &r, STR("b.x"));
	char upper[RETURNPATH_MAX_LOCAL];
	bool is_forged;

	(void)state;
	expect_local(a, local);
	for (size_t i = 0; i < local.n; i++)
		upper[i] = str_is_alpha(local.p[i]) ?
		    (char)(local.p[i] & ~0x20) : local.p[i];
	assert_int_equal(read_one(a, &key_one, str_make(upper, local.n),
	    "B.X", &got, &is_forged), 0);
	expect_str("user", got.user, STR("ann=x"));
	expect_str("host", got.host, STR("example.org"));
	arena_free(&a);
}

/* No change of one bit is accepted, but for that between a and A. */
static void
test_every_bit_counts(void **state)
{
	static const char *const users[] = { "", "ann", "a=b..c" };
	struct arena *a = arena_new();
	size_t refused = 0, folded = 0;

	(void)state;
	for (size_t u = 0; u < LEN(users); u++) {
		struct returnpath r = sample(users[u], "example.org"), got;
		struct str local = returnpath_make(a, &key_one, &r,
		    STR("b.example.com"));

		for (size_t bit = 0; bit < local.n * 8; bit++) {
			char *p = arena_bytes(a, local.n);
			bool is_forged;
			int rc;

			memcpy(p, local.p, local.n);
			p[bit / 8] ^= (char)(1 << bit % 8);
			rc = read_one(a, &key_one, str_make(p, local.n),
			    "b.example.com", &got, &is_forged);
			if (str_ieq(str_make(p, local.n), local)) {
				assert_int_equal(rc, 0);
				folded++;
			} else {
				assert_int_equal(rc, -1);
				refused++;
			}
		}
	}
	assert_true(refused > 500 && folded > 20);
	arena_free(&a);
}

static void
test_lengths_count(void **state)
{
	struct arena *a = arena_new();
	struct returnpath r = sample("ann", "example.org"), got;
	struct str local = returnpath_make(a, &key_one, &r, STR("b.x"));
	bool is_forged;

	(void)state;
	for (size_t n = 0; n < local.n; n++)
		assert_int_equal(read_one(a, &key_one, str_sub(local, 0, n),
		    "b.x", &got, &is_forged), -1);
	assert_int_equal(read_one(a, &key_one, arena_printf(a, "%.*sx",
	    STR_ARG(local)), "b.x", &got, &is_forged), -1);
	assert_true(is_forged);
	assert_int_equal(read_one(a, &key_one, arena_printf(a, "%.*s%040d",
	    STR_ARG(local), 0), "b.x", &got, &is_forged), -1);
	assert_false(is_forged);
	arena_free(&a);
}

static void
test_key_domain_and_kind_count(void **state)
{
	static const enum returnpath_kind kinds[] = { RETURNPATH_BOUNCE,
		RETURNPATH_COMPLAINT, RETURNPATH_UNSUBSCRIBE };
	struct arena *a = arena_new();
	bool is_forged = false;

	(void)state;
	for (size_t i = 0; i < LEN(kinds); i++) {
		struct returnpath r = sample("ann", "example.org"), got;
		struct str local;
		char *p;

		r.kind = kinds[i];
		local = returnpath_make(a, &key_one, &r, STR("b.x"));
		assert_int_equal(local.p[0], kinds[i]);
		assert_int_equal(read_one(a, &key_one, local, "b.x", &got,
		    &is_forged), 0);
		assert_int_equal(got.kind, kinds[i]);
		assert_int_equal(read_one(a, &key_one, local, "b.y", &got,
		    &is_forged), -1);
		assert_true(is_forged);
		assert_int_equal(read_one(a, &key_two, local, "b.x", &got,
		    &is_forged), -1);
		assert_true(is_forged);
		assert_int_equal(read_one(a, &key_same, local, "b.x", &got,
		    &is_forged), -1);
		assert_true(is_forged);
		p = arena_bytes(a, local.n);
		memcpy(p, local.p, local.n);
		p[0] = (char)kinds[(i + 1) % LEN(kinds)];
		assert_int_equal(read_one(a, &key_one, str_make(p, local.n),
		    "b.x", &got, &is_forged), -1);
		assert_true(is_forged);
	}
	arena_free(&a);
}

static void
test_keys_with_one_hint(void **state)
{
	struct returnpath_key keys[3];
	struct arena *a = arena_new();

	(void)state;
	keys[0] = key_same;
	keys[1] = key_two;
	keys[2] = key_one;
	for (size_t i = 0; i < LEN(keys); i++) {
		struct returnpath r = sample("ann", "example.org"), got;
		struct str local = returnpath_make(a, &keys[i], &r,
		    STR("b.x"));
		bool is_forged;

		assert_int_equal(returnpath_read(a, keys, LEN(keys), local,
		    STR("b.x"), &got, &is_forged), 0);
		assert_int_equal(returnpath_read(a, keys, 0, local,
		    STR("b.x"), &got, &is_forged), -1);
		assert_true(is_forged);
	}
	arena_free(&a);
}

static void
test_other_addresses_are_not_forged(void **state)
{
	static const char *const others[] = {
		"", "b", "bounces", "ann.doe", "unsubscribe",
		"b1234567890123456789012345", "x234567234567234567234567a",
		"babcdefghijklmnopqrstuvwx.y",
		"babcdefghijklmnopqrstuvwxyz", "b-abcdefghijklmnopqrstuvwx",
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < LEN(others); i++) {
		struct returnpath got;
		bool is_forged = true;

		assert_int_equal(read_one(a, &key_one, str_from(others[i]),
		    "b.x", &got, &is_forged), -1);
		if (is_forged)
			fail_msg("%s", others[i]);
	}
	arena_free(&a);
}

static void
test_scope(void **state)
{
	(void)state;
	assert_true(returnpath_scope(STR("a.example"), 1) !=
	    returnpath_scope(STR("a.example"), 2));
	assert_true(returnpath_scope(STR("a.example"), 1) !=
	    returnpath_scope(STR("b.example"), 1));
	assert_int_equal(returnpath_scope(STR("a.example"), 1),
	    returnpath_scope(STR("a.example"), 1));
}

/* Addresses live for weeks: one is pinned, computed by another program. */
static void
test_format_is_pinned(void **state)
{
	struct arena *a = arena_new();
	struct returnpath r = sample("ann", "example.org");

	(void)state;
	expect_str("pinned", returnpath_make(a, &key_one, &r,
	    STR("b.example.com")),
	    STR("biritlqugttilj6zcu7queesb-ann=example.org"));
	arena_free(&a);
}

/* Any recipient: never more than 64 octets, always read back. */
static void
test_random_recipients(void **state)
{
	struct arena *a = arena_new();
	uint32_t seed = 5;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		char text[40];
		size_t n, at;
		struct returnpath r = sample("", ""), got;
		struct str local;
		bool is_forged;

		for (size_t k = 0; k < sizeof(text); k++) {
			seed = seed * 1664525u + 1013904223u;
			text[k] = str_lower((char)(32 + (seed >> 16) % 96));
		}
		n = 2 + (seed >> 8) % (sizeof(text) - 2);
		at = 1 + (seed >> 20) % (n - 1);
		r.user = exact(a, str_make(text, at));
		r.host = exact(a, str_make(text + at, n - at));
		r.day = (uint16_t)seed;
		r.scope = seed * 7;
		local = returnpath_make(a, &key_two, &r, STR("b.x"));
		expect_local(a, local);
		assert_int_equal(read_one(a, &key_two, local, "b.x", &got,
		    &is_forged), 0);
		assert_int_equal(got.day, r.day);
		assert_int_equal(got.scope, r.scope);
		if (got.user.n != 0) {
			expect_str("user", got.user, r.user);
			expect_str("host", got.host, r.host);
		}
		arena_reset(a);
	}
	arena_free(&a);
}

static void *
make_in_thread(void *arg)
{
	struct returnpath r = sample("ann", "example.org");
	struct arena *a = arena_new();
	void *good = arg;

	for (int i = 0; i < 500; i++) {
		struct str local = returnpath_make(a, &key_one, &r,
		    STR("b.example.com"));

		if (!str_eq(local,
		    STR("biritlqugttilj6zcu7queesb-ann=example.org")))
			good = NULL;
		arena_reset(a);
	}
	arena_free(&a);
	return good;
}

static void
test_threads_share_keys(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
		    make_in_thread, &key_one), 0);
	for (size_t i = 0; i < LEN(threads); i++) {
		void *good;

		assert_int_equal(pthread_join(threads[i], &good), 0);
		assert_non_null(good);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_case_is_folded),
		cmocka_unit_test(test_every_bit_counts),
		cmocka_unit_test(test_lengths_count),
		cmocka_unit_test(test_key_domain_and_kind_count),
		cmocka_unit_test(test_keys_with_one_hint),
		cmocka_unit_test(test_other_addresses_are_not_forged),
		cmocka_unit_test(test_scope),
		cmocka_unit_test(test_format_is_pinned),
		cmocka_unit_test(test_random_recipients),
		cmocka_unit_test(test_threads_share_keys),
	};

	return cmocka_run_group_tests_name("returnpath", tests, set_up,
	    tear_down);
}
