/*
 * policy_proto.c - blocks of `name=value` lines found in what arrives, and
 * written; what they ask and answer is policy_proto_text.c's.
 */
#include "bulkhead/policy_proto.h"

/*
 * A request of Postfix has about 600 octets and arrives at once; an idle
 * connection keeps no more than the first.
 */
#define READ_MIN 4000
#define KEEP_MAX 8192

void
policy_parser_init(struct policy_parser *p, size_t max)
{
	*p = (struct policy_parser){ .max = max };
	/* as much again for what is read at once behind a block */
	buf_init(&p->in, 2 * max + READ_MIN);
}

void
policy_parser_free(struct policy_parser *p)
{
	buf_free(&p->in);
	policy_parser_init(p, p->max);
}

/* What was handed out goes; what is behind it moves to the front. */
static void
drop_done(struct policy_parser *p)
{
	if (p->start == 0)
		return;
	p->in.n -= p->start;
	memmove(p->in.p, p->in.p + p->start, p->in.n);
	p->line -= p->start;
	p->scanned -= p->start;
	p->clean = p->clean > p->start ? p->clean - p->start : 0;
	p->start = 0;
}

char *
policy_parser_room(struct policy_parser *p, size_t *n)
{
	drop_done(p);
	*n = p->in.n > READ_MIN ? p->in.n : READ_MIN;
	return buf_room(&p->in, *n);
}

void
policy_parser_added(struct policy_parser *p, size_t n)
{
	p->in.n += n;
}

/* Where c is first in what was read behind the clean part, or the end. */
static size_t
find_dirt(const struct policy_parser *p, char c, size_t end)
{
	const char *hit = memchr(p->in.p + p->clean, c, end - p->clean);

	return hit != NULL ? (size_t)(hit - p->in.p) : end;
}

/* All that was read is looked through at once, not line by line. */
static bool
is_clean(struct policy_parser *p, size_t end)
{
	if (end > p->clean)
		p->clean = find_dirt(p, '\r', find_dirt(p, '\0', p->in.n));
	return end <= p->clean;
}

static const char *
check_line(struct policy_parser *p, struct str line, size_t end)
{
	size_t eq = str_chr(line, '=', 0);

	if (eq == line.n)
		return "a line without =";
	if (eq == 0 || eq > POLICY_NAME_MAX)
		return "a name that is empty or too long";
	if (is_clean(p, end))
		return NULL;
	return memchr(line.p, '\0', line.n) != NULL ? "a NUL" : "a CR";
}

/*
 * Is a line that reaches to end too long, or its block?  The nearer of both
 * limits is named, so that the answer does not depend on how it arrived.
 */
static const char *
check_size(const struct policy_parser *p, size_t end)
{
	size_t line = p->line + POLICY_LINE_MAX;
	size_t block = p->start + p->max - 1; /* with this line's end */

	if (end <= line && end <= block)
		return NULL;
	return line < block ? "a line that is too long" : "it is too large";
}

/* Looks at a line that ends there; true when its block ended, or failed. */
static bool
take_line(struct policy_parser *p, size_t end)
{
	struct str line = str_make(p->in.p + p->line, end - p->line);

	p->why = check_size(p, end);
	if (p->why != NULL)
		return true;
	if (line.n > 0)
		p->why = check_line(p, line, end);
	else if (p->line == p->start)
		p->why = "an empty block";
	p->line = p->scanned = end + 1;
	return line.n == 0 || p->why != NULL;
}

static enum policy_read
malformed(const struct policy_parser *p, const char **why)
{
	*why = p->why;
	return POLICY_READ_MALFORMED;
}

enum policy_read
policy_parser_next(struct policy_parser *p, struct str *block,
    const char **why)
{
	if (p->why != NULL)
		return malformed(p, why);
	while (p->scanned < p->in.n) {
		const char *from = p->in.p + p->scanned;
		const char *lf = memchr(from, '\n', p->in.n - p->scanned);

		if (lf == NULL)
			break;
		if (!take_line(p, (size_t)(lf - p->in.p)))
			continue;
		if (p->why != NULL)
			return malformed(p, why);
		*block = str_make(p->in.p + p->start, p->line - 2 - p->start);
		p->start = p->line;
		return POLICY_READ_BLOCK;
	}
	p->scanned = p->in.n;
	drop_done(p);
	if (p->in.n == 0 && p->in.cap > KEEP_MAX)
		buf_free(&p->in);
	p->why = check_size(p, p->in.n);
	return p->why != NULL ? malformed(p, why) : POLICY_READ_MORE;
}

bool
policy_parser_is_within(const struct policy_parser *p)
{
	return p->in.n > p->start;
}

bool
policy_next_attr(struct str *block, struct str *name, struct str *value)
{
	const char *p = block->p, *end = p + block->n, *lf, *eq;

	if (block->n == 0)
		return false;
	lf = memchr(p, '\n', block->n);
	if (lf == NULL)
		lf = end;
	eq = memchr(p, '=', (size_t)(lf - p));
	if (eq == NULL)
		eq = lf;
	*name = str_make(p, (size_t)(eq - p));
	*value = eq < lf ? str_make(eq + 1, (size_t)(lf - eq - 1)) :
			   STR("");
	*block = lf < end ? str_make(lf + 1, (size_t)(end - lf - 1)) :
			    STR("");
	return true;
}

void
policy_write_attr(struct buf *out, const char *name, struct str value)
{
	size_t at;

	buf_puts(out, name);
	buf_char(out, '=');
	at = out->n;
	buf_str(out, value);
	for (; at < out->n; at++)
		if (out->p[at] == '\0' || out->p[at] == '\r' ||
		    out->p[at] == '\n')
			out->p[at] = '?';
	buf_char(out, '\n');
}

void
policy_write_end(struct buf *out)
{
	buf_char(out, '\n');
}
