/*
 * net.h - addresses, networks and socket names, without any look-up.
 */
#ifndef BULKHEAD_BASE_NET_H
#define BULKHEAD_BASE_NET_H

#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

/* IPv4 is kept as an IPv4-mapped IPv6 address. */
struct net_addr {
	unsigned char b[16];
};

struct net_cidr {
	struct net_addr addr;
	unsigned bits; /* 0 to 128 */
};

/*
 * "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "IPv6:2001:db8::1".
 * 0, or -1 when it is none of these.
 */
int net_parse_addr(struct str s, struct net_addr *out);

/*
 * "127.0.0.0/8", "::1/128", "[::1]/128" or a bare address (all bits).
 * 0, or -1; bits set beyond the prefix are refused, as Postfix does.
 */
int net_parse_cidr(struct str s, struct net_cidr *out);

/* Does the address lie in the network? */
bool net_contains(const struct net_cidr *net, const struct net_addr *addr);
/* 127.0.0.0/8 or ::1. */
bool net_is_loopback(const struct net_addr *addr);

#define NET_ADDR_TEXT 46

/* "192.0.2.1" or "2001:db8::1". */
void net_format_addr(const struct net_addr *addr, char out[NET_ADDR_TEXT]);

struct net_socket {
	enum { NET_UNIX, NET_INET, NET_FD } kind;
	const char *path; /* NET_UNIX */
	const char *host; /* NET_INET: "" for any */
	uint16_t port;	  /* NET_INET */
	int fd;		  /* NET_FD */
};

/*
 * "unix:/path", "inet:HOST:PORT" (IPv6 in brackets), "inet:PORT@HOST" (as
 * libmilter writes it), "fd:N".  Texts go into the arena.  0, or -1 with
 * *why set to a static text that says what would be right.
 */
int net_parse_socket(struct arena *a, struct str s, struct net_socket *out,
    const char **why);

/*
 * Can this host alone reach it?  A path, a loopback address, "localhost"; fd:
 * counts as such, since it is the business of who made it.
 */
bool net_socket_is_local(const struct net_socket *s);

#endif
