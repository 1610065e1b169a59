/*
 * control.c - collects what the control fields of a message say.  Which
 * fields there are is in control_rules.c, how they are written in
 * control_shape.c.
 */
#include "engine/control.h"

#include <stdarg.h>

#include "engine/control_rule.h"

#define VALUE_MAX    65536 /* octets of one field, unfolded */
#define TEXT_MAX     255   /* of a stream, campaign, list or metadata key */
#define METADATA_MAX 100   /* pairs of one message */
#define PROBLEMS_MAX 20    /* lines for one message */
#define NAME_SHOWN   60    /* of a field's name in a problem */

static bool
is_control(struct str s, size_t i)
{
	unsigned char c = (unsigned char)s.p[i];

	/* U+0080 to U+009F too, which are two octets in UTF-8 */
	return c < ' ' || c == 127 || (c == 0xc2 && i + 1 < s.n &&
	    ((unsigned char)s.p[i + 1] & 0xe0) == 0x80);
}

struct str
control_clean(struct arena *a, struct str s)
{
	char *out = arena_bytes(a, s.n);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (!is_control(s, i)) {
			out[n++] = s.p[i];
			continue;
		}
		out[n++] = ' ';
		if ((unsigned char)s.p[i] == 0xc2)
			i++;
	}
	return str_trim(str_make(out, n));
}

void
control_problem(struct control_reader *r, const char *fmt, ...)
{
	va_list ap;

	if (++r->nproblems > PROBLEMS_MAX)
		return;
	buf_printf(r->problems, "%.*s: ",
	    STR_ARG(str_sub(r->name, 0, NAME_SHOWN)));
	if (r->nproblems == PROBLEMS_MAX) {
		buf_puts(r->problems, "there are more problems\n");
		return;
	}
	va_start(ap, fmt);
	buf_vprintf(r->problems, fmt, ap);
	va_end(ap);
	buf_char(r->problems, '\n');
}

static struct str *
slot_of(struct control *c, enum control_slot slot)
{
	switch (slot) {
	case CONTROL_STREAM:
		return &c->stream;
	case CONTROL_CAMPAIGN:
		return &c->campaign;
	case CONTROL_LIST:
		return &c->list;
	case CONTROL_NOWHERE:
		break;
	}
	return NULL;
}

void
control_set_text(struct control_reader *r, enum control_slot slot,
    struct str text)
{
	struct str *to = slot_of(r->c, slot);

	text = control_clean(r->arena, text);
	if (text.n > TEXT_MAX)
		control_problem(r, "longer than %d octets", TEXT_MAX);
	else if (to != NULL && to->n == 0)
		*to = text;
}

void
control_set_track(struct control_reader *r, unsigned track,
    enum control_switch clicks, enum control_switch opens)
{
	if ((track & CONTROL_CLICKS) && r->c->clicks == CONTROL_UNSET)
		r->c->clicks = clicks;
	if ((track & CONTROL_OPENS) && r->c->opens == CONTROL_UNSET)
		r->c->opens = opens;
}

static bool
has_pair(const struct control *c, struct str key)
{
	for (size_t i = 0; i < c->nmetadata; i++)
		if (str_eq(c->metadata[i].key, key))
			return true;
	return false;
}

void
control_add_pair(struct control_reader *r, struct str key, struct str value)
{
	struct control *c = r->c;

	key = control_clean(r->arena, key);
	if (key.n == 0) {
		control_problem(r, "a key is empty");
		return;
	}
	if (key.n > TEXT_MAX) {
		control_problem(r, "a key is longer than %d octets", TEXT_MAX);
		return;
	}
	if (has_pair(c, key))
		return;
	if (c->nmetadata == METADATA_MAX) {
		control_problem(r, "more than %d pairs of metadata",
		    METADATA_MAX);
		return;
	}
	c->metadata = arena_grow(r->arena, c->metadata, c->nmetadata, &r->cap,
	    sizeof(*c->metadata));
	c->metadata[c->nmetadata++] = (struct control_pair){ key,
		control_clean(r->arena, value) };
}

bool
control_is_field(struct str name)
{
	const struct control_rule *rule = control_rule_find(name);

	return rule != NULL && !rule->is_trace;
}

static void
find_fields(struct control *c, struct arena *a, struct headers *h)
{
	size_t cap = 0;

	for (size_t i = 0; i < h->n; i++) {
		struct header *f = &h->v[i];

		if (f->edit == HEADER_DELETED || !control_is_field(f->name))
			continue;
		c->fields = arena_grow(a, c->fields, c->nfields, &cap,
		    sizeof(*c->fields));
		c->fields[c->nfields++] = f;
	}
}

/* A prefix says too little of a field: its own name, but cleaned. */
static struct str
problem_name(struct arena *a, const struct control_rule *rule, struct str name)
{
	return rule->is_prefix ? control_clean(a, name) : str_from(rule->name);
}

static void
read_field(struct control_reader *r, const struct control_rule *rule,
    const struct header *f)
{
	struct str value = header_unfold(r->arena, f->value);

	r->name = problem_name(r->arena, rule, f->name);
	if (value.n > VALUE_MAX)
		control_problem(r, "longer than %d octets, not read",
		    VALUE_MAX);
	else
		rule->read(r, rule, f->name, value);
}

void
control_read(struct control *c, struct arena *a, struct headers *h,
    struct buf *problems)
{
	static const enum control_rank order[] = { CONTROL_OURS,
		CONTROL_SERVICE, CONTROL_GENERAL };
	struct control_reader r = { .c = c, .arena = a, .problems = problems };

	memset(c, 0, sizeof(*c));
	find_fields(c, a, h);
	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++)
		for (size_t i = 0; i < c->nfields; i++) {
			struct header *f = c->fields[i];
			const struct control_rule *rule =
			    control_rule_find(f->name);

			if (rule->read != NULL && rule->rank == order[k] &&
			    headers_find(h, f->name) == f)
				read_field(&r, rule, f);
		}
}
