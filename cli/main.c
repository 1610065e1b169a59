/*
 * main.c - the command `bulkhead`: a table of verbs.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/log.h"
#include "cli/cmd.h"
#include "config.h"
#include "mail/dkim.h"

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} verbs[] = {
	{ "config", cmd_config, "check the settings, or show those in force" },
	{ "events", cmd_events, "what happened to mail; forget a person" },
	{ "key", cmd_key, "make, list and publish DKIM keys" },
	{ "limit", cmd_limit, "limits, what is used of them; pause, resume" },
	{ "preview", cmd_preview, "a message as it would leave" },
	{ "report", cmd_report, "what became of the mail" },
	{ "status", cmd_status, "how the daemons are, and what they do" },
	{ "suppress", cmd_suppress, "who must not get mail" },
	{ "token", cmd_token, "make and rotate token keys; read tokens" },
};

#define NVERBS (sizeof(verbs) / sizeof(verbs[0]))

static void
print_usage(FILE *to)
{
	fputs("usage: bulkhead VERB [OPTION...]\n"
	      "Makes an existing Postfix or Sendmail a bulk sender.\n\n", to);
	for (size_t i = 0; i < NVERBS; i++)
		fprintf(to, "  %-9s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\nbulkhead VERB --help tells more, and so does bulkhead(1).\n",
	    to);
}

int
main(int argc, char **argv)
{
	log_open("bulkhead", LOG_TARGET_STDERR);
	if (argc < 2) {
		print_usage(stderr);
		return EX_USAGE;
	}
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_usage(stdout);
		return EX_OK;
	}
	if (strcmp(argv[1], "-V") == 0 || strcmp(argv[1], "--version") == 0) {
		printf("bulkhead " VERSION " (dkim %s)\n",
		    dkim_engine_default()->name);
		return EX_OK;
	}
	for (size_t i = 0; i < NVERBS; i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	fprintf(stderr, "bulkhead: no verb \"%s\": bulkhead --help lists "
			"them\n", argv[1]);
	return EX_USAGE;
}
