/*
 * fuzz_listhdr.c - values of list fields: what is taken out of them has no
 * white space, and a List-Unsubscribe that we write is read as it was meant.
 */
#include "tests/fuzz/fuzz.h"

#include "mail/listhdr.h"

#define MAX_URIS 16

static bool
has_space(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (str_is_space(s.p[i]))
			return true;
	return false;
}

/* Others are percent-encoded where we write them. */
static bool
is_printable(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' ||
		    (unsigned char)s.p[i] >= 127)
			return false;
	return true;
}

static void
check_uris(struct arena *a, struct str value)
{
	struct str uris[MAX_URIS], again[MAX_URIS];
	size_t n = listhdr_uris(a, value, uris, MAX_URIS);

	for (size_t i = 0; i < n && i < MAX_URIS; i++) {
		struct str one;

		EXPECT(!has_space(uris[i]));
		EXPECT(str_chr(uris[i], '>', 0) == uris[i].n);
		if (!is_printable(uris[i]))
			continue;
		one = listhdr_unsubscribe(a, fuzz_exact(a, uris[i]), STR(""));
		EXPECT(listhdr_uris(a, fuzz_exact(a, one), again, MAX_URIS) ==
		    1);
		EXPECT_SAME(again[0], uris[i]);
	}
	if (n >= 2 && is_printable(uris[0]) && is_printable(uris[1])) {
		struct str both = listhdr_unsubscribe(a, uris[0], uris[1]);

		EXPECT(listhdr_uris(a, fuzz_exact(a, both), again,
		    MAX_URIS) == 2);
		EXPECT_SAME(again[0], uris[0]);
		EXPECT_SAME(again[1], uris[1]);
	}
}

static void
check_feedback(struct arena *a, struct str s)
{
	struct str out = listhdr_feedback_id(a, str_sub(s, 0, s.n / 3),
	    str_sub(s, s.n / 3, s.n / 2), str_sub(s, s.n / 2, s.n), s);
	size_t colons = 0;

	for (size_t i = 0; i < out.n; i++) {
		colons += out.p[i] == ':';
		EXPECT(out.p[i] == ':' || str_is_alpha(out.p[i]) ||
		    str_is_digit(out.p[i]) ||
		    strchr("._-", out.p[i]) != NULL);
	}
	EXPECT(colons == 3);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str value = fuzz_exact(a, str_make((const char *)data, size));

	EXPECT(listhdr_id(a, value).n <= value.n);
	check_uris(a, value);
	check_feedback(a, value);
	arena_free(&a);
	return 0;
}
