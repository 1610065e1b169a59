/*
 * events_make.c - fills the events of a store for tests and benches: with
 * random ones of the last days, or with those that stdin has as JSON lines.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "store/events.h"

#define DAY_MICROS (INT64_C(86400) * 1000000)
#define CHUNK	   4096
#define TEXTS	   65536
#define LATE	   60000 /* ms */

static const char usage[] =
    "usage: events_make DIR N [DAYS [SEED [UNTIL]]]\n"
    "       events_make DIR - < LINES\n"
    "N random events of the DAYS (30) before UNTIL (now): RFC 3339 or seconds.\n"
    "LINES: JSON objects as `bulkhead events --json` prints them. stream may be\n"
    "a title or a number; hours is the token's; at is as time, or in seconds;\n"
    "written: when it is stored (at).\n";

/* What is gathered for one file. */
struct maker {
	struct arena *arena;
	const char *dir;
	struct event v[CHUNK];
	size_t n;
	uint32_t day; /* when they are written */
	int64_t written;
	struct store *store;
	uint32_t store_day;
	uint64_t total;
};

static void
die(const char *what)
{
	fprintf(stderr, "events_make: %s\n", what);
	exit(1);
}

static void
open_store(struct maker *m)
{
	struct buf errors;
	struct store_spec spec = { .kinds = STORE_EVENTS,
		.access = STORE_CHANGE,
		.clock = clock_fixed(m->written) };

	spec.store = arena_printf(m->arena, "sqlite:%s", m->dir);
	buf_init(&errors, TEXTS);
	store_close(&m->store);
	m->store = store_open(&spec, &errors);
	if (m->store == NULL)
		die(errors.p);
	buf_free(&errors);
	m->store_day = m->day;
}

static void
flush(struct maker *m)
{
	if (m->n == 0)
		return;
	if (m->store == NULL || m->store_day != m->day)
		open_store(m);
	if (store_events_add(m->store, m->v, m->n, false,
	    store_deadline(LATE)) != STORE_YES)
		die(store_error(m->store, STORE_EVENTS));
	m->total += m->n;
	m->n = 0;
	arena_reset(m->arena);
}

/*
 * Room for an event and its correction, written at that time: those of another
 * day go to another file.  Before their texts are made in the arena.
 */
static void
prepare(struct maker *m, int64_t written)
{
	if (m->n + 2 > CHUNK || event_day(written) != m->day)
		flush(m);
	m->day = event_day(written);
	m->written = written;
}

static void
add(struct maker *m, const struct event *e)
{
	m->v[m->n++] = *e;
}

/* ---- random ones ---- */

struct dice {
	uint64_t state;
};

static uint64_t
roll(struct dice *d, uint64_t n)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (z ^ z >> 31) % n;
}

static enum event_kind
roll_kind(struct dice *d)
{
	uint64_t v = roll(d, 100);

	if (v < 60)
		return EVENT_HANDED;
	if (v < 84)
		return EVENT_OPENED;
	if (v < 97)
		return EVENT_CLICKED;
	return v < 98 ? EVENT_UNSUBSCRIBED : v < 99 ? EVENT_SUPPRESSED :
	    EVENT_LIMITED;
}

static enum event_verdict
roll_verdict(struct dice *d, enum event_kind kind)
{
	static const enum event_verdict some[] = { EVENT_HUMAN, EVENT_HUMAN,
		EVENT_HUMAN, EVENT_PREFETCH, EVENT_SCANNER, EVENT_UNKNOWN };

	if (kind == EVENT_UNSUBSCRIBED)
		return EVENT_HUMAN;
	if (kind != EVENT_OPENED && kind != EVENT_CLICKED)
		return EVENT_NOBODY;
	return some[roll(d, sizeof(some) / sizeof(some[0]))];
}

/* 4 streams of 2 domains, a campaign a day and stream, 20 links each. */
static struct event
roll_event(struct dice *d, struct arena *a, int64_t at)
{
	static const char *const streams[] = { "newsletter", "offers",
		"receipts", "alerts" };
	uint64_t stream = roll(d, 4), sent = roll(d, 4);
	enum event_kind kind = roll_kind(d);
	int64_t mail = at - (int64_t)sent * DAY_MICROS;
	struct event e = { .id = roll(d, INT64_MAX) + 1,
		.at = at,
		.kind = kind,
		.verdict = roll_verdict(d, kind),
		.stream = hash_id32(str_from(streams[stream])),
		.hours = (uint32_t)(mail / DAY_MICROS * 24) };

	e.domain = stream < 3 ? STR("example.com") : STR("example.net");
	e.campaign = stream == 2 ? STR("") : arena_printf(a, "%s-%u",
	    streams[stream], event_day(kind == EVENT_HANDED ? at : mail));
	e.list = stream == 0 ? STR("news.example.com") : STR("");
	e.recipient = roll(d, 50) == 0 ? STR("") : arena_printf(a,
	    "user%" PRIu64 "@mail%" PRIu64 ".example", roll(d, 100000),
	    roll(d, 5));
	if (kind == EVENT_CLICKED)
		e.url = arena_printf(a, "https://www.example.com/%s/%u/%" PRIu64
		    "?utm_source=newsletter", streams[stream],
		    event_day(mail), roll(d, 20));
	if (e.verdict != EVENT_NOBODY)
		e.rule = STR("made");
	if (kind == EVENT_SUPPRESSED)
		e.detail = STR("unsubscribe");
	if (kind == EVENT_LIMITED)
		e.detail = STR("each-domain");
	return e;
}

static void
make_random(struct maker *m, uint64_t n, uint64_t days, uint64_t seed,
    int64_t until)
{
	struct dice d = { .state = seed };
	int64_t from = until - (int64_t)days * DAY_MICROS, at;
	struct event e;

	for (uint64_t i = 0; i < n; i++) {
		at = from + (int64_t)((double)(until - from) *
		    ((double)i / (double)n));
		prepare(m, at);
		e = roll_event(&d, m->arena, at);
		add(m, &e);
		if (roll_verdict(&d, EVENT_OPENED) == EVENT_SCANNER &&
		    roll(&d, 4) == 0 && e.kind == EVENT_CLICKED &&
		    e.verdict != EVENT_SCANNER) {
			e.was = e.verdict;
			e.verdict = EVENT_SCANNER;
			e.rule = STR("burst");
			add(m, &e);
		}
	}
}

/* ---- JSON lines ---- */

static struct str
text_of(struct arena *a, const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_string(v))
		return STR("");
	return arena_copy(a, str_make(json_string_value(v),
	    json_string_length(v)));
}

/* RFC 3339 with or without a fraction, or seconds. */
static int64_t
time_of(const json_t *o, const char *name, int64_t otherwise)
{
	const json_t *v = json_object_get(o, name);
	int64_t micros = 0;

	if (v == NULL)
		return otherwise;
	if (json_is_number(v))
		return (int64_t)(json_number_value(v) * 1e6);
	if (!json_is_string(v) ||
	    clock_parse(str_from(json_string_value(v)), &micros) != 0)
		die("a time is RFC 3339 or seconds");
	return micros;
}

static int64_t
at_of(const json_t *o, int64_t now)
{
	return time_of(o, "at", time_of(o, "time", now));
}

/* 16 hex digits, of the event or of the one that is corrected; 0: none. */
static uint64_t
id_of(const json_t *o, struct arena *a)
{
	struct str id = text_of(a, o, "corrects");

	if (id.n == 0)
		id = text_of(a, o, "id");
	return strtoull(arena_cstr(a, id), NULL, 16);
}

static void
read_kind(const json_t *o, struct arena *a, struct event *e)
{
	struct str verdict = text_of(a, o, "verdict"), was = text_of(a, o,
	    "was");

	if (event_kind_parse(text_of(a, o, "kind"), &e->kind) != 0)
		die("no such kind");
	if (verdict.n > 0 && event_verdict_parse(verdict, &e->verdict) != 0)
		die("no such verdict");
	if (was.n > 0 && event_verdict_parse(was, &e->was) != 0)
		die("no such verdict in was");
}

static uint32_t
stream_of(const json_t *o, struct arena *a)
{
	const json_t *v = json_object_get(o, "stream");
	struct str title = text_of(a, o, "stream");

	if (json_is_integer(v))
		return (uint32_t)json_integer_value(v);
	return title.n > 0 ? hash_id32(title) : 0;
}

static void
read_event(const json_t *o, struct arena *a, int64_t now, struct event *e)
{
	const json_t *hours = json_object_get(o, "hours");

	*e = (struct event){ .at = at_of(o, now),
		.stream = stream_of(o, a),
		.rule = text_of(a, o, "rule"),
		.domain = text_of(a, o, "domain"),
		.campaign = text_of(a, o, "campaign"),
		.list = text_of(a, o, "list"),
		.recipient = text_of(a, o, "recipient"),
		.url = text_of(a, o, "url"),
		.instance = text_of(a, o, "instance"),
		.queue_id = text_of(a, o, "queue_id"),
		.message_id = text_of(a, o, "message_id"),
		.detail = text_of(a, o, "detail"),
		.metadata = text_of(a, o, "metadata"),
		.visitor = text_of(a, o, "visitor") };
	e->id = id_of(o, a);
	e->hours = (uint32_t)json_integer_value(hours);
	read_kind(o, a, e);
}

static void
make_lines(struct maker *m, int64_t now)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	json_error_t error;
	json_t *o;
	struct event e;

	while ((n = getline(&line, &size, stdin)) > 0) {
		if (str_trim(str_make(line, (size_t)n)).n == 0)
			continue;
		o = json_loadb(line, (size_t)n, JSON_ALLOW_NUL, &error);
		if (!json_is_object(o))
			die(o == NULL ? error.text : "no object");
		prepare(m, time_of(o, "written", at_of(o, now)));
		read_event(o, m->arena, now, &e);
		add(m, &e);
		json_decref(o);
	}
	free(line);
}

int
main(int argc, char **argv)
{
	struct clock clock = clock_system();
	int64_t until = clock_micros(&clock);
	struct maker *m;

	if (argc < 3 || argc > 6) {
		fputs(usage, stderr);
		return 64;
	}
	m = mem_alloc(sizeof(*m));
	*m = (struct maker){ .arena = arena_new(), .dir = argv[1] };
	if (argc > 5 && clock_parse(str_from(argv[5]), &until) != 0)
		die("UNTIL is RFC 3339 or seconds");
	if (strcmp(argv[2], "-") == 0)
		make_lines(m, until);
	else
		make_random(m, strtoull(argv[2], NULL, 10), argc > 3 ?
		    strtoull(argv[3], NULL, 10) : 30, argc > 4 ?
		    strtoull(argv[4], NULL, 10) : 1, until);
	flush(m);
	printf("%" PRIu64 "\n", m->total);
	store_close(&m->store);
	arena_free(&m->arena);
	free(m);
	return 0;
}
