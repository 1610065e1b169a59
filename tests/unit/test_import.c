/*
 * test_import.c - what lists of other services say: words, dates, names,
 * records of CSV and JSON, and the bytes that are sorted.
 */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/import.h"

/* ---- values ---- */

static void
test_reasons(void **state)
{
	static const struct {
		const char *text;
		int want; /* 0: none */
	} cases[] = {
		{ "BOUNCE", SUPPRESS_HARD_BOUNCE },
		{ "COMPLAINT", SUPPRESS_COMPLAINT },
		{ "HardBounce", SUPPRESS_HARD_BOUNCE },
		{ "hard-bounce", SUPPRESS_HARD_BOUNCE },
		{ "soft_bounces", SUPPRESS_SOFT_BOUNCES },
		{ "Spam Complaint", SUPPRESS_COMPLAINT },
		{ "List Unsubscribe", SUPPRESS_UNSUBSCRIBE },
		{ "Unsubscribe Link", SUPPRESS_UNSUBSCRIBE },
		{ "Bounce Rule", SUPPRESS_HARD_BOUNCE },
		{ "Manually Added", SUPPRESS_MANUAL },
		{ "too many soft fails", SUPPRESS_SOFT_BOUNCES },
		{ "manual", SUPPRESS_MANUAL },
		{ "import", SUPPRESS_IMPORT },
		{ "abuse", SUPPRESS_COMPLAINT },
		{ "unsubscribes", SUPPRESS_UNSUBSCRIBE },
		{ "", 0 },
		{ "-", 0 },
		{ "x", 0 },
		{ "unsubscribedd", 0 },
		{ "550 5.1.1 no such user", 0 },
		{ "a word that is longer than any we know of", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new();
		enum suppress_reason got = 0;
		int rc = import_reason_parse(exact(a, str_from(cases[i].text)),
		    &got);

		if (rc != (cases[i].want != 0 ? 0 : -1) ||
		    (rc == 0 && (int)got != cases[i].want))
			fail_msg("%s: %d, reason %d", cases[i].text, rc,
			    (int)got);
		arena_free(&a);
	}
}

/* Every name of ours is a word, too: our exports come back. */
static void
test_own_reasons(void **state)
{
	(void)state;
	for (int i = 1; i < 7; i++) {
		enum suppress_reason got = 0;
		const char *name =
		    suppress_reason_name((enum suppress_reason)i);

		assert_int_equal(import_reason_parse(str_from(name), &got), 0);
		assert_int_equal(got, i);
	}
}

static void
test_dates(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* 0: none */
	} cases[] = {
		{ "2020-04-10T21:03:05Z", 1586552585 },
		{ "2020-04-10T17:03:05-04:00", 1586552585 },
		{ "2020-04-10T17:03:05.077000-0400", 1586552585 },
		{ "2020-04-10 21:03:05", 1586552585 },
		{ "2020-04-10 21:03:05.99999", 1586552585 },
		{ "2020-04-10 21:03:05 UTC", 1586552585 },
		{ "2020-04-10 21:03:05 +0000 UTC", 1586552585 },
		{ "2020-04-10 17:03:05 -0400 EDT", 1586552585 },
		{ "2020-04-10 17:03:05 -04:00=", 0 },
		{ "2020-04-10 21:03", 1586552580 },
		{ "2020-04-10", 1586476800 },
		{ "2020/04/10", 1586476800 },
		{ "2020-4-1", 1585699200 },
		{ "10.04.2020", 1586476800 },
		{ "10.4.2020 21:03:05", 1586552585 },
		{ "1586552585", 1586552585 },
		{ "1586552585.077", 1586552585 },
		{ "1586552585077", 1586552585 },
		{ "1586552585077000", 1586552585 },
		{ "1586552585077000000", 1586552585 },
		{ "Fri, 10 Apr 2020 21:03:05 GMT", 1586552585 },
		{ "Fri, 10 Apr 2020 21:03:05 UTC", 1586552585 },
		{ "Fri, 10 Apr 2020 17:03:05 -0400", 1586552585 },
		{ "Fri, 10 Apr 2020 17:03:05 -0400 (EDT)", 1586552585 },
		{ "10 Apr 2020 21:03:05 +0000", 1586552585 },
		{ "10-Apr-2020 21:03:05", 1586552585 },
		{ "Apr 10, 2020 9:03:05 PM", 1586552585 },
		{ "April 10, 2020, 9:03 pm", 1586552580 },
		{ "Apr 10, 2020 12:00:00 AM", 1586476800 },
		{ "  2020-04-10T21:03:05Z ", 1586552585 },
		{ "2020-02-29", 1582934400 },
		{ "2021-02-29", 0 },
		{ "2020-13-01", 0 },
		{ "2020-04-31", 0 },
		{ "2020-00-10", 0 },
		{ "2020-04-10T25:00:00Z", 0 },
		{ "2020-04-10T21:60:00Z", 0 },
		{ "2020-04-10T21:03:05+25:00", 0 },
		{ "2020-04-10T21:03:05Q", 0 },
		{ "Apr 10, 2020 13:00 PM", 0 },
		{ "04/10/2020", 1586476800 }, /* as in America */
		{ "4/10/2020 9:03:05 PM", 1586552585 },
		{ "4/10/2020, 21:03", 1586552580 },
		{ "13/04/2020", 1586736000 },
		{ "04/13/2020", 1586736000 },
		{ "13-04-2020", 1586736000 },
		{ "04-13-2020", 1586736000 },
		{ "10-04-2020 21:03:05", 1586552585 },
		{ "13/13/2020", 0 },
		{ "4/31/2020", 0 },
		{ "0/10/2020", 0 },
		{ "4/10/20  ", 0 }, /* of which century? */
		{ "4/10-2020", 0 },
		{ "12345678", 0 },   /* a number of something */
		{ "20200410", 0 },
		{ "", 0 },
		{ "never ever", 0 },
		{ "Fri, ", 0 },
		{ "Foo 10, 2020 ", 0 },
		{ "1969-12-31", 0 },
		{ "1970-01-01T00:00:00+10:00", 0 },
		{ "99999999999999999999999", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new();
		int64_t got = 0;
		int rc = import_date_parse(exact(a, str_from(cases[i].text)),
		    &got);

		if ((rc == 0) != (cases[i].want != 0) ||
		    (rc == 0 && got != cases[i].want))
			fail_msg("\"%s\": %d, %lld", cases[i].text, rc,
			    (long long)got);
		arena_free(&a);
	}
}

/* The short way and the long way to the normal form lead to the same. */
static void
test_normal_forms(void **state)
{
	static const char alphabet[] = "aZ9.@-+_= \"(\xc3";
	uint64_t r = 88172645463325252u;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct arena *a = arena_new();
		char text[16];
		size_t n;
		struct str plain, angle;

		r ^= r << 13;
		r ^= r >> 7;
		r ^= r << 17;
		n = r % 13;
		for (size_t j = 0; j < n; j++)
			text[j] = alphabet[(r >> (5 * j % 60)) % 13];
		plain = exact(a, str_make(text, n));
		angle = arena_printf(a, "<%.*s>", STR_ARG(plain));
		if (n > 0)
			expect_str(arena_cstr(a, plain),
			    suppress_normal(a, plain),
			    suppress_normal(a, angle));
		arena_free(&a);
	}
}

/* ---- names ---- */

static size_t
split_names(struct str text, struct str *out)
{
	size_t n = 0;

	while (text.n > 0) {
		size_t end = str_chr(text, ',', 0);

		out[n++] = str_sub(text, 0, end);
		text = str_sub(text, end + 1, text.n);
	}
	return n;
}

static void
test_kinds(void **state)
{
	static const struct {
		const char *names, *container, *file, *from, *want;
	} cases[] = {
		{ "EmailAddress,Reason,LastUpdateTime",
		    "suppresseddestinationsummaries", "", "", "ses/" },
		{ "emailAddress,reason", "", "", "", "ses/job" },
		{ "EmailAddress,SuppressionReason,Origin,CreatedAt", "", "", "",
		    "postmark/" },
		{ "status,reason,email,created", "", "suppression_bounces.csv",
		    "", "sendgrid/bounces" },
		{ "created,email,reason,status", "", "BLOCKS.json", "",
		    "sendgrid/blocks" },
		{ "created,email,reason,status", "", "x", "",
		    "sendgrid/bounces or blocks" },
		{ "created,email,reason,status", "", "x", "sendgrid-blocks",
		    "sendgrid/blocks" },
		{ "created,email,reason,status", "", "x", "SendGrid-Bounces",
		    "sendgrid/bounces" },
		{ "email,created", "", "", "", "sendgrid/global-unsubscribes" },
		{ "email,created", "", "suppression_spam_reports", "",
		    "sendgrid/spam-reports" },
		{ "email,created,name", "", "", "", "" },
		{ "email,created", "", "", "mailgun", "" },
		{ "address,code,error,created_at", "items", "", "",
		    "mailgun/bounces" },
		{ "address,created_at", "items", "", "",
		    "mailgun/complaints" },
		{ "address,tags,created_at", "items", "", "",
		    "mailgun/unsubscribes" },
		{ "recipient,type,source,description", "", "", "",
		    "sparkpost/" },
		{ "recipient,type,description", "", "", "", "sparkpost/" },
		{ "Email Address,First Name,UNSUB_TIME,LEID", "", "", "",
		    "mailchimp/unsubscribed" },
		{ "Email Address,First Name,CLEAN_TIME,LEID", "", "", "",
		    "mailchimp/cleaned" },
		{ "Email Address,OPTIN_TIME,LEID", "", "subscribed.csv", "",
		    "mailchimp/subscribed" },
		{ "Email Address,LEID", "", "cleaned_members", "",
		    "mailchimp/cleaned" },
		{ "id,type,address,reason,timestamp,keep_until", "", "", "",
		    "postal/" },
		{ "address,scope,reason,created,expires,source,evidence", "",
		    "", "", "bulkhead/" },
		{ "email,reason,detail,created_at", "", "", "", "mandrill/" },
		{ "name,town", "", "", "", "" },
		{ "email", "", "", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str names[16];
		char got[64] = "";
		const struct import_kind *k = import_kind_find(names,
		    split_names(str_from(cases[i].names), names),
		    str_from(cases[i].container), str_from(cases[i].file),
		    str_from(cases[i].from));

		if (k != NULL)
			snprintf(got, sizeof(got), "%s/%s", k->service,
			    k->kind != NULL ? k->kind : "");
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s in \"%s\": \"%s\", want \"%s\"",
			    cases[i].names, cases[i].file, got,
			    cases[i].want);
	}
	assert_true(import_kind_is_known(STR("ses")));
	assert_true(import_kind_is_known(STR("sendgrid-spam-reports")));
	assert_false(import_kind_is_known(STR("sendgrid-x")));
	assert_false(import_kind_is_known(STR("mailgun-allowlist")));
	assert_false(import_kind_is_known(STR("s")));
	assert_false(import_kind_is_known(STR("")));
}

static void
test_roles(void **state)
{
	struct str names[8];
	enum import_role roles[8];
	size_t n = split_names(STR("Created At,Note,E-Mail,Mail,Type"), names);

	(void)state;
	assert_true(import_kind_guess(names, n, roles));
	assert_int_equal(roles[0], ROLE_CREATED);
	assert_int_equal(roles[1], ROLE_EVIDENCE);
	assert_int_equal(roles[2], ROLE_ADDRESS);
	assert_int_equal(roles[3], ROLE_NONE);
	assert_int_equal(roles[4], ROLE_REASON);
	assert_false(import_kind_guess(names, 2, roles));
	n = split_names(STR("7,a@b.example,bounce,2020-01-01,c@d.example"),
	    names);
	assert_true(import_kind_guess_values(names, n, roles));
	assert_int_equal(roles[0], ROLE_NONE);
	assert_int_equal(roles[1], ROLE_ADDRESS);
	assert_int_equal(roles[2], ROLE_REASON);
	assert_int_equal(roles[3], ROLE_CREATED);
	assert_int_equal(roles[4], ROLE_NONE);
	assert_false(import_kind_guess_values(names, 1, roles));
}

/* ---- records ---- */

/* A file without a name that holds the text. */
static int
file_of(struct str text)
{
	char path[] = "/tmp/test-import-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(file_write_all(fd, text), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* In pieces of any size the same comes out. */
static void
test_utf16(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		const char *want;
	} cases[] = {
		{ "\xff\xfe" "a\0b\0", 6, "\xef\xbb\xbf" "ab" },
		{ "\xfe\xff" "\0a\0b", 6, "\xef\xbb\xbf" "ab" },
		{ "a\0b\0\xe4\0", 6, "ab\xc3\xa4" },
		{ "\0a\0b \xac", 6, "ab\xe2\x82\xac" },
		{ "a\0b\0\x3d\xd8\x00\xde", 8, "ab\xf0\x9f\x98\x80" },
		/* halves without the other one, and an octet too many */
		{ "a\0b\0\x00\xde" "c\0", 8, "ab\xef\xbf\xbd" "c" },
		{ "a\0b\0\x3d\xd8" "c\0", 8, "ab\xef\xbf\xbd" "c" },
		{ "a\0b\0\x3d\xd8\x3d\xd8\x00\xde", 10,
		    "ab\xef\xbf\xbd\xf0\x9f\x98\x80" },
		{ "a\0b\0\x3d\xd8", 6, "ab" },
		{ "a\0b\0c", 5, "ab" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t step = 1; step <= cases[i].n; step++) {
			struct arena *a = arena_new();
			struct str in = exact(a,
			    str_make(cases[i].text, cases[i].n));
			struct import_utf16 u;
			char got[64];
			size_t n = 0;

			import_utf16_begin(&u, in.p, in.n);
			assert_int_not_equal(u.order, UTF16_NONE);
			for (size_t at = 0; at < in.n; at += step) {
				struct str piece = exact(a,
				    str_sub(in, at, at + step));

				n += import_utf16_convert(&u, piece.p, piece.n,
				    got + n);
				assert_true(n < sizeof(got));
			}
			got[n] = '\0';
			assert_string_equal(got, cases[i].want);
			arena_free(&a);
		}
}

/* What is no UTF-16 is left alone. */
static void
test_not_utf16(void **state)
{
	static const struct str cases[] = { { "", 0 }, { "a", 1 },
		{ "\xef\xbb\xbf" "a", 4 }, { "ab\0c", 4 }, { "\0\0\0\0", 4 },
		{ "a\0", 2 }, { "\0a\0\0", 4 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct import_utf16 u;

		import_utf16_begin(&u, cases[i].p, cases[i].n);
		assert_int_equal(u.order, UTF16_NONE);
	}
}

/* "LINE:field|field;" for each record, "LINE:!;" for a bad one. */
static void
dump_csv(struct str text, char delimiter, struct buf *out)
{
	struct import_input in;
	struct import_fields f;
	const char *cause;
	uint64_t line;
	enum import_got got;
	int fd = file_of(text);

	import_input_open(&in, fd);
	while ((got = import_csv_next(&in, delimiter, &f, &line, &cause)) !=
	    IMPORT_END) {
		assert_int_not_equal(got, IMPORT_ERROR);
		buf_printf(out, "%u:", (unsigned)line);
		for (size_t i = 0; i < f.n && got == IMPORT_ROW; i++)
			buf_printf(out, "%s%.*s", i > 0 ? "|" : "",
			    STR_ARG(f.v[i]));
		buf_puts(out, got == IMPORT_BAD ? "!;" : ";");
	}
	assert_int_equal(in.nread, text.n);
	import_input_close(&in);
	close(fd);
}

static void
test_csv(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "a", "1:a;" },
		{ "a,b\nc,d\n", "1:a|b;2:c|d;" },
		{ "a,b\r\nc,d", "1:a|b;2:c|d;" },
		{ "\n\na\n", "1:;2:;3:a;" },
		{ ",\n", "1:|;" },
		{ " a , b \n", "1:a|b;" },
		{ "\"a\",\"b\"\n", "1:a|b;" },
		{ "\"a,b\",c\n", "1:a,b|c;" },
		{ "\"a\"\"b\"\"\",c\n", "1:a\"b\"|c;" },
		{ "\"\",\"\"\"\"\n", "1:|\";" },
		{ "\"a\nb\",c\nd\n", "1:a\nb|c;3:d;" },
		{ "\"a\r\nb\",c\r\nd\r\n", "1:a\r\nb|c;3:d;" },
		{ " \"a\" ,b\n", "1:a|b;" },
		{ "a\"b,c\n", "1:a\"b|c;" },
		{ "5'10\",x\n", "1:5'10\"|x;" },
		{ "\"a\"junk,b\n", "1:a|b;" },
		{ "\"a\nb\nc\n", "1:!;2:b;3:c;" },
		{ "\"a\nb\n\"c\",d\n", "1:!;2:b;3:c|d;" },
		{ "x\n\"a", "1:x;2:!;" },
		{ "\"", "1:!;" },
		{ "a;b,c\n", "1:a;b|c;" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out;

		buf_init(&out, 65536);
		dump_csv(str_from(cases[i].text), ',', &out);
		expect_str(cases[i].text, buf_view(&out),
		    str_from(cases[i].want));
		buf_free(&out);
	}
}

/* Records that lie across the blocks in which the file is read. */
static void
test_csv_long(void **state)
{
	struct buf text, out, want;
	char *x = mem_alloc(70000);

	(void)state;
	memset(x, 'x', 70000);
	buf_init(&text, 64 << 20);
	buf_init(&out, 64 << 20);
	buf_init(&want, 64 << 20);
	for (unsigned i = 0; i < 40; i++) {
		int n = (int)(60000 + i * 131);

		buf_printf(&text, "\"%.*s\ny\",%u\nz,%u\n", n, x, i, i);
		buf_printf(&want, "%u:%.*s\ny|%u;%u:z|%u;", 1 + i * 3, n, x, i,
		    3 + i * 3, i);
	}
	buf_printf(&text, "%.*s\nafter\n\"%.*s\nafter\n", 70000, x, 70000, x);
	buf_puts(&want, "121:!;122:after;123:!;124:after;");
	dump_csv(buf_view(&text), ',', &out);
	assert_true(str_eq(buf_view(&out), buf_view(&want)));
	buf_free(&text);
	buf_free(&out);
	buf_free(&want);
	free(x);
}

/* "NUMBER@LINE container name=value|...;" for each record. */
static void
dump_json(struct str text, struct buf *out)
{
	struct import_input in;
	struct import_json j;
	struct import_object o;
	const char *cause;
	uint64_t line;
	enum import_got got;
	int fd = file_of(text), n = 0;

	import_input_open(&in, fd);
	import_json_open(&j, &in);
	while ((got = import_json_next(&j, &o, &line, &cause)) != IMPORT_END) {
		assert_int_not_equal(got, IMPORT_ERROR);
		assert_true(n++ < 1000);
		buf_printf(out, "%u %s ", (unsigned)line, j.container);
		for (size_t i = 0; i < o.n && got == IMPORT_ROW; i++)
			buf_printf(out, "%s%.*s=%.*s", i > 0 ? "|" : "",
			    STR_ARG(o.v[i].name), STR_ARG(o.v[i].value));
		buf_puts(out, got == IMPORT_BAD ? "!;" : ";");
	}
	import_json_close(&j);
	import_input_close(&in);
	close(fd);
}

static void
test_json(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "[]", "" },
		{ "{}", "1  ;" },
		{ "[{\"a\":\"b\"},{\"a\":\"c\"}]", "1  a=b;1  a=c;" },
		{ "[\"x\",\n\"y\"]", "1  =x;2  =y;" },
		{ "{\"a\":\"b\"}\n{\"a\":\"c\"}\n", "1  a=b;2  a=c;" },
		{ "{\"items\":[{\"a\":\"b\"}],\"paging\":{\"next\":\"x\"}}",
		    "1 items a=b;" },
		{ "{\"paging\":{\"items\":[1]},\"items\":[{\"a\":\"b\"}]}",
		    "1 items a=b;" },
		{ "{\"links\":[{\"l\":1}],\"results\":[{\"a\":1}]}",
		    "1 results a=1;" },
		{ "{\"items\":[{\"a\":1}]}{\"items\":[{\"a\":2}]}",
		    "1 items a=1;1 items a=2;" },
		{ "{\"bounces\":[{\"a\":1}],\"complaints\":[{\"a\":2}]}",
		    "1 bounces a=1;1 complaints a=2;" },
		{ "{\"tags\":[\"x\",\"y\"],\"n\":null,\"t\":true,\"f\":1.5}",
		    "1  tags=x,y|n=|t=true|f=1.500000;" },
		{ "[{\"a\":\"\\u00e4\\\"]}\"}]", "1  a=\xc3\xa4\"]};" },
		{ "[{\"a\":{\"b\":[1,2]}},{\"a\":1}]", "1  a=;1  a=1;" },
		{ "[17,null,[1]]", "1  !;1  !;1  !;" },
		{ "[{\"a\":}, {\"a\":1}]", "1  !;1  a=1;" },
		{ "[{\"a\":1}", "1  a=1;" },
		{ "[{\"a\":1", "1  !;" },
		{ "{\"a\":1}]", "1  a=1;1  !;" },
		{ "junk", "1  !;" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out;

		buf_init(&out, 65536);
		dump_json(str_from(cases[i].text), &out);
		expect_str(cases[i].text, buf_view(&out),
		    str_from(cases[i].want));
		buf_free(&out);
	}
}

/* A list longer than any block; a member too long costs itself alone. */
static void
test_json_long(void **state)
{
	struct buf text, out, want;
	char *x = mem_alloc(200000);

	(void)state;
	memset(x, 'x', 200000);
	buf_init(&text, 64 << 20);
	buf_init(&out, 64 << 20);
	buf_init(&want, 64 << 20);
	buf_puts(&text, "{\"next\": \"");
	buf_printf(&text, "%.*s\", \"items\": [", 1000, x);
	for (unsigned i = 0; i < 30; i++) {
		buf_printf(&text, "%s\n{\"a\": \"%.*s\", \"n\": %u}",
		    i > 0 ? "," : "", (int)(50000 + i * 37), x, i);
		buf_printf(&want, "%u items a=%.*s|n=%u;", i + 2,
		    (int)(50000 + i * 37), x, i);
	}
	buf_printf(&text, ",\n{\"a\": [{\"b\": \"%.*s\"}]},\n{\"a\": 7}]}",
	    200000, x);
	buf_puts(&want, "32 items !;33 items a=7;");
	dump_json(buf_view(&text), &out);
	assert_true(str_eq(buf_view(&out), buf_view(&want)));
	buf_free(&text);
	buf_free(&out);
	buf_free(&want);
	free(x);
}

/* ---- bytes to sort by ---- */

static void
expect_entry(const struct suppress_entry *got,
    const struct suppress_entry *want)
{
	expect_str("address", got->address, want->address);
	expect_str("domain", got->scope.domain, want->scope.domain);
	expect_str("list", got->scope.list, want->scope.list);
	expect_str("source", got->source, want->source);
	expect_str("evidence", got->evidence, want->evidence);
	assert_int_equal(got->scope.stream, want->scope.stream);
	assert_int_equal(got->reason, want->reason);
	assert_int_equal(got->created, want->created);
	assert_int_equal(got->expires, want->expires);
}

static void
test_pack(void **state)
{
	static const struct suppress_entry entries[] = {
		{ .address = { "a@b", 3 }, .reason = SUPPRESS_IMPORT },
		{ .address = { "a@b", 3 },
		    .scope = { { "d.example", 9 }, 0xdeadbeef, { "k\xff", 2 } },
		    .reason = SUPPRESS_COMPLAINT,
		    .created = 1586552585,
		    .expires = 4102444800,
		    .source = { "import", 6 },
		    .evidence = { "550 5.1.1", 9 } },
		{ .address = { "@x", 2 },
		    .scope = { { "d", 1 }, 0, { "", 0 } },
		    .reason = SUPPRESS_SOFT_BOUNCES,
		    .created = 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		const struct suppress_entry *e = &entries[i];
		struct arena *a = arena_new();
		char bytes[IMPORT_PACK_MAX];
		struct suppress_entry got;
		bool has_scope;
		size_t n = import_pack(bytes, e,
		    e->scope.domain.n > 0 ? &e->scope : NULL);
		struct str packed = exact(a, str_make(bytes, n));

		assert_int_equal(import_unpack(packed, &got, &has_scope), 0);
		assert_int_equal(has_scope, e->scope.domain.n > 0);
		expect_entry(&got, e);
		/* No part of it is taken for more than it is. */
		for (size_t j = 0; j < n; j++)
			import_unpack(exact(a, str_sub(packed, 0, j)), &got,
			    &has_scope);
		arena_free(&a);
	}
}

/* By address first; of one key the dated and the older come first. */
static void
test_pack_order(void **state)
{
	static const struct suppress_scope scope = { { "d", 1 }, 0,
		{ "", 0 } };
	struct suppress_entry e = { .address = STR("a@b"),
		.reason = SUPPRESS_COMPLAINT,
		.created = 1000 };
	char bytes[2][IMPORT_PACK_MAX];
	struct str last, next;
	int at = 0;

	(void)state;
	last = str_make(bytes[0], import_pack(bytes[0], &e, NULL));
	for (int i = 0; i < 5; i++) {
		const struct suppress_scope *s = i >= 3 ? &scope : NULL;

		if (i == 0)
			e.created = 2000;
		else if (i == 1)
			e.created = 0;
		else if (i == 2)
			e.reason = SUPPRESS_IMPORT;
		else if (i == 4)
			e.address = STR("a@b.c");
		at = 1 - at;
		next = str_make(bytes[at], import_pack(bytes[at], &e, s));
		if (str_cmp(last, next) >= 0)
			fail_msg("step %d is not greater", i);
		last = next;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_own_reasons),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_normal_forms),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_utf16),
		cmocka_unit_test(test_not_utf16),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_csv_long),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_long),
		cmocka_unit_test(test_pack),
		cmocka_unit_test(test_pack_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
