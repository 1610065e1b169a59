/*
 * pages.c - fills pages for a reader.  What they say is in pages_text.c, or in
 * the operator's files, which pages_load.c reads.
 */
#include "trackd/pages.h"

#include "mail/charset.h"
#include "trackd/language.h"
#include "trackd/pages_private.h"
#include "trackd/pages_text.h"
#include "trackd/template.h"

#define PAGE_MAX (8u << 20)

/* The form posts to where it came from, whatever a proxy made of the path. */
#define ACTION STR("?")

/* Octets of the first character; 0 when it is no UTF-8. */
static size_t
first_character(struct str s)
{
	size_t n = 1;

	while (n < s.n && n < 4 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n++;
	return s.n > 0 && charset_is_utf8(str_sub(s, 0, n)) ? n : 0;
}

struct str
page_mask(struct arena *a, struct str address)
{
	size_t at = address.n;

	while (at > 0 && address.p[at - 1] != '@')
		at--;
	if (at == 0)
		return STR("");
	return arena_printf(a, "%.*s…%.*s",
	    STR_ARG(str_sub(address, 0,
		first_character(str_sub(address, 0, at - 1)))),
	    STR_ARG(str_sub(address, at - 1, address.n)));
}

static void
escape_byte(struct buf *b, char c)
{
	switch (c) {
	case '&':
		buf_puts(b, "&amp;");
		break;
	case '<':
		buf_puts(b, "&lt;");
		break;
	case '>':
		buf_puts(b, "&gt;");
		break;
	case '"':
		buf_puts(b, "&quot;");
		break;
	case '\'':
		buf_puts(b, "&#39;");
		break;
	default:
		if ((unsigned char)c >= 0x20 && c != 0x7f)
			buf_char(b, c);
	}
}

/* As HTML, in text or a quoted attribute; what is no UTF-8 is U+FFFD. */
static struct str
escape(struct arena *a, struct str s)
{
	struct buf b;
	struct str out;

	buf_init(&b, 6 * s.n + 1);
	for (size_t i = 0; i < s.n;) {
		size_t n = first_character(str_sub(s, i, s.n));

		if (n == 0)
			buf_puts(&b, "\xef\xbf\xbd");
		else if (n > 1)
			buf_str(&b, str_sub(s, i, i + n));
		else
			escape_byte(&b, s.p[i]);
		i += n == 0 ? 1 : n;
	}
	out = arena_copy(a, buf_view(&b));
	buf_free(&b);
	return out;
}

static struct str
fields_of(struct arena *a, enum page page, const struct page_values *v)
{
	if (page == PAGE_UNSUBSCRIBE)
		return STR("<input type=\"hidden\" name=\"List-Unsubscribe\" "
			   "value=\"page\">");
	if (page != PAGE_DONE || v->stamp.n == 0)
		return STR("");
	return arena_printf(a, "<input type=\"hidden\" name=\"undo\" "
	    "value=\"%.*s\">", STR_ARG(escape(a, v->stamp)));
}

static struct str
expand(struct arena *a, struct str text, const struct str *values,
    bool with_undo)
{
	struct buf b;
	struct str out;

	buf_init(&b, PAGE_MAX);
	template_expand(text, values, with_undo, &b);
	out = arena_copy(a, buf_view(&b));
	buf_free(&b);
	return out;
}

struct str
page_write(const struct pages *p, struct arena *a, enum page page,
    struct str accept_language, const struct page_values *v,
    struct str *language)
{
	size_t i = language_choose(accept_language, p->languages,
	    p->nlanguages);
	const struct page_template *t = &p->pages[page][i];
	struct str values[TEMPLATE_VALUES] = {
		[TEMPLATE_RECIPIENT] = escape(a, page_mask(a, v->recipient)),
		[TEMPLATE_SENDER] = escape(a, v->sender),
		[TEMPLATE_STREAM] =
		    escape(a, v->stream.n > 0 ? v->stream : v->sender),
		[TEMPLATE_ACTION] = ACTION,
		[TEMPLATE_FIELDS] = fields_of(a, page, v),
		[TEMPLATE_LANG] =
		    t->language.n > 0 ? t->language : p->languages[i],
		[TEMPLATE_MESSAGE] = STR(""),
	};
	size_t words = i < PAGES_LANGUAGES ? i : 0;

	*language = t->language;
	values[TEMPLATE_MESSAGE] = expand(a,
	    pages_text_message(words, v->message), values, false);
	return expand(a, t->text, values, v->stamp.n > 0);
}
