/*
 * claims_body.c - the body of what leaves against the body that came.  What an
 * edit of an HTML text may be is in claims_html.c.
 */
#include "tests/fuzz/claims.h"

#include "engine/placeholder.h"
#include "tests/fuzz/fuzz.h"

/* A multipart holds others; they are looked at. */
static bool
is_leaf(const struct mime_part *p)
{
	return !str_starts(p->type, STR("multipart/"));
}

/* In a leaf, or the transfer encoding of a part. */
static bool
is_allowed(const struct mime *mime, const struct splice *e)
{
	for (size_t i = 0; i < mime->n; i++) {
		const struct mime_part *p = &mime->v[i];

		if (is_leaf(p) && e->at >= p->body && e->at + e->del <= p->end)
			return true;
		if (p->coding_len > 0 && e->at == p->coding_at &&
		    e->del == p->coding_len)
			return true;
		if (p->parent != MIME_NO_PARENT && e->at == p->head &&
		    e->del == 0 && str_starts(e->ins,
			STR("Content-Transfer-Encoding: ")))
			return true;
	}
	return false;
}

static size_t
count_8bit(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (unsigned char)s.p[i] >= 128;
	return n;
}

/*
 * What is written is ASCII; a line of quoted-printable that had other octets,
 * which it may not, keeps those beside an edit.
 */
static void
check_splices(const struct outcome *o)
{
	const struct splices *s = &o->m->splices;

	for (size_t i = 0; i < s->n; i++) {
		const struct splice *e = &s->v[i];

		EXPECT(is_allowed(&o->m->parts.mime, e));
		EXPECT(count_8bit(e->ins) <= count_8bit(str_sub(o->body,
		    e->at, e->at + e->del)));
		EXPECT(str_chr(e->ins, '\0', 0) == e->ins.n);
	}
}

static size_t
count_bare(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\n')
			n += i == 0 || s.p[i - 1] != '\r';
		else if (s.p[i] == '\r')
			n += i + 1 == s.n || s.p[i + 1] != '\n';
	return n;
}

/* Lines into which something was inserted are short. */
static void
check_lines(const struct outcome *o)
{
	struct splice_cursor c = { 0 };
	bool is_ours = false;
	size_t length = 0;
	struct str piece;

	while (splices_next(&o->m->splices, o->body, &c, &piece)) {
		for (size_t i = 0; i < piece.n; i++) {
			is_ours = is_ours || c.inserted;
			if (piece.p[i] != '\n') {
				length += piece.p[i] != '\r';
				continue;
			}
			EXPECT(!is_ours || length <= CODING_LINE_MAX);
			is_ours = false;
			length = 0;
		}
	}
	EXPECT(!is_ours || length <= CODING_LINE_MAX);
	EXPECT(count_bare(o->mta->body) <= count_bare(o->body));
}

static const struct part *
part_of(const struct outcome *o, size_t i)
{
	for (size_t k = 0; k < o->m->parts.n; k++)
		if (o->m->parts.v[k].mime == &o->m->parts.mime.v[i])
			return &o->m->parts.v[k];
	return NULL;
}

/* Text that is no HTML: places for the unsubscribe URL are filled, no more. */
static void
check_plain(const struct outcome *o, const struct part *part)
{
	struct placeholder_search search;
	size_t at, len, n = 0;

	placeholder_search_init(&search, part->coded.text);
	while (placeholder_next(&search, &at, &len) && n < part->edits.n) {
		EXPECT(part->edits.v[n].at == at &&
		    part->edits.v[n].del == len);
		EXPECT_SAME(part->edits.v[n].ins, o->m->unsubscribe_url);
		n++;
	}
	EXPECT(n == part->edits.n);
}

/*
 * Decoded, it is the text with its edits.  A message whose one part is written
 * anew ends with a line break.
 */
static void
check_text(const struct outcome *o, const struct mime_part *p,
    const struct mime_part *now, struct str is, struct str want)
{
	struct coded c;
	struct str got;

	EXPECT(coded_open(&c, o->arena, now->coding, fuzz_exact(o->arena,
	    is)) == 0);
	got = c.text;
	if (p->parent == MIME_NO_PARENT && got.n == want.n + 2 &&
	    str_iends(got, STR("\r\n")))
		got.n -= 2;
	EXPECT_SAME(got, want);
}

/* A leaf that was not opened may be in another encoding. */
static void
check_recoded(const struct outcome *o, const struct mime_part *p,
    const struct mime_part *now, struct str was, struct str is)
{
	struct coded c;

	if (str_eq(is, was))
		return;
	EXPECT(o->m->stream != NULL);
	EXPECT(coded_open(&c, o->arena, p->coding, was) == 0);
	check_text(o, p, now, is, c.text);
}

/* One part that may have changed. */
static void
check_part(const struct outcome *o, size_t i, const struct mime_part *now)
{
	const struct mime_part *p = &o->m->parts.mime.v[i];
	const struct part *part = part_of(o, i);
	struct str was = str_sub(o->body, p->body, p->end), is;

	is = str_sub(o->mta->body, now->body, now->end);
	EXPECT_SAME(now->type, p->type);
	EXPECT_SAME(now->charset, p->charset);
	if (!is_leaf(p))
		return;
	if (part == NULL) {
		check_recoded(o, p, now, was, is);
		return;
	}
	check_text(o, p, now, is, splices_apply(&part->edits, o->arena,
	    part->coded.text));
	if (part->is_html)
		claims_html(o, part);
	else
		check_plain(o, part);
}

static size_t
longest_line(struct str s, size_t column)
{
	size_t longest = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n')
			column = 0;
		else if (s.p[i] != '\r')
			column++;
		longest = column > longest ? column : longest;
	}
	return longest;
}

void
claims_hazards(const struct outcome *o)
{
	const struct message *m = o->m;

	if ((m->hazards & HAZARD_8BIT) == 0 && !m->is_smtputf8)
		EXPECT(count_8bit(o->mta->body) == 0);
	if ((m->hazards & HAZARD_BODY_LINE) == 0)
		EXPECT(longest_line(o->mta->body, 0) <= CODING_LINE_MAX);
	for (size_t i = m->nsignatures; i < o->mta->nfields &&
	    (m->hazards & HAZARD_HEADER_LINE) == 0; i++)
		EXPECT(longest_line(o->mta->fields[i].value,
		    o->mta->fields[i].name.n + 1) <= HEADER_LINE_MAX);
}

void
claims_body(const struct outcome *o)
{
	struct headers h;
	struct mime now;

	EXPECT(o->mta->body_replaced == (o->m->splices.n > 0));
	if (o->m->splices.n == 0) {
		EXPECT_SAME(o->mta->body, o->body);
		return;
	}
	EXPECT_SAME(o->mta->body, splices_apply(&o->m->splices, o->arena,
	    o->body));
	check_splices(o);
	check_lines(o);
	headers_init(&h, o->arena);
	for (size_t i = 0; i < o->mta->nfields; i++)
		headers_append(&h, o->mta->fields[i].name,
		    o->mta->fields[i].value);
	mime_scan(&now, o->arena, &h, o->mta->body);
	EXPECT(now.n == o->m->parts.mime.n);
	EXPECT(now.faults == o->m->parts.mime.faults);
	for (size_t i = 0; i < now.n; i++)
		check_part(o, i, &now.v[i]);
}
