/*
 * html_tag.c - tags and their attributes (WHATWG HTML sections 13.2.5.8 and
 * 13.2.5.32 to 13.2.5.40).  Values stay as spelled.
 */
#include "mail/html_private.h"

enum {
	SPACE = 1,	  /* white space */
	ENDS_NAME = 2,	  /* of a tag */
	ENDS_ATTR = 4,	  /* name of an attribute */
	ENDS_UNQUOTED = 8 /* value of an attribute */
};

#define ALL (SPACE | ENDS_NAME | ENDS_ATTR | ENDS_UNQUOTED)

static const unsigned char classes[256] = {
	['\t'] = ALL,
	['\n'] = ALL,
	['\f'] = ALL,
	['\r'] = ALL,
	[' '] = ALL,
	['/'] = ENDS_NAME | ENDS_ATTR,
	['>'] = ENDS_NAME | ENDS_ATTR | ENDS_UNQUOTED,
	['='] = ENDS_ATTR,
};

bool
html_is_space(char c)
{
	return (classes[(unsigned char)c] & SPACE) != 0;
}

bool
html_ends_name(char c)
{
	return (classes[(unsigned char)c] & ENDS_NAME) != 0;
}

static size_t
skip_until(const struct html_lexer *l, size_t at, unsigned class)
{
	while (at < l->limit &&
	    !(classes[(unsigned char)l->text.p[at]] & class))
		at++;
	return at;
}

static size_t
skip_space(const struct html_lexer *l, size_t at)
{
	while (at < l->limit && html_is_space(l->text.p[at]))
		at++;
	return at;
}

static bool
is_duplicate(const struct html_lexer *l, struct str name)
{
	for (size_t i = 0; i < l->nattrs; i++) {
		struct str other = l->attrs[i].name;

		if (other.n == name.n &&
		    str_lower(other.p[0]) == str_lower(name.p[0]) &&
		    str_ieq(other, name))
			return true;
	}
	return false;
}

/* From behind the '='; false when the text ends in the value. */
static bool
read_value(const struct html_lexer *l, size_t at, struct html_attr *attr)
{
	size_t end;
	char c;

	at = skip_space(l, at);
	if (at == l->limit)
		return false;
	c = l->text.p[at];
	if (c == '"' || c == '\'') {
		const char *close;

		at++;
		close = memchr(l->text.p + at, c, l->limit - at);
		if (close == NULL)
			return false;
		attr->quote = c;
		end = (size_t)(close - l->text.p);
		attr->end = end + 1;
	} else {
		end = skip_until(l, at, ENDS_UNQUOTED);
		attr->end = end;
	}
	attr->has_value = true;
	attr->value_at = at;
	attr->value = str_make(l->text.p + at, end - at);
	return true;
}

/*
 * The attribute that begins at a byte that is no white space, '/' or '>' ('='
 * begins one, too).  Returns where the next one may begin; l->limit when the
 * text ends first.
 */
static size_t
read_attr(struct html_lexer *l, size_t at)
{
	/* in its place at once; behind the last there is room for one more */
	struct html_attr *attr = &l->attrs[l->nattrs];
	size_t end = skip_until(l, at + 1, ENDS_ATTR), next;

	*attr = (struct html_attr){ .at = at, .value_at = end, .end = end,
		.name = str_make(l->text.p + at, end - at),
		.value = str_make(l->text.p + end, 0) };
	next = skip_space(l, end);
	if (next < l->limit && l->text.p[next] == '=') {
		if (!read_value(l, next + 1, attr))
			return l->limit;
		next = attr->end;
	}
	if (l->nattrs < HTML_MAX_ATTRS) {
		attr->is_duplicate = is_duplicate(l, attr->name);
		l->nattrs++;
	}
	return next;
}

bool
html_read_tag(struct html_lexer *l, enum html_kind kind, size_t lt,
    size_t name, struct html_token *t)
{
	size_t at = skip_until(l, name, ENDS_NAME);

	t->kind = kind;
	t->name = str_make(l->text.p + name, at - name);
	t->text = str_make(NULL, 0);
	t->at = lt;
	t->self_closing = false;
	t->in_conditional = l->conditional_end != 0;
	t->attrs = l->attrs;
	l->nattrs = 0;
	while ((at = skip_space(l, at)) < l->limit) {
		char c = l->text.p[at];

		if (c == '>') {
			t->end = l->at = at + 1;
			t->nattrs = l->nattrs;
			return true;
		}
		if (c == '/') {
			at++;
			t->self_closing = at < l->limit &&
			    l->text.p[at] == '>';
			continue;
		}
		at = read_attr(l, at);
	}
	html_end_inside(l, lt);
	return false;
}
