/*
 * charset.c - character sets as far as the engine must know them.
 */
#include "mail/charset.h"

#include <iconv.h>

/* Octets of the valid UTF-8 sequence at the start of s, or 0. */
static size_t
utf8_sequence(struct str s)
{
	unsigned char c = (unsigned char)s.p[0], low = 0x80, high = 0xbf;
	size_t n;

	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (c == 0xe0)
		low = 0xa0;
	else if (c == 0xed)
		high = 0x9f;
	else if (c == 0xf0)
		low = 0x90;
	else if (c == 0xf4)
		high = 0x8f;
	if (s.n < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		unsigned char d = (unsigned char)s.p[i];

		if (d < low || d > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return n;
}

bool
charset_is_utf8(struct str s)
{
	while (s.n > 0) {
		size_t n = utf8_sequence(s);

		if (n == 0)
			return false;
		s = str_sub(s, n, s.n);
	}
	return true;
}

static bool
is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

static int
add_lenient_utf8(struct str in, struct buf *out)
{
	while (in.n > 0) {
		size_t n = utf8_sequence(in);
		int rc = n > 0 ?
		    buf_add(out, in.p, n) :
		    buf_printf(out, "%%%02X", (unsigned char)in.p[0]);

		if (rc != 0)
			return -1;
		in = str_sub(in, n ? n : 1, in.n);
	}
	return 0;
}

static iconv_t
open_charset(struct str charset)
{
	char name[64];

	if (charset.n == 0 || charset.n >= sizeof(name) ||
	    memchr(charset.p, '/', charset.n) != NULL)
		return (iconv_t)-1;
	memcpy(name, charset.p, charset.n);
	name[charset.n] = '\0';
	return iconv_open("UTF-8", name);
}

/* iconv() wants a writable source that it never writes to. */
static char *
unconst(const char *p)
{
	union {
		const char *in;
		char *out;
	} u = { .in = p };

	return u.out;
}

/* Some charsets (cp1258) hold a letter back until they see the next one. */
static int
flush(iconv_t cd, struct buf *out)
{
	char chunk[64], *to = chunk;
	size_t room = sizeof(chunk);

	iconv(cd, NULL, NULL, &to, &room);
	return buf_add(out, chunk, sizeof(chunk) - room);
}

static int
convert(iconv_t cd, struct str in, struct buf *out)
{
	char *from = unconst(in.p);
	size_t left = in.n;

	while (left > 0) {
		char chunk[512], *to = chunk;
		size_t room = sizeof(chunk), before = left;
		size_t rc = iconv(cd, &from, &left, &to, &room);

		if (buf_add(out, chunk, sizeof(chunk) - room) != 0)
			return -1;
		if (rc != (size_t)-1 || left < before)
			continue;
		if (buf_printf(out, "%%%02X", (unsigned char)*from) != 0)
			return -1;
		from++;
		left--;
	}
	return flush(cd, out);
}

/* Without a conversion: nearly all mail is in one of these. */
static bool
is_common(struct str charset)
{
	static const char *const prefixes[] = { "utf-8", "us-ascii",
		"iso-8859-", "windows-125", "koi8-" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (str_starts(charset, str_from(prefixes[i])))
			return true;
	return charset.n == 0;
}

/* Encodings in which ASCII stands for itself, but not everywhere. */
static bool
has_modes(struct str charset)
{
	static const char *const prefixes[] = { "iso-2022", "iso2022",
		"csiso2022", "hz", "utf-7", "utf7", "unicode", "csunicode",
		"csutf7", "scsu", "bocu", "johab", "cp1361", "cp65000" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (str_starts(charset, str_from(prefixes[i])))
			return true;
	return false;
}

bool
charset_hides_ascii(struct str charset)
{
	static const char ascii[] = "<a href=\"x\" b='&amp;'>{%*|}0-9/:+\r\n";
	struct buf out;
	iconv_t cd;
	bool same;

	if (is_common(charset))
		return false;
	if (has_modes(charset))
		return true;
	if ((cd = open_charset(charset)) == (iconv_t)-1)
		return false; /* read as windows-1252 by everyone */
	buf_init(&out, 4096);
	same = convert(cd, str_from(ascii), &out) == 0 &&
	    str_eq(buf_view(&out), str_from(ascii));
	buf_free(&out);
	iconv_close(cd);
	return !same;
}

int
charset_url_utf8(struct str charset, struct str in, struct buf *out)
{
	struct buf text;
	iconv_t cd;
	int rc;

	if (is_ascii(in))
		return buf_str(out, in);
	if (str_eq(charset, STR("utf-8")) || str_eq(charset, STR("utf8")) ||
	    (cd = open_charset(charset)) == (iconv_t)-1)
		return add_lenient_utf8(in, out);
	buf_init(&text, out->max);
	rc = convert(cd, in, &text);
	iconv_close(cd);
	/* glibc lets UTF-8 of former days pass, beyond U+10FFFF */
	if (rc == 0)
		rc = add_lenient_utf8(buf_view(&text), out);
	buf_free(&text);
	return rc;
}
