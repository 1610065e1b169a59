/*
 * import_value.c - words for reasons and dates as the services write them.
 */
#include "cli/import.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/num.h"

static const struct {
	const char *word;
	enum suppress_reason reason;
} words[] = {
	{ "abuse", SUPPRESS_COMPLAINT },
	{ "abusecomplaint", SUPPRESS_COMPLAINT },
	{ "badaddress", SUPPRESS_HARD_BOUNCE },
	{ "bademailaddress", SUPPRESS_HARD_BOUNCE },
	{ "blacklist", SUPPRESS_MANUAL },
	{ "blacklisted", SUPPRESS_MANUAL },
	{ "block", SUPPRESS_SOFT_BOUNCES },
	{ "blocked", SUPPRESS_SOFT_BOUNCES },
	{ "blocklist", SUPPRESS_MANUAL },
	{ "blocks", SUPPRESS_SOFT_BOUNCES },
	{ "bounce", SUPPRESS_HARD_BOUNCE },
	{ "bounced", SUPPRESS_HARD_BOUNCE },
	{ "bouncerule", SUPPRESS_HARD_BOUNCE },
	{ "bounces", SUPPRESS_HARD_BOUNCE },
	{ "cleaned", SUPPRESS_HARD_BOUNCE },
	{ "complained", SUPPRESS_COMPLAINT },
	{ "complaint", SUPPRESS_COMPLAINT },
	{ "complaints", SUPPRESS_COMPLAINT },
	{ "compliance", SUPPRESS_MANUAL },
	{ "custom", SUPPRESS_MANUAL },
	{ "donotcontact", SUPPRESS_MANUAL },
	{ "donotmail", SUPPRESS_MANUAL },
	{ "failed", SUPPRESS_HARD_BOUNCE },
	{ "fbl", SUPPRESS_COMPLAINT },
	{ "feedbackloop", SUPPRESS_COMPLAINT },
	{ "globalunsubscribe", SUPPRESS_UNSUBSCRIBE },
	{ "groupunsubscribe", SUPPRESS_UNSUBSCRIBE },
	{ "hard", SUPPRESS_HARD_BOUNCE },
	{ "hardbounce", SUPPRESS_HARD_BOUNCE },
	{ "hardbounced", SUPPRESS_HARD_BOUNCE },
	{ "hardbounces", SUPPRESS_HARD_BOUNCE },
	{ "hardfail", SUPPRESS_HARD_BOUNCE },
	{ "import", SUPPRESS_IMPORT },
	{ "imported", SUPPRESS_IMPORT },
	{ "invalid", SUPPRESS_HARD_BOUNCE },
	{ "invalidemail", SUPPRESS_HARD_BOUNCE },
	{ "invalidemails", SUPPRESS_HARD_BOUNCE },
	{ "junk", SUPPRESS_COMPLAINT },
	{ "linkunsubscribe", SUPPRESS_UNSUBSCRIBE },
	{ "listunsubscribe", SUPPRESS_UNSUBSCRIBE },
	{ "manual", SUPPRESS_MANUAL },
	{ "manuallyadded", SUPPRESS_MANUAL },
	{ "manuallydeactivated", SUPPRESS_MANUAL },
	{ "manualsuppression", SUPPRESS_MANUAL },
	{ "onhold", SUPPRESS_SOFT_BOUNCES },
	{ "optedout", SUPPRESS_UNSUBSCRIBE },
	{ "optout", SUPPRESS_UNSUBSCRIBE },
	{ "permanent", SUPPRESS_HARD_BOUNCE },
	{ "soft", SUPPRESS_SOFT_BOUNCES },
	{ "softbounce", SUPPRESS_SOFT_BOUNCES },
	{ "softbounced", SUPPRESS_SOFT_BOUNCES },
	{ "softbounces", SUPPRESS_SOFT_BOUNCES },
	{ "spam", SUPPRESS_COMPLAINT },
	{ "spamcomplaint", SUPPRESS_COMPLAINT },
	{ "spamcomplaints", SUPPRESS_COMPLAINT },
	{ "spamnotification", SUPPRESS_COMPLAINT },
	{ "spamreport", SUPPRESS_COMPLAINT },
	{ "spamreports", SUPPRESS_COMPLAINT },
	{ "toomanyhardfails", SUPPRESS_HARD_BOUNCE },
	{ "toomanysoftfails", SUPPRESS_SOFT_BOUNCES },
	{ "transient", SUPPRESS_SOFT_BOUNCES },
	{ "undeliverable", SUPPRESS_HARD_BOUNCE },
	{ "unsub", SUPPRESS_UNSUBSCRIBE },
	{ "unsubscribe", SUPPRESS_UNSUBSCRIBE },
	{ "unsubscribed", SUPPRESS_UNSUBSCRIBE },
	{ "unsubscribelink", SUPPRESS_UNSUBSCRIBE },
	{ "unsubscribes", SUPPRESS_UNSUBSCRIBE },
};

#define NWORDS (sizeof(words) / sizeof(words[0]))

int
import_reason_parse(struct str text, enum suppress_reason *out)
{
	size_t from = 0, to = NWORDS;
	char word[32];

	if (text.n == 0 || text.n >= sizeof(word))
		return -1;
	import_name_normal(word, sizeof(word), text);
	while (from < to) {
		size_t at = (from + to) / 2;
		int order = strcmp(word, words[at].word);

		if (order == 0) {
			*out = words[at].reason;
			return 0;
		}
		if (order < 0)
			to = at;
		else
			from = at + 1;
	}
	return -1;
}

/* ---- dates ---- */

/* Up to max digits off the front; how many there were. */
static int
take_number(struct str *s, int max, int *out)
{
	int n = 0;

	*out = 0;
	while (n < max && s->n > 0 && str_is_digit(s->p[0])) {
		*out = *out * 10 + (s->p[0] - '0');
		*s = str_sub(*s, 1, s->n);
		n++;
	}
	return n;
}

static bool
take(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_sub(*s, 1, s->n);
	return true;
}

static void
take_blanks(struct str *s)
{
	while (s->n > 0 && (s->p[0] == ' ' || s->p[0] == '\t'))
		*s = str_sub(*s, 1, s->n);
}

static int
to_seconds(struct tm *tm, int64_t offset, int64_t *out)
{
	int mon = tm->tm_mon, day = tm->tm_mday;

	if (mon < 0 || mon > 11 || day < 1 || tm->tm_hour > 23 ||
	    tm->tm_min > 59 || tm->tm_sec > 60 || tm->tm_year < 70)
		return -1;
	*out = (int64_t)timegm(tm) - offset;
	return *out > 0 && tm->tm_mon == mon && tm->tm_mday == day ? 0 : -1;
}

/*
 * What may follow a time: nothing, Z, GMT, UTC, +hh:mm, +hhmm, and behind it
 * the zone's name.
 */
static int
parse_zone(struct str s, int64_t *offset)
{
	int hours = 0, minutes = 0, sign;

	s = str_trim(s);
	*offset = 0;
	if (str_istarts(s, STR("gmt")) || str_istarts(s, STR("utc")))
		s = str_trim(str_sub(s, 3, s.n));
	if (s.n == 0 || s.p[0] == '(' ||
	    (s.n == 1 && str_lower(s.p[0]) == 'z'))
		return 0;
	sign = s.p[0] == '-' ? -1 : 1;
	if (!take(&s, '-') && !take(&s, '+'))
		return -1;
	if (take_number(&s, 2, &hours) == 0)
		return -1;
	take(&s, ':');
	take_number(&s, 2, &minutes);
	take_blanks(&s);
	if (hours > 23 || minutes > 59 ||
	    (s.n > 0 && s.p[0] != '(' && !str_is_alpha(s.p[0])))
		return -1;
	*offset = sign * (hours * 3600 + minutes * 60);
	return 0;
}

/* "21:03", "21:03:05.123", "9:03:05 PM"; nothing is midnight. */
static int
take_time(struct str *s, struct tm *tm)
{
	int n;

	take_blanks(s);
	if (s->n == 0)
		return 0;
	if (take_number(s, 2, &tm->tm_hour) == 0 || !take(s, ':') ||
	    take_number(s, 2, &tm->tm_min) != 2)
		return -1;
	if (take(s, ':') && take_number(s, 2, &tm->tm_sec) != 2)
		return -1;
	if (take(s, '.') || take(s, ','))
		take_number(s, 9, &n);
	take_blanks(s);
	if (str_istarts(*s, STR("pm")) || str_istarts(*s, STR("am"))) {
		if (tm->tm_hour < 1 || tm->tm_hour > 12)
			return -1;
		tm->tm_hour = tm->tm_hour % 12 +
		    (str_lower(s->p[0]) == 'p' ? 12 : 0);
		*s = str_sub(*s, 2, s->n);
	}
	return 0;
}

/* "2020-04-10", "2020/04/10", then a time. */
static int
parse_iso(struct str s, int64_t *out)
{
	struct tm tm = { 0 };
	int64_t offset;
	char apart;

	if (take_number(&s, 4, &tm.tm_year) != 4 || s.n == 0)
		return -1;
	apart = s.p[0];
	if ((apart != '-' && apart != '/' && apart != '.') ||
	    !take(&s, apart) || take_number(&s, 2, &tm.tm_mon) == 0 ||
	    !take(&s, apart) || take_number(&s, 2, &tm.tm_mday) == 0)
		return -1;
	if (!take(&s, 'T') && !take(&s, 't'))
		take_blanks(&s);
	if (take_time(&s, &tm) != 0 || parse_zone(s, &offset) != 0)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return to_seconds(&tm, offset, out);
}

/* "10.4.2020 21:03": with dots the day comes first, wherever one writes so. */
static int
parse_dots(struct str s, int64_t *out)
{
	struct tm tm = { 0 };
	int64_t offset;

	if (take_number(&s, 2, &tm.tm_mday) == 0 || !take(&s, '.') ||
	    take_number(&s, 2, &tm.tm_mon) == 0 || !take(&s, '.') ||
	    take_number(&s, 4, &tm.tm_year) != 4)
		return -1;
	take(&s, ',');
	if (take_time(&s, &tm) != 0 || parse_zone(s, &offset) != 0)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return to_seconds(&tm, offset, out);
}

/*
 * "2/13/2020 4:05 PM", "13-02-2020": where only one order makes a date it is
 * that, and else the month comes first before a slash and last before a dash,
 * as those write who write so.
 */
static int
parse_day_month(struct str s, int64_t *out)
{
	struct tm tm = { 0 };
	int64_t offset;
	int first, second;
	char apart;

	if (take_number(&s, 2, &first) == 0 || s.n == 0)
		return -1;
	apart = s.p[0];
	if ((apart != '/' && apart != '-') || !take(&s, apart) ||
	    take_number(&s, 2, &second) == 0 || !take(&s, apart) ||
	    take_number(&s, 4, &tm.tm_year) != 4)
		return -1;
	take(&s, ',');
	if (take_time(&s, &tm) != 0 || parse_zone(s, &offset) != 0)
		return -1;
	if (first > 12 || (apart == '-' && second <= 12)) {
		tm.tm_mday = first;
		tm.tm_mon = second - 1;
	} else {
		tm.tm_mday = second;
		tm.tm_mon = first - 1;
	}
	tm.tm_year -= 1900;
	return to_seconds(&tm, offset, out);
}

static int
take_month(struct str *s, int *month)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	for (*month = 0; *month < 12; ++*month)
		if (str_istarts(*s, str_make(names + 3 * *month, 3)))
			break;
	if (*month == 12)
		return -1;
	while (s->n > 0 && str_is_alpha(s->p[0]))
		*s = str_sub(*s, 1, s->n);
	take(s, '.');
	return 0;
}

/* "Fri, 21 Oct 2011 11:02:55 GMT", "Oct 21, 2011 11:02 AM". */
static int
parse_words(struct str s, int64_t *out)
{
	struct tm tm = { 0 };
	size_t comma = str_chr(s, ',', 0);
	int64_t offset;

	if (comma == 3)
		s = str_sub(s, 4, s.n);
	take_blanks(&s);
	if (take_number(&s, 2, &tm.tm_mday) > 0) {
		take_blanks(&s);
		take(&s, '-');
		if (take_month(&s, &tm.tm_mon) != 0)
			return -1;
	} else {
		if (take_month(&s, &tm.tm_mon) != 0)
			return -1;
		take_blanks(&s);
		if (take_number(&s, 2, &tm.tm_mday) == 0)
			return -1;
	}
	take(&s, ',');
	take(&s, '-');
	take_blanks(&s);
	if (take_number(&s, 4, &tm.tm_year) != 4)
		return -1;
	take(&s, ',');
	if (take_time(&s, &tm) != 0 || parse_zone(s, &offset) != 0)
		return -1;
	tm.tm_year -= 1900;
	return to_seconds(&tm, offset, out);
}

/* Seconds with or without a fraction; 13, 16 or 19 digits are finer units. */
static int
parse_epoch(struct str s, int64_t *out)
{
	size_t dot = str_chr(s, '.', 0), digits = dot;
	uint64_t v;

	if (num_parse(str_sub(s, 0, dot), INT64_MAX, &v) != 0)
		return -1;
	for (size_t i = dot + 1; i < s.n; i++)
		if (!str_is_digit(s.p[i]))
			return -1;
	for (; digits > 11; digits -= 3)
		v /= 1000;
	*out = (int64_t)v;
	/* Fewer digits are a number of something else: 1973 on. */
	return v >= 100000000 ? 0 : -1;
}

int
import_date_parse(struct str text, int64_t *out)
{
	struct str s = str_trim(text);

	if (s.n < 8 || s.n > 64)
		return -1;
	if (parse_epoch(s, out) == 0 || parse_iso(s, out) == 0 ||
	    parse_dots(s, out) == 0 || parse_day_month(s, out) == 0)
		return 0;
	return parse_words(s, out);
}
