/*
 * event_sink.c - a daemon's events on their way to the store's writer.
 */
#include "bulkhead/event_sink.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/log.h"

static void
say_down(struct event_sink *sink, struct str why)
{
	atomic_store(&sink->is_down, true);
	log_error("events are not stored, mail goes on: %.*s", STR_ARG(why));
}

/* One way of failing is as good as all. */
static struct str
first_line(struct str errors)
{
	return str_sub(errors, 0, str_chr(errors, '\n', 0));
}

static struct str
place(const struct settings *s)
{
	return s->events.n > 0 ? s->events : s->store;
}

/* The same place, but that mkdir(2) does not make a directory by that name. */
static struct str
existing(struct arena *a, struct str place)
{
	return str_starts(place, STR("sqlite:")) ?
	    arena_printf(a, "%.*s/.", STR_ARG(place)) : place;
}

void
event_sink_start(struct event_sink *sink, const struct settings *s,
    struct metrics *m)
{
	struct store_spec spec = {
		.kinds = STORE_EVENTS,
		.clock = clock_system(),
	};
	struct arena *a = arena_new();
	struct writer *writer;
	struct buf errors;

	spec.store = existing(a, place(s));
	event_sink_use(sink, s);
	atomic_store(&sink->metrics, m);
	buf_init(&errors, 65536);
	writer = writer_start(&spec, 1, true, &errors);
	/* before event_sink_tick() sees it, which would say so, too */
	if (errors.n > 0)
		say_down(sink, first_line(buf_view(&errors)));
	atomic_store(&sink->writer, writer);
	buf_free(&errors);
	arena_free(&a);
}

void
event_sink_share(struct event_sink *sink, struct writer *writer,
    const struct settings *s, struct metrics *m)
{
	event_sink_use(sink, s);
	atomic_store(&sink->metrics, m);
	atomic_store(&sink->writer, writer);
}

void
event_sink_use(struct event_sink *sink, const struct settings *s)
{
	atomic_store(&sink->as_hash,
	    s->event_addresses == EVENT_ADDRESSES_HASH);
}

void
event_sink_add(void *arg, const struct event *e)
{
	struct event_sink *sink = arg;
	struct writer *writer = atomic_load(&sink->writer);
	struct metrics *m = atomic_load(&sink->metrics);

	if (writer == NULL)
		metrics_add(m, METRIC_EVENTS_LOST, 1);
	else if (writer_event(writer, e, atomic_load(&sink->as_hash)))
		metrics_add(m, METRIC_EVENTS, 1);
}

/* lost: since the writer started. */
static void
count_lost(struct event_sink *sink, uint64_t lost)
{
	metrics_add(atomic_load(&sink->metrics), METRIC_EVENTS_LOST,
	    lost - sink->lost);
	sink->lost = lost;
}

void
event_sink_tick(struct event_sink *sink)
{
	struct writer *writer = atomic_load(&sink->writer);
	char why[WRITER_ERROR_SIZE];
	bool is_failing;

	if (writer == NULL)
		return;
	count_lost(sink, writer_events_lost(writer));
	is_failing = writer_events_failing(writer, why);
	if (is_failing && !atomic_load(&sink->is_down)) {
		say_down(sink, str_from(why));
	} else if (!is_failing && atomic_load(&sink->is_down)) {
		atomic_store(&sink->is_down, false);
		log_info("events are stored again");
	}
}

void
event_sink_stop(struct event_sink *sink, unsigned millis)
{
	struct writer *writer = atomic_exchange(&sink->writer, NULL);
	uint64_t before = sink->lost;

	if (writer == NULL)
		return;
	count_lost(sink, writer_stop(&writer, millis));
	if (sink->lost > before)
		log_warning("%" PRIu64 " events were not stored in time and "
			    "are lost", sink->lost - before);
}

bool
event_sink_has_moved(const struct settings *old, const struct settings *fresh)
{
	return !str_eq(place(old), place(fresh));
}
