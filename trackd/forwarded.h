/*
 * forwarded.h - which host was asked for, and by whom, when proxies stand
 * between.
 */
#ifndef BULKHEAD_TRACKD_FORWARDED_H
#define BULKHEAD_TRACKD_FORWARDED_H

#include "trackd/request.h"

/*
 * Fills host, visitor and has_visitor of a request whose fields are there.
 * peer: who is connected; NULL: by a unix socket, which is a proxy.  authority:
 * of an absolute-form target (RFC 9112, 3.2.2); may be empty.
 *
 * X-Forwarded-Host and -For count where the peer is a proxy that the settings
 * name; the visitor is the last address that is no such proxy itself.
 */
void forwarded_apply(struct request *r, const struct net_addr *peer,
    struct str authority);

#endif
