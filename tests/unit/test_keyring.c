/*
 * test_keyring.c - lib/bulkhead/keyring: what is loaded, and how each thing
 * that may be wrong with a key is told.
 */
#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/hash.h"
#include "bulkhead/keyring.h"

struct fixture {
	struct arena *a;
	char dir[32];
	struct buf errors;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->a = arena_new();
	snprintf(f->dir, sizeof(f->dir), "/tmp/keyring.XXXXXX");
	buf_init(&f->errors, 65536);
	*state = f;
	return mkdtemp(f->dir) == NULL;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	char *command =
	    arena_cstr(f->a, arena_printf(f->a, "rm -r '%s'", f->dir));
	int rc = system(command);

	buf_free(&f->errors);
	arena_free(&f->a);
	free(f);
	return rc;
}

static struct str
put(struct fixture *f, const char *name, mode_t mode, struct str content)
{
	struct str path = arena_printf(f->a, "%s/%s", f->dir, name);

	assert_int_equal(file_create(arena_cstr(f->a, path), mode, content), 0);
	return path;
}

static struct str
put_key(
    struct fixture *f, const char *name, enum dkim_algorithm alg, unsigned bits)
{
	return put(f, name, 0640, dkim_key_create(f->a, alg, bits));
}

static struct str
key_line(struct arena *a, const char *name, int fill)
{
	unsigned char key[TOKEN_KEY_SIZE];
	char text[BASE64_SIZE(TOKEN_KEY_SIZE)];

	memset(key, fill, sizeof(key));
	return arena_printf(a, "%s %.*s\n", name,
	    (int)base64_write(text, key, sizeof(key)), text);
}

/* Settings from a text that names files as DIR/...; fails if they are bad. */
static struct settings *
settings(struct fixture *f, const char *text)
{
	struct str in = str_from(text);
	struct buf out;
	struct settings *s;
	struct str path;
	size_t at = 0;

	buf_init(&out, 65536);
	while (at < in.n) {
		size_t end = str_find(in, STR("DIR"), at);

		buf_str(&out, str_sub(in, at, end));
		if (end < in.n)
			buf_puts(&out, f->dir);
		at = end + 3;
	}
	path = put(f, "bulkhead.conf", 0644, buf_view(&out));
	buf_free(&out);
	s = settings_load(arena_cstr(f->a, path), &f->errors);
	if (s == NULL)
		fail_msg("settings: %.*s", STR_ARG(buf_view(&f->errors)));
	buf_clear(&f->errors);
	return s;
}

static const char two_domains[] =
    "store = \"sqlite:/tmp\"\n"
    "token-keys = \"DIR/token.keys\"\n"
    "return-path-keys = \"DIR/return-path.keys\"\n"
    "domain \"example.com\" {\n"
    "  sign \"e1\" { key = \"DIR/e1.pem\" }\n"
    "  sign \"s1\" { key = \"DIR/s1.pem\" }\n"
    "  sign \"e2\" { key = \"DIR/e2.pem\" }\n"
    "  sign \"s2\" { key = \"DIR/s2.pem\" }\n"
    "}\n"
    "domain \"example.org\" { tracking-url = \"https://t.example.org\" }\n";

static void
put_all(struct fixture *f)
{
	struct str two =
	    arena_printf(f->a, "%.*s%.*s", STR_ARG(key_line(f->a, "2026b", 2)),
		STR_ARG(key_line(f->a, "2026a", 1)));

	put_key(f, "e1.pem", DKIM_ED25519_SHA256, 0);
	put_key(f, "e2.pem", DKIM_ED25519_SHA256, 0);
	put_key(f, "s1.pem", DKIM_RSA_SHA256, 2048);
	put_key(f, "s2.pem", DKIM_RSA_SHA256, 2048);
	put(f, "token.keys", 0640, key_line(f->a, "2026a", 3));
	put(f, "return-path.keys", 0600, two);
}

/* The MAC is under the key of 64 octets that all are `fill`. */
static void
expect_mac(const struct hash_mac *mac, int fill)
{
	unsigned char got[SHA256_SIZE], want[SHA256_SIZE];
	char key[TOKEN_KEY_SIZE];
	struct hash_mac *other;

	memset(key, fill, sizeof(key));
	other = hash_mac_new(str_make(key, sizeof(key)));
	hash_mac(mac, STR("text"), got);
	hash_mac(other, STR("text"), want);
	assert_memory_equal(got, want, sizeof(got));
	hash_mac_free(&other);
}

static void
test_loads_all_kinds(void **state)
{
	struct fixture *f = *state;
	static const char *order[] = { "s1", "s2", "e1", "e2" };
	const struct keyring_domain *d;
	struct keyring *k, *ref;
	struct settings *s;

	put_all(f);
	s = settings(f, two_domains);
	k = keyring_load(
	    s, KEYRING_DKIM | KEYRING_TOKEN | KEYRING_RETURN_PATH, &f->errors);
	expect_str("errors", buf_view(&f->errors), STR(""));
	assert_non_null(k);
	assert_ptr_equal(k->settings, s);
	d = keyring_domain(k, settings_domain(s, STR("example.com")));
	assert_non_null(d);
	assert_int_equal(d->nkeys, 4);
	for (size_t i = 0; i < 4; i++) {
		expect_str("order", d->keys[i].selector, str_from(order[i]));
		assert_int_equal(dkim_key_algorithm(d->keys[i].key),
		    i < 2 ? DKIM_RSA_SHA256 : DKIM_ED25519_SHA256);
	}
	assert_null(keyring_domain(k, settings_domain(s, STR("example.org"))));
	assert_null(keyring_domain(k, NULL));
	assert_int_equal(token_keys_count(k->tokens), 1);
	assert_int_equal(k->nreturnpath, 2);
	assert_int_equal(k->returnpath[0].id, hash_id32(STR("2026b")));
	expect_mac(k->returnpath[0].mac, 2);
	expect_mac(k->returnpath[1].mac, 1);
	settings_free(&s); /* the keyring has a reference of its own */
	ref = keyring_ref(k);
	keyring_free(&k);
	assert_null(k);
	expect_str("alive", ref->settings->domains[0].name, STR("example.com"));
	keyring_free(&ref);
	keyring_free(&ref);
}

static void
test_loads_only_what_is_asked(void **state)
{
	struct fixture *f = *state;
	struct settings *s = settings(f, two_domains); /* and no key at all */
	struct keyring *k = keyring_load(s, 0, &f->errors);

	assert_non_null(k);
	assert_null(k->tokens);
	assert_null(k->returnpath);
	assert_null(keyring_domain(k, &s->domains[0]));
	keyring_free(&k);
	put(f, "token.keys", 0640, key_line(f->a, "2026a", 3));
	k = keyring_load(s, KEYRING_TOKEN, &f->errors);
	assert_non_null(k);
	assert_non_null(k->tokens);
	expect_str("errors", buf_view(&f->errors), STR(""));
	keyring_free(&k);
	settings_free(&s);
}

static void
test_nothing_configured(void **state)
{
	struct fixture *f = *state;
	struct settings *s = settings(f, "store = \"sqlite:/tmp\"\n");
	struct keyring *k = keyring_load(
	    s, KEYRING_DKIM | KEYRING_TOKEN | KEYRING_RETURN_PATH, &f->errors);

	assert_non_null(k);
	assert_null(k->tokens);
	assert_int_equal(k->nreturnpath, 0);
	keyring_free(&k);
	settings_free(&s);
}

/* Loads what must fail and checks each line it says, DIR being the place. */
static void
expect_errors(
    struct fixture *f, unsigned kinds, const char *const *want, size_t nwant)
{
	struct settings *s = settings(f, two_domains);
	struct str got;
	size_t at = 0;

	assert_null(keyring_load(s, kinds, &f->errors));
	got = buf_view(&f->errors);
	for (size_t i = 0; i < nwant; i++) {
		size_t end = str_chr(got, '\n', at);
		struct str line = str_sub(got, at, end);
		struct str start = arena_printf(f->a, "%s%s", f->dir, want[i]);

		if (!str_starts(line, start))
			fail_msg("got \"%.*s\", want \"%.*s\"", STR_ARG(line),
			    STR_ARG(start));
		at = end + 1;
	}
	expect_str("no further line", str_sub(got, at, got.n), STR(""));
	settings_free(&s);
}

static void
test_every_error_at_once(void **state)
{
	static const char *const want[] = {
		"/bulkhead.conf:2: token-keys: cannot read ",
		"/bulkhead.conf:5: cannot read the key ",
		"/bulkhead.conf:6: cannot read the key ",
		"/bulkhead.conf:7: /",
		"/bulkhead.conf:8: /",
		"/return-path.keys:3: a key has 64 bytes",
	};
	struct fixture *f = *state;

	put(f, "s1.pem", 0644, dkim_key_create(f->a, DKIM_RSA_SHA256, 2048));
	put(f, "e2.pem", 0640, STR("no key\n"));
	put_key(f, "s2.pem", DKIM_RSA_SHA256, 512);
	put(f, "return-path.keys", 0640, STR("# one\n\nx AAAA\n"));
	expect_errors(
	    f, KEYRING_DKIM | KEYRING_TOKEN | KEYRING_RETURN_PATH, want, 6);
}

static void
expect_told(struct fixture *f, const char *what)
{
	struct str got = buf_view(&f->errors);

	if (str_find(got, str_from(what), 0) == got.n)
		fail_msg("\"%s\" is not in \"%.*s\"", what, STR_ARG(got));
}

static void
test_reasons_say_what_is_right(void **state)
{
	struct fixture *f = *state;
	struct settings *s;
	char *huge = arena_bytes(f->a, 20000);

	memset(huge, 'x', 20000);
	put(f, "s1.pem", 0644, dkim_key_create(f->a, DKIM_RSA_SHA256, 2048));
	put(f, "e1.pem", 0640, str_make(huge, 20000));
	put(f, "e2.pem", 0640, STR("no key\n"));
	put_key(f, "s2.pem", DKIM_RSA_SHA256, 512);
	put(f, "token.keys", 0640, STR("# nothing\n"));
	put(f, "return-path.keys", 0662, key_line(f->a, "x", 1));
	s = settings(f, two_domains);
	assert_null(keyring_load(
	    s, KEYRING_DKIM | KEYRING_TOKEN | KEYRING_RETURN_PATH, &f->errors));
	expect_told(f, "/s1.pem: others than its owner and group can read or "
		       "write it: chmod 640");
	expect_told(f, "/e1.pem: it is too long to hold keys");
	expect_told(f, "/e2.pem is no private key in PEM form");
	expect_told(f, "/s2.pem has 512 bits: receivers take no RSA key under "
		       "1024, and 2048 is right");
	expect_told(f, "/token.keys: there is no key in it");
	expect_told(f, "/return-path.keys: others than its owner");
	settings_free(&s);
}

static void
test_short_keys_are_warned_of(void **state)
{
	struct fixture *f = *state;
	struct settings *s;
	struct keyring *k;
	struct str got, want;

	put_all(f);
	unlink(arena_cstr(f->a, arena_printf(f->a, "%s/s2.pem", f->dir)));
	put_key(f, "s2.pem", DKIM_RSA_SHA256, 1024);
	s = settings(f, two_domains);
	k = keyring_load(s, KEYRING_DKIM, &f->errors);
	got = buf_view(&f->errors);
	assert_non_null(k);
	want = arena_printf(f->a,
	    "%s/bulkhead.conf:8: warning: %s/s2.pem has 1024 bits: 2048 is "
	    "right\n",
	    f->dir, f->dir);
	expect_str("warning", got, want);
	keyring_free(&k);
	settings_free(&s);
}

/* settings_load() refuses it too: here it comes from nowhere else. */
static void
test_selector_twice(void **state)
{
	struct fixture *f = *state;
	struct settings *s;

	put_all(f);
	s = settings(f, two_domains);
	s->domains[0].sign[2].selector = STR("S1");
	assert_null(keyring_load(s, KEYRING_DKIM, &f->errors));
	expect_told(f, "/bulkhead.conf:7: the selector \"S1\" stands twice");
	settings_free(&s);
}

/* One key file copied over another: two selectors, one key. */
static void
test_copied_keys(void **state)
{
	struct fixture *f = *state;
	struct str pem = dkim_key_create(f->a, DKIM_ED25519_SHA256, 0);
	struct settings *s = settings(f,
	    "token-keys = \"DIR/keys\"\n"
	    "return-path-keys = \"DIR/keys\"\n"
	    "domain \"example.com\" {\n"
	    "  sign \"a\" { key = \"DIR/a.pem\" }\n"
	    "  sign \"b\" { key = \"DIR/b.pem\" }\n"
	    "}\n");
	char key[64] = { 1 }, text[BASE64_SIZE(64)];
	struct str got;

	put(f, "a.pem", 0640, pem);
	put(f, "b.pem", 0640, pem);
	put(f, "keys", 0640, arena_printf(f->a, "k %.*s\n",
	    (int)base64_write(text, key, sizeof(key)), text));
	assert_null(keyring_load(s,
	    KEYRING_DKIM | KEYRING_TOKEN | KEYRING_RETURN_PATH, &f->errors));
	got = buf_view(&f->errors);
	assert_true(str_find(got, STR("the same key as selector \"a\""), 0) <
	    got.n);
	assert_true(str_find(got, STR("bulkhead.conf:2: warning: "), 0) <
	    got.n);
	assert_true(str_find(got, STR("bulkhead.conf:5: "), 0) < got.n);
	settings_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_loads_all_kinds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_loads_only_what_is_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_nothing_configured, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_every_error_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_reasons_say_what_is_right, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_short_keys_are_warned_of, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_selector_twice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_copied_keys, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
