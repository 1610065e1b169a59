/*
 * test_mta_memory.c - the MTA in memory counts and shifts fields as Postfix
 * does (cleanup_milter.c): per name, from 1, a deleted one is gone.
 */
#include "unit.h"

#include "engine/mta_memory.h"

static void
fill(struct mta_memory *m, struct arena *a)
{
	mta_memory_init(m, a);
	mta_memory_header(m, STR("A"), STR(" 1"));
	mta_memory_header(m, STR("B"), STR(" b"));
	mta_memory_header(m, STR("a"), STR(" 2"));
	mta_memory_header(m, STR("A"), STR(":\n 3"));
	mta_memory_body(m, STR("x\r\ny\r\n"));
}

static void
expect_text(const struct mta_memory *m, const char *eol, const char *want)
{
	struct buf out;

	buf_init(&out, 4096);
	assert_int_equal(mta_memory_write(m, eol, &out), 0);
	expect_str("text", buf_view(&out), str_from(want));
	buf_free(&out);
}

static void
test_fields(void **state)
{
	struct arena *a = arena_new();
	struct mta_memory m;
	const struct mta_ops *ops;

	(void)state;
	fill(&m, a);
	ops = m.mta.ops;
	assert_int_equal(ops->delete_header(&m.mta, STR("A"), 4), -1);
	assert_int_equal(ops->delete_header(&m.mta, STR("A"), 1), 0);
	assert_int_equal(ops->change_header(&m.mta, STR("A"), 1, STR("two")),
	    0);
	assert_int_equal(ops->change_header(&m.mta, STR("C"), 1, STR("x")),
	    -1);
	assert_int_equal(ops->add_header(&m.mta, STR("Z"), STR("z")), 0);
	assert_int_equal(ops->insert_top(&m.mta, STR("T"), STR("1\n\t2")), 0);
	expect_text(&m, "\n",
	    "T: 1\n\t2\nB: b\na: two\nA::\n 3\nZ: z\n\nx\ny\n");
	expect_text(&m, "\r\n",
	    "T: 1\r\n\t2\r\nB: b\r\na: two\r\nA::\r\n 3\r\nZ: z\r\n\r\n"
	    "x\r\ny\r\n");
	arena_free(&a);
}

static void
test_envelope_body_and_reply(void **state)
{
	struct arena *a = arena_new();
	struct splices edits = { 0 };
	struct mta_memory m;
	const struct mta_ops *ops;

	(void)state;
	fill(&m, a);
	ops = m.mta.ops;
	splices_add(&edits, a, 0, 1, STR("new"));
	assert_int_equal(splices_sort(&edits, m.body.n), 0);
	assert_int_equal(ops->replace_body(&m.mta, &edits, m.body), 0);
	expect_str("body", m.body, STR("new\r\ny\r\n"));
	assert_true(m.body_replaced);
	ops->set_sender(&m.mta, STR("<a@b>"), STR("RET=HDRS"));
	expect_str("sender", m.sender, STR("<a@b>"));
	ops->remove_recipient(&m.mta, STR("<C@d>"));
	expect_str("removed", m.removed[0], STR("<C@d>"));
	ops->set_reply(&m.mta, "550", "5.7.1", "no");
	assert_string_equal(m.reply.code, "550");
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_envelope_body_and_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
