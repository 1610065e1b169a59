/*
 * html_text.c - where RCDATA, RAWTEXT and scripts end (WHATWG HTML sections
 * 13.2.5.9 to 13.2.5.31).  What is in them gives no tokens.
 */
#include "mail/html_private.h"

/* Does an end tag that ends the content begin with the '<' at lt? */
static bool
is_our_end(const struct html_lexer *l, size_t lt)
{
	struct str name = l->last_start;
	size_t at = lt + 2;

	return name.n != 0 && l->limit - lt > name.n + 2 &&
	    l->text.p[lt + 1] == '/' &&
	    str_ieq(str_sub(l->text, at, at + name.n), name) &&
	    html_ends_name(l->text.p[at + name.n]);
}

size_t
html_find_text_end(const struct html_lexer *l)
{
	const char *p = l->text.p, *end = p + l->limit;

	for (const char *lt = p + l->at;
	    (lt = memchr(lt, '<', (size_t)(end - lt))) != NULL; lt++)
		if (is_our_end(l, (size_t)(lt - p)))
			return (size_t)(lt - p);
	return l->limit;
}

/* The "script data escaped" and "double escaped" families of states. */
enum script_mode { NORMAL, ESCAPED, DOUBLE };

struct script {
	const struct html_lexer *l;
	size_t at;
	enum script_mode mode;
	unsigned dashes; /* two or more before '>' leave the mode */
};

/* Behind "<" or "</": "script" and what ends a name; moves behind both. */
static bool
take_script_name(struct script *s)
{
	const struct html_lexer *l = s->l;
	size_t from = s->at;

	while (s->at < l->limit && str_is_alpha(l->text.p[s->at]))
		s->at++;
	if (s->at == l->limit || !html_ends_name(l->text.p[s->at]))
		return false;
	s->at++;
	return str_ieq(str_sub(l->text, from, s->at - 1), STR("script"));
}

/* A '<' that begins no end tag of ours. */
static void
script_less_than(struct script *s)
{
	const struct html_lexer *l = s->l;
	struct str rest = str_sub(l->text, s->at, l->limit);

	s->dashes = 0;
	s->at++;
	switch (s->mode) {
	case NORMAL:
		if (str_starts(rest, STR("<!--"))) {
			s->at += 3;
			s->mode = ESCAPED;
			s->dashes = 2;
		}
		break;
	case ESCAPED:
		if (take_script_name(s))
			s->mode = DOUBLE;
		break;
	case DOUBLE:
		if (!str_starts(rest, STR("</")))
			break;
		s->at++;
		if (take_script_name(s))
			s->mode = ESCAPED;
		break;
	}
}

size_t
html_find_script_end(const struct html_lexer *l)
{
	struct script s = { .l = l, .at = l->at };

	while (s.at < l->limit) {
		char c = l->text.p[s.at];

		if (c == '<') {
			if (s.mode != DOUBLE && is_our_end(l, s.at))
				return s.at;
			script_less_than(&s);
			continue;
		}
		if (c == '>' && s.dashes >= 2)
			s.mode = NORMAL;
		s.dashes = c == '-' ? s.dashes + 1 : 0;
		s.at++;
	}
	return l->limit;
}
