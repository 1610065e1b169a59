/*
 * coding.c - content transfer encodings: their names, the way in, and edits
 * of text that is not encoded at all.  The two encodings have their own files.
 */
#include "mail/coding.h"

#include "mail/coding_private.h"
#include "mail/wire.h"

static const struct {
	struct str name;
	enum coding coding;
} codings[] = {
	{ { "7bit", 4 }, CODING_7BIT },
	{ { "8bit", 4 }, CODING_8BIT },
	{ { "binary", 6 }, CODING_BINARY },
	{ { "quoted-printable", 16 }, CODING_QP },
	{ { "base64", 6 }, CODING_BASE64 },
};

#define NCODINGS (sizeof(codings) / sizeof(codings[0]))

/* Behind white space and comments, which nest (RFC 5322 section 3.2.2). */
static size_t
skip_comments(struct str s, size_t at)
{
	size_t depth = 0;

	for (; at < s.n; at++) {
		if (s.p[at] == '(')
			depth++;
		else if (s.p[at] == ')' && depth > 0)
			depth--;
		else if (s.p[at] == '\\' && depth > 0)
			at++;
		else if (depth == 0 && !str_is_space(s.p[at]))
			break;
	}
	return at < s.n ? at : s.n;
}

/* tspecials of RFC 2045 section 5.1 end a token, as blanks do. */
static bool
ends_token(char c)
{
	return str_is_space(c) || memchr("()<>@,;:\\\"/[]?=", c, 15) != NULL;
}

enum coding
coding_parse(struct str value)
{
	size_t from = skip_comments(value, 0), to = from;

	if (from == value.n)
		return CODING_7BIT;
	while (to < value.n && !ends_token(value.p[to]))
		to++;
	for (size_t i = 0; i < NCODINGS; i++)
		if (str_ieq(str_sub(value, from, to), codings[i].name))
			return codings[i].coding;
	return CODING_UNKNOWN;
}

const char *
coding_name(enum coding c)
{
	for (size_t i = 0; i < NCODINGS; i++)
		if (codings[i].coding == c)
			return codings[i].name.p;
	return "unknown";
}

void
coded_marks_init(struct coded *c, struct arena *a)
{
	c->marks = arena_array(a, c->raw.n / CODED_MARK_STEP + 1,
	    sizeof(*c->marks));
	c->marks[0] = (struct coded_mark){ 0, 0 };
	c->nmarks = 1;
}

const struct coded_mark *
coded_mark_find(const struct coded *c, size_t text)
{
	size_t lo = 0, hi = c->nmarks;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->marks[mid].text <= text)
			lo = mid;
		else
			hi = mid;
	}
	return &c->marks[lo];
}

struct str
coded_line_end(struct str text)
{
	size_t lf = str_chr(text, '\n', 0);

	if (lf < text.n && (lf == 0 || text.p[lf - 1] != '\r'))
		return STR("\n");
	return STR("\r\n");
}

int
coded_open(struct coded *c, struct arena *a, enum coding coding,
    struct str raw)
{
	if (raw.n == 0)
		raw = STR("");
	*c = (struct coded){ .coding = coding, .raw = raw, .text = raw };
	switch (coding) {
	case CODING_7BIT:
	case CODING_8BIT:
	case CODING_BINARY:
		return 0;
	case CODING_QP:
		coded_qp_open(c, a);
		return 0;
	case CODING_BASE64:
		return coded_base64_open(c, a);
	case CODING_UNKNOWN:
		break;
	}
	return -1;
}

/* Measures the lines that get an edit. */
struct ruler {
	size_t column;
	bool is_new; /* the line holds an edit */
	bool is_long;
};

static void
rule_end(struct ruler *r)
{
	if (r->is_new && r->column > CODING_LINE_OURS)
		r->is_long = true;
	r->column = 0;
	r->is_new = false;
}

/* A CR before the line end does not count. */
static void
rule_text(struct ruler *r, struct str s, bool is_new)
{
	size_t at = 0;

	while (at < s.n) {
		size_t lf = str_chr(s, '\n', at);
		size_t end = lf;

		r->is_new |= is_new;
		if (lf < s.n && lf > at && s.p[lf - 1] == '\r')
			end--;
		r->column += end - at;
		if (lf == s.n)
			break;
		rule_end(r);
		r->is_new = is_new;
		at = lf + 1;
	}
}

/* Text without an edit: only its last line matters, and its first. */
static void
rule_kept(struct ruler *r, struct str s)
{
	size_t first = str_chr(s, '\n', 0);
	const char *last;

	if (first == s.n) {
		r->column += s.n;
		return;
	}
	last = memrchr(s.p, '\n', s.n);
	rule_text(r, str_sub(s, 0, first + 1), false);
	r->column = s.n - (size_t)(last + 1 - s.p);
	r->is_new = false;
}

static bool
plain_fits(const struct coded *c, const struct splices *edits)
{
	struct ruler r = { 0 };
	size_t at = 0;

	for (size_t i = 0; i < edits->n; i++) {
		const struct splice *e = &edits->v[i];

		if (c->coding == CODING_7BIT && wire_is_8bit(e->ins))
			return false;
		rule_kept(&r, str_sub(c->raw, at, e->at));
		r.is_new = true;
		rule_text(&r, e->ins, true);
		at = e->at + e->del;
	}
	rule_kept(&r, str_sub(c->raw, at, c->raw.n));
	rule_end(&r);
	return !r.is_long;
}

enum coded_result
coded_edit(const struct coded *c, struct arena *a, const struct splices *edits,
    size_t offset, struct splices *out)
{
	if (edits->n == 0)
		return CODED_OK;
	if (c->coding == CODING_QP) {
		coded_qp_edit(c, a, edits, offset, out);
		return CODED_OK;
	}
	if (c->coding == CODING_BASE64) {
		coded_base64_edit(c, a, edits, offset, out);
		return CODED_OK;
	}
	if (!plain_fits(c, edits))
		return CODED_LONG;
	for (size_t i = 0; i < edits->n; i++)
		splices_add(out, a, edits->v[i].at + offset, edits->v[i].del,
		    edits->v[i].ins);
	return CODED_OK;
}
