/*
 * language.c - Accept-Language.
 */
#include "trackd/language.h"

#define RANGE_MAX 40

/* "0.8": 800; "1", or none: 1000; -1: no weight. */
static int
parse_weight(struct str s)
{
	int weight = 0, unit = 1000;

	if (s.n == 0 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1') ||
	    (s.n > 1 && s.p[1] != '.'))
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (i == 1)
			continue;
		if (!str_is_digit(s.p[i]))
			return -1;
		weight += (s.p[i] - '0') * unit;
		unit /= 10;
	}
	return weight > 1000 ? -1 : weight;
}

/* One member of the field: its range and weight; false: it is none. */
static bool
parse_member(struct str member, struct str *range, int *weight)
{
	size_t semicolon = str_chr(member, ';', 0);
	struct str rest = str_trim(str_sub(member, semicolon + 1, member.n));

	*range = str_trim(str_sub(member, 0, semicolon));
	*weight = 1000;
	if (rest.n > 0) {
		if (!str_istarts(rest, STR("q=")))
			return false;
		*weight = parse_weight(str_sub(rest, 2, rest.n));
	}
	return range->n > 0 && range->n <= RANGE_MAX && *weight >= 0;
}

/*
 * How closely a range names a language: its octets, 1 for "*", 0: not at all.
 */
static size_t
closeness(struct str range, struct str language)
{
	if (str_eq(range, STR("*")))
		return 1;
	if (!str_istarts(range, language) || (range.n > language.n &&
	    range.p[language.n] != '-'))
		return 0;
	return 1 + range.n;
}

/* The weight of the closest member, *order its place; -1: of none. */
static int
weigh(struct str field, struct str language, size_t *order)
{
	size_t at = 0, close = 0;
	int found = -1;

	for (size_t i = 0; at < field.n && i < LANGUAGE_RANGES_MAX; i++) {
		size_t end = str_chr(field, ',', at);
		struct str range;
		int weight;

		if (parse_member(str_sub(field, at, end), &range, &weight)) {
			size_t c = closeness(range, language);

			/* de-AT;q=0.1 must not spoil de;q=0.9 for "de" */
			if (c > 0 && (found < 0 || (close == 1 && c > 1) ||
			    ((close > 1) == (c > 1) && weight > found))) {
				close = c;
				found = weight;
				*order = i;
			}
		}
		at = end + 1;
	}
	return found;
}

size_t
language_choose(struct str field, const struct str *have, size_t n)
{
	size_t best = 0, best_order = LANGUAGE_RANGES_MAX;
	int best_weight = 0;

	for (size_t i = 0; i < n; i++) {
		size_t order = 0;
		int weight = weigh(field, have[i], &order);

		if (weight > best_weight || (weight == best_weight &&
		    weight > 0 && order < best_order)) {
			best = i;
			best_weight = weight;
			best_order = order;
		}
	}
	return best;
}
