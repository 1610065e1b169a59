/*
 * report_days.c - days as people write them, and counting with them.
 */
#include "cli/report.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/num.h"

#define DAY_MICROS (INT64_C(86400) * 1000000)

uint32_t
report_day_add(uint32_t day, int64_t days)
{
	return event_day(event_day_start(day) + days * DAY_MICROS);
}

int64_t
report_day_span(uint32_t from, uint32_t to)
{
	return (event_day_start(to) - event_day_start(from)) / DAY_MICROS;
}

void
report_day_format(uint32_t day, char out[REPORT_DAY_TEXT])
{
	snprintf(out, REPORT_DAY_TEXT, "%04" PRIu32 "-%02" PRIu32 "-%02" PRIu32,
	    day / 10000 % 10000, day / 100 % 100, day % 100);
}

/* A date that there is: February has no 30th. */
static int
check_day(uint64_t day, uint32_t *out)
{
	uint64_t year = day / 10000, month = day / 100 % 100, d = day % 100;

	if (year < 1970 || year > 9999 || month < 1 || month > 12 || d < 1 ||
	    d > 31 || report_day_add((uint32_t)day, 0) != day)
		return -1;
	*out = (uint32_t)day;
	return 0;
}

int
report_day_parse(struct str text, uint32_t today, uint32_t *out)
{
	uint64_t v = 0;

	if (text.n > 1 && text.p[text.n - 1] == 'd') {
		if (num_parse(str_sub(text, 0, text.n - 1), REPORT_DAYS_MAX,
		    &v) != 0 || v == 0)
			return -1;
		*out = report_day_add(today, 1 - (int64_t)v);
		return 0;
	}
	if (text.n == 10 && (text.p[4] != '-' || text.p[7] != '-'))
		return -1;
	if (text.n != 8 && text.n != 10)
		return -1;
	for (size_t i = 0; i < text.n; i++) {
		if (text.n == 10 && (i == 4 || i == 7))
			continue;
		if (!str_is_digit(text.p[i]))
			return -1;
		v = v * 10 + (uint64_t)(text.p[i] - '0');
	}
	return check_day(v, out);
}
