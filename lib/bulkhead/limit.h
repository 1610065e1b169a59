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
 * A bucket's key: "limit-name\0per-value\0"; the prefix of all buckets of a
 * limit, "limit-name\0", when value is empty (`limit reset`).
 */
struct str limit_key(struct arena *a, struct str name, struct str value);

/* The limit's name and the value of a key; false when it is none. */
bool limit_key_split(struct str key, struct str *name, struct str *value);

/*
 * A client as a value of `per = client`: "192.0.2.1", and of IPv6 the network
 * that one customer has, "2001:db8:1:2::/64".
 */
struct str limit_client(struct arena *a, const struct net_addr *addr);

/*
 * A value as people write it, in the form that keys have: an address of a
 * client, a domain in any spelling.  In the arena.
 */
struct str limit_value(struct arena *a, const struct limit_settings *l,
    struct str text);

/*
 * The rate and burst of a limit for that value at that time.  Returns the
 * stage of a warm-up, from 1, or 0 when it is over or there is none.
 */
size_t limit_rate(const struct limit_settings *l, struct str value,
    int64_t now, struct rate *rate, uint64_t *burst);

/* The limit of that name, or NULL. */
const struct limit_settings *limit_named(const struct settings *s,
    struct str name);

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

struct limit_pause {
	struct str kind; /* "stream" or "domain" */
	struct str name;
	int64_t since;	 /* seconds since 1970 */
	struct str by;	 /* who: a user's name */
	struct str note; /* why, or empty */
};

/* The value for that key; blanks in by become underscores.  In the arena. */
struct str limit_pause_value(struct arena *a, const struct limit_pause *p);

/*
 * What key and value say; borrowed.  False when the key is none of a pause.  A
 * value that cannot be read still pauses: since is 0 then.
 */
bool limit_pause_parse(struct str key, struct str value,
    struct limit_pause *out);

#endif
