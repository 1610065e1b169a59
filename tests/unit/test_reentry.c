/*
 * test_reentry.c - mail that comes back: what is done is left alone, what was
 * forged, changed or has grown old is done anew, and nothing is done twice.
 */
#include "fixture.h"

#include <stdio.h>
#include <unistd.h>

#define STREAM                                                                 \
	"stream \"newsletter\" {\n"                                            \
	"  match { header = { \"List-Id\" } }\n"                               \
	"  unsubscribe = one-click\n"                                          \
	"  track = { clicks, opens }\n"                                        \
	"  return-path = true\n"                                               \
	"  domain = \"mailer.example\"\n"                                      \
	"  also-sign = { \"mailer.example\" }\n"                               \
	"}\n"

#define MAIL(from)                                                             \
	"From: News <" from ">\nTo: user@example.net\nSubject: Hello you\n"    \
	"Date: Tue, 01 Dec 2026 07:00:00 +0000\nMessage-ID: <1@example.com>\n" \
	"X-Mailer: yes\nList-Id: Our news <news.example.com>\n"                \
	"MIME-Version: 1.0\nContent-Type: text/html\n\n"                       \
	"<body>\n<a href=\"https://shop.example/1\">x</a>\n"                   \
	"<a href=\"https://shop.example/2\">x</a>\n"                         \
	"<a href=\"https://bank.example/\" data-pm-no-track>x</a>\n</body>\n"

static const char ours[] = MAIL("news@example.com");
static const char customers[] = MAIL("news@customer.example");
static const struct fixture_sender trusted = { 0 };

/* The first old becomes new; NULL: nothing changes. */
static const char *
changed(struct fixture *f, struct str s, const char *old, const char *new)
{
	struct str o = str_from(old);
	size_t at = old != NULL ? str_find(s, o, 0) : 0;
	struct str parts[] = { str_sub(s, 0, at), str_from(new),
		str_sub(s, at + o.n, s.n) };

	if (old != NULL && at == s.n)
		fail_msg("no %s in\n%.*s", old, STR_ARG(s));
	return arena_cstr(f->arena, arena_join(f->arena, parts, 3));
}

static void
expect_done(struct fixture *f, const char *name, const char *sent)
{
	const struct message *m = fixture_message(f);

	if (f->verdict != VERDICT_PASS || m == NULL || !m->is_already_done ||
	    strcmp(m->reason, "already signed by us") != 0)
		fail_msg("%s: not seen as done: verdict %d", name,
		    (int)f->verdict);
	expect_str(name, f->out, str_from(sent));
	expect_str(name, f->mta.sender, STR(""));
}

/* All of ours once, whatever came. */
static void
expect_made(struct fixture *f, const char *name, unsigned links)
{
	static const struct {
		const char *field;
		unsigned n;
	} fields[] = { { "DKIM-Signature", 3 }, { "List-Unsubscribe", 1 },
		{ "List-Unsubscribe-Post", 1 }, { "Feedback-ID", 1 },
		{ "CFBL-Address", 1 }, { "Message-ID", 1 } };

	if (f->verdict != VERDICT_ACCEPT || fixture_message(f)->is_already_done)
		fail_msg("%s: verdict %d", name, (int)f->verdict);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fixture_fields(f, fields[i].field) != fields[i].n)
			fail_msg("%s: %s:\n%.*s", name, fields[i].field,
			    STR_ARG(f->out));
	if (fixture_count(f, "https://t.example.com/o/") != 1 ||
	    fixture_count(f, "<img") != 1 ||
	    fixture_count(f, "https://t.example.com/c/") != links)
		fail_msg("%s: links or pixels:\n%.*s", name, STR_ARG(f->out));
}

/* As after the first pass: the third link opted out. */
static void
expect_once(struct fixture *f, const char *name)
{
	expect_made(f, name, 2);
	assert_int_equal(fixture_count(f, "\"https://bank.example/\""), 1);
}

/* Sends what would leave once more: it must be seen as done. */
static void
expect_settled(struct fixture *f, const char *name)
{
	const char *sent = changed(f, f->out, NULL, "");

	fixture_send(f, &trusted, sent);
	expect_done(f, name, sent);
}

/* What lies between us and us, and whether we are to notice. */
static const struct {
	const char *name, *old, *new;
	bool is_done;
} journeys[] = {
	{ "nothing", NULL, "", true },
	{ "a filter's trace", NULL,
	    "X-Virus-Scanned: amavisd-new\nReceived: from x by y;\n"
	    "\tTue, 01 Dec 2026 07:00:00 +0000\n", true },
	{ "a field that nobody signs", "X-Mailer: yes", "X-Mailer: no", true },
	{ "folded anew", "Our news", "Our\n\tnews", true },
	{ "control fields", "X-Mailer: yes",
	    "X-Bulkhead-Track: none\nX-Bulkhead-Stream: nonsense", true },
	{ "a stranger's signature", NULL,
	    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;"
	    " d=example.org; s=s2026a; t=1796112000; h=from; bh=AAAA; b=AAAA\n",
	    true },
	{ "a mark in Subject", "Hello you", "[SPAM] Hello you", false },
	{ "another display name", "From: News", "From: Olds", false },
	{ "another -Post", "List-Unsubscribe=One-Click", "none", false },
	{ "a footer", "</body>", "<p>scanned</p></body>", false },
	{ "a footer with a link", "</body>",
	    "<a href=\"https://filter.example/\">scanned</a></body>", false },
	{ "a pixel of a filter", "<body>", "<body><p style=\"background: "
	    "url(https://filter.example/)\">", false },
};

static void
test_journeys(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	for (size_t i = 0; i < sizeof(journeys) / sizeof(journeys[0]); i++) {
		const char *sent;

		fixture_send(&f, &trusted, ours);
		expect_once(&f, "first");
		sent = changed(&f, f.out, journeys[i].old, journeys[i].new);
		f.later = 3600;
		fixture_send(&f, &trusted, sent);
		if (journeys[i].is_done) {
			expect_done(&f, journeys[i].name, sent);
		} else {
			expect_once(&f, journeys[i].name);
			assert_int_equal(
			    fixture_message(&f)->nsignatures_removed, 3);
			expect_settled(&f, journeys[i].name);
		}
		f.later = 0;
	}
	fixture_close(&f);
}

/* One good signature of ours is enough; none is not. */
static void
test_broken_signatures(void **state)
{
	struct fixture f;
	const char *sent;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted, ours);
	sent = changed(&f, f.out, "\tb=", "\tb=AAAA");
	fixture_send(&f, &trusted, sent);
	expect_done(&f, "RSA broken", sent);
	sent = changed(&f, str_from(sent), "\tb=AAAA", "\tb=BBBB");
	sent = changed(&f, str_from(sent), "s=e2026a", "s=e2025a");
	fixture_send(&f, &trusted, sent);
	/* the key of e2025a is not here: its signature may be good */
	assert_int_equal(f.verdict, VERDICT_ACCEPT);
	assert_int_equal(fixture_fields(&f, "DKIM-Signature"), 4);
	assert_int_equal(fixture_message(&f)->nsignatures_removed, 2);
	assert_int_equal(fixture_count(&f, "s=e2025a;"), 1);
	assert_int_equal(fixture_count(&f, "b=BBBB"), 0);
	expect_settled(&f, "signed anew");
	fixture_close(&f);
}

/* The one of the service on a customer's mail says nothing of the customer. */
static void
test_only_the_domain_counts(void **state)
{
	struct fixture f;
	const char *sent;
	size_t at;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted, ours);
	at = str_find(f.out, STR("d=mailer.example"), 0);
	while (!str_starts(str_sub(f.out, at, f.out.n),
	    STR("DKIM-Signature:")))
		at--;
	sent = changed(&f, str_sub(f.out, at, f.out.n), NULL, "");
	assert_null(strstr(sent, "d=example.com"));
	fixture_send(&f, &trusted, sent);
	/* nothing says that it was ours: the mark of the third link is gone */
	expect_made(&f, "the service's alone", 3);
	fixture_close(&f);
}

/* A domain without a section: whoever signs for such ones. */
static void
test_domains_without_section(void **state)
{
	struct fixture f;
	const char *sent;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted, customers);
	assert_int_equal(f.verdict, VERDICT_ACCEPT);
	assert_int_equal(fixture_fields(&f, "DKIM-Signature"), 1);
	/* it would match no stream now */
	sent = changed(&f, f.out, NULL, "Received: x\n");
	fixture_send(&f, &trusted, sent);
	expect_done(&f, "the stream's domain", sent);
	expect_str("domain", fixture_message(&f)->domain->name,
	    STR("mailer.example"));
	sent = changed(&f, f.out, "news@customer", "news@costumer");
	fixture_send(&f, &trusted, sent);
	assert_int_equal(f.verdict, VERDICT_ACCEPT);
	assert_int_equal(fixture_fields(&f, "DKIM-Signature"), 1);
	fixture_close(&f);
}

/* The same keys, and a stream that names no domain. */
static void
change_streams(struct fixture *f)
{
	char path[96], text[8192];
	struct settings *s;
	struct buf errors;
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/conf", f->dir);
	file = fopen(path, "r+");
	assert_non_null(file);
	n = fread(text, 1, sizeof(text), file);
	n = str_find(str_make(text, n), STR("stream \""), 0);
	assert_int_equal(ftruncate(fileno(file), (off_t)n), 0);
	fseek(file, 0, SEEK_END);
	fputs("stream \"plain\" { }\n", file);
	fclose(file);
	buf_init(&errors, 65536);
	s = settings_load(path, &errors);
	assert_non_null(s);
	keyring_free(&f->keyring);
	f->keyring = keyring_load(s, KEYRING_DKIM, &errors);
	assert_non_null(f->keyring);
	settings_free(&s);
	buf_free(&errors);
}

/* Without such a stream the service's key has no say. */
static void
test_service_that_signs_for_nobody(void **state)
{
	struct fixture f;
	const char *sent;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted, customers);
	sent = changed(&f, f.out, NULL, "");
	fixture_send(&f, &trusted, sent);
	expect_done(&f, "with it", sent);
	change_streams(&f);
	fixture_send(&f, &trusted, sent);
	assert_int_equal(f.verdict, VERDICT_PASS);
	assert_string_equal(fixture_message(&f)->reason,
	    "no domain section covers its From");
	assert_false(fixture_message(&f)->is_already_done);
	fixture_close(&f);
}

static void
test_age(void **state)
{
	static const struct {
		int64_t later;
		bool is_done;
	} cases[] = { { 0, true }, { 7 * 86400, true },
		{ 7 * 86400 + 1, false }, { 400 * INT64_C(86400), false },
		{ -3600, true }, { -3601, false } };
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *sent;

		f.later = 0;
		fixture_send(&f, &trusted, ours);
		sent = changed(&f, f.out, NULL, "");
		f.later = cases[i].later;
		fixture_send(&f, &trusted, sent);
		if (cases[i].is_done)
			expect_done(&f, "young", sent);
		else
			expect_once(&f, "old");
	}
	fixture_close(&f);
}

/* A next hop with the same names but keys of its own does its own work. */
static void
test_other_installation(void **state)
{
	struct fixture f, g;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_open(&g, STREAM);
	fixture_send(&f, &trusted, ours);
	fixture_send(&g, &trusted, changed(&f, f.out, NULL, ""));
	expect_once(&g, "other keys");
	expect_settled(&g, "other keys");
	fixture_close(&f);
	fixture_close(&g);
}

static void
test_who_hands_it_back(void **state)
{
	static const struct fixture_sender senders[] = {
		{ .client = "127.0.0.1" },
		{ .from = "<>" },
		{ .client = "203.0.113.9", .sasl_user = "news@example.com" },
		{ .is_sendmail = true },
		{ .to = { "a@example.net", "b@example.net" } },
	};
	static const struct fixture_sender stranger = {
		.client = "203.0.113.9" };
	struct fixture f;
	const char *sent;

	(void)state;
	fixture_open(&f, STREAM);
	fixture_send(&f, &trusted, ours);
	sent = changed(&f, f.out, NULL, "");
	for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
		fixture_send(&f, &senders[i], sent);
		expect_done(&f, "who", sent);
	}
	fixture_send(&f, &stranger, sent);
	assert_int_equal(f.verdict, VERDICT_PASS);
	assert_null(fixture_message(&f));
	expect_str("stranger", f.out, str_from(sent));
	fixture_close(&f);
}

/* Only so many are tried, and those of others do not count. */
static void
test_tries_are_bounded(void **state)
{
	static const struct {
		const char *signature;
		unsigned n;
		bool is_done;
	} cases[] = {
		{ "d=example.com; s=s2026a", 7, true },
		{ "d=example.com; s=s2026a", 8, false },
		{ "d=example.com; s=s2025a", 50, true },
		{ "d=example.org; s=s2026a", 50, true },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;

		fixture_send(&f, &trusted, ours);
		buf_init(&b, 1 << 20);
		for (unsigned j = 0; j < cases[i].n; j++)
			buf_printf(&b, "DKIM-Signature: v=1; a=rsa-sha256;\n"
			    "\tc=relaxed/relaxed; %s; t=1796112000; h=From;\n"
			    "\tbh=AAAA; b=AAAA\n", cases[i].signature);
		buf_str(&b, f.out);
		fixture_send(&f, &trusted, b.p);
		if (cases[i].is_done)
			expect_done(&f, cases[i].signature, b.p);
		else
			expect_once(&f, cases[i].signature);
		buf_free(&b);
	}
	fixture_close(&f);
}

/* The local part of the address behind that text, in what would leave. */
static char *
local_behind(struct fixture *f, struct str text, const char *before)
{
	size_t at = str_find(text, str_from(before), 0) + strlen(before);

	return arena_cstr(f->arena,
	    str_sub(text, at, str_chr(text, '@', at)));
}

/* Links are left where a token of ours stands among them, and only there. */
static void
test_links_of_what_was_ours(void **state)
{
	static const struct {
		const char *name, *start, *behind;
		unsigned links;
	} cases[] = {
		{ "a link of ours", "https://t.example.com/c/", "", 0 },
		{ "a pixel of ours", "https://t.example.com/o/", "", 0 },
		{ "an unsubscribe link", "https://t.example.com/u/", "", 0 },
		{ "no token", "https://t.example.com/x/", "", 1 },
		{ "too much", "https://t.example.com/c/", "A", 1 },
		{ "the host alone", "https://t.example.com?", "", 1 },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str url = str_from(cases[i].start);
		size_t head;

		fixture_send(&f, &trusted, ours);
		if (str_find(f.out, url, 0) < f.out.n)
			url = fixture_url(&f, cases[i].start);
		head = str_find(f.out, STR("\n\n"), 0);
		fixture_send(&f, &trusted, arena_cstr(f.arena,
		    arena_printf(f.arena, "%.*s\n\n<p title=\"%.*s%s\">\n"
			"<a href=\"https://new.example/\">x</a>\n",
			STR_ARG(str_sub(f.out, 0, head)), STR_ARG(url),
			cases[i].behind)));
		if (!fixture_message(&f)->was_ours ||
		    fixture_message(&f)->nlinks != cases[i].links)
			fail_msg("%s:\n%.*s", cases[i].name, STR_ARG(f.out));
	}
	/* the same in mail that never was ours: a link among others */
	fixture_send(&f, &trusted, ours);
	fixture_send(&f, &trusted, changed(&f, str_from(ours), "</body>",
	    arena_cstr(f.arena, fixture_url(&f, "https://t.example.com/c/"))));
	assert_int_equal(fixture_message(&f)->nlinks, 2);
	fixture_close(&f);
}

/* What came back changed keeps a sender of ours, and no other. */
static void
test_return_path(void **state)
{
	static const struct {
		const char *name, *domain;
		bool is_forged, is_complaint, is_kept;
	} cases[] = {
		{ "ours", "b.example.com", false, false, true },
		{ "ours in capitals", "B.EXAMPLE.COM", false, false, true },
		{ "forged", "b.example.com", true, false, false },
		{ "a complaint address", "b.example.com", false, true, false },
		{ "elsewhere", "b.mailer.example", false, false, false },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture_sender again = { 0 };
		char *local;

		f.later = 0;
		fixture_send(&f, &trusted, ours);
		local = cases[i].is_complaint ?
		    local_behind(&f, f.out, "CFBL-Address: ") :
		    local_behind(&f, f.mta.sender, "<");
		if (cases[i].is_forged)
			local[8] = local[8] == 'a' ? 'b' : 'a';
		again.from = arena_cstr(f.arena, arena_printf(f.arena,
		    "%s@%s", local, cases[i].domain));
		f.later = 2 * 86400;
		fixture_send(&f, &again,
		    changed(&f, f.out, "</body>", "<p>scanned</p></body>"));
		expect_once(&f, cases[i].name);
		if ((f.mta.sender.n == 0) != cases[i].is_kept)
			fail_msg("%s: sender %.*s", cases[i].name,
			    STR_ARG(f.mta.sender));
	}
	fixture_close(&f);
}

/* Which image counts as our pixel. */
static void
test_pixels(void **state)
{
	static const struct {
		const char *html;
		unsigned added;
	} cases[] = {
		{ "<img src=\"https://t.example.com/o/AAAA.gif\">", 0 },
		{ "<IMG width=1 SRC=https://t.example.com/o/AAAA.gif>", 0 },
		{ "<img src=\"https://t.example.com/logo.png\">", 1 },
		{ "<img src=\"https://t.example.com.example.org/o/A\">", 1 },
		{ "<img src=\"https://t.example.com\">", 1 },
		{ "<img alt=\"https://t.example.com/o/AAAA.gif\">", 1 },
		{ "<img src=\"cid:1\" src=\"https://t.example.com/o/A\">", 1 },
		{ "<b src=\"https://t.example.com/o/AAAA.gif\">", 1 },
		{ "<!-- <img src=\"https://t.example.com/o/AAAA.gif\"> -->",
		    1 },
		{ "<!--[if mso]><img src=\"https://t.example.com/o/A.gif\">"
		  "<![endif]-->", 1 },
		{ "<a href=\"https://t.example.com/o/AAAA.gif\">x</a>", 1 },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f, STREAM);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture_send(&f, &trusted,
		    changed(&f, str_from(ours), "</body>", cases[i].html));
		if (fixture_message(&f)->npixels != cases[i].added)
			fail_msg("%s:\n%.*s", cases[i].html, STR_ARG(f.out));
	}
	fixture_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_journeys),
		cmocka_unit_test(test_broken_signatures),
		cmocka_unit_test(test_only_the_domain_counts),
		cmocka_unit_test(test_domains_without_section),
		cmocka_unit_test(test_service_that_signs_for_nobody),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_other_installation),
		cmocka_unit_test(test_who_hands_it_back),
		cmocka_unit_test(test_tries_are_bounded),
		cmocka_unit_test(test_links_of_what_was_ours),
		cmocka_unit_test(test_return_path),
		cmocka_unit_test(test_pixels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
