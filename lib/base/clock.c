/*
 * clock.c - where the time comes from, and how it is written.
 */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#define MICROS INT64_C(1000000)

static int64_t
system_now(const struct clock *c)
{
	struct timespec ts;

	(void)c;
	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * MICROS + ts.tv_nsec / 1000;
}

static int64_t
fixed_now(const struct clock *c)
{
	return c->fixed;
}

struct clock
clock_system(void)
{
	return (struct clock){ .now = system_now };
}

struct clock
clock_fixed(int64_t micros)
{
	return (struct clock){ .now = fixed_now, .fixed = micros };
}

int64_t
clock_micros(const struct clock *c)
{
	return c->now(c);
}

int64_t
clock_seconds(const struct clock *c)
{
	int64_t us = c->now(c);

	return us >= 0 ? us / MICROS : (us - MICROS + 1) / MICROS;
}

int64_t
clock_thread_cpu(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * MICROS + ts.tv_nsec / 1000;
}

int64_t
clock_monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* Takes exactly width digits off the front of *s. */
static int
take_digits(struct str *s, size_t width, int *out)
{
	int v = 0;

	if (s->n < width)
		return -1;
	for (size_t i = 0; i < width; i++) {
		if (!str_is_digit(s->p[i]))
			return -1;
		v = v * 10 + (s->p[i] - '0');
	}
	*s = str_sub(*s, width, s->n);
	*out = v;
	return 0;
}

static int
take_char(struct str *s, const char *any)
{
	if (s->n == 0 || s->p[0] == '\0' || strchr(any, s->p[0]) == NULL)
		return -1;
	*s = str_sub(*s, 1, s->n);
	return 0;
}

/* An optional fraction of a second, in microseconds. */
static int
take_fraction(struct str *s, int64_t *micros)
{
	int64_t unit = MICROS / 10;
	size_t i = 1;

	*micros = 0;
	if (s->n == 0 || s->p[0] != '.')
		return 0;
	for (; i < s->n && str_is_digit(s->p[i]); i++, unit /= 10)
		*micros += unit * (s->p[i] - '0');
	if (i == 1)
		return -1;
	*s = str_sub(*s, i, s->n);
	return 0;
}

static int
take_offset(struct str *s, int64_t *seconds)
{
	int hours, minutes, sign;

	*seconds = 0;
	if (s->n == 1 && (s->p[0] == 'Z' || s->p[0] == 'z'))
		return take_char(s, "Zz");
	sign = s->n != 0 && s->p[0] == '-' ? -1 : 1;
	if (take_char(s, "+-") != 0 || take_digits(s, 2, &hours) != 0 ||
	    take_char(s, ":") != 0 || take_digits(s, 2, &minutes) != 0 ||
	    hours > 23 || minutes > 59)
		return -1;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return 0;
}

static int
parse_rfc3339(struct str s, int64_t *micros)
{
	struct tm tm = { 0 };
	int64_t fraction, offset;
	int year, month;

	if (take_digits(&s, 4, &year) || take_char(&s, "-") ||
	    take_digits(&s, 2, &month) || take_char(&s, "-") ||
	    take_digits(&s, 2, &tm.tm_mday) || take_char(&s, "Tt ") ||
	    take_digits(&s, 2, &tm.tm_hour) || take_char(&s, ":") ||
	    take_digits(&s, 2, &tm.tm_min) || take_char(&s, ":") ||
	    take_digits(&s, 2, &tm.tm_sec) || take_fraction(&s, &fraction) ||
	    take_offset(&s, &offset) || s.n != 0)
		return -1;
	if (month < 1 || month > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
	    tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return -1;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	*micros = ((int64_t)timegm(&tm) - offset) * MICROS + fraction;
	return tm.tm_mon == month - 1 ? 0 : -1; /* timegm moved 31 June on */
}

int
clock_parse(struct str s, int64_t *micros)
{
	int64_t seconds = 0, fraction;
	size_t digits = 0;

	while (digits < s.n && str_is_digit(s.p[digits]))
		digits++;
	if (digits == 0 || digits > 12)
		return -1;
	if (digits < s.n && s.p[digits] != '.')
		return parse_rfc3339(s, micros);
	for (size_t i = 0; i < digits; i++)
		seconds = seconds * 10 + (s.p[i] - '0');
	s = str_sub(s, digits, s.n);
	if (take_fraction(&s, &fraction) != 0 || s.n != 0)
		return -1;
	*micros = seconds * MICROS + fraction;
	return 0;
}

void
clock_rfc3339(int64_t seconds, char out[CLOCK_TEXT])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	gmtime_r(&t, &tm);
	snprintf(out, CLOCK_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec);
}

void
clock_rfc5322(int64_t seconds, char out[CLOCK_TEXT])
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t t = (time_t)seconds;
	struct tm tm;

	gmtime_r(&t, &tm);
	snprintf(out, CLOCK_TEXT, "%s, %02d %s %04d %02d:%02d:%02d +0000",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
}
