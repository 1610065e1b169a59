/*
 * import_utf16.c - UTF-16 becomes UTF-8, in pieces of any size.  Which files
 * are UTF-16 is told by their first octets alone.
 */
#include "cli/import.h"

#define REPLACEMENT 0xfffd

void
import_utf16_begin(struct import_utf16 *u, const char *p, size_t n)
{
	const unsigned char *b = (const unsigned char *)p;

	*u = (struct import_utf16){ .order = UTF16_NONE };
	if (n < 2)
		return;
	if (b[0] == 0xff && b[1] == 0xfe)
		u->order = UTF16_LITTLE;
	else if (b[0] == 0xfe && b[1] == 0xff)
		u->order = UTF16_BIG;
	else if (n >= 4 && b[0] != 0 && b[1] == 0 && b[2] != 0 && b[3] == 0)
		u->order = UTF16_LITTLE;
	else if (n >= 4 && b[0] == 0 && b[1] != 0 && b[2] == 0 && b[3] != 0)
		u->order = UTF16_BIG;
}

static char *
put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		*out++ = (char)c;
		return out;
	}
	if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*out++ = (char)(0xe0 | c >> 12);
		} else {
			*out++ = (char)(0xf0 | c >> 18);
			*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (c & 0x3f));
	return out;
}

static uint32_t
unit(const struct import_utf16 *u, const unsigned char *p)
{
	return u->order == UTF16_BIG ? (uint32_t)p[0] << 8 | p[1]
				     : (uint32_t)p[1] << 8 | p[0];
}

/*
 * What has come of a character, in u->rest: written when it is whole, kept
 * where a second half may follow.
 */
static char *
put_rest(struct import_utf16 *u, char *out)
{
	uint32_t first = unit(u, u->rest), second;

	if (first < 0xd800 || first > 0xdfff) {
		u->nrest = 0;
		return put_utf8(out, first);
	}
	if (first > 0xdbff) {
		u->nrest = 0;
		return put_utf8(out, REPLACEMENT);
	}
	if (u->nrest < 4)
		return out;
	second = unit(u, u->rest + 2);
	u->nrest = 0;
	if (second >= 0xdc00 && second <= 0xdfff)
		return put_utf8(out, 0x10000 + ((first - 0xd800) << 10) +
			(second - 0xdc00));
	u->rest[0] = u->rest[2];
	u->rest[1] = u->rest[3];
	u->nrest = 2;
	return put_rest(u, put_utf8(out, REPLACEMENT));
}

size_t
import_utf16_convert(struct import_utf16 *u, const char *p, size_t n, char *out)
{
	char *to = out;

	for (size_t i = 0; i < n; i++) {
		u->rest[u->nrest++] = (unsigned char)p[i];
		if (u->nrest % 2 == 0)
			to = put_rest(u, to);
	}
	return (size_t)(to - out);
}
