/*
 * logline.c - the parts of key=value lines.
 */
#include "bulkhead/logline.h"

#include "base/hash.h"

struct str
logline_address(const struct settings *s, struct arena *a, struct str address)
{
	unsigned char h[SHA256_SIZE];

	if (s->log_addresses == LOG_ADDRESSES_NONE)
		return STR("-");
	if (s->log_addresses == LOG_ADDRESSES_FULL || address.n == 0)
		return address;
	hash_sha256(address, h);
	return arena_printf(a,
	    "%02x%02x%02x%02x%02x%02x%02x%02x", h[0], h[1], h[2], h[3], h[4],
	    h[5], h[6], h[7]);
}

/* What needs no quotes in a line that is split at blanks. */
static bool
is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!str_is_alpha(s.p[i]) && !str_is_digit(s.p[i]) &&
		    memchr("-._@:/,+<>[]", s.p[i], 12) == NULL)
			return false;
	return s.n > 0;
}

void
logline_add_value(struct buf *line, const char *key, struct str value)
{
	buf_printf(line, " %s=", key);
	if (is_plain(value)) {
		buf_str(line, value);
		return;
	}
	buf_char(line, '"');
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '"' || value.p[i] == '\\')
			buf_char(line, '\\');
		buf_char(line, value.p[i] != '\0' ? value.p[i] : '?');
	}
	buf_char(line, '"');
}
