/*
 * addr_mailbox.c - whether an address may stand in an envelope.  It neither
 * repairs nor converts: see addr.c and addr_form.c.
 */
#include "mail/addr.h"

#include "base/net.h"
#include "mail/addr_private.h"

/* RFC 5321 section 4.5.3.1; a path has 256 octets with its brackets. */
#define MAX_TEXT 254
#define MAX_LOCAL 64
#define MAX_DOMAIN 253
#define MAX_LABEL 63

/*
 * Octets of the UTF-8 character at s.p[0] that is not ASCII (RFC 3629 section
 * 4), 0 when it is none, or a C1 control.
 */
static size_t
utf8_length(struct str s)
{
	unsigned char c = (unsigned char)s.p[0], second;
	size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

	if (c < 0xc2 || c > 0xf4 || s.n < n)
		return 0;
	second = (unsigned char)s.p[1];
	for (size_t i = 1; i < n; i++)
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xc2 && second < 0xa0) || (c == 0xe0 && second < 0xa0) ||
	    (c == 0xed && second > 0x9f) || (c == 0xf0 && second < 0x90) ||
	    (c == 0xf4 && second > 0x8f))
		return 0;
	return n;
}

/* The length of the dot-string at the beginning, 0 when there is none. */
static size_t
dot_string(struct str s)
{
	size_t i = 0, word = 0;

	while (i < s.n && s.p[i] != '@') {
		size_t n = 1;

		if (s.p[i] == '.' && (i == word || i + 1 == s.n))
			return 0;
		if ((unsigned char)s.p[i] >= 128)
			n = utf8_length(str_sub(s, i, s.n));
		else if (s.p[i] == '.')
			word = i + 1;
		else if (!addr_is_atom_char(s.p[i]))
			return 0;
		if (n == 0)
			return 0;
		i += n;
	}
	return i == word ? 0 : i;
}

/* The same for a quoted-string, with its quotes. */
static size_t
quoted_string(struct str s)
{
	size_t i = 1, n;

	while (i < s.n && s.p[i] != '"') {
		if (s.p[i] == '\\')
			i++;
		if (i == s.n || s.p[i] == 127 ||
		    ((unsigned char)s.p[i] < ' '))
			return 0;
		n = (unsigned char)s.p[i] < 128 ? 1 :
		    utf8_length(str_sub(s, i, s.n));
		if (n == 0)
			return 0;
		i += n;
	}
	return i < s.n ? i + 1 : 0;
}

/* Letters, digits, hyphens inside; underscores, as Postfix lets them pass. */
static bool
is_label(struct str s)
{
	if (s.n == 0 || s.n > MAX_LABEL || s.p[0] == '-' ||
	    s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!str_is_alpha(s.p[i]) && !str_is_digit(s.p[i]) &&
		    s.p[i] != '-' && s.p[i] != '_')
			return false;
	return true;
}

static bool
is_domain(struct str s)
{
	size_t from = 0, dot;

	if (s.n > MAX_DOMAIN)
		return false;
	do {
		dot = str_chr(s, '.', from);
		if (!is_label(str_sub(s, from, dot)))
			return false;
		from = dot + 1;
	} while (dot < s.n);
	return true;
}

/* True when IDNA has a say in the domain: U-labels, or what claims to be A. */
static bool
is_idn(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 128)
			return true;
	return str_ifind(s, STR("xn--"), 0) < s.n;
}

/* U-labels are judged by the A-labels that stand for them. */
static bool
is_idn_domain(struct str s, size_t room)
{
	struct arena *a = arena_new();
	struct str ascii;
	bool ok;

	ok = addr_idna(a, s, &ascii) && is_domain(ascii) && ascii.n <= room;
	arena_free(&a);
	return ok;
}

/* "[192.0.2.1]" and "[IPv6:2001:db8::1]"; no other tag is registered. */
static bool
is_literal(struct str s)
{
	struct str inner = str_sub(s, 1, s.n - 1);
	bool is_v6 = str_istarts(inner, STR("IPv6:"));
	struct net_addr ignored;

	if (s.n < 3 || s.p[s.n - 1] != ']')
		return false;
	if (is_v6)
		inner = str_sub(inner, strlen("IPv6:"), inner.n);
	/* net_parse_addr() takes brackets and tags of its own */
	if (is_v6 != (str_chr(inner, ':', 0) < inner.n) ||
	    str_chr(inner, '[', 0) < inner.n ||
	    str_istarts(inner, STR("IPv6:")))
		return false;
	return net_parse_addr(inner, &ignored) == 0;
}

bool
addr_is_mailbox(struct str text)
{
	size_t local;
	struct str domain;

	if (text.n == 0 || text.n > MAX_TEXT)
		return false;
	local = text.p[0] == '"' ? quoted_string(text) : dot_string(text);
	if (local == 0 || local > MAX_LOCAL || local + 1 >= text.n ||
	    text.p[local] != '@')
		return false;
	domain = str_sub(text, local + 1, text.n);
	if (domain.p[0] == '[')
		return is_literal(domain);
	if (is_idn(domain))
		return is_idn_domain(domain, MAX_TEXT - local - 1);
	return is_domain(domain);
}
