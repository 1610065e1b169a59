/*
 * token_find.c - from what a person or a log has to the token in it: URLs,
 * bare tokens, addresses.  Telling what it says is in token_write.c.
 */
#include "cli/token.h"

#include "bulkhead/names.h"
#include "mail/addr.h"

static const struct {
	enum token_kind kind;
	const char *path, *end;
} kinds[] = {
	{ TOKEN_CLICK, NAME_PATH_CLICK, "" },
	{ TOKEN_OPEN, NAME_PATH_OPEN, NAME_PATH_OPEN_END },
	{ TOKEN_UNSUBSCRIBE, NAME_PATH_UNSUBSCRIBE, "" },
};

#define NKINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Why a token that did not open is none. */
static const char *
why_not(const struct token_keys *keys, struct str text)
{
	if (token_key_name(keys, text).n > 0)
		return "the key that it names does not open it for this host "
		       "and kind: it was made elsewhere, or changed since";
	for (size_t i = 0; i < text.n; i++)
		if (!str_is_alpha(text.p[i]) && !str_is_digit(text.p[i]) &&
		    text.p[i] != '-' && text.p[i] != '_')
			return "it is no token: those are letters, digits, - "
			       "and _";
	return text.n < 30 ? "it is too short for a token" :
			     "no key that is configured made it";
}

/* The last place at which part stands in s, or s.n. */
static size_t
find_last(struct str s, struct str part)
{
	size_t at = str_find(s, part, 0), last = s.n;

	for (; at < s.n; at = str_find(s, part, at + 1))
		last = at;
	return last;
}

static void
find_in_url(struct arena *a, const struct keyring *k, struct str url,
    struct token_answer *out)
{
	size_t host_at = str_find(url, STR("://"), 0) + 3;
	size_t path_at = str_chr(url, '/', host_at);
	struct str host = str_sub(url, host_at, path_at);
	struct str path = str_sub(url, path_at, url.n);

	path = str_sub(path, 0, str_chr(path, '#', 0));
	path = str_sub(path, 0, str_chr(path, '?', 0));
	out->error = "the URL is not of the form /c/TOKEN, /o/TOKEN.gif or "
		     "/u/TOKEN";
	for (size_t i = 0; i < NKINDS; i++) {
		struct str start = str_from(kinds[i].path);
		struct str end = str_from(kinds[i].end), text;
		size_t at = find_last(path, start);

		if (at == path.n || !str_iends(path, end))
			continue;
		text = str_sub(path, at + start.n, path.n - end.n);
		if (text.n == 0 || str_chr(text, '/', 0) < text.n)
			continue;
		out->error = NULL;
		if (token_open(a, k->tokens, kinds[i].kind, host, text,
			&out->token) != 0)
			out->error = why_not(k->tokens, text);
		return;
	}
}

static int
open_anywhere(
    struct arena *a, const struct keyring *k, struct str text, struct token *t)
{
	for (size_t i = 0; i < k->settings->ndomains; i++) {
		struct str host = k->settings->domains[i].tracking_host;

		if (host.n == 0)
			continue;
		for (size_t j = 0; j < NKINDS; j++)
			if (token_open(a, k->tokens, kinds[j].kind, host, text,
				t) == 0)
				return 0;
	}
	return -1;
}

static int
read_address(struct arena *a, const struct keyring *k, struct str local,
    struct str domain, struct token_answer *out)
{
	bool is_forged = false;

	if (returnpath_read(a, k->returnpath, k->nreturnpath, local, domain,
		&out->address, &is_forged) == 0) {
		out->is_address = true;
		out->error = NULL;
		return 0;
	}
	if (is_forged)
		out->error = "it looks like an address of ours, but no key "
			     "that is configured made it";
	return -1;
}

/* The local part alone: at any of our domains. */
static int
read_local_part(struct arena *a, const struct keyring *k, struct str local,
    struct token_answer *out)
{
	for (size_t i = 0; i < k->settings->ndomains; i++) {
		const struct domain_settings *d = &k->settings->domains[i];
		size_t at = str_chr(d->unsubscribe_mailto, '@', 0);
		struct str mailto = str_sub(
		    d->unsubscribe_mailto, at + 1, d->unsubscribe_mailto.n);

		if ((d->return_path_domain.n > 0 &&
			read_address(a, k, local, d->return_path_domain, out) ==
			    0) ||
		    (mailto.n > 0 &&
			read_address(a, k, local, mailto, out) == 0))
			return 0;
	}
	return -1;
}

/* "x@y" or "mailto:x@y?subject=TOKEN": the token is the one or the other. */
static void
find_in_address(struct arena *a, const struct keyring *k, struct str input,
    struct token_answer *out)
{
	const struct str scheme = STR("mailto:"), subject = STR("subject=");
	size_t query, at;
	struct addr addr;

	out->error = "it is no address of ours";
	if (str_istarts(input, scheme))
		input = str_sub(input, scheme.n, input.n);
	query = str_chr(input, '?', 0);
	if (addr_parse_path(a, str_sub(input, 0, query), &addr) != 0 ||
	    read_address(a, k, addr.local, addr.domain, out) == 0)
		return;
	at = str_ifind(input, subject, query);
	if (at < input.n) {
		at += subject.n;
		input = str_sub(input, at, str_chr(input, '&', at));
		read_address(a, k, input, addr.domain, out);
	}
}

void
token_find(struct arena *a, const struct keyring *k, struct str input,
    struct token_answer *out)
{
	struct str s = str_trim(input);

	*out = (struct token_answer){ .error = NULL };
	if (s.n > 1 && s.p[0] == '<' && s.p[s.n - 1] == '>')
		s = str_sub(s, 1, s.n - 1);
	if (str_istarts(s, STR("http://")) || str_istarts(s, STR("https://"))) {
		if (k->tokens != NULL)
			find_in_url(a, k, s, out);
		else
			out->error = "the settings name no token-keys";
	} else if (str_chr(s, '@', 0) < s.n) {
		find_in_address(a, k, s, out);
	} else if (k->tokens == NULL ||
		   open_anywhere(a, k, s, &out->token) != 0) {
		out->error = k->tokens != NULL
				 ? why_not(k->tokens, s)
				 : "the settings name no token-keys";
		read_local_part(a, k, s, out);
	}
}
