/*
 * test_engine_hard.c - messages that once went wrong, or could: kept for ever.
 */
#include "fixture.h"

#include <stdio.h>

#define STREAM                                                                 \
	"stream \"all\" { unsubscribe = one-click\n"                           \
	"track = { clicks, opens } }\n"

#define HEAD                                                                   \
	"From: News <news@example.com>\nTo: user@example.net\n"                \
	"Subject: Hello\nDate: Tue, 01 Dec 2026 07:00:00 +0000\n"              \
	"Message-ID: <1@example.com>\nMIME-Version: 1.0\n"

#define HTML_HEAD HEAD "Content-Type: text/html\n\n"

static const struct fixture_sender trusted = { 0 };

/* A placeholder and a link, or an opt-out attribute, that share octets. */
static void
test_placeholders_within_links(void **state)
{
	static const struct {
		const char *html;
		unsigned links, placeholders;
	} cases[] = {
		{ "<a href=\"http://%unsubscribe_url%\">x</a>", 0, 1 },
		{ "<a href=\"https://x.example/?u=%unsubscribe_url%\">x</a>", 0,
		    1 },
		{ "<a href=\"http://x.example/\" "
		  "data-pm-no-track=\"%unsubscribe_url%\">x</a>", 0, 1 },
		{ "<a href=\"http://x.example/1\">a</a> %unsubscribe_url% "
		  "<a href=\"http://x.example/2\">b</a>", 2, 1 },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct message *m;

		fixture_send(&f, &trusted, arena_cstr(f.arena,
		    arena_printf(f.arena, HTML_HEAD "%s\n", cases[i].html)));
		m = fixture_message(&f);
		if (f.verdict != VERDICT_ACCEPT ||
		    m->nlinks != cases[i].links ||
		    m->nplaceholders != cases[i].placeholders ||
		    fixture_count(&f, "%unsubscribe_url%") != 0)
			fail_msg("%s:\n%.*s", cases[i].html, STR_ARG(f.out));
	}
	fixture_close(&f);
}

/* Without tokens for it a placeholder stays, and is no link to track. */
static void
test_placeholder_that_nobody_fills(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "stream \"all\" { track = { clicks } }\n");
	fixture_send(&f, &trusted,
	    HTML_HEAD "<a href=\"http://%unsubscribe_url%\">x</a>\n");
	assert_int_equal(fixture_message(&f)->nlinks, 0);
	assert_int_equal(fixture_count(&f, "http://%unsubscribe_url%"), 1);
	fixture_close(&f);
}

/* Where nothing may be inserted or changed, though the stream tracks. */
static const struct {
	const char *name, *head, *body;
} untouched[] = {
	{ "an empty part", "Content-Type: multipart/alternative; boundary=b\n",
	    "--b\n\ntext\n--b\nContent-Type: text/html\n\n--b--\n" },
	{ "a part without a body",
	    "Content-Type: multipart/alternative; boundary=b\n",
	    "--b\n\ntext\n--b\nContent-Type: text/html\n--b--\n" },
	{ "an attached multipart", "Content-Type: multipart/mixed; boundary=b\n",
	    "--b\n\ntext\n--b\nContent-Type: multipart/related; boundary=c\n"
	    "Content-Disposition: attachment\n\n--c\n"
	    "Content-Type: text/html\n\n<a href=http://x/>x</a>\n--c--\n"
	    "--b--\n" },
	{ "a CR alone elsewhere",
	    "Content-Type: multipart/mixed; boundary=b\n",
	    "--b\nContent-Type: text/html\n\n<a href=http://x/>x</a>\n"
	    "--b\nContent-Type: message/rfc822\n\na\rb\n--b--\n" },
	{ "an empty body", "Content-Type: text/html\n", "" },
};

static void
test_parts_that_stay(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	for (size_t i = 0; i < sizeof(untouched) / sizeof(untouched[0]); i++) {
		fixture_send(&f, &trusted, arena_cstr(f.arena,
		    arena_printf(f.arena, HEAD "%s\n%s", untouched[i].head,
			untouched[i].body)));
		if (f.verdict != VERDICT_ACCEPT || f.mta.body_replaced ||
		    fixture_fields(&f, "DKIM-Signature") != 2)
			fail_msg("%s:\n%.*s", untouched[i].name,
			    STR_ARG(f.out));
	}
	fixture_close(&f);
}

/* What SMTP does not carry leaves in an encoding that does. */
static void
test_odd_octets_become_quoted_printable(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted,
	    HTML_HEAD "<a href=\"http://x.example/\">a\rb</a>\n");
	assert_int_equal(fixture_message(&f)->nlinks, 1);
	assert_null(fixture_message(&f)->malformed);
	assert_int_equal(fixture_count(&f, "a=0Db"), 1);
	assert_int_equal(fixture_fields(&f, "Content-Transfer-Encoding"), 1);
	fixture_close(&f);
	fixture_open(&f, "stream \"none\" { encode = false }\n");
	fixture_send(&f, &trusted, HTML_HEAD "<a href=x>a\rb</a>\n");
	assert_false(f.mta.body_replaced);
	fixture_close(&f);
}

static void
test_pixel_is_never_text(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted, HTML_HEAD "<p>x</p><textarea>unclosed\n");
	assert_int_equal(fixture_message(&f)->npixels, 0);
	fixture_send(&f, &trusted, HTML_HEAD "</body><textarea>unclosed\n");
	assert_int_equal(fixture_message(&f)->npixels, 1);
	assert_int_equal(fixture_count(&f, "\"></body>"), 1);
	fixture_close(&f);
}

/* Its '>' must not end a tag that the text leaves open. */
static void
test_pixel_stands_before_unfinished_markup(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted, HTML_HEAD "<p>x</p><a href=\"y\n");
	assert_int_equal(fixture_count(&f, "px\"><a href=\"y\n"), 1);
	fixture_send(&f, &trusted, HTML_HEAD "<p>x</p><!-- y\n");
	assert_int_equal(fixture_count(&f, "px\"><!-- y\n"), 1);
	fixture_send(&f, &trusted, HTML_HEAD "<textarea>x</textarea y\n");
	assert_int_equal(fixture_message(&f)->npixels, 0);
	fixture_close(&f);
}

/* What follows an opt-out attribute must not join what stands before it. */
static void
test_opt_outs_leave_tags_whole(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "<a href=http://x.example/ ses:no-track/>",
		    "<a href=http://x.example/ />" },
		{ "<a href=http://x.example/ ses:no-track clicktracking='off'/>",
		    "<a href=http://x.example/ />" },
		{ "<a x clicktracking=off =y href='http://x.example/'>",
		    "<a x clicktracking=off =y href='http://x.example/'>" },
		{ "<a href='http://x.example/'clicktracking=off>",
		    "<a href='http://x.example/'>" },
		{ "<a clicktracking='off'href='http://x.example/'>",
		    "<a href='http://x.example/'>" },
		{ "<a ses:no-track  data-pm-no-track\nhref=http://x.example/>",
		    "<a\nhref=http://x.example/>" },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture_send(&f, &trusted, arena_cstr(f.arena,
		    arena_printf(f.arena, HTML_HEAD "%sx</a>\n",
			cases[i].in)));
		if (fixture_message(&f)->nlinks != 0 ||
		    fixture_count(&f, cases[i].want) != 1)
			fail_msg("%s:\n%.*s", cases[i].in, STR_ARG(f.out));
	}
	fixture_close(&f);
}

/* A token may end in "--": without quotes that would close the comment. */
static void
test_conditional_comments_stay_closed(void **state)
{
	struct fixture f;
	struct buf b;

	(void)state;
	fixture_open(&f, STREAM);
	buf_init(&b, 4 << 20);
	buf_puts(&b, HTML_HEAD);
	for (int i = 0; i < 9000; i++)
		buf_printf(&b, "<!--[if mso]><a href=http://x.example/%d%s>"
			       "x</a><![endif]-->\n", i, &"ab"[i % 3]);
	fixture_send(&f, &trusted, b.p);
	assert_int_equal(fixture_message(&f)->nlinks, 9000);
	assert_int_equal(fixture_count(&f, "-->"), 9000);
	assert_true(fixture_count(&f, "&#45;>") > 0);
	buf_free(&b);
	fixture_close(&f);
}

static void
test_number_of_links_is_bounded(void **state)
{
	struct fixture f;
	struct buf b;

	(void)state;
	fixture_open(&f, STREAM);
	buf_init(&b, 4 << 20);
	buf_puts(&b, HTML_HEAD);
	for (int i = 0; i < 10001; i++)
		buf_puts(&b, "<a href=\"http://x.example/\">x</a>\n");
	fixture_send(&f, &trusted, b.p);
	assert_int_equal(fixture_message(&f)->nlinks, 10000);
	assert_int_equal(fixture_message(&f)->nlinks_left, 1);
	assert_non_null(fixture_message(&f)->lacks);
	buf_free(&b);
	fixture_close(&f);
}

/* One part that cannot be read is no reason to leave the others. */
static void
test_unreadable_part_is_named(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted,
	    HEAD "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
		 "Content-Type: text/html\n"
		 "Content-Transfer-Encoding: x-none\n\n<a href=http://x/>x\n"
		 "--b\nContent-Type: text/html\n\n<a href=http://y/>y\n"
		 "--b--\n");
	assert_int_equal(fixture_message(&f)->nlinks, 1);
	assert_null(fixture_message(&f)->malformed);
	assert_non_null(fixture_message(&f)->lacks);
	assert_int_equal(fixture_count(&f, "<a href=http://x/>x"), 1);
	fixture_close(&f);
}

static void
test_empty_transfer_encoding(void **state)
{
	char mail[4000];
	struct fixture f;
	int n;

	(void)state;
	fixture_open(&f, STREAM);
	n = snprintf(mail, sizeof(mail), HEAD
	    "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
	    "Content-Transfer-Encoding:\nContent-Type: text/html\n\n");
	for (int i = 0; i < 8; i++)
		n += snprintf(mail + n, sizeof(mail) - (size_t)n,
		    "<a href=\"http://shop.example/%d\">x</a>", i);
	snprintf(mail + n, sizeof(mail) - (size_t)n, "\n--b--\n");
	fixture_send(&f, &trusted, mail);
	assert_int_equal(fixture_count(&f, "Content-Transfer-Encoding:"), 1);
	assert_int_equal(fixture_count(&f,
	    "\nContent-Transfer-Encoding: quoted-printable\n"), 1);
	fixture_close(&f);
}

/* Time and memory grow with the message, not with its square. */
static void
test_many_signatures_and_fields(void **state)
{
	struct fixture f;
	struct buf b;

	(void)state;
	fixture_open(&f, STREAM);
	buf_init(&b, 16 << 20);
	for (int i = 0; i < 6000; i++)
		buf_puts(&b, "DKIM-Signature: v=1; h=from:x-mc-tags\n"
			     "X-MC-Tags: a\n");
	buf_puts(&b, HEAD "\nx\n");
	fixture_send(&f, &trusted, b.p);
	assert_int_equal(fixture_message(&f)->nsignatures_removed, 6000);
	assert_int_equal(fixture_fields(&f, "DKIM-Signature"), 2);
	buf_clear(&b);
	for (int i = 0; i < 20001; i++)
		buf_puts(&b, "A:\n");
	buf_puts(&b, HEAD "\nx\n");
	fixture_send(&f, &trusted, b.p);
	assert_int_equal(f.verdict, VERDICT_REJECT);
	assert_string_equal(f.mta.reply.code, "552");
	buf_free(&b);
	fixture_close(&f);
}

/* A control field may choose a stream, not another's signature. */
static void
test_also_sign_asks_may_send(void **state)
{
	static const char extra[] =
	    "domain \"closed.example\" {\n"
	    "  tracking-url = \"https://t.closed.example\"\n"
	    "  may-send = { \"sasl-user:boss\" }\n}\n"
	    "stream \"all\" { also-sign = { \"mailer.example\" } }\n";
	struct fixture f;

	(void)state;
	fixture_open(&f, extra);
	fixture_send(&f, &trusted, HEAD "\nx\n");
	assert_int_equal(fixture_fields(&f, "DKIM-Signature"), 3);
	f.keyring->settings->domains[1].may_send =
	    f.keyring->settings->domains[2].may_send;
	f.keyring->settings->domains[1].nmay_send = 1;
	fixture_send(&f, &trusted, HEAD "\nx\n");
	assert_int_equal(fixture_fields(&f, "DKIM-Signature"), 2);
	assert_non_null(fixture_message(&f)->lacks);
	fixture_close(&f);
}

/* Text in mid-line that looks like a delimiter is none, and becomes none. */
static void
test_no_delimiter_is_made(void **state)
{
	static const char multipart[] =
	    HEAD "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
		 "Content-Type: text/html\nContent-Transfer-Encoding: ";
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted, arena_cstr(f.arena, arena_printf(f.arena,
	    "%s8bit\n\n<a href=\"http://y\"\nclicktracking=\"off\"--b\n>q"
	    "</a>\n--b--\n", multipart)));
	assert_int_equal(fixture_count(&f, "\n--b"), 2);
	for (int n = 40; n < 76; n++) {
		fixture_send(&f, &trusted, arena_cstr(f.arena,
		    arena_printf(f.arena, "%squoted-printable\n\n%0*d"
		    "{{bulkhead-unsubscribe-url}}--b\nyyyy\n--b--\n",
			multipart, n, 0)));
		assert_int_equal(fixture_message(&f)->nplaceholders, 1);
		assert_int_equal(fixture_count(&f, "\n--b"), 2);
		fixture_send(&f, &trusted, arena_cstr(f.arena,
		    arena_printf(f.arena, "%s8bit\n\n"
		    "<a href=\"http://x.example/\">y</a>%0990d\n"
		    "%0*d--b--\ntail\n--b--\n", multipart, 0, n + 20, 0)));
		assert_int_equal(fixture_message(&f)->nlinks, 1);
		assert_int_equal(fixture_count(&f, "\n--b"), 2);
	}
	fixture_close(&f);
}

/* What leaves counts: a part that became quoted-printable is no hazard. */
static void
test_hazards_are_of_what_leaves(void **state)
{
	char mail[4000];
	struct fixture f;
	int n;

	(void)state;
	fixture_open(&f, STREAM);
	n = snprintf(mail, sizeof(mail), HEAD
	    "Content-Type: text/html; charset=utf-8\n"
	    "Content-Transfer-Encoding: 8bit\n\n\xc3\xa9");
	for (int i = 0; i < 30; i++)
		n += snprintf(mail + n, sizeof(mail) - (size_t)n,
		    "<a href=\"http://shop.example/%d\">x</a>", i);
	snprintf(mail + n, sizeof(mail) - (size_t)n, "\n");
	fixture_send(&f, &trusted, mail);
	assert_int_equal(fixture_message(&f)->nlinks, 30);
	assert_int_equal(fixture_message(&f)->hazards, 0);
	fixture_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_placeholders_within_links),
		cmocka_unit_test(test_placeholder_that_nobody_fills),
		cmocka_unit_test(test_parts_that_stay),
		cmocka_unit_test(test_odd_octets_become_quoted_printable),
		cmocka_unit_test(test_pixel_is_never_text),
		cmocka_unit_test(test_pixel_stands_before_unfinished_markup),
		cmocka_unit_test(test_opt_outs_leave_tags_whole),
		cmocka_unit_test(test_conditional_comments_stay_closed),
		cmocka_unit_test(test_number_of_links_is_bounded),
		cmocka_unit_test(test_unreadable_part_is_named),
		cmocka_unit_test(test_empty_transfer_encoding),
		cmocka_unit_test(test_many_signatures_and_fields),
		cmocka_unit_test(test_also_sign_asks_may_send),
		cmocka_unit_test(test_no_delimiter_is_made),
		cmocka_unit_test(test_hazards_are_of_what_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
