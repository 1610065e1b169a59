/*
 * fuzz_charset.c - a charset's name in the first line and a text in it: what
 * comes out is UTF-8, and of UTF-8 nothing is changed.
 */
#include "tests/fuzz/fuzz.h"

#include "mail/charset.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str all = str_make((const char *)data, size), name, text;
	size_t lf = str_chr(all, '\n', 0);
	struct buf out;

	name = fuzz_exact(a, arena_lower(a, str_sub(all, 0, lf)));
	text = fuzz_exact(a, str_sub(all, lf + 1, all.n));
	charset_hides_ascii(name);
	buf_init(&out, 64 + 16 * size);
	EXPECT(charset_url_utf8(name, text, &out) == 0);
	EXPECT(charset_is_utf8(buf_view(&out)));
	if (name.n == 0 && charset_is_utf8(text))
		EXPECT_SAME(buf_view(&out), text);
	buf_free(&out);
	arena_free(&a);
	return 0;
}
