/*
 * ours.c - tokens, tracking URLs and addresses that come back.
 */
#include "engine/ours.h"

#include "bulkhead/names.h"
#include "bulkhead/token.h"

#define MAX_LOOKS 8

bool
ours_has_tokens(const struct message *m)
{
	return m->keyring->tokens != NULL && m->domain->tracking_url.n > 0;
}

bool
ours_has_addresses(const struct message *m)
{
	return m->keyring->nreturnpath > 0 &&
	    m->domain->return_path_domain.n > 0;
}

static void
free_sealer(void *arg)
{
	struct token_sealer *sealer = arg;

	token_sealer_free(&sealer);
}

/* One keyed context a message, freed with its arena. */
static struct token_sealer *
sealer_of(struct message *m)
{
	if (m->sealer == NULL) {
		m->sealer = token_sealer_new(m->keyring->tokens,
		    m->domain->tracking_host);
		arena_on_free(m->arena, free_sealer, m->sealer);
	}
	return m->sealer;
}

static struct str
path_of(enum token_kind kind)
{
	switch (kind) {
	case TOKEN_CLICK:
		return STR(NAME_PATH_CLICK);
	case TOKEN_OPEN:
		return STR(NAME_PATH_OPEN);
	case TOKEN_UNSUBSCRIBE:
	case TOKEN_UNDO:
		break;
	}
	return STR(NAME_PATH_UNSUBSCRIBE);
}

int
ours_url(struct message *m, enum token_kind kind, struct str url,
    struct str *out)
{
	struct token t = {
		.kind = kind,
		.domain = m->domain->name,
		.stream = m->stream->id,
		.campaign = m->campaign,
		.list = m->list,
		.recipient = m->recipient,
		.hours = (uint32_t)(m->now / 3600),
		.url = url,
	};
	struct str parts[] = { m->domain->tracking_url, path_of(kind),
		STR(""),
		kind == TOKEN_OPEN ? STR(NAME_PATH_OPEN_END) : STR("") };

	if (token_seal(sealer_of(m), m->arena, &t, &parts[2]) != 0)
		return -1;
	*out = arena_join(m->arena, parts, sizeof(parts) / sizeof(parts[0]));
	return 0;
}

/* What stands in text at at, behind the tracking URL: "/c/TOKEN"? */
static bool
is_token(struct message *m, struct str text, size_t at)
{
	static const enum token_kind kinds[] = { TOKEN_CLICK, TOKEN_OPEN,
		TOKEN_UNSUBSCRIBE };
	struct str rest = str_sub(text, at, text.n);
	size_t end = strlen(NAME_PATH_CLICK);
	struct token token;

	while (end < rest.n && (str_is_alpha(rest.p[end]) ||
	    str_is_digit(rest.p[end]) || rest.p[end] == '-' ||
	    rest.p[end] == '_'))
		end++;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct str path = path_of(kinds[i]);

		if (str_starts(rest, path))
			return token_open(m->arena, m->keyring->tokens,
			    kinds[i], m->domain->tracking_host,
			    str_sub(rest, path.n, end), &token) == 0;
	}
	return false;
}

bool
ours_is_in(struct message *m, struct str text)
{
	struct str base = m->domain->tracking_url;
	size_t at = 0;

	if (!ours_has_tokens(m))
		return false;
	for (int i = 0; i < MAX_LOOKS; i++) {
		at = str_find(text, base, at);
		if (at == text.n)
			return false;
		at += base.n;
		if (is_token(m, text, at))
			return true;
	}
	return false;
}

struct str
ours_local(struct message *m, enum returnpath_kind kind, struct str at_domain)
{
	struct returnpath r = {
		.kind = kind,
		.scope = returnpath_scope(m->domain->name, m->stream->id),
		.day = (uint16_t)(m->now / 86400),
	};
	struct addr addr;

	if (m->recipient.n > 0 &&
	    addr_parse_path(m->arena, m->recipient, &addr) == 0) {
		r.user = addr.local;
		r.host = addr.domain;
	}
	return returnpath_make(m->arena, &m->keyring->returnpath[0], &r,
	    at_domain);
}
