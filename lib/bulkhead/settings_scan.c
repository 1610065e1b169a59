/*
 * settings_scan.c - the grammar of a settings file: options, lists, sections
 * and include(), with the position of each.  Knows no key by name.
 */
#include "bulkhead/settings_scan.h"

#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "bulkhead/settings_lex.h"

#define NESTING_MAX 16
#define INCLUDE_DEPTH_MAX 10
#define INCLUDES_MAX 1000

/* One file on its way through the grammar. */
struct parser {
	struct settings_scan *scan;
	struct lexer lx;
	unsigned include_depth, nesting;
};

static int parse_items(struct parser *p, struct scan_node *section,
    bool in_braces);

static bool
is_punct(const struct lex_token *t, char c)
{
	return t->kind == LEX_PUNCT && t->c == c;
}

static bool
is_value(const struct lex_token *t)
{
	return t->kind == LEX_WORD || t->kind == LEX_STRING;
}

/* What stands where something else should; for messages. */
static struct str
token_text(struct parser *p, const struct lex_token *t)
{
	if (t->kind == LEX_END)
		return STR("the end of the file");
	return arena_printf(p->scan->arena, "\"%.*s\"", SETTINGS_SHOW(t->text));
}

static struct scan_node *
add_node(struct parser *p, struct scan_node *section,
    const struct lex_token *name)
{
	struct scan_node *n = arena_alloc(p->scan->arena, sizeof(*n));

	n->name = name->text;
	n->pos = name->pos;
	n->bad = name->bad;
	n->from = name->from;
	n->to = p->lx.text->n;
	n->tail = &n->children;
	*section->tail = n;
	section->tail = &n->next;
	return n;
}

static void
add_value(struct parser *p, struct scan_node *n, const struct lex_token *t)
{
	n->values = arena_grow(p->scan->arena, n->values, n->nvalues, &n->cap,
	    sizeof(*n->values));
	n->values[n->nvalues++] = (struct scan_value){ t->text, t->pos };
	n->bad |= t->bad;
}

static int
list_not_closed(struct parser *p, struct scan_node *n, struct lex_token *t)
{
	if (t->kind != LEX_BROKEN)
		settings_error(p->lx.report, t->pos, "%.*s in the list \"%.*s\""
		    " of line %u: is its } missing?",
		    STR_ARG(token_text(p, t)), SETTINGS_SHOW(n->name),
		    n->pos.line);
	return -1;
}

static int
parse_list(struct parser *p, struct scan_node *n)
{
	struct lex_token t = lex_next(&p->lx);

	n->is_list = true;
	while (!is_punct(&t, '}')) {
		if (!is_value(&t))
			return list_not_closed(p, n, &t);
		add_value(p, n, &t);
		t = lex_next(&p->lx);
		if (is_punct(&t, ',')) {
			t = lex_next(&p->lx);
		} else if (is_value(&t)) {
			settings_error(p->lx.report, t.pos,
			    "a comma is missing before \"%.*s\"",
			    SETTINGS_SHOW(t.text));
			n->bad = true;
		}
	}
	return 0;
}

static int
parse_option(struct parser *p, struct scan_node *n)
{
	struct lex_token t = lex_next(&p->lx);

	n->kind = SCAN_OPTION;
	if (is_punct(&t, '{'))
		return parse_list(p, n);
	if (is_value(&t)) {
		add_value(p, n, &t);
		return 0;
	}
	if (t.kind != LEX_BROKEN)
		settings_error(p->lx.report, n->pos,
		    "\"%.*s\" has no value: write one behind the =",
		    SETTINGS_SHOW(n->name));
	return -1;
}

static int
parse_section(struct parser *p, struct scan_node *n)
{
	int rc;

	n->kind = SCAN_SECTION;
	if (p->nesting >= NESTING_MAX) {
		settings_error(p->lx.report, n->pos,
		    "sections nest more than %d deep: is a } missing above?",
		    NESTING_MAX);
		return -1;
	}
	p->nesting++;
	rc = parse_items(p, n, true);
	p->nesting--;
	return rc;
}

/* A path in include() counts from the directory of the file it stands in. */
static const char *
include_path(struct parser *p, struct str name)
{
	struct arena *a = p->scan->arena;
	size_t dir = p->lx.file.n;

	while (dir > 0 && p->lx.file.p[dir - 1] != '/')
		dir--;
	if (name.n != 0 && name.p[0] == '/')
		dir = 0;
	return arena_cstr(a, arena_printf(a, "%.*s%.*s", (int)dir,
	    p->lx.file.p, STR_ARG(name)));
}

static int
parse_file(struct parser *p, const char *path, struct settings_pos from,
    struct scan_node *section)
{
	struct settings_scan *s = p->scan;
	int rc;

	p->lx.arena = s->arena;
	p->lx.text = &s->text;
	p->lx.file = str_from(path);
	p->lx.line = 1;
	p->lx.i = 0;
	if (file_read(s->arena, path, SCAN_TEXT_MAX, &p->lx.in) != 0) {
		settings_error(p->lx.report, from, "cannot read %s: %s", path,
		    strerror(errno));
		return -1;
	}
	rc = parse_items(p, section, false);
	buf_char(&s->text, '\n');
	return rc;
}

static int
include_file(struct parser *p, const struct lex_token *name,
    struct scan_node *section)
{
	struct parser sub = *p;

	if (p->include_depth >= INCLUDE_DEPTH_MAX ||
	    p->scan->includes >= INCLUDES_MAX) {
		settings_error(p->lx.report, name->pos, "include() %d deep, or "
		    "%d in all, are the most: does a file include itself?",
		    INCLUDE_DEPTH_MAX, INCLUDES_MAX);
		return -1;
	}
	p->scan->includes++;
	sub.include_depth++;
	return parse_file(&sub, include_path(p, name->text), name->pos,
	    section);
}

static int
parse_include(struct parser *p, const struct lex_token *word,
    struct scan_node *section)
{
	struct lex_token name = lex_next(&p->lx), end;

	if (name.kind == LEX_BROKEN)
		return -1;
	end = lex_next(&p->lx);
	if (!is_value(&name) || !is_punct(&end, ')')) {
		settings_error(p->lx.report, word->pos,
		    "write include(\"FILE\")");
		return -1;
	}
	lex_blank(p->lx.text, word->from, p->lx.text->n);
	return name.bad ? -1 : include_file(p, &name, section);
}

/* What stands behind a name is no =, no { and no title with a {. */
static int
bad_item(struct parser *p, const struct scan_node *n, const struct lex_token *t)
{
	if (t->kind == LEX_BROKEN)
		return -1;
	if (n->has_title)
		settings_error(p->lx.report, n->pos, "%.*s behind %.*s "
		    "\"%.*s\": a section goes on with {, a setting has a = "
		    "before its value", STR_ARG(token_text(p, t)),
		    SETTINGS_SHOW(n->name), SETTINGS_SHOW(n->title));
	else
		settings_error(p->lx.report, n->pos, "%.*s behind \"%.*s\": a "
		    "setting goes on with =, a section with {",
		    STR_ARG(token_text(p, t)), SETTINGS_SHOW(n->name));
	return -1;
}

static int
parse_item(struct parser *p, struct lex_token *name, struct scan_node *section)
{
	struct lex_token t = lex_next(&p->lx);
	struct scan_node *n;
	int rc;

	if (is_punct(&t, '(') && str_eq(name->text, STR("include")))
		return parse_include(p, name, section);
	n = add_node(p, section, name);
	if (is_value(&t) && str_eq(t.text, STR("+"))) {
		n->bad = true; /* += was reported as such */
		t = lex_next(&p->lx);
	} else if (is_value(&t)) {
		n->has_title = true;
		n->title = t.text;
		n->bad |= t.bad;
		t = lex_next(&p->lx);
	}
	if (is_punct(&t, '{'))
		rc = parse_section(p, n);
	else if (is_punct(&t, '=') && !n->has_title)
		rc = parse_option(p, n);
	else
		rc = bad_item(p, n, &t);
	n->to = p->lx.text->n;
	return rc;
}

struct sibling {
	struct scan_node *node;
	size_t order;
};

static int
compare_siblings(const void *pa, const void *pb)
{
	const struct sibling *a = pa, *b = pb;
	int c = str_cmp(a->node->name, b->node->name);

	if (c == 0)
		c = str_cmp(a->node->title, b->node->title);
	if (c == 0)
		c = a->order < b->order ? -1 : 1;
	return c;
}

static void
report_second(struct parser *p, struct scan_node *second,
    const struct scan_node *first)
{
	second->bad = true;
	if (second->kind == SCAN_OPTION)
		settings_error(p->lx.report, second->pos, "\"%.*s\" is set a "
		    "second time, first at %.*s:%u: keep one",
		    SETTINGS_SHOW(second->name), STR_ARG(first->pos.file),
		    first->pos.line);
	else
		settings_error(p->lx.report, second->pos, "a second section "
		    "%.*s%s%.*s%s, the first is at %.*s:%u: join them",
		    SETTINGS_SHOW(second->name), second->has_title ? " \"" : "",
		    SETTINGS_SHOW(second->title), second->has_title ? "\"" : "",
		    STR_ARG(first->pos.file), first->pos.line);
}

static void
find_seconds(struct parser *p, struct scan_node *section)
{
	struct sibling *v;
	size_t n = 0, k = 0;

	for (struct scan_node *c = section->children; c != NULL; c = c->next)
		n++;
	if (n < 2)
		return;
	v = mem_alloc(n * sizeof(*v));
	for (struct scan_node *c = section->children; c != NULL; c = c->next) {
		v[k].node = c;
		v[k].order = k;
		k++;
	}
	qsort(v, n, sizeof(*v), compare_siblings);
	for (size_t i = 1, first = 0; i < n; i++) {
		if (str_eq(v[i].node->name, v[first].node->name) &&
		    str_eq(v[i].node->title, v[first].node->title))
			report_second(p, v[i].node, v[first].node);
		else
			first = i;
	}
	free(v);
}

/* The child that looks as if it belonged to the top level: a } was before. */
static const struct scan_node *
misplaced(const struct settings_scan *s, const struct scan_node *section)
{
	for (const struct scan_node *c = section->children; c; c = c->next)
		for (const struct scan_node *top = s->root.children; top;
		    top = top->next)
			if (c->kind == SCAN_SECTION && c->has_title &&
			    top->has_title && str_eq(c->name, top->name))
				return c;
	return NULL;
}

static int
section_ends(struct parser *p, struct scan_node *section,
    const struct lex_token *t, bool in_braces)
{
	const struct scan_node *guess;

	if (in_braces == is_punct(t, '}')) {
		if (in_braces || p->include_depth == 0)
			find_seconds(p, section);
		return 0;
	}
	if (!in_braces) {
		settings_error(p->lx.report, t->pos,
		    "this } closes nothing: one { too few or one } too many");
		return -1;
	}
	guess = misplaced(p->scan, section);
	if (guess != NULL)
		settings_error(p->lx.report, section->pos, "section %.*s is "
		    "not closed: is its } missing before line %u?",
		    SETTINGS_SHOW(section->name), guess->pos.line);
	else
		settings_error(p->lx.report, section->pos,
		    "section %.*s is not closed: its } is missing",
		    SETTINGS_SHOW(section->name));
	return -1;
}

static bool
is_semicolon(const struct lex_token *t)
{
	return t->bad && t->text.n != 0 && t->text.p[0] == ';';
}

/* Settings and sections up to the } or, outside braces, the end of the file. */
static int
parse_items(struct parser *p, struct scan_node *section, bool in_braces)
{
	for (;;) {
		struct lex_token t = lex_next(&p->lx);

		if (t.kind == LEX_BROKEN)
			return -1;
		if (t.kind == LEX_END || is_punct(&t, '}'))
			return section_ends(p, section, &t, in_braces);
		if (t.kind == LEX_WORD && is_semicolon(&t)) {
			lex_blank(p->lx.text, t.from, p->lx.text->n);
			continue;
		}
		if (t.kind != LEX_WORD) {
			settings_error(p->lx.report, t.pos, "%.*s where the "
			    "name of a setting or section should stand",
			    STR_ARG(token_text(p, &t)));
			return -1;
		}
		if (parse_item(p, &t, section) != 0)
			return -1;
	}
}

int
settings_scan(struct settings_scan *s, struct arena *a, const char *path,
    struct settings_report *report)
{
	struct parser p = { .scan = s, .lx = { .report = report } };
	struct settings_pos pos = { str_from(arena_cstr(a, str_from(path))),
		0 };
	int rc;

	*s = (struct settings_scan){ .arena = a };
	buf_init(&s->text, SCAN_TEXT_MAX);
	s->root.kind = SCAN_SECTION;
	s->root.pos = pos;
	s->root.tail = &s->root.children;
	rc = parse_file(&p, pos.file.p, pos, &s->root);
	s->root.to = s->text.n;
	return rc;
}

void
settings_scan_free(struct settings_scan *s)
{
	buf_free(&s->text);
}

static void
blank_bad(struct settings_scan *s, const struct scan_node *n)
{
	if (n->bad)
		lex_blank(&s->text, n->from, n->to);
	for (const struct scan_node *c = n->children; c != NULL; c = c->next)
		blank_bad(s, c);
}

void
settings_scan_blank(struct settings_scan *s)
{
	blank_bad(s, &s->root);
}

const struct scan_node *
settings_scan_at(const struct settings_scan *s, unsigned line)
{
	const struct scan_node *found = &s->root, *c = s->root.children;
	struct str text = buf_view(&s->text);
	size_t at = 0, end;

	while (line > 1 && at < text.n) {
		at = str_chr(text, '\n', at) + 1;
		line--;
	}
	end = str_chr(text, '\n', at);
	while (c != NULL) {
		if (c->from < end && c->to > at) {
			found = c;
			c = c->children;
		} else {
			c = c->next;
		}
	}
	return found;
}
