/*
 * robot.c - which rule applies to a visit.  What all rules ask about is found
 * out once; most rules then fall to one comparison of bits.
 */
#include "trackd/robot.h"

#include <stdlib.h>

#include "trackd/robot_rules.h"

#define HOUR INT64_C(3600)

/* A visit as rules ask about it. */
struct look {
	const struct request *request;
	unsigned kind; /* a bit */
	struct str agent;
	uint64_t have;	   /* fields with a value, by the bit of their name */
	int64_t least_age; /* seconds: it is older than that; -1: not known */
	uint64_t grams[ROBOT_GRAM_BITS / 64 + 1];
};

/* The number of a field's name among those that rules ask about, or -1. */
static int
name_number(const struct robots *r, struct str name)
{
	uint64_t left;

	if (name.n > ROBOT_NAME_MAX)
		return -1;
	left = r->by_length[name.n];
	for (; left != 0; left &= left - 1) {
		int i = __builtin_ctzll(left);

		if (str_lower(r->names[i].p[0]) == str_lower(name.p[0]) &&
		    str_same_folded(r->names[i].p, name.p, name.n))
			return i;
	}
	return -1;
}

static void
look_at_fields(struct look *l, const struct robots *r)
{
	const struct request *q = l->request;

	for (size_t i = 0; i < q->nfields; i++) {
		int number = name_number(r, q->fields[i].name);
		struct str value;

		if (number < 0)
			continue;
		value = str_trim(q->fields[i].value);
		if (value.n == 0)
			continue;
		if (number == ROBOT_USER_AGENT && l->agent.n == 0)
			l->agent = str_sub(value, 0, ROBOT_AGENT_MAX);
		l->have |= UINT64_C(1) << number;
	}
}

/*
 * A token knows the hour in which its mail was made, so that its mail may be
 * up to an hour older than this.
 */
static int64_t
least_age(const struct visit *v)
{
	int64_t end = ((int64_t)v->hours + 1) * HOUR;
	int64_t now = v->request->now / 1000000;

	if (v->hours == 0)
		return -1;
	return now > end ? now - end : 0;
}

static void
look_at(struct look *l, const struct robots *r, const struct visit *v)
{
	*l = (struct look){ .request = v->request,
		.kind = 1u << v->kind, .least_age = least_age(v) };
	look_at_fields(l, r);
	l->grams[ROBOT_NO_GRAM / 64] = 1;
	for (size_t i = 2; i < l->agent.n; i++) {
		unsigned gram = robot_gram(l->agent.p + i - 2);

		l->grams[gram / 64] |= UINT64_C(1) << gram % 64;
	}
}

static bool
may_apply(const struct robot_front *f, const struct look *l)
{
	if ((l->have & f->need) != f->need || (l->have & f->no) != 0 ||
	    (f->kinds & l->kind) == 0)
		return false;
	/* of a browser's visit the first one is missing nearly always */
	for (unsigned i = 0; i < ROBOT_GRAMS; i++)
		if ((l->grams[f->grams[i] / 64] >> f->grams[i] % 64 & 1) == 0)
			return false;
	return true;
}

/* Does a field of that name match? */
static bool
header_matches(const struct look *l, const struct robots *r,
    const struct robot_glob *g)
{
	const struct request *q = l->request;

	for (size_t i = 0; i < q->nfields; i++)
		if (str_ieq(q->fields[i].name, r->names[g->name]) &&
		    str_glob(g->pattern, str_trim(q->fields[i].value)))
			return true;
	return false;
}

static bool
is_in_nets(const struct look *l, const struct robot_rule *rule)
{
	for (size_t i = 0; l->request->has_visitor && i < rule->nnets; i++)
		if (net_contains(&rule->nets[i], &l->request->visitor))
			return true;
	return rule->nnets == 0;
}

static bool
is_of_age(const struct look *l, const struct robot_rule *rule)
{
	if (rule->below == 0 && rule->above == 0)
		return true;
	if (l->least_age < 0)
		return false;
	return (rule->below == 0 || (uint64_t)l->least_age < rule->below) &&
	    (uint64_t)l->least_age >= rule->above;
}

/* What is cheap comes first. */
static bool
applies(const struct robots *r, const struct robot_rule *rule,
    const struct look *l)
{
	if (!is_of_age(l, rule) || (rule->method.n != 0 &&
	    !str_eq(rule->method, l->request->method)))
		return false;
	for (size_t i = 0; i < rule->nheaders; i++)
		if (!header_matches(l, r, &rule->headers[i]))
			return false;
	for (size_t i = 0; i < rule->nagents; i++)
		if (!str_glob(rule->agents[i].pattern, l->agent))
			return false;
	return is_in_nets(l, rule);
}

enum event_verdict
robots_judge(const struct robots *r, const struct visit *visit,
    struct str *rule)
{
	const uint64_t enough = UINT64_C(1) << ROBOT_USER_AGENT |
	    UINT64_C(1) << ROBOT_ACCEPT;
	struct look l;

	look_at(&l, r, visit);
	for (size_t i = 0; i < r->n; i++) {
		if (!may_apply(&r->fronts[i], &l) ||
		    !applies(r, &r->v[i], &l))
			continue;
		*rule = r->v[i].name;
		return r->v[i].verdict;
	}
	*rule = str_make(NULL, 0);
	return (l.have & enough) == enough ? EVENT_HUMAN : EVENT_UNKNOWN;
}

void
robots_free(struct robots **r)
{
	if (*r != NULL)
		arena_free(&(*r)->arena);
	free(*r);
	*r = NULL;
}
