/*
 * test_burst.c - a mail's links followed within seconds: by hand, at random
 * against a model that forgets nothing, by threads, and with more mails than
 * are remembered.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/buf.h"
#include "trackd/burst.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))
#define MILLIS	 INT64_C(1000)
#define START	 INT64_C(1700000000000000)

/* What each() was given, as text. */
struct heard {
	struct buf text;
	unsigned corrections;
};

static void
hear(void *arg, const struct event *e)
{
	struct heard *h = arg;

	buf_printf(&h->text, "%s%u:%.*s%s ", e->was != EVENT_NOBODY ? "~" : "",
	    (unsigned)e->id, STR_ARG(e->url), e->verdict == EVENT_SCANNER ?
	    "!" : "");
	h->corrections += e->was != EVENT_NOBODY;
	if (e->verdict == EVENT_SCANNER && e->was != EVENT_NOBODY)
		expect_str("rule", e->rule, STR("burst"));
}

static struct event
click(uint64_t id, int64_t millis, const char *url)
{
	return (struct event){ .id = id, .at = START + millis * MILLIS,
		.kind = EVENT_CLICKED, .verdict = EVENT_HUMAN,
		.rule = STR("browser"), .domain = STR("example.com"),
		.stream = 7, .recipient = STR("jo@example.net"),
		.hours = 495000, .url = str_from(url) };
}

static void
test_by_hand(void **state)
{
	static const struct {
		const char *name;
		struct {
			int at; /* milliseconds */
			const char *url;
		} clicks[8];
		const char *want;
	} cases[] = {
		{ "one", { { 0, "a" } }, "1:a " },
		{ "two at once", { { 0, "a" }, { 500, "b" } },
		  "1:a 2:b! ~1:a! " },
		{ "two, as a person", { { 0, "a" }, { 501, "b" } },
		  "1:a 2:b " },
		{ "the same link twice", { { 0, "a" }, { 10, "a" },
		  { 20, "a" } }, "1:a 2:a 3:a " },
		{ "three in two seconds", { { 0, "a" }, { 900, "b" },
		  { 2000, "c" } }, "1:a 2:b 3:c! ~1:a! ~2:b! " },
		{ "three a moment slower", { { 0, "a" }, { 900, "b" },
		  { 2001, "c" } }, "1:a 2:b 3:c " },
		{ "four tabs in nine seconds", { { 0, "a" }, { 3000, "b" },
		  { 6000, "c" }, { 9000, "d" } }, "1:a 2:b 3:c 4:d " },
		{ "five in ten seconds", { { 0, "a" }, { 2500, "b" },
		  { 5000, "c" }, { 7500, "d" }, { 10000, "e" } },
		  "1:a 2:b 3:c 4:d 5:e! ~1:a! ~2:b! ~3:c! ~4:d! " },
		{ "five, but two are one", { { 0, "a" }, { 2500, "b" },
		  { 5000, "c" }, { 7500, "d" }, { 10000, "a" } },
		  "1:a 2:b 3:c 4:d 5:a " },
		{ "it goes on", { { 0, "a" }, { 100, "b" }, { 2100, "a" },
		  { 4100, "c" } }, "1:a 2:b! ~1:a! 3:a! 4:c! " },
		{ "and is over", { { 0, "a" }, { 100, "b" },
		  { 2101, "a" } }, "1:a 2:b! ~1:a! 3:a " },
		{ "a person before", { { 0, "a" }, { 5000, "b" },
		  { 5100, "c" } }, "1:a 2:b 3:c! ~2:b! " },
		{ "the clock is set back", { { 100000, "a" }, { 0, "b" },
		  { 100, "c" } }, "1:a 2:b 3:c! ~2:b! " },
		{ "out of order", { { 100, "a" }, { 0, "b" } },
		  "1:a 2:b! ~1:a! " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bursts *b = bursts_new();
		struct heard h = { .corrections = 0 };

		buf_init(&h.text, 65536);
		for (unsigned j = 0; cases[i].clicks[j].url != NULL; j++) {
			struct event e = click(j + 1, cases[i].clicks[j].at,
			    cases[i].clicks[j].url);

			bursts_note(b, &e, hear, &h);
		}
		expect_str(cases[i].name, buf_view(&h.text),
		    str_from(cases[i].want));
		buf_free(&h.text);
		bursts_free(&b);
		assert_null(b);
		bursts_free(&b);
	}
}

/* A correction says all that its event said. */
static void
keep_last(void *arg, const struct event *e)
{
	struct event *last = arg;

	if (e->was != EVENT_NOBODY)
		*last = *e;
}

static void
test_correction(void **state)
{
	struct arena *a = arena_new();
	struct bursts *b = bursts_new();
	struct event first = click(11, 0, "https://a/"), second, got = { 0 };
	char url[] = "https://a/", visitor[] = "192.0.2.1 x";

	(void)state;
	first.verdict = EVENT_UNKNOWN;
	first.rule = STR("no-language");
	first.campaign = STR("c");
	first.list = STR("l");
	first.metadata = STR("{\"k\":1}");
	first.detail = STR("d");
	first.url = str_from(url);
	first.visitor = str_from(visitor);
	second = first;
	second.id = 12;
	second.at += 1;
	second.verdict = EVENT_HUMAN;
	second.url = STR("https://b/");
	second.visitor = STR("192.0.2.2 y");
	second.metadata = STR("");
	bursts_note(b, &first, keep_last, &got);
	assert_int_equal(first.verdict, EVENT_UNKNOWN);
	memset(url, '#', sizeof(url)); /* it has copies */
	memset(visitor, '#', sizeof(visitor));
	bursts_note(b, &second, keep_last, &got);
	assert_int_equal(second.verdict, EVENT_SCANNER);
	assert_int_equal(second.was, EVENT_NOBODY);
	expect_str("rule", second.rule, STR("burst"));
	assert_int_equal(got.id, 11);
	assert_int_equal(got.at, first.at);
	assert_int_equal(got.was, EVENT_UNKNOWN);
	assert_int_equal(got.verdict, EVENT_SCANNER);
	assert_int_equal(got.kind, EVENT_CLICKED);
	assert_int_equal(got.stream, 7);
	assert_int_equal(got.hours, 495000);
	expect_str("campaign", got.campaign, STR("c"));
	expect_str("list", got.list, STR("l"));
	expect_str("recipient", got.recipient, STR("jo@example.net"));
	expect_str("metadata", got.metadata, STR("{\"k\":1}"));
	expect_str("detail", got.detail, STR("d"));
	bursts_free(&b);
	arena_free(&a);
}

/* What never makes a burst, nor belongs to one. */
static void
test_left_alone(void **state)
{
	static const struct {
		const char *name;
		enum event_kind kind;
		enum event_verdict verdict;
		bool is_shared;
	} cases[] = {
		{ "opens", EVENT_OPENED, EVENT_HUMAN, false },
		{ "unsubscribed", EVENT_UNSUBSCRIBED, EVENT_HUMAN, false },
		{ "a messenger's", EVENT_CLICKED, EVENT_PREFETCH, false },
		{ "known scanners", EVENT_CLICKED, EVENT_SCANNER, false },
		{ "shared tokens", EVENT_CLICKED, EVENT_HUMAN, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		static const char *const urls[] = { "a", "b", "c", "d", "e" };
		struct bursts *b = bursts_new();
		struct heard h = { .corrections = 0 };

		buf_init(&h.text, 65536);
		for (unsigned j = 0; j < COUNT(urls); j++) {
			struct event e = click(j + 1, 0, urls[j]);

			e.kind = cases[i].kind;
			e.verdict = cases[i].verdict;
			if (cases[i].is_shared)
				e.recipient = STR("");
			bursts_note(b, &e, hear, &h);
			if (e.verdict != cases[i].verdict)
				fail_msg("%s", cases[i].name);
			expect_str(cases[i].name, e.rule, STR("browser"));
		}
		assert_int_equal(h.corrections, 0);
		assert_true(h.text.n > 0); /* handed over all the same */
		buf_free(&h.text);
		bursts_free(&b);
	}
}

/* A person's click is not drawn into what a messenger unfolds. */
static void
test_beside_a_messenger(void **state)
{
	struct bursts *b = bursts_new();
	struct heard h = { .corrections = 0 };
	struct event e = click(1, 0, "a");

	(void)state;
	buf_init(&h.text, 65536);
	bursts_note(b, &e, hear, &h);
	for (unsigned i = 0; i < 4; i++) {
		static const char *const urls[] = { "b", "c", "d", "e" };

		e = click(2 + i, 10, urls[i]);
		e.verdict = EVENT_PREFETCH;
		e.rule = STR("slack");
		bursts_note(b, &e, hear, &h);
	}
	expect_str("all", buf_view(&h.text), STR("1:a 2:b 3:c 4:d 5:e "));
	buf_free(&h.text);
	bursts_free(&b);
}

static void
remember_id(void *arg, const struct event *e)
{
	*(uint64_t *)arg = e->id;
}

static void
test_ids(void **state)
{
	struct bursts *b = bursts_new();
	uint64_t ids[100];

	(void)state;
	for (unsigned i = 0; i < COUNT(ids); i++) {
		struct event e = click(0, i * 20000, "a");

		bursts_note(b, &e, remember_id, &ids[i]);
		assert_int_equal(e.id, ids[i]);
		assert_int_not_equal(ids[i], 0);
		for (unsigned j = 0; j < i; j++)
			assert_int_not_equal(ids[i], ids[j]);
	}
	bursts_free(&b);
}

/*
 * The model: all clicks there ever were, each looked at anew.  It is what
 * burst.h and bulkhead-robots(5) say, not how burst.c does it.
 */
struct model_click {
	unsigned mail, url;
	int64_t at;
	bool is_scanner;
};

struct model {
	struct model_click v[20000];
	unsigned n;
	int64_t burst[16]; /* of each mail: its latest click; 0: none */
};

static unsigned
model_links(const struct model *m, unsigned mail, int64_t from, int64_t to)
{
	uint32_t seen = 0;
	unsigned n = 0;

	for (unsigned i = m->n; i-- > 0;) {
		const struct model_click *c = &m->v[i];

		if (c->mail != mail || c->at < from || c->at > to)
			continue;
		n += (seen >> c->url & 1) == 0;
		seen |= 1u << c->url;
	}
	return n;
}

/* Notes a click; how many were corrected by it, and is it one itself? */
static unsigned
model_note(struct model *m, struct model_click c, bool *is_scanner)
{
	int64_t since = INT64_MAX;
	unsigned n = 0;

	m->v[m->n++] = c;
	if (m->burst[c.mail] != 0 && c.at - m->burst[c.mail] <= 2000000)
		since = c.at;
	if (model_links(m, c.mail, c.at - 500000, c.at) >= 2)
		since = c.at - 500000;
	if (model_links(m, c.mail, c.at - 2000000, c.at) >= 3)
		since = c.at - 2000000;
	if (model_links(m, c.mail, c.at - 10000000, c.at) >= 5)
		since = c.at - 10000000;
	*is_scanner = since != INT64_MAX;
	if (!*is_scanner)
		return 0;
	m->burst[c.mail] = c.at;
	m->v[m->n - 1].is_scanner = true;
	for (unsigned i = 0; i < m->n; i++)
		if (m->v[i].mail == c.mail && m->v[i].at >= since &&
		    !m->v[i].is_scanner) {
			m->v[i].is_scanner = true;
			n++;
		}
	return n;
}

static uint32_t
next(uint32_t *x)
{
	*x = *x * 1664525 + 1013904223;
	return *x >> 8;
}

static void
test_against_a_model(void **state)
{
	static const char *const urls[] = { "a", "b", "c", "d", "e", "f" };
	static struct model m;
	unsigned corrected = 0;

	(void)state;
	for (uint32_t seed = 1; seed <= 5; seed++) {
		struct bursts *b = bursts_new();
		uint32_t x = seed;
		int64_t now = START;

		memset(&m, 0, sizeof(m));
		for (unsigned i = 0; i < 2000; i++) {
			struct model_click c = { .mail = next(&x) % 3,
				.url = next(&x) % COUNT(urls) };
			struct heard h = { .corrections = 0 };
			struct event e;
			char to[32];
			bool is_scanner;
			unsigned want;

			now += next(&x) % 16 < 13 ? next(&x) % 700000 :
			    next(&x) % 9000000;
			c.at = now;
			want = model_note(&m, c, &is_scanner);
			e = click(i + 1, 0, urls[c.url]);
			e.at = now;
			snprintf(to, sizeof(to), "p%u@example.net", c.mail);
			e.recipient = str_from(to);
			buf_init(&h.text, 65536);
			bursts_note(b, &e, hear, &h);
			if (h.corrections != want ||
			    (e.verdict == EVENT_SCANNER) != is_scanner)
				fail_msg("seed %u click %u: %s, want %u", seed,
				    i, h.text.p, want);
			corrected += want;
			buf_free(&h.text);
		}
		bursts_free(&b);
	}
	assert_true(corrected > 500); /* the model had something to say */
}

/* More mails than are remembered, and much text: the last ones count. */
static void
test_bounds(void **state)
{
	struct bursts *b = bursts_new();
	struct heard h = { .corrections = 0 };
	char *long_url = malloc(4096);
	char to[32];

	(void)state;
	assert_non_null(long_url);
	memset(long_url, 'x', 4096);
	buf_init(&h.text, 16 * 1024 * 1024);
	for (unsigned i = 0; i < 40000; i++) {
		struct event e = click(i + 1, 0, "a");

		snprintf(to, sizeof(to), "p%u@example.net", i);
		e.recipient = str_from(to);
		e.visitor = str_make(long_url, 4096);
		bursts_note(b, &e, hear, &h);
		buf_clear(&h.text);
	}
	assert_int_equal(h.corrections, 0);
	for (unsigned i = 0; i < 40000; i += 39999) { /* first and last */
		struct event e = click(99999, 1, "b");

		snprintf(to, sizeof(to), "p%u@example.net", i);
		e.recipient = str_from(to);
		bursts_note(b, &e, hear, &h);
		assert_int_equal(h.corrections, i == 0 ? 0 : 1);
	}
	buf_free(&h.text);
	free(long_url);
	bursts_free(&b);
}

/* Many mails, far fewer than fit: none pushes out another. */
static void
test_side_by_side(void **state)
{
	static const struct {
		int64_t at;
		const char *url;
	} rounds[] = { { 0, "a" }, { 100, "b" }, { 20000, "c" },
		{ 20100, "a" }, { 40000, "b" } };
	struct bursts *b = bursts_new();
	struct heard h = { .corrections = 0 };

	(void)state;
	buf_init(&h.text, 65536);
	for (unsigned round = 0; round < COUNT(rounds); round++)
		for (unsigned i = 0; i < 2000; i++) {
			struct event e = click(i + 1, rounds[round].at,
			    rounds[round].url);
			char to[32];

			snprintf(to, sizeof(to), "p%u@example.net", i);
			e.recipient = str_from(to);
			bursts_note(b, &e, hear, &h);
			buf_clear(&h.text);
		}
	assert_int_equal(h.corrections, 2 * 2000);
	buf_free(&h.text);
	bursts_free(&b);
}

/* One mail, clicked for ever: as many clicks as are kept are corrected. */
static void
test_many_clicks(void **state)
{
	struct bursts *b = bursts_new();
	struct heard h = { .corrections = 0 };
	struct event e;

	(void)state;
	buf_init(&h.text, 16 * 1024 * 1024);
	for (unsigned i = 0; i < 10000; i++) {
		e = click(i + 1, i, "a");
		bursts_note(b, &e, hear, &h);
		assert_int_equal(e.verdict, EVENT_HUMAN);
	}
	e = click(10001, 10000, "b");
	bursts_note(b, &e, hear, &h);
	assert_int_equal(e.verdict, EVENT_SCANNER);
	assert_int_equal(h.corrections, 15);
	buf_free(&h.text);
	bursts_free(&b);
}

#define THREADS	 4
#define ROUNDS	 500

/* Sixteen mails, each clicked by all threads; sums must be right. */
struct crowd {
	struct bursts *b;
	_Atomic uint64_t ids;
	_Atomic unsigned seen, corrected, scanner;
	_Atomic unsigned char state[THREADS * ROUNDS * 2 + 1]; /* by id */
};

static void
crowd_hear(void *arg, const struct event *e)
{
	struct crowd *c = arg;

	if (e->was == EVENT_NOBODY) {
		atomic_fetch_add(&c->seen, 1);
		atomic_fetch_add(&c->scanner, e->verdict == EVENT_SCANNER);
		atomic_store(&c->state[e->id], 1);
		return;
	}
	atomic_fetch_add(&c->corrected, 1);
	/* behind its event, and once */
	assert_int_equal(atomic_exchange(&c->state[e->id], 2), 1);
}

static void *
crowd_run(void *arg)
{
	struct crowd *c = arg;

	for (unsigned i = 0; i < ROUNDS * 2; i++) {
		uint64_t id = atomic_fetch_add(&c->ids, 1) + 1;
		struct event e = click(id, 0, i % 2 == 0 ? "a" : "b");
		char to[32];

		snprintf(to, sizeof(to), "p%u@example.net", i / 2);
		e.recipient = str_from(to);
		bursts_note(c->b, &e, crowd_hear, c);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	static struct crowd c;
	pthread_t threads[THREADS];

	(void)state;
	c.b = bursts_new();
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, crowd_run,
		    &c), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(c.seen, THREADS * ROUNDS * 2);
	/* both links of each mail were followed at once: all are a robot's */
	assert_int_equal(c.scanner + c.corrected, c.seen);
	bursts_free(&c.b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_correction),
		cmocka_unit_test(test_left_alone),
		cmocka_unit_test(test_beside_a_messenger),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_against_a_model),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_side_by_side),
		cmocka_unit_test(test_many_clicks),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
