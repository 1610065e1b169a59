/*
 * visit.c - what a request of a token was: an event, judged.
 */
#include <stdatomic.h>
#include <sys/random.h>

#include "trackd/burst.h"
#include "trackd/track.h"

/*
 * Ids that do not repeat: a counter with a random beginning, each number of it
 * turned into another (splitmix64).
 */
static uint64_t
next_id(void)
{
	static _Atomic uint64_t last;
	uint64_t x = atomic_load(&last);

	while (x == 0) {
		uint64_t begin;

		if (getrandom(&begin, sizeof(begin), 0) != sizeof(begin))
			begin = (uint64_t)clock_monotonic();
		if (atomic_compare_exchange_strong(&last, &x, begin | 1))
			break;
	}
	x = atomic_fetch_add(&last, 1) * UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* "192.0.2.1 Mozilla/5.0 ..." */
static struct str
visitor(const struct request *r)
{
	struct str agent = request_field(r, "User-Agent");
	char addr[NET_ADDR_TEXT] = "-";

	if (!r->keyring->settings->trackd.keep_visitors)
		return STR("");
	if (r->has_visitor)
		net_format_addr(&r->visitor, addr);
	return arena_printf(r->arena, "%s %.*s", addr,
	    STR_ARG(str_sub(agent, 0, EVENT_TEXT_MAX - NET_ADDR_TEXT)));
}

static void
send(void *arg, const struct event *e)
{
	const struct track *t = arg;

	if (e->was != EVENT_NOBODY)
		metrics_add(t->metrics, METRIC_CORRECTED, 1);
	t->event(t->event_arg, e);
}

/* Nobody looks at a page with a HEAD. */
static void
judge(const struct track *t, const struct request *r, struct event *e)
{
	const struct visit visit = { r, e->kind, e->hours };

	e->verdict = robots_judge(t->robots, &visit, &e->rule);
	if (e->verdict == EVENT_HUMAN && str_eq(r->method, STR("HEAD"))) {
		e->verdict = EVENT_SCANNER;
		e->rule = STR("head");
	}
}

void
track_visit(const struct track *t, const struct request *r,
    enum event_kind kind, const struct token *token, struct str detail)
{
	struct track sink = *t; /* bursts_note() takes no const */
	struct event e = {
		.id = next_id(),
		.at = r->now,
		.kind = kind,
		.domain = token->domain,
		.stream = token->stream,
		.campaign = token->campaign,
		.list = token->list,
		.recipient = token->recipient,
		.hours = token->hours,
		.url = token->url,
		.detail = detail,
		.visitor = visitor(r),
	};

	judge(t, r, &e);
	if (t->bursts != NULL && kind == EVENT_CLICKED)
		bursts_note(t->bursts, &e, send, &sink);
	else
		send(&sink, &e);
	if ((kind == EVENT_CLICKED || kind == EVENT_OPENED) &&
	    (e.verdict == EVENT_PREFETCH || e.verdict == EVENT_SCANNER))
		metrics_add(t->metrics, METRIC_ROBOTS, 1);
}
