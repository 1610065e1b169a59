/*
 * claims_html.c - each edit of an HTML text is one that the engine makes, can
 * be turned back, and leaves all tags as they were.
 */
#include "tests/fuzz/claims.h"

#include "bulkhead/names.h"
#include "bulkhead/token.h"
#include "engine/link.h"
#include "engine/placeholder.h"
#include "mail/charset.h"
#include "tests/fuzz/fuzz.h"

#define PIXEL STR("<img src=\"")

struct look {
	const struct outcome *o;
	const struct part *part;
	bool *seen; /* for each edit: it was explained */
	size_t npixels, nplaces;
};

/* The edit of that span, or NULL. */
static const struct splice *
edit_at(const struct look *k, size_t at, size_t del)
{
	const struct splices *s = &k->part->edits;

	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].at == at && s->v[i].del == del && !k->seen[i])
			return &s->v[i];
	return NULL;
}

static void
explain(struct look *k, const struct splice *e)
{
	k->seen[e - k->part->edits.v] = true;
}

/* What stands behind base and path, without an end that must be there. */
static struct str
token_text(const struct look *k, struct str url, const char *path,
    const char *end)
{
	struct str base = k->o->m->domain->tracking_url;

	EXPECT(str_starts(url, base));
	url = str_sub(url, base.n, url.n);
	EXPECT(str_starts(url, str_from(path)));
	EXPECT(str_iends(url, str_from(end)));
	return str_sub(url, strlen(path), url.n - strlen(end));
}

static void
check_token(const struct look *k, enum token_kind kind, struct str text,
    struct str url)
{
	const struct message *m = k->o->m;
	struct token t;

	EXPECT(token_open(k->o->arena, m->keyring->tokens, kind,
	    m->domain->tracking_host, fuzz_exact(k->o->arena, text),
	    &t) == 0);
	EXPECT_SAME(t.url, url);
	EXPECT_SAME(t.domain, m->domain->name);
	EXPECT_SAME(t.recipient, m->recipient);
	EXPECT(t.stream == m->stream->id);
}

/* The URL that an attribute's value stands for, as a browser has it. */
static struct str
url_of(const struct look *k, struct str value)
{
	struct buf text, decoded;
	struct str url;
	char *out;
	size_t n = 0;

	buf_init(&text, 1 << 20);
	buf_init(&decoded, 1 << 20);
	EXPECT(charset_url_utf8(k->part->mime->charset, value, &text) == 0);
	EXPECT(html_decode_attr(buf_view(&text), &decoded) == 0);
	url = buf_view(&decoded);
	while (url.n > 0 && (unsigned char)url.p[0] <= ' ')
		url = str_sub(url, 1, url.n);
	while (url.n > 0 && (unsigned char)url.p[url.n - 1] <= ' ')
		url.n--;
	out = arena_bytes(k->o->arena, url.n);
	for (size_t i = 0; i < url.n; i++)
		if (strchr("\t\r\n", url.p[i]) == NULL || url.p[i] == '\0')
			out[n++] = url.p[i];
	buf_free(&text);
	buf_free(&decoded);
	return str_make(out, n);
}

/* A link that leads to trackd says where it led. */
static void
check_link(struct look *k, const struct html_attr *href)
{
	const struct splice *e = edit_at(k, href->value_at, href->value.n);
	struct str ins;

	if (e == NULL || e->ins.n == 0 || str_starts(e->ins, PIXEL) ||
	    str_eq(e->ins, k->o->m->unsubscribe_url))
		return;
	explain(k, e);
	ins = e->ins;
	if (str_iends(ins, STR("&#45;")))
		ins = arena_printf(k->o->arena, "%.*s-",
		    STR_ARG(str_sub(ins, 0, ins.n - 5)));
	check_token(k, TOKEN_CLICK, token_text(k, ins, NAME_PATH_CLICK, ""),
	    url_of(k, href->value));
}

/* An opt-out that is gone went alone, but for the blanks before it. */
static void
check_opt_out(struct look *k, const struct html_attr *x)
{
	struct str text = k->part->coded.text;
	size_t from = x->at;

	if (!link_is_opt_out(x))
		return;
	for (;;) {
		const struct splice *e = edit_at(k, from, x->end - from);

		if (e != NULL && e->ins.n == 0)
			explain(k, e);
		if (e != NULL || from == 0 || !str_is_space(text.p[from - 1]))
			return;
		from--;
	}
}

static void
look_at_tags(struct look *k)
{
	struct html_lexer *l = arena_alloc(k->o->arena, sizeof(*l));
	struct html_token t;

	html_init(l, k->part->coded.text);
	while (html_next(l, &t)) {
		const struct html_attr *href;

		if (t.kind != HTML_START || !link_is_element(&t))
			continue;
		href = link_href(&t);
		if (href != NULL)
			check_link(k, href);
		for (size_t i = 0; i < t.nattrs; i++)
			check_opt_out(k, &t.attrs[i]);
	}
}

static void
look_at_places(struct look *k)
{
	struct placeholder_search search;
	size_t at, len;

	placeholder_search_init(&search, k->part->coded.text);
	while (placeholder_next(&search, &at, &len)) {
		const struct splice *e = edit_at(k, at, len);

		if (e == NULL || !str_eq(e->ins, k->o->m->unsubscribe_url))
			continue;
		explain(k, e);
		k->nplaces++;
	}
}

static void
look_at_pixels(struct look *k)
{
	const struct splices *s = &k->part->edits;

	for (size_t i = 0; i < s->n; i++) {
		struct str url = str_sub(s->v[i].ins, PIXEL.n, s->v[i].ins.n);

		if (!str_starts(s->v[i].ins, PIXEL) || s->v[i].del != 0)
			continue;
		url = str_sub(url, 0, str_chr(url, '"', 0));
		check_token(k, TOKEN_OPEN, token_text(k, url, NAME_PATH_OPEN,
		    NAME_PATH_OPEN_END), STR(""));
		explain(k, &s->v[i]);
		k->npixels++;
	}
	EXPECT(k->npixels <= 1);
}

static bool
is_pixel(const struct look *k, const struct html_token *t)
{
	struct str url = k->o->m->domain->tracking_url;

	return t->kind == HTML_START && str_eq(t->name, STR("img")) &&
	    t->nattrs == 5 && str_starts(t->attrs[0].value, url) &&
	    str_iends(t->attrs[0].value, STR(NAME_PATH_OPEN_END));
}

/* The same tags in the same order, and nothing else but the pixel. */
static void
compare_tags(const struct look *k)
{
	struct arena *a = k->o->arena;
	struct html_lexer *l = arena_alloc(a, sizeof(*l));
	struct html_lexer *r = arena_alloc(a, sizeof(*r));
	struct str now = fuzz_exact(a, splices_apply(&k->part->edits, a,
	    k->part->coded.text));
	struct html_token t, u;
	size_t npixels = 0;

	html_init(l, k->part->coded.text);
	html_init(r, now);
	while (html_next(r, &u)) {
		if (npixels < k->npixels && is_pixel(k, &u)) {
			npixels++;
			continue;
		}
		EXPECT(html_next(l, &t));
		EXPECT(t.kind == u.kind && t.in_conditional ==
		    u.in_conditional && t.self_closing == u.self_closing);
		EXPECT_SAME(u.name, t.name);
		EXPECT_SAME(str_sub(u.text, 0, 20), str_sub(t.text, 0, 20));
		EXPECT(u.nattrs <= t.nattrs);
	}
	EXPECT(!html_next(l, &t));
}

void
claims_html(const struct outcome *o, const struct part *part)
{
	struct look k = { .o = o, .part = part };

	k.seen = arena_array(o->arena, part->edits.n + 1, sizeof(bool));
	look_at_tags(&k);
	look_at_places(&k);
	look_at_pixels(&k);
	for (size_t i = 0; i < part->edits.n; i++)
		EXPECT(k.seen[i]);
	if (k.nplaces == 0)
		compare_tags(&k);
}
