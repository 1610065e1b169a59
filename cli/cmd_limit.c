/*
 * cmd_limit.c - `bulkhead limit`: how much may leave, how much of it is used,
 * and the stop button.
 */
#include "cli/cmd.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "cli/limit.h"
#include "cli/load.h"

static const char usage_text[] =
    "usage: bulkhead limit list [-c FILE] [--json]\n"
    "       bulkhead limit show [-c FILE] [--json] [LIMIT [VALUE]]\n"
    "       bulkhead limit reset [-c FILE] [--json] [--dry-run] LIMIT [VALUE]\n"
    "       bulkhead limit pause [-c FILE] [--json] [--dry-run]\n"
    "                      [--note TEXT] [--stream | --domain] NAME\n"
    "       bulkhead limit resume [-c FILE] [--json] [--dry-run]\n"
    "                      [--stream | --domain] NAME\n"
    "list tells today's limits and what is paused; show how much of them is\n"
    "used; reset makes what was used usable again; pause defers all mail of a\n"
    "stream or domain until resume.\n\n"
    "  -c, --config FILE  settings (" SETTINGS_DEFAULT_FILE ")\n"
    "      --note TEXT    pause: why, for list\n"
    "      --stream, --domain\n"
    "                     what NAME is, where it could be both\n"
    "      --dry-run      change nothing, tell what would be changed\n"
    "      --json         for machines\n"
    "Exit: 0, 1 it is not paused, 64 usage, 65 there is nothing of that name,\n"
    "69 store or policyd unavailable, 78 the settings are wrong.\n";

enum { OPT_JSON = 256, OPT_DRY_RUN, OPT_NOTE, OPT_STREAM, OPT_DOMAIN };

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "domain", no_argument, NULL, OPT_DOMAIN },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "note", required_argument, NULL, OPT_NOTE },
	{ "stream", no_argument, NULL, OPT_STREAM },
	{ NULL, 0, NULL, 0 },
};

#define MAY_DRY_RUN 1u
#define MAY_CHOOSE  2u /* --stream, --domain */
#define MAY_NOTE    4u

static const struct verb {
	const char *name;
	int (*run)(struct limit_run *r);
	int min, max; /* arguments */
	unsigned options;
} verbs[] = {
	{ "list", limit_list, 0, 0, 0 },
	{ "show", limit_show, 0, 2, 0 },
	{ "reset", limit_reset, 1, 2, MAY_DRY_RUN },
	{ "pause", limit_pause, 1, 1, MAY_DRY_RUN | MAY_CHOOSE | MAY_NOTE },
	{ "resume", limit_resume, 1, 1, MAY_DRY_RUN | MAY_CHOOSE },
};

void
limit_say(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("bulkhead limit: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

struct str
limit_arg(const struct limit_run *r, int i)
{
	return i < r->o->argc ? str_from(r->o->argv[i]) : STR("");
}

const struct limit_settings *
limit_of_arg(struct limit_run *r)
{
	const struct limit_settings *l = limit_named(r->settings,
	    limit_arg(r, 0));

	if (l == NULL)
		limit_say("there is no limit \"%s\": bulkhead limit list tells "
		    "which there are", r->o->argv[0]);
	else if (r->o->argc > 1 && l->per == LIMIT_PER_NONE)
		limit_say("limit \"%s\" has no values: it is one bucket, no "
		    "per is set", r->o->argv[0]);
	else
		return l;
	return NULL;
}

static int
parse_options(int argc, char **argv, struct limit_options *o)
{
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->file = optarg;
			break;
		case 'h':
			o->help = true;
			break;
		case OPT_JSON:
			o->json = true;
			break;
		case OPT_DRY_RUN:
			o->dry_run = true;
			break;
		case OPT_NOTE:
			o->note = optarg;
			break;
		case OPT_STREAM:
			o->is_stream = true;
			break;
		case OPT_DOMAIN:
			o->is_domain = true;
			break;
		default:
			return -1;
		}
	}
	return 0;
}

/* What is wrong with the options and arguments of a verb; NULL: nothing. */
static const char *
what_is_wrong(const struct verb *v, const struct limit_options *o)
{
	if (o->dry_run && !(v->options & MAY_DRY_RUN))
		return "--dry-run goes with reset, pause and resume";
	if ((o->is_stream || o->is_domain) && !(v->options & MAY_CHOOSE))
		return "--stream and --domain go with pause and resume";
	if (o->note != NULL && !(v->options & MAY_NOTE))
		return "--note goes with pause";
	if (o->is_stream && o->is_domain)
		return "--stream or --domain, not both";
	if (o->argc > v->max)
		return "too many arguments";
	if (o->argc < v->min)
		return v->run == limit_reset ? "which limit?" :
		    "which stream or domain?";
	for (int i = 0; i < o->argc; i++)
		if (o->argv[i][0] == '\0')
			return "an empty argument";
	return NULL;
}

static int
run_verb(const struct verb *v, const struct limit_options *o)
{
	struct limit_run r = { .o = o };
	struct clock clock = clock_system();
	struct keyring *k = load_keyring(o->file, 0);
	int rc;

	if (k == NULL)
		return EX_CONFIG;
	r.settings = settings_ref(k->settings);
	keyring_free(&k);
	r.arena = arena_new();
	r.now = clock_seconds(&clock);
	rc = v->run(&r);
	settings_free(&r.settings);
	arena_free(&r.arena);
	return rc;
}

static int
run(struct limit_options *o, const char *name)
{
	const char *wrong;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, name) != 0)
			continue;
		wrong = what_is_wrong(&verbs[i], o);
		if (wrong == NULL)
			return run_verb(&verbs[i], o);
		limit_say("%s", wrong);
		return EX_USAGE;
	}
	limit_say("\"%s\": list, show, reset, pause or resume is wanted",
	    name);
	return EX_USAGE;
}

int
cmd_limit(int argc, char **argv)
{
	struct limit_options o = { .file = SETTINGS_DEFAULT_FILE };

	if (parse_options(argc, argv, &o) != 0 ||
	    (!o.help && argc == optind)) {
		fputs(usage_text, stderr);
		return EX_USAGE;
	}
	if (o.help) {
		fputs(usage_text, stdout);
		return EX_OK;
	}
	o.argc = argc - optind - 1;
	o.argv = argv + optind + 1;
	return run(&o, argv[optind]);
}
