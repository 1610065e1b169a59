/*
 * page_click.c - 302 to where a link led before it was rewritten: to what the
 * token holds, never to what the request says.
 */
#include "trackd/track.h"

/*
 * What a URI may hold (RFC 3986) and what browsers take in one as it is; the
 * rest, line breaks first of all, is percent-encoded.
 */
static bool
is_plain(unsigned char c)
{
	return c > ' ' && c < 127 && strchr("\"<>\\^`{|}", c) == NULL;
}

static struct str
encode(struct arena *a, struct str url)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t nodd = 0;
	char *out, *to;

	for (size_t i = 0; i < url.n; i++)
		nodd += !is_plain((unsigned char)url.p[i]);
	if (nodd == 0)
		return url;
	out = to = arena_bytes(a, url.n + 2 * nodd);
	for (size_t i = 0; i < url.n; i++) {
		unsigned char c = (unsigned char)url.p[i];

		if (is_plain(c)) {
			*to++ = (char)c;
			continue;
		}
		*to++ = '%';
		*to++ = digits[c >> 4];
		*to++ = digits[c & 15];
	}
	return str_make(out, (size_t)(to - out));
}

/* Whoever seals tokens takes no other schemes: nor is one followed here. */
static bool
is_web(struct str url)
{
	return str_istarts(url, STR("http://")) ||
	    str_istarts(url, STR("https://"));
}

void
page_click(const struct track *t, const struct request *r, struct str text,
    struct answer *a)
{
	struct token token;

	if (request_token(r, TOKEN_CLICK, text, &token) != 0 ||
	    !is_web(token.url)) {
		answer_not_found(a);
		return;
	}
	track_visit(t, r, EVENT_CLICKED, &token, STR(""));
	metrics_add(t->metrics, METRIC_CLICKS, 1);
	a->status = 302;
	a->location = encode(r->arena, token.url);
}
