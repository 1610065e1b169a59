/*
 * test_dkim_opendkim.c - both DKIM engines write the same field for the same
 * message.  Over a corpus: tests/corpus/dkim_differential.py.
 */
#include "unit.h"

#include <malloc.h>
#include <pthread.h>

#include "mail/dkim.h"
#include "tests/tools/opendkim_leak.h"
#include "tests/unit/dkim_keys.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))
#define TEXT(lit)                                                              \
	{                                                                      \
		(lit), sizeof(lit) - 1                                         \
	}

static const struct dkim_engine *const engines[] = { &dkim_native,
	&dkim_opendkim };

enum { RSA, ED25519, NKEYS };

struct fixture {
	struct arena *a;
	struct dkim_key *keys[COUNT(engines)][NKEYS];
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *why = NULL;

	f->a = arena_new();
	for (size_t i = 0; i < COUNT(engines); i++) {
		f->keys[i][RSA] = dkim_key_parse_for(
		    engines[i], exact(f->a, str_from(rsa_pem)), &why);
		f->keys[i][ED25519] = dkim_key_parse_for(
		    engines[i], exact(f->a, ed25519_pem(f->a)), &why);
		assert_non_null(f->keys[i][RSA]);
		assert_non_null(f->keys[i][ED25519]);
	}
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(engines); i++)
		for (size_t j = 0; j < NKEYS; j++)
			dkim_key_free(&f->keys[i][j]);
	arena_free(&f->a);
	free(f);
	return 0;
}

static const struct str names[] = { TEXT("From"), TEXT("Reply-To"),
	TEXT("Subject"), TEXT("Date"), TEXT("Message-ID"), TEXT("To"),
	TEXT("Cc"), TEXT("MIME-Version"), TEXT("Content-Type"),
	TEXT("List-Id"), TEXT("List-Unsubscribe"),
	TEXT("List-Unsubscribe-Post"), TEXT("X;odd"), TEXT("Subject") };
static const struct str more_names[] = { TEXT("Subject"), TEXT("To"),
	TEXT("List-Help"), TEXT("DKIM-Signature") };

static struct dkim_request
request(const struct dkim_key *key)
{
	return (struct dkim_request){
		.key = key,
		.domain = STR("example.com"),
		.selector = STR("s2026a"),
		.time = 1767225600,
		.sign = names,
		.nsign = COUNT(names),
		.oversign = more_names,
		.noversign = COUNT(more_names),
	};
}

/*
 * What the engines write for a request with each of their keys must be the
 * same; returns how many signatures libopendkim left to the native engine.
 */
static size_t
expect_same(struct fixture *f, const char *name, struct dkim_message m,
    struct dkim_request r)
{
	size_t taken_over = 0;

	for (size_t j = 0; j < NKEYS; j++) {
		struct dkim_message own = m, other = m;
		struct str got, want;

		r.key = f->keys[0][j];
		want = dkim_sign_message(f->a, &own, &r);
		r.key = f->keys[1][j];
		got = dkim_sign_message(f->a, &other, &r);
		assert_true(want.n > 0);
		assert_int_equal(own.ntaken_over, 0);
		expect_str(name, got, want);
		taken_over += other.ntaken_over;
	}
	return taken_over;
}

#define HEAD "From: a@example.com\nTo: b@example.net\nSubject: Hello\n"

static const struct sample {
	const char *name;
	struct str header, body;
	bool is_left; /* to the native engine */
} samples[] = {
	{ "plain", TEXT(HEAD), TEXT("The body.\r\n"), false },
	{ "no body", TEXT(HEAD), TEXT(""), false },
	{ "no last line end", TEXT(HEAD), TEXT("The body."), false },
	{ "blanks without line end", TEXT(HEAD), TEXT("one \t "), false },
	{ "blanks only", TEXT(HEAD), TEXT(" \t "), false },
	{ "blank lines only", TEXT(HEAD), TEXT("\r\n \r\n\t\r\n"), false },
	{ "blank lines at the end", TEXT(HEAD), TEXT("a\r\n\r\n \r\n"), false },
	{ "blank lines inside", TEXT(HEAD), TEXT("\r\n\r\na\r\n \r\nb\r\n"),
	    false },
	{ "blanks", TEXT(HEAD), TEXT(" a  b\tc \r\n\t\t\r\n d\r\n"), false },
	{ "line feeds alone", TEXT(HEAD), TEXT("a\nb \n c\r\n\n"), false },
	{ "line feed at the end", TEXT(HEAD), TEXT("a\n"), false },
	{ "NUL and 8-bit octets", TEXT(HEAD), TEXT("\0a\0\xff\xe9\r\n"),
	    false },
	{ "return inside", TEXT(HEAD), TEXT("a\rb\r\n"), true },
	{ "return before blank", TEXT(HEAD), TEXT("a\r b\r\n"), true },
	{ "return before line end", TEXT(HEAD), TEXT("a\r\r\n"), true },
	{ "return at the end", TEXT(HEAD), TEXT("a\r\nb\r"), true },
	{ "returns at the start", TEXT(HEAD), TEXT("\r\ra\r\n"), true },
	{ "folds and blanks", TEXT("FROM:a@example.com\nTo : \t b ,\n\tc \n"
				   "Subject:\n a\n  b\n \nDate:\n"), TEXT("x"),
	    false },
	{ "folds of CRLF", TEXT("From: a\r\n b\r\nSubject: c\r\n\td\r\n"),
	    TEXT("x"), false },
	{ "8-bit octets", TEXT("From: caf\xe9\nSubject: \xc3\xa9 \xa0 \x85\n"),
	    TEXT("x"), false },
	{ "many of a name", TEXT("To: 1\nFrom: 2\nTO: 3\nfrom: 4\nTo: 5\n"
				 "Cc: 6\nTo: 7\n"), TEXT("x"), false },
	{ "nothing oversigned there", TEXT("From: 1\n"), TEXT("x"), false },
	{ "no From", TEXT("To: a\nSubject: b\n"), TEXT("x"), false },
	{ "signatures of others", TEXT("DKIM-Signature: v=1; a=rubbish\n"
				       "DKIM-Signature: =;=\n" HEAD),
	    TEXT("x"), false },
	{ "odd names", TEXT("X;odd: a\n!: b\n" HEAD), TEXT("x"), false },
	{ "no field to sign", TEXT("X-A: b\n"), TEXT("x"), true },
	{ "no field", TEXT(""), TEXT("x"), true },
	{ "return in a field", TEXT("From: a\rb\n"), TEXT("x"), true },
	{ "NUL in a field", TEXT("From: a\0b\n"), TEXT("x"), true },
	{ "form feed in a field", TEXT("From: a\fb\n"), TEXT("x"), true },
	{ "vertical tab in a field", TEXT("From: \va\n"), TEXT("x"), true },
	{ "form feed in another", TEXT(HEAD "X-A: \f\n"), TEXT("x"), false },
};

static void
test_same_field(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(samples); i++) {
		const struct sample *c = &samples[i];
		struct dkim_message m = { .body = exact(f->a, c->body) };
		struct headers h;
		size_t at = 0, left;

		headers_init(&h, f->a);
		(void)headers_parse(&h, exact(f->a, c->header), &at);
		assert_int_equal(at, c->header.n);
		m.headers = &h;
		left = expect_same(f, c->name, m, request(NULL));
		if (left != (c->is_left ? NKEYS : 0))
			fail_msg("%s: %zu left", c->name, left);
	}
}

/* A sequence that is the same in each run. */
static uint32_t
next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

/* A bar in the alphabet stands for CRLF. */
static struct str
random_text(struct arena *a, uint32_t *x, const char *alphabet, size_t max)
{
	size_t n = next_random(x) % (max + 1), kinds = strlen(alphabet);
	char *p = arena_bytes(a, 2 * n + 1), *to = p;

	for (size_t i = 0; i < n; i++) {
		char c = alphabet[next_random(x) % kinds];

		if (c == '|')
			*to++ = '\r';
		*to++ = c == '|' ? '\n' : c;
	}
	return str_make(p, (size_t)(to - p));
}

static void
random_header(struct headers *h, struct arena *a, uint32_t *x)
{
	headers_init(h, a);
	for (size_t n = next_random(x) % 12; n > 0; n--)
		headers_append(h, names[next_random(x) % COUNT(names)],
		    random_text(a, x, "ab \t\xe9:;=", 90));
	for (size_t i = 0; i < h->n; i++)
		switch (next_random(x) % 6) {
		case 0:
			headers_delete(h, &h->v[i]);
			break;
		case 1:
			headers_change(h, &h->v[i],
			    random_text(a, x, "xy z\n\t", 60));
			break;
		default:
			break;
		}
	headers_add(h, STR("From"), random_text(a, x, "ab@.\n ", 80));
	if (next_random(x) % 2)
		headers_add(h, STR("List-Unsubscribe"), STR("<https://x/>"));
}

static void
random_edits(struct splices *s, struct arena *a, uint32_t *x, size_t length)
{
	size_t at = 0;

	while (next_random(x) % 4 != 0 && at < length) {
		size_t del;

		at += next_random(x) % (length - at + 1);
		del = next_random(x) % (length - at + 1);
		if (next_random(x) % 2)
			del = 0;
		splices_add(
		    s, a, at, del, random_text(a, x, "ab \n\t|||", 12));
		at += del + 1;
	}
	assert_int_equal(splices_sort(s, length), 0);
}

static void
test_same_field_of_edited(void **state)
{
	struct fixture *f = *state;
	uint32_t x = 20260725;
	size_t left = 0;

	for (int i = 0; i < 400; i++) {
		struct dkim_request r = request(NULL);
		struct splices edits = { 0 };
		struct dkim_message m = { .edits = &edits };
		struct headers h;

		random_header(&h, f->a, &x);
		m.headers = &h;
		m.body = exact(f->a,
		    random_text(f->a, &x, i % 8 ? "ab \n\t|||" : "a\r\n ", 60));
		random_edits(&edits, f->a, &x, m.body.n);
		r.selector = str_make("a.selector.of.some.length.or.other.x",
		    next_random(&x) % 36 + 1);
		r.domain = str_make("a.domain.of.some.length.or.other.example",
		    next_random(&x) % 40 + 1);
		r.time = next_random(&x) % 100000 + 1;
		r.nsign = next_random(&x) % (COUNT(names) + 1);
		r.noversign = next_random(&x) % (COUNT(more_names) + 1);
		left += expect_same(f, "random", m, r);
	}
	/* or nothing was compared */
	assert_in_range(left, 1, 400);
}

static void
test_same_field_of_long(void **state)
{
	struct fixture *f = *state;
	struct str many[90];
	struct headers h;
	struct dkim_message m = { .headers = &h, .body = STR("x") };
	struct dkim_request r = request(NULL);
	char *huge = arena_bytes(f->a, 70000);

	memset(huge, 'x', 70000);
	headers_init(&h, f->a);
	headers_append(&h, STR("From"), STR(" x"));
	for (size_t i = 0; i < COUNT(many); i++) {
		many[i] = arena_printf(f->a, "X-%.*s%zu", (int)(i * 7 % 50),
		    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", i);
		for (size_t n = 0; n < i * i % 9; n++)
			headers_append(&h, many[i], STR(" value"));
	}
	r.sign = many;
	r.oversign = many + 30;
	for (r.nsign = 0; r.nsign <= COUNT(many); r.nsign += 9) {
		r.noversign = r.nsign * 2 / 3;
		assert_int_equal(expect_same(f, "many names", m, r), 0);
	}
	for (size_t n = 0; n < 20000; n++)
		headers_append(&h, STR("To"), STR(" x"));
	assert_int_equal(expect_same(f, "20,000 of To", m, request(NULL)), 0);
	headers_append(&h, STR("Cc"), str_make(huge, 59000));
	assert_int_equal(expect_same(f, "59,000", m, request(NULL)), 0);
	headers_append(&h, STR("Cc"), str_make(huge, 70000));
	assert_int_equal(expect_same(f, "70,000", m, request(NULL)), NKEYS);
}

static void
test_time_is_given(void **state)
{
	static const int64_t times[] = { 1, 1767225600, 4102444800,
		INT64_C(253402300799) };
	struct fixture *f = *state;
	struct headers h;
	struct dkim_message m = { .headers = &h };
	struct dkim_request r = request(NULL);

	headers_init(&h, f->a);
	headers_append(&h, STR("From"), STR(" a"));
	for (size_t i = 0; i < COUNT(times); i++) {
		r.time = times[i];
		assert_int_equal(expect_same(f, "time", m, r), 0);
	}
	r.time = 0;
	assert_int_equal(expect_same(f, "no time", m, r), NKEYS);
}

/* Keys in other dresses: libopendkim takes what begins otherwise for DER. */
static void
test_key_texts(void **state)
{
	struct fixture *f = *state;
	struct str dressed = arena_printf(
	    f->a, "The key of example.com\n\n%s\ntrailing\n", rsa_pem);
	const char *why = NULL;
	struct dkim_key *k = dkim_key_parse_for(&dkim_opendkim, dressed, &why);
	struct headers h;
	struct dkim_message m = { .headers = &h };
	struct dkim_request r = request(f->keys[0][RSA]);
	struct str want;

	assert_non_null(k);
	headers_init(&h, f->a);
	headers_append(&h, STR("From"), STR(" a"));
	want = dkim_sign_message(f->a, &m, &r);
	r.key = k;
	expect_str("dressed", dkim_sign_message(f->a, &m, &r), want);
	assert_int_equal(m.ntaken_over, 0);
	dkim_key_free(&k);
}

/* What libopendkim refuses is an empty answer, no crash. */
static void
test_refused(void **state)
{
	struct fixture *f = *state;
	struct headers h;
	struct dkim_message m = { .headers = &h };
	struct dkim_request r = request(NULL);

	headers_init(&h, f->a);
	headers_append(&h, STR("From"), STR(" a"));
	r.domain = STR("exam\nple.com");
	for (size_t j = 0; j < NKEYS; j++) {
		r.key = f->keys[1][j];
		assert_int_equal(dkim_sign_message(f->a, &m, &r).n, 0);
	}
}

struct thread {
	pthread_t id;
	const struct dkim_key *key;
	struct str want;
	bool good;
};

static struct str
sign_newsletter(struct arena *a, const struct dkim_key *key)
{
	struct headers h;
	struct dkim_message m = { .headers = &h, .body = STR("Hi.\r\n") };
	struct dkim_request r = request(key);
	size_t at;

	headers_init(&h, a);
	(void)headers_parse(&h, STR(HEAD), &at);
	return dkim_sign_message(a, &m, &r);
}

static void *
sign_many(void *arg)
{
	struct thread *t = arg;
	struct arena *a = arena_new();

	t->good = true;
	for (int i = 0; i < 200; i++) {
		t->good = str_eq(sign_newsletter(a, t->key), t->want) &&
			  t->good;
		arena_reset(a);
	}
	arena_free(&a);
	return NULL;
}

static void
test_threads(void **state)
{
	struct fixture *f = *state;
	struct thread threads[4];

	for (size_t i = 0; i < COUNT(threads); i++) {
		threads[i].key = f->keys[1][RSA];
		threads[i].want = sign_newsletter(f->a, f->keys[0][RSA]);
		assert_int_equal(pthread_create(&threads[i].id, NULL,
				     sign_many, &threads[i]), 0);
	}
	for (size_t i = 0; i < COUNT(threads); i++) {
		assert_int_equal(pthread_join(threads[i].id, NULL), 0);
		assert_true(threads[i].good);
	}
}

/* Octets that a number of signatures leave behind. */
static size_t
left_behind(const struct dkim_key *key, int count)
{
	struct arena *a = arena_new();
	size_t before = 0, after;

	for (int i = -50; i < count; i++) {
		if (i == 0)
			before = mallinfo2().uordblks;
		(void)sign_newsletter(a, key);
		arena_reset(a);
	}
	after = mallinfo2().uordblks;
	arena_free(&a);
	return after > before ? after - before : 0;
}

static void
test_leak_is_known(void **state)
{
	struct fixture *f = *state;

	assert_in_range(left_behind(f->keys[1][RSA], 300), 0, 16384);
	/* libopendkim's own, and the reason why it is not the default */
	assert_in_range(left_behind(f->keys[1][ED25519], 300), 0, 300 * 700);
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(dkim_native.name, "native");
	assert_string_equal(dkim_opendkim.name, "opendkim");
	assert_true(dkim_engine_default() == &dkim_native ||
		    dkim_engine_default() == &dkim_opendkim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_field),
		cmocka_unit_test(test_same_field_of_edited),
		cmocka_unit_test(test_same_field_of_long),
		cmocka_unit_test(test_time_is_given),
		cmocka_unit_test(test_key_texts),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_leak_is_known),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
