/*
 * cmd_report.c - `bulkhead report`: what became of the mail: handed to the MTA,
 * opened, clicked, unsubscribed.
 */
#include "cli/cmd.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/load.h"
#include "cli/report.h"

static const char usage_text[] =
    "usage: bulkhead report [-c FILE] [--domain DOMAIN] [--since DAY]\n"
    "           [--until DAY] [--json | --csv | --html]\n"
    "           [STREAM | CAMPAIGN | --stream STREAM | --campaign CAMPAIGN]\n"
    "What became of mail: of all streams, or of one by campaign, day and link.\n"
    "\n"
    "  -c, --config FILE  settings (" SETTINGS_DEFAULT_FILE ")\n"
    "      --stream STREAM, --campaign CAMPAIGN\n"
    "                     where a name could be both\n"
    "      --domain DOMAIN\n"
    "                     only mail of that domain section\n"
    "      --since DAY    2026-11-23, or 30d (the default): 30 days to today\n"
    "      --until DAY    the last day (today); days are UTC\n"
    "      --json         one object, for machines\n"
    "      --csv          one table with a line for each line of the report\n"
    "      --html         one page with plots that needs nothing else\n"
    "Exit: 0, 64 usage, 65 there is nothing of that name, 69 the store cannot\n"
    "be read, 74 the output cannot be written, 78 the settings are wrong.\n";

enum { OPT_JSON = 256, OPT_CSV, OPT_HTML, OPT_DOMAIN, OPT_SINCE, OPT_UNTIL,
	OPT_STREAM, OPT_CAMPAIGN };

static const struct option longs[] = {
	{ "campaign", required_argument, NULL, OPT_CAMPAIGN },
	{ "config", required_argument, NULL, 'c' },
	{ "csv", no_argument, NULL, OPT_CSV },
	{ "domain", required_argument, NULL, OPT_DOMAIN },
	{ "help", no_argument, NULL, 'h' },
	{ "html", no_argument, NULL, OPT_HTML },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "since", required_argument, NULL, OPT_SINCE },
	{ "stream", required_argument, NULL, OPT_STREAM },
	{ "until", required_argument, NULL, OPT_UNTIL },
	{ NULL, 0, NULL, 0 },
};

void
report_say(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("bulkhead report: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static int
take_option(int c, struct report_options *o)
{
	switch (c) {
	case 'c':
		o->file = optarg;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_CSV:
		o->csv = true;
		return 0;
	case OPT_HTML:
		o->html = true;
		return 0;
	case OPT_DOMAIN:
		o->domain = optarg;
		return 0;
	case OPT_SINCE:
		o->since = optarg;
		return 0;
	case OPT_UNTIL:
		o->until = optarg;
		return 0;
	case OPT_STREAM:
		o->stream = optarg;
		return 0;
	case OPT_CAMPAIGN:
		o->campaign = optarg;
		return 0;
	default:
		return -1;
	}
}

static int
parse_options(int argc, char **argv, struct report_options *o)
{
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1)
		if (take_option(c, o) != 0)
			return -1;
	return 0;
}

/* What is wrong with the options; NULL: nothing. */
static const char *
what_is_wrong(const struct report_options *o, int nnames)
{
	if (o->json + o->csv + o->html > 1)
		return "--json, --csv or --html: one of them";
	if (nnames > 1)
		return "one stream or campaign at a time";
	if (o->stream != NULL && o->campaign != NULL)
		return "--stream or --campaign, not both";
	if (nnames > 0 && (o->stream != NULL || o->campaign != NULL))
		return "a name or --stream or --campaign, not both";
	if ((nnames > 0 && o->name[0] == '\0') || (o->stream != NULL &&
	    o->stream[0] == '\0') || (o->domain != NULL &&
	    o->domain[0] == '\0'))
		return "an empty name";
	return NULL;
}

/* Which days: an exit code. */
static int
take_days(struct report *r, const struct report_options *o)
{
	struct clock clock = clock_system();
	uint32_t today = event_day(clock_micros(&clock));

	r->until = today;
	if (o->until != NULL &&
	    report_day_parse(str_from(o->until), today, &r->until) != 0) {
		report_say("--until %s: a day is wanted: 2026-11-23, or 7d: "
		    "the first of 7 days to today", o->until);
		return EX_USAGE;
	}
	r->from = report_day_add(r->until, 1 - REPORT_DAYS);
	if (o->since != NULL &&
	    report_day_parse(str_from(o->since), today, &r->from) != 0) {
		report_say("--since %s: a day is wanted: 2026-11-23, or 30d: "
		    "30 days to today", o->since);
		return EX_USAGE;
	}
	if (r->from > r->until)
		report_say("--since is behind --until");
	else if (report_day_span(r->from, r->until) >= REPORT_DAYS_MAX)
		report_say("more than %d days: ask for fewer",
		    REPORT_DAYS_MAX);
	else
		return EX_OK;
	return EX_USAGE;
}

/* In a file names are as they are; a terminal would obey what is in them. */
static void
tame(struct buf *out)
{
	struct str left = buf_view(out);
	struct buf shown;

	buf_init(&shown, REPORT_OUTPUT_MAX);
	while (left.n > 0) {
		size_t end = str_chr(left, '\n', 0);
		struct str line = str_sub(left, 0, end);

		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		report_name(&shown, line, 0);
		buf_char(&shown, '\n');
		left = str_sub(left, end + 1, left.n);
	}
	shown.failed = shown.failed || out->failed;
	buf_free(out);
	*out = shown;
}

static int
write_out(const struct report *r, const struct report_options *o)
{
	struct buf out;

	buf_init(&out, REPORT_OUTPUT_MAX);
	if (o->json)
		report_write_json(r, &out);
	else if (o->csv)
		report_write_csv(r, &out);
	else if (o->html)
		report_write_html(r, &out);
	else
		report_write_text(r, &out);
	if (o->csv && isatty(STDOUT_FILENO))
		tame(&out);
	return load_flush(&out, "report");
}

static int
run(struct report *r, const struct report_options *o)
{
	int rc = take_days(r, o);

	if (rc == EX_OK)
		rc = report_open(r);
	if (rc == EX_OK)
		rc = report_find(r, o);
	if (rc == EX_OK)
		rc = report_gather(r);
	return rc == EX_OK ? write_out(r, o) : rc;
}

static int
run_with_settings(const struct report_options *o)
{
	struct keyring *k = load_keyring(o->file, 0);
	struct settings *settings;
	struct report *r;
	int rc;

	if (k == NULL)
		return EX_CONFIG;
	settings = settings_ref(k->settings);
	keyring_free(&k);
	r = mem_alloc(sizeof(*r));
	*r = (struct report){ .arena = arena_new(), .settings = settings };
	rc = run(r, o);
	store_close(&r->store);
	arena_free(&r->arena);
	free(r);
	settings_free(&settings);
	return rc;
}

int
cmd_report(int argc, char **argv)
{
	struct report_options o = { .file = SETTINGS_DEFAULT_FILE };
	const char *wrong;

	if (parse_options(argc, argv, &o) != 0) {
		fputs(usage_text, stderr);
		return EX_USAGE;
	}
	if (o.help) {
		fputs(usage_text, stdout);
		return EX_OK;
	}
	o.name = optind < argc ? argv[optind] : NULL;
	wrong = what_is_wrong(&o, argc - optind);
	if (wrong != NULL) {
		report_say("%s", wrong);
		return EX_USAGE;
	}
	return run_with_settings(&o);
}
