/*
 * suppress_scope.c - scopes as people write them.
 */
#include "cli/suppress.h"

#include "mail/addr.h"

static int
parse_id(struct str text, uint32_t *out)
{
	if (text.n != 9 || text.p[0] != '#')
		return -1;
	*out = 0;
	for (size_t i = 1; i < text.n; i++) {
		if (str_hex(text.p[i]) < 0)
			return -1;
		*out = *out << 4 | (uint32_t)str_hex(text.p[i]);
	}
	return *out == 0 ? -1 : 0;
}

/* A stream by title, former titles too; 0: there is none. */
static uint32_t
stream_id(const struct settings *s, struct str title)
{
	const struct stream_settings *stream = settings_stream_named(s, title);

	if (stream != NULL)
		return stream->id;
	for (size_t i = 0; i < s->nstreams; i++)
		for (size_t j = 0; j < s->streams[i].naliases; j++)
			if (str_eq(s->streams[i].alias_names[j], title))
				return s->streams[i].id;
	return 0;
}

static int
parse_stream(const struct settings *s, struct str text, uint32_t *out)
{
	if (text.n == 0 || str_eq(text, STR("*"))) {
		*out = 0;
		return 0;
	}
	if (parse_id(text, out) == 0)
		return 0;
	*out = stream_id(s, text);
	return *out != 0 ? 0 : -1;
}

static struct str
list_titles(struct arena *a, const struct settings *s)
{
	struct str out = STR("");

	for (size_t i = 0; i < s->nstreams && i < 20; i++)
		out = arena_printf(a, "%.*s%s%.*s", STR_ARG(out),
		    i > 0 ? ", " : "", STR_ARG(s->streams[i].name));
	return out.n > 0 ? out : STR("none");
}

static struct str
list_domains(struct arena *a, const struct settings *s)
{
	struct str out = STR("");

	for (size_t i = 0; i < s->ndomains && i < 20; i++)
		out = arena_printf(a, "%.*s%s%.*s", STR_ARG(out),
		    i > 0 ? ", " : "", STR_ARG(s->domains[i].name));
	return out.n > 0 ? out : STR("none");
}

int
suppress_scope_parse(struct arena *a, const struct settings *s,
    struct str text, bool is_strict, struct suppress_scope *out,
    struct str *why)
{
	size_t slash = str_chr(text, '/', 0);
	struct str rest = str_sub(text, slash + 1, text.n);

	*out = (struct suppress_scope){ .domain = STR(""), .list = STR("") };
	if (text.n == 0 || str_ieq(text, STR("global")))
		return 0;
	out->domain = addr_domain_ascii(a, str_sub(text, 0, slash));
	if (out->domain.n == 0 ||
	    (is_strict && settings_domain(s, out->domain) == NULL)) {
		*why = arena_printf(a,
		    "\"%.*s\" is no domain section of the settings; there "
		    "are: %.*s", STR_ARG(out->domain),
		    STR_ARG(list_domains(a, s)));
		return -1;
	}
	/* A title may have a slash in it itself. */
	if (rest.n > 0 && parse_stream(s, rest, &out->stream) == 0)
		return 0;
	slash = str_chr(rest, '/', 0);
	if (parse_stream(s, str_sub(rest, 0, slash), &out->stream) != 0) {
		*why = arena_printf(a,
		    "\"%.*s\" is no stream of the settings (#8hexdigits means "
		    "one that is gone); there are: %.*s",
		    STR_ARG(str_sub(rest, 0, slash)),
		    STR_ARG(list_titles(a, s)));
		return -1;
	}
	out->list = str_sub(rest, slash + 1, rest.n);
	if (out->list.n <= SUPPRESS_LABEL_MAX)
		return 0;
	*why = arena_printf(a, "a list key has at most %d octets",
	    SUPPRESS_LABEL_MAX);
	return -1;
}

void
suppress_scope_write(struct buf *out, const struct settings *s,
    const struct suppress_scope *scope)
{
	const struct stream_settings *stream = settings_stream(s,
	    scope->stream);

	if (scope->domain.n == 0) {
		buf_puts(out, "global");
		return;
	}
	buf_str(out, scope->domain);
	if (scope->stream == 0 && scope->list.n == 0)
		return;
	buf_char(out, '/');
	if (scope->stream == 0)
		buf_char(out, '*');
	else if (stream != NULL && stream->id == scope->stream &&
	    str_chr(stream->name, '/', 0) == stream->name.n)
		buf_str(out, stream->name);
	else
		buf_printf(out, "#%08x", (unsigned)scope->stream);
	if (scope->list.n > 0) {
		buf_char(out, '/');
		buf_str(out, scope->list);
	}
}
