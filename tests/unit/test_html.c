/*
 * test_html.c - lib/mail/html: the states of the tokenizer, conditional
 * comments, spans, and character references both ways.
 */
#include "unit.h"

#include <stdio.h>
#include <time.h>

#include "base/buf.h"
#include "mail/html.h"

static void
show_attrs(struct buf *b, const struct html_token *t)
{
	for (size_t i = 0; i < t->nattrs; i++) {
		const struct html_attr *at = &t->attrs[i];

		buf_printf(b, " %.*s", STR_ARG(at->name));
		if (at->has_value && at->quote != 0)
			buf_printf(b, "=%c%.*s%c", at->quote,
			    STR_ARG(at->value), at->quote);
		else if (at->has_value)
			buf_printf(b, "=%.*s", STR_ARG(at->value));
		if (at->is_duplicate)
			buf_puts(b, "(again)");
	}
}

/* "<a b='c'>", "</a>", "{comment}"; what is in a conditional after '?'. */
static void
show(struct buf *b, const struct html_token *t)
{
	if (t->in_conditional)
		buf_char(b, '?');
	if (t->kind == HTML_COMMENT) {
		buf_printf(b, "{%.*s}", STR_ARG(t->text));
		return;
	}
	buf_printf(b, "<%s%.*s", t->kind == HTML_END ? "/" : "",
	    STR_ARG(t->name));
	show_attrs(b, t);
	buf_puts(b, t->self_closing ? "/>" : ">");
}

/* Spans lie in the text, in order, and hold what they say. */
static void
check_token(const char *name, struct str text, const struct html_token *t,
    size_t last_end)
{
	bool ok = t->at >= last_end && t->end > t->at && t->end <= text.n &&
	    text.p[t->at] == '<';

	for (size_t i = 0; ok && i < t->nattrs; i++) {
		const struct html_attr *at = &t->attrs[i];
		size_t value_end = at->value_at + at->value.n;

		ok = at->at > t->at && at->value_at >= at->at + at->name.n &&
		    at->end <= t->end && at->name.p == text.p + at->at &&
		    at->value.p == text.p + at->value_at &&
		    at->end == value_end + (at->quote != 0) &&
		    (at->has_value || at->value_at == at->end) &&
		    (i == 0 || at->at >= t->attrs[i - 1].end);
		if (ok && at->quote != 0)
			ok = text.p[at->value_at - 1] == at->quote &&
			    text.p[value_end] == at->quote;
	}
	if (!ok)
		fail_msg("%s: wrong span at %zu", name, t->at);
}

static void
collect(struct html_lexer *l, const char *name, struct buf *b)
{
	struct html_token t;
	size_t end = 0;

	buf_clear(b);
	buf_puts(b, "");
	while (html_next(l, &t)) {
		check_token(name, l->text, &t, end);
		show(b, &t);
		end = t.end;
	}
	assert_false(html_next(l, &t));
}

struct html_case {
	const char *text, *want;
};

static void
check_mail(const struct html_case *cases, size_t n)
{
	struct html_lexer *l = malloc(sizeof(*l));
	struct buf b;

	assert_non_null(l);
	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < n; i++) {
		struct arena *a = arena_new();

		html_init(l, exact(a, str_from(cases[i].text)));
		collect(l, cases[i].text, &b);
		expect_str(cases[i].text, buf_view(&b),
		    str_from(cases[i].want));
		arena_free(&a);
	}
	buf_free(&b);
	free(l);
}

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static void
test_tags(void **state)
{
	static const struct html_case cases[] = {
		{ "", "" },
		{ "text", "" },
		{ "a < b <3 <", "" },
		{ "<<a>", "<a>" },
		{ "<a>", "<a>" },
		{ "<A>x</A >", "<A></A>" },
		{ "<a/>", "<a/>" },
		{ "<a / >", "<a>" },
		{ "<a / />", "<a/>" },
		{ "<a//b>", "<a b>" },
		{ "<br/ >x<br/x/>", "<br><br x/>" },
		{ "</>x<a>", "<a>" },
		{ "</a b=c>", "</a b=c>" },
		{ "<a", "" },
		{ "<a b=\"c", "" },
		{ "<a b='c'", "" },
		{ "<a b=c", "" },
		{ "<a b=", "" },
		{ "<a b ", "" },
		{ "<a /", "" },
		{ "</", "" },
		{ "</a", "" },
		{ "<a <b>", "<a <b>" },
		{ "<a\tb\nc\fd\re>", "<a b c d e>" },
		{ "<a-b:c href=x>", "<a-b:c href=x>" },
		{ "<p1>", "<p1>" },
	};

	(void)state;
	check_mail(cases, COUNT(cases));
}

static void
test_attributes(void **state)
{
	static const struct html_case cases[] = {
		{ "<a b>", "<a b>" },
		{ "<a b=c>", "<a b=c>" },
		{ "<a b = c>", "<a b=c>" },
		{ "<a b=\"c d\">", "<a b=\"c d\">" },
		{ "<a b='c\"d'>", "<a b='c\"d'>" },
		{ "<a b=\"\">", "<a b=\"\">" },
		{ "<a b=>", "<a b=>" },
		{ "<a b= >", "<a b=>" },
		{ "<a b=\"c\"d=e>", "<a b=\"c\" d=e>" },
		{ "<a b=c/>", "<a b=c/>" },
		{ "<a b=\"c\"/>", "<a b=\"c\"/>" },
		{ "<a =b>", "<a =b>" },
		{ "<a ==b>", "<a ==b>" },
		{ "<a b==c>", "<a b==c>" },
		{ "<a \"b\"='c'>", "<a \"b\"='c'>" },
		{ "<a b=c\"d'e=`>", "<a b=c\"d'e=`>" },
		{ "<a b=1 c=2 B=3>", "<a b=1 c=2 B=3(again)>" },
		{ "<a b='>'>", "<a b='>'>" },
		{ "<a b=\"x>y\nz\">", "<a b=\"x>y\nz\">" },
		{ "<a b='c'></a><a d>", "<a b='c'></a><a d>" },
		{ "<a b/c>", "<a b c>" },
		{ "<a b /=c>", "<a b =c>" },
		{ "<a b=/>", "<a b=/>" },
	};

	(void)state;
	check_mail(cases, COUNT(cases));
}

static void
test_comments_and_declarations(void **state)
{
	static const struct html_case cases[] = {
		{ "<!---->", "{}" },
		{ "<!-->x", "{}" },
		{ "<!--->x", "{}" },
		{ "<!----->", "{-}" },
		{ "<!-- a -->", "{ a }" },
		{ "<!-- a -- b -->", "{ a -- b }" },
		{ "<!-- a --!>x<b>", "{ a }<b>" },
		{ "<!----!>x", "{}" },
		{ "<!---!>-->", "{-!>}" },
		{ "<!--!>-->", "{!>}" },
		{ "<!-- --!-->", "{ --!}" },
		{ "<!-- a > b -> c -->", "{ a > b -> c }" },
		{ "<!-- <a> <!-- b --> c -->", "{ <a> <!-- b }" },
		{ "<!-- <!-->", "{ <!}" },
		{ "<!--", "{}" },
		{ "<!---", "{}" },
		{ "<!----", "{}" },
		{ "<!-- a", "{ a}" },
		{ "<!-- a-", "{ a}" },
		{ "<!-- a--", "{ a}" },
		{ "<!-- a---", "{ a-}" },
		{ "<!-- a--!", "{ a}" },
		{ "<!", "{}" },
		{ "<!>", "{}" },
		{ "<!-", "{-}" },
		{ "<!x y>z", "{x y}" },
		{ "<!x", "{x}" },
		{ "<?php a > b?>", "{?php a }" },
		{ "<?", "{?}" },
		{ "</ a>", "{ a}" },
		{ "</3>", "{3}" },
		{ "</ ", "{ }" },
		{ "<!DOCTYPE html><a>", "<a>" },
		{ "<!doctype html PUBLIC \"x>y\"><a>", "<a>" },
		{ "<!doctype", "" },
		{ "<!doctyp>", "{doctyp}" },
		{ "<![CDATA[<a>]]>", "{[CDATA[<a}" },
	};

	(void)state;
	check_mail(cases, COUNT(cases));
}

static void
test_content_models(void **state)
{
	static const struct html_case cases[] = {
		{ "<title><a></title><b>", "<title></title><b>" },
		{ "<TEXTAREA><a></textAREA x=y><b>",
		    "<TEXTAREA></textAREA x=y><b>" },
		{ "<style></a></styles></style/><b>",
		    "<style></style/><b>" },
		{ "<style><!-- </style> --><b>", "<style></style><b>" },
		{ "<xmp></xmp <b>", "<xmp></xmp <b>" },
		{ "<iframe></iframe", "<iframe>" },
		{ "<iframe></iframe ", "<iframe>" },
		{ "<noembed><a>", "<noembed>" },
		{ "<noframes></noframe></noframes>", "<noframes></noframes>" },
		{ "<noscript><a></noscript>", "<noscript><a></noscript>" },
		{ "<plaintext><a></plaintext><!-- -->", "<plaintext>" },
		{ "<title/><a></title>", "<title/></title>" },
		{ "<titles><a>", "<titles><a>" },
		{ "<script>if (a<b) '<a>'</script><b>",
		    "<script></script><b>" },
		{ "<script></scripts></script\n>", "<script></script>" },
		{ "<script>< /script></script>", "<script></script>" },
		{ "<script><!--</script><b>", "<script></script><b>" },
		{ "<script><!--<script></script></script><b>",
		    "<script></script><b>" },
		{ "<script><!--<script></script><b>", "<script>" },
		{ "<script><!--<script>--></script><b>",
		    "<script></script><b>" },
		{ "<script><!--<script>- -></script><b></script><i>",
		    "<script></script><i>" },
		{ "<script><!--<scripts></script><b>",
		    "<script></script><b>" },
		{ "<script><!--><script></script><b>",
		    "<script></script><b>" },
		{ "<script><!--x--><script></script><b>",
		    "<script></script><b>" },
		{ "<script><!-<script></script><b>", "<script></script><b>" },
		{ "<script><!--<SCRIPT/</SCRIPT </script/><b>",
		    "<script></script/><b>" },
		{ "<script><!--<script </ script></script>-</script><b>",
		    "<script></script><b>" },
		{ "<script><!--<script", "<script>" },
	};

	(void)state;
	check_mail(cases, COUNT(cases));
}

static void
test_conditional_comments(void **state)
{
	static const struct html_case cases[] = {
		{ "<!--[if mso]><a b=c><![endif]--><d>", "?<a b=c><d>" },
		{ "<!--[IF gte mso 9]><v:rect href=x><![EndIf]--><d>",
		    "?<v:rect href=x><d>" },
		{ "<!--[if mso]></td></tr><![endif]-->x", "?</td>?</tr>" },
		{ "<!--[if !mso]><!--><a><!--<![endif]--><b>",
		    "<a>{<![endif]}<b>" },
		{ "<!--[if !mso]><!-- --><a><!-- <![endif]-->",
		    "<a>{ <![endif]}" },
		{ "<!--[if !mso]>--><a><!--<![endif]-->", "<a>{<![endif]}" },
		{ "<![if !mso]><a><![endif]>", "{[if !mso]}<a>{[endif]}" },
		{ "<!--[if mso]><a b=\"--><d>\"", "<d>" },
		{ "<!--[if mso]><style><a><![endif]--><d>", "?<style><d>" },
		{ "<!--[if mso]><style></style><a><![endif]--><d>",
		    "?<style>?</style>?<a><d>" },
		{ "<!--[if mso]><title><![endif]--><d></title>",
		    "?<title><d></title>" },
		{ "<!--[if mso]><a><![endif]><b>--><d>", "?<a><d>" },
		{ "<!--[if mso]><a><!-- x <![endif]--><d>", "?<a><d>" },
		{ "<!--[if mso]><!x><a><![endif]--><d>", "?{x}?<a><d>" },
		{ "<!--[if mso]><!-- x --!><d>", "<d>" },
		{ "<!--[if mso]><a", "" },
		{ "<!--[if mso]><a>", "?<a>" },
		{ "<!--[if mso]><a>--", "?<a>" },
		{ "<!--[if mso]>--><a>", "<a>" },
		{ "<!--[if mso]--><a>", "{[if mso]}<a>" },
		{ "<!-- [if mso]><a>--><d>", "{ [if mso]><a>}<d>" },
		{ "<!--[if mso]><a><![endif]--><!--[if ie]><b><![endif]-->",
		    "?<a>?<b>" },
		{ "<style><!--[if mso]><a><![endif]--></style>",
		    "<style></style>" },
		{ "<!--[if mso]><script><!--<script></script><![endif]--><d>",
		    "?<script><d>" },
	};

	(void)state;
	check_mail(cases, COUNT(cases));
}

static void
test_states_to_start_in(void **state)
{
	static const struct {
		enum html_state state;
		const char *last, *text, *want;
	} cases[] = {
		{ HTML_DATA, "", "<style><a>", "<style><a>" },
		{ HTML_DATA, "", "<!--[if mso]><a><![endif]-->",
		    "{[if mso]><a><![endif]}" },
		{ HTML_RCDATA, "xmp", "<a></xmp><a>", "</xmp><a>" },
		{ HTML_RCDATA, "", "<a></><a>", "" },
		{ HTML_RAWTEXT, "XMP", "</x></xmp/>", "</xmp/>" },
		{ HTML_SCRIPT, "script", "<!--<a></script>", "</script>" },
		{ HTML_PLAINTEXT, "x", "</x>", "" },
	};
	struct html_lexer *l = malloc(sizeof(*l));
	struct arena *a = arena_new();
	struct buf b;

	(void)state;
	assert_non_null(l);
	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < COUNT(cases); i++) {
		html_init_state(l, exact(a, str_from(cases[i].text)),
		    cases[i].state, exact(a, str_from(cases[i].last)));
		collect(l, cases[i].text, &b);
		expect_str(cases[i].text, buf_view(&b),
		    str_from(cases[i].want));
	}
	buf_free(&b);
	arena_free(&a);
	free(l);
}

/* Where that begins which the text ends in the middle of. */
static void
test_unfinished_markup_is_found(void **state)
{
	static const struct {
		const char *text, *before; /* the text up to it */
	} cases[] = {
		{ "x<a b=\"c>", "x" },
		{ "<p>x</a", "<p>x" },
		{ "<p>x</", "<p>x" },
		{ "<title>x</title a", "<title>x" },
		{ "x<!-- y > z", "x" },
		{ "x<!-- y --", "x" },
		{ "x<!y", "x" },
		{ "x<?y", "x" },
		{ "x<!doctype y", "x" },
		{ "x<!--[if mso]><p>", "x" },
		{ "<!--[if mso]><p <![endif]-->y", "<!--[if mso]><p "
		    "<![endif]-->y" },
		{ "<!-- y --><p>", "<!-- y --><p>" },
		{ "x<!-->", "x<!-->" },
		{ "1 < 2 <", "1 < 2 <" },
		{ "", "" },
	};
	struct html_lexer *l = malloc(sizeof(*l));
	struct arena *a = arena_new();
	struct html_token t;

	(void)state;
	assert_non_null(l);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct str text = exact(a, str_from(cases[i].text));

		html_init(l, text);
		while (html_next(l, &t))
			;
		expect_str(cases[i].text, str_sub(text, 0, l->open_tag),
		    str_from(cases[i].before));
	}
	arena_free(&a);
	free(l);
}

static void
test_octets_that_are_no_text(void **state)
{
	struct html_lexer *l = malloc(sizeof(*l));
	struct arena *a = arena_new();
	struct html_token t;
	struct str text = exact(a, STR("<a\0\351 b\0=\0c><!--\0-->\0<d>"));

	(void)state;
	assert_non_null(l);
	html_init(l, text);
	assert_true(html_next(l, &t));
	expect_str("name", t.name, STR("a\0\351"));
	expect_str("attr", t.attrs[0].name, STR("b\0"));
	expect_str("value", t.attrs[0].value, STR("\0c"));
	assert_true(html_next(l, &t));
	expect_str("comment", t.text, STR("\0"));
	assert_true(html_next(l, &t));
	expect_str("behind", t.name, STR("d"));
	assert_false(html_next(l, &t));
	html_init(l, str_make(NULL, 0));
	assert_false(html_next(l, &t));
	arena_free(&a);
	free(l);
}

static void
test_too_many_attributes(void **state)
{
	struct html_lexer *l = malloc(sizeof(*l));
	struct arena *a = arena_new();
	struct html_token t;
	struct buf b;

	(void)state;
	assert_non_null(l);
	buf_init(&b, 1 << 20);
	buf_puts(&b, "<a");
	for (int i = 0; i < HTML_MAX_ATTRS + 50; i++)
		buf_printf(&b, " x%d=\"y>\"", i);
	buf_puts(&b, "><b>");
	html_init(l, exact(a, buf_view(&b)));
	assert_true(html_next(l, &t));
	assert_int_equal(t.nattrs, HTML_MAX_ATTRS);
	assert_int_equal(t.end, b.n - 3);
	assert_true(html_next(l, &t));
	expect_str("behind", t.name, STR("b"));
	assert_int_equal(t.nattrs, 0);
	buf_free(&b);
	arena_free(&a);
	free(l);
}

static void
test_references(void **state)
{
	static const struct {
		const char *value, *want;
	} cases[] = {
		{ "", "" },
		{ "a=b&c=d", "a=b&c=d" },
		{ "a&amp;b", "a&b" },
		{ "a&ampb", "a&ampb" },
		{ "a&amp=b", "a&amp=b" },
		{ "a&amp", "a&" },
		{ "a&amp-b", "a&-b" },
		{ "&copy=1&copy;=1", "&copy=1\302\251=1" },
		{ "&lt;&LT;&gt&quot;", "<<>\"" },
		{ "&notit;&notin;&not", "&notit;\342\210\211\302\254" },
		{ "&Lt;&lT;", "\342\211\252&lT;" },
		{ "&unknown;&;&", "&unknown;&;&" },
		{ "&CounterClockwiseContourIntegral;", "\342\210\263" },
		{ "&CounterClockwiseContourIntegralX;",
		    "&CounterClockwiseContourIntegralX;" },
		{ "&AElig;&zwnj;", "\303\206\342\200\214" },
		{ "&fjlig;&NewLine;&semi;", "fj\n;" },
		{ "&NotEqualTilde;", "\342\211\202\314\270" },
		{ "&#65;&#x42;&#X43;&#68", "ABCD" },
		{ "&#65=&#x42g", "A=Bg" },
		{ "&#;&#x;&#xg;&#a;", "&#;&#x;&#xg;&#a;" },
		{ "&#0;&#xD800;&#x110000;", "\357\277\275\357\277\275"
		    "\357\277\275" },
		{ "&#99999999999999999999;&#4294967361;",
		    "\357\277\275\357\277\275" },
		{ "&#128;&#x9f;&#129;", "\342\202\254\305\270\302\201" },
		{ "&#233;&#x20AC;&#x1F600;",
		    "\303\251\342\202\254\360\237\230\200" },
		{ "&#13;", "\r" },
		{ "&&amp;amp;", "&&amp;" },
		{ "&amp;#38;", "&#38;" },
		{ "&am\303\251", "&am\303\251" },
	};
	struct arena *a = arena_new();
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_clear(&b);
		buf_puts(&b, "");
		assert_int_equal(html_decode_attr(
		    exact(a, str_from(cases[i].value)), &b), 0);
		expect_str(cases[i].value, buf_view(&b),
		    str_from(cases[i].want));
	}
	buf_free(&b);
	buf_init(&b, 2);
	assert_int_equal(html_decode_attr(STR("abc"), &b), -1);
	buf_clear(&b);
	assert_int_equal(html_encode_attr(STR("&"), '"', &b), -1);
	buf_free(&b);
	arena_free(&a);
}

static void
test_encoding(void **state)
{
	static const struct {
		char quote;
		const char *value, *want;
	} cases[] = {
		{ '"', "https://x/?a=b&c d", "https://x/?a=b&amp;c d" },
		{ '"', "<\"'>`", "&lt;&quot;&#39;&gt;`" },
		{ '\'', "'\n\r", "&#39;\n&#13;" },
		{ 0, "a=b c`\t\n\f'", "a&#61;b&#32;c&#96;&#9;&#10;&#12;&#39;" },
		{ 0, "", "" },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_clear(&b);
		buf_puts(&b, "");
		assert_int_equal(html_encode_attr(str_from(cases[i].value),
		    cases[i].quote, &b), 0);
		expect_str(cases[i].value, buf_view(&b),
		    str_from(cases[i].want));
	}
	buf_free(&b);
}

static unsigned
next_random(unsigned *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed >> 8;
}

static struct str
random_text(struct arena *a, unsigned *seed)
{
	static const char *const some[] = { "<", ">", "/", "!", "-", "--",
		"=", "\"", "'", "a", "b", " ", "\n", "\r", "&", "amp", ";",
		"#65", "#x", "<!--[if", "]>", "<![endif]", "-->", "script",
		"<script", "</script", "title", "style", "?", "[CDATA[",
		"href=", "&lt", "\303\251", "<a", "</a", "<!--" };
	char out[400];
	size_t n = 0, want = next_random(seed) % 40;

	for (size_t i = 0; i < want; i++) {
		const char *s = some[next_random(seed) % COUNT(some)];

		memcpy(out + n, s, strlen(s));
		n += strlen(s);
	}
	if (n > 0 && next_random(seed) % 4 == 0)
		out[next_random(seed) % n] = (char)next_random(seed);
	return exact(a, str_make(out, n));
}

/* Spans hold over any text; what was encoded means itself where it stands. */
static void
test_random_texts(void **state)
{
	static const char quotes[] = { '"', '\'', 0 };
	struct html_lexer *l = malloc(sizeof(*l));
	struct buf b, code;
	unsigned seed = 31;

	(void)state;
	assert_non_null(l);
	buf_init(&b, 1 << 20);
	buf_init(&code, 1 << 20);
	for (int round = 0; round < 30000; round++) {
		struct arena *a = arena_new();
		struct str text = random_text(a, &seed);
		char quote = quotes[round % 3];
		const char *q = quote == 0 ? "" : quote == '"' ? "\"" : "'";
		struct html_token t;

		html_init(l, text);
		collect(l, "random", &b);
		buf_clear(&code);
		buf_printf(&code, "<a x=%s", q);
		html_encode_attr(text, quote, &code);
		buf_printf(&code, "%s y=z>", q);
		html_init(l, exact(a, buf_view(&code)));
		assert_true(html_next(l, &t));
		if (text.n != 0 || quote != 0) {
			assert_int_equal(t.nattrs, 2);
			buf_clear(&b);
			buf_puts(&b, "");
			html_decode_attr(exact(a, t.attrs[0].value), &b);
			expect_str("round trip", buf_view(&b), text);
		}
		arena_free(&a);
	}
	buf_free(&b);
	buf_free(&code);
	free(l);
}

/* Sizes at which anything quadratic would be seen. */
static void
test_hostile_sizes(void **state)
{
	static const char *const units[] = { "<", "<!--", "<!", "</", "<a ",
		"<a b=\"", "<!--[if ]>", "--!", "<title>", "</title", "<script>",
		"<script><!--<script", "<!--[if x]><a>--><", "&#", "&a",
		"<!--[if x]><!--[if" , "a=b " };
	const size_t size = 1 << 20;
	struct html_lexer *l = malloc(sizeof(*l));
	char *p = malloc(size);

	(void)state;
	assert_non_null(l);
	assert_non_null(p);
	for (size_t i = 0; i < COUNT(units); i++) {
		size_t len = strlen(units[i]);
		clock_t start = clock();
		struct html_token t;
		struct buf b;

		for (size_t k = 0; k < size; k++)
			p[k] = units[i][k % len];
		html_init(l, str_make(p, size));
		while (html_next(l, &t))
			continue;
		p[0] = '<';
		p[1] = 'a';
		html_init(l, str_make(p, size));
		while (html_next(l, &t))
			continue;
		buf_init(&b, size * 6);
		assert_int_equal(html_decode_attr(str_make(p, size), &b), 0);
		buf_free(&b);
		assert_true((clock() - start) / CLOCKS_PER_SEC < 10);
	}
	free(p);
	free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_comments_and_declarations),
		cmocka_unit_test(test_content_models),
		cmocka_unit_test(test_conditional_comments),
		cmocka_unit_test(test_states_to_start_in),
		cmocka_unit_test(test_unfinished_markup_is_found),
		cmocka_unit_test(test_octets_that_are_no_text),
		cmocka_unit_test(test_too_many_attributes),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_encoding),
		cmocka_unit_test(test_random_texts),
		cmocka_unit_test(test_hostile_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
