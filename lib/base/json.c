/*
 * json.c - JSON text out, appended to a buffer.
 */
#include "base/json.h"

#include <inttypes.h>

/*
 * The sequences of RFC 3629 section 4: lead bytes from..to are followed by
 * `more` bytes, the first of them within low..high (which shuts out overlong
 * forms, surrogates and code points past U+10FFFF).
 */
static const struct {
	unsigned char from, to, more, low, high;
} utf8_leads[] = {
	{ 0xc2, 0xdf, 1, 0x80, 0xbf },
	{ 0xe0, 0xe0, 2, 0xa0, 0xbf },
	{ 0xe1, 0xec, 2, 0x80, 0xbf },
	{ 0xed, 0xed, 2, 0x80, 0x9f },
	{ 0xee, 0xef, 2, 0x80, 0xbf },
	{ 0xf0, 0xf0, 3, 0x90, 0xbf },
	{ 0xf1, 0xf3, 3, 0x80, 0xbf },
	{ 0xf4, 0xf4, 3, 0x80, 0x8f },
};

/* Length of the valid multi-byte sequence that s starts with, or 0. */
static size_t
utf8_length(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	for (size_t i = 0; i < sizeof(utf8_leads) / sizeof(utf8_leads[0]);
	     i++) {
		size_t more = utf8_leads[i].more;

		if (p[0] < utf8_leads[i].from || p[0] > utf8_leads[i].to)
			continue;
		if (s.n <= more || p[1] < utf8_leads[i].low ||
		    p[1] > utf8_leads[i].high)
			return 0;
		for (size_t j = 2; j <= more; j++)
			if ((p[j] & 0xc0) != 0x80)
				return 0;
		return more + 1;
	}
	return 0;
}

static bool
is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static int
add_ascii(struct buf *out, char c)
{
	switch (c) {
	case '"':
		return buf_puts(out, "\\\"");
	case '\\':
		return buf_puts(out, "\\\\");
	case '\n':
		return buf_puts(out, "\\n");
	case '\r':
		return buf_puts(out, "\\r");
	case '\t':
		return buf_puts(out, "\\t");
	default:
		return buf_printf(out, "\\u%04x", (unsigned)c);
	}
}

/* U+0080 to U+009F: terminals obey them as they do U+001B. */
static bool
is_control(const char *p)
{
	return (p[0] & 0xff) == 0xc2 && (p[1] & 0xff) < 0xa0;
}

int
json_string(struct buf *out, struct str s)
{
	size_t i = 0;

	buf_char(out, '"');
	while (i < s.n) {
		size_t run = i;

		while (run < s.n && is_plain(s.p[run]))
			run++;
		buf_add(out, s.p + i, run - i);
		i = run;
		if (i == s.n)
			break;
		if ((unsigned char)s.p[i] < 0x80) {
			add_ascii(out, s.p[i++]);
			continue;
		}
		run = utf8_length(str_sub(s, i, s.n));
		if (run == 0)
			buf_puts(out, "\xef\xbf\xbd");
		else if (run == 2 && is_control(s.p + i))
			buf_printf(out, "\\u%04x", s.p[i + 1] & 0xffu);
		else
			buf_add(out, s.p + i, run);
		i += run ? run : 1;
	}
	return buf_char(out, '"');
}

int
json_string_or_null(struct buf *out, struct str s)
{
	return s.n == 0 ? buf_puts(out, "null") : json_string(out, s);
}

int
json_key(struct buf *out, const char *name)
{
	if (out->n != 0 && out->p[out->n - 1] != '{')
		buf_puts(out, ", ");
	json_string(out, str_from(name));
	return buf_puts(out, ": ");
}

int
json_bool(struct buf *out, bool value)
{
	return buf_puts(out, value ? "true" : "false");
}

int
json_number(struct buf *out, int64_t value)
{
	return buf_printf(out, "%" PRId64, value);
}
