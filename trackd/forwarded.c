/*
 * forwarded.c - Host, X-Forwarded-Host and X-Forwarded-For.
 */
#include "trackd/forwarded.h"

#define HOST_MAX 262 /* a name of 255 octets, ":65535", a final dot */

static bool
is_proxy(const struct settings *s, const struct net_addr *addr)
{
	for (size_t i = 0; i < s->trackd.nproxies; i++)
		if (net_contains(&s->trackd.proxies[i], addr))
			return true;
	return false;
}

static bool
is_host_char(char c)
{
	return str_is_alpha(c) || str_is_digit(c) ||
	    (c != '\0' && strchr(".-_:[]", c) != NULL);
}

/* As struct request has it; empty when it is no host. */
static struct str
normal_host(struct arena *a, struct str host)
{
	host = str_trim(host);
	if (host.n > HOST_MAX)
		return STR("");
	for (size_t i = 0; i < host.n; i++)
		if (!is_host_char(host.p[i]))
			return STR("");
	host.n -= str_iends(host, STR(":443")) ? 4 : 0;
	host.n -= str_iends(host, STR(":80")) ? 3 : 0;
	host.n -= str_iends(host, STR(".")) ? 1 : 0;
	return arena_lower(a, host);
}

/* Behind the last comma: what the nearest proxy wrote. */
static struct str
last_element(struct str list, struct str *rest)
{
	size_t at = list.n;

	while (at > 0 && list.p[at - 1] != ',')
		at--;
	*rest = str_sub(list, 0, at > 0 ? at - 1 : 0);
	return str_trim(str_sub(list, at, list.n));
}

/* "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]:4711" */
static int
parse_addr(struct str s, struct net_addr *out)
{
	size_t colon = str_chr(s, ':', 0);

	if (net_parse_addr(s, out) == 0)
		return 0;
	if (s.n > 0 && s.p[0] == '[')
		return net_parse_addr(str_sub(s, 0, str_chr(s, ']', 0) + 1),
		    out);
	return net_parse_addr(str_sub(s, 0, colon), out);
}

/* False: go on to what stands before it. */
static bool
find_visitor(struct request *r, struct str list)
{
	while (list.n > 0) {
		struct str element = last_element(list, &list);

		if (element.n == 0)
			continue;
		r->has_visitor = parse_addr(element, &r->visitor) == 0;
		if (!r->has_visitor ||
		    !is_proxy(r->keyring->settings, &r->visitor))
			return true;
	}
	return false;
}

static void
apply_for(struct request *r)
{
	struct str want = STR("X-Forwarded-For");

	for (size_t i = r->nfields; i > 0; i--)
		if (str_ieq(r->fields[i - 1].name, want) &&
		    find_visitor(r, r->fields[i - 1].value))
			return;
}

void
forwarded_apply(struct request *r, const struct net_addr *peer,
    struct str authority)
{
	struct str host = authority.n > 0 ? authority :
	    request_field(r, "Host");
	struct str rest;

	r->has_visitor = peer != NULL;
	if (peer != NULL)
		r->visitor = *peer;
	if (peer == NULL || is_proxy(r->keyring->settings, peer)) {
		struct str forwarded = last_element(
		    request_field(r, "X-Forwarded-Host"), &rest);

		if (forwarded.n > 0)
			host = forwarded;
		apply_for(r);
	}
	r->host = normal_host(r->arena, host);
}
