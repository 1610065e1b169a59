/*
 * request.c - the fields of a request, and the token in its path.
 *
 * Programs that show mail do things to the URLs in it.  What may have been
 * done to a token is undone in a few ways, one after the other: since a token
 * is authenticated, one that opens is the one that was meant.
 */
#include "trackd/request.h"

#include "trackd/track.h"

/* Each try costs one decryption for each host. */
#define TRIES_MAX 8
#define HOSTS_MAX 32

struct str
request_field(const struct request *r, const char *name)
{
	struct str want = str_from(name);

	for (size_t i = 0; i < r->nfields; i++)
		if (str_ieq(r->fields[i].name, want))
			return str_trim(r->fields[i].value);
	return STR("");
}

static bool
is_configured(const struct settings *s, struct str host)
{
	for (size_t i = 0; i < s->ndomains; i++)
		if (str_eq(s->domains[i].tracking_host, host))
			return true;
	return false;
}

static bool
is_among(const struct str *hosts, size_t n, struct str host)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(hosts[i], host))
			return true;
	return false;
}

/*
 * At the host that was asked for; where that is none of ours, as behind a
 * proxy that does not pass it on, at each of ours.
 */
static int
open_at_hosts(const struct request *r, enum token_kind kind, struct str text,
    struct token *out)
{
	const struct settings *s = r->keyring->settings;
	const struct token_keys *keys = r->keyring->tokens;
	struct str tried[HOSTS_MAX];
	size_t ntried = 0;

	if (r->host.n > 0 &&
	    token_open(r->arena, keys, kind, r->host, text, out) == 0)
		return 0;
	if (r->host.n > 0 && is_configured(s, r->host))
		return -1;
	for (size_t i = 0; i < s->ndomains && ntried < HOSTS_MAX; i++) {
		struct str host = s->domains[i].tracking_host;

		if (host.n == 0 || is_among(tried, ntried, host))
			continue;
		tried[ntried++] = host;
		if (token_open(r->arena, keys, kind, host, text, out) == 0)
			return 0;
	}
	return -1;
}

static bool
is_token_char(char c)
{
	return str_is_alpha(c) || str_is_digit(c) || c == '-' || c == '_';
}

static struct str
decode_percent(struct arena *a, struct str s)
{
	char *out = arena_bytes(a, s.n), *to = out;

	for (size_t i = 0; i < s.n; i++) {
		int hi, lo;

		if (s.p[i] == '%' && i + 2 < s.n &&
		    (hi = str_hex(s.p[i + 1])) >= 0 &&
		    (lo = str_hex(s.p[i + 2])) >= 0) {
			*to++ = (char)(hi << 4 | lo);
			i += 2;
		} else {
			*to++ = s.p[i];
		}
	}
	return str_make(out, (size_t)(to - out));
}

/*
 * The octets at s[i] that stand for nothing where a line was wrapped: a soft
 * line break, blanks, controls; no-break space and soft hyphen; the spaces and
 * marks without width from U+2000 on, U+FEFF.
 */
static size_t
gap_at(struct str s, size_t i)
{
	struct str rest = str_sub(s, i, s.n);

	if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 127)
		return 1;
	if (s.p[i] == '=' && i + 1 < s.n && (unsigned char)s.p[i + 1] <= ' ')
		return 1;
	if (str_starts(rest, STR("\xc2\xa0")) ||
	    str_starts(rest, STR("\xc2\xad")))
		return 2;
	if (str_starts(rest, STR("\xe2\x80")) && rest.n > 2 &&
	    ((unsigned char)rest.p[2] <= 0x8f ||
	    (unsigned char)rest.p[2] == 0xaf))
		return 3;
	return str_starts(rest, STR("\xe2\x81\xa0")) ||
	    str_starts(rest, STR("\xef\xbb\xbf")) ? 3 : 0;
}

enum undo {
	UNDO_NOTHING,
	UNDO_GAPS,   /* wrapped lines */
	UNDO_EQUALS, /* "=" alone, whose line break is lost, too */
	UNDO_EQUALS_3D /* "=" encoded as "=3D" */
};

static size_t
undone_at(struct str s, size_t i, enum undo undo)
{
	size_t n = undo == UNDO_NOTHING ? 0 : gap_at(s, i);

	if (n > 0)
		return n;
	if (undo == UNDO_EQUALS_3D &&
	    str_istarts(str_sub(s, i, s.n), STR("=3D")))
		return 3;
	return undo >= UNDO_EQUALS && s.p[i] == '=' ? 1 : 0;
}

static struct str
undo_all(struct arena *a, struct str s, enum undo undo)
{
	char *out = arena_bytes(a, s.n), *to = out;

	for (size_t i = 0; i < s.n;) {
		size_t n = undone_at(s, i, undo);

		if (n == 0)
			*to++ = s.p[i++];
		i += n;
	}
	return str_make(out, (size_t)(to - out));
}

/*
 * What a mail program that looks for URLs in text takes for a part of one, or
 * the end of a tag that a scanner does not know: nothing else may stand behind
 * a token.
 */
static bool
is_tail(struct str s)
{
	static const char marks[] = "=.,;:!?)]}*'`|/\\~";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= ' ' || c >= 127 || strchr("\"<>&", c) != NULL)
			return true;
		if (strchr(marks, c) == NULL)
			return false;
	}
	return true;
}

/* "=3D", "3D" and openings before it, a tail behind it; empty: no token. */
static struct str
cut(struct str s, enum token_kind kind)
{
	size_t n = 0;

	if (s.n > 0 && strchr("<\"'([", s.p[0]) != NULL)
		s = str_sub(s, 1, s.n);
	if (s.n > 0 && s.p[0] == '=')
		s = str_sub(s, 1, s.n);
	if (str_istarts(s, STR("3D"))) /* no token begins so */
		s = str_sub(s, 2, s.n);
	while (n < s.n && is_token_char(s.p[n]))
		n++;
	if (kind == TOKEN_OPEN &&
	    str_istarts(str_sub(s, n, s.n), STR(".gif")))
		return is_tail(str_sub(s, n + 4, s.n)) ? str_sub(s, 0, n) :
		    STR("");
	return is_tail(str_sub(s, n, s.n)) ? str_sub(s, 0, n) : STR("");
}

struct tries {
	struct str v[TRIES_MAX];
	size_t n;
};

static void
add_try(struct tries *t, struct str text)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_eq(t->v[i], text))
			return;
	if (t->n < TRIES_MAX && text.n > 0)
		t->v[t->n++] = text;
}

/* Behind the cut text "_" and "-", too, may be what text programs add. */
static void
add_tries(struct tries *t, struct str text)
{
	size_t n = text.n;

	add_try(t, text);
	while (n > 0 && (text.p[n - 1] == '_' || text.p[n - 1] == '-'))
		n--;
	if (n < text.n) {
		add_try(t, str_sub(text, 0, text.n - 1));
		add_try(t, str_sub(text, 0, n));
	}
}

static void
find_tries(struct arena *a, enum token_kind kind, struct str text,
    struct tries *t)
{
	struct str s = decode_percent(a, text);

	if (str_chr(s, '%', 0) < s.n) /* encoded once more on its way */
		s = decode_percent(a, s);
	add_tries(t, cut(s, kind));
	for (int undo = UNDO_GAPS; undo <= UNDO_EQUALS_3D; undo++)
		add_tries(t,
		    cut(undo_all(a, s, (enum undo)undo), kind));
}

int
request_token(const struct request *r, enum token_kind kind, struct str text,
    struct token *out)
{
	struct tries tries = { .n = 0 };
	struct str exact = text;

	if (r->keyring->tokens == NULL || text.n == 0)
		return -1;
	if (kind == TOKEN_OPEN && str_iends(text, STR(".gif")))
		exact = str_sub(text, 0, text.n - 4);
	if (open_at_hosts(r, kind, exact, out) == 0)
		return 0;
	find_tries(r->arena, kind, text, &tries);
	for (size_t i = 0; i < tries.n; i++)
		if (!str_eq(tries.v[i], exact) &&
		    open_at_hosts(r, kind, tries.v[i], out) == 0)
			return 0;
	return -1;
}
