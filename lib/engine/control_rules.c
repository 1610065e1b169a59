/*
 * control_rules.c - which fields are control fields and what they say: a
 * table, explained in docs/CONTROL-HEADERS.md.  How values are read is in
 * control_shape.c.
 */
#include "engine/control_rule.h"

#include "bulkhead/names.h"

/* The three columns of a word: what is written, clicks, opens. */
#define ON    CONTROL_ON
#define OFF   CONTROL_OFF
#define UNSET CONTROL_UNSET

const struct control_word control_yes_no[] = {
	{ "yes", ON, ON },
	{ "true", ON, ON },
	{ "on", ON, ON },
	{ "y", ON, ON },
	{ "1", ON, ON },
	{ "htmlonly", ON, ON }, /* Mailgun; HTML is all that we rewrite */
	{ "no", OFF, OFF },
	{ "false", OFF, OFF },
	{ "off", OFF, OFF },
	{ "n", OFF, OFF },
	{ "0", OFF, OFF },
	{ NULL, UNSET, UNSET },
};

static const struct control_word bulkhead_track[] = {
	{ "clicks", ON, UNSET },
	{ "opens", UNSET, ON },
	{ "none", UNSET, UNSET },
	{ NULL, UNSET, UNSET },
};

static const struct control_word mandrill_track[] = {
	{ "opens", UNSET, ON },
	{ "clicks", ON, UNSET },
	{ "clicks_all", ON, UNSET },
	{ "clicks_htmlonly", ON, UNSET },
	{ "clicks_textonly", UNSET, UNSET }, /* we leave text/plain alone */
	{ "none", UNSET, UNSET },
	{ NULL, UNSET, UNSET },
};

static const struct control_word postmark_links[] = {
	{ "HtmlAndText", ON, UNSET },
	{ "HtmlOnly", ON, UNSET },
	{ "TextOnly", OFF, UNSET },
	{ "None", OFF, UNSET },
	{ NULL, UNSET, UNSET },
};

/* Mailjet's send API counts otherwise than its SMTP fields: 1 is off. */
static const struct control_word mailjet_api[] = {
	{ "0", UNSET, UNSET },
	{ "1", OFF, OFF },
	{ "2", ON, ON },
	{ NULL, UNSET, UNSET },
};

static const struct control_member sendgrid_members[] = {
	{ "category", CONTROL_CAMPAIGN, 0, false },
	{ "asm_group_id", CONTROL_LIST, 0, false },
	{ "filters/clicktrack/settings/enable", 0, CONTROL_CLICKS, false },
	{ "filters/opentrack/settings/enable", 0, CONTROL_OPENS, false },
	{ "unique_args", 0, 0, true },
	{ NULL, 0, 0, false },
};

static const struct control_member sparkpost_members[] = {
	{ "campaign_id", CONTROL_CAMPAIGN, 0, false },
	{ "tags", CONTROL_CAMPAIGN, 0, false },
	{ "options/click_tracking", 0, CONTROL_CLICKS, false },
	{ "options/open_tracking", 0, CONTROL_OPENS, false },
	{ "metadata", 0, 0, true },
	{ NULL, 0, 0, false },
};

static const struct control_member all_members[] = {
	{ "", 0, 0, true },
	{ NULL, 0, 0, false },
};

/* What stands behind a field's name, by shape. */
#define TEXT(where) .read = control_read_text, .slot = (where)
#define FIRST(where, sep)                                                      \
	.read = control_read_first, .slot = (where), .between = (sep)
#define SWITCH(what, table)                                                    \
	.read = control_read_switch, .track = (what), .words = (table)
#define SWITCHES(table)                                                        \
	.read = control_read_switches, .words = (table), .between = ',',       \
	.track = CONTROL_CLICKS | CONTROL_OPENS
#define PAIRS(sep) .read = control_read_pairs, .between = (sep), .equals = '='
#define VALUE(name) .read = control_read_value, .key = (name)
#define JSON(table) .read = control_read_json, .members = (table)
#define OURS	    .rank = CONTROL_OURS
#define PREFIX	    .is_prefix = true
#define TRACE	    .is_trace = true

/*
 * The first rule that fits a name counts: names and traces stand before the
 * prefix that covers them.  A prefix is here only where the service documents
 * its fields under it or strips all of it; X-PM- is Proton's too, X-MC- and
 * X-SES- also mark what a receiver saw, hence names and traces there.
 */
static const struct control_rule rules[] = {
	/* ours */
	{ NAME_STREAM, OURS, TEXT(CONTROL_STREAM) },
	{ NAME_CAMPAIGN, OURS, TEXT(CONTROL_CAMPAIGN) },
	{ NAME_LIST, OURS, TEXT(CONTROL_LIST) },
	{ NAME_TRACK, OURS, SWITCHES(bulkhead_track) },
	{ NAME_METADATA, OURS, PAIRS(';') },
	{ "X-Bulkhead-", PREFIX, OURS, .read = control_read_unknown },

	/* SendGrid */
	{ "X-SMTPAPI", JSON(sendgrid_members) },

	/* Mandrill; X-MC- is also what Mailchimp and Mimecast leave behind */
	{ "X-MC-Track", SWITCHES(mandrill_track) },
	{ "X-MC-Tags", FIRST(CONTROL_CAMPAIGN, ',') },
	{ "X-MC-Subaccount", TEXT(CONTROL_STREAM) },
	{ "X-MC-Metadata", JSON(all_members), .unless = "_rcpt" },
	{ "X-MC-Unique", TRACE },
	{ "X-MC-System", TRACE },
	{ "X-MC-User", TRACE },
	{ "X-MC-", PREFIX },

	/* Amazon SES */
	{ "X-SES-CONFIGURATION-SET", TEXT(CONTROL_STREAM) },
	{ "X-SES-MESSAGE-TAGS", PAIRS(',') },
	{ "X-SES-LIST-MANAGEMENT-OPTIONS", .read = control_read_topic,
	    .slot = CONTROL_LIST },
	{ "X-SES-Outgoing", TRACE },
	{ "X-SES-Receipt", TRACE },
	{ "X-SES-DKIM-SIGNATURE", TRACE },
	{ "X-SES-Spam-Verdict", TRACE },
	{ "X-SES-Virus-Verdict", TRACE },
	{ "X-SES-", PREFIX },

	/* Mailgun */
	{ "X-Mailgun-Track-Clicks", SWITCH(CONTROL_CLICKS, control_yes_no) },
	{ "X-Mailgun-Track-Opens", SWITCH(CONTROL_OPENS, control_yes_no) },
	{ "X-Mailgun-Track", .rank = CONTROL_GENERAL,
	    SWITCH(CONTROL_CLICKS | CONTROL_OPENS, control_yes_no) },
	{ "X-Mailgun-Tag", TEXT(CONTROL_CAMPAIGN) },
	{ "X-Mailgun-Campaign-Id", TEXT(CONTROL_CAMPAIGN) },
	{ "X-Mailgun-Variables", JSON(all_members) },
	{ "X-Mailgun-Sid", TRACE },
	{ "X-Mailgun-Batch-Id", TRACE },
	{ "X-Mailgun-Incoming", TRACE },
	{ "X-Mailgun-Dkim-Check-Result", TRACE },
	{ "X-Mailgun-Spf", TRACE },
	{ "X-Mailgun-Sflag", TRACE },
	{ "X-Mailgun-Sscore", TRACE },
	{ "X-Mailgun-", PREFIX },

	/* SparkPost, Momentum */
	{ "X-MSYS-API", JSON(sparkpost_members) },
	{ "X-MSYS-", PREFIX },

	/* Postmark */
	{ "X-PM-Message-Stream", TEXT(CONTROL_STREAM) },
	{ "X-PM-Tag", TEXT(CONTROL_CAMPAIGN) },
	{ "X-PM-TrackLinks", SWITCH(CONTROL_CLICKS, postmark_links) },
	{ "X-PM-TrackOpens", SWITCH(CONTROL_OPENS, control_yes_no) },
	{ "X-PM-Metadata-", PREFIX, VALUE(NULL) },
	{ "X-PM-KeepID", .read = NULL },

	/* Mailjet: fields for SMTP, and its API's names */
	{ "X-Mailjet-Campaign", TEXT(CONTROL_CAMPAIGN) },
	{ "X-Mailjet-TrackClick", SWITCH(CONTROL_CLICKS, control_yes_no) },
	{ "X-Mailjet-TrackOpen", SWITCH(CONTROL_OPENS, control_yes_no) },
	{ "X-Mailjet-", PREFIX },
	{ "X-MJ-CustomID", VALUE("CustomID") },
	{ "X-MJ-EventPayload", VALUE("EventPayload") },
	{ "X-MJ-Mid", TRACE },
	{ "X-MJ-SMTPGUID", TRACE },
	{ "X-MJ-", PREFIX },
	{ "Mj-campaign", TEXT(CONTROL_CAMPAIGN) },
	{ "Mj-trackclick", SWITCH(CONTROL_CLICKS, mailjet_api) },
	{ "Mj-trackopen", SWITCH(CONTROL_OPENS, mailjet_api) },
	{ "Mj-CustomID", VALUE("CustomID") },
	{ "Mj-EventPayload", VALUE("EventPayload") },
	{ "Mj-", PREFIX },

	/* Brevo; what else begins with X-Mailin- are its campaigns' traces */
	{ "X-Mailin-Tag", TEXT(CONTROL_CAMPAIGN) },
	{ "X-Mailin-custom", VALUE("custom") },
	{ "X-Mailin-IP", .read = NULL },
	{ "X-Mailin-Template", .read = NULL },

	/* SMTPeter */
	{ "X-SMTPeter-TrackClicks", SWITCH(CONTROL_CLICKS, control_yes_no) },
	{ "X-SMTPeter-TrackOpens", SWITCH(CONTROL_OPENS, control_yes_no) },
	{ "X-SMTPeter-Tags", FIRST(CONTROL_CAMPAIGN, ',') },
	{ "X-SMTPeter-", PREFIX },

	/* simplemailservice.eu */
	{ "seseu-track-clicks", SWITCH(CONTROL_CLICKS, control_yes_no) },
	{ "seseu-", PREFIX },

	/* GreenArrow */
	{ "X-GreenArrow-MailClass", TEXT(CONTROL_STREAM) },
	{ "X-GreenArrow-InstanceID", TEXT(CONTROL_CAMPAIGN) },
	{ "X-GreenArrow-SendID", TEXT(CONTROL_CAMPAIGN) },
	{ "X-GreenArrow-ListID", TEXT(CONTROL_LIST) },
	{ "X-GreenArrow-", PREFIX },

	/* Postal; X-Postal-MsgID and X-Postal-Spam* are traces */
	{ "X-Postal-Tag", TEXT(CONTROL_CAMPAIGN) },

	/* PowerMTA; X-DKIM-Key holds a private key */
	{ "X-Job", TEXT(CONTROL_CAMPAIGN) },
	{ "X-Virtual-MTA", .read = NULL },
	{ "X-Envid", .read = NULL },
	{ "X-DKIM-Options", .read = NULL },
	{ "X-DKIM-Key", .read = NULL },

	/* ZoneMTA */
	{ "X-Sending-Zone", .read = NULL },
	{ "X-FBL", .read = NULL },
};

/* Most rules part from a name at its fourth letter: no lengths are taken. */
static bool
fits(const struct control_rule *rule, struct str name)
{
	size_t i;

	for (i = 0; rule->name[i] != '\0'; i++)
		if (i == name.n || str_lower(rule->name[i]) !=
		    str_lower(name.p[i]))
			return false;
	return rule->is_prefix || i == name.n;
}

const struct control_rule *
control_rule_find(struct str name)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (fits(&rules[i], name))
			return &rules[i];
	return NULL;
}
