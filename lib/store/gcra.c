/*
 * gcra.c - the arithmetic of one bucket.  All products fit 128 bits: tokens
 * (64) by units of a token (45), microseconds (64) by a count (64).
 */
#include "store/gcra.h"

#define MICROS UINT64_C(1000000)

/* Units of a token: microseconds of a period. */
static uint64_t
token_units(const struct rate *rate)
{
	uint64_t period = rate->period;

	if (period == 0)
		period = 1;
	if (period > GCRA_PERIOD_MAX)
		period = GCRA_PERIOD_MAX;
	return period * MICROS;
}

static uint64_t
rate_count(const struct rate *rate)
{
	return rate->count != 0 ? rate->count : 1;
}

static unsigned __int128
debt_of(const struct gcra *g)
{
	return (unsigned __int128)g->used * token_units(&g->rate) + g->part;
}

static void
set_debt(struct gcra *g, unsigned __int128 debt)
{
	uint64_t units = token_units(&g->rate);

	g->used = (uint64_t)(debt / units);
	g->part = (uint64_t)(debt % units);
}

/* Of two rates the one that wins back less. */
static const struct rate *
slower(const struct rate *a, const struct rate *b)
{
	unsigned __int128 left = (unsigned __int128)rate_count(a) *
	    token_units(b);
	unsigned __int128 right = (unsigned __int128)rate_count(b) *
	    token_units(a);

	return left < right ? a : b;
}

/* A bucket that was filled in other units: what is used rounds up. */
static void
change_units(struct gcra *g, const struct rate *rate)
{
	uint64_t old = token_units(&g->rate), new = token_units(rate);

	g->rate = *rate;
	if (old == new)
		return;
	g->part = (uint64_t)(((unsigned __int128)g->part * new + old - 1) /
	    old);
	if (g->part >= new && g->used != UINT64_MAX) {
		g->used++;
		g->part = 0;
	}
}

static void
cap(struct gcra *g, uint64_t burst)
{
	if (burst == 0)
		burst = 1;
	if (g->used >= burst) {
		g->used = burst;
		g->part = 0;
	}
}

void
gcra_settle(struct gcra *g, const struct rate *rate, uint64_t burst,
    int64_t now)
{
	struct rate by = *slower(&g->rate, rate);
	uint64_t passed = 0;
	unsigned __int128 won, debt;

	if (now > g->at)
		passed = (uint64_t)now - (uint64_t)g->at;
	g->at = now;
	change_units(g, &by);
	won = (unsigned __int128)passed * rate_count(&by);
	debt = debt_of(g);
	set_debt(g, won < debt ? debt - won : 0);
	change_units(g, rate);
	cap(g, burst);
}

struct gcra
gcra_from(int64_t full_at, const struct rate *rate, uint64_t burst,
    int64_t now)
{
	struct gcra g = { .at = now, .rate = *rate };
	unsigned __int128 debt = 0, most;

	if (burst == 0)
		burst = 1;
	most = (unsigned __int128)burst * token_units(rate);
	if (full_at > now)
		debt = (unsigned __int128)((uint64_t)full_at - (uint64_t)now) *
		    rate_count(rate);
	set_debt(&g, debt < most ? debt : most);
	return g;
}

int64_t
gcra_wait(const struct gcra *g, uint64_t burst, uint64_t cost)
{
	uint64_t units = token_units(&g->rate), count = rate_count(&g->rate);
	unsigned __int128 room, wait;

	if (burst == 0)
		burst = 1;
	if (cost > burst)
		return -1;
	room = (unsigned __int128)(burst - cost) * units;
	if (debt_of(g) <= room)
		return 0;
	wait = (debt_of(g) - room + count - 1) / count;
	return wait < INT64_MAX ? (int64_t)wait : INT64_MAX;
}

void
gcra_charge(struct gcra *g, uint64_t cost)
{
	g->used += cost;
}

void
gcra_undo(struct gcra *g, uint64_t cost)
{
	g->used -= cost < g->used ? cost : g->used;
}

uint64_t
gcra_left(const struct gcra *g, uint64_t burst)
{
	uint64_t used = gcra_used(g);

	if (burst == 0)
		burst = 1;
	return used < burst ? burst - used : 0;
}

uint64_t
gcra_used(const struct gcra *g)
{
	return g->used + (g->part != 0 && g->used != UINT64_MAX);
}

bool
gcra_is_full(const struct gcra *g)
{
	return g->used == 0 && g->part == 0;
}

int64_t
gcra_full_at(const struct gcra *g)
{
	uint64_t count = rate_count(&g->rate);
	unsigned __int128 after = (debt_of(g) + count - 1) / count;
	__int128 room = (__int128)INT64_MAX - g->at;

	if (after >= (unsigned __int128)room)
		return INT64_MAX;
	return (int64_t)(g->at + (__int128)after);
}
