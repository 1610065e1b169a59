/*
 * report_find.c - what a report is about: a stream, a campaign, a domain; and
 * what there is, where there is nothing of that name.
 */
#include "cli/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/hash.h"

#define NAMES_MAX 12 /* that are told */
#define TEXT_MAX  8192

struct str
report_stream_name(struct report *r, uint32_t stream)
{
	const struct stream_settings *s;

	if (stream == 0)
		return STR("(none)");
	s = settings_stream(r->settings, stream);
	if (s != NULL)
		return s->name;
	return arena_printf(r->arena, "#%08" PRIx32, stream);
}

static bool
stop_at_first(void *arg, const struct rollup_row *row)
{
	bool *found = arg;

	(void)row;
	*found = true;
	return false;
}

/* Is there anything of it, on any day?  STORE_YES, STORE_NO or UNKNOWN. */
static enum store_answer
is_there(struct report *r, const struct rollup_filter *filter)
{
	bool found = false;

	if (store_rollup_walk(r->store, filter, stop_at_first, &found) ==
	    STORE_UNKNOWN) {
		report_say("%s", store_error(r->store, STORE_EVENTS));
		return STORE_UNKNOWN;
	}
	return found ? STORE_YES : STORE_NO;
}

/* The id of a stream by title, former title or "#1a2b3c4d". */
static uint32_t
stream_id(struct report *r, struct str name)
{
	const struct stream_settings *s = settings_stream_named(r->settings,
	    name);
	char *end;
	unsigned long v;

	if (s != NULL)
		return s->id;
	if (name.n == 9 && name.p[0] == '#') {
		v = strtoul(arena_cstr(r->arena, str_sub(name, 1, 9)), &end,
		    16);
		if (*end == '\0')
			return (uint32_t)v;
	}
	return hash_id32(name);
}

static enum store_answer
find_stream(struct report *r, struct str name)
{
	struct rollup_filter f = { .domain = r->domain, .has_stream = true };

	r->stream = f.stream = stream_id(r, name);
	if (settings_stream(r->settings, r->stream) != NULL)
		return STORE_YES;
	return is_there(r, &f);
}

static enum store_answer
find_campaign(struct report *r, struct str name)
{
	struct rollup_filter f = { .domain = r->domain,
		.has_campaign = true,
		.campaign = name };

	return is_there(r, &f);
}

/* ---- what there is ---- */

struct names {
	struct report *r;
	struct str v[NAMES_MAX + 1]; /* campaigns */
	size_t n;
};

static bool
note_campaign(void *arg, const struct rollup_row *row)
{
	struct names *names = arg;

	if (row->campaign.n == 0)
		return true;
	for (size_t i = 0; i < names->n; i++)
		if (str_eq(names->v[i], row->campaign))
			return true;
	names->v[names->n++] = arena_copy(names->r->arena, row->campaign);
	return names->n <= NAMES_MAX;
}

static void
list_streams(struct report *r, struct buf *out)
{
	for (size_t i = 0; i < r->settings->nstreams && i < NAMES_MAX; i++) {
		buf_puts(out, i > 0 ? ", " : "; streams: ");
		report_name(out, r->settings->streams[i].name, 0);
	}
	if (r->settings->nstreams > NAMES_MAX)
		buf_puts(out, ", ...");
}

static void
list_campaigns(struct report *r, struct buf *out)
{
	struct names names = { .r = r };
	struct rollup_filter f = { .domain = r->domain,
		.from_day = r->from };

	if (store_rollup_walk(r->store, &f, note_campaign, &names) ==
	    STORE_UNKNOWN)
		return;
	for (size_t i = 0; i < names.n; i++) {
		buf_puts(out, i > 0 ? ", " : "; campaigns: ");
		if (i < NAMES_MAX)
			report_name(out, names.v[i], 0);
		else
			buf_puts(out, "...");
	}
}

static int
say_nothing(struct report *r, const char *what, struct str name)
{
	struct buf text;

	buf_init(&text, (size_t)2 * 1024 * 1024);
	buf_printf(&text, "there is no %s \"", what);
	report_name(&text, str_sub(name, 0, TEXT_MAX), 0);
	buf_char(&text, '"');
	list_streams(r, &text);
	list_campaigns(r, &text);
	report_say("%.*s", STR_ARG(buf_view(&text)));
	buf_free(&text);
	return EX_DATAERR;
}

/* ---- which of them ---- */

static int
of_stream(struct report *r, struct str name, enum store_answer answer)
{
	if (answer == STORE_UNKNOWN)
		return EX_UNAVAILABLE;
	if (answer == STORE_NO)
		return say_nothing(r, "stream", name);
	r->about = REPORT_STREAM;
	r->title = settings_stream(r->settings, r->stream) != NULL ?
	    report_stream_name(r, r->stream) : name;
	return EX_OK;
}

static int
of_campaign(struct report *r, struct str name, enum store_answer answer)
{
	if (answer == STORE_UNKNOWN)
		return EX_UNAVAILABLE;
	if (answer == STORE_NO)
		return say_nothing(r, "campaign", name);
	r->about = REPORT_CAMPAIGN;
	r->title = name;
	return EX_OK;
}

static int
of_name(struct report *r, struct str name)
{
	enum store_answer stream = find_stream(r, name), campaign;

	if (stream == STORE_UNKNOWN)
		return EX_UNAVAILABLE;
	campaign = find_campaign(r, name);
	if (stream == STORE_YES && campaign == STORE_YES)
		report_say("there is a campaign of that name, too: "
		    "--campaign reports on that");
	if (stream == STORE_YES)
		return of_stream(r, name, stream);
	if (campaign == STORE_NO)
		return say_nothing(r, "stream or campaign", name);
	return of_campaign(r, name, campaign);
}

static int
of_domain(struct report *r, const struct report_options *o)
{
	struct rollup_filter f = { .from_day = 0 };
	enum store_answer answer = STORE_YES;
	struct buf text;

	if (o->domain == NULL)
		return EX_OK;
	f.domain = r->domain = arena_lower(r->arena, str_from(o->domain));
	if (settings_domain(r->settings, r->domain) == NULL)
		answer = is_there(r, &f);
	if (answer == STORE_UNKNOWN)
		return EX_UNAVAILABLE;
	if (answer == STORE_YES)
		return EX_OK;
	buf_init(&text, (size_t)2 * 1024 * 1024);
	buf_puts(&text, "there is no domain \"");
	report_name(&text, str_sub(r->domain, 0, TEXT_MAX), 0);
	buf_char(&text, '"');
	for (size_t i = 0; i < r->settings->ndomains && i < NAMES_MAX; i++)
		buf_printf(&text, "%s%.*s", i > 0 ? ", " : "; domains: ",
		    STR_ARG(r->settings->domains[i].name));
	report_say("%.*s", STR_ARG(buf_view(&text)));
	buf_free(&text);
	return EX_DATAERR;
}

int
report_find(struct report *r, const struct report_options *o)
{
	int rc = of_domain(r, o);

	if (rc != EX_OK)
		return rc;
	if (o->stream != NULL)
		return of_stream(r, str_from(o->stream),
		    find_stream(r, str_from(o->stream)));
	if (o->campaign != NULL)
		return of_campaign(r, str_from(o->campaign),
		    find_campaign(r, str_from(o->campaign)));
	return o->name != NULL ? of_name(r, str_from(o->name)) : EX_OK;
}
