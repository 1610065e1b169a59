/*
 * test_policy_proto.c - the policy protocol: blocks found however they are
 * cut, what they ask, what is answered, and that both sides agree.
 */
#include "unit.h"

#include <stdio.h>

#include "base/buf.h"
#include "bulkhead/policy_proto.h"

#define MAX 512

/* "[block]" for each block, "!why" where it fails, "..." for a begun one. */
static void
drain(struct policy_parser *p, struct buf *out)
{
	struct str block;
	const char *why;

	for (;;) {
		switch (policy_parser_next(p, &block, &why)) {
		case POLICY_READ_MORE:
			return;
		case POLICY_READ_BLOCK:
			buf_printf(out, "[%.*s]", STR_ARG(block));
			break;
		case POLICY_READ_MALFORMED:
			if (out->n == 0 || out->p[out->n - 1] != '!')
				buf_printf(out, "%s!", why);
			return;
		}
	}
}

static void
feed(struct policy_parser *p, struct str part, struct buf *out)
{
	while (part.n > 0) {
		size_t n;
		char *to;

		drain(p, out);
		if (out->n > 0 && out->p[out->n - 1] == '!')
			return;
		to = policy_parser_room(p, &n);
		assert_non_null(to);
		assert_true(n > 0);
		n = n < part.n ? n : part.n;
		memcpy(to, part.p, n);
		policy_parser_added(p, n);
		part = str_sub(part, n, part.n);
	}
	drain(p, out);
}

/* What is found in text that comes in the parts that the cuts make. */
static void
expect_cut(const char *name, struct str text, const size_t *cuts, size_t n,
    struct str want)
{
	struct arena *a = arena_new();
	struct policy_parser p;
	struct buf out;
	size_t at = 0;

	policy_parser_init(&p, MAX);
	buf_init(&out, 65536);
	for (size_t i = 0; i <= n; i++) {
		size_t end = i < n ? cuts[i] : text.n;

		feed(&p, exact(a, str_sub(text, at, end)), &out);
		at = end;
	}
	if (policy_parser_is_within(&p) &&
	    (out.n == 0 || out.p[out.n - 1] != '!'))
		buf_puts(&out, "...");
	expect_str(name, buf_view(&out), want);
	buf_free(&out);
	policy_parser_free(&p);
	arena_free(&a);
}

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *name;
	struct str text;
	const char *want;
} blocks[] = {
	{ "nothing", { "", 0 }, "" },
	{ "one", { "a=b\n\n", 5 }, "[a=b]" },
	{ "begun", { "a=b\n", 4 }, "..." },
	{ "two and a piece", { "a=b\n\nc=d\ne=\n\nf", 14 }, "[a=b][c=d\ne=]..." },
	{ "several = ", { "a==b=\n\n", 7 }, "[a==b=]" },
	{ "UTF-8 and blanks", { "a b=\xc3\xa4 \t\n\n", 10 }, "[a b=\xc3\xa4 \t]" },
	{ "no =", { "a=b\nabc\n\n", 9 }, "a line without =!" },
	{ "no name", { "=b\n\n", 4 }, "a name that is empty or too long!" },
	{ "longest name", { A64 "=\n\n", 67 }, "[" A64 "=]" },
	{ "name too long", { "a" A64 "=\n\n", 68 },
	    "a name that is empty or too long!" },
	{ "NUL", { "a=\0b\n\n", 6 }, "a NUL!" },
	{ "CR", { "a=b\r\n\r\n", 7 }, "a CR!" },
	{ "CR alone", { "a=b\n\r\n", 6 }, "a line without =!" },
	{ "empty", { "\n", 1 }, "an empty block!" },
	{ "empty behind another", { "a=b\n\n\n", 6 }, "[a=b]an empty block!" },
	{ "good, then bad", { "a=b\n\nx\n\nc=d\n\n", 13 },
	    "[a=b]a line without =!" },
};

static void
test_blocks_in_every_chunking(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		struct str t = blocks[i].text, want = str_from(blocks[i].want);
		size_t each[128];

		expect_cut(blocks[i].name, t, NULL, 0, want);
		for (size_t x = 0; x <= t.n; x++)
			for (size_t y = x; y <= t.n; y++) {
				size_t cuts[] = { x, y };

				expect_cut(blocks[i].name, t, cuts, 2, want);
			}
		for (size_t x = 0; x < t.n; x++)
			each[x] = x;
		expect_cut(blocks[i].name, t, each, t.n, want);
	}
}

static void
add_filled(struct buf *b, const char *name, size_t n)
{
	buf_printf(b, "%s=", name);
	for (size_t i = 0; i < n; i++)
		buf_char(b, 'x');
	buf_char(b, '\n');
}

/* A block of that many octets, then a small one; all cuts in two. */
static void
test_size_of_block(void **state)
{
	static const struct {
		size_t size;
		const char *want;
	} cases[] = { { MAX - 1, "[a" }, { MAX, "[a" },
		{ MAX + 1, "it is too large!" },
		{ MAX + 300, "it is too large!" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf text, want;

		buf_init(&text, 65536);
		buf_init(&want, 65536);
		add_filled(&text, "a", cases[i].size - 4);
		buf_char(&text, '\n');
		assert_int_equal(text.n, cases[i].size);
		if (cases[i].want[0] == '[')
			buf_printf(&want, "[%.*s]",
			    STR_ARG(str_sub(buf_view(&text), 0, text.n - 2)));
		else
			buf_puts(&want, cases[i].want);
		for (size_t x = 0; x <= text.n; x++)
			expect_cut("size", buf_view(&text), &x, 1,
			    buf_view(&want));
		buf_free(&text);
		buf_free(&want);
	}
}

/* The line's limit is nearer than the block's. */
static void
test_length_of_line(void **state)
{
	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		struct policy_parser p;
		struct buf text, out;

		buf_init(&text, 65536);
		buf_init(&out, 65536);
		buf_puts(&text, "a=b\n");
		add_filled(&text, "c", POLICY_LINE_MAX - 2 + extra);
		buf_char(&text, '\n');
		policy_parser_init(&p, POLICY_ACCESS_MAX);
		feed(&p, buf_view(&text), &out);
		if (extra == 0)
			assert_int_equal(out.n, text.n);
		else
			expect_str("line", buf_view(&out),
			    STR("a line that is too long!"));
		policy_parser_free(&p);
		buf_free(&out);
		buf_free(&text);
	}
}

/* A line without end is refused when it is too long, not when it ends. */
static void
test_endless_line(void **state)
{
	struct policy_parser p;
	struct buf text, out;

	(void)state;
	buf_init(&text, 65536);
	buf_init(&out, 65536);
	add_filled(&text, "c", POLICY_LINE_MAX);
	policy_parser_init(&p, POLICY_ACCESS_MAX);
	feed(&p, str_sub(buf_view(&text), 0, POLICY_LINE_MAX), &out);
	assert_int_equal(out.n, 0);
	feed(&p, STR("x"), &out);
	expect_str("endless", buf_view(&out), STR("a line that is too long!"));
	/* it stays so */
	buf_clear(&out);
	drain(&p, &out);
	expect_str("again", buf_view(&out), STR("a line that is too long!"));
	policy_parser_free(&p);
	buf_free(&out);
	buf_free(&text);
}

/* Many blocks and one of 1 MiB on one connection; then little is kept. */
static void
test_large_block_is_given_back(void **state)
{
	struct policy_parser p;
	struct buf text, out;

	(void)state;
	buf_init(&text, 4 * POLICY_CONTROL_MAX);
	buf_init(&out, 4 * POLICY_CONTROL_MAX);
	for (int i = 0; i < 100; i++)
		buf_printf(&text, "a=%d\n\n", i);
	for (int i = 0; i < 1000; i++)
		add_filled(&text, "recipient", 1000);
	buf_char(&text, '\n');
	policy_parser_init(&p, POLICY_CONTROL_MAX);
	feed(&p, buf_view(&text), &out);
	assert_int_equal(out.n, text.n);
	assert_false(policy_parser_is_within(&p));
	assert_in_range(p.in.cap, 0, 8192);
	policy_parser_free(&p);
	buf_free(&out);
	buf_free(&text);
}

/* As Postfix 3.7 sends it at RCPT. */
#define POSTFIX_RCPT                                                           \
	"request=smtpd_access_policy\nprotocol_state=RCPT\n"                   \
	"protocol_name=ESMTP\nclient_address=192.0.2.1\n"                      \
	"client_name=mail.example\nclient_port=4711\n"                         \
	"reverse_client_name=mail.example\nserver_address=127.0.0.1\n"         \
	"server_port=25\nhelo_name=mail.example\nsender=news@example.com\n"    \
	"recipient=a@example.net\nrecipient_count=0\nqueue_id=\n"              \
	"instance=1234.5f.0.0\nsize=12345\netrn_domain=\nstress=\n"            \
	"sasl_method=plain\nsasl_username=news\nsasl_sender=\n"                \
	"ccert_subject=\nccert_issuer=\nccert_fingerprint=\n"                  \
	"ccert_pubkey_fingerprint=\nencryption_protocol=TLSv1.3\n"             \
	"encryption_cipher=\nencryption_keysize=256\npolicy_context="

static void
test_request_of_postfix(void **state)
{
	struct arena *a = arena_new();
	struct policy_request r;
	const char *why;

	(void)state;
	assert_int_equal(policy_request_read(a, exact(a, STR(POSTFIX_RCPT)),
	    &r, &why), 0);
	assert_int_equal(r.kind, POLICY_ACCESS);
	expect_str("state", r.protocol_state, STR("RCPT"));
	expect_str("instance", r.message.instance, STR("1234.5f.0.0"));
	expect_str("client", r.message.client, STR("192.0.2.1"));
	expect_str("sender", r.message.sender, STR("news@example.com"));
	expect_str("login", r.message.sasl_user, STR("news"));
	expect_str("queue id", r.message.queue_id, STR(""));
	expect_str("count", r.recipient_count, STR("0"));
	assert_int_equal(r.message.nrecipients, 1);
	expect_str("rcpt", r.message.recipients[0], STR("a@example.net"));
	assert_false(r.message.is_dry);
	arena_free(&a);
}

static void
test_request_kinds_and_errors(void **state)
{
	static const struct {
		const char *text;
		enum policy_kind kind;
		const char *why; /* NULL: good */
	} cases[] = {
		{ "request=bulkhead_admit", POLICY_ADMIT, NULL },
		{ "request=bulkhead_charge", POLICY_CHARGE, NULL },
		{ "request=bulkhead_limits", POLICY_LIMITS, NULL },
		{ "request=bulkhead_limit_reset", POLICY_LIMIT_RESET, NULL },
		{ "request=bulkhead_refresh", POLICY_REFRESH, NULL },
		{ "request=bulkhead_status", POLICY_STATUS, NULL },
		{ "request=smtpd_access_policy", POLICY_ACCESS, NULL },
		{ "request=SMTPD_ACCESS_POLICY", POLICY_OTHER, NULL },
		{ "request=bulkhead_admits", POLICY_OTHER, NULL },
		{ "recipient=a@b\nrecipient=c@d\nrequest=bulkhead_admit",
		    POLICY_ADMIT, NULL },
		{ "x=1\nx=2\nrequest=bulkhead_admit", POLICY_ADMIT, NULL },
		{ "dry_run=0\nrequest=bulkhead_charge", POLICY_CHARGE, NULL },
		{ "", 0, "no request=" },
		{ "sender=a@b", 0, "no request=" },
		{ "request=", 0, "no request=" },
		{ "request=bulkhead_admit\nrequest=bulkhead_charge", 0,
		    "an attribute that is there twice" },
		{ "request=smtpd_access_policy\ninstance=1\ninstance=1", 0,
		    "an attribute that is there twice" },
		{ "request=smtpd_access_policy\nrecipient=a@b\nrecipient=c@d",
		    0, "several recipients" },
		{ "request=bulkhead_admit\ndry_run=yes", 0,
		    "a dry_run that is neither 0 nor 1" },
		{ "request=bulkhead_admit\ndry_run=", 0,
		    "a dry_run that is neither 0 nor 1" },
		{ "request=bulkhead_admit\ndry_run=1\ndry_run=1", 0,
		    "an attribute that is there twice" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new();
		struct policy_request r;
		const char *why = NULL;
		int rc = policy_request_read(a,
		    exact(a, str_from(cases[i].text)), &r, &why);

		if (cases[i].why != NULL)
			expect_str(cases[i].text, str_from(why),
			    str_from(cases[i].why));
		else if (rc != 0 || r.kind != cases[i].kind)
			fail_msg("%s: kind %d, %s", cases[i].text, r.kind,
			    why ? why : "");
		assert_int_equal(rc, cases[i].why == NULL ? 0 : -1);
		arena_free(&a);
	}
}

static const struct str some_recipients[] = {
	{ "a@example.net", 13 }, { "", 0 }, { "\"x=y\"@example.org", 17 }
};

static const struct policy_message some_message = {
	.instance = { "mx1", 3 },
	.queue_id = { "4Xyz12", 6 },
	.sender = { "news@example.com", 16 },
	.sasl_user = { "shop=1", 6 },
	.client = { "2001:db8::1", 11 },
	.domain = { "example.com", 11 },
	.stream = { "newsletter", 10 },
	.list = { "weekly", 6 },
	.recipients = some_recipients,
	.nrecipients = 3,
	.is_dry = true,
};

/* The block that a writer made, found again by the parser. */
static struct str
through_parser(struct arena *a, struct buf *text)
{
	struct policy_parser p;
	struct str block, copy;
	const char *why;
	size_t n;

	policy_parser_init(&p, POLICY_REPLY_MAX);
	assert_int_equal(policy_parser_next(&p, &block, &why),
	    POLICY_READ_MORE);
	assert_false(text->failed);
	memcpy(policy_parser_room(&p, &n), text->p, text->n);
	assert_true(text->n <= n);
	policy_parser_added(&p, text->n);
	assert_int_equal(policy_parser_next(&p, &block, &why),
	    POLICY_READ_BLOCK);
	copy = exact(a, block);
	assert_int_equal(policy_parser_next(&p, &block, &why),
	    POLICY_READ_MORE);
	assert_false(policy_parser_is_within(&p));
	policy_parser_free(&p);
	return copy;
}

static void
test_message_there_and_back(void **state)
{
	struct arena *a = arena_new();
	struct policy_request r;
	struct policy_message *m = &r.message;
	const char *why;
	struct buf text;

	(void)state;
	buf_init(&text, 4000);
	policy_write_message(&text, POLICY_CHARGE, &some_message);
	assert_int_equal(policy_request_read(a, through_parser(a, &text), &r,
	    &why), 0);
	assert_int_equal(r.kind, POLICY_CHARGE);
	expect_str("instance", m->instance, some_message.instance);
	expect_str("queue id", m->queue_id, some_message.queue_id);
	expect_str("sender", m->sender, some_message.sender);
	expect_str("login", m->sasl_user, some_message.sasl_user);
	expect_str("client", m->client, some_message.client);
	expect_str("domain", m->domain, some_message.domain);
	expect_str("stream", m->stream, some_message.stream);
	expect_str("list", m->list, some_message.list);
	assert_true(m->is_dry);
	assert_int_equal(m->nrecipients, 3);
	for (size_t i = 0; i < 3; i++)
		expect_str("recipient", m->recipients[i], some_recipients[i]);
	buf_free(&text);
	arena_free(&a);
}

static void
test_breaks_are_not_written(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, 4000);
	policy_write_attr(&text, "a", str_make("x\n\nrequest=\r\0y", 14));
	expect_str("attr", buf_view(&text), STR("a=x??request=??y\n"));
	buf_free(&text);
}

static void
test_reply_there_and_back(void **state)
{
	struct policy_suppressed s[] = {
		{ 0, STR("suppressed (hard-bounce 2026-11-01: 550 no)"),
		    STR("hard-bounce") },
		{ 2, STR("suppressed (complaint 2026-11-02)"),
		    STR("complaint") },
	};
	const struct policy_reply replies[] = {
		{ .answer = POLICY_ACCEPT },
		{ .answer = POLICY_ACCEPT, .was_open = true },
		{ .answer = POLICY_ACCEPT, .suppressed = s, .nsuppressed = 2 },
		{ .answer = POLICY_DEFER, .code = STR("450"),
		    .status = STR("4.7.1"), .text = STR("over: retry in 3 s"),
		    .limit = STR("google") },
		{ .answer = POLICY_DEFER, .code = STR("450"),
		    .status = STR("4.7.1"), .text = STR("it is paused"),
		    .is_paused = true },
		{ .answer = POLICY_REFUSE, .code = STR("550"),
		    .status = STR("5.7.1"), .text = STR("no") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		const struct policy_reply *want = &replies[i];
		struct arena *a = arena_new();
		struct policy_reply got;
		const char *why;
		struct buf text;

		buf_init(&text, 4000);
		policy_write_reply(&text, want);
		assert_int_equal(policy_reply_read(a, through_parser(a, &text),
		    3, &got, &why), 0);
		assert_int_equal(got.answer, want->answer);
		expect_str("code", got.code, want->code);
		expect_str("status", got.status, want->status);
		expect_str("text", got.text, want->text);
		expect_str("limit", got.limit, want->limit);
		assert_int_equal(got.was_open, want->was_open);
		assert_int_equal(got.is_paused, want->is_paused);
		assert_int_equal(got.nsuppressed, want->nsuppressed);
		for (size_t k = 0; k < got.nsuppressed; k++) {
			assert_int_equal(got.suppressed[k].recipient,
			    s[k].recipient);
			expect_str("reason", got.suppressed[k].reason,
			    s[k].reason);
			expect_str("why", got.suppressed[k].text, s[k].text);
		}
		buf_free(&text);
		arena_free(&a);
	}
}

static void
test_replies_that_are_none(void **state)
{
	static const char *const good[] = {
		"action=DUNNO", "action=450 4.7.1 x", "action=554 5.123.456 x y",
		"action=DUNNO\nnew=thing", "action=DUNNO\nsuppressed=2 r t",
		"action=DUNNO\nsuppressed=0 r t\nsuppressed=1 r t",
	};
	static const char *const bad[] = {
		"", "x=y", "x=y\naction=DUNNO", "action=", "action=OK",
		"action=dunno", "action=DUNNO ", "action=450", "action=450 x",
		"action=450 4.7.1", "action=450 4.7.1 ", "action=450 5.7.1 x",
		"action=250 2.0.0 x", "action=4500 4.7.1 x", "action=460 4.7.1 x",
		"action=450 4.7 x", "action=450 4..1 x", "action=450 4.7.1.1 x",
		"action=450 4.7. x", "action=450 4.7.x x",
		"action=450 4.7.1 \xc3\xa4", "action=450 4.7.1 a\tb",
		"action=DUNNO\nsuppressed=", "action=DUNNO\nsuppressed=3 r t",
		"action=DUNNO\nsuppressed=-1 r t", "action=DUNNO\nsuppressed=0 r",
		"action=DUNNO\nsuppressed=0 r ", "action=DUNNO\nsuppressed=x r t",
		"action=DUNNO\nsuppressed=00 r t",
		"action=DUNNO\nsuppressed=1 r t\nsuppressed=1 r t",
		"action=DUNNO\nsuppressed=1 r t\nsuppressed=0 r t",
		"action=DUNNO\nsuppressed=99999999999999999999 r t",
	};
	struct arena *a = arena_new();
	struct policy_reply r;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (policy_reply_read(a, exact(a, str_from(good[i])), 3, &r,
		    &why) != 0)
			fail_msg("%s: %s", good[i], why);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		if (policy_reply_read(a, exact(a, str_from(bad[i])), 3, &r,
		    &why) == 0 || why == NULL ||
		    r.answer != POLICY_UNAVAILABLE)
			fail_msg("%s: taken", bad[i]);
	}
	arena_free(&a);
}

/* Whatever the text of a reply holds, it is one printable, bounded line. */
static void
test_action_is_one_line(void **state)
{
	struct buf text, out;

	(void)state;
	buf_init(&text, 4000);
	buf_init(&out, 4000);
	buf_add(&text, "a\r\n\0b\t\xc3\xa4\x7f", 9);
	for (int i = 0; i < 1000; i++)
		buf_char(&text, 'x');
	policy_write_action(&out, &(struct policy_reply){
	    .answer = POLICY_REFUSE, .code = STR("550"),
	    .status = STR("5.7.1"), .text = buf_view(&text) });
	assert_true(str_starts(buf_view(&out),
	    STR("action=550 5.7.1 a???b????xxx")));
	assert_int_equal(out.n, strlen("action=550 5.7.1 ") + POLICY_TEXT_MAX +
	    1);
	assert_int_equal(out.p[out.n - 1], '\n');
	buf_free(&out);
	buf_free(&text);
}

static size_t
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(*seed >> 33);
}

/* Random octets of the kind that lines are made of, cut at random. */
static void
test_random_input(void **state)
{
	static const char octets[] = "ab=\n\n\n=\r\0xyz";
	uint64_t seed = 42;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct buf text, whole, parts;
		struct policy_parser p;
		size_t at = 0;

		buf_init(&text, 4000);
		buf_init(&whole, 65536);
		buf_init(&parts, 65536);
		for (int i = 0; i < 200; i++) {
			buf_char(&text, octets[next_random(&seed) %
			    (sizeof(octets) - 1)]);
		}
		policy_parser_init(&p, MAX);
		feed(&p, buf_view(&text), &whole);
		policy_parser_free(&p);
		policy_parser_init(&p, MAX);
		while (at < text.n) {
			size_t n = 1 + next_random(&seed) % 17;

			feed(&p, str_sub(buf_view(&text), at, at + n), &parts);
			at += n;
		}
		policy_parser_free(&p);
		expect_str("random", buf_view(&parts), buf_view(&whole));
		buf_free(&text);
		buf_free(&whole);
		buf_free(&parts);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks_in_every_chunking),
		cmocka_unit_test(test_size_of_block),
		cmocka_unit_test(test_length_of_line),
		cmocka_unit_test(test_endless_line),
		cmocka_unit_test(test_large_block_is_given_back),
		cmocka_unit_test(test_request_of_postfix),
		cmocka_unit_test(test_request_kinds_and_errors),
		cmocka_unit_test(test_message_there_and_back),
		cmocka_unit_test(test_breaks_are_not_written),
		cmocka_unit_test(test_reply_there_and_back),
		cmocka_unit_test(test_replies_that_are_none),
		cmocka_unit_test(test_action_is_one_line),
		cmocka_unit_test(test_random_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
