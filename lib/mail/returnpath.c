/*
 * returnpath.c - writes and checks addresses that come back to us.  What such
 * an address means for a recipient is not decided here.
 */
#include "mail/returnpath.h"

#include "base/base32.h"

#define FIXED 7 /* hint, day, scope */
#define MAC 8
#define RAW (FIXED + MAC)
#define HEAD (1 + BASE32_SIZE(RAW)) /* no spare bits: 15 octets, 24 letters */

/* Sets this use of a key apart from any other. */
static const char label[] = "bulkhead-returnpath-1";

uint32_t
returnpath_scope(struct str domain, uint32_t stream)
{
	unsigned char in[SHA256_SIZE + 4];

	hash_sha256(domain, in);
	for (int i = 0; i < 4; i++)
		in[SHA256_SIZE + i] = (unsigned char)(stream >> (24 - 8 * i));
	return hash_id32(str_make((const char *)in, sizeof(in)));
}

/*
 * The tail is lower case and holds no '@', and all before it has a fixed
 * length: two addresses never give the same input.
 */
static void
compute_mac(struct arena *a, const struct hash_mac *key, char kind,
    const unsigned char fixed[FIXED], struct str tail, struct str domain,
    unsigned char mac[SHA256_SIZE])
{
	size_t n = sizeof(label) + 1 + FIXED + tail.n + 1 + domain.n;
	char *in = arena_bytes(a, n), *p = in;

	memcpy(p, label, sizeof(label));
	p += sizeof(label);
	*p++ = kind;
	memcpy(p, fixed, FIXED);
	p += FIXED;
	if (tail.n != 0)
		memcpy(p, tail.p, tail.n);
	p += tail.n;
	*p++ = '@';
	for (size_t i = 0; i < domain.n; i++)
		p[i] = str_lower(domain.p[i]);
	hash_mac(key, str_make(in, n), mac);
}

/*
 * What stands for itself in the tail.  A dot beside a dot or at the end would
 * not be a dot-string (RFC 5321 section 4.1.2).
 */
static bool
is_plain(struct str s, size_t i, bool is_last)
{
	char c = s.p[i];

	if (c == '.')
		return !(i > 0 && s.p[i - 1] == '.') &&
		    !(is_last && i + 1 == s.n);
	return str_is_alpha(c) || str_is_digit(c) || c == '-' || c == '_';
}

/* Writes s escaped to *out, which ends at end; false when it does not fit. */
static bool
write_escaped(char **out, const char *end, struct str s, bool is_last)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < ' ' || c > 126)
			return false;
		if (is_plain(s, i, is_last)) {
			if (*out == end)
				return false;
			*(*out)++ = str_lower(s.p[i]);
			continue;
		}
		if (end - *out < 3)
			return false;
		c = (unsigned char)str_lower(s.p[i]);
		*(*out)++ = '+';
		*(*out)++ = hex[c >> 4];
		*(*out)++ = hex[c & 15];
	}
	return true;
}

/* "-user=host" at out; its length, 0 when it is left out. */
static size_t
write_tail(char *out, size_t room, const struct returnpath *r)
{
	char *p = out;
	const char *end = out + room;

	if (r->user.n == 0 || r->host.n == 0)
		return 0;
	*p++ = '-';
	if (!write_escaped(&p, end, r->user, false) || p == end)
		return 0;
	*p++ = '=';
	if (!write_escaped(&p, end, r->host, true))
		return 0;
	return (size_t)(p - out);
}

struct str
returnpath_make(struct arena *a, const struct returnpath_key *key,
    const struct returnpath *r, struct str at_domain)
{
	char *out = arena_bytes(a, RETURNPATH_MAX_LOCAL);
	unsigned char raw[RAW], mac[SHA256_SIZE];
	size_t tail;

	raw[0] = (unsigned char)key->id;
	raw[1] = (unsigned char)(r->day >> 8);
	raw[2] = (unsigned char)r->day;
	for (int i = 0; i < 4; i++)
		raw[3 + i] = (unsigned char)(r->scope >> (24 - 8 * i));
	tail = write_tail(out + HEAD, RETURNPATH_MAX_LOCAL - HEAD, r);
	compute_mac(a, key->mac, (char)r->kind, raw,
	    str_make(out + HEAD, tail), at_domain, mac);
	memcpy(raw + FIXED, mac, MAC);
	out[0] = (char)r->kind;
	base32_write(out + 1, raw, RAW);
	return str_make(out, HEAD + tail);
}

/* Undoes write_escaped(); -1 when it is no such text. */
static int
read_escaped(struct arena *a, struct str s, struct str *out)
{
	char *p = arena_bytes(a, s.n);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '+') {
			p[n++] = s.p[i];
			continue;
		}
		if (s.n - i < 3 || str_hex(s.p[i + 1]) < 0 ||
		    str_hex(s.p[i + 2]) < 0)
			return -1;
		p[n++] = (char)(str_hex(s.p[i + 1]) << 4 |
		    str_hex(s.p[i + 2]));
		i += 2;
	}
	*out = str_make(p, n);
	return n == 0 ? -1 : 0;
}

static int
read_tail(struct arena *a, struct str tail, struct returnpath *out)
{
	size_t equals = str_chr(tail, '=', 0);

	out->user = out->host = STR("");
	if (tail.n == 0)
		return 0;
	if (read_escaped(a, str_sub(tail, 1, equals), &out->user) != 0)
		return -1;
	return read_escaped(a, str_sub(tail, equals + 1, tail.n), &out->host);
}

static bool
is_ours(struct arena *a, const struct returnpath_key *keys, size_t nkeys,
    char kind, const unsigned char raw[RAW], struct str tail,
    struct str at_domain)
{
	unsigned char mac[SHA256_SIZE];
	bool found = false;

	for (size_t i = 0; i < nkeys; i++) {
		if ((unsigned char)keys[i].id != raw[0])
			continue;
		compute_mac(a, keys[i].mac, kind, raw, tail, at_domain, mac);
		if (hash_equal(mac, raw + FIXED, MAC))
			found = true;
	}
	return found;
}

/* True for the letters of enum returnpath_kind. */
static bool
is_kind(char c)
{
	return c == RETURNPATH_BOUNCE || c == RETURNPATH_COMPLAINT ||
	    c == RETURNPATH_UNSUBSCRIBE;
}

int
returnpath_read(struct arena *a, const struct returnpath_key *keys,
    size_t nkeys, struct str local, struct str at_domain,
    struct returnpath *out, bool *is_forged)
{
	unsigned char raw[RAW];
	struct str tail;

	*is_forged = false;
	if (local.n < HEAD || local.n > RETURNPATH_MAX_LOCAL ||
	    (local.n > HEAD && local.p[HEAD] != '-'))
		return -1;
	local = arena_lower(a, local);
	if (!is_kind(local.p[0]) ||
	    base32_read(raw, RAW, str_sub(local, 1, HEAD)) != 0)
		return -1;
	tail = str_sub(local, HEAD, local.n);
	*is_forged = !is_ours(a, keys, nkeys, local.p[0], raw, tail,
	    at_domain) || read_tail(a, tail, out) != 0;
	if (*is_forged)
		return -1;
	out->kind = (enum returnpath_kind)local.p[0];
	out->day = (uint16_t)(raw[1] << 8 | raw[2]);
	out->scope = (uint32_t)raw[3] << 24 | (uint32_t)raw[4] << 16 |
	    (uint32_t)raw[5] << 8 | raw[6];
	return 0;
}
