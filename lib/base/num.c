/*
 * num.c - numbers as people write them.
 */
#include "base/num.h"

int
num_parse(struct str s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0 || (s.n > 1 && s.p[0] == '0'))
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		uint64_t digit = (uint64_t)(s.p[i] - '0');

		if (!str_is_digit(s.p[i]) || v > (max - digit) / 10 ||
		    digit > max)
			return -1;
		v = v * 10 + digit;
	}
	*out = v;
	return 0;
}

static int
parse_scaled(struct str s, uint64_t unit, uint64_t *out)
{
	if (num_parse(s, INT64_MAX / unit, out) != 0)
		return -1;
	*out *= unit;
	return 0;
}

int
num_parse_size(struct str s, uint64_t *bytes)
{
	struct str digits = str_sub(s, 0, s.n ? s.n - 1 : 0);

	switch (s.n ? s.p[s.n - 1] : 0) {
	case 'k':
		return parse_scaled(digits, 1024, bytes);
	case 'M':
		return parse_scaled(digits, 1024 * 1024, bytes);
	case 'G':
		return parse_scaled(digits, 1024 * 1024 * 1024, bytes);
	default:
		return parse_scaled(s, 1, bytes);
	}
}

/* Seconds of a unit letter, 0 for no unit. */
static uint64_t
unit_seconds(char c)
{
	switch (c) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	default:
		return 0;
	}
}

int
num_parse_duration(struct str s, uint64_t *seconds)
{
	uint64_t unit;

	if (str_eq(s, STR("0"))) {
		*seconds = 0;
		return 0;
	}
	if (s.n < 2 || (unit = unit_seconds(s.p[s.n - 1])) == 0)
		return -1;
	return parse_scaled(str_sub(s, 0, s.n - 1), unit, seconds);
}

int
num_parse_rate(struct str s, struct rate *out)
{
	size_t slash = str_chr(s, '/', 0);

	if (s.n < 3 || slash != s.n - 2)
		return -1;
	out->period = unit_seconds(s.p[s.n - 1]);
	if (out->period == 0 ||
	    num_parse(str_sub(s, 0, slash), 1000000000000, &out->count) != 0)
		return -1;
	return out->count > 0 ? 0 : -1;
}
