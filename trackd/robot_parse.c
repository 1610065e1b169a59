/*
 * robot_parse.c - reads rules, in lines as Postfix's tables have them.  It
 * goes on after an error, so that all are told at once.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/num.h"
#include "trackd/robot.h"
#include "trackd/robot_rules.h"

#define TEXT_MAX    (1024 * 1024)
#define WORDS_MAX   64 /* of a rule */
#define ERRORS_MAX  100
#define WORD_MAX    24 /* octets of a name of ours */
#define RULE_NAME_MAX 40
#define PATTERN_MAX 200

#define VERDICTS "human, prefetch, scanner or unknown"

struct word {
	struct str text; /* without quotes */
	unsigned line;
};

struct parser {
	struct robots *robots;
	const char *file;
	struct buf *errors;
	size_t nerrors;
	/* the rule that is being read */
	struct word words[WORDS_MAX];
	size_t nwords;
	bool has_too_many;
};

/* For "%.*s" in messages. */
#define SHOW(s) (int)((s).n < 80 ? (s).n : 80), (s).n ? (s).p : ""

static void error_at(struct parser *p, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
error_at(struct parser *p, unsigned line, const char *fmt, ...)
{
	size_t from = p->errors->n;
	va_list ap;

	if (p->nerrors++ >= ERRORS_MAX)
		return;
	buf_printf(p->errors, "%s:%u: ", p->file, line);
	va_start(ap, fmt);
	buf_vprintf(p->errors, fmt, ap);
	va_end(ap);
	for (size_t i = from; i < p->errors->n; i++)
		if ((unsigned char)p->errors->p[i] < ' ' ||
		    p->errors->p[i] == 127)
			p->errors->p[i] = '?';
	buf_char(p->errors, '\n');
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance of two words, or 99 when one is too long. */
static unsigned
distance(struct str a, struct str b)
{
	unsigned row[WORD_MAX + 1];

	if (a.n > WORD_MAX || b.n > WORD_MAX)
		return 99;
	for (unsigned j = 0; j <= b.n; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			unsigned up = row[j];
			bool same = str_lower(a.p[i - 1]) ==
			    str_lower(b.p[j - 1]);

			row[j] = least(least(up, row[j - 1]) + 1,
			    diagonal + !same);
			diagonal = up;
		}
	}
	return row[b.n];
}

/* "; did you mean X?", or what would be right; in the arena. */
static struct str
suggest(struct parser *p, const char *const *known, struct str word,
    const char *otherwise)
{
	unsigned best = word.n < 6 ? 2 : 3;
	const char *found = NULL;

	for (; *known != NULL; known++) {
		unsigned d = distance(str_from(*known), word);

		if (d < best || (d == best && found == NULL)) {
			best = d;
			found = *known;
		}
	}
	if (found == NULL)
		return str_from(otherwise);
	return arena_printf(p->robots->arena, "did you mean \"%s\"?", found);
}

/* Are all octets of s letters, digits or one of those others? */
static bool
is_made_of(struct str s, const char *others)
{
	for (size_t i = 0; i < s.n; i++)
		if (!str_is_alpha(s.p[i]) && !str_is_digit(s.p[i]) &&
		    (s.p[i] == '\0' || strchr(others, s.p[i]) == NULL))
			return false;
	return s.n > 0;
}

/* The number of a field's name; a new one gets the next. */
static int
number_of(struct parser *p, unsigned line, struct str name)
{
	struct robots *r = p->robots;

	if (!is_made_of(name, "-_.!#$%&'*+^`|~") || name.n > ROBOT_NAME_MAX) {
		error_at(p, line, "\"%.*s\" is no name of a header field: "
		    "header:Accept-Language is one", SHOW(name));
		return -1;
	}
	for (size_t i = 0; i < r->nnames; i++)
		if (str_ieq(r->names[i], name))
			return (int)i;
	if (r->nnames == ROBOT_NAMES) {
		error_at(p, line, "\"%.*s\" is one name of a header field too "
		    "many: the rules may ask about %d", SHOW(name),
		    ROBOT_NAMES);
		return -1;
	}
	r->by_length[name.n] |= UINT64_C(1) << r->nnames;
	r->names[r->nnames] = arena_copy(r->arena, name);
	return (int)r->nnames++;
}

/* The longest run without '*' and '?'. */
static struct str
longest_literal(struct str pattern)
{
	struct str best = str_make(NULL, 0);

	for (size_t from = 0, i = 0; i <= pattern.n; i++) {
		if (i < pattern.n && pattern.p[i] != '*' &&
		    pattern.p[i] != '?')
			continue;
		if (i - from > best.n)
			best = str_sub(pattern, from, i);
		from = i + 1;
	}
	return best;
}

/* Adds a pattern to an array; its grams are spread over its literal. */
static void
add_glob(struct parser *p, struct robot_glob **v, size_t *n, int name,
    struct str pattern)
{
	struct arena *a = p->robots->arena;
	struct robot_glob *more = arena_array(a, *n + 1, sizeof(*more));
	struct robot_glob *g = &more[*n];
	struct str literal = longest_literal(pattern);
	size_t ngrams = literal.n < 3 ? 0 : literal.n - 2;

	if (*n > 0)
		memcpy(more, *v, *n * sizeof(*more));
	g->pattern = arena_copy(a, pattern);
	g->name = (unsigned)name;
	g->ngrams = ngrams < ROBOT_GRAMS ? (unsigned)ngrams : ROBOT_GRAMS;
	for (size_t i = 0; i < g->ngrams; i++) {
		size_t at = g->ngrams < 2 ? 0 :
		    i * (ngrams - 1) / (g->ngrams - 1);

		g->grams[i] = (uint16_t)robot_gram(literal.p + at);
	}
	*v = more;
	(*n)++;
}

/* Is it a pattern?  Says what is wrong. */
static bool
is_pattern(struct parser *p, unsigned line, const char *what,
    struct str pattern)
{
	if (pattern.n == 0)
		error_at(p, line, "%s has no pattern: * is any run of "
		    "characters, ? any one", what);
	else if (pattern.n > PATTERN_MAX)
		error_at(p, line, "%s has a pattern of %zu characters: %d are "
		    "the most", what, pattern.n, PATTERN_MAX);
	else
		return true;
	return false;
}

static void
read_agent(struct parser *p, struct robot_rule *rule, unsigned line,
    struct str value)
{
	if (!is_pattern(p, line, "agent:", value))
		return;
	rule->need |= UINT64_C(1) << ROBOT_USER_AGENT;
	add_glob(p, &rule->agents, &rule->nagents, ROBOT_USER_AGENT, value);
}

static void
read_no_agent(struct parser *p, struct robot_rule *rule, unsigned line,
    struct str value)
{
	if (value.n != 0)
		error_at(p, line, "no-agent takes no value: it holds when "
		    "there is no User-Agent");
	rule->no |= UINT64_C(1) << ROBOT_USER_AGENT;
}

static void
read_header(struct parser *p, struct robot_rule *rule, unsigned line,
    struct str value)
{
	size_t equals = str_chr(value, '=', 0);
	struct str pattern = str_sub(value, equals + 1, value.n);
	int number = number_of(p, line, str_sub(value, 0, equals));

	if (number < 0)
		return;
	rule->need |= UINT64_C(1) << number;
	if (equals < value.n && is_pattern(p, line, "header:NAME=", pattern))
		add_glob(p, &rule->headers, &rule->nheaders, number, pattern);
}

static void
read_no_header(struct parser *p, struct robot_rule *rule, unsigned line,
    struct str value)
{
	int number = number_of(p, line, value);

	if (number >= 0)
		rule->no |= UINT64_C(1) << number;
}

static void
read_method(struct parser *p, struct robot_rule *rule, unsigned line,
    struct str value)
{
	static const char *const known[] = { "GET", "HEAD", "POST", NULL };
	size_t i = 0;

	while (known[i] != NULL && !str_eq(value, str_from(known[i])))
		i++;
	if (known[i] == NULL)
		error_at(p, line, "\"%.*s\" is no method that is judged: %.*s",
		    SHOW(value), STR_ARG(suggest(p, known, value,
		    "GET, HEAD and POST are")));
	else if (rule->method.n != 0)
		error_at(p, line, "a second method: can never hold");
	else
		rule->method = str_from(known[i]);
}

static void
read_kind(struct parser *p, struct robot_rule *rule, unsigned line,
    struct str value)
{
	static const char *const known[] = { "opened", "clicked",
		"unsubscribed", NULL };
	static const unsigned kinds[] = { EVENT_OPENED, EVENT_CLICKED,
		EVENT_UNSUBSCRIBED };

	for (size_t i = 0; known[i] != NULL; i++)
		if (str_eq(value, str_from(known[i]))) {
			rule->kinds |= 1u << kinds[i];
			return;
		}
	error_at(p, line, "\"%.*s\" is no kind of visit: %.*s", SHOW(value),
	    STR_ARG(suggest(p, known, value,
	    "opened, clicked and unsubscribed are")));
}

static void
add_net(struct parser *p, struct robot_rule *rule, unsigned line,
    struct str text)
{
	struct net_cidr *more;
	struct net_cidr net;

	if (net_parse_cidr(text, &net) != 0) {
		error_at(p, line, "\"%.*s\" is no network: 192.0.2.0/24 and "
		    "2001:db8::/32 are, with no bits set behind the prefix",
		    SHOW(text));
		return;
	}
	more = arena_array(p->robots->arena, rule->nnets + 1, sizeof(*more));
	if (rule->nnets > 0)
		memcpy(more, rule->nets, rule->nnets * sizeof(*more));
	more[rule->nnets++] = net;
	rule->nets = more;
}

static void
read_network(struct parser *p, struct robot_rule *rule, unsigned line,
    struct str value)
{
	if (rule->nnets > 0)
		error_at(p, line, "a second network: one condition may name "
		    "many, with a comma between them");
	for (size_t at = 0; at <= value.n; ) {
		size_t end = str_chr(value, ',', at);

		add_net(p, rule, line, str_sub(value, at, end));
		at = end + 1;
	}
}

static void
read_age(struct parser *p, struct robot_rule *rule, unsigned line,
    struct str word)
{
	uint64_t seconds;
	uint64_t *to = word.p[3] == '<' ? &rule->below : &rule->above;

	if (num_parse_duration(str_sub(word, 4, word.n), &seconds) != 0 ||
	    seconds == 0)
		error_at(p, line, "\"%.*s\" is no age: age<5m and age>2h are "
		    "(s, m, h, d)", SHOW(word));
	else if (*to != 0)
		error_at(p, line, "a second age of that kind: one is enough");
	else
		*to = seconds;
}

static const struct condition {
	const char *name;
	bool takes_value;
	void (*read)(struct parser *p, struct robot_rule *rule, unsigned line,
	    struct str value);
} conditions[] = {
	{ "agent", true, read_agent },
	{ "header", true, read_header },
	{ "kind", true, read_kind },
	{ "method", true, read_method },
	{ "network", true, read_network },
	{ "no-agent", false, read_no_agent },
	{ "no-header", true, read_no_header },
};

#define NCONDITIONS (sizeof(conditions) / sizeof(conditions[0]))

static void
report_condition(struct parser *p, unsigned line, struct str name)
{
	const char *known[NCONDITIONS + 2] = { "age" };

	for (size_t i = 0; i < NCONDITIONS; i++)
		known[i + 1] = conditions[i].name;
	error_at(p, line, "\"%.*s\" is no condition: %.*s", SHOW(name),
	    STR_ARG(suggest(p, known, name, "agent:, no-agent, header:, "
	    "no-header:, method:, kind:, network:, age< and age> are")));
}

static void
read_condition(struct parser *p, struct robot_rule *rule,
    const struct word *w)
{
	size_t colon = str_chr(w->text, ':', 0);
	struct str name = str_sub(w->text, 0, colon);
	struct str value = str_sub(w->text, colon + 1, w->text.n);

	if (str_starts(w->text, STR("age<")) ||
	    str_starts(w->text, STR("age>"))) {
		read_age(p, rule, w->line, w->text);
		return;
	}
	for (size_t i = 0; i < NCONDITIONS; i++) {
		const struct condition *c = &conditions[i];

		if (!str_eq(name, str_from(c->name)))
			continue;
		if (c->takes_value && colon == w->text.n)
			error_at(p, w->line, "%s needs a value: %s:...",
			    c->name, c->name);
		else
			c->read(p, rule, w->line, value);
		return;
	}
	report_condition(p, w->line, name);
}

static void
read_verdict(struct parser *p, struct robot_rule *rule, const struct word *w)
{
	static const char *const known[] = { "human", "prefetch", "scanner",
		"unknown", NULL };
	static const enum event_verdict verdicts[] = { EVENT_HUMAN,
		EVENT_PREFETCH, EVENT_SCANNER, EVENT_UNKNOWN };

	for (size_t i = 0; known[i] != NULL; i++)
		if (str_eq(w->text, str_from(known[i])))
			rule->verdict = verdicts[i];
	if (rule->verdict == EVENT_NOBODY)
		error_at(p, w->line, "\"%.*s\" is no verdict: %.*s",
		    SHOW(w->text), STR_ARG(suggest(p, known, w->text,
		    VERDICTS " are")));
}

/* A name may stand on many lines, but means one thing. */
static void
check_name(struct parser *p, const struct robot_rule *rule)
{
	const struct robots *r = p->robots;

	for (size_t i = 0; i < r->n; i++)
		if (str_eq(r->v[i].name, rule->name) && rule->verdict !=
		    EVENT_NOBODY && r->v[i].verdict != EVENT_NOBODY &&
		    r->v[i].verdict != rule->verdict) {
			error_at(p, rule->line, "rule \"%.*s\" has another "
			    "verdict in line %u: give it another name",
			    SHOW(rule->name), r->v[i].line);
			break;
		}
	if (!is_made_of(rule->name, "-_.") || rule->name.n > RULE_NAME_MAX)
		error_at(p, rule->line, "\"%.*s\" is no name of a rule: "
		    "letters, digits, \"-\", \"_\" and \".\", at most %d",
		    SHOW(rule->name), RULE_NAME_MAX);
}

static void
check_sense(struct parser *p, const struct robot_rule *rule)
{
	if ((rule->need & rule->no) != 0)
		error_at(p, rule->line, "rule \"%.*s\" can never hold: it "
		    "wants a field and wants it away", SHOW(rule->name));
	if (rule->below != 0 && rule->above >= rule->below)
		error_at(p, rule->line, "rule \"%.*s\" can never hold: "
		    "nothing is older and younger than that",
		    SHOW(rule->name));
}

/* The rule whose words were read, if there is one. */
static void
end_rule(struct parser *p)
{
	struct robots *r = p->robots;
	struct robot_rule rule = { .verdict = EVENT_NOBODY };
	size_t n = p->nwords;

	p->nwords = 0;
	if (n == 0 || r->n > ROBOT_RULES_MAX)
		return;
	rule.name = p->words[0].text;
	rule.line = p->words[0].line;
	if (n < 3)
		error_at(p, rule.line, "rule \"%.*s\" has no %s: NAME VERDICT "
		    "CONDITION...", SHOW(rule.name),
		    n < 2 ? "verdict" : "condition");
	if (n > 1)
		read_verdict(p, &rule, &p->words[1]);
	for (size_t i = 2; i < n; i++)
		read_condition(p, &rule, &p->words[i]);
	check_name(p, &rule);
	check_sense(p, &rule);
	if (p->has_too_many)
		error_at(p, rule.line, "rule \"%.*s\" has more than %d words",
		    SHOW(rule.name), WORDS_MAX);
	p->has_too_many = false;
	if (r->n == ROBOT_RULES_MAX)
		error_at(p, rule.line, "more than %d rules: no more are read",
		    ROBOT_RULES_MAX);
	r->v = arena_grow(r->arena, r->v, r->n, &r->cap, sizeof(*r->v));
	r->v[r->n++] = rule;
}

static void
add_word(struct parser *p, unsigned line, struct str text)
{
	if (p->nwords == WORDS_MAX) {
		p->has_too_many = true;
		return;
	}
	p->words[p->nwords++] = (struct word){ text, line };
}

/* The words of a line; quotes keep blanks, and are taken away. */
static void
read_words(struct parser *p, unsigned line, struct str text)
{
	char *to = arena_bytes(p->robots->arena, text.n);
	size_t i = 0;

	while (i < text.n) {
		bool is_quoted = false;
		size_t n = 0;

		for (; i < text.n && (is_quoted || !str_is_space(text.p[i]));
		    i++) {
			if (text.p[i] == '"')
				is_quoted = !is_quoted;
			else
				to[n++] = text.p[i];
		}
		if (is_quoted)
			error_at(p, line, "a quote is not closed: "
			    "agent:\"two words*\"");
		if (n > 0 && to[0] == '#') {
			error_at(p, line, "a comment stands on a line of its "
			    "own");
			return;
		}
		add_word(p, line, str_make(to, n));
		to += n;
		while (i < text.n && str_is_space(text.p[i]))
			i++;
	}
}

static bool
has_controls(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' && s.p[i] != '\t')
			return true;
	return false;
}

static void
read_line(struct parser *p, unsigned line, struct str text)
{
	bool continues = text.n > 0 && (text.p[0] == ' ' || text.p[0] == '\t');

	text = str_trim(text);
	if (text.n == 0 || text.p[0] == '#')
		return;
	if (has_controls(text)) {
		error_at(p, line, "a control character: these are lines of "
		    "text");
		return;
	}
	if (!continues)
		end_rule(p);
	else if (p->nwords == 0)
		error_at(p, line, "a line that begins with a blank continues "
		    "the one before, and there is none");
	read_words(p, line, text);
}

/* What a rule wants at least, for the judge to go through at once. */
static void
set_front(struct robots *r)
{
	r->fronts = arena_array(r->arena, r->n, sizeof(*r->fronts));
	for (size_t i = 0; i < r->n; i++) {
		const struct robot_rule *rule = &r->v[i];
		struct robot_front *f = &r->fronts[i];
		const struct robot_glob *g = rule->agents;

		f->need = rule->need;
		f->no = rule->no;
		f->kinds = rule->kinds != 0 ? rule->kinds : ~0u;
		for (unsigned j = 0; j < ROBOT_GRAMS; j++)
			f->grams[j] = rule->nagents > 0 && j < g->ngrams ?
			    g->grams[j] : ROBOT_NO_GRAM;
	}
}

/* Names that rules and the judge ask about in any case. */
static struct robots *
robots_new(void)
{
	struct robots *r = mem_alloc(sizeof(*r));

	*r = (struct robots){ .arena = arena_new(), .nnames = 2,
		.names = { [ROBOT_USER_AGENT] = STR("User-Agent"),
		[ROBOT_ACCEPT] = STR("Accept") } };
	for (size_t i = 0; i < r->nnames; i++)
		r->by_length[r->names[i].n] |= UINT64_C(1) << i;
	return r;
}

struct robots *
robots_parse(struct str text, const char *file, struct buf *errors)
{
	struct parser p = { .robots = robots_new(), .file = file,
		.errors = errors };
	unsigned line = 1;

	if (text.n > TEXT_MAX) {
		error_at(&p, 1, "longer than %d octets", TEXT_MAX);
		text.n = 0;
	}
	for (size_t at = 0; at < text.n; line++) {
		size_t end = str_chr(text, '\n', at);

		read_line(&p, line, str_sub(text, at, end));
		at = end + 1;
	}
	end_rule(&p);
	if (p.robots->n == 0 && p.nerrors == 0)
		error_at(&p, 1, "holds no rule: NAME VERDICT CONDITION...");
	if (p.nerrors > ERRORS_MAX)
		buf_printf(errors, "%s: %zu errors in all\n", file, p.nerrors);
	if (p.nerrors > 0)
		robots_free(&p.robots);
	else
		set_front(p.robots);
	return p.robots;
}
