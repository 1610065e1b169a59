/*
 * html_markup.c - what begins with "<!" (WHATWG HTML sections 13.2.5.41 to
 * 13.2.5.53), and the conditional comments that Outlook follows.  A CDATA
 * section is a bogus comment: there is no foreign content here.
 */
#include "mail/html_private.h"

/* Offset of a byte in [from, l->limit), or l->limit. */
static size_t
find(const struct html_lexer *l, char c, size_t from)
{
	const char *hit = memchr(l->text.p + from, c, l->limit - from);

	return hit != NULL ? (size_t)(hit - l->text.p) : l->limit;
}

static bool
comment(struct html_lexer *l, size_t lt, size_t from, size_t to, size_t end,
    struct html_token *t)
{
	*t = (struct html_token){ .kind = HTML_COMMENT, .at = lt, .end = end,
		.text = str_make(l->text.p + from, to - from),
		.in_conditional = l->conditional_end != 0 };
	l->at = end;
	return true;
}

bool
html_read_bogus(struct html_lexer *l, size_t lt, size_t from,
    struct html_token *t)
{
	size_t gt = find(l, '>', from);

	if (gt < l->limit)
		return comment(l, lt, from, gt, gt + 1, t);
	if (l->conditional_end != 0) {
		l->at = l->limit; /* "<!" of "<!-->" is no comment of its own */
		return false;
	}
	html_end_inside(l, lt);
	return comment(l, lt, from, gt, gt, t);
}

static bool
ends_with(struct str s, struct str end)
{
	return s.n >= end.n && str_eq(str_sub(s, s.n - end.n, s.n), end);
}

/*
 * What is inside a comment whose text begins at from; *end is behind it.
 * "-->" and "--!>" end it, the end of the text does so, and ">" or "->" at
 * once.
 */
static struct str
comment_text(const struct html_lexer *l, size_t from, size_t *end)
{
	struct str s = str_sub(l->text, from, l->limit), text;

	if (str_starts(s, STR(">")) || str_starts(s, STR("->"))) {
		*end = find(l, '>', from) + 1;
		return str_sub(s, 0, 0);
	}
	for (size_t gt = from; (gt = find(l, '>', gt)) < l->limit; gt++) {
		text = str_sub(l->text, from, gt);
		*end = gt + 1;
		if (ends_with(text, STR("--")))
			return str_sub(text, 0, text.n - 2);
		if (ends_with(text, STR("--!")))
			return str_sub(text, 0, text.n - 3);
	}
	*end = l->limit;
	if (ends_with(s, STR("--!")))
		return str_sub(s, 0, s.n - 3);
	if (ends_with(s, STR("--")))
		return str_sub(s, 0, s.n - 2);
	return ends_with(s, STR("-")) ? str_sub(s, 0, s.n - 1) : s;
}

void
html_leave_conditional(struct html_lexer *l)
{
	l->at = l->conditional_end;
	l->limit = l->text.n;
	l->conditional_end = 0;
	l->state = HTML_DATA;
}

static bool
read_comment(struct html_lexer *l, size_t lt, struct html_token *t)
{
	size_t from = lt + 4, end, open;
	struct str text = comment_text(l, from, &end);

	if (l->conditional_end != 0 && end == l->limit) {
		l->at = end; /* cut off by the end of the comment around */
		return false;
	}
	if (end == from + text.n || l->text.p[end - 1] != '>')
		html_end_inside(l, lt);
	open = str_find(text, STR("]>"), 0);
	if (!l->follow_conditional || l->conditional_end != 0 ||
	    !str_istarts(text, STR("[if")) || open == text.n)
		return comment(l, lt, from, from + text.n, end, t);
	l->at = from + open + 2;
	l->limit = from + text.n;
	l->conditional_end = end;
	return false;
}

bool
html_read_markup(struct html_lexer *l, size_t lt, struct html_token *t)
{
	struct str s = str_sub(l->text, lt + 2, l->limit);

	if (str_starts(s, STR("--")))
		return read_comment(l, lt, t);
	if (l->conditional_end != 0 && str_istarts(s, STR("[endif]"))) {
		html_leave_conditional(l);
		return false;
	}
	if (str_istarts(s, STR("doctype"))) {
		/* its first '>' ends it, in quotes as well (abrupt) */
		size_t gt = find(l, '>', lt);

		if (gt == l->limit)
			html_end_inside(l, lt);
		else
			l->at = gt + 1;
		return false;
	}
	return html_read_bogus(l, lt, lt + 2, t);
}
