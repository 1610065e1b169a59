/*
 * events_write.c - an event as a line for people, or as JSON.
 */
#include "cli/events.h"

#include <stdio.h>

#include "base/json.h"
#include "cli/report.h"

#define TIME_TEXT    (CLOCK_TEXT + 8)
#define METADATA_MAX (8 * EVENT_TEXT_MAX)

static void
write_time(char out[TIME_TEXT], int64_t micros)
{
	char seconds[CLOCK_TEXT];

	clock_rfc3339(micros / 1000000, seconds);
	snprintf(out, TIME_TEXT, "%.19s.%03dZ", seconds,
	    (int)(micros / 1000 % 1000));
}

/* Its title; "#0123abcd" when the settings have no such stream (any more). */
static void
add_stream(struct buf *out, const struct settings *s, uint32_t id)
{
	const struct stream_settings *stream = settings_stream(s, id);

	if (stream != NULL && stream->id == id)
		buf_str(out, stream->name);
	else
		buf_printf(out, "#%08x", (unsigned)id);
}

/* ---- for people ---- */

void
events_write_head(struct buf *out)
{
	buf_printf(out, "%-24s  %-12s  %-8s  %-16s  %-28s  %s\n", "TIME",
	    "KIND", "VERDICT", "STREAM", "RECIPIENT", "WHAT");
}

/* Padded, never cut; text only, see report_name.c. */
static void
add_cell(struct buf *out, struct str text, size_t width)
{
	report_name(out, text, 0);
	for (size_t i = report_name_width(text); i < width; i++)
		buf_char(out, ' ');
	buf_puts(out, "  ");
}

static struct str
what_of(const struct event *e)
{
	if (e->url.n > 0)
		return e->url;
	if (e->detail.n > 0)
		return e->detail;
	return e->campaign;
}

void
events_write_line(struct buf *out, const struct settings *s,
    const struct event *e)
{
	char time[TIME_TEXT];
	struct buf stream;

	write_time(time, e->at);
	buf_init(&stream, 4096);
	if (e->stream != 0)
		add_stream(&stream, s, e->stream);
	buf_printf(out, "%-24s  %-12s  ", time, event_kind_name(e->kind));
	add_cell(out, e->verdict == EVENT_NOBODY ? STR("-") :
	    str_from(event_verdict_name(e->verdict)), 8);
	add_cell(out, buf_view(&stream), 16);
	add_cell(out, e->recipient, 28);
	add_cell(out, what_of(e), 0);
	if (e->was != EVENT_NOBODY)
		buf_printf(out, "(corrected: was %s)",
		    event_verdict_name(e->was));
	while (out->n > 0 && out->p[out->n - 1] == ' ')
		out->n--;
	buf_char(out, '\n');
	buf_free(&stream);
}

/* ---- for programs ---- */

static void
add_text(struct buf *out, const char *name, struct str text)
{
	if (text.n == 0)
		return;
	json_key(out, name);
	json_string(out, text);
}

static void
add_id(struct buf *out, const char *name, uint64_t id)
{
	json_key(out, name);
	buf_printf(out, "\"%016llx\"", (unsigned long long)id);
}

static void
add_texts(struct buf *out, const struct event *e)
{
	struct buf metadata;

	add_text(out, "domain", e->domain);
	add_text(out, "campaign", e->campaign);
	add_text(out, "list", e->list);
	add_text(out, "recipient", e->recipient);
	add_text(out, "url", e->url);
	add_text(out, "instance", e->instance);
	add_text(out, "queue-id", e->queue_id);
	add_text(out, "message-id", e->message_id);
	add_text(out, "detail", e->detail);
	add_text(out, "visitor", e->visitor);
	buf_init(&metadata, METADATA_MAX);
	if (events_metadata(&metadata, e->metadata)) {
		json_key(out, "metadata");
		buf_str(out, buf_view(&metadata));
	}
	buf_free(&metadata);
}

void
events_write_json(struct buf *out, const struct settings *s,
    const struct event *e, const struct event_cursor *at)
{
	char cursor[EVENT_CURSOR_TEXT], time[TIME_TEXT];
	struct buf stream;

	event_cursor_format(at, cursor);
	write_time(time, e->at);
	buf_char(out, '{');
	add_text(out, "cursor", str_from(cursor));
	add_id(out, e->was == EVENT_NOBODY ? "id" : "corrects", e->id);
	add_text(out, "time", str_from(time));
	add_text(out, "kind", str_from(event_kind_name(e->kind)));
	if (e->verdict != EVENT_NOBODY)
		add_text(out, "verdict",
		    str_from(event_verdict_name(e->verdict)));
	if (e->was != EVENT_NOBODY)
		add_text(out, "was", str_from(event_verdict_name(e->was)));
	add_text(out, "rule", e->rule);
	buf_init(&stream, 4096);
	if (e->stream != 0)
		add_stream(&stream, s, e->stream);
	add_text(out, "stream", buf_view(&stream));
	buf_free(&stream);
	add_texts(out, e);
	buf_puts(out, "}\n");
}
