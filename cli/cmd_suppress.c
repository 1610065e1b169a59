/*
 * cmd_suppress.c - `bulkhead suppress`: who must not get mail.  Options and
 * the table of verbs; what each does is in suppress_*.c.
 */
#include "cli/cmd.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/suppress.h"

static const char usage_text[] =
    "usage: bulkhead suppress VERB [OPTION...] [ARGUMENT...]\n"
    "  add ADDRESS...       put on the list; @DOMAIN: all of a domain\n"
    "  remove ADDRESS...    take off the list; the history is kept\n"
    "  check ADDRESS...     is it listed?  Exit 0 yes, 1 no\n"
    "  list [ADDRESS]       what is listed\n"
    "  import FILE          a list of another service or of ours\n"
    "  export               a file that import takes back\n"
    "  stats                how many of what\n"
    "  undo IMPORT          take away what an import brought\n"
    "  imports              the imports and their numbers\n"
    "  history ADDRESS...   what happened to an address, when, by whom\n"
    "bulkhead suppress VERB --help tells more, and so does\n"
    "bulkhead-suppress(1).\n";

#define EXIT_TEXT                                                              \
	"\n69 the store is unavailable, 78 the settings are wrong.\n"
#define CONFIG_TEXT                                                            \
	"  -c, --config FILE  settings (" SETTINGS_DEFAULT_FILE ")\n"          \
	"      --json         for machines\n"
#define SCOPE_TEXT                                                             \
	"      --scope SCOPE  global, DOMAIN, DOMAIN/STREAM, "                  \
	"DOMAIN/STREAM/LISTKEY\n"
#define REASON_TEXT                                                            \
	"      --reason R     complaint, unsubscribe, manual, hard-bounce, "    \
	"import,\n"                                                             \
	"                     soft-bounces\n"
#define FILTER_TEXT                                                            \
	REASON_TEXT SCOPE_TEXT                                                 \
	"      --source S     of that source (cli, import, trackd, ...)\n"      \
	"      --since TIME   2026-12-01T08:00:00Z, 2026-12-01, seconds, or "   \
	"7d ago\n"                                                              \
	"      --until TIME   before then\n"                                    \
	"      --domain D     recipients of that domain\n"                      \
	"      --import N     of that import\n"                                 \
	"      --expired      those that expired, too\n"

enum {
	MAY_SCOPE = 1,
	MAY_REASON = 2,
	MAY_EXPIRES = 4,
	MAY_NOTE = 8,
	MAY_FORMAT = 16,
	MAY_IMPORT = 32, /* --from --rejects --tmp */
	MAY_FILTER = 64, /* --source --since --until --domain ... */
	MAY_DRY_RUN = 128
};

static const struct verb {
	const char *name;
	int (*run)(struct suppress_run *r);
	int min, max; /* arguments; max 0: any number, -1: none */
	unsigned options;
	const char *usage;
} verbs[] = {
	{ "add", suppress_add, 1, 0,
	    MAY_SCOPE | MAY_REASON | MAY_EXPIRES | MAY_NOTE,
	    "usage: bulkhead suppress add [OPTION...] ADDRESS|@DOMAIN|-...\n"
	    "'-' reads one a line on standard input.\n\n" CONFIG_TEXT SCOPE_TEXT
		REASON_TEXT
	    "                     (manual)\n"
	    "      --expires T    90d, 2027-12-01T08:00:00Z, or never\n"
	    "      --note TEXT    evidence: shown where mail is refused\n"
	    "Exit: 0, 64 usage, 65 no address (nothing was done), 69 the "
	    "store is\n"
	    "unavailable, 78 the settings are wrong.\n" },
	{ "remove", suppress_remove, 1, 0,
	    MAY_SCOPE | MAY_REASON | MAY_DRY_RUN,
	    "usage: bulkhead suppress remove [OPTION...] ADDRESS|@DOMAIN|-...\n"
	    "Takes all entries of the address away, or those of one scope or "
	    "reason.\n\n" CONFIG_TEXT SCOPE_TEXT REASON_TEXT
	    "      --dry-run      change nothing, tell what would be removed\n"
	    "Exit: 0, 1 none was listed, 64 usage, 65 no address," EXIT_TEXT },
	{ "check", suppress_check, 1, 0, MAY_SCOPE,
	    "usage: bulkhead suppress check [--scope SCOPE] ADDRESS|-...\n"
	    "Without --scope: any entry, whatever its scope.  With it: the "
	    "entry that\n"
	    "counts for mail of that scope.\n\n" CONFIG_TEXT SCOPE_TEXT
	    "Exit: 0 one is listed, 1 none is, 64 usage, 65 no address,"
	    EXIT_TEXT },
	{ "list", suppress_list, 0, 1, MAY_SCOPE | MAY_REASON | MAY_FILTER,
	    "usage: bulkhead suppress list [OPTION...] [ADDRESS]\n\n"
	    CONFIG_TEXT FILTER_TEXT
	    "Exit: 0, 64 usage, 65 no address," EXIT_TEXT },
	{ "import", suppress_import, 1, 1,
	    MAY_SCOPE | MAY_REASON | MAY_EXPIRES | MAY_FORMAT | MAY_IMPORT |
		MAY_DRY_RUN,
	    "usage: bulkhead suppress import [OPTION...] FILE|-\n"
	    "Lines, CSV or JSON: lists of Amazon SES, SendGrid, Mailgun, "
	    "Postmark,\n"
	    "SparkPost, Mailchimp, Postal, Mandrill, our own, or any with a "
	    "column of\n"
	    "addresses.  What it is is found out and said.\n\n" CONFIG_TEXT
	    "      --from WHAT    ses, sendgrid, sendgrid-blocks, ..., csv, "
	    "json, txt\n"
	    "      --format F     csv, json, txt, where that is not found out\n"
	    SCOPE_TEXT REASON_TEXT
	    "                     (what the file says)\n"
	    "      --expires T    90d, 2027-12-01T08:00:00Z, or never\n"
	    "      --dry-run      change nothing, tell what it would bring\n"
	    "      --rejects FILE lines that are refused (FILE.rejects)\n"
	    "      --tmp DIR      for sorting (the store's, or /var/tmp)\n"
	    "Exit: 0, 64 usage, 65 some lines were refused (the good ones are "
	    "in), 66 the\n"
	    "file cannot be read, 69 the store is unavailable, 73 cannot "
	    "write, 75 another\n"
	    "import is under way, 78 the settings are wrong.\n" },
	{ "export", suppress_export, 0, 1,
	    MAY_SCOPE | MAY_REASON | MAY_FORMAT | MAY_FILTER,
	    "usage: bulkhead suppress export [OPTION...] [ADDRESS]\n"
	    "With --since: what changed since then, a column \"change\" "
	    "tells how.\n\n" CONFIG_TEXT
	    "      --format F     csv (default), json, txt\n" FILTER_TEXT
	    "Exit: 0, 64 usage, 65 no address," EXIT_TEXT },
	{ "stats", suppress_stats, 0, -1, 0,
	    "usage: bulkhead suppress stats [-c FILE] [--json]\n"
	    "How many entries, by reason, scope and source.\n\n" CONFIG_TEXT
	    "Exit: 0, 64 usage," EXIT_TEXT },
	{ "undo", suppress_undo, 1, 1, 0,
	    "usage: bulkhead suppress undo [-c FILE] [--json] IMPORT\n"
	    "Takes exactly the entries of that import away, and puts back "
	    "what it had\n"
	    "replaced.\n\n" CONFIG_TEXT
	    "Exit: 0, 1 there is no such import, 64 usage," EXIT_TEXT },
	{ "imports", suppress_imports, 0, -1, 0,
	    "usage: bulkhead suppress imports [-c FILE] [--json]\n\n"
	    CONFIG_TEXT "Exit: 0, 64 usage," EXIT_TEXT },
	{ "history", suppress_history, 1, 0, 0,
	    "usage: bulkhead suppress history [-c FILE] [--json] ADDRESS|-...\n"
	    "What was removed or replaced, and what is listed now.\n\n"
	    CONFIG_TEXT
	    "Exit: 0, 1 nothing is known of it, 64 usage, 65 no address,"
	    EXIT_TEXT },
};

enum {
	OPT_JSON = 256,
	OPT_DRY_RUN,
	OPT_EXPIRED,
	OPT_TEXTS /* and those behind it, in the order of texts[] */
};

/* Options that take a text: which verbs have them, and where it goes. */
static const struct {
	const char *name;
	unsigned may;
	size_t offset;
} texts[] = {
	{ "domain", MAY_FILTER, offsetof(struct suppress_options, domain) },
	{ "expires", MAY_EXPIRES, offsetof(struct suppress_options, expires) },
	{ "format", MAY_FORMAT, offsetof(struct suppress_options, format) },
	{ "from", MAY_IMPORT, offsetof(struct suppress_options, from) },
	{ "import", MAY_FILTER, offsetof(struct suppress_options, import) },
	{ "note", MAY_NOTE, offsetof(struct suppress_options, note) },
	{ "reason", MAY_REASON, offsetof(struct suppress_options, reason) },
	{ "rejects", MAY_IMPORT, offsetof(struct suppress_options, rejects) },
	{ "scope", MAY_SCOPE, offsetof(struct suppress_options, scope) },
	{ "since", MAY_FILTER, offsetof(struct suppress_options, since) },
	{ "source", MAY_FILTER, offsetof(struct suppress_options, source) },
	{ "tmp", MAY_IMPORT, offsetof(struct suppress_options, tmp) },
	{ "until", MAY_FILTER, offsetof(struct suppress_options, until) },
};

#define NTEXTS (sizeof(texts) / sizeof(texts[0]))

static const struct option others[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "expired", no_argument, NULL, OPT_EXPIRED },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPT_JSON },
};

#define NOTHERS (sizeof(others) / sizeof(others[0]))

static void
take_text(struct suppress_options *o, size_t i, const char *text)
{
	memcpy((char *)o + texts[i].offset, &text, sizeof(text));
}

static int
take_option(struct suppress_options *o, int c, const char *text)
{
	switch (c) {
	case 'c':
		o->file = text;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_DRY_RUN:
		o->dry_run = true;
		return 0;
	case OPT_EXPIRED:
		o->with_expired = true;
		return 0;
	default:
		if (c < OPT_TEXTS)
			return -1;
		take_text(o, (size_t)(c - OPT_TEXTS), text);
		return 0;
	}
}

static int
parse_options(int argc, char **argv, struct suppress_options *o)
{
	struct option longs[NTEXTS + NOTHERS + 1] = { 0 };
	int c;

	for (size_t i = 0; i < NTEXTS; i++)
		longs[i] = (struct option){ texts[i].name, required_argument,
			NULL, (int)(OPT_TEXTS + i) };
	memcpy(longs + NTEXTS, others, sizeof(others));
	optind = 0;
	while ((c = getopt_long(argc, argv, ":c:h", longs, NULL)) != -1) {
		if (take_option(o, c, optarg) == 0)
			continue;
		suppress_say("%s: %s; \"bulkhead suppress VERB --help\" tells "
			     "more",
		    argv[optind - 1],
		    c == ':' ? "wants a value" : "no such option");
		return -1;
	}
	return 0;
}

/* What is wrong with the options and arguments of a verb; 0: nothing. */
static int
check_use(const struct verb *v, const struct suppress_options *o)
{
	for (size_t i = 0; i < NTEXTS; i++) {
		const char *text;

		memcpy(&text, (const char *)o + texts[i].offset, sizeof(text));
		if (text == NULL || (v->options & texts[i].may) != 0)
			continue;
		suppress_say("%s has no --%s", v->name, texts[i].name);
		return -1;
	}
	if ((o->dry_run && (v->options & MAY_DRY_RUN) == 0) ||
	    (o->with_expired && (v->options & MAY_FILTER) == 0)) {
		suppress_say("%s has no --%s", v->name,
		    o->dry_run ? "dry-run" : "expired");
		return -1;
	}
	if (o->argc >= v->min && (v->max == 0 || o->argc <= v->max ||
		    (v->max < 0 && o->argc == 0)))
		return 0;
	suppress_say("%s: too %s arguments; \"bulkhead suppress %s --help\" "
		     "tells more",
	    v->name, o->argc < v->min ? "few" : "many", v->name);
	return -1;
}

static int
run_verb(const struct verb *v, const struct suppress_options *o)
{
	struct suppress_run r;
	int rc;

	if (o->help) {
		fputs(v->usage, stdout);
		return EX_OK;
	}
	if (check_use(v, o) != 0)
		return EX_USAGE;
	rc = suppress_begin(&r, o);
	if (rc == EX_OK)
		rc = v->run(&r);
	suppress_end(&r);
	return rc;
}

int
cmd_suppress(int argc, char **argv)
{
	struct suppress_options o = { .file = SETTINGS_DEFAULT_FILE };
	const char *name;

	if (parse_options(argc, argv, &o) != 0)
		return EX_USAGE;
	if (optind == argc) {
		fputs(usage_text, o.help ? stdout : stderr);
		return o.help ? EX_OK : EX_USAGE;
	}
	name = argv[optind];
	o.argc = argc - optind - 1;
	o.argv = argv + optind + 1;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return run_verb(&verbs[i], &o);
	suppress_say("\"%s\": add, remove, check, list, import, export, stats, "
		     "undo, imports or history is wanted",
	    name);
	return EX_USAGE;
}
