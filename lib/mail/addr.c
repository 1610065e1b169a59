/*
 * addr.c - parses paths and address lists.  Forms for comparison are made in
 * addr_form.c, the strict check of an envelope address is in addr_mailbox.c.
 */
#include "mail/addr.h"

#include "mail/addr_private.h"

/*
 * What is parsed is written to out, unquoted: never more octets than were
 * read, so that one block serves a whole list.
 */
struct parser {
	struct str s;
	size_t at;
	char *out;
	size_t n;
};

/* No atom has them, and no controls (RFC 5322, 3.2.3). */
static const bool is_special[256] = {
	['('] = true, [')'] = true, ['<'] = true, ['>'] = true, ['['] = true,
	[']'] = true, [':'] = true, [';'] = true, ['@'] = true, ['\\'] = true,
	[','] = true, ['.'] = true, ['"'] = true, [127] = true,
};

bool
addr_is_atom_char(char c)
{
	return (unsigned char)c > ' ' && !is_special[(unsigned char)c];
}

/* May stand in quotes and comments: all but controls. */
static bool
is_text_char(char c)
{
	return ((unsigned char)c >= ' ' && c != 127) || str_is_space(c);
}

static bool
is_at(const struct parser *p, char c)
{
	return p->at < p->s.n && p->s.p[p->at] == c;
}

/* Behind a comment (RFC 5322 section 3.2.2); -1 when it does not end. */
static int
skip_comment(struct parser *p)
{
	size_t depth = 0;

	for (; p->at < p->s.n; p->at++) {
		char c = p->s.p[p->at];

		if (!is_text_char(c))
			return -1;
		if (c == '\\') {
			p->at++;
		} else if (c == '(') {
			depth++;
		} else if (c == ')' && --depth == 0) {
			p->at++;
			return 0;
		}
	}
	p->at = p->s.n;
	return -1;
}

static int
skip_cfws(struct parser *p)
{
	for (; p->at < p->s.n; p->at++) {
		while (is_at(p, '('))
			if (skip_comment(p) != 0)
				return -1;
		if (p->at == p->s.n || !str_is_space(p->s.p[p->at]))
			break;
	}
	return 0;
}

/* A quoted string, written without its quotes; line breaks are folds. */
static int
read_quoted(struct parser *p)
{
	for (p->at++; p->at < p->s.n; p->at++) {
		char c = p->s.p[p->at];

		if (c == '"') {
			p->at++;
			return 0;
		}
		if (c == '\\' && ++p->at < p->s.n)
			c = p->s.p[p->at];
		if (p->at == p->s.n || !is_text_char(c))
			return -1;
		if (c != '\r' && c != '\n')
			p->out[p->n++] = c;
	}
	return -1;
}

static void
read_atom(struct parser *p)
{
	while (p->at < p->s.n && addr_is_atom_char(p->s.p[p->at]))
		p->out[p->n++] = p->s.p[p->at++];
}

/*
 * Words with dots between them, blanks and comments around each.  Dots in a
 * row and at the ends pass: some providers give out such local parts.
 */
static int
read_words(struct parser *p, bool may_quote, struct str *out)
{
	size_t from = p->n;
	bool after_word = false, is_any = false;

	for (;;) {
		char c;
		bool is_word;

		if (skip_cfws(p) != 0)
			return -1;
		if (p->at == p->s.n)
			break;
		c = p->s.p[p->at];
		is_word = addr_is_atom_char(c) || (c == '"' && may_quote);
		if (is_word ? after_word : c != '.')
			break;
		if (c == '"' && read_quoted(p) != 0)
			return -1;
		if (c == '.')
			p->out[p->n++] = p->s.p[p->at++];
		else if (c != '"')
			read_atom(p);
		after_word = is_word;
		is_any = is_any || is_word;
	}
	*out = str_make(p->out + from, p->n - from);
	return is_any ? 0 : -1;
}

/* "[127.0.0.1]", blanks dropped. */
static int
read_literal(struct parser *p, struct str *out)
{
	size_t from = p->n;

	p->out[p->n++] = p->s.p[p->at++];
	for (; p->at < p->s.n; p->at++) {
		char c = p->s.p[p->at];

		if (!is_text_char(c) || c == '[' || c == '\\')
			return -1;
		if (str_is_space(c))
			continue;
		p->out[p->n++] = c;
		if (c != ']')
			continue;
		p->at++;
		*out = str_make(p->out + from, p->n - from);
		return 0;
	}
	return -1;
}

/* Passes over '@' at the end of an address: Postfix drops them. */
static bool
skip_last_ats(struct parser *p)
{
	size_t from = p->at;
	bool is_any = false, is_well;

	while ((is_well = skip_cfws(p) == 0) && is_at(p, '@')) {
		p->at++;
		is_any = true;
	}
	if (is_any && is_well && (p->at == p->s.n || is_at(p, '>')))
		return true;
	p->at = from;
	return false;
}

/* local@domain; in a path a local part alone passes too. */
static int
read_spec(struct parser *p, bool is_path, struct addr *out)
{
	out->domain = STR("");
	if (read_words(p, true, &out->local) != 0 || skip_cfws(p) != 0)
		return -1;
	if (is_path && (!is_at(p, '@') || skip_last_ats(p)))
		return 0;
	if (!is_at(p, '@'))
		return -1;
	p->at++;
	if (skip_cfws(p) != 0)
		return -1;
	if ((is_at(p, '[') ? read_literal(p, &out->domain) :
	    read_words(p, false, &out->domain)) != 0)
		return -1;
	if (is_path)
		skip_last_ats(p);
	return 0;
}

/* "@a,@b:" before an address is dropped (RFC 5321, appendix C). */
static int
skip_route(struct parser *p)
{
	if (!is_at(p, '@') && !is_at(p, ','))
		return 0;
	p->at = str_chr(p->s, ':', p->at);
	if (p->at == p->s.n)
		return -1;
	p->at++;
	return 0;
}

static int
read_angle(struct parser *p, bool is_path, struct addr *out)
{
	p->at++;
	out->local = out->domain = STR("");
	if (skip_cfws(p) != 0 || skip_route(p) != 0)
		return -1;
	if ((!is_path || !is_at(p, '>')) && read_spec(p, is_path, out) != 0)
		return -1;
	if (skip_cfws(p) != 0 || !is_at(p, '>'))
		return -1;
	p->at++;
	return 0;
}

int
addr_parse_path(struct arena *a, struct str path, struct addr *out)
{
	struct parser p = { str_trim(path), 0, arena_bytes(a, path.n), 0 };
	int rc;

	out->local = out->domain = STR("");
	if (p.s.n == 0)
		return 0;
	if (memchr(p.s.p, '\n', p.s.n) != NULL ||
	    memchr(p.s.p, '\r', p.s.n) != NULL || skip_cfws(&p) != 0)
		return -1;
	rc = is_at(&p, '<') ? read_angle(&p, true, out) :
	    skip_route(&p) != 0 ? -1 : read_spec(&p, true, out);
	if (rc != 0 || skip_cfws(&p) != 0 || p.at != p.s.n)
		return -1;
	return 0;
}

/*
 * Passes over a display name or an address without brackets, up to what ends
 * it: '<' ':' ',' ';' or the end.  Display names are taken as they come, with
 * dots and '@' in them: readers show the address in brackets all the same.
 */
static int
skip_phrase(struct parser *p)
{
	size_t n = p->n;

	for (;;) {
		char c;

		if (skip_cfws(p) != 0)
			return -1;
		if (p->at == p->s.n)
			return 0;
		c = p->s.p[p->at];
		if (c != '\0' && strchr("<:,;", c) != NULL)
			return 0;
		if (!is_text_char(c) || c == '>')
			return -1;
		if (c == '[')
			p->at = str_chr(p->s, ']', p->at);
		if (c != '"')
			p->at += p->at < p->s.n;
		else if (read_quoted(p) != 0)
			return -1;
		p->n = n;
	}
}

static void
list_push(struct arena *a, struct addr_list *list, size_t *cap,
    const struct addr *addr)
{
	list->v = arena_grow(a, list->v, list->n, cap, sizeof(*list->v));
	list->v[list->n++] = *addr;
}

/* One member that begins at from and whose phrase ends at p->at. */
static int
read_member(struct parser *p, size_t from, struct addr *out)
{
	size_t stop = p->at;

	if (is_at(p, '<')) {
		if (read_angle(p, false, out) != 0 || skip_cfws(p) != 0)
			return -1;
		return p->at == p->s.n || is_at(p, ',') || is_at(p, ';') ? 0 :
		    -1;
	}
	p->at = from;
	if (read_spec(p, false, out) != 0 || skip_cfws(p) != 0)
		return -1;
	return p->at == stop ? 0 : -1;
}

int
addr_parse_list(struct arena *a, struct str value, struct addr_list *out)
{
	struct parser p = { value, 0, arena_bytes(a, value.n), 0 };
	size_t cap = 0;
	bool in_group = false;

	memset(out, 0, sizeof(*out));
	for (;;) {
		size_t from;
		struct addr addr;

		if (skip_cfws(&p) != 0)
			return -1;
		from = p.at;
		if (from == p.s.n)
			return 0;
		if (is_at(&p, ',') || (in_group && is_at(&p, ';'))) {
			in_group = in_group && is_at(&p, ',');
			p.at++;
			continue;
		}
		if (skip_phrase(&p) != 0)
			return -1;
		if (is_at(&p, ':') && !in_group && p.at > from) {
			in_group = out->has_group = true;
			p.at++;
			continue;
		}
		if (read_member(&p, from, &addr) != 0)
			return -1;
		list_push(a, out, &cap, &addr);
	}
}
