/*
 * rates.c - how fast counters rose in the last minute.
 */
#include "bulkhead/rates.h"

#include <inttypes.h>

#include "base/json.h"

#define SECOND INT64_C(1000000000)

/* Timers are late by a little and early by nothing that counts. */
#define EARLY (SECOND / 20)

void
rates_take(struct rates *r, const struct metrics *m, int64_t now)
{
	unsigned last = (r->next + RATES_SAMPLES - 1) % RATES_SAMPLES;
	struct rates_sample *s = &r->ring[r->next];

	if (r->n > 0 && now - r->ring[last].at < SECOND - EARLY)
		return;
	s->at = now;
	for (int i = 0; i < METRIC_COUNT; i++)
		s->v[i] = metrics_get(m, (enum metric)i);
	r->next = (r->next + 1) % RATES_SAMPLES;
	if (r->n < RATES_SAMPLES)
		r->n++;
}

static void
write_rate(struct buf *out, enum metric which, uint64_t rise, int64_t span)
{
	/* in thousandths; no whole number has room for the product */
	double milli = (double)rise * 1e3 * (double)SECOND / (double)span;
	uint64_t n = milli < 1e18 ? (uint64_t)(milli + 0.5) : 0;

	json_key(out, metric_name(which));
	buf_printf(out, "%" PRIu64 ".%03u", n / 1000, (unsigned)(n % 1000));
}

void
rates_write(const struct rates *r, const struct metrics *m, int64_t now,
    struct buf *out)
{
	const struct rates_sample *old =
	    &r->ring[r->n < RATES_SAMPLES ? 0 : r->next];
	int64_t span = r->n > 0 ? now - old->at : 0;

	buf_char(out, '{');
	json_key(out, "seconds");
	json_number(out, span / SECOND);
	for (int i = 0; span > 0 && i < METRIC_COUNT; i++) {
		uint64_t v = metrics_get(m, (enum metric)i);

		if (v > old->v[i] && !metric_is_gauge((enum metric)i))
			write_rate(out, (enum metric)i, v - old->v[i], span);
	}
	buf_char(out, '}');
}
