/*
 * token_write.c - what a token or an address of ours says, for people and for
 * machines.
 */
#include "cli/token.h"

#include "base/clock.h"
#include "base/json.h"

/* A title where there is one, else the id. */
static struct str
stream_text(struct arena *a, const struct settings *s, uint32_t id)
{
	const struct stream_settings *stream = settings_stream(s, id);

	return stream != NULL ? stream->name
			      : arena_printf(a, "%08x", (unsigned)id);
}

static const char *
kind_text(const struct token_answer *t)
{
	if (t->is_address)
		return t->address.kind == RETURNPATH_BOUNCE ? "bounce"
		       : t->address.kind == RETURNPATH_COMPLAINT
			   ? "complaint"
			   : "unsubscribe-mail";
	return t->token.kind == TOKEN_CLICK  ? "click"
	       : t->token.kind == TOKEN_OPEN ? "open"
					     : "unsubscribe";
}

/* The section and stream of an address's scope; both NULL: none is left. */
static void
find_scope(const struct settings *s, uint32_t scope,
    const struct domain_settings **domain,
    const struct stream_settings **stream)
{
	for (size_t i = 0; i < s->ndomains; i++)
		for (size_t j = 0; j < s->nstreams; j++) {
			*domain = &s->domains[i];
			*stream = &s->streams[j];
			if (returnpath_scope((*domain)->name, (*stream)->id) ==
			    scope)
				return;
		}
	*domain = NULL;
	*stream = NULL;
}

/* One name and its value, empty for none, in either form. */
struct field {
	const char *name;
	struct str value;
};

#define MAX_FIELDS 8

static size_t
token_fields(struct arena *a, const struct settings *s, const struct token *t,
    struct field *f)
{
	char time[CLOCK_TEXT];
	const struct field fields[] = {
		{ "url", t->url },
		{ "domain", t->domain },
		{ "stream", stream_text(a, s, t->stream) },
		{ "campaign", t->campaign },
		{ "list", t->list },
		{ "recipient", t->recipient },
		{ "time", STR("") },
	};
	const size_t n = sizeof(fields) / sizeof(fields[0]);

	clock_rfc3339((int64_t)t->hours * 3600, time);
	memcpy(f, fields, sizeof(fields));
	f[n - 1].value = arena_copy(a, str_from(time));
	return n;
}

static size_t
address_fields(struct arena *a, const struct settings *s,
    const struct returnpath *r, struct field *f)
{
	const struct domain_settings *domain;
	const struct stream_settings *stream;
	struct str recipient = STR("");
	char day[CLOCK_TEXT];

	find_scope(s, r->scope, &domain, &stream);
	clock_rfc3339((int64_t)r->day * 86400, day);
	if (r->user.n > 0)
		recipient = arena_printf(
		    a, "%.*s@%.*s", STR_ARG(r->user), STR_ARG(r->host));
	f[0] = (struct field){ "scope",
		arena_printf(a, "%08x", (unsigned)r->scope) };
	f[1] =
	    (struct field){ "domain", domain != NULL ? domain->name : STR("") };
	f[2] =
	    (struct field){ "stream", stream != NULL ? stream->name : STR("") };
	f[3] = (struct field){ "day", arena_copy(a, str_make(day, 10)) };
	f[4] = (struct field){ "recipient", recipient };
	return 5;
}

static size_t
fields_of(struct arena *a, const struct settings *s,
    const struct token_answer *t, struct field *f)
{
	return t->is_address ? address_fields(a, s, &t->address, f)
			     : token_fields(a, s, &t->token, f);
}

void
token_write_json(struct buf *out, struct arena *a, const struct settings *s,
    struct str input, const struct token_answer *t)
{
	struct field f[MAX_FIELDS];
	size_t n;

	buf_char(out, '{');
	json_key(out, "kind");
	if (t->error != NULL) {
		buf_puts(out, "null");
		json_key(out, "error");
		json_string(out, str_from(t->error));
		json_key(out, "input");
		json_string(out, input);
		buf_puts(out, "}\n");
		return;
	}
	json_string(out, str_from(kind_text(t)));
	n = fields_of(a, s, t, f);
	for (size_t i = 0; i < n; i++) {
		json_key(out, f[i].name);
		json_string_or_null(out, f[i].value);
	}
	buf_puts(out, "}\n");
}

/* Text of strangers on a terminal: no control characters. */
static void
write_shown(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		buf_char(out, c < 0x20 || c == 0x7f ? '?' : s.p[i]);
	}
	buf_char(out, '\n');
}

void
token_write_text(struct buf *out, struct arena *a, const struct settings *s,
    const struct token_answer *t)
{
	struct field f[MAX_FIELDS];
	size_t n = fields_of(a, s, t, f);

	buf_printf(out, "%-10s %s\n", "kind", kind_text(t));
	for (size_t i = 0; i < n; i++) {
		if (f[i].value.n == 0)
			continue;
		buf_printf(out, "%-10s ", f[i].name);
		write_shown(out, f[i].value);
	}
}
