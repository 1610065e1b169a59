/*
 * test_engine.c - the stages over whole messages: whose mail it is, what is
 * added, changed, and left alone.
 */
#include "fixture.h"

#include <stdio.h>

#include "bulkhead/token.h"
#include "mail/returnpath.h"

#define STREAM                                                                 \
	"stream \"newsletter\" {\n"                                            \
	"  match { header = { \"List-Id\" } }\n"                               \
	"  unsubscribe = one-click\n"                                          \
	"  track = { clicks, opens }\n"                                        \
	"  return-path = true\n"                                               \
	"  domain = \"mailer.example\"\n"                                      \
	"  also-sign = { \"mailer.example\" }\n"                               \
	"}\n"

#define HEAD                                                                   \
	"From: News <news@example.com>\nTo: user@example.net\n"                \
	"Subject: Hello\nDate: Tue, 01 Dec 2026 07:00:00 +0000\n"              \
	"Message-ID: <1@example.com>\nList-Id: Our news <news.example.com>\n"

#define HTML_HEAD HEAD "MIME-Version: 1.0\nContent-Type: text/html\n\n"

static const struct fixture_sender trusted = { 0 };

static void
open_token(struct fixture *f, const char *start, enum token_kind kind,
    struct token *t)
{
	struct str url = fixture_url(f, start);
	struct str text = str_sub(url, strlen(start), url.n);

	if (str_iends(text, STR(".gif")))
		text.n -= 4;
	assert_int_equal(token_open(f->arena, f->keyring->tokens, kind,
	    STR("t.example.com"), text, t), 0);
}

static void
test_newsletter_gets_everything(void **state)
{
	struct fixture f;
	struct token t;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted,
	    HTML_HEAD "<body><a href=\"https://shop.example/a?b=1&amp;c=2\">"
		      "x</a></body>\n");
	assert_int_equal(f.verdict, VERDICT_ACCEPT);
	assert_int_equal(fixture_fields(&f, "DKIM-Signature"), 3);
	assert_int_equal(fixture_fields(&f, "List-Unsubscribe"), 1);
	assert_int_equal(fixture_count(&f,
	    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"), 1);
	assert_int_equal(fixture_count(&f, "mailto:unsubscribe@b.example.com"
	    "?subject=u"), 1);
	assert_int_equal(fixture_count(&f,
	    "Feedback-ID: :newsletter:news.example.com:example.com\n"), 1);
	assert_int_equal(fixture_count(&f, "CFBL-Address: c"), 1);
	open_token(&f, "https://t.example.com/c/", TOKEN_CLICK, &t);
	expect_str("url", t.url, STR("https://shop.example/a?b=1&c=2"));
	expect_str("recipient", t.recipient, STR("user@example.net"));
	expect_str("list", t.list, STR("news.example.com"));
	expect_str("domain", t.domain, STR("example.com"));
	assert_int_equal(t.hours, FIXTURE_TIME / 3600);
	open_token(&f, "https://t.example.com/o/", TOKEN_OPEN, &t);
	open_token(&f, "https://t.example.com/u/", TOKEN_UNSUBSCRIBE, &t);
	assert_int_equal(fixture_count(&f, "\"></body>\n"), 1);
	fixture_close(&f);
}

static void
test_return_path_comes_back(void **state)
{
	struct fixture f;
	struct returnpath r;
	struct str sender;
	bool forged;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted, HTML_HEAD "<p>x</p>\n");
	sender = f.mta.sender;
	expect_str("args", f.mta.sender_args, STR("RET=HDRS ENVID=4abcDEF"));
	assert_true(str_iends(sender, STR("@b.example.com>")));
	sender = str_sub(sender, 1, str_chr(sender, '@', 0));
	assert_true(sender.n <= RETURNPATH_MAX_LOCAL);
	assert_int_equal(returnpath_read(f.arena, f.keyring->returnpath,
	    f.keyring->nreturnpath, sender, STR("b.example.com"), &r,
	    &forged), 0);
	expect_str("user", r.user, STR("user"));
	expect_str("host", r.host, STR("example.net"));
	assert_int_equal(r.kind, RETURNPATH_BOUNCE);
	fixture_close(&f);
}

/* Step 0: no setting lets a stranger's message have our signature. */
static void
test_strangers_stay_untouched(void **state)
{
	static const struct fixture_sender stranger = {
		.client = "203.0.113.9"
	};
	static const struct fixture_sender known = {
		.client = "203.0.113.9", .sasl_user = "news@example.com"
	};
	static const struct fixture_sender local = {
		.client = "127.0.0.1", .is_sendmail = true
	};
	static const char mail[] = HTML_HEAD "<a href='http://x/'>x</a>\n";
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &stranger, mail);
	assert_int_equal(f.verdict, VERDICT_PASS);
	expect_str("untouched", f.out, str_from(mail));
	fixture_send(&f, &known, mail);
	assert_int_equal(fixture_fields(&f, "DKIM-Signature"), 3);
	fixture_send(&f, &local, mail);
	assert_int_equal(fixture_fields(&f, "DKIM-Signature"), 3);
	fixture_close(&f);
}

static void
test_who_signs_what(void **state)
{
	static const struct {
		const char *name, *sender, *mail;
		unsigned signatures, unsubscribes;
		enum verdict verdict;
	} cases[] = {
		{ "no stream: only signed", NULL,
		    "From: a@example.com\n\nx\n", 2, 0, VERDICT_ACCEPT },
		{ "a subdomain is covered", NULL,
		    "From: a@eu.Example.COM\n\nx\n", 2, 0, VERDICT_ACCEPT },
		{ "a bounce is only signed", "<>",
		    HEAD "\nx\n", 2, 0, VERDICT_ACCEPT },
		{ "no section, the stream's domain", NULL,
		    "From: a@customer.example\nList-Id: <l>\n\nx\n", 1, 1,
		    VERDICT_ACCEPT },
		{ "no section, no stream", NULL,
		    "From: a@customer.example\n\nx\n", 0, 0, VERDICT_PASS },
		{ "several From fields", NULL,
		    "From: a@example.com\nFrom: b@example.com\n\nx\n", 0, 0,
		    VERDICT_PASS },
		{ "several From addresses", NULL,
		    "From: a@example.com, b@example.com\n\nx\n", 0, 0,
		    VERDICT_PASS },
		{ "no From", NULL, "To: a@example.com\n\nx\n", 0, 0,
		    VERDICT_PASS },
		{ "an unquoted comma", NULL,
		    "From: Foo, Inc. <a@example.com>\n\nx\n", 2, 0,
		    VERDICT_ACCEPT },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture_sender from = { .from = cases[i].sender };

		fixture_send(&f, &from, cases[i].mail);
		if (f.verdict != cases[i].verdict ||
		    fixture_fields(&f, "DKIM-Signature") !=
			cases[i].signatures ||
		    fixture_fields(&f, "List-Unsubscribe") !=
			cases[i].unsubscribes)
			fail_msg("%s: verdict %d:\n%.*s", cases[i].name,
			    (int)f.verdict, STR_ARG(f.out));
	}
	fixture_close(&f);
}

static void
test_may_send(void **state)
{
	static const struct fixture_sender known = {
		.client = "203.0.113.9", .sasl_user = "shop@example.com"
	};
	static const struct fixture_sender bounce = {
		.client = "203.0.113.9", .sasl_user = "shop@example.com",
		.from = "<>"
	};
	static const char extra[] =
	    "domain \"closed.example\" {\n"
	    "  tracking-url = \"https://t.closed.example\"\n"
	    "  may-send = { \"sasl-user:news@*\" }\n"
	    "}\n";
	struct fixture f;

	(void)state;
	fixture_open(&f, extra);
	fixture_send(&f, &known, "From: a@closed.example\n\nx\n");
	assert_int_equal(f.verdict, VERDICT_REJECT);
	assert_string_equal(f.mta.reply.code, "550");
	assert_string_equal(f.mta.reply.status, "5.7.1");
	assert_string_equal(f.mta.reply.text,
	    "shop@example.com may not send as closed.example");
	fixture_send(&f, &bounce, "From: a@closed.example\n\nx\n");
	assert_int_equal(f.verdict, VERDICT_PASS);
	fixture_close(&f);
}

static void
test_several_recipients_are_never_named(void **state)
{
	static const struct fixture_sender two = {
		.to = { "a@example.net", "b@example.net" }
	};
	struct fixture f;
	struct token t;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &two,
	    HTML_HEAD "<a href=http://shop.example/>x</a></body>\n");
	assert_int_equal(f.verdict, VERDICT_ACCEPT);
	assert_int_equal(fixture_fields(&f, "List-Unsubscribe"), 1);
	assert_int_equal(fixture_fields(&f, "List-Unsubscribe-Post"), 0);
	open_token(&f, "https://t.example.com/c/", TOKEN_CLICK, &t);
	expect_str("click", t.recipient, STR(""));
	open_token(&f, "https://t.example.com/u/", TOKEN_UNSUBSCRIBE, &t);
	expect_str("unsubscribe", t.recipient, STR(""));
	assert_true(str_chr(f.mta.sender, '=', 0) == f.mta.sender.n);
	fixture_close(&f);
}

static void
test_several_recipients_rejected(void **state)
{
	static const struct fixture_sender two = {
		.to = { "a@example.net", "b@example.net" }
	};
	struct fixture f;

	(void)state;
	fixture_open(&f, "stream \"one\" { several-recipients = reject }\n");
	fixture_send(&f, &two, HTML_HEAD "x\n");
	assert_int_equal(f.verdict, VERDICT_REJECT);
	assert_string_equal(f.mta.reply.code, "550");
	fixture_send(&f, &trusted, HTML_HEAD "x\n");
	assert_int_equal(f.verdict, VERDICT_ACCEPT);
	fixture_close(&f);
}

static void
test_existing_unsubscribe(void **state)
{
	static const char mail[] =
	    HEAD "List-Unsubscribe: <https://own.example/1>\n"
		 "list-unsubscribe: <https://own.example/2>\n"
		 "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
		 "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
		 "Content-Type: text/html\n\n"
		 "<a href=\"https://own.example/1\">bye</a>"
		 "<a href=\"https://own.example/3\">shop</a>\n";
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted, mail);
	assert_int_equal(fixture_count(&f, "<https://own.example/1>"), 1);
	assert_int_equal(fixture_count(&f, "<https://own.example/2>"), 0);
	assert_int_equal(fixture_fields(&f, "List-Unsubscribe"), 1);
	assert_int_equal(fixture_fields(&f, "List-Unsubscribe-Post"), 1);
	assert_int_equal(fixture_count(&f, "href=\"https://own.example/1\""),
	    1);
	assert_int_equal(fixture_count(&f, "href=\"https://own.example/3\""),
	    0);
	fixture_close(&f);
	fixture_open(&f, "stream \"n\" { unsubscribe = one-click\n"
			 "existing-unsubscribe = replace }\n");
	fixture_send(&f, &trusted, mail);
	assert_int_equal(fixture_count(&f, "<https://own.example/"), 0);
	assert_int_equal(fixture_fields(&f, "List-Unsubscribe"), 1);
	assert_int_equal(fixture_fields(&f, "List-Unsubscribe-Post"), 1);
	assert_int_equal(fixture_count(&f, "<https://t.example.com/u/"), 1);
	fixture_close(&f);
}

/* name, body of an HTML message, links tracked, links left */
static const struct {
	const char *name, *html;
	unsigned links, left;
	const char *must_have;
} link_cases[] = {
	{ "schemes", "<a href='mailto:a@b'>1</a><a href='tel:1'>2</a>"
		     "<a href='#x'>3</a><a href='cid:1'>4</a>"
		     "<a href='javascript:x()'>5</a><a href=''>6</a>"
		     "<a name=x>7</a>", 0, 6, "href='tel:1'" },
	{ "upper case and blanks", "<A HREF = ' HTTPS://Shop.example/ '>x</A>",
	    1, 0, "<A HREF = 'https://t.example.com/c/" },
	{ "no quotes", "<a href=https://shop.example/>x</a>", 1, 0, NULL },
	{ "not links", "<link href=http://x.example/><base href=http://x/>"
		       "<img src=http://x.example/>", 0, 0, NULL },
	{ "a comment", "<!-- <a href='http://x.example/'>x</a> -->", 0, 0,
	    NULL },
	{ "conditional comment", "<!--[if mso]><v:roundrect "
	    "href=\"http://x.example/\"></v:roundrect><![endif]-->", 1, 0,
	    NULL },
	{ "script", "<script>var a=\"<a href='http://x.example/'>\"</script>",
	    0, 0, NULL },
	{ "merge tags", "<a href='http://x.example/{{id}}'>1</a>"
			"<a href='{{url}}'>2</a><a href='*|URL|*'>3</a>", 0, 3,
	    NULL },
	{ "SendGrid", "<a clicktracking=off href=\"http://x.example/\">x</a>",
	    0, 1, "<a href=\"http://x.example/\">" },
	{ "SES", "<a href=\"http://x.example/\" ses:no-track >x</a>", 0, 1,
	    "<a href=\"http://x.example/\" >" },
	{ "Mailgun", "<a href=\"http://x.example/\" disable-tracking=true>"
		     "x</a>", 0, 1, "<a href=\"http://x.example/\">" },
	{ "SparkPost", "<a data-msys-clicktrack=\"0\"href=\"http://x.example/\""
		       ">x</a>", 0, 1, "<a href=\"http://x.example/\">" },
	{ "Postmark", "<a\n data-pm-no-track\n href=\"http://x.example/\">x</a>",
	    0, 1, "<a\n href=\"http://x.example/\">" },
	{ "not an opt-out", "<a clicktracking=on href=http://x.example/>x</a>",
	    1, 0, "clicktracking=on" },
	{ "two attributes of a name", "<a href=\"http://x.example/1\" "
	    "href=\"http://x.example/2\">x</a>", 1, 0,
	    "href=\"http://x.example/2\"" },
	{ "whatever a browser takes for http", "<a href='http://'>x</a>"
	    "<a href='https:///a'>y</a><a href='HTTP:\\\\shop.example'>z</a>"
	    "<a href='https:shop.example'>z</a>", 4, 0, NULL },
	{ "our own host", "<a href='https:\\\\u@T.example.com/c/x'>x</a>", 0,
	    1, NULL },
	{ "almost http", "<a href='httpx://x.example/'>x</a>"
	    "<a href='//x.example/'>y</a><a href='x.html'>z</a>", 0, 3, NULL },
};

static void
test_links(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	for (size_t i = 0; i < sizeof(link_cases) / sizeof(link_cases[0]);
	     i++) {
		const struct message *m;

		fixture_send(&f, &trusted,
		    arena_cstr(f.arena, arena_printf(f.arena,
		    HTML_HEAD "%s\n", link_cases[i].html)));
		m = fixture_message(&f);
		if (m->nlinks != link_cases[i].links ||
		    m->nlinks_left != link_cases[i].left ||
		    (link_cases[i].must_have != NULL &&
			fixture_count(&f, link_cases[i].must_have) != 1))
			fail_msg("%s: %u tracked, %u left:\n%.*s",
			    link_cases[i].name, m->nlinks, m->nlinks_left,
			    STR_ARG(f.out));
	}
	fixture_close(&f);
}

/* Bodies of which no octet may change, whatever the stream wants. */
static const struct {
	const char *name, *head, *body;
} untouched[] = {
	{ "signed", "Content-Type: multipart/signed; boundary=b\n",
	    "--b\nContent-Type: text/html\n\n<a href='http://x/'>x</a>\n"
	    "--b\nContent-Type: application/pgp-signature\n\nx\n--b--\n" },
	{ "attachment", "Content-Type: text/html\n"
			"Content-Disposition: attachment\n",
	    "<a href='http://x/'>x</a>\n" },
	{ "file name", "Content-Type: text/html; name=page.html\n",
	    "<a href='http://x/'>x</a>\n" },
	{ "a message", "Content-Type: message/rfc822\n",
	    "Content-Type: text/html\n\n<a href='http://x/'>x</a>\n" },
	{ "UTF-7", "Content-Type: text/html; charset=UTF-7\n",
	    "<a href='http://x/'>x</a>\n" },
	{ "two types", "Content-Type: text/html\nContent-Type: text/plain\n",
	    "<a href='http://x/'>x</a>\n" },
	{ "no boundary", "Content-Type: multipart/mixed\n",
	    "--b\nContent-Type: text/html\n\n<a href='http://x/'>x</a>\n" },
	{ "text", "Content-Type: text/plain\n",
	    "http://x.example/ <a href='http://x/'>x</a>\n" },
	{ "inline PGP", "Content-Type: text/html\n",
	    "<pre>-----BEGIN PGP MESSAGE-----</pre><a href='http://x/'>x</a>"
	    "\n" },
	{ "AMP", "Content-Type: text/x-amp-html\n",
	    "<a href='http://x/'>x</a></body>\n" },
};

static void
test_parts_left_alone(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	for (size_t i = 0; i < sizeof(untouched) / sizeof(untouched[0]); i++) {
		struct str body = str_from(untouched[i].body);

		fixture_send(&f, &trusted,
		    arena_cstr(f.arena, arena_printf(f.arena, HEAD "%s\n%s",
		    untouched[i].head, untouched[i].body)));
		if (f.mta.body_replaced || !str_iends(f.out, body) ||
		    fixture_fields(&f, "DKIM-Signature") != 3)
			fail_msg("%s:\n%.*s", untouched[i].name,
			    STR_ARG(f.out));
	}
	fixture_close(&f);
}

/* FACTS must 6: a replaced body ends as it ended. */
static void
test_body_still_ends_with_a_line_break(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted, HTML_HEAD "no end of a body\n");
	assert_int_equal(fixture_message(&f)->npixels, 1);
	assert_true(str_iends(f.mta.body, STR("1px\">\r\n")));
	fixture_close(&f);
}

static void
test_placeholders(void **state)
{
	static const char mail[] =
	    HEAD "MIME-Version: 1.0\n"
		 "Content-Type: multipart/alternative; boundary=b\n\n"
		 "--b\n\nBye: {{bulkhead-unsubscribe-url}} %unsubscribe_url%\n"
		 "--b\nContent-Type: text/html\n"
		 "Content-Transfer-Encoding: quoted-printable\n\n"
		 "<a href=3D\"{{amazonSESUns=\nubscribeUrl}}\">bye</a>"
		 "<a href=3D\"http://*|UNSUB|*\">bye</a>"
		 "{{not-one}} 100% *|X|*\n"
		 "--b--\n";
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted, mail);
	assert_int_equal(fixture_message(&f)->nplaceholders, 4);
	assert_int_equal(fixture_count(&f, "bulkhead-unsubscribe-url"), 0);
	assert_int_equal(fixture_count(&f, "SESUns"), 0);
	assert_int_equal(fixture_count(&f, "{{not-one}} 100% *|X|*"), 1);
	fixture_close(&f);
}

/* FACTS must 6: a line that a rewritten URL makes too long. */
static void
test_long_lines_become_quoted_printable(void **state)
{
	struct fixture f;
	char mail[4000];
	int n;

	(void)state;
	fixture_open(&f, STREAM);
	n = snprintf(mail, sizeof(mail), HEAD
	    "Content-Type: text/html\nContent-Transfer-Encoding: 8bit\n\n");
	for (int i = 0; i < 8; i++)
		n += snprintf(mail + n, sizeof(mail) - (size_t)n,
		    "<a href=\"http://shop.example/%d\">x</a>", i);
	snprintf(mail + n, sizeof(mail) - (size_t)n, "\n");
	fixture_send(&f, &trusted, mail);
	assert_int_equal(fixture_message(&f)->nlinks, 8);
	assert_int_equal(fixture_count(&f,
	    "Content-Transfer-Encoding: quoted-printable\n"), 1);
	assert_int_equal(fixture_count(&f, "8bit"), 0);
	for (size_t at = 0, end; at < f.out.n; at = end + 1) {
		end = str_chr(f.out, '\n', at);
		assert_true(end - at <= CODING_LINE_OURS);
	}
	fixture_close(&f);
}

static void
test_control_fields(void **state)
{
	static const char extra[] =
	    "stream \"plain\" { match { daemon = { \"none\" } } }\n"
	    "stream \"pass\" { match { daemon = { \"none\" } }\n"
	    "control-headers = pass track = { clicks } }\n" STREAM;
	struct fixture f;

	(void)state;
	fixture_open(&f, extra);
	fixture_send(&f, &trusted,
	    "X-Bulkhead-Track: clicks\nX-Bulkhead-Campaign: spring\n"
	    "X-Bulkhead-List: l1\n" HTML_HEAD
	    "<a href='http://x.example/'>x</a>\n");
	assert_int_equal(fixture_count(&f, "X-Bulkhead"), 0);
	assert_int_equal(fixture_count(&f, "t.example.com/o/"), 0);
	assert_int_equal(fixture_count(&f, "t.example.com/c/"), 1);
	assert_int_equal(fixture_count(&f,
	    "Feedback-ID: spring:newsletter:l1:example.com\n"), 1);
	fixture_send(&f, &trusted,
	    "X-Bulkhead-Stream: plain\n" HTML_HEAD
	    "<a href='http://x.example/'>x</a>\n");
	assert_int_equal(fixture_count(&f, "t.example.com/c/"), 0);
	assert_int_equal(fixture_fields(&f, "List-Unsubscribe"), 0);
	fixture_send(&f, &trusted,
	    "X-Bulkhead-Stream: pass\n" HTML_HEAD
	    "<a href='http://x.example/'>x</a>\n");
	assert_int_equal(fixture_count(&f, "X-Bulkhead-Stream: pass"), 1);
	assert_int_equal(fixture_count(&f, "t.example.com/c/"), 1);
	fixture_close(&f);
}

/* FACTS must 5: nothing that we write is too long for a line. */
static void
test_long_names_leave_no_long_line(void **state)
{
	char name[256];
	struct fixture f;
	struct token t;

	(void)state;
	memset(name, 'n', 255);
	name[255] = '\0';
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted,
	    arena_cstr(f.arena, arena_printf(f.arena,
	    "X-Bulkhead-Campaign: %s\nX-Bulkhead-List: %s\n"
	    HTML_HEAD "<a href='http://x.example/'>x</a>\n", name, name)));
	for (size_t at = 0, end; at < f.out.n; at = end + 1) {
		end = str_chr(f.out, '\n', at);
		assert_true(end - at <= CODING_LINE_MAX);
	}
	assert_int_equal(fixture_fields(&f, "List-Unsubscribe"), 1);
	open_token(&f, "https://t.example.com/u/", TOKEN_UNSUBSCRIBE, &t);
	expect_str("list", t.list, str_from(name));
	fixture_close(&f);
}

static void
test_hazards_are_named(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "stream \"newsletter\" { encode = false }\n");
	fixture_send(&f, &trusted, HEAD "\nplain\n");
	assert_int_equal(fixture_message(&f)->hazards, 0);
	fixture_send(&f, &trusted, HEAD "\n12345678\xe9\n");
	assert_int_equal(fixture_message(&f)->hazards, HAZARD_8BIT);
	fixture_send(&f, &trusted,
	    arena_cstr(f.arena, arena_printf(f.arena,
	    "X-Long: %01000d\n" HEAD "\n%0999d\n", 0, 0)));
	assert_int_equal(fixture_message(&f)->hazards,
	    HAZARD_BODY_LINE | HAZARD_HEADER_LINE);
	fixture_close(&f);
}

static void
test_date_and_message_id(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted, "From: a@example.com\n\nx\n");
	assert_int_equal(fixture_count(&f,
	    "Date: Tue, 01 Dec 2026 08:00:00 +0000\n"), 1);
	assert_int_equal(fixture_count(&f,
	    "Message-ID: <4abcDEF.1796112000@example.com>\n"), 1);
	fixture_send(&f, &trusted, HEAD "\nx\n");
	assert_int_equal(fixture_fields(&f, "Date"), 1);
	assert_int_equal(fixture_fields(&f, "Message-ID"), 1);
	fixture_close(&f);
}

/* An application's signature goes only when it no longer holds. */
static void
test_own_signatures(void **state)
{
	static const char signature[] =
	    "DKIM-Signature: v=1; a=rsa-sha256; d=app.example; s=x;\n"
	    " h=from:subject:list-id; bh=AAAA; b=BBBB\n";
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted,
	    arena_cstr(f.arena, arena_printf(f.arena, "%s" HTML_HEAD
	    "<a href='http://x.example/'>x</a>\n", signature)));
	assert_int_equal(fixture_count(&f, "d=app.example"), 0);
	fixture_send(&f, &trusted,
	    arena_cstr(f.arena, arena_printf(f.arena,
	    "%sFrom: a@example.com\nSubject: s\n\nx\n", signature)));
	assert_int_equal(fixture_count(&f, "d=app.example"), 1);
	fixture_close(&f);
}

static void
test_observe_changes_nothing(void **state)
{
	static const char mail[] = HTML_HEAD "<a href='http://x.example/'>\n";
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	f.keyring->settings->milter.mode = MODE_OBSERVE;
	fixture_send(&f, &trusted, mail);
	assert_int_equal(f.verdict, VERDICT_PASS);
	expect_str("as it came", f.out, str_from(mail));
	assert_int_equal(fixture_message(&f)->nlinks, 1);
	fixture_close(&f);
}

/* An MTA that takes no edit: the message must not be accepted. */
static int
no_insert(struct mta *mta, struct str name, struct str value)
{
	(void)mta;
	(void)name;
	(void)value;
	return -1;
}

static void
test_refused_edit_is_a_tempfail(void **state)
{
	struct fixture f;
	struct mta_ops ops;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted, HEAD "\nx\n");
	ops = *f.mta.mta.ops;
	ops.insert_top = no_insert;
	session_mail(f.session, STR("a@example.com"), STR(""));
	session_rcpt(f.session, STR("b@example.net"));
	session_header(f.session, STR("From"), STR(" a@example.com"));
	mta_memory_init(&f.mta, f.arena);
	f.mta.mta.ops = &ops;
	assert_int_equal(session_end(f.session, STR("Q"), &f.mta.mta),
	    VERDICT_TEMPFAIL);
	assert_string_equal(f.mta.reply.code, "451");
	fixture_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_newsletter_gets_everything),
		cmocka_unit_test(test_return_path_comes_back),
		cmocka_unit_test(test_strangers_stay_untouched),
		cmocka_unit_test(test_who_signs_what),
		cmocka_unit_test(test_may_send),
		cmocka_unit_test(test_several_recipients_are_never_named),
		cmocka_unit_test(test_several_recipients_rejected),
		cmocka_unit_test(test_existing_unsubscribe),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_parts_left_alone),
		cmocka_unit_test(test_body_still_ends_with_a_line_break),
		cmocka_unit_test(test_placeholders),
		cmocka_unit_test(test_long_lines_become_quoted_printable),
		cmocka_unit_test(test_control_fields),
		cmocka_unit_test(test_long_names_leave_no_long_line),
		cmocka_unit_test(test_hazards_are_named),
		cmocka_unit_test(test_date_and_message_id),
		cmocka_unit_test(test_own_signatures),
		cmocka_unit_test(test_observe_changes_nothing),
		cmocka_unit_test(test_refused_edit_is_a_tempfail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
