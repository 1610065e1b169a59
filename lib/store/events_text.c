/*
 * events_text.c - names of kinds and verdicts, cursors as text, days, and what
 * a filter lets through.
 */
#include "store/events_private.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/num.h"

#define DAY_MICROS (INT64_C(86400) * 1000000)
#define DAY_LAST   99991231u

static const char *const kinds[EVENT_KINDS] = {
	[EVENT_HANDED] = "handed",
	[EVENT_OPENED] = "opened",
	[EVENT_CLICKED] = "clicked",
	[EVENT_UNSUBSCRIBED] = "unsubscribed",
	[EVENT_SUPPRESSED] = "suppressed",
	[EVENT_LIMITED] = "limited",
};

static const char *const verdicts[EVENT_VERDICTS] = {
	[EVENT_NOBODY] = "nobody",
	[EVENT_HUMAN] = "human",
	[EVENT_PREFETCH] = "prefetch",
	[EVENT_SCANNER] = "scanner",
	[EVENT_UNKNOWN] = "unknown",
};

const char *
event_kind_name(enum event_kind kind)
{
	return (unsigned)kind < EVENT_KINDS ? kinds[kind] : NULL;
}

const char *
event_verdict_name(enum event_verdict verdict)
{
	return (unsigned)verdict < EVENT_VERDICTS ? verdicts[verdict] : NULL;
}

static int
find_name(const char *const *names, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (names[i] != NULL && str_eq(name, str_from(names[i])))
			return (int)i;
	return -1;
}

int
event_kind_parse(struct str name, enum event_kind *out)
{
	int i = find_name(kinds, EVENT_KINDS, name);

	if (i < 0)
		return -1;
	*out = (enum event_kind)i;
	return 0;
}

int
event_verdict_parse(struct str name, enum event_verdict *out)
{
	int i = find_name(verdicts, EVENT_VERDICTS, name);

	if (i < 0)
		return -1;
	*out = (enum event_verdict)i;
	return 0;
}

void
event_texts(struct event *e, struct str *out[EVENT_TEXTS])
{
	out[0] = &e->rule;
	out[1] = &e->domain;
	out[2] = &e->campaign;
	out[3] = &e->list;
	out[4] = &e->recipient;
	out[5] = &e->url;
	out[6] = &e->instance;
	out[7] = &e->queue_id;
	out[8] = &e->message_id;
	out[9] = &e->detail;
	out[10] = &e->metadata;
	out[11] = &e->visitor;
}

/* Octets of s that fit: no UTF-8 sequence is cut in two. */
static struct str
cut(struct str s, size_t max)
{
	size_t n = max;

	if (s.n <= max)
		return s;
	while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return str_sub(s, 0, n);
}

void
event_cut(struct event *e)
{
	struct str *texts[EVENT_TEXTS];

	if (e->metadata.n > EVENT_TEXT_MAX)
		e->metadata = STR("");
	event_texts(e, texts);
	for (size_t i = 0; i < EVENT_TEXTS; i++)
		*texts[i] = cut(*texts[i], texts[i] == &e->url ?
		    EVENT_URL_MAX : EVENT_TEXT_MAX);
}

static bool
is_of(struct str want, struct str got)
{
	return want.n == 0 || str_eq(want, got);
}

bool
event_matches(const struct event *e, const struct event_match *m)
{
	const struct event_filter *f = m->filter;

	return (f->kinds == 0 || f->kinds >> e->kind & 1) &&
	    (!f->has_stream || f->stream == e->stream) &&
	    is_of(f->domain, e->domain) && is_of(f->campaign, e->campaign) &&
	    (is_of(f->recipient, e->recipient) ||
	    (m->hash.n > 0 && str_eq(m->hash, e->recipient))) &&
	    (f->until == 0 || e->at < f->until);
}

/*
 * Days since 1970 of a Gregorian date, and back: years begin in March, so that
 * the day that is sometimes missing is the last of them.
 */
static int64_t
days_of(uint32_t day)
{
	int64_t y = day / 10000, m = day / 100 % 100, d = day % 100;
	int64_t era, in_era, in_year;

	y -= m <= 2;
	era = y / 400;
	in_era = y - era * 400;
	in_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 +
	    in_year - 719468;
}

static uint32_t
day_of(int64_t days)
{
	int64_t z = days + 719468, era = z / 146097, in_era = z - era * 146097;
	int64_t y = (in_era - in_era / 1460 + in_era / 36524 -
	    in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * in_year + 2) / 153;
	int64_t d = in_year - (153 * m + 2) / 5 + 1;

	m += m < 10 ? 3 : -9;
	y += era * 400 + (m <= 2);
	return (uint32_t)(y * 10000 + m * 100 + d);
}

uint32_t
event_day(int64_t micros)
{
	int64_t last = days_of(DAY_LAST);
	int64_t days = micros < 0 ? 0 : micros / DAY_MICROS;

	return day_of(days < last ? days : last);
}

int64_t
event_day_start(uint32_t day)
{
	return days_of(day) * DAY_MICROS;
}

uint32_t
event_day_next(uint32_t day)
{
	return day_of(days_of(day) + 1);
}

bool
event_day_is_well(uint32_t day)
{
	return day >= 19700101 && day <= DAY_LAST && day_of(days_of(day)) ==
	    day;
}

void
event_cursor_format(const struct event_cursor *c, char out[EVENT_CURSOR_TEXT])
{
	snprintf(out, EVENT_CURSOR_TEXT, "%08" PRIu32 "-%" PRIu64, c->day,
	    c->n);
}

int
event_cursor_parse(struct str s, struct event_cursor *out)
{
	struct str digits = str_sub(s, 0, 8);
	uint64_t day, n;

	if (s.n < 10 || s.p[8] != '-')
		return -1;
	if (num_parse(str_sub(s, 9, s.n), INT64_MAX, &n) != 0)
		return -1;
	if (str_eq(digits, STR("00000000")) && n == 0) {
		*out = (struct event_cursor){ .day = 0 };
		return 0;
	}
	if (num_parse(digits, DAY_LAST, &day) != 0 ||
	    !event_day_is_well((uint32_t)day))
		return -1;
	*out = (struct event_cursor){ .day = (uint32_t)day, .n = n };
	return 0;
}
