/*
 * test_exporter.c - lib/bulkhead/exporter: the text for Prometheus read as
 * strictly as its format has it, the JSON, rates, and who may ask.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "bulkhead/exporter.h"
#include "bulkhead/metrics_help.h"

#define FAMILIES_MAX 200
#define SECOND	     INT64_C(1000000000)

static const char *
stage_of(unsigned place)
{
	static const char *const names[] = { "select", "sign" };

	return place < 2 ? names[place] : NULL;
}

static int64_t
loaded_at(void *arg)
{
	(void)arg;
	return 1234;
}

static void
write_member(void *arg, struct buf *out)
{
	(void)arg;
	json_key(out, "store");
	json_string(out, STR("up"));
}

static struct exporter_spec
spec_of(const char *program, const struct metrics *m)
{
	return (struct exporter_spec){ .program = program, .metrics = m,
		.stage_name = stage_of, .started = 1000, .loaded = loaded_at,
		.status = write_member };
}

/* [a-zA-Z_:][a-zA-Z0-9_:]* */
static size_t
name_length(struct str s)
{
	size_t n = 0;

	while (n < s.n && (str_is_alpha(s.p[n]) || s.p[n] == '_' ||
	    (n > 0 && str_is_digit(s.p[n]))))
		n++;
	return n;
}

/* Labels in braces; what stands behind them. */
static struct str
skip_labels(struct str s)
{
	assert_true(s.n > 0 && s.p[0] == '{');
	s = str_sub(s, 1, s.n);
	for (;;) {
		size_t n = name_length(s), end;

		assert_true(n > 0 && n + 1 < s.n);
		assert_memory_equal(s.p + n, "=\"", 2);
		end = str_chr(s, '"', n + 2);
		assert_true(end + 1 < s.n);
		assert_int_equal(str_chr(str_sub(s, 0, end), '\\', 0), end);
		s = str_sub(s, end + 1, s.n);
		if (s.p[0] == '}')
			return str_sub(s, 1, s.n);
		assert_int_equal(s.p[0], ',');
		s = str_sub(s, 1, s.n);
	}
}

struct family {
	struct str name, type;
	size_t samples;
};

static void
read_sample(struct str line, struct family *f)
{
	struct str rest;

	assert_true(str_starts(line, f->name));
	rest = skip_labels(str_sub(line, f->name.n, line.n));
	assert_true(rest.n > 1 && rest.p[0] == ' ');
	for (size_t i = 1; i < rest.n; i++)
		assert_true(str_is_digit(rest.p[i]) || rest.p[i] == '.');
	f->samples++;
}

/* "# KIND NAME TEXT": the text. */
static struct str
read_comment(struct str line, const char *kind, struct str *name)
{
	size_t n = strlen(kind), end;

	assert_true(str_starts(line, STR("# ")));
	assert_memory_equal(line.p + 2, kind, n);
	line = str_sub(line, 2 + n + 1, line.n);
	end = name_length(line);
	assert_true(end > 0 && end + 1 < line.n && line.p[end] == ' ');
	*name = str_sub(line, 0, end);
	return str_sub(line, end + 1, line.n);
}

static size_t
read_text(struct str text, struct family *f)
{
	size_t n = 0, at = 0;
	struct str name = STR("");

	while (at < text.n) {
		size_t end = str_chr(text, '\n', at);
		struct str line = str_sub(text, at, end);

		assert_true(end < text.n); /* the last line ends, too */
		at = end + 1;
		if (str_starts(line, STR("# HELP "))) {
			assert_true(n == 0 || f[n - 1].samples > 0);
			read_comment(line, "HELP", &name);
			for (size_t i = 0; i < n; i++)
				assert_false(str_eq(f[i].name, name));
		} else if (str_starts(line, STR("# TYPE "))) {
			assert_true(n < FAMILIES_MAX);
			f[n] = (struct family){ .samples = 0 };
			f[n].type = read_comment(line, "TYPE", &f[n].name);
			assert_true(str_eq(f[n].name, name));
			n++;
		} else {
			assert_true(n > 0);
			read_sample(line, &f[n - 1]);
		}
	}
	assert_true(n > 0 && f[n - 1].samples > 0);
	return n;
}

static bool
has_line(struct str text, const char *line)
{
	struct str want = str_from(line);
	size_t at = str_find(text, want, 0);

	return at < text.n && (at == 0 || text.p[at - 1] == '\n') &&
	    text.p[at + want.n] == '\n';
}

static void
test_exporter_text(void **state)
{
	static const char *const programs[] = { "bulkhead-milter",
		"bulkhead-policyd", "bulkhead-trackd", "another" };
	struct family families[FAMILIES_MAX];

	(void)state;
	for (size_t p = 0; p < 4; p++) {
		struct metrics m = { .v = { 0 } };
		struct exporter_spec spec = spec_of(programs[p], &m);
		struct buf out;
		size_t n;

		buf_init(&out, EXPORTER_MAX);
		exporter_write(&spec, &out);
		assert_false(out.failed);
		n = read_text(buf_view(&out), families);
		for (size_t i = 0; i < n; i++) {
			bool is_total = families[i].name.n > 6 &&
			    str_iends(families[i].name, STR("_total"));

			expect_str("type", families[i].type,
			    is_total ? STR("counter") : STR("gauge"));
		}
		buf_free(&out);
	}
}

static void
test_exporter_values(void **state)
{
	struct metrics m = { .v = { 0 } };
	struct exporter_spec spec = spec_of("bulkhead-trackd", &m);
	struct buf out;
	struct str text;

	(void)state;
	metrics_add(&m, METRIC_CLICKS, UINT64_MAX);
	metrics_add(&m, METRIC_SPOOL_WAITING, 3);
	metrics_add(&m, METRIC_SIGNED, 1); /* which it never does */
	metrics_add_stage(&m, 1, 1500000001, true);
	metrics_add_stage(&m, 1, 1, false);
	buf_init(&out, EXPORTER_MAX);
	exporter_write(&spec, &out);
	text = buf_view(&out);
#define P "{program=\"bulkhead-trackd\"}"
	assert_true(has_line(text, "bulkhead_clicks_total" P
	    " 18446744073709551615"));
	assert_true(has_line(text, "bulkhead_spool_waiting" P " 3"));
	assert_true(has_line(text, "bulkhead_signed_total" P " 1"));
	assert_true(has_line(text, "bulkhead_opens_total" P " 0"));
	assert_true(has_line(text, "bulkhead_start_time_seconds" P " 1000"));
	assert_true(has_line(text,
	    "bulkhead_settings_loaded_seconds" P " 1234"));
#undef P
	assert_int_equal(str_find(text, STR("bulkhead_charged_total"), 0),
	    text.n);
#define P "{program=\"bulkhead-trackd\",stage=\"sign\"}"
	assert_true(has_line(text, "bulkhead_stage_runs_total" P " 2"));
	assert_true(has_line(text, "bulkhead_stage_stops_total" P " 1"));
	assert_true(has_line(text,
	    "bulkhead_stage_seconds_total" P " 1.500000002"));
#undef P
	buf_free(&out);
}

/* A counter that was forgotten in the table would have its name as help. */
static void
test_exporter_help(void **state)
{
	(void)state;
	for (int i = 0; i < METRIC_COUNT; i++) {
		const char *help = metric_help((enum metric)i);

		assert_non_null(metric_name((enum metric)i));
		if (strcmp(help, metric_name((enum metric)i)) == 0)
			fail_msg("%s has no help", help);
		assert_null(strpbrk(help, "\\\n"));
	}
}

/* That it is JSON is for the tests of the command: they read it. */
static void
test_exporter_status(void **state)
{
	static const char *const members[] = {
		"{\"program\": \"bulkhead-milter\"",
		", \"started\": 1000", ", \"store\": \"up\"",
		", \"signed\": 7", ", \"last_warning\": null",
		"\"text\": \"a \\\"quoted\\\" thing?of two lines\"}",
		"\"rates\": {\"seconds\": ",
	};
	struct metrics m = { .v = { 0 } };
	struct exporter_spec spec = spec_of("bulkhead-milter", &m);
	struct rates rates = { .n = 0 };
	struct buf out;
	struct str text;

	(void)state;
	metrics_add(&m, METRIC_SIGNED, 7);
	rates_take(&rates, &m, 1);
	log_error("a \"quoted\" thing\nof two lines");
	buf_init(&out, EXPORTER_MAX);
	exporter_write_status(&spec, &rates, &out);
	text = buf_view(&out);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (str_find(text, str_from(members[i]), 0) == text.n)
			fail_msg("no %s in %.*s", members[i], STR_ARG(text));
	assert_true(str_iends(text, STR("}}\n")));
	buf_free(&out);
}

static void
expect_rates(const struct rates *r, const struct metrics *m, int64_t now,
    const char *want)
{
	struct buf out;

	buf_init(&out, 4096);
	rates_write(r, m, now, &out);
	expect_str("rates", buf_view(&out), str_from(want));
	buf_free(&out);
}

static void
test_rates(void **state)
{
	struct rates r = { .n = 0 };
	struct metrics m = { .v = { 0 } };

	(void)state;
	expect_rates(&r, &m, 5 * SECOND, "{\"seconds\": 0}");
	rates_take(&r, &m, 10 * SECOND);
	metrics_add(&m, METRIC_CLICKS, 5);
	metrics_add(&m, METRIC_SPOOL_WAITING, 5);
	rates_take(&r, &m, 10 * SECOND + 1); /* too soon: no sample */
	assert_int_equal(r.n, 1);
	expect_rates(&r, &m, 12 * SECOND,
	    "{\"seconds\": 2, \"clicks\": 2.500}");
	expect_rates(&r, &m, 10 * SECOND, "{\"seconds\": 0}");
	/* ten a second for two minutes: the first one counts no more */
	for (int i = 1; i <= 120; i++) {
		rates_take(&r, &m, (10 + i) * SECOND);
		metrics_add(&m, METRIC_CLICKS, 10);
	}
	expect_rates(&r, &m, 130 * SECOND + SECOND / 2,
	    "{\"seconds\": 60, \"clicks\": 10.083}");
}

static void
test_exporter_host(void **state)
{
	static const struct {
		const char *host;
		bool is_ours;
	} cases[] = {
		{ "localhost", true },
		{ "LocalHost:9100", true },
		{ "127.0.0.1", true },
		{ "127.0.0.1:8026", true },
		{ "127.9.9.9:1", true },
		{ "[::1]", true },
		{ "[::1]:8026", true },
		{ "", false },
		{ ":80", false },
		{ "localhost.evil.example", false },
		{ "localhost.", false },
		{ "evil.example:8026", false },
		{ "127.0.0.1.evil.example", false },
		{ "203.0.113.5", false },
		{ "[2001:db8::1]:80", false },
		{ "[::1", false },
		{ "[", false },
		{ "[]", false },
		{ "::1", false },
		{ "0.0.0.0", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new();

		if (exporter_is_host(exact(a, str_from(cases[i].host))) !=
		    cases[i].is_ours)
			fail_msg("\"%s\"", cases[i].host);
		arena_free(&a);
	}
}

static void
test_log_last(void **state)
{
	struct log_problem p;
	char *line = malloc(5000);

	(void)state;
	assert_non_null(line);
	memset(line, 'x', 4999);
	line[4999] = '\0';
	log_warning("%s", line);
	assert_true(log_last(LOG_LEVEL_WARNING, &p));
	assert_int_equal(strlen(p.text), LOG_PROBLEM_MAX - 1);
	log_warning("short");
	log_info("no problem");
	assert_true(log_last(LOG_LEVEL_WARNING, &p));
	assert_string_equal(p.text, "short");
	assert_true(p.time > 0);
	assert_false(log_last(LOG_LEVEL_INFO, &p));
	free(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exporter_text),
		cmocka_unit_test(test_exporter_values),
		cmocka_unit_test(test_exporter_help),
		cmocka_unit_test(test_exporter_status),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_exporter_host),
		cmocka_unit_test(test_log_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
