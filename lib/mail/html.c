/*
 * html.c - the tokenizer's loop: data, end tag open, and which content model
 * a start tag begins.  Tags, markup declarations and scripts have their files.
 */
#include "mail/html.h"

#include "mail/html_private.h"

void
html_init(struct html_lexer *l, struct str text)
{
	html_init_state(l, text, HTML_DATA, STR(""));
	l->follow_content = true;
	l->follow_conditional = true;
}

/* Not the whole structure: the attributes are large. */
void
html_init_state(struct html_lexer *l, struct str text, enum html_state state,
    struct str last_start)
{
	l->text = text.n != 0 ? text : STR("");
	l->at = 0;
	l->state = state;
	l->last_start = last_start;
	l->follow_content = false;
	l->follow_conditional = false;
	l->conditional_end = 0;
	l->limit = text.n;
	l->open_tag = text.n;
	l->nattrs = 0;
}

/*
 * The tree builder's part (section 13.2.6.4): scripting is off in mail
 * readers, so noscript is no raw text.
 */
static enum html_state
content_of(struct str name)
{
	static const struct {
		struct str name;
		enum html_state state;
	} models[] = {
		{ { "style", 5 }, HTML_RAWTEXT },
		{ { "title", 5 }, HTML_RCDATA },
		{ { "script", 6 }, HTML_SCRIPT },
		{ { "textarea", 8 }, HTML_RCDATA },
		{ { "xmp", 3 }, HTML_RAWTEXT },
		{ { "iframe", 6 }, HTML_RAWTEXT },
		{ { "noembed", 7 }, HTML_RAWTEXT },
		{ { "noframes", 8 }, HTML_RAWTEXT },
		{ { "plaintext", 9 }, HTML_PLAINTEXT },
	};

	if (name.n < 3) /* "a", "p", "td" and most others */
		return HTML_DATA;
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
		if (name.n == models[i].name.n &&
		    str_ieq(name, models[i].name))
			return models[i].state;
	return HTML_DATA;
}

static bool
read_start_tag(struct html_lexer *l, size_t lt, struct html_token *t)
{
	if (!html_read_tag(l, HTML_START, lt, lt + 1, t))
		return false;
	if (l->follow_content) {
		l->state = content_of(t->name);
		l->last_start = t->name;
	}
	return true;
}

void
html_end_inside(struct html_lexer *l, size_t lt)
{
	l->at = l->limit;
	if (l->conditional_end == 0)
		l->open_tag = lt;
}

/* "</": section 13.2.5.7. */
static bool
read_end_tag(struct html_lexer *l, size_t lt, struct html_token *t)
{
	char c;

	if (l->limit - lt < 3) {
		html_end_inside(l, lt);
		return false;
	}
	c = l->text.p[lt + 2];
	if (str_is_alpha(c))
		return html_read_tag(l, HTML_END, lt, lt + 2, t);
	if (c == '>') {
		l->at = lt + 3;
		return false;
	}
	return html_read_bogus(l, lt, lt + 2, t);
}

/* One tag, comment or doctype; without a token it may not be the last. */
static bool
read_data(struct html_lexer *l, struct html_token *t)
{
	const char *p = l->text.p;
	size_t at = l->at;

	/* tags often stand next to each other */
	if (p[at] != '<') {
		const char *lt = memchr(p + at, '<', l->limit - at);

		at = lt != NULL ? (size_t)(lt - p) : l->limit;
	}
	if (l->limit - at < 2) {
		l->at = l->limit;
		return false;
	}
	if (str_is_alpha(p[at + 1]))
		return read_start_tag(l, at, t);
	switch (p[at + 1]) {
	case '/':
		return read_end_tag(l, at, t);
	case '!':
		return html_read_markup(l, at, t);
	case '?':
		return html_read_bogus(l, at, at + 1, t);
	default:
		l->at = at + 1;
		return false;
	}
}

/* Text up to the one end tag that ends it. */
static bool
read_content(struct html_lexer *l, struct html_token *t)
{
	enum html_state state = l->state;
	size_t lt = l->limit;

	if (l->state == HTML_SCRIPT)
		lt = html_find_script_end(l);
	else if (l->state != HTML_PLAINTEXT)
		lt = html_find_text_end(l);
	if (lt == l->limit) {
		l->at = lt;
		return false;
	}
	l->state = HTML_DATA;
	if (html_read_tag(l, HTML_END, lt, lt + 2, t))
		return true;
	l->state = state;
	return false;
}

bool
html_next(struct html_lexer *l, struct html_token *t)
{
	for (;;) {
		if (l->at >= l->limit) {
			if (l->conditional_end == 0)
				return false;
			html_leave_conditional(l);
			continue;
		}
		if (l->state == HTML_DATA ? read_data(l, t) :
		    read_content(l, t))
			return true;
	}
}
