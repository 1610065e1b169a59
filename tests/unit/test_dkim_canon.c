/*
 * test_dkim_canon.c - lib/mail/dkim_canon: the relaxed forms of bodies, whole
 * and in pieces, and of fields.
 */
#include "unit.h"

#include <stdio.h>

#include "base/hash.h"
#include "mail/dkim.h"
#include "mail/dkim_canon.h"

#define TEXT(lit)                                                              \
	{                                                                      \
		(lit), sizeof(lit) - 1                                         \
	}
#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

struct fixture {
	struct arena *a;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->a = arena_new();
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	arena_free(&f->a);
	free(f);
	return 0;
}

static void
expect_body(const char *name, const struct splices *edits, struct str body,
    struct str canonical)
{
	unsigned char got[DKIM_HASH_SIZE], want[DKIM_HASH_SIZE];

	hash_sha256(canonical, want);
	dkim_body_hash(edits, body, got);
	if (memcmp(got, want, sizeof(got)) != 0)
		fail_msg("body hash of %s", name);
}

static const struct {
	const char *name;
	struct str body, want;
} bodies[] = {
	{ "RFC 6376 3.4.5", TEXT(" C \r\nD \t E\r\n\r\n\r\n"),
	    TEXT(" C\r\nD E\r\n") },
	{ "empty", { "", 0 }, { "", 0 } },
	{ "one empty line", TEXT("\r\n"), { "", 0 } },
	{ "blank lines only", TEXT(" \r\n\t\r\n \t \r\n"), { "", 0 } },
	{ "blanks, no line end", TEXT(" \t "), { "", 0 } },
	{ "no line end", TEXT("a"), TEXT("a\r\n") },
	{ "no line end, blanks", TEXT("a \t"), TEXT("a\r\n") },
	{ "blank last line, no line end", TEXT("a\r\n\r\n  "), TEXT("a\r\n") },
	{ "leading empty lines", TEXT("\r\n \r\na\r\n"),
	    TEXT("\r\n\r\na\r\n") },
	{ "empty lines between", TEXT("a\r\n\r\n\t\r\nb\r\n"),
	    TEXT("a\r\n\r\n\r\nb\r\n") },
	{ "leading blanks", TEXT("\t \ta\r\n  b\r\n"), TEXT(" a\r\n b\r\n") },
	{ "single tab", TEXT("a\tb\r\n"), TEXT("a b\r\n") },
	{ "bare LF", TEXT("a \nb\r\n\n\r\n"), TEXT("a \nb\r\n\n\r\n") },
	{ "bare CR", TEXT("a  \rb\r\r\n"), TEXT("a \rb\r\r\n") },
	{ "CR at the end", TEXT("a\r"), TEXT("a\r\r\n") },
	{ "CR alone", TEXT("\r"), TEXT("\r\r\n") },
	{ "CR CR LF", TEXT("\r\r\n\r\n"), TEXT("\r\r\n") },
	{ "NUL and 8 bit", TEXT("\0 \xff\x80  \xe9\r\n"),
	    TEXT("\0 \xff\x80 \xe9\r\n") },
	{ "clean over eight", TEXT("one two three four five six seven\r\n"),
	    TEXT("one two three four five six seven\r\n") },
	{ "pair across words", TEXT("1234567  9abcdef  hijklmno\r\n"),
	    TEXT("1234567 9abcdef hijklmno\r\n") },
	{ "tab across words", TEXT("1234567 \t9abcde\t\thijklmnopq\r\n"),
	    TEXT("1234567 9abcde hijklmnopq\r\n") },
	{ "bytes beside the blanks",
	    TEXT(" !!!!!!!!! \x08\x0a\x21\x1f!  !\r\n"),
	    TEXT(" !!!!!!!!! \x08\x0a\x21\x1f! !\r\n") },
	{ "other white space", TEXT("a\x0b \x0c\r\n\x0b\r\n"),
	    TEXT("a\x0b \x0c\r\n\x0b\r\n") },
};

static void
test_body(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(bodies); i++)
		expect_body(bodies[i].name, NULL, exact(f->a, bodies[i].body),
		    bodies[i].want);
}

/* Every body, cut in two at every place, each side its own block. */
static void
test_body_in_pieces(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(bodies); i++)
		for (size_t cut = 0; cut <= bodies[i].body.n; cut++) {
			struct str b = bodies[i].body;
			struct str head = exact(f->a, str_sub(b, 0, cut));
			struct str tail = exact(f->a, str_sub(b, cut, b.n));
			struct splice v[] = { { 0, 3, head }, { 3, 0, tail } };
			struct splices edits = { v, 2, 2 };

			expect_body(
			    bodies[i].name, &edits, STR("old"), bodies[i].want);
		}
}

/* RFC 6376 section 3.4.4, word by word: slow, and sure. */
static struct str
relaxed_body(struct arena *a, struct str in)
{
	char *out = arena_bytes(a, in.n + 2);
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		bool at_end = str_starts(str_sub(in, i, in.n), STR("\r\n"));

		if (at_end)
			while (n > 0 && out[n - 1] == ' ')
				n--;
		if (in.p[i] != ' ' && in.p[i] != '\t')
			out[n++] = in.p[i];
		else if (n == 0 || out[n - 1] != ' ')
			out[n++] = ' ';
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	while (n >= 2 && memcmp(out + n - 2, "\r\n", 2) == 0)
		n -= 2;
	if (n > 0) {
		memcpy(out + n, "\r\n", 2);
		n += 2;
	}
	return str_make(out, n);
}

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static struct str
random_body(struct arena *a, uint32_t *seed, size_t max)
{
	static const char alphabet[] = "ab \t\r\n!";
	size_t n = next_random(seed) % max;
	char *p = arena_bytes(a, n + 1);
	uint32_t dense = next_random(seed) % 3;

	for (size_t i = 0; i < n; i++) {
		uint32_t r = next_random(seed);

		if (dense != 0 && r % 8 < 5)
			p[i] = (char)(r >> 8);
		else if (r % 5 == 0 && i + 1 < n)
			p[i] = '\r', p[++i] = '\n';
		else
			p[i] = alphabet[(r >> 4) % (sizeof(alphabet) - 1)];
	}
	return str_make(p, n);
}

/* Pieces of a body, as many small edits that replace it by itself. */
static struct splices
random_edits(struct arena *a, uint32_t *seed, struct str body)
{
	struct splices s = { 0 };

	for (size_t at = 0; at < body.n;) {
		size_t n = next_random(seed) % (body.n / 4 + 2) + 1;
		struct splice e = { .at = at };

		e.del = n < body.n - at ? n : body.n - at;
		e.ins = exact(a, str_sub(body, at, at + e.del));
		if (next_random(seed) % 2 == 0) {
			s.v = arena_grow(a, s.v, s.n, &s.cap, sizeof(*s.v));
			s.v[s.n++] = e;
		}
		at += e.del;
	}
	return s;
}

static void
test_body_property(void **state)
{
	uint32_t seed = 20260101;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct arena *a = arena_new();
		size_t max = i % 100 == 0 ? 40000 : 120;
		struct str body = exact(a, random_body(a, &seed, max));
		struct splices edits = random_edits(a, &seed, body);
		struct str want = relaxed_body(a, body);
		char name[32];

		snprintf(name, sizeof(name), "random %d", i);
		expect_body(name, NULL, body, want);
		expect_body(name, &edits, body, want);
		arena_free(&a);
	}
}

/* What is rare, at every place of a text that is hashed by long steps. */
static void
test_body_steps(void **state)
{
	static const char *const rare[] = { "", " ", "\t", "  ", " \t", "\t ",
		" \r\n", "\t\r\n", "\r\n", "\r\n\r\n", "\r\n \r\n", "\r", " \r",
		"\r ", "\r\r\n", "\n", " \n", " \x1f", "\r\n  " };

	(void)state;
	for (size_t i = 0; i < COUNT(rare) * 71 * 71; i++) {
		struct arena *a = arena_new();
		struct str odd = str_from(rare[i / (71 * 71)]), body, want;
		size_t before = i / 71 % 71, n = before + odd.n + i % 71;
		char *p = arena_bytes(a, n);

		memset(p, 'x', n);
		if (odd.n > 0)
			memcpy(p + before, odd.p, odd.n);
		body = exact(a, str_make(p, n));
		want = relaxed_body(a, body);
		expect_body(rare[i / (71 * 71)], NULL, body, want);
		arena_free(&a);
	}
}

/* Texts around the size that is hashed without a copy, one after another. */
static void
test_body_sizes(void **state)
{
	struct fixture *f = *state;
	char *p = arena_bytes(f->a, 40000);

	for (size_t size = 4080; size < 4110; size++) {
		size_t n = 0;

		for (size_t i = 0; i < 8; i++) {
			memset(p + n, 'a' + (int)i, size - i);
			n += size - i;
			memcpy(p + n, i % 2 == 0 ? "\t\r\n" : "\t  ", 3);
			n += 3;
		}
		expect_body("sizes", NULL, exact(f->a, str_make(p, n)),
		    relaxed_body(f->a, str_make(p, n)));
	}
}

static void
test_long_blank_runs(void **state)
{
	struct fixture *f = *state;
	size_t n = 100000;
	char *p = arena_bytes(f->a, n);

	memset(p, ' ', n);
	p[0] = 'a';
	p[n - 1] = 'b';
	expect_body(
	    "blanks", NULL, exact(f->a, str_make(p, n)), STR("a b\r\n"));
	for (size_t i = 1; i + 1 < n; i += 2)
		memcpy(p + i, "\r\n", 2);
	expect_body("lines", NULL, exact(f->a, str_make(p, n - 1)),
	    relaxed_body(f->a, str_make(p, n - 1)));
}

static void
test_fields(void **state)
{
	static const struct {
		const char *name;
		struct str field, value, want;
	} cases[] = {
		{ "RFC 6376 3.4.5 A", TEXT("A"), TEXT(" X"), TEXT("a:X") },
		{ "RFC 6376 3.4.5 B", TEXT("B "), TEXT(" Y\t\n\tZ  "),
		    TEXT("b:Y Z") },
		{ "empty", TEXT("X-E"), { "", 0 }, TEXT("x-e:") },
		{ "blank", TEXT("X-E"), TEXT(" \t \n \t"), TEXT("x-e:") },
		{ "CRLF fold", TEXT("S"), TEXT(" a\r\n b"), TEXT("s:a b") },
		{ "fold at the start", TEXT("S"), TEXT("\n\tb\n c"),
		    TEXT("s:b c") },
		{ "bare CR", TEXT("S"), TEXT(" a\rb\r"), TEXT("s:a\rb\r") },
		{ "8 bit and NUL", TEXT("S"), TEXT(" \xe9\0 \xff "),
		    TEXT("s:\xe9\0 \xff") },
		{ "fold without blank", TEXT("S"), TEXT("a\nb"), TEXT("s:ab") },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t room = cases[i].field.n + 1 + cases[i].value.n;
		struct str block =
		    exact(f->a, str_make(arena_bytes(f->a, room), room));
		char *to = (char *)(uintptr_t)block.p;
		char *end = dkim_canon_field(
		    to, cases[i].field, exact(f->a, cases[i].value));

		expect_str(cases[i].name, str_make(to, (size_t)(end - to)),
		    cases[i].want);
	}
}

/* RFC 6376 section 3.4.2: unfold, make runs of blanks a space, trim. */
static struct str
relaxed_value(struct arena *a, struct str in)
{
	char *out = arena_bytes(a, in.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		bool is_crlf = str_starts(str_sub(in, i, in.n), STR("\r\n"));

		if (in.p[i] == '\n' || is_crlf)
			continue;
		if (in.p[i] != ' ' && in.p[i] != '\t')
			out[n++] = in.p[i];
		else if (n > 0 && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	if (n > 0 && out[n - 1] == ' ')
		n--;
	return str_make(out, n);
}

static void
test_field_property(void **state)
{
	uint32_t seed = 20261123;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct arena *a = arena_new();
		struct str value = exact(a, random_body(a, &seed, 100));
		struct str want[] = { STR("x-y:"), relaxed_value(a, value) };
		struct str block = exact(a,
		    str_make(arena_bytes(a, value.n + 4), value.n + 4));
		char *to = (char *)(uintptr_t)block.p;
		char *end = dkim_canon_field(to, STR("X-Y"), value);

		expect_str("random value", str_make(to, (size_t)(end - to)),
		    arena_join(a, want, 2));
		arena_free(&a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_body_in_pieces),
		cmocka_unit_test(test_body_property),
		cmocka_unit_test(test_body_steps),
		cmocka_unit_test(test_body_sizes),
		cmocka_unit_test(test_long_blank_runs),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_field_property),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
