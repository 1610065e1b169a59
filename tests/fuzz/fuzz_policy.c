/*
 * fuzz_policy.c - the policy protocol: however octets are cut, the same blocks
 * are found; what is read of a block can be written and read again; no reply
 * breaks out of its line.
 *
 * First octet: how the rest is cut.
 */
#include "tests/fuzz/fuzz.h"

#include "base/buf.h"
#include "bulkhead/policy_proto.h"

#define MAX	300 /* octets of a block: its limit is reached */
#define FOUND	(1 << 20)

/* Blocks and the end, as text that can be compared. */
struct found {
	struct buf text;
	bool has_failed;
};

static void
check_block(struct arena *a, struct str block)
{
	struct str rest = block, name, value;
	size_t n = 0;

	EXPECT(block.n > 0 && block.n + 2 <= MAX);
	while (policy_next_attr(&rest, &name, &value)) {
		EXPECT(name.n > 0 && name.n <= POLICY_NAME_MAX);
		EXPECT(fuzz_is_in(name.p, name.n, block));
		EXPECT(fuzz_is_in(value.p, value.n, block));
		EXPECT(str_chr(value, '\r', 0) == value.n);
		EXPECT(str_chr(value, '\0', 0) == value.n);
		n += name.n + value.n + 2;
	}
	EXPECT(n == block.n + 1);
	(void)a;
}

static void
drain(struct arena *a, struct policy_parser *p, struct found *f)
{
	struct str block;
	const char *why;

	for (;;) {
		switch (policy_parser_next(p, &block, &why)) {
		case POLICY_READ_MORE:
			return;
		case POLICY_READ_MALFORMED:
			if (!f->has_failed)
				buf_printf(&f->text, "!%s", why);
			f->has_failed = true;
			return;
		case POLICY_READ_BLOCK:
			check_block(a, block);
			buf_char(&f->text, '[');
			buf_str(&f->text, block);
			buf_char(&f->text, ']');
		}
	}
}

static void
find(struct arena *a, struct str text, size_t step, struct found *f)
{
	struct policy_parser p;

	policy_parser_init(&p, MAX);
	buf_init(&f->text, FOUND);
	f->has_failed = false;
	while (text.n > 0 && !f->has_failed) {
		struct str part = str_sub(text, 0, step);
		size_t room;
		char *to;

		drain(a, &p, f);
		if (f->has_failed)
			break;
		to = policy_parser_room(&p, &room);
		EXPECT(to != NULL && room > 0);
		if (part.n > room)
			part.n = room;
		memcpy(to, part.p, part.n);
		policy_parser_added(&p, part.n);
		text = str_sub(text, part.n, text.n);
	}
	drain(a, &p, f);
	if (!f->has_failed && policy_parser_is_within(&p))
		buf_puts(&f->text, "...");
	policy_parser_free(&p);
}

static void
check_cuts(struct arena *a, struct str text, size_t step)
{
	struct found whole, parts;

	find(a, text, text.n, &whole);
	find(a, text, step, &parts);
	EXPECT_SAME(buf_view(&parts.text), buf_view(&whole.text));
	buf_free(&whole.text);
	buf_free(&parts.text);
}

/* The only block in what a writer wrote. */
static struct str
only_block(struct arena *a, const struct buf *text)
{
	struct str all = fuzz_exact(a, buf_view(text));

	EXPECT(!text->failed && all.n > 2);
	EXPECT(str_find(all, STR("\n\n"), 0) == all.n - 2);
	return str_sub(all, 0, all.n - 2);
}

static void
check_request(struct arena *a, struct str block)
{
	struct policy_request r, again;
	const char *why = NULL;
	struct buf text;

	if (policy_request_read(a, block, &r, &why) != 0) {
		EXPECT(why != NULL);
		return;
	}
	if (r.kind != POLICY_ADMIT && r.kind != POLICY_CHARGE) {
		EXPECT(r.message.nrecipients <= 1);
		return;
	}
	buf_init(&text, FOUND);
	policy_write_message(&text, r.kind, &r.message);
	EXPECT(policy_request_read(a, only_block(a, &text), &again, &why) ==
	    0);
	EXPECT(again.kind == r.kind);
	EXPECT(again.message.nrecipients == r.message.nrecipients);
	EXPECT(again.message.is_dry == r.message.is_dry);
	EXPECT_SAME(again.message.sender, r.message.sender);
	EXPECT_SAME(again.message.queue_id, r.message.queue_id);
	EXPECT_SAME(again.message.list, r.message.list);
	for (size_t i = 0; i < r.message.nrecipients; i++)
		EXPECT_SAME(again.message.recipients[i],
		    r.message.recipients[i]);
	buf_free(&text);
}

static void
check_reply(struct arena *a, struct str block)
{
	struct policy_reply r, again;
	const char *why = NULL;
	struct buf text;

	if (policy_reply_read(a, block, 5, &r, &why) != 0) {
		EXPECT(why != NULL && r.answer == POLICY_UNAVAILABLE);
		return;
	}
	buf_init(&text, FOUND);
	policy_write_reply(&text, &r);
	EXPECT(policy_reply_read(a, only_block(a, &text), 5, &again, &why) ==
	    0);
	EXPECT(again.answer == r.answer && again.was_open == r.was_open);
	EXPECT(again.nsuppressed == r.nsuppressed && r.nsuppressed <= 5);
	EXPECT_SAME(again.text, r.text);
	for (size_t i = 0; i < r.nsuppressed; i++)
		EXPECT_SAME(again.suppressed[i].text, r.suppressed[i].text);
	buf_free(&text);
}

/* Any octets as the text of a refusal. */
static void
check_action(struct arena *a, struct str any)
{
	const struct policy_reply r = { .answer = POLICY_REFUSE,
		.code = STR("550"), .status = STR("5.7.1"),
		.text = any.n > 0 ? any : STR("x") };
	struct policy_reply again;
	const char *why;
	struct buf text;

	buf_init(&text, FOUND);
	policy_write_reply(&text, &r);
	EXPECT(policy_reply_read(a, only_block(a, &text), 0, &again, &why) ==
	    0);
	EXPECT(again.text.n <= POLICY_TEXT_MAX);
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct arena *a = arena_new();
	size_t step = fuzz_byte(&in) % 64 + 1;
	struct str text = fuzz_rest(&in, a);
	struct policy_parser p;
	struct str block;
	const char *why;
	size_t room;

	check_cuts(a, text, step);
	check_action(a, text);
	policy_parser_init(&p, POLICY_CONTROL_MAX);
	for (struct str rest = text; rest.n > 0; ) {
		char *to = policy_parser_room(&p, &room);
		size_t n = rest.n < room ? rest.n : room;

		memcpy(to, rest.p, n);
		policy_parser_added(&p, n);
		rest = str_sub(rest, n, rest.n);
		while ((room = policy_parser_next(&p, &block, &why)) ==
		    POLICY_READ_BLOCK) {
			block = fuzz_exact(a, block);
			check_request(a, block);
			check_reply(a, block);
		}
		if (room == POLICY_READ_MALFORMED)
			break;
	}
	policy_parser_free(&p);
	arena_free(&a);
	return 0;
}
