/*
 * listhdr.c - values of list header fields.  Which of them a message gets is
 * decided elsewhere.
 */
#include "mail/listhdr.h"

#include "mail/header.h"

/* The place behind the comment that begins at at, or at when it is open. */
static size_t
skip_comment(struct str s, size_t at)
{
	size_t depth = 0;

	for (size_t i = at; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '(')
			depth++;
		else if (s.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return at;
}

struct str
listhdr_id(struct arena *a, struct str value)
{
	struct str s = header_unfold(a, value);
	size_t open = s.n, close;

	while (open > 0 && s.p[open - 1] != '<')
		open--;
	close = str_chr(s, '>', open);
	if (open > 0 && close < s.n)
		s = str_trim(str_sub(s, open, close));
	return arena_lower(a, s);
}

static struct str
without_blanks(struct arena *a, struct str s)
{
	char *out = arena_bytes(a, s.n);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		if (!str_is_space(s.p[i]))
			out[n++] = s.p[i];
	return str_make(out, n);
}

size_t
listhdr_uris(struct arena *a, struct str value, struct str *out, size_t max)
{
	size_t n = 0, at = 0, open = 0;
	bool is_open = false, may_comment = true;

	for (; at < value.n; at++) {
		char c = value.p[at];

		if (c == '<') {
			is_open = true;
			open = at + 1;
		} else if (c == '>' && is_open) {
			struct str uri = without_blanks(a,
			    str_sub(value, open, at));

			if (uri.n > 0 && n < max)
				out[n] = uri;
			n += uri.n > 0;
			is_open = false;
		} else if (c == '(' && !is_open && may_comment) {
			size_t end = skip_comment(value, at);

			/* After an open one all others are open too. */
			may_comment = end > at;
			at = may_comment ? end - 1 : at;
		}
	}
	return n;
}

/* In angle brackets; what could end them or the line is percent-encoded. */
static struct str
bracket_uri(struct arena *a, struct str uri)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = arena_bytes(a, uri.n * 3 + 2);
	size_t n = 0;

	out[n++] = '<';
	for (size_t i = 0; i < uri.n; i++) {
		unsigned char c = (unsigned char)uri.p[i];

		if (c > ' ' && c < 127 && c != '<' && c != '>') {
			out[n++] = uri.p[i];
			continue;
		}
		out[n++] = '%';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	out[n++] = '>';
	return str_make(out, n);
}

struct str
listhdr_unsubscribe(struct arena *a, struct str https, struct str mailto)
{
	struct str first = https.n ? bracket_uri(a, https) : STR("");
	struct str second = mailto.n ? bracket_uri(a, mailto) : STR("");

	return arena_printf(a, "%.*s%s%.*s", STR_ARG(first),
	    first.n && second.n ? ",\n " : "", STR_ARG(second));
}

static struct str
clean_word(struct arena *a, struct str s)
{
	char *out = arena_bytes(a, s.n);

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		out[i] = str_is_alpha(c) || str_is_digit(c) || c == '.' ||
		    c == '_' || c == '-' ? c : '_';
	}
	return str_make(out, s.n);
}

struct str
listhdr_feedback_id(struct arena *a, struct str campaign, struct str stream,
    struct str list, struct str domain)
{
	campaign = clean_word(a, campaign);
	stream = clean_word(a, stream);
	list = clean_word(a, list);
	domain = clean_word(a, domain);
	return arena_printf(a, "%.*s:%.*s:%.*s:%.*s", STR_ARG(campaign),
	    STR_ARG(stream), STR_ARG(list), STR_ARG(domain));
}
