/*
 * fuzz_html.c - an HTML text: spans are ordered and say what stands there, and
 * a value that is replaced is the only thing that changes.
 */
#include "tests/fuzz/fuzz.h"

#include "base/buf.h"
#include "mail/html.h"

#define URL	"https://t.example.com/c/AbC-_9"
#define MAX_OUT (8u << 20)

/* A token without its attributes, and one of these. */
struct seen {
	struct html_token t;
	struct html_attr attr;
	size_t nattrs;
};

static void
check_attr(const struct html_token *t, size_t i, struct str text)
{
	const struct html_attr *x = &t->attrs[i];

	EXPECT(x->at > t->at && x->end < t->end);
	EXPECT(x->at + x->name.n <= x->value_at && x->value_at <= x->end);
	EXPECT_SAME(str_sub(text, x->at, x->at + x->name.n), x->name);
	EXPECT_SAME(str_sub(text, x->value_at, x->value_at + x->value.n),
	    x->value);
	EXPECT(x->has_value || x->value.n == 0);
	EXPECT(x->quote == 0 || (x->value_at > 0 &&
	    text.p[x->value_at - 1] == x->quote && x->end > 0 &&
	    text.p[x->end - 1] == x->quote));
	EXPECT(x->quote != 0 || x->value_at + x->value.n == x->end);
	if (i > 0)
		EXPECT(x->at >= x[-1].end);
}

static void
check_token(const struct html_token *t, size_t from, struct str text)
{
	EXPECT(t->at >= from && t->at < t->end && t->end <= text.n);
	EXPECT(text.p[t->at] == '<');
	EXPECT(t->nattrs <= HTML_MAX_ATTRS);
	if (t->kind == HTML_COMMENT) {
		EXPECT(fuzz_is_in(t->text.p, t->text.n,
		    str_sub(text, t->at, t->end)));
		return;
	}
	EXPECT(t->name.n > 0 && str_is_alpha(t->name.p[0]));
	EXPECT(text.p[t->end - 1] == '>');
	EXPECT(fuzz_is_in(t->name.p, t->name.n, str_sub(text, t->at, t->end)));
	for (size_t i = 0; i < t->nattrs; i++)
		check_attr(t, i, text);
}

/* What a value says survives being written in any kind of quotes. */
static void
check_value(struct str value)
{
	static const char quotes[] = { '"', '\'', 0 };
	struct buf plain, coded, again;

	buf_init(&plain, MAX_OUT);
	buf_init(&coded, MAX_OUT);
	buf_init(&again, MAX_OUT);
	EXPECT(html_decode_attr(value, &plain) == 0);
	for (size_t i = 0; i < sizeof(quotes); i++) {
		buf_clear(&coded);
		buf_clear(&again);
		EXPECT(html_encode_attr(buf_view(&plain), quotes[i],
		    &coded) == 0);
		EXPECT(quotes[i] == 0 || str_chr(buf_view(&coded), quotes[i],
		    0) == coded.n);
		EXPECT(html_decode_attr(buf_view(&coded), &again) == 0);
		EXPECT_SAME(buf_view(&again), buf_view(&plain));
	}
	buf_free(&plain);
	buf_free(&coded);
	buf_free(&again);
}

/* The token number at, with its last attribute that has a value. */
static size_t
tokens(struct arena *a, struct str text, size_t at, struct seen *s)
{
	struct html_lexer *l = arena_alloc(a, sizeof(*l));
	struct html_token t;
	size_t n = 0, from = 0;

	html_init(l, text);
	for (; html_next(l, &t); n++) {
		check_token(&t, from, text);
		from = t.end;
		if (n != at)
			continue;
		s->t = t;
		s->nattrs = 0;
		for (size_t i = 0; i < t.nattrs; i++)
			if (t.attrs[i].has_value) {
				s->attr = t.attrs[i];
				s->nattrs = i + 1;
			}
	}
	return n;
}

/* Writes a URL over the value, as the engine does, and reads again. */
static void
check_replaced(struct arena *a, struct str text, size_t at,
    const struct seen *s)
{
	const struct html_attr *x = &s->attr;
	struct seen now = { .nattrs = 0 };
	struct buf out;

	buf_init(&out, MAX_OUT);
	buf_str(&out, str_sub(text, 0, x->value_at));
	EXPECT(html_encode_attr(STR(URL), x->quote, &out) == 0);
	buf_str(&out, str_sub(text, x->value_at + x->value.n, text.n));
	tokens(a, fuzz_exact(a, buf_view(&out)), at, &now);
	EXPECT(now.nattrs == s->nattrs && now.t.at == s->t.at);
	EXPECT(now.t.end == s->t.end - x->value.n + sizeof(URL) - 1);
	EXPECT_SAME(now.attr.value, STR(URL));
	EXPECT_SAME(now.attr.name, x->name);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = fuzz_exact(a, str_make((const char *)data, size));
	struct html_lexer *l = arena_alloc(a, sizeof(*l));
	struct seen s = { .nattrs = 0 };
	struct html_token t;
	size_t n = tokens(a, text, 0, &s), at = 0, links = 0;

	html_init(l, text);
	for (; html_next(l, &t); at++) {
		struct seen here = { .t = t };

		for (size_t i = 0; i < t.nattrs; i++) {
			if (!t.attrs[i].has_value)
				continue;
			here.attr = t.attrs[i];
			here.nattrs = i + 1;
			if (links < 8)
				check_value(t.attrs[i].value);
		}
		if (here.nattrs > 0 && links++ < 8)
			check_replaced(a, text, at, &here);
	}
	EXPECT(at == n);
	html_init_state(l, text, (enum html_state)(fuzz_hash(text) % 5),
	    STR("title"));
	while (html_next(l, &t))
		EXPECT(t.at < t.end && t.end <= text.n);
	check_value(text);
	arena_free(&a);
	return 0;
}
