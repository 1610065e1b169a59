/*
 * html_entity.c - character references in attribute values, both ways (WHATWG
 * HTML sections 13.2.5.72 to 13.2.5.80).  Text outside of tags has other rules
 * and is nobody's business here.
 */
#include <stdint.h>

#include "mail/html_private.h"

#define LONGEST_NAME 31 /* CounterClockwiseContourIntegral */
#define REPLACEMENT 0xfffd

static bool
is_alnum(char c)
{
	return str_is_alpha(c) || str_is_digit(c);
}

static size_t
record_start(size_t at)
{
	while (at > 0 && html_entities[at - 1] != '\0')
		at--;
	return at;
}

/* As str_cmp() with the name that stands at p. */
static int
compare(struct str name, const char *p)
{
	size_t n = 0;

	while (is_alnum(p[n]))
		n++;
	return str_cmp(name, str_make(p, n));
}

/* The record of a name, from its ';' or '&' on; NULL when there is none. */
static const char *
find_name(struct str name)
{
	size_t lo = 0, hi = html_entities_size;

	while (lo < hi) {
		size_t mid = record_start(lo + (hi - lo) / 2);
		int order = compare(name, html_entities + mid);

		if (order == 0)
			return html_entities + mid + name.n;
		if (order < 0)
			hi = mid;
		else
			lo = mid + strlen(html_entities + mid) + 1;
	}
	return NULL;
}

/*
 * A named reference whose '&' is at the start of s.  Returns its length and
 * adds what it stands for, or 0.  A name that goes on, or before '=', has to
 * end with ';' here; so no shorter name can match.
 */
static size_t
decode_named(struct str s, struct buf *out)
{
	const char *record;
	size_t end = 1;
	bool is_closed;

	if (str_starts(s, STR("&amp;"))) { /* in half of all URLs */
		buf_char(out, '&');
		return strlen("&amp;");
	}
	while (end < s.n && end <= LONGEST_NAME + 1 && is_alnum(s.p[end]))
		end++;
	if (end == 1 || end > LONGEST_NAME + 1)
		return 0;
	is_closed = end < s.n && s.p[end] == ';';
	record = find_name(str_sub(s, 1, end));
	if (record == NULL)
		return 0;
	if (!is_closed && (*record == ';' || (end < s.n && s.p[end] == '=')))
		return 0;
	buf_puts(out, record + 1);
	return end + is_closed;
}

/* What browsers make of numbers that mean no character. */
static uint32_t
real_character(uint32_t c)
{
	static const uint16_t windows_1252[32] = {
		0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
		0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d, 0x8f,
		0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
		0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178,
	};

	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return REPLACEMENT;
	return c >= 0x80 && c <= 0x9f ? windows_1252[c - 0x80] : c;
}

static void
add_utf8(struct buf *out, uint32_t c)
{
	if (c < 0x80) {
		buf_char(out, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_char(out, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_char(out, (char)(0xe0 | c >> 12));
		} else {
			buf_char(out, (char)(0xf0 | c >> 18));
			buf_char(out, (char)(0x80 | (c >> 12 & 63)));
		}
		buf_char(out, (char)(0x80 | (c >> 6 & 63)));
	}
	buf_char(out, (char)(0x80 | (c & 63)));
}

/* "&#": decimal or hexadecimal, with a semicolon or without. */
static size_t
decode_number(struct str s, struct buf *out)
{
	bool is_hex = s.n > 2 && str_lower(s.p[2]) == 'x';
	size_t from = is_hex ? 3 : 2, at = from;
	uint32_t c = 0;

	for (; at < s.n; at++) {
		int digit = str_hex(s.p[at]);

		if (digit < 0 || (!is_hex && digit > 9))
			break;
		if (c <= 0x10ffff)
			c = c * (is_hex ? 16 : 10) + (uint32_t)digit;
	}
	if (at == from)
		return 0;
	add_utf8(out, real_character(c));
	return at < s.n && s.p[at] == ';' ? at + 1 : at;
}

int
html_decode_attr(struct str value, struct buf *out)
{
	size_t at = 0;

	while (at < value.n) {
		size_t amp = str_chr(value, '&', at), n;
		struct str s = str_sub(value, amp, value.n);

		buf_str(out, str_sub(value, at, amp));
		if (s.n == 0)
			break;
		n = s.n > 1 && s.p[1] == '#' ? decode_number(s, out) :
		    decode_named(s, out);
		if (n == 0) {
			buf_char(out, '&');
			n = 1;
		}
		at = amp + n;
	}
	return out->failed ? -1 : 0;
}

/* The reference for a byte that may not stand for itself, or NULL. */
static const char *
reference(char c, char quote)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '\r':
		return "&#13;"; /* a bare one would become LF */
	default:
		break;
	}
	if (quote != 0)
		return NULL;
	switch (c) {
	case ' ':
		return "&#32;";
	case '\t':
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\f':
		return "&#12;";
	case '=':
		return "&#61;";
	case '`':
		return "&#96;";
	default:
		return NULL;
	}
}

int
html_encode_attr(struct str value, char quote, struct buf *out)
{
	size_t done = 0;

	for (size_t i = 0; i < value.n; i++) {
		const char *ref = reference(value.p[i], quote);

		if (ref == NULL)
			continue;
		buf_str(out, str_sub(value, done, i));
		buf_puts(out, ref);
		done = i + 1;
	}
	buf_str(out, str_sub(value, done, value.n));
	return out->failed ? -1 : 0;
}
