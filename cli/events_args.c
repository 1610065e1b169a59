/*
 * events_args.c - which events, and from where on.
 */
#include "cli/events.h"

#include <sysexits.h>

#include "base/num.h"
#include "cli/import.h"
#include "mail/addr.h"
#include "store/suppress.h"

#define DEADLINE_MILLIS 60000
#define DAY_MICROS	(INT64_C(86400) * 1000000)

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
	return 0;
}

/* A stream by title, former titles too. */
static int
find_stream(const struct settings *s, struct str title, uint32_t *out)
{
	const struct stream_settings *stream = settings_stream_named(s, title);

	for (size_t i = 0; stream == NULL && i < s->nstreams; i++)
		for (size_t j = 0; j < s->streams[i].naliases; j++)
			if (str_eq(s->streams[i].alias_names[j], title))
				stream = &s->streams[i];
	if (stream != NULL)
		*out = stream->id;
	return stream != NULL ? 0 : parse_id(title, out);
}

int
events_arg_filter(struct events_run *r, struct event_filter *out)
{
	const struct events_options *o = r->o;

	*out = (struct event_filter){ .kinds = o->kinds,
		.has_stream = o->stream != NULL,
		.campaign = str_from(o->campaign) };
	if (o->stream != NULL && find_stream(r->settings, str_from(o->stream),
	    &out->stream) != 0) {
		events_say("--stream: \"%s\" is no stream of the settings "
		    "(#8hexdigits means one that is gone)", o->stream);
		return EX_USAGE;
	}
	if (o->domain != NULL) {
		out->domain = addr_domain_ascii(r->arena, str_from(o->domain));
		if (out->domain.n == 0) {
			events_say("--domain: \"%s\" is no domain", o->domain);
			return EX_USAGE;
		}
	}
	if (o->recipient == NULL)
		return EX_OK;
	out->recipient = str_starts(str_from(o->recipient), STR("hash:")) ?
	    str_from(o->recipient) :
	    suppress_normal(r->arena, str_from(o->recipient));
	if (out->recipient.n > 0)
		return EX_OK;
	events_say("--recipient: \"%s\" is no address", o->recipient);
	return EX_DATAERR;
}

static int
parse_time(struct events_run *r, const char *text, int64_t *out)
{
	uint64_t seconds;
	int64_t date;

	if (clock_parse(str_from(text), out) == 0)
		return 0;
	if (num_parse_duration(str_from(text), &seconds) == 0 &&
	    seconds <= (uint64_t)(r->now / 1000000))
		*out = r->now - (int64_t)seconds * 1000000;
	else if (import_date_parse(str_from(text), &date) == 0)
		*out = date * 1000000;
	else
		return -1;
	return 0;
}

/* A reader who was away too long is told what was missed. */
static int
warn_of_gap(struct events_run *r, const struct event_cursor *c)
{
	enum store_answer answer;
	uint32_t oldest;
	int64_t days;

	answer = store_events_oldest(r->store, &oldest,
	    store_deadline(DEADLINE_MILLIS));
	if (answer == STORE_UNKNOWN)
		return events_store_failed(r);
	if (answer == STORE_NO || c->day == 0 || c->day >= oldest)
		return EX_OK;
	days = (event_day_start(oldest) - event_day_start(c->day)) /
	    DAY_MICROS;
	events_say("events of up to %lld day%s behind the cursor were removed "
	    "by retention: going on with %08u", (long long)days,
	    days == 1 ? "" : "s", (unsigned)oldest);
	return EX_OK;
}

static int
seek(struct events_run *r, int64_t at, struct event_cursor *out)
{
	return store_events_seek(r->store, at, out,
	    store_deadline(DEADLINE_MILLIS)) == STORE_YES ? EX_OK :
	    events_store_failed(r);
}

int
events_arg_since(struct events_run *r, struct event_cursor *out, int64_t *from)
{
	const char *text = r->o->since;

	*from = 0;
	*out = (struct event_cursor){ .day = 0 };
	if (text == NULL)
		return r->o->follow ? seek(r, INT64_MAX, out) : EX_OK;
	if (event_cursor_parse(str_from(text), out) == 0)
		return warn_of_gap(r, out);
	if (parse_time(r, text, from) == 0)
		return seek(r, *from, out);
	events_say("--since: \"%s\" is neither a cursor (20261201-4711) nor a "
	    "time: 2026-12-01T08:00:00Z, 2026-12-01, seconds since 1970, or 7d "
	    "for seven days ago", text);
	return EX_USAGE;
}
