/*
 * robot_visit.h - visits as rows of a table, and what is judged of them.
 */
#ifndef BULKHEAD_TESTS_ROBOT_VISIT_H
#define BULKHEAD_TESTS_ROBOT_VISIT_H

#include "tests/unit/unit.h"

#include "base/buf.h"
#include "trackd/robot.h"

#define ERRORS_MAX (1024 * 1024)
#define HOUR	   495000u
#define NOW_S	   (INT64_C(3600) * HOUR + 1800)
#define FIELDS	   20

/* A visit and what is to be said of it; fields: "Name: value" lines. */
struct case_ {
	const char *agent; /* NULL: none */
	const char *fields;
	const char *rule; /* "": none applies */
	enum event_verdict verdict;
	enum event_kind kind; /* 0: clicked */
	const char *method;   /* NULL: GET */
	const char *visitor;
	unsigned hours_ago; /* 0: a day ago */
};

/* What a case looks like on the wire. */
struct made {
	struct request request;
	struct request_field fields[FIELDS];
	struct visit visit;
};

static inline void
add_field(struct made *m, struct arena *a, struct str name, struct str value)
{
	assert_true(m->request.nfields < FIELDS);
	m->fields[m->request.nfields++] = (struct request_field){
		exact(a, name), exact(a, value) };
}

static inline void
make(struct made *m, struct arena *a, const struct case_ *c)
{
	struct str lines = str_from(c->fields);

	*m = (struct made){ .request = { .arena = a, .now = NOW_S * 1000000,
		.method = str_from(c->method != NULL ? c->method : "GET"),
		.host = STR("t.example.com") } };
	add_field(m, a, STR("Host"), STR("t.example.com"));
	if (c->agent != NULL)
		add_field(m, a, STR("User-Agent"), str_from(c->agent));
	for (size_t at = 0; at < lines.n; ) {
		size_t end = str_chr(lines, '\n', at);
		size_t colon = str_chr(lines, ':', at);

		add_field(m, a, str_sub(lines, at, colon),
		    str_sub(lines, colon + 1, end));
		at = end + 1;
	}
	m->request.fields = m->fields;
	if (c->visitor != NULL) {
		assert_int_equal(net_parse_addr(str_from(c->visitor),
		    &m->request.visitor), 0);
		m->request.has_visitor = true;
	}
	m->visit = (struct visit){ .request = &m->request,
		.kind = c->kind != 0 ? c->kind : EVENT_CLICKED,
		.hours = HOUR - (c->hours_ago != 0 ? c->hours_ago - 1 : 24) };
}

static inline void
expect_case(const struct robots *r, const struct case_ *c)
{
	struct arena *a = arena_new();
	struct made m;
	struct str rule = STR("not set");
	enum event_verdict verdict;

	make(&m, a, c);
	verdict = robots_judge(r, &m.visit, &rule);
	expect_str(c->agent != NULL ? c->agent : "(none)", rule,
	    str_from(c->rule));
	if (verdict != c->verdict)
		fail_msg("%s: verdict %d, want %d", c->agent, verdict,
		    c->verdict);
	arena_free(&a);
}

#endif
