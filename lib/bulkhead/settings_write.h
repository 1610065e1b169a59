/*
 * settings_write.h - values as text, shared by both ways of showing settings
 * (settings.h declares those).
 */
#ifndef BULKHEAD_BULKHEAD_SETTINGS_WRITE_H
#define BULKHEAD_BULKHEAD_SETTINGS_WRITE_H

#include "base/arena.h"
#include "base/net.h"
#include "base/num.h"
#include "bulkhead/settings.h"

/*
 * "127.0.0.0/8", "20000/h", "2026-12-01", "client:::1/128", "Name: glob"; in
 * the arena.
 */
struct str text_of_cidr(struct arena *a, const struct net_cidr *net);
struct str text_of_rate(struct arena *a, const struct rate *rate);
struct str text_of_day(struct arena *a, int64_t seconds);
struct str text_of_may_send(struct arena *a, const struct may_send *m);
struct str text_of_header(struct arena *a, const struct header_match *h);

#endif
