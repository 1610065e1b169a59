/*
 * mime_param.c - parameters of structured fields as mail readers take them.
 * Neither types nor parts are known here.
 */
#include "mail/mime.h"

#define MAX_SECTIONS 100

struct param {
	struct str name, value; /* value: without quotes, still escaped */
	bool is_quoted;
};

/* The pieces of one parameter (RFC 2231 sections 3 and 4). */
struct pieces {
	struct param plain, extended, section[MAX_SECTIONS];
	bool has_plain, has_extended, has_section[MAX_SECTIONS];
	bool is_coded[MAX_SECTIONS];
};

static size_t
skip_space(struct str s, size_t at)
{
	while (at < s.n && str_is_space(s.p[at]))
		at++;
	return at;
}

/* Behind the comment that begins at at; an open one takes all. */
static size_t
skip_comment(struct str s, size_t at)
{
	size_t depth = 0;

	for (; at < s.n; at++) {
		if (s.p[at] == '\\')
			at++;
		else if (s.p[at] == '(')
			depth++;
		else if (s.p[at] == ')' && --depth == 0)
			return at + 1;
	}
	return s.n;
}

static size_t
skip_cfws(struct str s, size_t at)
{
	at = skip_space(s, at);
	while (at < s.n && s.p[at] == '(')
		at = skip_space(s, skip_comment(s, at));
	return at;
}

static bool
ends_name(char c)
{
	return str_is_space(c) || strchr("=;,(\"", c) != NULL;
}

static size_t
skip_name(struct str s, size_t at)
{
	while (at < s.n && (s.p[at] == '\0' || !ends_name(s.p[at])))
		at++;
	return at;
}

/* True when what follows a blank is the next parameter, its ';' forgotten. */
static bool
is_param_at(struct str s, size_t at)
{
	size_t from = at;

	while (at < s.n && (str_is_alpha(s.p[at]) || str_is_digit(s.p[at]) ||
	    s.p[at] == '-' || s.p[at] == '_' || s.p[at] == '*'))
		at++;
	if (at == from)
		return false;
	at = skip_space(s, at);
	return at < s.n && s.p[at] == '=';
}

/* The end of an unquoted value, which may hold blanks: file names do. */
static size_t
bare_end(struct str s, size_t at)
{
	while (at < s.n && s.p[at] != ';') {
		size_t next = skip_space(s, at);

		if (next == at) {
			at++;
			continue;
		}
		if (next == s.n || s.p[next] == ';' || s.p[next] == '(' ||
		    is_param_at(s, next))
			return at;
		at = next;
	}
	return at;
}

static size_t
quoted_end(struct str s, size_t at)
{
	while (at < s.n && s.p[at] != '"')
		at += s.p[at] == '\\' ? 2 : 1;
	return at < s.n ? at : s.n;
}

/* Reads the value that stands at *at, which moves behind it. */
static void
read_value(struct str s, size_t *at, struct param *p)
{
	size_t from = skip_cfws(s, *at), to;

	p->is_quoted = from < s.n && s.p[from] == '"';
	if (p->is_quoted)
		from++;
	to = p->is_quoted ? quoted_end(s, from) : bare_end(s, from);
	p->value = str_sub(s, from, to);
	*at = p->is_quoted && to < s.n ? to + 1 : to;
}

/* The next "name=value"; whatever else stands there is passed over. */
static bool
next_param(struct str s, size_t *at, struct param *p)
{
	while ((*at = skip_cfws(s, *at)) < s.n) {
		size_t from = *at, to = skip_name(s, from);

		if (to == from && s.p[from] == '"') {
			*at = quoted_end(s, from + 1) + 1;
			continue;
		}
		*at = skip_cfws(s, to);
		if (to == from || *at == s.n || s.p[*at] != '=') {
			*at += to == from;
			continue;
		}
		++*at;
		p->name = str_sub(s, from, to);
		read_value(s, at, p);
		return true;
	}
	return false;
}

/* Behind "text/html" or "attachment", unless that was forgotten. */
static size_t
skip_first(struct str s)
{
	size_t from = skip_cfws(s, 0), to = skip_name(s, from);

	to = skip_cfws(s, to);
	return to < s.n && s.p[to] == '=' ? from : to;
}

/* "*", "*3" or "*3*" behind a parameter's name. */
static void
note_piece(struct pieces *all, struct str tail, const struct param *p)
{
	size_t n = 0, i = 1;
	bool is_coded = tail.n > 1 && tail.p[tail.n - 1] == '*';

	if (tail.n == 1 && !all->has_extended) {
		all->extended = *p;
		all->has_extended = true;
	}
	for (; i < tail.n - is_coded && n < MAX_SECTIONS; i++) {
		if (!str_is_digit(tail.p[i]))
			return;
		n = n * 10 + (size_t)(tail.p[i] - '0');
	}
	if (i == 1 || n >= MAX_SECTIONS || all->has_section[n])
		return;
	all->section[n] = *p;
	all->is_coded[n] = is_coded;
	all->has_section[n] = true;
}

static void
collect(struct str s, struct str name, struct pieces *all)
{
	struct param p;
	size_t at = skip_first(s);

	while (next_param(s, &at, &p)) {
		struct str tail = str_sub(p.name, name.n, p.name.n);

		if (!str_istarts(p.name, name))
			continue;
		if (tail.n > 0 && tail.p[0] == '*') {
			note_piece(all, tail, &p);
		} else if (tail.n == 0 && !all->has_plain) {
			all->plain = p;
			all->has_plain = true;
		}
	}
}

/* Writes the value without escapes and line breaks; returns its length. */
static size_t
write_plain(char *out, const struct param *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->value.n; i++) {
		char c = p->value.p[i];

		if (c == '\\' && p->is_quoted && i + 1 < p->value.n)
			c = p->value.p[++i];
		if (c != '\r' && c != '\n')
			out[n++] = c;
	}
	return n;
}

/* Decodes %XX in place; returns the new length. */
static size_t
decode_percent(char *p, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		int high = -1, low = -1;

		if (p[i] == '%' && i + 2 < n) {
			high = str_hex(p[i + 1]);
			low = str_hex(p[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			p[to++] = (char)(high << 4 | low);
			i += 2;
		} else {
			p[to++] = p[i];
		}
	}
	return to;
}

/* Without the charset'language' in front, where there is one. */
static struct str
skip_charset(struct str s)
{
	size_t first = str_chr(s, '\'', 0);
	size_t second = str_chr(s, '\'', first + 1);

	return second < s.n ? str_sub(s, second + 1, s.n) : s;
}

static struct str
value_plain(struct arena *a, const struct param *p)
{
	char *out = arena_bytes(a, p->value.n);

	return str_make(out, write_plain(out, p));
}

static struct str
value_extended(struct arena *a, const struct param *p)
{
	char *out = arena_bytes(a, p->value.n);
	struct str s = skip_charset(str_make(out, write_plain(out, p)));
	size_t skipped = (size_t)(s.p - out);

	return str_make(out + skipped, decode_percent(out + skipped, s.n));
}

static struct str
value_joined(struct arena *a, const struct pieces *all)
{
	size_t n = 0;
	char *out;

	for (size_t i = 0; i < MAX_SECTIONS && all->has_section[i]; i++)
		n += all->section[i].value.n;
	out = arena_bytes(a, n);
	n = 0;
	for (size_t i = 0; i < MAX_SECTIONS && all->has_section[i]; i++) {
		struct str s = all->is_coded[i] && i == 0 ?
		    value_extended(a, &all->section[i]) :
		    value_plain(a, &all->section[i]);

		if (s.n > 0)
			memcpy(out + n, s.p, s.n);
		n += all->is_coded[i] && i > 0 ?
		    decode_percent(out + n, s.n) : s.n;
	}
	return str_make(out, n);
}

bool
mime_param(struct arena *a, struct str value, struct str name, struct str *out)
{
	struct pieces all;

	memset(&all.has_section, 0, sizeof(all.has_section));
	all.has_plain = all.has_extended = false;
	collect(value, name, &all);
	if (all.has_extended)
		*out = value_extended(a, &all.extended);
	else if (all.has_section[0])
		*out = value_joined(a, &all);
	else if (all.has_plain)
		*out = value_plain(a, &all.plain);
	else
		return false;
	return true;
}
