/*
 * breaker.c - counts time-outs.  The time comes from the caller.
 */
#include "store/breaker.h"

bool
breaker_is_open(const struct breaker *b, int64_t now)
{
	return now < b->until;
}

void
breaker_late(struct breaker *b, int64_t now)
{
	if (++b->nlate < BREAKER_LATE)
		return;
	b->pause = b->pause == 0 ? BREAKER_PAUSE : b->pause * 2;
	if (b->pause > BREAKER_PAUSE_MAX)
		b->pause = BREAKER_PAUSE_MAX;
	b->until = now + (int64_t)b->pause * 1000000;
	/* the first call after the pause decides alone */
	b->nlate = BREAKER_LATE - 1;
}

void
breaker_well(struct breaker *b)
{
	*b = (struct breaker){ .nlate = 0 };
}
