/*
 * template.c - checks and fills templates.
 */
#include "trackd/template.h"

#include "mail/charset.h"

#define UNDO_BEGIN TEMPLATE_VALUES
#define UNDO_END   (TEMPLATE_VALUES + 1)
#define UNKNOWN	   (TEMPLATE_VALUES + 2)

/* As enum template_value, then UNDO_BEGIN and UNDO_END. */
static const char *const names[] = { "recipient", "sender", "stream", "action",
	"fields", "lang", "message", "#undo", "/undo" };

/* A place in the text: [start, end), braces included; start == n: none. */
struct place {
	size_t start, end;
	unsigned what;
	bool is_closed;
};

static unsigned
what_of(struct str name)
{
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eq(name, str_from(names[i])))
			return i;
	return UNKNOWN;
}

static struct place
next_place(struct str text, size_t from)
{
	struct place p = { .what = UNKNOWN };
	size_t close;

	p.start = str_find(text, STR("{{"), from);
	close = str_find(text, STR("}}"), p.start);
	p.is_closed = close < text.n;
	p.end = p.is_closed ? close + 2 : text.n;
	if (p.is_closed)
		p.what = what_of(str_trim(str_sub(text, p.start + 2, close)));
	return p;
}

static unsigned
line_of(struct str text, size_t at)
{
	unsigned line = 1;

	for (size_t i = 0; i < at && i < text.n; i++)
		line += text.p[i] == '\n';
	return line;
}

/* What is wrong with a place, or NULL. */
static const char *
fault_of(const struct place *p, bool may_undo, bool is_inside)
{
	if (!p->is_closed)
		return "\"{{\" without \"}}\"";
	if (p->what == UNKNOWN)
		return "no placeholder; there are {{recipient}}, {{sender}}, "
		       "{{stream}}, {{action}}, {{fields}}, {{lang}}, "
		       "{{message}}, and {{#undo}}...{{/undo}} in done";
	if ((p->what == UNDO_BEGIN || p->what == UNDO_END) && !may_undo)
		return "{{#undo}}...{{/undo}} belongs in done alone";
	if (p->what == UNDO_BEGIN && is_inside)
		return "{{#undo}} within {{#undo}}";
	if (p->what == UNDO_END && !is_inside)
		return "{{/undo}} without {{#undo}} before it";
	return NULL;
}

static void
complain(struct buf *errors, const char *file, struct str text, size_t at,
    const char *fault)
{
	buf_printf(errors, "%s:%u: %s\n", file, line_of(text, at), fault);
}

static int
check_utf8(struct str text, const char *file, struct buf *errors)
{
	size_t at = 0;

	if (charset_is_utf8(text))
		return 0;
	while (at < text.n) {
		size_t end = str_chr(text, '\n', at);

		if (!charset_is_utf8(str_sub(text, at, end)))
			break;
		at = end + 1;
	}
	complain(errors, file, text, at, "this is no UTF-8");
	return -1;
}

int
template_check(struct str text, const char *file, bool may_undo,
    struct buf *errors)
{
	int rc = check_utf8(text, file, errors);
	bool is_inside = false;
	unsigned n = 0;
	size_t opened = 0;

	for (struct place p = next_place(text, 0); p.start < text.n;
	    p = next_place(text, p.end)) {
		const char *fault = fault_of(&p, may_undo, is_inside);

		if (++n > TEMPLATE_PLACES_MAX)
			fault = "more than 100 placeholders";
		if (fault != NULL) {
			complain(errors, file, text, p.start, fault);
			rc = -1;
		}
		if (n > TEMPLATE_PLACES_MAX)
			break;
		if (p.what == UNDO_BEGIN)
			opened = p.start;
		if (p.what == UNDO_BEGIN || p.what == UNDO_END)
			is_inside = p.what == UNDO_BEGIN;
	}
	if (is_inside) {
		complain(errors, file, text, opened,
		    "{{#undo}} without {{/undo}} behind it");
		rc = -1;
	}
	return rc;
}

bool
template_has(struct str text, enum template_value value)
{
	struct place p = next_place(text, 0);

	while (p.start < text.n && p.what != (unsigned)value)
		p = next_place(text, p.end);
	return p.start < text.n;
}

void
template_expand(struct str text, const struct str *values, bool with_undo,
    struct buf *out)
{
	bool is_shown = true;
	size_t at = 0;

	while (at < text.n) {
		struct place p = next_place(text, at);

		if (is_shown)
			buf_str(out, str_sub(text, at, p.start));
		if (is_shown && p.what < TEMPLATE_VALUES)
			buf_str(out, values[p.what]);
		if (p.what == UNDO_BEGIN)
			is_shown = with_undo;
		else if (p.what == UNDO_END)
			is_shown = true;
		at = p.end;
	}
}
