/*
 * outage.c - what the log says of a store that is down.
 */
#include "policyd/outage.h"

#include <inttypes.h>

#include "base/log.h"
#include "store/store.h"

/* Seconds between two lines of one outage. */
#define REMINDER 60

static struct outage_kind *
kind_of(struct outage *o, unsigned kind)
{
	return kind == STORE_RATES ? &o->rates : &o->lists;
}

static const char *
name_of(unsigned kind)
{
	return kind == STORE_RATES ? "limits" : "suppressions";
}

void
outage_note(struct outage *o, unsigned kind, const char *why,
    const char *what, int64_t now)
{
	struct outage_kind *k = kind_of(o, kind);

	if (!k->is_down)
		*k = (struct outage_kind){ .is_down = true, .since = now };
	k->nunknown++;
	if (k->said != 0 && now >= k->said && now - k->said < REMINDER)
		return;
	log_error("the store does not tell %s: %s; %" PRIu64 " requests were "
		  "%s so far", name_of(kind), why, k->nunknown, what);
	k->said = now;
}

void
outage_over(struct outage *o, unsigned kind, int64_t now)
{
	struct outage_kind *k = kind_of(o, kind);

	if (!k->is_down)
		return;
	/* the clock may have been set back */
	if (now < k->since)
		k->since = now;
	log_info("the store tells %s again after %" PRId64 " s; %" PRIu64
		 " requests were decided without", name_of(kind),
	    now - k->since, k->nunknown);
	k->is_down = false;
}
