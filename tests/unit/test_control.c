/*
 * test_control.c - lib/engine/control: what the control fields of each service
 * say, which fields are control fields, and values that mean harm.
 */
#include "unit.h"

#include <stdio.h>

#include "engine/control.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

/* A message's header block, and what is read of it as say() writes it. */
struct reading {
	const char *name, *header, *want;
};

static void
say_text(struct buf *b, const char *name, struct str s)
{
	if (s.n > 0)
		buf_printf(b, "%s=%.*s ", name, STR_ARG(s));
}

static void
say_switch(struct buf *b, const char *name, enum control_switch s)
{
	if (s != CONTROL_UNSET)
		buf_printf(b, "%s=%s ", name, s == CONTROL_ON ? "on" : "off");
}

/* All that was read, the problems behind a bar. */
static void
say(struct buf *b, const struct control *c, struct str problems)
{
	say_text(b, "stream", c->stream);
	say_text(b, "campaign", c->campaign);
	say_text(b, "list", c->list);
	say_switch(b, "clicks", c->clicks);
	say_switch(b, "opens", c->opens);
	for (size_t i = 0; i < c->nmetadata; i++) {
		buf_str(b, c->metadata[i].key);
		buf_puts(b, ":");
		buf_str(b, c->metadata[i].value);
		buf_puts(b, " ");
	}
	buf_puts(b, "| ");
	buf_str(b, problems);
}

static void
read_block(struct arena *a, struct str block, struct headers *h,
    struct control *c, struct buf *problems)
{
	size_t body;

	headers_init(h, a);
	headers_parse(h, exact(a, block), &body);
	for (size_t i = 0; i < h->n; i++)
		h->v[i].value = exact(a, h->v[i].value);
	control_read(c, a, h, problems);
}

static void
check(const struct reading *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct arena *a = arena_new();
		struct buf problems, said;
		struct headers h;
		struct control c;

		buf_init(&problems, 100000);
		buf_init(&said, 100000);
		read_block(a, str_from(cases[i].header), &h, &c, &problems);
		say(&said, &c, buf_view(&problems));
		expect_str(cases[i].name, buf_view(&said),
		    str_from(cases[i].want));
		buf_free(&problems);
		buf_free(&said);
		arena_free(&a);
	}
}

static void
test_our_own(void **state)
{
	static const struct reading cases[] = {
		{ "nothing", "From: a@example.com\nX-Mailer: x\n", "| " },
		{ "all", "X-Bulkhead-Stream: newsletter\n"
		  "x-bulkhead-campaign:  May\n"
		  "X-Bulkhead-List: weekly\n"
		  "X-Bulkhead-Track: clicks, opens\n"
		  "X-Bulkhead-Metadata: order=17; shop = north ;; q=a=b;e=\n",
		  "stream=newsletter campaign=May list=weekly clicks=on "
		  "opens=on order:17 shop:north q:a=b e: | " },
		{ "only clicks", "X-Bulkhead-Track: Clicks\n",
		  "clicks=on opens=off | " },
		{ "only opens", "X-Bulkhead-Track: ,opens,\n",
		  "clicks=off opens=on | " },
		{ "none", "X-Bulkhead-Track: none\n",
		  "clicks=off opens=off | " },
		{ "unknown word", "X-Bulkhead-Track: everything\n",
		  "| X-Bulkhead-Track: unknown word \"everything\"\n" },
		{ "one unknown word", "X-Bulkhead-Track: clicks, foo\n",
		  "clicks=on opens=off | "
		  "X-Bulkhead-Track: unknown word \"foo\"\n" },
		{ "empty", "X-Bulkhead-Track:\nX-Bulkhead-Stream:  \n",
		  "| X-Bulkhead-Track: empty\nX-Bulkhead-Stream: empty\n" },
		{ "folded", "X-Bulkhead-Campaign: big\n summer\n\tsale\n",
		  "campaign=big summer sale | " },
		{ "tab", "X-Bulkhead-Campaign: a\tb\n", "campaign=a b | " },
		{ "no pair", "X-Bulkhead-Metadata: a; b=1; =2\n",
		  "b:1 | X-Bulkhead-Metadata: a member is not KEY=VALUE\n"
		  "X-Bulkhead-Metadata: a member is not KEY=VALUE\n" },
		{ "typing error", "X-Bulkhead-Tracking: none\n",
		  "| X-Bulkhead-Tracking: no such control field: "
		  "X-Bulkhead-Tracking\n" },
	};

	(void)state;
	check(cases, COUNT(cases));
}

static void
test_sendgrid(void **state)
{
	static const struct reading cases[] = {
		{ "category", "X-SMTPAPI: {\"category\": \"May\"}\n",
		  "campaign=May | " },
		{ "first category", "x-smtpapi: {\"category\":[\"a\",\"b\"]}\n",
		  "campaign=a | " },
		{ "no category", "X-SMTPAPI: {\"category\":[]}\n", "| " },
		{ "group", "X-SMTPAPI: {\"asm_group_id\": 1234}\n",
		  "list=1234 | " },
		{ "filters", "X-SMTPAPI: {\"filters\": {\n"
		  " \"clicktrack\": {\"settings\":\n"
		  "\t{\"enable\": 0, \"enable_text\": true}},\n"
		  " \"opentrack\": {\"settings\": {\"enable\": 1}}}}\n",
		  "clicks=off opens=on | " },
		{ "enable as text", "X-SMTPAPI: {\"filters\":{\"clicktrack\":"
		  "{\"settings\":{\"enable\":\"0\"}},\"opentrack\":"
		  "{\"settings\":{\"enable\":false}}}}\n",
		  "clicks=off opens=off | " },
		{ "enable is odd", "X-SMTPAPI: {\"filters\":{\"clicktrack\":"
		  "{\"settings\":{\"enable\":7}}}}\n",
		  "| X-SMTPAPI: filters/clicktrack/settings/enable is neither "
		  "true nor false\n" },
		{ "filters are odd", "X-SMTPAPI: {\"filters\": [1]}\n", "| " },
		{ "other filters", "X-SMTPAPI: {\"filters\":{\"footer\":"
		  "{\"settings\":{\"enable\":1}}}, \"to\": [\"a@b.c\"]}\n",
		  "| " },
		{ "arguments", "X-SMTPAPI: {\"unique_args\": {\"user\": \"7\","
		  " \"n\": 12, \"x\": 0.1, \"t\": true, \"z\": null,"
		  " \"o\": {\"k\": [1, 2]}}}\n",
		  "user:7 n:12 x:0.1 t:true o:{\"k\":[1,2]} | " },
		{ "arguments are odd", "X-SMTPAPI: {\"unique_args\": 1}\n",
		  "| X-SMTPAPI: unique_args has the wrong type\n" },
		{ "category is odd", "X-SMTPAPI: {\"category\": {\"a\": 1}}\n",
		  "| X-SMTPAPI: category has the wrong type\n" },
		{ "escapes", "X-SMTPAPI: {\"category\":\"Fr\\u00fchling\"}\n",
		  "campaign=Fr\xc3\xbchling | " },
		{ "folded inside a text", "X-SMTPAPI: {\"category\":\"a\n\tb\","
		  "\n \"unique_args\":{\"k\n k\":\"v\"}}\n",
		  "campaign=a b k k:v | " },
	};

	(void)state;
	check(cases, COUNT(cases));
}

static void
test_mandrill(void **state)
{
	static const struct reading cases[] = {
		{ "track", "X-MC-Track: opens, clicks_htmlonly\n",
		  "clicks=on opens=on | " },
		{ "opens", "X-MC-Track: opens\n", "clicks=off opens=on | " },
		{ "all", "X-MC-Track: clicks_all\n", "clicks=on opens=off | " },
		{ "text only", "X-MC-Track: clicks_textonly,opens\n",
		  "clicks=off opens=on | " },
		{ "none", "X-MC-Track: none\n", "clicks=off opens=off | " },
		{ "tags", "X-MC-Tags: welcome, north\nX-MC-Subaccount: shop\n",
		  "stream=shop campaign=welcome | " },
		{ "empty tag first", "X-MC-Tags: , welcome\n",
		  "campaign=welcome | " },
		{ "metadata", "X-MC-Metadata: { \"user_id\": \"45829\","
		  " \"n\": 1 }\n", "user_id:45829 n:1 | " },
		{ "one recipient's", "X-MC-Metadata: {\"_rcpt\": \"a@b.c\","
		  " \"n\": 1}\n",
		  "| X-MC-Metadata: for one recipient only (_rcpt)\n" },
		{ "no use", "X-MC-MergeVars: {\"a\": 1}\nX-MC-Autotext: on\n",
		  "| " },
	};

	(void)state;
	check(cases, COUNT(cases));
}

static void
test_amazon(void **state)
{
	static const struct reading cases[] = {
		{ "set and tags", "X-SES-CONFIGURATION-SET: news\n"
		  "X-SES-MESSAGE-TAGS: emailType=newsletter, campaign=book\n",
		  "stream=news emailType:newsletter campaign:book | " },
		{ "list and topic", "X-SES-LIST-MANAGEMENT-OPTIONS: "
		  "contactListName=all; topicName=weekly\n",
		  "list=all/weekly | " },
		{ "bare list", "X-Ses-List-Management-Options: all;topic=x\n",
		  "list=all/x | " },
		{ "list alone", "X-SES-LIST-MANAGEMENT-OPTIONS: all\n",
		  "list=all | " },
		{ "no list", "X-SES-LIST-MANAGEMENT-OPTIONS: topic=x\n",
		  "| X-SES-LIST-MANAGEMENT-OPTIONS: names no list\n" },
		{ "empty list", "X-SES-LIST-MANAGEMENT-OPTIONS:\n",
		  "| X-SES-LIST-MANAGEMENT-OPTIONS: names no list\n" },
		{ "a trace", "X-SES-Outgoing: 2026.01.01-54.240.1.1\n", "| " },
	};

	(void)state;
	check(cases, COUNT(cases));
}

static void
test_mailgun(void **state)
{
	static const struct reading cases[] = {
		{ "both", "X-Mailgun-Track: no\n", "clicks=off opens=off | " },
		{ "one for itself", "X-Mailgun-Track: no\n"
		  "X-Mailgun-Track-Clicks: htmlonly\n",
		  "clicks=on opens=off | " },
		{ "one after", "X-Mailgun-Track-Opens: no\n"
		  "X-Mailgun-Track: yes\n", "clicks=on opens=off | " },
		{ "true", "X-Mailgun-Track-Opens: True\n", "opens=on | " },
		{ "odd", "X-Mailgun-Track: perhaps\n",
		  "| X-Mailgun-Track: unknown word \"perhaps\"\n" },
		{ "tags", "X-Mailgun-Tag: one\nX-Mailgun-Tag: two\n",
		  "campaign=one | " },
		{ "campaign", "X-Mailgun-Campaign-Id: c\nX-Mailgun-Tag: t\n",
		  "campaign=c | " },
		{ "variables", "X-Mailgun-Variables: {\"my_id\": 123,"
		  " \"o\": {\"k\": \"v\"}}\n",
		  "my_id:123 o:{\"k\":\"v\"} | " },
	};

	(void)state;
	check(cases, COUNT(cases));
}

static void
test_sparkpost(void **state)
{
	static const struct reading cases[] = {
		{ "all", "X-MSYS-API: {\"campaign_id\": \"May\", \"metadata\":"
		  " {\"has_pets\": true, \"pet\": \"Spot\"}, \"tags\":"
		  " [\"cat\"], \"options\": {\"open_tracking\": false,"
		  " \"click_tracking\": true, \"sandbox\": false}}\n",
		  "campaign=May clicks=on opens=off has_pets:true pet:Spot "
		  "| " },
		{ "tags", "X-MSYS-API: {\"tags\": [\"cat\", \"dog\"]}\n",
		  "campaign=cat | " },
		{ "null", "X-MSYS-API: {\"campaign_id\": null,"
		  " \"metadata\": null}\n", "| " },
	};

	(void)state;
	check(cases, COUNT(cases));
}

static void
test_postmark(void **state)
{
	static const struct reading cases[] = {
		{ "all", "X-PM-Message-Stream: broadcast\nX-PM-Tag: welcome\n"
		  "X-PM-TrackLinks: HtmlAndText\nX-PM-TrackOpens: true\n"
		  "X-PM-Metadata-color: blue\nX-PM-Metadata-client-id: 12\n",
		  "stream=broadcast campaign=welcome clicks=on opens=on "
		  "color:blue client-id:12 | " },
		{ "html", "X-PM-TrackLinks: htmlonly\n", "clicks=on | " },
		{ "text", "X-PM-TrackLinks: TextOnly\n", "clicks=off | " },
		{ "none", "X-PM-TrackLinks: None\nX-PM-TrackOpens: false\n",
		  "clicks=off opens=off | " },
		{ "odd", "X-PM-TrackLinks: true\n",
		  "| X-PM-TrackLinks: unknown word \"true\"\n" },
		{ "no key", "X-PM-Metadata-: x\n",
		  "| X-PM-Metadata-: no key\n" },
	};

	(void)state;
	check(cases, COUNT(cases));
}

static void
test_other_services(void **state)
{
	static const struct reading cases[] = {
		{ "Mailjet", "X-Mailjet-Campaign: May\n"
		  "X-Mailjet-TrackClick: 0\nX-Mailjet-TrackOpen: 1\n"
		  "X-MJ-CustomID: 17\nX-MJ-EventPayload: <a/>\n",
		  "campaign=May clicks=off opens=on CustomID:17 "
		  "EventPayload:<a/> | " },
		{ "Mailjet's API names", "Mj-trackclick: 1\nMj-trackopen: 2\n"
		  "Mj-campaign: c\n", "campaign=c clicks=off opens=on | " },
		{ "Mailjet's default", "Mj-trackclick: 0\n", "| " },
		{ "Brevo", "X-Mailin-Tag: t\nX-Mailin-custom: a:b|c:d\n",
		  "campaign=t custom:a:b|c:d | " },
		{ "SMTPeter", "x-smtpeter-trackclicks: false\n"
		  "x-smtpeter-trackopens: true\nx-smtpeter-tags: a,b\n"
		  "x-smtpeter-inlinecss: true\n",
		  "campaign=a clicks=off opens=on | " },
		{ "simplemailservice", "seseu-track-clicks: false\n",
		  "clicks=off | " },
		{ "GreenArrow", "X-GreenArrow-MailClass: newsletter\n"
		  "X-GreenArrow-InstanceID: 0901220005\n"
		  "X-GreenArrow-ListID: t100\nX-GreenArrow-MtaID: 2\n",
		  "stream=newsletter campaign=0901220005 list=t100 | " },
		{ "Postal", "X-Postal-Tag: t\n", "campaign=t | " },
		{ "PowerMTA", "x-virtual-mta: mta1\nx-job: 77\nx-envid: e\n",
		  "campaign=77 | " },
		{ "ZoneMTA", "X-Sending-Zone: bulk\nX-FBL: c\n", "| " },
	};

	(void)state;
	check(cases, COUNT(cases));
}

static void
test_who_wins(void **state)
{
	static const struct reading cases[] = {
		{ "ours over an earlier one", "X-PM-Tag: theirs\n"
		  "X-MC-Track: clicks\nX-PM-Metadata-k: theirs\n"
		  "X-Bulkhead-Campaign: ours\nX-Bulkhead-Track: opens\n"
		  "X-Bulkhead-Metadata: k=ours; l=1\n",
		  "campaign=ours clicks=off opens=on k:ours l:1 | " },
		{ "first of a name", "X-PM-Tag: one\nX-PM-Tag: two\n",
		  "campaign=one | " },
		{ "first of a name, ours", "X-Bulkhead-Track: none\n"
		  "x-bulkhead-track: clicks\n", "clicks=off opens=off | " },
		{ "first of a name is odd", "X-PM-TrackOpens: ?\n"
		  "X-PM-TrackOpens: true\n",
		  "| X-PM-TrackOpens: unknown word \"?\"\n" },
		{ "first service", "X-MC-Tags: m\nX-PM-Tag: p\n"
		  "X-PM-TrackOpens: false\nX-MC-Track: opens\n",
		  "campaign=m clicks=off opens=off | " },
		{ "first key", "X-Bulkhead-Metadata: a=1; a=2; A=3\n",
		  "a:1 A:3 | " },
		{ "what ours leaves open", "X-Bulkhead-Campaign: c\n"
		  "X-PM-Message-Stream: s\n", "stream=s campaign=c | " },
	};

	(void)state;
	check(cases, COUNT(cases));
}

static void
test_broken_json(void **state)
{
	static const struct reading cases[] = {
		{ "empty", "X-SMTPAPI:\n",
		  "| X-SMTPAPI: not JSON at octet 0\n" },
		{ "cut off", "X-SMTPAPI: {\"category\": \n",
		  "| X-SMTPAPI: not JSON at octet 12\n" },
		{ "text behind", "X-MSYS-API: {} x\n",
		  "| X-MSYS-API: not JSON at octet 4\n" },
		{ "array", "X-SMTPAPI: [1]\n",
		  "| X-SMTPAPI: not a JSON object\n" },
		{ "text", "X-Mailgun-Variables: \"a\"\n",
		  "| X-Mailgun-Variables: not JSON at octet 3\n" },
		{ "key=value", "X-MC-Metadata: a=b\n",
		  "| X-MC-Metadata: not JSON at octet 1\n" },
		{ "not UTF-8", "X-SMTPAPI: {\"category\":\"Fr\xfchling\"}\n",
		  "| X-SMTPAPI: not JSON at octet 15\n" },
		{ "member twice", "X-SMTPAPI: {\"category\":\"a\","
		  "\"category\":\"b\"}\n", "campaign=b | " },
		{ "control characters", "X-SMTPAPI: {\"category\":"
		  "\" \\u0000a\\r\\nb\\u001b[31m\\u007f\\u0085c\\t\"}\n",
		  "campaign=a  b [31m  c | " },
		{ "and in metadata", "X-MSYS-API: {\"metadata\":"
		  "{\"a\\nb\":\"c\\nd\",\"\\n\":1,\"\":2}}\n",
		  "a b:c d | X-MSYS-API: a key is empty\n"
		  "X-MSYS-API: a key is empty\n" },
		{ "the rest is read", "X-SMTPAPI: {\nX-PM-Tag: t\n",
		  "campaign=t | X-SMTPAPI: not JSON at octet 1\n" },
	};

	(void)state;
	check(cases, COUNT(cases));
}

/* What is read of one field with the value given, as say() writes it. */
static void
expect_field(const char *name, const char *field, struct str value,
    const char *want)
{
	struct arena *a = arena_new();
	struct buf problems, said;
	struct headers h;
	struct control c;

	buf_init(&problems, 4096);
	buf_init(&said, 10000000);
	headers_init(&h, a);
	headers_append(&h, str_from(field), exact(a, value));
	control_read(&c, a, &h, &problems);
	say(&said, &c, buf_view(&problems));
	expect_str(name, buf_view(&said), str_from(want));
	assert_int_equal(c.nfields, 1);
	buf_free(&problems);
	buf_free(&said);
	arena_free(&a);
}

static void
test_nul_in_a_value(void **state)
{
	(void)state;
	expect_field("text", "X-PM-Tag", STR(" a\0b"), "campaign=a b | ");
	expect_field("only controls", "X-PM-Tag", STR(" \0\001\177"), "| ");
	expect_field("word", "X-PM-TrackOpens", STR(" true\0"),
	    "| X-PM-TrackOpens: unknown word \"true\"\n");
	expect_field("JSON", "X-SMTPAPI", STR(" {\"category\"\0:\"a\"}"),
	    "| X-SMTPAPI: not JSON at octet 12\n");
	expect_field("C1 cut off", "X-PM-Tag", STR("a\xc2"),
	    "campaign=a\xc2 | ");
}

/* n times the text, in a block that the caller frees. */
static struct str
repeat(const char *text, size_t n)
{
	size_t len = strlen(text);
	char *p = malloc(n * len);

	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		memcpy(p + i * len, text, len);
	return str_make(p, n * len);
}

static void
expect_repeated(const char *field, const char *text, size_t n,
    const char *want)
{
	struct str value = repeat(text, n);

	expect_field(text, field, value, want);
	free((void *)(uintptr_t)value.p);
}

static void
test_huge_values(void **state)
{
	(void)state;
	expect_repeated("X-SMTPAPI", "[", 60000,
	    "| X-SMTPAPI: nested too deeply\n");
	expect_repeated("X-SMTPAPI", "{\"a\":", 12000,
	    "| X-SMTPAPI: nested too deeply\n");
	expect_repeated("X-SMTPAPI", "[", 65537,
	    "| X-SMTPAPI: longer than 65536 octets, not read\n");
	expect_repeated("X-PM-Tag", "x", 256,
	    "| X-PM-Tag: longer than 255 octets\n");
	expect_repeated("X-Bulkhead-Track", "x", 60000,
	    "| X-Bulkhead-Track: unknown word "
	    "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"\n");
	expect_repeated("X-Bulkhead-Metadata", ";", 65536, "| ");
	expect_repeated("X-SES-LIST-MANAGEMENT-OPTIONS", ";", 65536,
	    "| X-SES-LIST-MANAGEMENT-OPTIONS: names no list\n");
	expect_repeated("X-MC-Tags", ",", 65536, "| X-MC-Tags: empty\n");
}

static void
test_longest_key(void **state)
{
	struct str pair = repeat("k", 257);
	char *p = (char *)(uintptr_t)pair.p;

	(void)state;
	p[256] = '=';
	expect_field("too long", "X-SES-MESSAGE-TAGS", pair,
	    "| X-SES-MESSAGE-TAGS: a key is longer than 255 octets\n");
	p[1] = '=';
	p[256] = 'k';
	pair.n = 3;
	expect_field("not too long", "X-SES-MESSAGE-TAGS", pair, "k:k | ");
	free(p);
}

/* 65,536 octets are read: the bound is on what is too long only. */
static void
test_longest_value(void **state)
{
	struct str blanks = repeat(" ", 65536);
	char *p = (char *)(uintptr_t)blanks.p;

	(void)state;
	memcpy(p, "{", 1);
	memcpy(p + blanks.n - 15, "\"category\":\"c\"}", 15);
	expect_field("longest", "X-SMTPAPI", blanks, "campaign=c | ");
	free(p);
}

static void
test_problems_and_pairs_are_bounded(void **state)
{
	struct arena *a = arena_new();
	struct buf block, problems;
	struct headers h;
	struct control c;
	size_t lines = 0;

	(void)state;
	buf_init(&block, 1000000);
	buf_init(&problems, 4096);
	buf_puts(&block, "X-Bulkhead-Track: ");
	for (int i = 0; i < 3000; i++)
		buf_puts(&block, "w,");
	buf_puts(&block, "\nX-Bulkhead-Metadata: ");
	for (int i = 0; i < 150; i++)
		buf_printf(&block, "k%d=v;", i);
	buf_puts(&block, "\nX-PM-Tag: t\n\n");
	read_block(a, buf_view(&block), &h, &c, &problems);
	assert_false(problems.failed);
	for (size_t i = 0; i < problems.n; i++)
		lines += problems.p[i] == '\n';
	assert_int_equal(lines, 20);
	assert_true(str_find(buf_view(&problems), STR("more problems"), 0) <
	    problems.n);
	assert_int_equal(c.nmetadata, 100);
	expect_str("last", c.metadata[99].key, STR("k99"));
	expect_str("tag", c.campaign, STR("t"));
	buf_free(&block);
	buf_free(&problems);
	arena_free(&a);
}

/* Every pair of octets that JSON and lists are made of, after each other. */
static void
test_short_values_never_hurt(void **state)
{
	static const char *const fields[] = { "X-SMTPAPI", "X-MC-Track",
		"X-Bulkhead-Metadata", "X-SES-LIST-MANAGEMENT-OPTIONS",
		"X-PM-Metadata-", "X-MC-Tags" };
	static const char octets[] = "{}[]\":,;=\\ \t\n0a\0\xc2\x85\xff";

	(void)state;
	for (size_t i = 0; i < COUNT(fields) * sizeof(octets); i++) {
		struct arena *a = arena_new();

		for (size_t k = 0; k < sizeof(octets); k++) {
			char v[3] = { octets[i % sizeof(octets)], octets[k],
				'=' };
			struct buf problems;
			struct headers h;
			struct control c;

			buf_init(&problems, 4096);
			headers_init(&h, a);
			headers_append(&h, str_from(fields[i / sizeof(octets)]),
			    exact(a, str_make(v, sizeof(v))));
			control_read(&c, a, &h, &problems);
			assert_int_equal(c.nfields, 1);
			buf_free(&problems);
		}
		arena_free(&a);
	}
}

static void
test_which_are_control_fields(void **state)
{
	static const char *const yes[] = { "X-Bulkhead-Stream",
		"X-Bulkhead-New", "X-SMTPAPI", "x-smtpapi", "X-MC-Anything",
		"X-MC-MergeVars", "X-SES-SOURCE-ARN", "X-SES-Tenant",
		"X-Mailgun-Deliver-By", "X-Mailgun-Sending-Ip",
		"X-Mailgun-Recipient-Variables", "X-MSYS-API",
		"X-PM-TrackOpens", "X-PM-Metadata-x", "X-PM-KeepID",
		"X-Mailjet-Prio", "X-MJ-TemplateID", "Mj-prio",
		"X-Mailin-Tag", "X-SMTPeter-Images", "seseu-track-clicks",
		"X-GreenArrow-MtaID", "X-Postal-Tag", "x-virtual-mta",
		"x-job", "x-envid", "x-dkim-options", "X-DKIM-Key",
		"X-Sending-Zone", "X-FBL" };
	static const char *const no[] = { "", "X", "X-Mailer", "List-Id",
		"X-Campaign-Id", "X-CampaignID", "X-Campaign", "X-JobID",
		"X-SES-Outgoing", "X-Ses-Receipt", "X-SES-Spam-Verdict",
		"X-MC-Unique", "X-MC-System", "X-Mailgun-Sid",
		"X-Mailgun-Incoming", "X-PM-Message-Id", "X-Pm-Origin",
		"X-Pm-Content-Encryption", "X-MJ-Mid", "X-Mandrill-User",
		"X-SG-EID", "X-MSFBL", "X-Mailin-EID", "X-Mailin-Campaign",
		"X-Postal-MsgID", "X-Mailing-List", "Feedback-ID", "X-SMTPAP",
		"X-SMTPAPI-Version", "Mj", "Message-ID", "X-Bulkhead" };

	(void)state;
	for (size_t i = 0; i < COUNT(yes); i++)
		if (!control_is_field(str_from(yes[i])))
			fail_msg("%s is a control field", yes[i]);
	for (size_t i = 0; i < COUNT(no); i++)
		if (control_is_field(str_from(no[i])))
			fail_msg("%s is no control field", no[i]);
}

static void
test_fields_are_given_for_stripping(void **state)
{
	struct arena *a = arena_new();
	struct buf problems;
	struct headers h;
	struct control c;

	(void)state;
	buf_init(&problems, 4096);
	read_block(a, STR("From: a@b.c\nX-PM-Tag: one\nX-MC-Autotext: 1\n"
	    "X-SES-Outgoing: x\nX-PM-Tag: two\nX-SMTPAPI: {\n\n"), &h, &c,
	    &problems);
	assert_int_equal(c.nfields, 4);
	assert_ptr_equal(c.fields[0], &h.v[1]);
	assert_ptr_equal(c.fields[3], &h.v[5]);
	for (size_t i = 0; i < c.nfields; i++)
		headers_delete(&h, c.fields[i]);
	control_read(&c, a, &h, &problems);
	assert_int_equal(c.nfields, 0);
	expect_str("deleted fields are silent", c.campaign, STR(""));
	buf_free(&problems);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_our_own),
		cmocka_unit_test(test_sendgrid),
		cmocka_unit_test(test_mandrill),
		cmocka_unit_test(test_amazon),
		cmocka_unit_test(test_mailgun),
		cmocka_unit_test(test_sparkpost),
		cmocka_unit_test(test_postmark),
		cmocka_unit_test(test_other_services),
		cmocka_unit_test(test_who_wins),
		cmocka_unit_test(test_broken_json),
		cmocka_unit_test(test_nul_in_a_value),
		cmocka_unit_test(test_huge_values),
		cmocka_unit_test(test_longest_key),
		cmocka_unit_test(test_longest_value),
		cmocka_unit_test(test_problems_and_pairs_are_bounded),
		cmocka_unit_test(test_short_values_never_hurt),
		cmocka_unit_test(test_which_are_control_fields),
		cmocka_unit_test(test_fields_are_given_for_stripping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
