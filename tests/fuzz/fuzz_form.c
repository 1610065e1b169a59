/*
 * fuzz_form.c - bodies of POST to an unsubscribe link: nothing but one-click,
 * the page's form or an undo acts, and what acts has the words for it in it.
 *
 * The content type, a line, then the body.
 */
#include "tests/fuzz/fuzz.h"

#include "trackd/form.h"
#include "trackd/language.h"

/* Escapes may hide the words: then there is a "%". */
static bool
has_words(struct str body, struct str words)
{
	return str_ifind(body, words, 0) < body.n ||
	    str_chr(body, '%', 0) < body.n;
}

static void
check_form(struct str body, const struct form *f)
{
	switch (f->what) {
	case FORM_ONE_CLICK:
		EXPECT(has_words(body, STR("List-Unsubscribe")));
		EXPECT(has_words(body, STR("One-Click")));
		break;
	case FORM_PAGE:
		EXPECT(has_words(body, STR("List-Unsubscribe")));
		EXPECT(has_words(body, STR("page")));
		EXPECT(!f->is_domain || has_words(body, STR("domain")));
		break;
	case FORM_UNDO:
		EXPECT(f->stamp.n > 0 && f->stamp.n <= body.n);
		EXPECT(has_words(body, STR("undo")));
		break;
	case FORM_EMPTY:
		EXPECT(str_trim(body).n == 0);
		break;
	case FORM_UNREADABLE:
	case FORM_OTHER:
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct str languages[] = { { "en", 2 }, { "de", 2 } };
	struct str all = str_make((const char *)data, size);
	size_t line = str_chr(all, '\n', 0);
	struct arena *a = arena_new();
	struct str type = fuzz_exact(a, str_sub(all, 0, line));
	struct str body = fuzz_exact(a, str_sub(all, line + 1, all.n));
	struct form f;

	form_read(a, type, body, &f);
	check_form(body, &f);
	EXPECT(language_choose(type, languages, 2) < 2);
	arena_free(&a);
	return 0;
}
