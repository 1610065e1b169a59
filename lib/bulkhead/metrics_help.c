/*
 * metrics_help.c - a table of what counters count.
 */
#include "bulkhead/metrics_help.h"

#include <stddef.h>
#include <string.h>

#define M 1u
#define P 2u
#define T 4u

static const struct row {
	unsigned programs;
	const char *help;
} rows[METRIC_COUNT] = {
	[METRIC_SESSIONS] = { M | P, "Connections begun" },
	[METRIC_SESSIONS_OPEN] = { M | P, "Connections now" },
	[METRIC_SESSIONS_REFUSED] = { M,
		"Connections refused over max-sessions" },
	[METRIC_MESSAGES] = { M, "Messages that ended, whatever came of them" },
	[METRIC_OCTETS] = { M, "Octets of bodies as they came" },
	[METRIC_RECIPIENTS] = { M, "Recipients" },
	[METRIC_NOT_OURS] = { M | P,
		"Messages or requests of clients that are none of ours" },
	[METRIC_ALREADY_DONE] = { M,
		"Messages passed since we signed them before" },
	[METRIC_PASSED] = { M, "Messages of ours left as they came" },
	[METRIC_SIGNED] = { M, "Messages that left with a signature" },
	[METRIC_REJECTED] = { M, "Messages refused with a reply of ours" },
	[METRIC_DISCARDED] = { M, "Messages discarded" },
	[METRIC_TEMPFAILED] = { M,
		"Messages put off since something of ours failed" },
	[METRIC_SPILLED] = { M, "Bodies that went to a file" },
	[METRIC_NO_MEMORY] = { M,
		"Messages put off since max-memory was reached" },
	[METRIC_REMOVED_RECIPIENTS] = { M, "Suppressed recipients taken away" },
	[METRIC_OVER_LIMIT] = { M | P,
		"Messages or requests put off or refused by a limit" },
	[METRIC_POLICY_DOWN] = { M,
		"Messages accepted though policyd or its store was down" },
	[METRIC_RETURN_PATHS] = { M, "Envelope senders replaced" },
	[METRIC_UNSUBSCRIBES] = { M, "List-Unsubscribe fields made" },
	[METRIC_UNSUBSCRIBES_KEPT] = { M,
		"List-Unsubscribe fields of applications kept" },
	[METRIC_PLACEHOLDERS] = { M, "Unsubscribe places filled in" },
	[METRIC_LINKS] = { M, "Links rewritten" },
	[METRIC_LINKS_LEFT] = { M, "Links left as they were" },
	[METRIC_PIXELS] = { M, "Open pixels put in" },
	[METRIC_ENCODED] = { M, "Parts made fit for any hop" },
	[METRIC_HAZARDS] = { M, "Signed messages that a later hop may break" },
	[METRIC_MALFORMED] = { M, "Messages signed without being changed" },
	[METRIC_SIGNATURES] = { M, "Signatures made" },
	[METRIC_SIGNATURES_REMOVED] = { M,
		"Signatures of others removed, broken by us" },
	[METRIC_REQUESTS] = { P, "Policy requests answered" },
	[METRIC_BATCHES] = { P, "Batches in which requests were decided" },
	[METRIC_REQUESTS_BROKEN] = { P, "Policy requests that got no answer" },
	[METRIC_DEFERRED] = { P, "Policy requests put off" },
	[METRIC_REFUSED] = { P, "Policy requests refused" },
	[METRIC_SUPPRESSED] = { P, "Recipients named as suppressed" },
	[METRIC_PAUSED] = { P, "Refusals of what is paused" },
	[METRIC_MAY_NOT_SEND] = { P,
		"Refusals of who may not send as a domain" },
	[METRIC_CHARGED] = { P, "Messages that limits were charged for" },
	[METRIC_CHARGED_BEFORE] = { P,
		"Messages that limits had been charged for before" },
	[METRIC_STORE_UNKNOWN] = { P,
		"Questions that the store did not answer" },
	[METRIC_OPENED] = { P,
		"Requests accepted without the answer of the store" },
	[METRIC_SAVES_FAILED] = { P, "Failures to save limits" },
	[METRIC_PURGED_SLICES] = { P,
		"Transactions that took expired entries away" },
	[METRIC_HTTP_REQUESTS] = { T, "HTTP requests answered" },
	[METRIC_HTTP_CONNECTIONS] = { T, "HTTP connections now" },
	[METRIC_CLICKS] = { T, "Links followed" },
	[METRIC_OPENS] = { T, "Open pixels fetched" },
	[METRIC_UNSUBSCRIBED] = { T,
		"Unsubscriptions made durable, spooled ones included" },
	[METRIC_UNDONE] = { T, "Unsubscriptions taken back" },
	[METRIC_ROBOTS] = { T, "Clicks and opens that were no human's" },
	[METRIC_CORRECTED] = { T, "Clicks judged again as part of a burst" },
	[METRIC_TOKENS_REFUSED] = { T, "Requests answered 404" },
	[METRIC_HTTP_REFUSED] = { T, "Requests answered with another 4xx" },
	[METRIC_SPOOLED] = { T,
		"Unsubscriptions spooled since the store was down" },
	[METRIC_SPOOL_WAITING] = { T,
		"Unsubscriptions in the spool, not in the store yet" },
	[METRIC_UNSUBSCRIBES_FAILED] = { T,
		"Unsubscriptions that neither store nor spool took" },
	[METRIC_EVENTS] = { M | P | T,
		"Events handed to the writer of the store" },
	[METRIC_EVENTS_LOST] = { M | P | T,
		"Events lost for want of room or of a store" },
	[METRIC_RELOADS] = { M | P | T, "Settings loaded anew" },
	[METRIC_RELOADS_FAILED] = { M | P | T,
		"Settings kept as they were because of errors" },
};

static const struct {
	const char *name;
	unsigned bit;
} programs[] = {
	{ "bulkhead-milter", M },
	{ "bulkhead-policyd", P },
	{ "bulkhead-trackd", T },
};

const char *
metric_help(enum metric which)
{
	const char *help = rows[which].help;

	return help != NULL ? help : metric_name(which);
}

bool
metric_is_of(enum metric which, const char *program)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (strcmp(programs[i].name, program) == 0)
			return (rows[which].programs & programs[i].bit) != 0;
	return true;
}
