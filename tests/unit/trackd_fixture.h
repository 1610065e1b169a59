/*
 * trackd_fixture.h - requests to trackd's pages without a socket: keys, three
 * tracking hosts, and what became of events.
 */
#ifndef BULKHEAD_TESTS_TRACKD_FIXTURE_H
#define BULKHEAD_TESTS_TRACKD_FIXTURE_H

#include "unit.h"

#include "base/buf.h"
#include "trackd/track.h"

#define TRACKD_HOST  STR("t.example.com")
#define TRACKD_OTHER STR("t.mailer.example")
#define TRACKD_PORT  STR("t.third.example:8443")
#define TRACKD_NOW   (INT64_C(1795000000) * 1000000)

/* A desk: the track and all that stands behind it. */
struct desk {
	struct arena *arena;
	struct settings settings;
	struct domain_settings domains[3];
	const struct domain_settings *by_name[3];
	struct net_cidr proxies[1]; /* 10.0.0.0/8 */
	struct keyring keyring;
	struct metrics metrics;
	struct track track;
	/* "clicked unknown jane@example.net https://...", a line each */
	struct buf events;
};

int desk_open(void **state);
int desk_close(void **state);

/* A token for jane@example.net, in a block of exactly its size. */
struct str desk_token(struct desk *d, enum token_kind kind, struct str host,
    struct str url);

/* A request of TRACKD_HOST; its path copied as above. */
struct request desk_request(struct desk *d, const char *method,
    struct str path);

/* What trackd says to it. */
struct answer desk_ask(struct desk *d, const struct request *r);

#endif
