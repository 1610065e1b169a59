/*
 * mime.c - finds the parts of a message in one pass over its lines, with a
 * stack of the boundaries that are open.  It decodes and changes nothing.
 */
#include "mail/mime.h"

#include "mail/mime_private.h"

#define NO_PART ((size_t)-1)

/* A multipart whose closing delimiter has not come yet. */
struct frame {
	size_t part;
	struct str boundary;
	bool has_started;
};

struct scan {
	struct mime *m;
	struct arena *arena;
	struct str body;
	size_t cap;
	struct frame stack[MIME_MAX_DEPTH];
	size_t depth;	/* frames in use */
	size_t current; /* the part in the top frame that is open, or NO_PART */
};

const char *
mime_fault_text(unsigned faults)
{
	static const struct {
		unsigned fault;
		const char *text;
	} table[] = {
		{ MIME_DUPLICATE_TYPE, "two Content-Type fields" },
		{ MIME_DUPLICATE_CODING,
		    "two Content-Transfer-Encoding fields" },
		{ MIME_NO_BOUNDARY, "multipart without boundary" },
		{ MIME_NO_START, "multipart whose boundary never comes" },
		{ MIME_UNCLOSED, "multipart without closing delimiter" },
		{ MIME_NO_HEADER_END, "part header without end" },
		{ MIME_TOO_DEEP, "parts nested too deep" },
		{ MIME_TOO_MANY, "too many parts" },
		{ MIME_BAD_TYPE, "Content-Type that is none" },
		{ MIME_BAD_CODING, "unknown Content-Transfer-Encoding" },
		{ MIME_CODED_MULTIPART, "encoded multipart or message" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (faults & table[i].fault)
			return table[i].text;
	return "well-formed";
}

/* The next line without its end; *at moves to behind it. */
static struct str
next_line(struct str text, size_t *at)
{
	size_t from = *at, lf = str_chr(text, '\n', from), to = lf;

	*at = lf < text.n ? lf + 1 : lf;
	if (lf < text.n && to > from && text.p[to - 1] == '\r')
		to--;
	return str_sub(text, from, to);
}

static bool
is_dashed(struct str text, size_t at)
{
	return text.n - at >= 2 && text.p[at] == '-' && text.p[at + 1] == '-';
}

#define BLOCK 256

/*
 * Behind what surely holds no line that begins with '-'.  Blocks of a fixed
 * size: compilers make vector instructions of the inner loop (35,000 less for
 * 50 KB than to look at each line).
 */
static size_t
skip_blocks(struct str text, size_t at)
{
	for (; text.n - at > BLOCK; at += BLOCK) {
		unsigned char found = 0;

		for (size_t i = at; i < at + BLOCK; i++)
			found |= (unsigned char)((text.p[i] == '\n') &
			    (text.p[i + 1] == '-'));
		if (found)
			break;
	}
	return at;
}

/* The next line that begins with "--"; at is where some line begins. */
static size_t
next_dashed(struct str text, size_t at)
{
	while (at < text.n && !is_dashed(text, at)) {
		at = str_chr(text, '\n', skip_blocks(text, at));
		at += at < text.n;
	}
	return at;
}

/*
 * The frame whose delimiter the line is, the outermost first: an outer
 * boundary ends what is inside.  Equality, not a common beginning, counts:
 * "a" and "ab" may both be open.  s->depth when it is none.
 */
static size_t
find_frame(const struct scan *s, struct str line, bool *is_close)
{
	size_t i;

	while (line.n > 2 && str_is_space(line.p[line.n - 1]))
		line.n--;
	line = str_sub(line, 2, line.n);
	for (i = 0; i < s->depth; i++) {
		size_t n = s->stack[i].boundary.n;

		*is_close = line.n == n + 2 && line.p[n] == '-' &&
		    line.p[n + 1] == '-';
		if ((line.n == n || *is_close) &&
		    str_starts(line, s->stack[i].boundary))
			break;
	}
	return i;
}

/* Reads a part's header that begins at p->head. */
static void
read_header(const struct scan *s, struct mime_part *p, struct mime_fields *f)
{
	struct str body = s->body;
	size_t at = p->head;

	while ((p->body = at) < body.n) {
		size_t from = at, value, name, end;
		struct str line = next_line(body, &at);
		bool is_close;

		if (line.n == 0) {
			p->body = at;
			return;
		}
		if (is_dashed(body, from) &&
		    find_frame(s, line, &is_close) < s->depth)
			return;
		name = header_name_length(line, &value);
		if (name == 0) {
			p->faults |= MIME_NO_HEADER_END;
			return;
		}
		end = from + line.n;
		while (at < body.n && (body.p[at] == ' ' ||
		    body.p[at] == '\t')) {
			end = at;
			end += next_line(body, &at).n;
		}
		if (mime_note_field(f, str_sub(line, 0, name),
		    str_sub(body, from + value, end))) {
			p->coding_at = from + value;
			p->coding_len = end - p->coding_at;
			f->is_coding_spaced = value != name + 1;
		}
	}
}

static struct mime_part *
add_part(struct scan *s, size_t parent, size_t at)
{
	struct mime_part *p;

	s->m->v = arena_grow(s->arena, s->m->v, s->m->n, &s->cap,
	    sizeof(*p));
	p = &s->m->v[s->m->n];
	memset(p, 0, sizeof(*p));
	p->type = STR("text/plain");
	p->parent = parent;
	p->head = p->body = at;
	p->end = s->body.n;
	if (parent != MIME_NO_PARENT) {
		p->depth = s->m->v[parent].depth + 1;
		if (str_eq(s->m->v[parent].type, STR("multipart/digest")))
			p->type = STR("message/rfc822");
	}
	s->current = s->m->n++;
	return p;
}

/* The current part becomes a frame if there are parts to look for in it. */
static void
open_frame(struct scan *s)
{
	struct mime_part *p = &s->m->v[s->current];

	if (!mime_is_multipart(p) || p->boundary.n == 0)
		return;
	if (s->depth == MIME_MAX_DEPTH) {
		p->faults |= MIME_TOO_DEEP;
		return;
	}
	s->stack[s->depth++] = (struct frame){ s->current, p->boundary, false };
	s->current = NO_PART;
}

/* Begins a part behind a delimiter; returns where its content begins. */
static size_t
begin_part(struct scan *s, size_t at)
{
	size_t parent = s->stack[s->depth - 1].part;
	struct mime_fields f = MIME_NO_FIELDS;
	struct mime_part *p;

	s->stack[s->depth - 1].has_started = true;
	if (s->m->n == MIME_MAX_PARTS) {
		s->m->v[0].faults |= MIME_TOO_MANY;
		s->current = NO_PART;
		return at;
	}
	p = add_part(s, parent, at);
	read_header(s, p, &f);
	at = p->body;
	mime_describe(s->arena, &f, p);
	open_frame(s);
	return at;
}

/* Takes the top frame away; no closing delimiter of its own ended it. */
static void
drop_frame(struct scan *s)
{
	const struct frame *f = &s->stack[--s->depth];

	s->m->v[f->part].faults |=
	    f->has_started ? MIME_UNCLOSED : MIME_NO_START;
	s->current = f->part;
}

/* Ends all parts inside frame i before the delimiter line at line. */
static void
end_parts(struct scan *s, size_t i, size_t line)
{
	size_t end = line;

	if (end > 0)
		end--;
	if (end > 0 && s->body.p[end - 1] == '\r')
		end--;
	for (;;) {
		if (s->current != NO_PART) {
			struct mime_part *p = &s->m->v[s->current];

			/* An empty part: the delimiter has no line break. */
			if (end < p->body)
				end = p->body;
			p->end = end;
		}
		if (s->depth == i + 1)
			break;
		drop_frame(s);
	}
	s->current = NO_PART;
}

/* A delimiter of frame i stands from line to next; returns where to go on. */
static size_t
take_delimiter(struct scan *s, size_t i, bool is_close, size_t line,
    size_t next)
{
	struct frame *f = &s->stack[i];

	end_parts(s, i, line);
	if (!is_close)
		return begin_part(s, next);
	if (!f->has_started)
		s->m->v[f->part].faults |= MIME_NO_START;
	s->depth = i;
	s->current = f->part;
	return next;
}

static void
scan_lines(struct scan *s)
{
	size_t at = 0;

	while (s->depth > 0 &&
	    (at = next_dashed(s->body, at)) < s->body.n) {
		size_t next = at, i;
		bool is_close = false;
		struct str line = next_line(s->body, &next);

		i = find_frame(s, line, &is_close);
		at = i < s->depth ?
		    take_delimiter(s, i, is_close, at, next) : next;
	}
	while (s->depth > 0)
		drop_frame(s);
}

void
mime_scan(struct mime *m, struct arena *a, struct headers *h, struct str body)
{
	static const char *const names[] = { "Content-Type",
		"Content-Transfer-Encoding", "Content-Disposition" };
	struct scan s = { .m = m, .arena = a, .body = body };
	struct mime_fields f = MIME_NO_FIELDS;

	memset(m, 0, sizeof(*m));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (struct header *x = headers_find(h, str_from(names[i]));
		     x != NULL; x = headers_find_next(h, x))
			mime_note_field(&f, x->name, x->value);
	mime_describe(a, &f, add_part(&s, MIME_NO_PARENT, 0));
	open_frame(&s);
	scan_lines(&s);
	for (size_t i = 0; i < m->n; i++)
		m->faults |= m->v[i].faults;
}
