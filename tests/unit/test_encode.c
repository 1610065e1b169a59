/*
 * test_encode.c - parts made fit for any hop: which ones, in which encoding,
 * what multiparts say of themselves, and what is only named.
 */
#include "fixture.h"

#include <stdio.h>

#define HEAD                                                                   \
	"From: News <news@example.com>\nTo: user@example.net\n"                \
	"Subject: Hello\nDate: Tue, 01 Dec 2026 07:00:00 +0000\n"              \
	"Message-ID: <1@example.com>\nMIME-Version: 1.0\n"

#define MIXED(more) "Content-Type: multipart/mixed; boundary=b\n" more
#define CTE "Content-Transfer-Encoding: "
#define E_ACUTE "\xc3\xa9"
#define NONE "no field"

static const struct fixture_sender trusted = { 0 };

/* fields and body as they come; coding: what the message says afterwards. */
static const struct {
	const char *name, *fields, *body, *coding, *want;
	unsigned nencoded, hazards;
} cases[] = {
	{ "plain", "", "text\n", NONE, "text\n", 0, 0 },
	{ "empty", CTE "8bit\n", "", "7bit", "", 0, 0 },
	{ "text", "Content-Type: text/plain; charset=utf-8\n" CTE "8bit\n",
	    "caf" E_ACUTE "\n", "quoted-printable", "caf=C3=A9\n", 1, 0 },
	{ "untagged, without a type", "", "caf\xe9 a = b\n",
	    "quoted-printable", "caf=E9 a =3D b\n", 1, 0 },
	{ "mostly not ASCII", "Content-Type: text/plain; charset=koi8-r\n",
	    "\xf0\xd2\xc9\xd7\xc5\xd4\n", "base64", "8NLJ18XUDQo=\n", 1, 0 },
	{ "no text", "Content-Type: image/gif\n" CTE "binary\n",
	    "GIF89a\xff line\n", "base64", "R0lGODlh/yBsaW5lDQo=\n", 1, 0 },
	{ "a type that is none", "Content-Type: html\n", "caf\xe9 a b c d e\n",
	    "base64", "Y2Fm6SBhIGIgYyBkIGUNCg==\n", 1, 0 },
	{ "UTF-16", "Content-Type: text/plain; charset=utf-16be\n",
	    "abcdefgh\xe9\n", "base64", "YWJjZGVmZ2jpDQo=\n", 1, 0 },
	{ "an attachment, too", "Content-Type: text/plain\n"
	    "Content-Disposition: attachment; filename=a.txt\n", "caf\xe9\n",
	    "quoted-printable", "caf=E9\n", 1, 0 },
	{ "8bit that is not", CTE "8bit\n", "text\n", "7bit", "text\n", 0, 0 },
	{ "binary that is not", CTE "Binary (really)\n", "text\n", "7bit",
	    "text\n", 0, 0 },
	{ "quoted-printable", CTE "quoted-printable\n", "=E9\n",
	    "quoted-printable", "=E9\n", 0, 0 },
	{ "8 bits in quoted-printable", CTE "quoted-printable\n",
	    "=E9 \xe9=\n.\n", "quoted-printable", "=E9 =E9.\n", 1, 0 },
	{ "8 bits where readers disagree", CTE "quoted-printable\n",
	    "=X \xe9\n", "quoted-printable", "=X \xe9\n", 0, HAZARD_8BIT },
	{ "8 bits in base64", CTE "base64\n", "YWJj\xe9\n", "base64",
	    "YWJj\xe9\n", 0, HAZARD_8BIT },
	{ "an encoding nobody knows", CTE "x-uuencode\n", "\xe9\n",
	    "x-uuencode", "\xe9\n", 0, HAZARD_8BIT },
	{ "inline PGP", CTE "8bit\n", "-----BEGIN PGP MESSAGE-----\n\xe9\n",
	    "8bit", "-----BEGIN PGP MESSAGE-----\n\xe9\n", 0, HAZARD_8BIT },
	{ "inline PGP in ASCII", CTE "8bit\n",
	    "-----BEGIN PGP MESSAGE-----\n", "8bit",
	    "-----BEGIN PGP MESSAGE-----\n", 0, HAZARD_8BIT },
	{ "S/MIME", "Content-Type: application/pkcs7-mime\n" CTE "binary\n",
	    "\xff\n", "binary", "\xff\n", 0, HAZARD_8BIT },
	{ "a message", "Content-Type: message/rfc822\n" CTE "8bit\n",
	    "A: b\n\n\xff\n", "8bit", "A: b\n\n\xff\n", 0, HAZARD_8BIT },

	{ "a multipart", MIXED(CTE "8bit\n"),
	    "pre\n--b\n" CTE "8bit\n\n\xe9t\xe9.\n--b--\nepi\n", "7bit",
	    "pre\n--b\n" CTE "quoted-printable\n\n=E9t=E9.\n--b--\nepi\n", 1,
	    0 },
	{ "a multipart that says nothing", MIXED(""),
	    "--b\n\n\xe9t\xe9 \n--b\n\ntext\n--b--\n", NONE,
	    "--b\n" CTE "quoted-printable\n\n=E9t=E9=20\n--b\n\ntext\n"
	    "--b--\n", 1, 0 },
	{ "no final newline, empty parts", MIXED(""),
	    "--b\n\n\n--b\n\n--b\nA: b\n--b\n\n\xe9 end--b\n--b--\n", NONE,
	    "--b\n\n\n--b\n\n--b\nA: b\n--b\n" CTE "quoted-printable\n\n"
	    "=E9 end--b\n--b--\n", 1, 0 },
	{ "a line like a delimiter", MIXED(""),
	    "--b\n\n\xe9\n--bb\n-- \n--b--\n", NONE,
	    "--b\n" CTE "quoted-printable\n\n=E9\n=2D-bb\n=2D-=20\n--b--\n", 1,
	    0 },
	{ "8bit multiparts of ASCII", MIXED(CTE "8bit\n"),
	    "--b\nContent-Type: multipart/alternative; boundary=c\n"
	    CTE "binary\n\n--c\n" CTE "8bit\n\ntext\n--c--\n\n--b--\n",
	    "7bit",
	    "--b\nContent-Type: multipart/alternative; boundary=c\n"
	    CTE "7bit\n\n--c\n" CTE "7bit\n\ntext\n--c--\n\n--b--\n", 0, 0 },
	{ "nested, a message beside", MIXED(CTE "8bit\n"),
	    "--b\nContent-Type: multipart/alternative; boundary=c\n"
	    CTE "8bit\n\n--c\n\n\xe9\n--c--\n\n--b\n"
	    "Content-Type: message/rfc822\n\nA: b\n\n\xe9\n--b--\n", "8bit",
	    "--b\nContent-Type: multipart/alternative; boundary=c\n"
	    CTE "7bit\n\n--c\n" CTE "quoted-printable\n\n=E9\n--c--\n\n--b\n"
	    "Content-Type: message/rfc822\n\nA: b\n\n\xe9\n--b--\n", 1,
	    HAZARD_8BIT },
	{ "within a signed part", MIXED(CTE "8bit\n"),
	    "--b\nContent-Type: multipart/signed; boundary=c\n" CTE "8bit\n\n"
	    "--c\n" CTE "8bit\n\ntext\n--c--\n\n--b\n\n\xe9\n--b--\n", "8bit",
	    "--b\nContent-Type: multipart/signed; boundary=c\n" CTE "8bit\n\n"
	    "--c\n" CTE "8bit\n\ntext\n--c--\n\n--b\n" CTE
	    "quoted-printable\n\n=E9\n--b--\n", 1, HAZARD_8BIT },
	{ "within a signed part that is fit",
	    "Content-Type: multipart/signed; boundary=c\n" CTE "8bit\n",
	    "--c\n\ntext\n--c--\n", "7bit", "--c\n\ntext\n--c--\n", 0, 0 },
	{ "an encrypted part",
	    "Content-Type: multipart/encrypted; boundary=c\n",
	    "--c\n\n\xe9\n--c--\n", NONE, "--c\n\n\xe9\n--c--\n", 0,
	    HAZARD_8BIT },
	{ "an attached multipart", MIXED(""),
	    "--b\nContent-Type: multipart/mixed; boundary=c\n"
	    "Content-Disposition: attachment\n\n--c\n\n\xe9\n--c--\n--b--\n",
	    NONE, "--b\nContent-Type: multipart/mixed; boundary=c\n"
	    "Content-Disposition: attachment\n\n--c\n" CTE
	    "quoted-printable\n\n=E9\n--c--\n--b--\n", 1, 0 },
	{ "8 bits between parts", MIXED(CTE "8bit\n"),
	    "\xe9\n--b\n" CTE "8bit\n\ntext\n--b--\n", "8bit",
	    "\xe9\n--b\n" CTE "7bit\n\ntext\n--b--\n", 0, HAZARD_8BIT },
	{ "8 bits behind parts", MIXED(CTE "8bit\n"),
	    "--b\n\ntext\n--b--\n\xe9\n", "8bit",
	    "--b\n\ntext\n--b--\n\xe9\n", 0, HAZARD_8BIT },
	{ "8 bits in a part's header", MIXED(CTE "8bit\n"),
	    "--b\nContent-Description: \xe9\n\ntext\n--b--\n", "8bit",
	    "--b\nContent-Description: \xe9\n\ntext\n--b--\n", 0,
	    HAZARD_8BIT },
	{ "folded and commented field", MIXED(""),
	    "--b\nContent-Transfer-encoding:\n\t8bit (x)\nA: b\n\n\xe9\n"
	    "--b--\n", NONE,
	    "--b\nContent-Transfer-encoding: quoted-printable\nA: b\n\n=E9\n"
	    "--b--\n", 1, 0 },
	{ "blanks before the colon", MIXED(""),
	    "--b\nContent-Transfer-Encoding : 8bit\n\n\xe9\n--b--\n", NONE,
	    "--b\nContent-Transfer-Encoding : 8bit\n\n\xe9\n--b--\n", 0,
	    HAZARD_8BIT },
	{ "a comment that hides the encoding from some", MIXED(""),
	    "--b\n" CTE "quoted-printable (x)\n\n=E9 \xe9\n--b--\n", NONE,
	    "--b\n" CTE "quoted-printable (x)\n\n=E9 \xe9\n--b--\n", 0,
	    HAZARD_8BIT },
	{ "the same in the header", CTE "(x) base64\n", "YWJj\xe9\n",
	    "(x) base64", "YWJj\xe9\n", 0, HAZARD_8BIT },
	{ "an encoding in any case, folded", MIXED(""),
	    "--b\n" CTE "\n\tQuoted-Printable\n\n=E9 \xe9\n--b--\n", NONE,
	    "--b\n" CTE "\n\tQuoted-Printable\n\n=E9 =E9\n--b--\n", 1, 0 },
	{ "malformed", MIXED(CTE "8bit\n"), "--b\n\n\xe9\n", "8bit",
	    "--b\n\n\xe9\n", 0, HAZARD_8BIT },
	{ "a CR alone", "Content-Type: text/plain\n", "a\rb\n",
	    "quoted-printable", "a=0Db\n", 1, 0 },
};

static struct str
field_value(const struct fixture *f, const char *name)
{
	for (size_t i = 0; i < f->mta.nfields; i++)
		if (str_ieq(f->mta.fields[i].name, str_from(name)))
			return str_trim(f->mta.fields[i].value);
	return STR(NONE);
}

static struct str
body_of(const struct fixture *f)
{
	return str_sub(f->out, str_find(f->out, STR("\n\n"), 0) + 2,
	    f->out.n);
}

static void
send(struct fixture *f, const char *fields, const char *body)
{
	fixture_send(f, &trusted, arena_cstr(f->arena,
	    arena_printf(f->arena, HEAD "%s\n%s", fields, body)));
	assert_int_equal(f->verdict, VERDICT_ACCEPT);
	assert_int_equal(fixture_fields(f, "DKIM-Signature"), 2);
}

static void
test_table(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "stream \"all\" { }\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		send(&f, cases[i].fields, cases[i].body);
		expect_str(cases[i].name, body_of(&f),
		    str_from(cases[i].want));
		expect_str(cases[i].name,
		    field_value(&f, "Content-Transfer-Encoding"),
		    str_from(cases[i].coding));
		if (fixture_message(&f)->nencoded != cases[i].nencoded ||
		    fixture_message(&f)->hazards != cases[i].hazards)
			fail_msg("%s: %u encoded, hazards %u", cases[i].name,
			    fixture_message(&f)->nencoded,
			    fixture_message(&f)->hazards);
	}
	fixture_close(&f);
}

/* Whoever does not want it, and bounces, keep what they have. */
static void
test_only_where_wanted(void **state)
{
	static const struct fixture_sender nobody = { .from = "<>" };
	static const char mail[] = HEAD CTE "8bit\n\ncaf\xe9\n";
	struct fixture f;

	(void)state;
	fixture_open(&f, "stream \"all\" { encode = false }\n");
	fixture_send(&f, &trusted, mail);
	assert_false(f.mta.body_replaced);
	assert_int_equal(fixture_message(&f)->hazards, HAZARD_8BIT);
	fixture_close(&f);
	fixture_open(&f, "");
	fixture_send(&f, &trusted, mail);
	assert_false(f.mta.body_replaced);
	assert_int_equal(fixture_message(&f)->hazards, HAZARD_8BIT);
	fixture_close(&f);
	fixture_open(&f, "stream \"all\" { }\n");
	fixture_send(&f, &nobody, mail);
	assert_int_equal(f.verdict, VERDICT_ACCEPT);
	assert_false(f.mta.body_replaced);
	assert_int_equal(fixture_message(&f)->hazards, HAZARD_8BIT);
	fixture_close(&f);
}

/* A name alone makes Postfix convert, where nothing was encoded by us. */
static void
test_hazard_of_a_name(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "stream \"all\" { encode = false }\n");
	send(&f, CTE "8bit\n", "text\n");
	assert_int_equal(fixture_message(&f)->hazards, HAZARD_8BIT);
	send(&f, CTE "7bit\n", "text\n");
	assert_int_equal(fixture_message(&f)->hazards, 0);
	fixture_close(&f);
}

static void
test_mime_version_is_there(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "stream \"all\" { }\n");
	fixture_send(&f, &trusted, "From: a@example.com\n\ncaf\xe9\n");
	expect_str("new", field_value(&f, "MIME-Version"), STR("1.0"));
	fixture_send(&f, &trusted, "From: a@example.com\n\ncafe\n");
	expect_str("none", field_value(&f, "MIME-Version"), STR(NONE));
	send(&f, "", "caf\xe9\n");
	assert_int_equal(fixture_fields(&f, "MIME-Version"), 1);
	fixture_close(&f);
}

/* Internationalized mail keeps 8 bits; what is none does not, by its name. */
static void
test_smtputf8(void **state)
{
	static const struct {
		const char *name, *from, *to, *subject, *body;
		unsigned nencoded, hazards;
	} mails[] = {
		{ "a subject", NULL, NULL, "caf" E_ACUTE, "\xe9\n", 0, 0 },
		{ "a sender", "caf" E_ACUTE "@example.com", NULL, "x",
		    "\xe9\n", 0, 0 },
		{ "a recipient", NULL, "caf" E_ACUTE "@example.net", "x",
		    "\xe9\n", 0, 0 },
		{ "ASCII but for the body", NULL, NULL, "x", "\xe9\n", 1, 0 },
		{ "a NUL", NULL, NULL, E_ACUTE, "a\rb\n", 1, 0 },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f, "stream \"all\" { }\n");
	for (size_t i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
		struct fixture_sender s = { .args = "SIZE=9 smtputf8",
			.from = mails[i].from, .to = { mails[i].to } };

		fixture_send(&f, &s, arena_cstr(f.arena, arena_printf(f.arena,
		    "From: a@example.com\nSubject: %s\n" CTE "8bit\n\n%s",
		    mails[i].subject, mails[i].body)));
		if (fixture_message(&f)->nencoded != mails[i].nencoded ||
		    fixture_message(&f)->hazards != mails[i].hazards)
			fail_msg("%s:\n%.*s", mails[i].name, STR_ARG(f.out));
	}
	fixture_close(&f);
}

/* Lines of every length around the bound, in the body and in a field. */
static void
test_long_lines(void **state)
{
	static const size_t lengths[] = { 997, 998, 999, 1000, 3000 };
	struct fixture f;

	(void)state;
	fixture_open(&f, "stream \"all\" { }\n");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		int n = (int)lengths[i];
		bool is_long = n > 998;

		send(&f, "", arena_cstr(f.arena,
		    arena_printf(f.arena, "x\n%0*d\n", n, 7)));
		assert_int_equal(fixture_message(&f)->nencoded, is_long);
		assert_int_equal(fixture_message(&f)->hazards, 0);
		send(&f, CTE "base64\n", arena_cstr(f.arena,
		    arena_printf(f.arena, "%0*d\n", n / 4 * 4 + 4, 7)));
		assert_int_equal(fixture_message(&f)->nencoded, n > 996 - 1);
		assert_int_equal(fixture_message(&f)->hazards, 0);
		send(&f, MIXED(""), arena_cstr(f.arena, arena_printf(f.arena,
		    "%0*d\n--b\n\nx\n--b--\n", n, 7)));
		assert_int_equal(fixture_message(&f)->nencoded, 0);
		assert_int_equal(fixture_message(&f)->hazards,
		    is_long ? HAZARD_BODY_LINE : 0);
	}
	fixture_close(&f);
}

static void
test_long_fields_are_folded(void **state)
{
	static const struct {
		const char *name;
		int first, second;
		bool folds;
		unsigned hazards;
	} fields[] = {
		{ "fits", 500, 489, false, 0 },
		{ "one too many", 500, 490, true, 0 },
		{ "each fits", 990, 997, true, 0 },
		{ "no blank", 1200, 0, false, HAZARD_HEADER_LINE },
		{ "not enough blanks", 1200, 500, false, HAZARD_HEADER_LINE },
	};
	struct fixture f;

	(void)state;
	fixture_open(&f, "stream \"all\" { }\n");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct str value = arena_printf(f.arena,
		    fields[i].second ? "%0*d %0*d" : "%0*d%.*d",
		    fields[i].first, 1, fields[i].second, 0);

		fixture_send(&f, &trusted, arena_cstr(f.arena,
		    arena_printf(f.arena, HEAD "X-Long: %.*s\n\nx\n",
			STR_ARG(value))));
		expect_str(fields[i].name, header_unfold(f.arena,
		    field_value(&f, "X-Long")), value);
		if ((fixture_count(&f, "1\n 0") == 1) != fields[i].folds ||
		    fixture_message(&f)->hazards != fields[i].hazards)
			fail_msg("%s: hazards %u", fields[i].name,
			    fixture_message(&f)->hazards);
	}
	fixture_close(&f);
}

/* Sendmail and Postfix count differently behind a deletion. */
static void
test_field_beside_a_deleted_one(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, "stream \"all\" { unsubscribe = one-click }\n");
	fixture_send(&f, &trusted, arena_cstr(f.arena, arena_printf(f.arena,
	    HEAD "List-Unsubscribe: <https://x.example/%0600d>,\n"
	    "List-Unsubscribe: <https://x.example/1>\n\nx\n", 0)));
	assert_int_equal(fixture_fields(&f, "List-Unsubscribe"), 1);
	fixture_send(&f, &trusted, arena_cstr(f.arena, arena_printf(f.arena,
	    HEAD "List-Unsubscribe: <https://x.example/%0600d>, "
	    "<https://x.example/%0600d>\n"
	    "List-Unsubscribe: <https://x.example/1>\n\nx\n", 0, 0)));
	assert_int_equal(fixture_fields(&f, "List-Unsubscribe"), 1);
	assert_int_equal(fixture_message(&f)->hazards, HAZARD_HEADER_LINE);
	fixture_close(&f);
}

/* One rendering: links are edited in the text that is encoded. */
static void
test_links_and_encoding_at_once(void **state)
{
	static const char html[] = MIXED(CTE "8bit\n") "\n--b\n"
	    "Content-Type: text/html; charset=utf-8\n" CTE "8bit\n\n"
	    "<a href=\"http://shop.example/\">\ncaf" E_ACUTE "</a>\n--b--\n";
	struct fixture f;

	(void)state;
	fixture_open(&f, "stream \"all\" { track = { clicks } }\n");
	send(&f, "", "");
	fixture_send(&f, &trusted, arena_cstr(f.arena,
	    arena_printf(f.arena, HEAD "%s", html)));
	assert_int_equal(fixture_message(&f)->nlinks, 1);
	assert_int_equal(fixture_message(&f)->nencoded, 1);
	assert_int_equal(fixture_message(&f)->hazards, 0);
	assert_int_equal(fixture_count(&f, "<a href=3D\"https://t.example.com"),
	    1);
	assert_int_equal(fixture_count(&f, "caf=C3=A9"), 1);
	assert_int_equal(fixture_count(&f, "8bit"), 0);
	fixture_close(&f);
}

/* Linear in size: some megabytes take no time. */
static void
test_large_parts(void **state)
{
	struct fixture f;
	struct buf b;

	(void)state;
	fixture_open(&f, "stream \"all\" { }\n");
	buf_init(&b, 64 << 20);
	buf_puts(&b, HEAD MIXED(CTE "binary\n") "\n--b\n"
	    "Content-Type: image/jpeg\n" CTE "binary\n\n");
	for (int i = 0; i < 100000; i++)
		buf_puts(&b, "\xff\xd8\xff\xe0 some octets of an image, "
			     "of which there are many\n");
	buf_puts(&b, "\n--b--\n");
	fixture_send(&f, &trusted, b.p);
	assert_int_equal(f.verdict, VERDICT_ACCEPT);
	assert_int_equal(fixture_message(&f)->nencoded, 1);
	assert_int_equal(fixture_message(&f)->hazards, 0);
	assert_true(arena_used(fixture_message(&f)->arena) < b.n * 3 / 2);
	buf_free(&b);
	fixture_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_only_where_wanted),
		cmocka_unit_test(test_hazard_of_a_name),
		cmocka_unit_test(test_mime_version_is_there),
		cmocka_unit_test(test_smtputf8),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_long_fields_are_folded),
		cmocka_unit_test(test_field_beside_a_deleted_one),
		cmocka_unit_test(test_links_and_encoding_at_once),
		cmocka_unit_test(test_large_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
