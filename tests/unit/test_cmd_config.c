/*
 * test_cmd_config.c - `bulkhead config`: what it prints where, and its exit
 * codes.  Runs the verb in this process with its output in files.
 */
#include "conf_file.h"

#include <fcntl.h>
#include <sysexits.h>

#include "base/file.h"
#include "cli/cmd.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

struct run {
	struct arena *arena;
	int code;
	struct str out, err;
};

/* Puts a file of the test's directory in the place of a descriptor. */
static int
redirect(int fd, const char *path)
{
	int saved = dup(fd);
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(saved >= 0 && to >= 0);
	assert_int_equal(dup2(to, fd), fd);
	close(to);
	return saved;
}

static void
restore(int fd, int saved)
{
	dup2(saved, fd);
	close(saved);
}

/* Runs `config` with these arguments; NULL ends them. */
static void
run(struct run *r, void **state, const char *const *args)
{
	char *argv[12] = { NULL };
	int argc = 0, out, err;
	const char *out_path = conf_write(r->arena, state, "out", STR(""));
	const char *err_path = conf_write(r->arena, state, "err", STR(""));

	argv[argc++] = arena_cstr(r->arena, STR("config"));
	for (; *args != NULL; args++)
		argv[argc++] = arena_cstr(r->arena, str_from(*args));
	fflush(stdout);
	fflush(stderr);
	out = redirect(STDOUT_FILENO, out_path);
	err = redirect(STDERR_FILENO, err_path);
	r->code = cmd_config(argc, argv);
	fflush(stdout);
	fflush(stderr);
	restore(STDOUT_FILENO, out);
	restore(STDERR_FILENO, err);
	assert_int_equal(file_read(r->arena, out_path, 100000, &r->out), 0);
	assert_int_equal(file_read(r->arena, err_path, 100000, &r->err), 0);
}

static bool
has(struct str s, const char *text)
{
	return str_find(s, str_from(text), 0) < s.n;
}

static void
test_check_says_ok(void **state)
{
	struct run r = { arena_new(), 0, { 0 }, { 0 } };
	const char *conf = conf_write(r.arena, state, "a.conf",
	    STR("stream a { }\nlimit l { rate = \"1/s\" }\n"));
	const char *const args[] = { "check", "-c", conf, NULL };
	const char *signs = conf_write(r.arena, state, "b.conf",
	    STR("domain \"example.com\" { }\n"));
	const char *const more[] = { "check", "-c", signs, NULL };

	run(&r, state, args);
	assert_int_equal(r.code, EX_OK);
	expect_str("out", r.out, arena_printf(r.arena,
	    "%s: ok (0 domains, 1 streams, 1 limits)\n", conf));
	expect_str("err", r.err, arena_printf(r.arena,
	    "%s: warning: no domain section: nothing will be signed\n", conf));
	run(&r, state, more);
	assert_int_equal(r.code, EX_OK);
	assert_false(has(r.err, "nothing will be signed"));
	arena_free(&r.arena);
}

static void
test_check_lists_errors(void **state)
{
	struct run r = { arena_new(), 0, { 0 }, { 0 } };
	const char *conf = conf_write(r.arena, state, "a.conf",
	    STR("stor = x\nstream a { }\nstream b { }\nlimit l { }\n"));
	const char *const args[] = { "check", "-c", conf, NULL };

	run(&r, state, args);
	assert_int_equal(r.code, EX_CONFIG);
	expect_str("out", r.out, STR(""));
	expect_message("err", r.err, "a.conf", 1, "did you mean \"store\"");
	expect_message("err", r.err, "a.conf", 3, "warning: ");
	expect_message("err", r.err, "a.conf", 4, "has no rate");
	arena_free(&r.arena);
}

static void
test_check_opens_the_keys(void **state)
{
	struct run r = { arena_new(), 0, { 0 }, { 0 } };
	const char *conf = conf_write(r.arena, state, "a.conf",
	    STR("\ndomain d.example {\n sign s { key = /no/such.pem } }\n"));
	const char *const with[] = { "check", "-c", conf, NULL };
	const char *const without[] = { "check", "-c", conf, "--no-keys",
		NULL };

	run(&r, state, with);
	assert_int_equal(r.code, EX_CONFIG);
	expect_message("keys", r.err, "a.conf", 3, "/no/such.pem");
	run(&r, state, without);
	assert_int_equal(r.code, EX_OK);
	assert_true(has(r.out, ": ok (1 domains, 0 streams, 0 limits)"));
	arena_free(&r.arena);
}

static void
test_check_json(void **state)
{
	struct run r = { arena_new(), 0, { 0 }, { 0 } };
	const char *conf = conf_write(r.arena, state, "a:1 b.conf",
	    STR("store = \"x: 5\"\nstream a { }\nstream b { }\n"));
	const char *const args[] = { "check", "--json", "-c", conf, NULL };
	struct str want;

	run(&r, state, args);
	assert_int_equal(r.code, EX_CONFIG);
	expect_str("err", r.err, STR(""));
	want = arena_printf(r.arena,
	    "{\"file\": \"%s\", \"ok\": false, \"messages\": "
	    "[{\"file\": \"%s\", \"line\": 1, \"severity\": \"error\", "
	    "\"text\": \"store = \\\"x: 5\\\": write "
	    "\\\"sqlite:/DIRECTORY\\\"\"}, "
	    "{\"file\": \"%s\", \"line\": 3, \"severity\": \"warning\", "
	    "\"text\": \"stream \\\"b\\\" gets no mail: \\\"a\\\" (line 2) has "
	    "no match and takes everything before it\"}]}\n",
	    conf, conf, conf);
	expect_str("out", r.out, want);
	arena_free(&r.arena);
}

static void
test_check_json_of_nothing(void **state)
{
	struct run r = { arena_new(), 0, { 0 }, { 0 } };
	const char *const missing[] = { "check", "--json", "-c",
		"/no/such.conf", NULL };
	const char *conf = conf_write(r.arena, state, "a.conf", STR(""));
	const char *const empty[] = { "check", "--json", "-c", conf, NULL };

	run(&r, state, missing);
	assert_int_equal(r.code, EX_CONFIG);
	assert_true(has(r.out, "\"file\": \"/no/such.conf\", \"line\": null, "
	    "\"severity\": \"error\""));
	run(&r, state, empty);
	assert_int_equal(r.code, EX_OK);
	expect_str("out", r.out, arena_printf(r.arena,
	    "{\"file\": \"%s\", \"ok\": true, \"messages\": []}\n", conf));
	arena_free(&r.arena);
}

static void
test_show(void **state)
{
	struct run r = { arena_new(), 0, { 0 }, { 0 } };
	const char *conf = conf_write(r.arena, state, "a.conf",
	    STR("limit l { rate = \"5/s\" }\n"));
	const char *const args[] = { "show", "-c", conf, NULL };
	const char *const json[] = { "show", "--json", "-c", conf, NULL };
	const char *again;

	run(&r, state, args);
	assert_int_equal(r.code, EX_OK);
	assert_true(has(r.out, "on-store-failure = defer\n"));
	assert_true(has(r.out, "\tburst = 5\n"));
	again = conf_write(r.arena, state, "b.conf", r.out);
	{
		const char *const second[] = { "show", "-c", again, NULL };
		struct str first = r.out;

		run(&r, state, second);
		expect_str("again", r.out, first);
	}
	run(&r, state, json);
	assert_int_equal(r.code, EX_OK);
	assert_true(has(r.out, "\"limit\": [{\"name\": \"l\""));
	arena_free(&r.arena);
}

static void
test_show_of_bad_settings(void **state)
{
	struct run r = { arena_new(), 0, { 0 }, { 0 } };
	const char *conf = conf_write(r.arena, state, "a.conf", STR("x"));
	const char *const args[] = { "show", "-c", conf, NULL };

	run(&r, state, args);
	assert_int_equal(r.code, EX_CONFIG);
	expect_str("out", r.out, STR(""));
	expect_message("err", r.err, "a.conf", 1, "goes on with");
	arena_free(&r.arena);
}

static void
test_usage(void **state)
{
	static const struct {
		const char *args[4], *want;
	} cases[] = {
		{ { NULL }, "check or show is wanted" },
		{ { "chek", NULL }, "\"chek\": check or show is wanted" },
		{ { "check", "show", NULL }, "\"show\" is too much: -c" },
		{ { "check", "--wrong", NULL }, "usage: bulkhead config" },
		{ { "check", "-c", NULL }, "usage: bulkhead config" },
		{ { "show", "--no-keys", NULL }, "goes with check" },
	};
	static const char *const help[] = { "check", "--help", NULL };
	struct run r = { arena_new(), 0, { 0 }, { 0 } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		run(&r, state, cases[i].args);
		assert_int_equal(r.code, EX_USAGE);
		expect_str("out", r.out, STR(""));
		assert_true(has(r.err, cases[i].want));
	}
	run(&r, state, help);
	assert_int_equal(r.code, EX_OK);
	assert_true(has(r.out, "usage: bulkhead config check"));
	expect_str("err", r.err, STR(""));
	arena_free(&r.arena);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, conf_setup, conf_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(test_check_says_ok),
		CASE(test_check_lists_errors),
		CASE(test_check_opens_the_keys),
		CASE(test_check_json),
		CASE(test_check_json_of_nothing),
		CASE(test_show),
		CASE(test_show_of_bad_settings),
		CASE(test_usage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
