/*
 * stubs.c - what is not there yet, answered with nothing.
 */
#include "store/rollup.h"
#include "store/writer.h"
#include "trackd/burst.h"
#include "trackd/track.h"

#define WEAK __attribute__((weak))

struct bursts { int none; };

WEAK struct bursts *
bursts_new(void)
{
	return NULL;
}

WEAK void
bursts_free(struct bursts **b)
{
	*b = NULL;
}

WEAK void
bursts_note(struct bursts *b, struct event *e,
    void (*each)(void *arg, const struct event *e), void *arg)
{
	(void)b;
	each(arg, e);
}

WEAK struct robots *
robots_parse(struct str text, const char *file, struct buf *errors)
{
	(void)text;
	(void)file;
	(void)errors;
	return mem_alloc(1);
}

WEAK struct robots *
robots_default(void)
{
	return mem_alloc(1);
}

WEAK void
robots_free(struct robots **r)
{
	*r = NULL;
}

WEAK enum event_verdict
robots_judge(const struct robots *r, const struct visit *visit,
    struct str *rule)
{
	(void)r;
	(void)visit;
	*rule = STR("");
	return EVENT_UNKNOWN;
}

WEAK enum store_answer
store_rollup_step(struct store *s, size_t max, uint64_t *ndone, bool *more,
    int64_t deadline)
{
	(void)s;
	(void)max;
	(void)deadline;
	*ndone = 0;
	*more = false;
	return STORE_YES;
}
