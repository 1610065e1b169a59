/*
 * report_name.c - names that others chose, and sparklines, for a terminal:
 * what is printed is text, never a control sequence, and as wide as it is said.
 */
#include "cli/report.h"

/* One character of UTF-8: its octets, 0 where s begins with none. */
static size_t
decode(struct str s, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c = (unsigned char)s.p[0];
	size_t n = c < 0x80 ? 1 : c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 &&
	    c < 0xf0 ? 3 : c >= 0xc2 && c < 0xe0 ? 2 : 0;
	uint32_t v = n < 2 ? c : c & (0xffu >> (n + 1));

	if (n == 0 || s.n < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | ((unsigned char)s.p[i] & 0x3f);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return 0;
	*out = v;
	return n;
}

struct range {
	uint32_t from, to;
};

static bool
is_in(const struct range *v, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++)
		if (c >= v[i].from && c <= v[i].to)
			return true;
	return false;
}

/* Controls, what turns the direction, what cannot be seen. */
static bool
is_hidden(uint32_t c)
{
	static const struct range v[] = { { 0, 0x1f }, { 0x7f, 0x9f },
		{ 0xad, 0xad }, { 0x61c, 0x61c }, { 0x200b, 0x200f },
		{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff },
		{ 0xfff0, 0xfffb }, { 0xe0000, 0xe0fff } };

	return is_in(v, sizeof(v) / sizeof(v[0]), c);
}

static size_t
width_of(uint32_t c)
{
	static const struct range none[] = { { 0x300, 0x36f },
		{ 0x483, 0x489 }, { 0x591, 0x5bd }, { 0x64b, 0x65f },
		{ 0x1ab0, 0x1aff }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f },
		{ 0xfe20, 0xfe2f } };
	static const struct range two[] = { { 0x1100, 0x115f },
		{ 0x2e80, 0x303e }, { 0x3041, 0xa4cf }, { 0xa960, 0xa97f },
		{ 0xac00, 0xd7a3 }, { 0xf900, 0xfaff }, { 0xfe30, 0xfe6f },
		{ 0xff00, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f },
		{ 0x1f680, 0x1f6ff }, { 0x1f900, 0x1faff },
		{ 0x20000, 0x3fffd } };

	if (is_in(none, sizeof(none) / sizeof(none[0]), c))
		return 0;
	return is_in(two, sizeof(two) / sizeof(two[0]), c) ? 2 : 1;
}

/* The first character as it is shown: its octets in s, and its columns. */
static size_t
next(struct str s, struct str *shown, size_t *width)
{
	uint32_t c;
	size_t n = decode(s, &c);

	if (n == 0 || is_hidden(c)) {
		*shown = STR("?");
		*width = 1;
		return n == 0 ? 1 : n;
	}
	*shown = str_sub(s, 0, n);
	*width = width_of(c);
	return n;
}

size_t
report_name_width(struct str s)
{
	size_t total = 0, width;
	struct str shown;

	for (size_t i = 0; i < s.n;) {
		i += next(str_sub(s, i, s.n), &shown, &width);
		total += width;
	}
	return total;
}

/*
 * Appends the columns [from, to) of s, without a character that is only half
 * in them; how many columns that were.
 */
static size_t
put_columns(struct buf *out, struct str s, size_t from, size_t to)
{
	size_t at = 0, used = 0, width;
	struct str shown;

	for (size_t i = 0; i < s.n && at < to; at += width) {
		i += next(str_sub(s, i, s.n), &shown, &width);
		if (at < from || at + width > to)
			continue;
		buf_str(out, shown);
		used += width;
	}
	return used;
}

void
report_name(struct buf *out, struct str s, size_t width)
{
	size_t total = report_name_width(s), used, half = width / 2;

	if (width == 0 || total <= width) {
		used = put_columns(out, s, 0, total + 1);
	} else {
		used = put_columns(out, s, 0, half) + 1;
		buf_puts(out, "…");
		used += put_columns(out, s, total - (width - half - 1), total);
	}
	for (; used < width; used++)
		buf_char(out, ' ');
}

void
report_sparkline(struct buf *out, const uint64_t *v, size_t n)
{
	static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆",
		"▇", "█" };
	uint64_t most = 0;

	for (size_t i = 0; i < n; i++)
		if (v[i] > most)
			most = v[i];
	for (size_t i = 0; i < n; i++)
		buf_puts(out, v[i] == 0 ? "·" :
		    blocks[(size_t)((double)v[i] * 7.999 / (double)most)]);
}
