/*
 * fuzz_robots.c - rules and judgements: rules or errors, never both; errors are
 * lines of text that name theirs; what is judged by bits first is what comes
 * of asking rule by rule, under these rules and under those built in.
 *
 * Rules up to the first NUL; then octets for method, kind and hours; 16 of an
 * address; then "Name: value" lines.
 */
#include "tests/fuzz/fuzz.h"

#include "base/buf.h"
#include "trackd/robot.h"
#include "trackd/robot_rules.h"

#define ERRORS_MAX (1 << 20)
#define NOW	   (INT64_C(3600) * 495000 + 1800)

static void
check_errors(struct str errors)
{
	for (size_t at = 0; at < errors.n; ) {
		size_t end = str_chr(errors, '\n', at);
		struct str line = str_sub(errors, at, end);

		EXPECT(end < errors.n);
		EXPECT(str_starts(line, STR("f:")));
		for (size_t i = 0; i < line.n; i++)
			EXPECT((unsigned char)line.p[i] >= ' ');
		at = end + 1;
	}
}

static struct robots *
parse(struct str text)
{
	struct buf errors;
	struct robots *r;

	buf_init(&errors, ERRORS_MAX);
	r = robots_parse(text, "f", &errors);
	EXPECT(!errors.failed);
	EXPECT((r == NULL) == (errors.n > 0));
	check_errors(buf_view(&errors));
	buf_free(&errors);
	return r;
}

static bool
has_field(const struct request *q, struct str name)
{
	for (size_t i = 0; i < q->nfields; i++)
		if (str_ieq(q->fields[i].name, name) &&
		    str_trim(q->fields[i].value).n > 0)
			return true;
	return false;
}

static bool
field_matches(const struct request *q, struct str name, struct str pattern)
{
	for (size_t i = 0; i < q->nfields; i++)
		if (str_ieq(q->fields[i].name, name) &&
		    str_glob(pattern, str_trim(q->fields[i].value)))
			return true;
	return false;
}

static struct str
agent_of(const struct request *q)
{
	for (size_t i = 0; i < q->nfields; i++) {
		struct str value = str_trim(q->fields[i].value);

		if (str_ieq(q->fields[i].name, STR("User-Agent")) &&
		    value.n > 0)
			return str_sub(value, 0, ROBOT_AGENT_MAX);
	}
	return STR("");
}

static bool
fields_apply(const struct robots *r, const struct robot_rule *rule,
    const struct request *q, uint64_t have)
{
	struct str agent = agent_of(q);

	if ((rule->need & ~have) != 0 || (rule->no & have) != 0)
		return false;
	for (size_t i = 0; i < rule->nagents; i++)
		if (!str_glob(rule->agents[i].pattern, agent))
			return false;
	for (size_t i = 0; i < rule->nheaders; i++)
		if (!field_matches(q, r->names[rule->headers[i].name],
		    rule->headers[i].pattern))
			return false;
	return true;
}

static bool
applies(const struct robots *r, const struct robot_rule *rule,
    const struct visit *v, uint64_t have)
{
	const struct request *q = v->request;
	int64_t age = NOW - ((int64_t)v->hours + 1) * 3600;
	bool is_near = rule->nnets == 0;

	for (size_t i = 0; i < rule->nnets; i++)
		is_near |= q->has_visitor &&
		    net_contains(&rule->nets[i], &q->visitor);
	if (age < 0)
		age = 0;
	if ((rule->below != 0 || rule->above != 0) && (v->hours == 0 ||
	    (uint64_t)age < rule->above ||
	    (rule->below != 0 && (uint64_t)age >= rule->below)))
		return false;
	return is_near && fields_apply(r, rule, q, have) &&
	    (rule->kinds == 0 || (rule->kinds >> v->kind & 1) != 0) &&
	    (rule->method.n == 0 || str_eq(rule->method, q->method));
}

static void
check_verdict(const struct robots *r, const struct visit *v)
{
	struct str rule = STR("unset");
	enum event_verdict verdict = robots_judge(r, v, &rule);
	uint64_t have = 0;
	size_t i = 0;

	for (size_t j = 0; j < r->nnames; j++)
		have |= (uint64_t)has_field(v->request, r->names[j]) << j;
	while (i < r->n && !applies(r, &r->v[i], v, have))
		i++;
	if (i < r->n) {
		EXPECT_SAME(rule, r->v[i].name);
		EXPECT(verdict == r->v[i].verdict);
		return;
	}
	EXPECT(rule.n == 0);
	EXPECT(verdict == (agent_of(v->request).n > 0 &&
	    has_field(v->request, STR("Accept")) ? EVENT_HUMAN :
	    EVENT_UNKNOWN));
}

static void
read_fields(struct arena *a, struct request *q, struct str lines)
{
	struct request_field *v = arena_array(a, REQUEST_HEADERS_MAX,
	    sizeof(*v));

	while (lines.n > 0 && q->nfields < REQUEST_HEADERS_MAX) {
		size_t end = str_chr(lines, '\n', 0);
		size_t colon = str_chr(str_sub(lines, 0, end), ':', 0);

		v[q->nfields++] = (struct request_field){
			fuzz_exact(a, str_sub(lines, 0, colon)),
			fuzz_exact(a, str_sub(lines, colon + 1, end)) };
		lines = str_sub(lines, end + 1, lines.n);
	}
	q->fields = v;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "" };
	static struct robots *builtin;
	struct arena *a = arena_new();
	struct str all = str_make((const char *)data, size), address;
	size_t end = str_chr(all, '\0', 0);
	struct robots *r = parse(fuzz_exact(a, str_sub(all, 0, end)));
	struct fuzz_input in = { data + (end < size ? end + 1 : size),
		end < size ? size - end - 1 : 0 };
	struct request q = { .arena = a, .now = NOW * 1000000 };
	struct visit v = { .request = &q };

	if (builtin == NULL)
		builtin = robots_default();
	q.method = str_from(methods[fuzz_byte(&in) % 4]);
	v.kind = EVENT_OPENED + fuzz_byte(&in) % 3;
	v.hours = fuzz_byte(&in);
	v.hours = v.hours == 0 ? 0 : 495002 - v.hours;
	address = fuzz_take(&in, a, sizeof(q.visitor.b));
	q.has_visitor = address.n == sizeof(q.visitor.b);
	if (q.has_visitor)
		memcpy(q.visitor.b, address.p, address.n);
	read_fields(a, &q, fuzz_rest(&in, a));
	check_verdict(builtin, &v);
	if (r != NULL)
		check_verdict(r, &v);
	robots_free(&r);
	arena_free(&a);
	return 0;
}
