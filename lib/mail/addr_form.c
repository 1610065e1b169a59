/*
 * addr_form.c - addresses as text, and in the form in which they compare.
 * Nothing is parsed here.
 */
#include "mail/addr.h"

#include <idn2.h>

#include "mail/addr_private.h"

/* Far more than a domain may have: IDNA is not asked about longer ones. */
#define IDNA_MAX 1024

static bool
is_dot_atom(struct str local)
{
	for (size_t i = 0; i < local.n; i++) {
		if (addr_is_atom_char(local.p[i]))
			continue;
		if (local.p[i] != '.' || i == 0 || i + 1 == local.n ||
		    local.p[i - 1] == '.')
			return false;
	}
	return local.n != 0;
}

static size_t
write_quoted(char *out, struct str local)
{
	size_t n = 0;

	out[n++] = '"';
	for (size_t i = 0; i < local.n; i++) {
		if (local.p[i] == '"' || local.p[i] == '\\')
			out[n++] = '\\';
		out[n++] = local.p[i];
	}
	out[n++] = '"';
	return n;
}

struct str
addr_text(struct arena *a, const struct addr *addr)
{
	char *out;
	size_t n = addr->local.n;

	if (addr->local.n == 0 && addr->domain.n == 0)
		return STR("");
	out = arena_bytes(a, addr->local.n * 2 + addr->domain.n + 3);
	if (is_dot_atom(addr->local))
		memcpy(out, addr->local.p, n);
	else
		n = write_quoted(out, addr->local);
	if (addr->domain.n != 0) {
		out[n++] = '@';
		memcpy(out + n, addr->domain.p, addr->domain.n);
		n += addr->domain.n;
	}
	return str_make(out, n);
}

static bool
is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 128)
			return false;
	return true;
}

/*
 * Compatibility forms of '@', '/' and other signs become these signs in UTS
 * 46: what holds one is no domain, nor is what has but dots.
 */
static bool
is_domain_text(struct str s)
{
	size_t dots = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (!str_is_alpha(s.p[i]) && !str_is_digit(s.p[i]) &&
		    s.p[i] != '-' && s.p[i] != '_' && s.p[i] != '.')
			return false;
		dots += s.p[i] == '.';
	}
	return dots < s.n;
}

bool
addr_idna(struct arena *a, struct str domain, struct str *out)
{
	uint8_t *name = NULL;
	const char *text;

	if (domain.n > IDNA_MAX || str_chr(domain, '\0', 0) < domain.n)
		return false;
	text = arena_cstr(a, domain);
	if (idn2_lookup_u8((const uint8_t *)text, &name,
	    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	*out = arena_copy(a, str_from((const char *)name));
	idn2_free(name);
	return is_domain_text(*out);
}

struct str
addr_domain_ascii(struct arena *a, struct str domain)
{
	struct str ascii;

	/* In ASCII, A-labels included, IDNA changes nothing but the case. */
	if (is_ascii(domain) || !addr_idna(a, domain, &ascii))
		ascii = arena_lower(a, domain);
	while (ascii.n > 1 && ascii.p[ascii.n - 1] == '.')
		ascii.n--;
	return ascii;
}

/* The last one's place, or s.n. */
static size_t
find_last(struct str s, char c)
{
	size_t i = s.n;

	while (i > 0 && s.p[i - 1] != c)
		i--;
	return i > 0 ? i - 1 : s.n;
}

struct addr
addr_from_internal(struct str text)
{
	struct addr out;
	size_t at;

	while (text.n > 0 && text.p[text.n - 1] == '@')
		text.n--;
	/* "< @a:b@c>" keeps its route inside, and goes to b@c all the same */
	if (text.n > 0 && text.p[0] == '@' &&
	    str_chr(text, ':', 0) < find_last(text, '@'))
		text = str_sub(text, str_chr(text, ':', 0) + 1, text.n);
	at = find_last(text, '@');
	out.local = str_sub(text, 0, at);
	out.domain = str_sub(text, at + 1, text.n);
	return out;
}

/*
 * Without a domain Postfix delivers domain!user, or user%domain, to
 * user@domain (swap_bangpath, allow_percent_hack): the same recipient.
 */
static struct addr
routed(const struct addr *addr)
{
	struct str s = addr->local, left, right;
	size_t bang = str_chr(s, '!', 0);
	size_t at = bang < s.n ? bang : find_last(s, '%');
	struct addr out;

	if (addr->domain.n > 0 || at == s.n)
		return *addr;
	left = str_sub(s, 0, at);
	right = str_sub(s, at + 1, s.n);
	out.local = bang < s.n ? right : left;
	out.domain = bang < s.n ? left : right;
	return out.local.n > 0 && is_domain_text(out.domain) ? out : *addr;
}

struct str
addr_normal(struct arena *a, const struct addr *addr)
{
	struct addr normal = routed(addr);

	normal.local = arena_lower(a, normal.local);
	normal.domain = addr_domain_ascii(a, normal.domain);
	return addr_text(a, &normal);
}
