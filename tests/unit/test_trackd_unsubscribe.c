/*
 * test_trackd_unsubscribe.c - what acts and what does not: methods, tokens and
 * bodies; what is wished for, and what is answered when it came true or not.
 */
#include "trackd_fixture.h"

#include "base/hash.h"
#include "trackd/pages.h"

#define COUNT(v)   (sizeof(v) / sizeof((v)[0]))
#define FORM	   "application/x-www-form-urlencoded"
#define ONE_CLICK  "List-Unsubscribe=One-Click"
#define NOW	   (TRACKD_NOW / 1000000)

/* A desk with pages and two streams. */
struct counter {
	struct desk *desk;
	struct pages *pages;
	const struct domain_settings *by_name[3];
	struct stream_settings streams[1];
	uint32_t aliases[1];
};

static int
open_counter(void **state)
{
	struct counter *c = calloc(1, sizeof(*c));
	void *desk;
	struct buf errors;

	desk_open(&desk);
	c->desk = desk;
	for (size_t i = 0; i < 3; i++)
		c->by_name[i] = &c->desk->domains[i];
	c->streams[0].name = STR("news");
	c->streams[0].id = hash_id32(STR("news"));
	c->aliases[0] = hash_id32(STR("news of old"));
	c->streams[0].aliases = c->aliases;
	c->streams[0].naliases = 1;
	c->desk->settings.by_name = c->by_name;
	c->desk->settings.streams = c->streams;
	c->desk->settings.nstreams = 1;
	buf_init(&errors, 65536);
	c->pages = pages_load(STR(""), &errors);
	assert_non_null(c->pages);
	assert_int_equal(errors.n, 0);
	c->desk->track.pages = c->pages;
	*state = c;
	return 0;
}

static int
close_counter(void **state)
{
	struct counter *c = *state;
	void *desk = c->desk;

	desk_close(&desk);
	pages_free(&c->pages);
	free(c);
	return 0;
}

static struct str
seal(struct counter *c, const struct token *t)
{
	struct token_sealer *s =
	    token_sealer_new(c->desk->keyring.tokens, TRACKD_HOST);
	struct str text;

	assert_int_equal(token_seal(s, c->desk->arena, t, &text), 0);
	token_sealer_free(&s);
	return text;
}

static struct token
token_of(const char *recipient, const char *stream, const char *list)
{
	return (struct token){ .kind = TOKEN_UNSUBSCRIBE,
		.domain = STR("example.com"),
		.stream = hash_id32(str_from(stream)),
		.campaign = STR("spring"), .list = str_from(list),
		.recipient = str_from(recipient), .hours = 498611 };
}

static struct request
request_of(struct counter *c, const char *method, struct str token,
    const struct request_field *type, const char *body)
{
	struct arena *a = c->desk->arena;
	struct request r = desk_request(c->desk, method,
	    arena_printf(a, "/u/%.*s", STR_ARG(token)));

	r.fields = type;
	r.nfields = type->value.n > 0 ? 1 : 0;
	r.body = exact(a, str_from(body));
	return r;
}

struct act_case {
	const char *method, *type, *body;
	unsigned status; /* 0: a wish */
	bool is_wide; /* the wish is for all of the domain */
};

static const struct act_case acts[] = {
	{ "GET", "", "", 200, false },
	{ "HEAD", "", "", 200, false },
	{ "GET", FORM, ONE_CLICK, 200, false },
	{ "HEAD", FORM, ONE_CLICK, 200, false },
	{ "GET", FORM, "List-Unsubscribe=page&scope=domain", 200, false },
	{ "OPTIONS", FORM, ONE_CLICK, 204, false },
	{ "PUT", FORM, ONE_CLICK, 405, false },
	{ "DELETE", "", "", 405, false },
	{ "post", FORM, ONE_CLICK, 405, false },
	{ "POST", "", "", 400, false },
	{ "POST", FORM, "", 400, false },
	{ "POST", FORM, "a=b", 400, false },
	{ "POST", "application/json", "{}", 400, false },
	{ "POST", "multipart/form-data; boundary=x", "--x--", 400, false },
	{ "POST", FORM, "undo=abc", 400, false },
	{ "POST", FORM, "undo=$", 400, false }, /* the link's own token */
	{ "POST", FORM, ONE_CLICK, 0, false },
	{ "POST", "", ONE_CLICK, 0, false },
	{ "POST", "text/plain", ONE_CLICK, 0, false },
	{ "POST", FORM, ONE_CLICK "&scope=domain", 0, false },
	{ "POST", FORM, "List-Unsubscribe=page", 0, false },
	{ "POST", FORM, "List-Unsubscribe=page&scope=list", 0, false },
	{ "POST", FORM, "List-Unsubscribe=page&scope=domain", 0, true },
};

static const char *
body_of(struct counter *c, const struct act_case *k, struct str token)
{
	if (strcmp(k->body, "undo=$") != 0)
		return k->body;
	return arena_printf(c->desk->arena, "undo=%.*s%c", STR_ARG(token),
	    '\0').p;
}

static void
only_post_acts(void **state)
{
	struct counter *c = *state;
	const struct token t = token_of("jane@example.net", "news", "l.x");
	struct str text = seal(c, &t);

	for (size_t i = 0; i < COUNT(acts); i++) {
		const struct act_case *k = &acts[i];
		struct request_field type = { STR("Content-Type"),
			str_from(k->type) };
		struct request r = request_of(c, k->method, text, &type,
		    body_of(c, k, text));
		struct answer a = desk_ask(c->desk, &r);

		if ((a.wish != NULL) != (k->status == 0) ||
		    a.status != k->status)
			fail_msg("%s %s \"%s\": %u", k->method, k->type,
			    k->body, a.status);
		assert_int_equal(c->desk->events.n, 0);
		if (a.wish == NULL)
			continue;
		assert_int_equal(a.wish->what, SUPPRESS_PUT);
		assert_int_equal(a.wish->entry.scope.stream,
		    k->is_wide ? 0 : t.stream);
		expect_str(k->body, a.wish->entry.scope.list,
		    k->is_wide ? STR("") : STR("l.x"));
	}
}

struct scope_case {
	const char *name, *stream, *list;
	const char *scope_stream, *scope_list;
};

#define LONG_LIST                                                              \
	"l123456789012345678901234567890123456789012345678901234567890123"     \
	"l123456789012345678901234567890123456789012345678901234567890123"     \
	"l123456789012345678901234567890123456789012345678901234567890123"     \
	"l123456789012345678901234567890123456789012345678901234567890123"

static const struct scope_case scopes[] = {
	{ "stream", "news", "", "news", "" },
	{ "list", "news", "l.example", "news", "l.example" },
	{ "former title", "news of old", "", "news", "" },
	{ "no stream any more", "gone", "l.example", "gone", "l.example" },
	{ "list too long", "news", LONG_LIST, "news", "" },
};

static const struct request_field form_type = { { "Content-Type", 12 },
	{ FORM, sizeof(FORM) - 1 } };

static void
wishes_are_scoped(void **state)
{
	struct counter *c = *state;

	for (size_t i = 0; i < COUNT(scopes); i++) {
		const struct scope_case *k = &scopes[i];
		struct token t = token_of("jane@example.net", k->stream,
		    k->list);
		struct request r = request_of(c, "POST", seal(c, &t),
		    &form_type, ONE_CLICK);
		struct answer a = desk_ask(c->desk, &r);
		const struct suppress_entry *e = &a.wish->entry;

		assert_non_null(a.wish);
		expect_str(k->name, e->address, STR("jane@example.net"));
		expect_str(k->name, e->scope.domain, STR("example.com"));
		expect_str(k->name, e->scope.list, str_from(k->scope_list));
		assert_int_equal(e->scope.stream,
		    hash_id32(str_from(k->scope_stream)));
		assert_int_equal(e->reason, SUPPRESS_UNSUBSCRIBE);
		assert_int_equal(e->created, NOW);
		assert_int_equal(e->expires, 0);
		expect_str(k->name, e->source, STR("trackd"));
		expect_str(k->name, e->evidence, STR("one-click"));
	}
}

static bool
has(struct str s, const char *needle)
{
	return str_find(s, str_from(needle), 0) < s.n;
}

/* Asks, lets the wish end so, and takes the rest of the answer. */
static struct answer
grant(struct counter *c, struct request *r, int result,
    enum suppress_outcome outcome)
{
	struct answer a = desk_ask(c->desk, r);

	assert_non_null(a.wish);
	a.wish->result = result;
	a.wish->outcome = outcome;
	a.finish(r, &a);
	return a;
}

struct end_case {
	const char *body;
	int result;
	enum suppress_outcome outcome;
	unsigned status;
	bool has_event, can_undo;
	const char *says;
};

static const struct end_case ends[] = {
	{ ONE_CLICK, WISH_STORED, SUPPRESS_ADDED, 200, true, false,
	    "unsubscribed\n" },
	{ ONE_CLICK, WISH_STORED, SUPPRESS_ALREADY, 200, false, false,
	    "unsubscribed\n" },
	{ ONE_CLICK, WISH_SPOOLED, SUPPRESS_ADDED, 200, true, false,
	    "unsubscribed\n" },
	{ ONE_CLICK, WISH_LOST, SUPPRESS_ADDED, 503, false, false,
	    "try again" },
	{ "List-Unsubscribe=page", WISH_STORED, SUPPRESS_ADDED, 200, true,
	    true, "gets no more mail of" },
	{ "List-Unsubscribe=page", WISH_STORED, SUPPRESS_EXTENDED, 200, true,
	    true, "gets no more mail of" },
	{ "List-Unsubscribe=page", WISH_STORED, SUPPRESS_ALREADY, 200, false,
	    false, "gets no more mail of" },
	{ "List-Unsubscribe=page", WISH_SPOOLED, SUPPRESS_ADDED, 200, true,
	    false, "gets no more mail of" },
	{ "List-Unsubscribe=page&scope=domain", WISH_STORED, SUPPRESS_ADDED,
	    200, true, true, "gets no more mail from example.com" },
	{ "List-Unsubscribe=page", WISH_LOST, SUPPRESS_ADDED, 503, false,
	    false, "Please try again" },
};

static void
answers_follow_wishes(void **state)
{
	struct counter *c = *state;
	const struct token t = token_of("jane@example.net", "news", "");

	for (size_t i = 0; i < COUNT(ends); i++) {
		const struct end_case *k = &ends[i];
		struct request r = request_of(c, "POST", seal(c, &t),
		    &form_type, k->body);
		struct answer a = grant(c, &r, k->result, k->outcome);

		assert_int_equal(a.status, k->status);
		assert_int_equal(a.retry_after > 0, k->status == 503);
		assert_int_equal(a.location.n, 0);
		if (!has(a.body, k->says))
			fail_msg("%zu: %.*s", i, STR_ARG(a.body));
		assert_int_equal(has(a.body, "name=\"undo\""), k->can_undo);
		assert_int_equal(c->desk->events.n > 0, k->has_event);
	}
}

/* The stamp in a confirmation page. */
static struct str
stamp_of(struct str page)
{
	struct str mark = STR("name=\"undo\" value=\"");
	size_t at = str_find(page, mark, 0);

	assert_true(at < page.n);
	at += mark.n;
	return str_sub(page, at, str_chr(page, '"', at));
}

static struct request
undo_of(struct counter *c, const struct token *t, struct str stamp)
{
	struct arena *a = c->desk->arena;

	return request_of(c, "POST", seal(c, t), &form_type, arena_cstr(a,
	    arena_printf(a, "undo=%.*s", STR_ARG(stamp))));
}

static void
undo_takes_back_one(void **state)
{
	struct counter *c = *state;
	const struct token t = token_of("jane@example.net", "news", "l.x");
	struct request r = request_of(c, "POST", seal(c, &t), &form_type,
	    "List-Unsubscribe=page");
	struct answer a = grant(c, &r, WISH_STORED, SUPPRESS_ADDED);
	struct str stamp = stamp_of(a.body);

	r = undo_of(c, &t, stamp);
	r.now += INT64_C(3600) * 1000000;
	a = grant(c, &r, WISH_STORED, SUPPRESS_REMOVED);
	assert_int_equal(a.status, 200);
	assert_int_equal(a.wish->what, SUPPRESS_REMOVE);
	assert_int_equal(a.wish->entry.created, NOW);
	assert_int_equal(a.wish->entry.reason, SUPPRESS_UNSUBSCRIBE);
	assert_int_equal(a.wish->entry.scope.stream, t.stream);
	expect_str("list", a.wish->entry.scope.list, STR("l.x"));
	expect_str("address", a.wish->entry.address, t.recipient);
	assert_int_equal(metrics_get(&c->desk->metrics, METRIC_UNDONE), 1);
	assert_int_equal(c->desk->events.n, 0);
	a = grant(c, &r, WISH_STORED, SUPPRESS_ABSENT);
	assert_int_equal(a.status, 409);
	a = grant(c, &r, WISH_LOST, SUPPRESS_ABSENT);
	assert_int_equal(a.status, 503);
	assert_int_equal(metrics_get(&c->desk->metrics, METRIC_UNDONE), 1);
}

static void
stamps_are_for_one_thing(void **state)
{
	struct counter *c = *state;
	const struct token t = token_of("jane@example.net", "news", ""),
	    other = token_of("john@example.net", "news", "");
	struct request r = request_of(c, "POST", seal(c, &t), &form_type,
	    "List-Unsubscribe=page");
	struct answer a = grant(c, &r, WISH_STORED, SUPPRESS_ADDED);
	struct str stamp = stamp_of(a.body);
	static const char *const paths[] = { "/u/", "/c/", "/o/" };

	/* too late, at another's link, changed */
	r = undo_of(c, &t, stamp);
	r.now += INT64_C(3601) * 1000000;
	assert_int_equal(desk_ask(c->desk, &r).status, 400);
	r = undo_of(c, &other, stamp);
	a = desk_ask(c->desk, &r);
	assert_int_equal(a.status, 400);
	assert_null(a.wish);
	r = undo_of(c, &t, str_sub(stamp, 0, stamp.n - 1));
	assert_int_equal(desk_ask(c->desk, &r).status, 400);
	/* it is no link */
	for (size_t i = 0; i < COUNT(paths); i++) {
		r = desk_request(c->desk, "GET", arena_printf(c->desk->arena,
		    "%s%.*s", paths[i], STR_ARG(stamp)));
		assert_int_equal(desk_ask(c->desk, &r).status, 404);
	}
}

static void
shared_links_explain(void **state)
{
	struct counter *c = *state;
	const struct token t = token_of("", "news", "");
	static const struct {
		const char *method, *body;
		unsigned status;
	} k[] = {
		{ "GET", "", 200 }, { "HEAD", "", 200 },
		{ "POST", ONE_CLICK, 400 },
		{ "POST", "List-Unsubscribe=page&scope=domain", 400 },
		{ "POST", "", 400 },
	};

	for (size_t i = 0; i < COUNT(k); i++) {
		struct request r = request_of(c, k[i].method, seal(c, &t),
		    &form_type, k[i].body);
		struct answer a = desk_ask(c->desk, &r);

		assert_int_equal(a.status, k[i].status);
		assert_null(a.wish);
		assert_true(has(a.body, "several people"));
		assert_false(has(a.body, "<form"));
	}
}

/* A domain that the settings do not have any more. */
static void
former_domains_count(void **state)
{
	struct counter *c = *state;
	struct token t = token_of("jane@example.net", "x", "");
	struct request r;
	struct answer a;

	t.domain = STR("former.example");
	r = request_of(c, "POST", seal(c, &t), &form_type, ONE_CLICK);
	a = desk_ask(c->desk, &r);
	assert_non_null(a.wish);
	expect_str("domain", a.wish->entry.scope.domain, t.domain);
	assert_int_equal(a.wish->entry.scope.stream, t.stream);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_post_acts, open_counter,
		    close_counter),
		cmocka_unit_test_setup_teardown(wishes_are_scoped,
		    open_counter, close_counter),
		cmocka_unit_test_setup_teardown(answers_follow_wishes,
		    open_counter, close_counter),
		cmocka_unit_test_setup_teardown(undo_takes_back_one,
		    open_counter, close_counter),
		cmocka_unit_test_setup_teardown(stamps_are_for_one_thing,
		    open_counter, close_counter),
		cmocka_unit_test_setup_teardown(shared_links_explain,
		    open_counter, close_counter),
		cmocka_unit_test_setup_teardown(former_domains_count,
		    open_counter, close_counter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
