/*
 * test_settings_damage.c - files that are large, cut, garbled or shuffled:
 * either settings or errors come of them, never a crash.
 */
#include "conf_contract.h"
#include "conf_load.h"

static void
test_ten_thousand_domains(void **state)
{
	struct buf text;
	struct loaded l;

	buf_init(&text, 4000000);
	for (int i = 0; i < 10000; i++)
		buf_printf(&text, "domain \"d%d.example\" { sign s { key = "
		    "\"/k\" } }\n", i);
	load_good(&l, state, text.p);
	assert_int_equal(l.s->ndomains, 10000);
	assert_non_null(settings_domain(l.s, STR("d9999.example")));
	assert_null(settings_domain(l.s, STR("d10000.example")));
	unload(&l);
	buf_free(&text);
}

/* A small generator of its own: the same bytes in every run. */
static unsigned
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33);
}

/* Either settings, or at least one error: never neither, never both. */
static void
load_damaged(void **state, struct str text)
{
	struct loaded l;

	load_text(&l, state, text);
	assert_false(l.messages.failed);
	if ((l.s == NULL) != (conf_errors(buf_view(&l.messages)) != 0))
		fail_msg("settings %p, messages:\n%.*s\nfor:\n%.*s",
		    (void *)l.s, STR_ARG(buf_view(&l.messages)),
		    STR_ARG(text));
	if (conf_count(buf_view(&l.messages), "libconfuse cannot") != 0)
		fail_msg("the scan let through:\n%.*s\n%.*s", STR_ARG(text),
		    STR_ARG(buf_view(&l.messages)));
	unload(&l);
}

static void
test_cut_files(void **state)
{
	struct str whole = STR(contract);

	for (size_t n = 0; n < whole.n; n += 7)
		load_damaged(state, str_sub(whole, 0, n));
}

static void
test_garbled_files(void **state)
{
	static const char alphabet[] = "{}=,;\"'\\#/*()$ \n\t+-a0.\xff\x01";
	struct str whole = STR(contract);
	char *copy = malloc(whole.n);
	uint64_t seed = 20261123;

	assert_non_null(copy);
	for (int round = 0; round < 1500; round++) {
		memcpy(copy, whole.p, whole.n);
		for (unsigned k = next_random(&seed) % 4 + 1; k > 0; k--) {
			size_t at = next_random(&seed) % whole.n;

			copy[at] = alphabet[next_random(&seed) %
			    (sizeof(alphabet) - 1)];
		}
		load_damaged(state, str_make(copy, whole.n));
	}
	free(copy);
}

/* Lines in another order, twice or not at all. */
static void
test_shuffled_lines(void **state)
{
	struct str whole = STR(contract), lines[100];
	uint64_t seed = 7;
	size_t n = 0;
	struct buf text;

	buf_init(&text, 100000);
	for (size_t at = 0; at < whole.n && n < 100; n++) {
		size_t end = str_chr(whole, '\n', at) + 1;

		lines[n] = str_sub(whole, at, end);
		at = end;
	}
	for (int round = 0; round < 500; round++) {
		buf_clear(&text);
		for (size_t k = 0; k < n; k++)
			if (next_random(&seed) % 12 != 0)
				buf_str(&text, lines[next_random(&seed) % 8 ?
				    k : next_random(&seed) % n]);
		load_damaged(state, buf_view(&text));
	}
	buf_free(&text);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, conf_setup, conf_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(test_ten_thousand_domains),
		CASE(test_cut_files),
		CASE(test_garbled_files),
		CASE(test_shuffled_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
