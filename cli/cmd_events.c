/*
 * cmd_events.c - `bulkhead events`: what happened to mail, for people and for
 * programs that go on where they stopped; and forgetting a person.
 */
#include "cli/cmd.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/events.h"
#include "cli/load.h"
#include "cli/owner.h"

#define ERRORS_MAX 65536

static const char usage_text[] =
    "usage: bulkhead events [-c FILE] [--follow] [--since CURSOR|TIME]\n"
    "                [--kind KIND[,KIND]] [--stream STREAM] [--domain DOMAIN]\n"
    "                [--campaign NAME] [--recipient ADDRESS] [--limit N]\n"
    "                [--json]\n"
    "       bulkhead events forget [-c FILE] [--dry-run] [--json] ADDRESS\n"
    "Shows what happened to mail, oldest first: handed (to the MTA), opened,\n"
    "clicked, unsubscribed, suppressed, limited.  forget replaces an address\n"
    "by its keyed hash in all events; a suppression of it stays.\n\n"
    "  -c, --config FILE  settings (" SETTINGS_DEFAULT_FILE ")\n"
    "  -f, --follow       goes on with what comes; without --since from now\n"
    "      --since CURSOR|TIME\n"
    "                     behind that event (\"cursor\" of --json), or from\n"
    "                     that time: 2026-12-01T08:00:00Z, 2026-12-01, 7d\n"
    "      --stream       by its title, or #8hexdigits\n"
    "      --limit N      N events at most\n"
    "      --dry-run      forget: only counts\n"
    "      --json         a JSON object in each line\n"
    "Exit: 0, 64 usage, 65 no address, 69 store unavailable, 74 cannot write,\n"
    "78 the settings are wrong.\n";

enum {
	OPT_JSON = 256,
	OPT_DRY_RUN,
	OPT_SINCE,
	OPT_KIND,
	OPT_STREAM,
	OPT_DOMAIN,
	OPT_CAMPAIGN,
	OPT_RECIPIENT,
	OPT_LIMIT
};

static const struct option longs[] = {
	{ "campaign", required_argument, NULL, OPT_CAMPAIGN },
	{ "config", required_argument, NULL, 'c' },
	{ "domain", required_argument, NULL, OPT_DOMAIN },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "follow", no_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "kind", required_argument, NULL, OPT_KIND },
	{ "limit", required_argument, NULL, OPT_LIMIT },
	{ "recipient", required_argument, NULL, OPT_RECIPIENT },
	{ "since", required_argument, NULL, OPT_SINCE },
	{ "stream", required_argument, NULL, OPT_STREAM },
	{ NULL, 0, NULL, 0 },
};

void
events_say(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("bulkhead events: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int
events_store_failed(struct events_run *r)
{
	events_say("%s", store_error(r->store, STORE_EVENTS));
	return EX_UNAVAILABLE;
}

/* "clicked,opened", added to those given before. */
static int
parse_kinds(struct events_options *o, struct str text)
{
	size_t from = 0;

	while (from <= text.n) {
		size_t comma = str_chr(text, ',', from);
		struct str name = str_sub(text, from, comma);
		enum event_kind kind;

		if (event_kind_parse(name, &kind) != 0) {
			events_say("--kind: \"%.*s\" is none of handed, "
			    "opened, clicked, unsubscribed, suppressed, "
			    "limited", STR_ARG(name));
			return -1;
		}
		o->kinds |= 1u << kind;
		from = comma + 1;
	}
	return 0;
}

/* The options that are texts. */
static const char **
text_option(struct events_options *o, int c)
{
	switch (c) {
	case 'c':
		return &o->file;
	case OPT_SINCE:
		return &o->since;
	case OPT_STREAM:
		return &o->stream;
	case OPT_DOMAIN:
		return &o->domain;
	case OPT_CAMPAIGN:
		return &o->campaign;
	case OPT_RECIPIENT:
		return &o->recipient;
	case OPT_LIMIT:
		return &o->limit;
	default:
		return NULL;
	}
}

static int
parse_options(int argc, char **argv, struct events_options *o)
{
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "c:fh", longs, NULL)) != -1) {
		const char **text = text_option(o, c);

		if (text != NULL)
			*text = optarg;
		else if (c == 'f')
			o->follow = true;
		else if (c == 'h')
			o->help = true;
		else if (c == OPT_JSON)
			o->json = true;
		else if (c == OPT_DRY_RUN)
			o->dry_run = true;
		else if (c != OPT_KIND ||
		    parse_kinds(o, str_from(optarg)) != 0)
			return -1;
	}
	o->argc = argc - optind;
	o->argv = argv + optind;
	return 0;
}

/* What is wrong with the options of forget; NULL: nothing. */
static const char *
what_is_wrong(const struct events_options *o)
{
	bool shows = o->since != NULL || o->stream != NULL ||
	    o->domain != NULL || o->campaign != NULL || o->limit != NULL ||
	    o->recipient != NULL || o->kinds != 0 || o->follow;

	if (o->argc == 0)
		return o->dry_run ? "--dry-run goes with forget" : NULL;
	if (strcmp(o->argv[0], "forget") != 0)
		return "forget, or nothing but options is wanted";
	if (o->argc != 2)
		return "forget: one address is wanted";
	return shows ? "forget takes no option but --dry-run, --json and "
	    "--config" : NULL;
}

/* As the owner of the store, so that no file becomes root's. */
static int
open_store(struct events_run *r, enum store_access access)
{
	struct store_spec spec = { .store = r->settings->store,
		.events = r->settings->events,
		.kinds = STORE_EVENTS,
		.access = access,
		.clock = clock_system() };
	struct buf errors;
	int rc = owner_become(r->arena, spec.events.n > 0 ? spec.events :
	    spec.store, "events");

	if (rc != EX_OK)
		return rc;
	buf_init(&errors, ERRORS_MAX);
	r->store = store_open(&spec, &errors);
	if (r->store == NULL) {
		file_write_all(STDERR_FILENO, buf_view(&errors));
		rc = EX_UNAVAILABLE;
	}
	buf_free(&errors);
	return rc;
}

static int
run(const struct events_options *o)
{
	struct clock clock = clock_system();
	struct events_run r = { .o = o, .now = clock_micros(&clock) };
	struct keyring *k = load_keyring(o->file, 0);
	bool forgets = o->argc > 0;
	int rc;

	if (k == NULL)
		return EX_CONFIG;
	r.settings = settings_ref(k->settings);
	keyring_free(&k);
	r.arena = arena_new();
	rc = open_store(&r, forgets && !o->dry_run ? STORE_CHANGE :
	    STORE_READ);
	if (rc == EX_OK)
		rc = forgets ? events_forget(&r) : events_show(&r);
	store_close(&r.store);
	settings_free(&r.settings);
	arena_free(&r.arena);
	return rc;
}

int
cmd_events(int argc, char **argv)
{
	struct events_options o = { .file = SETTINGS_DEFAULT_FILE };
	const char *wrong;

	if (parse_options(argc, argv, &o) != 0) {
		fputs(usage_text, stderr);
		return EX_USAGE;
	}
	if (o.help) {
		fputs(usage_text, stdout);
		return EX_OK;
	}
	wrong = what_is_wrong(&o);
	if (wrong == NULL)
		return run(&o);
	events_say("%s", wrong);
	return EX_USAGE;
}
