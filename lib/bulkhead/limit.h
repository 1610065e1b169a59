/*
 * limit.h - which buckets a message or a recipient touches, by the settings:
 * per, recipient-domain, overrides, count, warm-up; and what is paused.  The
 * buckets themselves are store/rate.h's.
 */
#ifndef BULKHEAD_BULKHEAD_LIMIT_H
#define BULKHEAD_BULKHEAD_LIMIT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/net.h"
#include "bulkhead/settings.h"
#include "store/rate.h"

/* What is known of the message; empty texts are not known or not there. */
struct limit_facts {
	struct str domain;    /* name of the section */
	struct str stream;    /* title */
	struct str sasl_user;
	const struct net_addr *client; /* NULL: sendmail(1) */
	/* False at RCPT where only the stream's header match could tell. */
	bool knows_domain, knows_stream;
	const struct str *recipients; /* normal forms */
	size_t nrecipients;
	int64_t now; /* seconds since 1970, for warm-up */
};

struct limit_plan {
	struct rate_bucket *buckets; /* with cost > 0, each key once */
	const struct limit_settings **limits; /* whose they are */
	size_t n;
};

/*
 * The buckets that all limits which apply give, costs summed by bucket.  A
 * limit whose `per` is not known, or is empty, gives none.  In the arena.
 */
struct limit_plan limit_plan(struct arena *a, const struct settings *s,
    const struct limit_facts *facts);

/*
 * A bucket's key: "limit-name\0per-value"; the prefix of all buckets of a
 * limit when value is empty (`limit reset`).
 */
struct str limit_key(struct arena *a, struct str name, struct str value);

/* The rate and burst of a limit for that value at that time. */
void limit_rate(const struct limit_settings *l, struct str value, int64_t now,
    struct rate *rate, uint64_t *burst);

/*
 * The reply to a plan that was answered STORE_NO: "450", "4.7.1", "over limit
 * \"google\" (20000/h): retry in 37 s"; or 5yz when a cost is over the burst.
 * Texts in the arena.
 */
void limit_reply(struct arena *a, const struct limit_plan *plan,
    struct str *code, struct str *status, struct str *text,
    struct str *limit_name);

/*
 * Paused streams and domains: keys of the meta store, "pause/stream/TITLE" and
 * "pause/domain/NAME", with "SECONDS BY NOTE" as value.
 */
#define LIMIT_PAUSE_PREFIX "pause/"
struct str limit_pause_key(struct arena *a, const char *kind, struct str name);

#endif
