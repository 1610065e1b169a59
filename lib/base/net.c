/*
 * net.c - addresses, networks and socket names.
 */
#include "base/net.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include "base/num.h"

static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
	0xff };

static int
parse_addr(struct str s, struct net_addr *out, bool *v4)
{
	char text[INET6_ADDRSTRLEN + 1];

	if (str_istarts(s, STR("IPv6:")))
		s = str_sub(s, 5, s.n);
	if (s.n >= 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
		s = str_sub(s, 1, s.n - 1);
	if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, '\0', s.n) != NULL)
		return -1;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	*v4 = strchr(text, ':') == NULL;
	if (!*v4)
		return inet_pton(AF_INET6, text, out->b) == 1 ? 0 : -1;
	memcpy(out->b, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, out->b + 12) == 1 ? 0 : -1;
}

int
net_parse_addr(struct str s, struct net_addr *out)
{
	bool v4;

	return parse_addr(s, out, &v4);
}

/* inet_ntop() goes through sprintf(), and every request names a client. */
static void
format_v4(const unsigned char b[4], char *out)
{
	for (int i = 0; i < 4; i++) {
		if (b[i] >= 100)
			*out++ = (char)('0' + b[i] / 100);
		if (b[i] >= 10)
			*out++ = (char)('0' + b[i] / 10 % 10);
		*out++ = (char)('0' + b[i] % 10);
		*out++ = i < 3 ? '.' : '\0';
	}
}

void
net_format_addr(const struct net_addr *addr, char out[NET_ADDR_TEXT])
{
	if (memcmp(addr->b, mapped, sizeof(mapped)) == 0)
		format_v4(addr->b + 12, out);
	else if (inet_ntop(AF_INET6, addr->b, out, NET_ADDR_TEXT) == NULL)
		out[0] = '\0'; /* never: there is room for either */
}

bool
net_contains(const struct net_cidr *net, const struct net_addr *addr)
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (memcmp(net->addr.b, addr->b, whole) != 0)
		return false;
	return rest == 0 ||
	    (net->addr.b[whole] ^ addr->b[whole]) >> (8 - rest) == 0;
}

static bool
host_bits_clear(const struct net_cidr *net)
{
	for (unsigned i = net->bits; i < 128; i++)
		if (net->addr.b[i / 8] >> (7 - i % 8) & 1)
			return false;
	return true;
}

int
net_parse_cidr(struct str s, struct net_cidr *out)
{
	size_t slash = str_chr(s, '/', 0);
	uint64_t bits;
	bool v4;

	if (parse_addr(str_sub(s, 0, slash), &out->addr, &v4) != 0)
		return -1;
	bits = v4 ? 32 : 128;
	if (slash < s.n && num_parse(str_sub(s, slash + 1, s.n), bits, &bits))
		return -1;
	out->bits = (unsigned)bits + (v4 ? 96 : 0);
	return host_bits_clear(out) ? 0 : -1;
}

bool
net_is_loopback(const struct net_addr *addr)
{
	static const struct net_addr one6 = { { [15] = 1 } };

	if (memcmp(addr->b, mapped, sizeof(mapped)) == 0)
		return addr->b[12] == 127;
	return memcmp(addr->b, one6.b, sizeof(one6.b)) == 0;
}

static int
parse_inet(struct arena *a, struct str s, struct net_socket *out)
{
	size_t at = str_chr(s, '@', 0);
	struct str host, port;
	uint64_t number;

	if (at < s.n) {
		port = str_sub(s, 0, at);
		host = str_sub(s, at + 1, s.n);
	} else {
		size_t colon = s.n;

		while (colon > 0 && s.p[colon - 1] != ':')
			colon--;
		port = str_sub(s, colon, s.n);
		host = str_sub(s, 0, colon ? colon - 1 : 0);
	}
	if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = str_sub(host, 1, host.n - 1);
	if (num_parse(port, 65535, &number) != 0 || number == 0)
		return -1;
	out->kind = NET_INET;
	out->host = arena_cstr(a, host);
	out->port = (uint16_t)number;
	return 0;
}

int
net_parse_socket(struct arena *a, struct str s, struct net_socket *out,
    const char **why)
{
	uint64_t fd;

	*out = (struct net_socket){ 0 };
	if (str_starts(s, STR("unix:"))) {
		struct str path = str_sub(s, 5, s.n);

		*why = "a socket path starts with / and has at most 107 octets";
		if (path.n == 0 || path.p[0] != '/' ||
		    path.n >= sizeof(((struct sockaddr_un *)0)->sun_path))
			return -1;
		out->kind = NET_UNIX;
		out->path = arena_cstr(a, path);
		return 0;
	}
	if (str_starts(s, STR("inet:"))) {
		*why = "write inet:HOST:PORT, with an IPv6 address in brackets";
		return parse_inet(a, str_sub(s, 5, s.n), out);
	}
	*why = "write unix:/PATH, inet:HOST:PORT or fd:NUMBER";
	if (!str_starts(s, STR("fd:")) ||
	    num_parse(str_sub(s, 3, s.n), 65535, &fd) != 0)
		return -1;
	out->kind = NET_FD;
	out->fd = (int)fd;
	return 0;
}

bool
net_socket_is_local(const struct net_socket *s)
{
	struct net_addr addr;

	if (s->kind != NET_INET || strcmp(s->host, "localhost") == 0)
		return true;
	return net_parse_addr(str_from(s->host), &addr) == 0 &&
	    net_is_loopback(&addr);
}
