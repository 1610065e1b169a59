/*
 * outage.h - says once when the store cannot tell, and once when it can
 * again: not for each of the thousands of requests between.
 */
#ifndef BULKHEAD_POLICYD_OUTAGE_H
#define BULKHEAD_POLICYD_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

struct outage {
	struct outage_kind {
		bool is_down;
		int64_t since, said; /* seconds since 1970 */
		uint64_t nunknown;   /* decided without it since then */
	} lists, rates;
};

/*
 * One question was decided without that kind (a STORE_ bit); why is one line,
 * what is what on-store-failure made of it: "deferred".
 */
void outage_note(struct outage *o, unsigned kind, const char *why,
    const char *what, int64_t now);

/* That kind (a STORE_ bit) told something. */
void outage_over(struct outage *o, unsigned kind, int64_t now);

#endif
