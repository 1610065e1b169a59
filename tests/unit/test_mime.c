/*
 * test_mime.c - lib/mail/mime: where parts begin and end, what they say they
 * are, and that no message whatever breaks the scanner.  Parameters are in
 * test_mime_param.c.
 */
#include "unit.h"

#include <stdio.h>
#include <time.h>

#include "base/buf.h"
#include "mail/mime.h"

#define LEN(v) (sizeof(v) / sizeof((v)[0]))

/* Header and body of a message in one text. */
static void
scan_text(struct mime *m, struct arena *a, struct str text, struct str *body)
{
	struct headers h;
	size_t at = 0;

	headers_init(&h, a);
	headers_parse(&h, text, &at);
	*body = str_sub(text, at, text.n);
	mime_scan(m, a, &h, *body);
}

/* "0multipart/mixed 1text/plain(content)!faults", line ends as in C. */
static struct str
show(struct arena *a, struct str text)
{
	struct mime m;
	struct str body, out;
	struct buf b;

	buf_init(&b, 1024 * 1024);
	scan_text(&m, a, text, &body);
	for (size_t i = 0; i < m.n; i++) {
		const struct mime_part *p = &m.v[i];

		buf_printf(&b, "%s%u%.*s", i ? " " : "", p->depth,
		    STR_ARG(p->type));
		if (i + 1 == m.n || m.v[i + 1].parent != i) {
			buf_char(&b, '(');
			for (size_t k = p->body; k < p->end; k++)
				if (body.p[k] == '\r')
					buf_puts(&b, "\\r");
				else if (body.p[k] == '\n')
					buf_puts(&b, "\\n");
				else
					buf_char(&b, body.p[k]);
			buf_char(&b, ')');
		}
		if (p->faults != 0)
			buf_printf(&b, "!%x", p->faults);
	}
	out = arena_copy(a, buf_view(&b));
	buf_free(&b);
	return out;
}

struct tree_case {
	const char *name, *in, *want;
};

static void
check_trees(const struct tree_case *cases, size_t n)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < n; i++)
		expect_str(cases[i].name,
		    show(a, exact(a, str_from(cases[i].in))),
		    str_from(cases[i].want));
	arena_free(&a);
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"

static void
test_single_parts(void **state)
{
	static const struct tree_case cases[] = {
		{ "no type", "A: b\n\nhello", "0text/plain(hello)" },
		{ "nothing", "", "0text/plain()" },
		{ "empty body", "A: b\n\n", "0text/plain()" },
		{ "html", "Content-Type: Text/HTML\n\n<p>", "0text/html(<p>)" },
		{ "comments", "Content-Type: (a(b)) text (c) / (d) html\n\nx",
		    "0text/html(x)" },
		{ "comment behind", "Content-Type: text/html(x);a=b\n\nx",
		    "0text/html(x)" },
		{ "folded", "Content-Type:\n text/html;\n a=b\n\nx",
		    "0text/html(x)" },
		{ "bad: one word", "Content-Type: text\n\nx",
		    "0text/plain(x)!100" },
		{ "bad: empty", "Content-Type:\n\nx", "0text/plain(x)!100" },
		{ "bad: no subtype", "Content-Type: text/;a=b\n\nx",
		    "0text/plain(x)!100" },
		{ "bad: three", "Content-Type: text/html/x\n\nx",
		    "0text/plain(x)!100" },
		{ "bad: no type", "Content-Type: /html\n\nx",
		    "0text/plain(x)!100" },
		{ "bad: 8-bit", "Content-Type: text/ht\303\244\n\nx",
		    "0text/plain(x)!100" },
		{ "comma", "Content-Type: text/html, x\n\nx", "0text/html(x)" },
		{ "no semicolon", "Content-Type: text/html charset=x\n\nx",
		    "0text/html(x)" },
		{ "two types", "Content-Type: text/html\n"
		    "content-type: text/plain\n\nx", "0text/html(x)!1" },
		{ "two codings", "Content-Transfer-Encoding: 7bit\n"
		    "Content-Transfer-Encoding: 8bit\n\nx",
		    "0text/plain(x)!2" },
		{ "unknown coding", "Content-Transfer-Encoding: x-uue\n\nx",
		    "0text/plain(x)!200" },
		{ "coded message", "Content-Type: message/rfc822\n"
		    "Content-Transfer-Encoding: base64\n\nx",
		    "0message/rfc822(x)!400" },
		{ "not descended", "Content-Type: message/rfc822\n\n"
		    "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--b--",
		    "0message/rfc822(Content-Type: multipart/mixed; boundary=b"
		    "\\n\\n--b\\n\\n--b--)" },
	};

	(void)state;
	check_trees(cases, LEN(cases));
}

static void
test_multiparts(void **state)
{
	static const struct tree_case cases[] = {
		{ "two parts", MIXED "pre\n--b\nContent-Type: text/html\n\n<p>\n"
		    "--b\n\nplain\n--b--\nepilogue\n--b\nno part\n",
		    "0multipart/mixed 1text/html(<p>) 1text/plain(plain)" },
		{ "CRLF", "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
		    "--b\r\nContent-Type: text/html\r\n\r\n<p>\r\n\r\n--b--",
		    "0multipart/mixed 1text/html(<p>\\r\\n)" },
		{ "LF body, CRLF delimiter", MIXED "--b\r\n\nx\n--b--\r\n",
		    "0multipart/mixed 1text/plain(x)" },
		{ "first line", MIXED "--b\n\nx\n--b--",
		    "0multipart/mixed 1text/plain(x)" },
		{ "blanks behind", MIXED "--b \t\n\nx\n--b--  \n",
		    "0multipart/mixed 1text/plain(x)" },
		{ "text behind", MIXED "--b\n\nx\n--b x\n--bb\n--b--x\n--b--",
		    "0multipart/mixed "
		    "1text/plain(x\\n--b x\\n--bb\\n--b--x)" },
		{ "in a line", MIXED "--b\n\nx --b--\n --b--\n--b--",
		    "0multipart/mixed 1text/plain(x --b--\\n --b--)" },
		{ "case counts", MIXED "--b\n\nx\n--B--\n--b--",
		    "0multipart/mixed 1text/plain(x\\n--B--)" },
		{ "empty part", MIXED "--b\n\n--b\n--b--",
		    "0multipart/mixed 1text/plain() 1text/plain()" },
		{ "empty content", MIXED "--b\nA: b\n\n\n--b--",
		    "0multipart/mixed 1text/plain()" },
		{ "header alone", MIXED "--b\nContent-Type: text/html\n--b--",
		    "0multipart/mixed 1text/html()" },
		{ "quoted boundary", "Content-Type: multipart/mixed;"
		    " boundary=\"b \\\"c \"\n\n--b \"c\n\nx\n--b \"c--",
		    "0multipart/mixed 1text/plain(x)" },
		{ "boundary of dashes", "Content-Type: multipart/mixed;"
		    " boundary=\"--\"\n\n----\n\nx\n------",
		    "0multipart/mixed 1text/plain(x)" },
		{ "digest", "Content-Type: multipart/digest; boundary=b\n\n"
		    "--b\n\nA: b\n--b\nContent-Type: text/plain\n\nx\n--b--",
		    "0multipart/digest 1message/rfc822(A: b) "
		    "1text/plain(x)" },
	};

	(void)state;
	check_trees(cases, LEN(cases));
}

#define INNER(b)                                                               \
	"Content-Type: multipart/alternative; boundary=\"" b "\"\n\n"

static void
test_nested_multiparts(void **state)
{
	static const struct tree_case cases[] = {
		{ "nested", MIXED "--b\n" INNER("i") "pre\n--i\n\nx\n--i\n"
		    "Content-Type: text/html\n\ny\n--i--\nepi\n--b\n\nz\n--b--",
		    "0multipart/mixed 1multipart/alternative 2text/plain(x) "
		    "2text/html(y) 1text/plain(z)" },
		{ "prefix outside", MIXED "--b\n" INNER("bb")
		    "--bb\n\nx\n--bb--\n--b--",
		    "0multipart/mixed 1multipart/alternative 2text/plain(x)" },
		{ "prefix inside", "Content-Type: multipart/mixed;"
		    "boundary=bb\n\n--bb\n" INNER("b")
		    "--b\n\nx\n--b--\n--bb\n\ny\n--bb--",
		    "0multipart/mixed 1multipart/alternative 2text/plain(x) "
		    "1text/plain(y)" },
		{ "outer ends inner", MIXED "--b\n" INNER("i")
		    "--i\n\nx\n--b\n\ny\n--b--",
		    "0multipart/mixed 1multipart/alternative!10 "
		    "2text/plain(x) 1text/plain(y)" },
		{ "outer close ends inner", MIXED "--b\n" INNER("i")
		    "--i\n\nx\n--b--\n--i--\n",
		    "0multipart/mixed 1multipart/alternative!10 "
		    "2text/plain(x)" },
		{ "outer ends inner header", MIXED "--b\n" INNER("i")
		    "--i\nA: b\n--b--\n",
		    "0multipart/mixed 1multipart/alternative!10 "
		    "2text/plain()" },
		{ "same boundary twice", MIXED "--b\n" INNER("b")
		    "--b\n\nx\n--b--\n",
		    "0multipart/mixed 1multipart/alternative()!8 "
		    "1text/plain(x)" },
		{ "inner boundary after its end", MIXED "--b\n" INNER("i")
		    "--i\n\nx\n--i--\n--i\n\ny\n--b--",
		    "0multipart/mixed 1multipart/alternative "
		    "2text/plain(x)" },
	};

	(void)state;
	check_trees(cases, LEN(cases));
}

static void
test_faults(void **state)
{
	static const struct tree_case cases[] = {
		{ "no boundary", "Content-Type: multipart/mixed\n\n--b\n\nx\n",
		    "0multipart/mixed(--b\\n\\nx\\n)!4" },
		{ "empty boundary",
		    "Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\nx\n",
		    "0multipart/mixed(--\\n\\nx\\n)!4" },
		{ "never comes", MIXED "x\n--bb\n",
		    "0multipart/mixed(x\\n--bb\\n)!8" },
		{ "only closed", MIXED "x\n--b--\n",
		    "0multipart/mixed(x\\n--b--\\n)!8" },
		{ "not closed", MIXED "--b\n\nx\n",
		    "0multipart/mixed!10 1text/plain(x\\n)" },
		{ "ends in a header", MIXED "--b\nContent-Type: text/html",
		    "0multipart/mixed!10 1text/html()" },
		{ "ends in a delimiter", MIXED "--b\n\nx\n--b",
		    "0multipart/mixed!10 1text/plain(x) 1text/plain()" },
		{ "header without end", MIXED "--b\nA: b\nhello\n--b--",
		    "0multipart/mixed 1text/plain(hello)!20" },
		{ "header begins with a blank", MIXED "--b\n A: b\n\nx\n--b--",
		    "0multipart/mixed 1text/plain( A: b\\n\\nx)!20" },
		{ "coded multipart", "Content-Transfer-Encoding: base64\n"
		    MIXED "--b\n\nx\n--b--",
		    "0multipart/mixed!400 1text/plain(x)" },
		{ "two types in a part", MIXED "--b\nContent-Type: text/html\n"
		    "Content-Type: text/plain\n\nx\n--b--",
		    "0multipart/mixed 1text/html(x)!1" },
	};

	(void)state;
	check_trees(cases, LEN(cases));
	expect_str("none", str_from(mime_fault_text(0)), STR("well-formed"));
	expect_str("first", str_from(mime_fault_text(
	    MIME_UNCLOSED | MIME_NO_BOUNDARY)),
	    STR("multipart without boundary"));
	for (unsigned bit = 1; bit <= MIME_CODED_MULTIPART; bit <<= 1)
		assert_true(strlen(mime_fault_text(bit)) > 12);
}

static void
test_what_a_part_says(void **state)
{
	static const char text[] =
	    "Content-Type: multipart/mixed; boundary=b\n"
	    "Content-Transfer-Encoding: 8bit\n\n"
	    "--b\n"
	    "Content-Type: TEXT/Html; Charset=\"UTF-8\"\n"
	    "CONTENT-TRANSFER-ENCODING:  quoted-\n"
	    "\tx; Quoted\n"
	    "Content-Disposition: (c) Attachment\n\nx\n"
	    "--b\n"
	    "Content-Type: text/plain; charset=utf-8 (what), x; name=\n\nx\n"
	    "--b\n"
	    "Content-Disposition: inline; filename*=utf-8''%41\n"
	    "Content-Transfer-Encoding: base64\n\nx\n"
	    "--b\n"
	    "Content-Type: image/png; name==?utf-8?q?a?=\n\nx\n"
	    "--b--\n";
	struct arena *a = arena_new();
	struct mime m;
	struct str body;

	(void)state;
	scan_text(&m, a, exact(a, STR(text)), &body);
	assert_int_equal(m.n, 5);
	assert_int_equal(m.v[0].coding, CODING_8BIT);
	assert_int_equal(m.v[0].coding_len, 0);
	assert_int_equal(m.v[0].parent, MIME_NO_PARENT);
	assert_int_equal(m.v[0].end, body.n);
	expect_str("boundary", m.v[0].boundary, STR("b"));
	expect_str("charset", m.v[1].charset, STR("utf-8"));
	expect_str("coding as it stands", str_sub(body, m.v[1].coding_at,
	    m.v[1].coding_at + m.v[1].coding_len),
	    STR("  quoted-\n\tx; Quoted"));
	assert_int_equal(m.v[1].coding, CODING_UNKNOWN);
	assert_true(m.v[1].is_attachment);
	assert_false(m.v[1].has_filename);
	expect_str("first word", m.v[2].charset, STR("utf-8"));
	assert_int_equal(m.v[2].coding, CODING_7BIT);
	assert_int_equal(m.v[2].coding_len, 0);
	assert_false(m.v[2].has_filename);
	assert_false(m.v[3].is_attachment);
	assert_true(m.v[3].has_filename);
	assert_int_equal(m.v[3].coding, CODING_BASE64);
	expect_str("no charset", m.v[3].charset, STR(""));
	assert_true(m.v[4].has_filename);
	assert_int_equal(m.faults, MIME_BAD_CODING);
	arena_free(&a);
}

static void
test_limits(void **state)
{
	struct arena *a = arena_new();
	struct mime m;
	struct str body;
	struct buf b;

	(void)state;
	buf_init(&b, 1024 * 1024);
	for (int i = 0; i < 40; i++)
		buf_printf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n"
		    "--b%d\n", i, i);
	scan_text(&m, a, exact(a, buf_view(&b)), &body);
	assert_int_equal(m.n, MIME_MAX_DEPTH + 1);
	assert_int_equal(m.v[m.n - 1].depth, MIME_MAX_DEPTH);
	assert_int_equal(m.faults, MIME_TOO_DEEP | MIME_UNCLOSED);
	assert_int_equal(m.v[m.n - 1].faults, MIME_TOO_DEEP);

	buf_clear(&b);
	buf_puts(&b, MIXED);
	for (int i = 0; i < MIME_MAX_PARTS + 10; i++)
		buf_puts(&b, "--b\n\nx\n");
	buf_puts(&b, "--b--\n");
	scan_text(&m, a, exact(a, buf_view(&b)), &body);
	assert_int_equal(m.n, MIME_MAX_PARTS);
	assert_int_equal(m.faults, MIME_TOO_MANY);
	assert_int_equal(m.v[0].faults, MIME_TOO_MANY);
	assert_int_equal(m.v[m.n - 1].end - m.v[m.n - 1].body, 1);
	buf_free(&b);
	arena_free(&a);
}

/* What holds for every message, however broken. */
static void
check_spans(const struct mime *m, struct str body)
{
	unsigned faults = 0;

	assert_true(m->n >= 1 && m->n <= MIME_MAX_PARTS);
	assert_int_equal(m->v[0].parent, MIME_NO_PARENT);
	assert_int_equal(m->v[0].end, body.n);
	for (size_t i = 0; i < m->n; i++) {
		const struct mime_part *p = &m->v[i], *up;

		faults |= p->faults;
		assert_true(p->type.n >= 3);
		assert_true(p->head <= p->body && p->body <= p->end);
		assert_true(p->end <= body.n);
		assert_true(p->coding_at + p->coding_len <= p->body);
		if (i == 0)
			continue;
		assert_true(p->parent < i);
		up = &m->v[p->parent];
		assert_int_equal(p->depth, up->depth + 1);
		assert_true(up->body <= p->head && p->end <= up->end);
		assert_true(p->head >= m->v[i - 1].body);
		assert_true(p->parent == i - 1 || p->head >= m->v[i - 1].end);
		if (p->coding_len != 0)
			assert_true(p->coding_at > p->head);
	}
	assert_int_equal(faults, m->faults);
}

static const char *const samples[] = {
	MIXED "pre\n--b\n" INNER("i") "--i\nContent-Type: text/plain;"
	" charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n=41\n"
	"--i\nContent-Type: text/html\n\n<p>\n--i--\n--b\n"
	"Content-Disposition: attachment; filename*0=\"a b\"; filename*1*=%41"
	"\nContent-Transfer-Encoding: base64\n\nQUJD\n--b--\nepilogue\n",
	"Content-Type: multipart/digest; boundary=\"b\"\r\n\r\n--b\r\n\r\n"
	"A: b\r\n\r\nx\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
	"--b--\r\n--b\r\n--b--\r\n",
	MIXED "--b\n" INNER("bb") "--bb\n" INNER("bbb") "--bbb\n\nx\n--bbb--\n"
	"--bb--\n--b\n\n\n--b\nA: b\n--b--",
	"Content-Type: text/plain (a) ; charset = \"x\\\"y\" ; ; name=a b\n\nx",
};

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* One change to the n octets of text, which has room for one more. */
static size_t
mutate(char *text, size_t n, uint32_t *seed)
{
	static const char likely[] = "\n\r-b:; \"\\()=*'%\0\200";
	size_t at = next_random(seed) % (n + 1);
	char c = likely[next_random(seed) % (sizeof(likely) - 1)];

	switch (next_random(seed) % 4) {
	case 0:
		memmove(text + at + 1, text + at, n - at);
		text[at] = c;
		return n + 1;
	case 1:
		if (at < n)
			text[at] = c;
		return n;
	case 2:
		if (at < n)
			text[at] ^= (char)(1 << next_random(seed) % 8);
		return n;
	default:
		if (at < n)
			memmove(text + at, text + at + 1, n - at - 1);
		return at < n ? n - 1 : n;
	}
}

static void
test_mutations_keep_spans_in_order(void **state)
{
	struct arena *a = arena_new();
	clock_t start = clock();
	uint32_t seed = 4711;
	size_t runs = 0;

	(void)state;
	while (runs < 40000 && clock() - start < 2 * CLOCKS_PER_SEC) {
		struct str text = str_from(samples[runs++ % LEN(samples)]);
		uint32_t changes = 1 + next_random(&seed) % 6;
		char *p = arena_bytes(a, text.n + changes);
		struct str body;
		struct mime m;
		size_t n = text.n;

		memcpy(p, text.p, n);
		for (uint32_t i = 0; i < changes; i++)
			n = mutate(p, n, &seed);
		scan_text(&m, a, exact(a, str_make(p, n)), &body);
		check_spans(&m, body);
		arena_reset(a);
	}
	assert_true(runs > 1000);
	arena_free(&a);
}

/* Fills a body with a repeated line and scans it; returns the parts found. */
static size_t
scan_hostile(const char *head, const char *line, size_t count)
{
	struct arena *a = arena_new();
	struct str body;
	struct mime m;
	struct buf b;
	size_t n;

	buf_init(&b, 64 * 1024 * 1024);
	buf_puts(&b, head);
	for (size_t i = 0; i < count; i++)
		buf_puts(&b, line);
	scan_text(&m, a, buf_view(&b), &body);
	check_spans(&m, body);
	n = m.n;
	buf_free(&b);
	arena_free(&a);
	return n;
}

static void
test_hostile_input_is_linear(void **state)
{
	clock_t start = clock();

	(void)state;
	assert_int_equal(scan_hostile(MIXED, "--\n", 1000000), 1);
	assert_int_equal(scan_hostile(MIXED, "--bb\n", 1000000), 1);
	assert_int_equal(scan_hostile(MIXED, "\n", 5000000), 1);
	assert_int_equal(scan_hostile(MIXED, "--b\n", 1000000),
	    MIME_MAX_PARTS);
	assert_int_equal(scan_hostile(MIXED "--b\n", "A: b\n", 300000), 2);
	assert_int_equal(scan_hostile(MIXED "--b\nA: b\n", " --b\n", 300000),
	    2);
	assert_int_equal(scan_hostile("Content-Type: text/plain", "; a=b c",
	    100000), 1);
	assert_int_equal(scan_hostile("Content-Type: text/plain", "; name*1=a",
	    100000), 1);
	assert_int_equal(scan_hostile("Content-Type: text/plain; charset=",
	    "a   ", 100000), 1);
	assert_int_equal(scan_hostile("Content-Type: text/plain", "((\\)",
	    100000), 1);
	assert_int_equal(scan_hostile("Content-Type: text/plain", "\"\\\"",
	    100000), 1);
	assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single_parts),
		cmocka_unit_test(test_multiparts),
		cmocka_unit_test(test_nested_multiparts),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_what_a_part_says),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_mutations_keep_spans_in_order),
		cmocka_unit_test(test_hostile_input_is_linear),
	};

	return cmocka_run_group_tests_name("mime", tests, NULL, NULL);
}
