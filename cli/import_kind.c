/*
 * import_kind.c - which services call which field what, and what their lists
 * mean.  A table and its matching; data only, no rows.
 */
#include "cli/import.h"

#include <string.h>

#define NAME_MAX_LENGTH 48

/*
 * The first that fits counts, so the particular ones stand before the
 * general.  Names are normalized: letters and digits, lower case.
 */
static const struct import_kind kinds[] = {
	{ "bulkhead", NULL, NULL, NULL, "address scope reason created source",
	    NULL, false,
	    { { "address", ROLE_ADDRESS }, { "scope", ROLE_SCOPE },
		{ "reason", ROLE_REASON }, { "created", ROLE_CREATED },
		{ "expires", ROLE_EXPIRES }, { "source", ROLE_SOURCE },
		{ "evidence", ROLE_EVIDENCE }, { "change", ROLE_CHANGE } },
	    SUPPRESS_IMPORT, false, false, NULL },
	/* list-suppressed-destinations, and the same as CSV */
	{ "ses", NULL, NULL, NULL, "emailaddress reason lastupdatetime", NULL,
	    false,
	    { { "emailaddress", ROLE_ADDRESS }, { "reason", ROLE_REASON },
		{ "lastupdatetime", ROLE_CREATED } },
	    SUPPRESS_HARD_BOUNCE, false, false, NULL },
	/* the file of CreateImportJob */
	{ "ses", "job", NULL, NULL, "emailaddress reason", NULL, true,
	    { { "emailaddress", ROLE_ADDRESS }, { "reason", ROLE_REASON } },
	    SUPPRESS_HARD_BOUNCE, false, false, NULL },
	{ "postmark", NULL, NULL, NULL, "emailaddress suppressionreason", NULL,
	    false,
	    { { "emailaddress", ROLE_ADDRESS },
		{ "suppressionreason", ROLE_REASON },
		{ "origin", ROLE_ORIGIN }, { "createdat", ROLE_CREATED } },
	    SUPPRESS_IMPORT, false, false, NULL },
	{ "postmark", "bounces", NULL, NULL, "email type bouncedat", NULL,
	    false,
	    { { "email", ROLE_ADDRESS }, { "type", ROLE_REASON },
		{ "bouncedat", ROLE_CREATED }, { "inactive", ROLE_CHANGE },
		{ "details", ROLE_EVIDENCE },
		{ "description", ROLE_EVIDENCE } },
	    SUPPRESS_SOFT_BOUNCES, false, false, NULL },
	{ "sparkpost", NULL, NULL, NULL, "recipient source", NULL, false,
	    { { "recipient", ROLE_ADDRESS }, { "source", ROLE_REASON },
		{ "description", ROLE_EVIDENCE }, { "created", ROLE_CREATED },
		{ "updated", ROLE_CREATED } },
	    SUPPRESS_IMPORT, false, false, NULL },
	{ "sparkpost", NULL, NULL, NULL, "recipient type", "address email",
	    false,
	    { { "recipient", ROLE_ADDRESS }, { "description", ROLE_EVIDENCE },
		{ "created", ROLE_CREATED }, { "updated", ROLE_CREATED } },
	    SUPPRESS_IMPORT, true, false, NULL },
	{ "sparkpost", NULL, NULL, NULL, "recipient nontransactional", NULL,
	    false,
	    { { "recipient", ROLE_ADDRESS }, { "description", ROLE_EVIDENCE } },
	    SUPPRESS_IMPORT, true, false, NULL },
	{ "mailchimp", "cleaned", NULL, NULL, "emailaddress cleantime", NULL,
	    false,
	    { { "emailaddress", ROLE_ADDRESS }, { "cleantime", ROLE_CREATED },
		{ "cleancampaigntitle", ROLE_EVIDENCE } },
	    SUPPRESS_HARD_BOUNCE, true, false, NULL },
	{ "mailchimp", "unsubscribed", NULL, NULL, "emailaddress unsubtime",
	    NULL, false,
	    { { "emailaddress", ROLE_ADDRESS }, { "unsubtime", ROLE_CREATED },
		{ "unsubreason", ROLE_EVIDENCE } },
	    SUPPRESS_UNSUBSCRIBE, true, false, NULL },
	{ "mailchimp", "cleaned", NULL, "cleaned", "emailaddress leid", NULL,
	    false,
	    { { "emailaddress", ROLE_ADDRESS },
		{ "lastchanged", ROLE_CREATED } },
	    SUPPRESS_HARD_BOUNCE, true, false, NULL },
	{ "mailchimp", "unsubscribed", NULL, "unsubscribed",
	    "emailaddress leid", NULL, false,
	    { { "emailaddress", ROLE_ADDRESS },
		{ "lastchanged", ROLE_CREATED } },
	    SUPPRESS_UNSUBSCRIBE, true, false, NULL },
	/* GET /3.0/lists/ID/members, of whatever status */
	{ "mailchimp", "members", NULL, NULL, "emailaddress status lastchanged",
	    NULL, false,
	    { { "emailaddress", ROLE_ADDRESS }, { "status", ROLE_STATE },
		{ "lastchanged", ROLE_CREATED },
		{ "unsubscribereason", ROLE_EVIDENCE } },
	    SUPPRESS_IMPORT, false, false, NULL },
	/* Who suppresses these suppresses his customers. */
	{ "mailchimp", "subscribed", NULL, NULL, "emailaddress optintime",
	    "cleantime unsubtime", false,
	    { { "emailaddress", ROLE_ADDRESS } }, SUPPRESS_IMPORT, true, false,
	    "these are mailchimp's subscribed members, who want mail" },
	{ "mailchimp", "subscribed", NULL, NULL, "emailaddress leid",
	    "cleantime unsubtime", false,
	    { { "emailaddress", ROLE_ADDRESS } }, SUPPRESS_IMPORT, true, false,
	    "these are mailchimp's subscribed members, who want mail" },
	{ "postal", NULL, NULL, NULL, "address reason keepuntil", NULL, false,
	    { { "address", ROLE_ADDRESS }, { "reason", ROLE_REASON },
		{ "timestamp", ROLE_CREATED }, { "keepuntil", ROLE_EXPIRES } },
	    SUPPRESS_MANUAL, false, false, NULL },
	{ "mandrill", NULL, NULL, NULL, "email reason detail createdat", NULL,
	    false,
	    { { "email", ROLE_ADDRESS }, { "reason", ROLE_REASON },
		{ "detail", ROLE_EVIDENCE }, { "createdat", ROLE_CREATED },
		{ "expiresat", ROLE_EXPIRES } },
	    SUPPRESS_IMPORT, false, false, NULL },
	{ "mailgun", "allowlist", NULL, NULL, "type value reason", "address",
	    false, { { "value", ROLE_ADDRESS } }, SUPPRESS_IMPORT, true, false,
	    "this is mailgun's allowlist: addresses never to be suppressed" },
	{ "mailgun", "bounces", NULL, NULL, "address code error", NULL, false,
	    { { "address", ROLE_ADDRESS }, { "code", ROLE_STATUS },
		{ "error", ROLE_EVIDENCE }, { "createdat", ROLE_CREATED } },
	    SUPPRESS_HARD_BOUNCE, false, false, NULL },
	{ "mailgun", "unsubscribes", NULL, NULL, "address tags", NULL, false,
	    { { "address", ROLE_ADDRESS }, { "createdat", ROLE_CREATED },
		{ "tags", ROLE_EVIDENCE } },
	    SUPPRESS_UNSUBSCRIBE, true, false, NULL },
	{ "mailgun", "unsubscribes", NULL, NULL, "address tag", NULL, false,
	    { { "address", ROLE_ADDRESS }, { "createdat", ROLE_CREATED },
		{ "tag", ROLE_EVIDENCE } },
	    SUPPRESS_UNSUBSCRIBE, true, false, NULL },
	{ "mailgun", "unsubscribes", NULL, "unsubscribe", "address createdat",
	    NULL, true,
	    { { "address", ROLE_ADDRESS }, { "createdat", ROLE_CREATED } },
	    SUPPRESS_UNSUBSCRIBE, true, false, NULL },
	{ "mailgun", "bounces", NULL, "bounce", "address createdat", NULL,
	    true,
	    { { "address", ROLE_ADDRESS }, { "createdat", ROLE_CREATED } },
	    SUPPRESS_HARD_BOUNCE, true, false, NULL },
	{ "mailgun", "complaints", "items", NULL, "address createdat",
	    "email reason", false,
	    { { "address", ROLE_ADDRESS }, { "createdat", ROLE_CREATED } },
	    SUPPRESS_COMPLAINT, true, false, NULL },
	{ "mailgun", "complaints", NULL, NULL, "address count createdat", NULL,
	    true,
	    { { "address", ROLE_ADDRESS }, { "createdat", ROLE_CREATED } },
	    SUPPRESS_COMPLAINT, true, false, NULL },
	{ "mailgun", "complaints", NULL, NULL, "address createdat", NULL, true,
	    { { "address", ROLE_ADDRESS }, { "createdat", ROLE_CREATED } },
	    SUPPRESS_COMPLAINT, true, false, NULL },
	{ "sendgrid", "blocks", NULL, "block", "status reason email created",
	    NULL, false,
	    { { "email", ROLE_ADDRESS }, { "reason", ROLE_EVIDENCE },
		{ "created", ROLE_CREATED } },
	    SUPPRESS_SOFT_BOUNCES, true, false, NULL },
	{ "sendgrid", "bounces", NULL, "bounce", "status reason email created",
	    NULL, false,
	    { { "email", ROLE_ADDRESS }, { "status", ROLE_STATUS },
		{ "reason", ROLE_EVIDENCE }, { "created", ROLE_CREATED } },
	    SUPPRESS_HARD_BOUNCE, false, false, NULL },
	/* They look alike: each row's status tells. */
	{ "sendgrid", "bounces or blocks", NULL, NULL,
	    "status reason email created", NULL, false,
	    { { "email", ROLE_ADDRESS }, { "status", ROLE_STATUS },
		{ "reason", ROLE_EVIDENCE }, { "created", ROLE_CREATED } },
	    SUPPRESS_HARD_BOUNCE, false, true, NULL },
	{ "sendgrid", "spam-reports", NULL, NULL, "ip email created",
	    "status reason", false,
	    { { "email", ROLE_ADDRESS }, { "created", ROLE_CREATED } },
	    SUPPRESS_COMPLAINT, true, false, NULL },
	/* Others have these names, too: a word in "reason" counts. */
	{ "sendgrid", "invalid-emails", NULL, NULL, "reason email created",
	    "status", true,
	    { { "email", ROLE_ADDRESS }, { "reason", ROLE_REASON },
		{ "created", ROLE_CREATED } },
	    SUPPRESS_HARD_BOUNCE, false, false, NULL },
	{ "sendgrid", "group-unsubscribes", NULL, NULL, "email groupid", NULL,
	    false,
	    { { "email", ROLE_ADDRESS }, { "createdat", ROLE_CREATED },
		{ "created", ROLE_CREATED }, { "groupname", ROLE_EVIDENCE } },
	    SUPPRESS_UNSUBSCRIBE, true, false, NULL },
	{ "sendgrid", "group-unsubscribes", NULL, "unsubscribe",
	    "email createdat", NULL, true,
	    { { "email", ROLE_ADDRESS }, { "createdat", ROLE_CREATED } },
	    SUPPRESS_UNSUBSCRIBE, true, false, NULL },
	{ "sendgrid", "spam-reports", NULL, "spam", "email created", NULL,
	    true,
	    { { "email", ROLE_ADDRESS }, { "created", ROLE_CREATED } },
	    SUPPRESS_COMPLAINT, true, false, NULL },
	{ "sendgrid", "global-unsubscribes", NULL, NULL, "email created", NULL,
	    true,
	    { { "email", ROLE_ADDRESS }, { "created", ROLE_CREATED } },
	    SUPPRESS_UNSUBSCRIBE, true, false, NULL },
	/* GET /v3/asm/groups/ID/suppressions: a list of bare strings */
	{ "sendgrid", "group-unsubscribes", NULL, NULL, "-", NULL, true,
	    { { "", ROLE_ADDRESS } }, SUPPRESS_UNSUBSCRIBE, true, false,
	    NULL },
};

#define NKINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Names of many lists, the surest first. */
static const struct {
	const char *name;
	enum import_role role;
} guesses[] = {
	{ "emailaddress", ROLE_ADDRESS }, { "email", ROLE_ADDRESS },
	{ "address", ROLE_ADDRESS }, { "recipient", ROLE_ADDRESS },
	{ "recipientaddress", ROLE_ADDRESS }, { "recipientemail", ROLE_ADDRESS },
	{ "mail", ROLE_ADDRESS }, { "mailaddress", ROLE_ADDRESS },
	{ "useremail", ROLE_ADDRESS }, { "contactemail", ROLE_ADDRESS },
	{ "subscriberemail", ROLE_ADDRESS }, { "subscriber", ROLE_ADDRESS },
	{ "emailid", ROLE_ADDRESS }, { "rcpt", ROLE_ADDRESS },
	{ "rcptto", ROLE_ADDRESS }, { "to", ROLE_ADDRESS },
	{ "reason", ROLE_REASON }, { "suppressionreason", ROLE_REASON },
	{ "suppressiontype", ROLE_REASON }, { "bouncetype", ROLE_REASON },
	{ "type", ROLE_REASON }, { "category", ROLE_REASON },
	{ "event", ROLE_REASON }, { "cause", ROLE_REASON },
	{ "statuscode", ROLE_STATUS }, { "smtpcode", ROLE_STATUS },
	{ "status", ROLE_STATUS }, { "code", ROLE_STATUS },
	{ "evidence", ROLE_EVIDENCE }, { "diagnosticcode", ROLE_EVIDENCE },
	{ "diagnostic", ROLE_EVIDENCE }, { "error", ROLE_EVIDENCE },
	{ "detail", ROLE_EVIDENCE }, { "details", ROLE_EVIDENCE },
	{ "description", ROLE_EVIDENCE }, { "message", ROLE_EVIDENCE },
	{ "note", ROLE_EVIDENCE }, { "notes", ROLE_EVIDENCE },
	{ "comment", ROLE_EVIDENCE }, { "created", ROLE_CREATED },
	{ "createdat", ROLE_CREATED }, { "createdon", ROLE_CREATED },
	{ "creationdate", ROLE_CREATED }, { "dateadded", ROLE_CREATED },
	{ "addedat", ROLE_CREATED }, { "addedon", ROLE_CREATED },
	{ "suppressedat", ROLE_CREATED }, { "unsubscribedat", ROLE_CREATED },
	{ "bouncedat", ROLE_CREATED }, { "date", ROLE_CREATED },
	{ "timestamp", ROLE_CREATED }, { "time", ROLE_CREATED },
	{ "datetime", ROLE_CREATED }, { "lastupdatetime", ROLE_CREATED },
	{ "updatedat", ROLE_CREATED }, { "updated", ROLE_CREATED },
	{ "expires", ROLE_EXPIRES }, { "expiresat", ROLE_EXPIRES },
	{ "expiry", ROLE_EXPIRES }, { "expirationdate", ROLE_EXPIRES },
	{ "keepuntil", ROLE_EXPIRES },
};

void
import_name_normal(char *out, size_t size, struct str name)
{
	size_t n = 0;

	for (size_t i = 0; i < name.n && n + 1 < size; i++)
		if (str_is_alpha(name.p[i]) || str_is_digit(name.p[i]))
			out[n++] = str_lower(name.p[i]);
	out[n] = '\0';
}

static bool
is_name(const char *want, struct str name)
{
	char normal[NAME_MAX_LENGTH];

	import_name_normal(normal, sizeof(normal), name);
	return strcmp(want, normal) == 0;
}

/* How many of the words in `list`, apart by blanks, are among the names. */
static size_t
count_words(const char *list, const struct str *names, size_t n, size_t *nwords)
{
	struct str rest = str_from(list);
	size_t found = 0;

	*nwords = 0;
	while (rest.n > 0) {
		size_t end = str_chr(rest, ' ', 0), i = 0;
		char word[NAME_MAX_LENGTH];

		import_name_normal(word, sizeof(word), str_sub(rest, 0, end));
		while (i < n && !is_name(word, names[i]))
			i++;
		found += i < n;
		++*nwords;
		rest = str_sub(rest, end + 1, rest.n);
	}
	return found;
}

/* Does "sendgrid" or "sendgrid-bounces" mean this kind? */
static bool
is_from(const struct import_kind *k, struct str from, bool *is_hinted)
{
	struct str service = str_from(k->service);
	char kind[NAME_MAX_LENGTH], all[NAME_MAX_LENGTH];

	*is_hinted = false;
	if (from.n == 0 || str_ieq(from, service))
		return true;
	if (k->kind == NULL || !str_istarts(from, service) ||
	    from.p[service.n] != '-')
		return false;
	import_name_normal(kind, sizeof(kind),
	    str_sub(from, service.n + 1, from.n));
	import_name_normal(all, sizeof(all), str_from(k->kind));
	/* A word of --from stands for what the file's name would say. */
	*is_hinted = strcmp(kind, all) == 0;
	return *is_hinted;
}

static bool
fits(const struct import_kind *k, const struct str *names, size_t n,
    struct str container, struct str file, struct str from)
{
	size_t nneed, nlack;
	bool is_hinted;

	if (!is_from(k, from, &is_hinted))
		return false;
	if (k->container != NULL && !str_eq(container, str_from(k->container)))
		return false;
	if (k->hint != NULL && !is_hinted &&
	    str_ifind(file, str_from(k->hint), 0) == file.n)
		return false;
	if (count_words(k->need, names, n, &nneed) < nneed)
		return false;
	if (k->is_exact && n != nneed)
		return false;
	return k->lack == NULL || count_words(k->lack, names, n, &nlack) == 0;
}

const struct import_kind *
import_kind_find(const struct str *names, size_t n, struct str container,
    struct str file, struct str from)
{
	for (size_t i = 0; i < NKINDS; i++)
		if (fits(&kinds[i], names, n, container, file, from))
			return &kinds[i];
	return NULL;
}

bool
import_kind_is_known(struct str from)
{
	bool is_hinted;

	for (size_t i = 0; i < NKINDS; i++)
		if (kinds[i].refusal == NULL &&
		    is_from(&kinds[i], from, &is_hinted))
			return from.n > 0;
	return false;
}

void
import_kind_list(struct buf *out)
{
	for (size_t i = 0; i < NKINDS; i++) {
		size_t seen = 0;

		while (strcmp(kinds[seen].service, kinds[i].service) != 0)
			seen++;
		if (seen == i)
			buf_printf(out, "%s ", kinds[i].service);
	}
}

static bool
is_taken(const enum import_role *roles, size_t n, enum import_role role)
{
	for (size_t i = 0; i < n; i++)
		if (roles[i] == role)
			return true;
	return false;
}

static void
give_role(const char *name, enum import_role role, const struct str *names,
    size_t n, enum import_role *roles)
{
	if (is_taken(roles, n, role))
		return;
	for (size_t i = 0; i < n; i++)
		if (roles[i] == ROLE_NONE && is_name(name, names[i])) {
			roles[i] = role;
			return;
		}
}

void
import_kind_roles(const struct import_kind *k, const struct str *names,
    size_t n, enum import_role *roles)
{
	for (size_t i = 0; i < n; i++)
		roles[i] = ROLE_NONE;
	for (size_t i = 0; i < sizeof(k->roles) / sizeof(k->roles[0]) &&
	     k->roles[i].name != NULL; i++)
		give_role(k->roles[i].name, k->roles[i].role, names, n, roles);
}

bool
import_kind_guess(const struct str *names, size_t n, enum import_role *roles)
{
	for (size_t i = 0; i < n; i++)
		roles[i] = ROLE_NONE;
	for (size_t i = 0; i < sizeof(guesses) / sizeof(guesses[0]); i++)
		give_role(guesses[i].name, guesses[i].role, names, n, roles);
	return is_taken(roles, n, ROLE_ADDRESS);
}

static enum import_role
guess_value(struct str value)
{
	enum suppress_reason reason;
	int64_t date;

	if (str_chr(value, '@', 0) < value.n &&
	    str_chr(str_trim(value), ' ', 0) == str_trim(value).n)
		return ROLE_ADDRESS;
	if (import_reason_parse(value, &reason) == 0)
		return ROLE_REASON;
	return import_date_parse(value, &date) == 0 ? ROLE_CREATED : ROLE_NONE;
}

bool
import_kind_guess_values(const struct str *values, size_t n,
    enum import_role *roles)
{
	for (size_t i = 0; i < n; i++) {
		enum import_role role = guess_value(values[i]);

		roles[i] = is_taken(roles, i, role) ? ROLE_NONE : role;
	}
	return is_taken(roles, n, ROLE_ADDRESS);
}
