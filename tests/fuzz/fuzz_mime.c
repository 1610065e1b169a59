/*
 * fuzz_mime.c - a whole message: parts lie in the body, one in the other,
 * and the same bytes give the same parts.
 */
#include "tests/fuzz/fuzz.h"

#include "mail/charset.h"
#include "mail/mime.h"

static void
check_part(const struct mime *m, size_t i, struct str body)
{
	const struct mime_part *p = &m->v[i], *parent;

	EXPECT(p->head <= p->body && p->body <= p->end && p->end <= body.n);
	EXPECT(p->type.n >= 3 && str_chr(p->type, '/', 0) < p->type.n);
	EXPECT((p->faults & ~m->faults) == 0);
	EXPECT(p->coding_len == 0 || (p->coding_at >= p->head &&
	    p->coding_at + p->coding_len <= p->body));
	if (i == 0) {
		EXPECT(p->parent == MIME_NO_PARENT && p->depth == 0);
		EXPECT(p->head == 0 && p->body == 0 && p->coding_len == 0);
		return;
	}
	EXPECT(p->parent < i);
	parent = &m->v[p->parent];
	EXPECT(p->depth == parent->depth + 1 && p->depth <= MIME_MAX_DEPTH);
	EXPECT(str_starts(parent->type, STR("multipart/")));
	EXPECT(p->head >= parent->body);
	/* an empty part ends where the delimiter of its parent's parent is */
	EXPECT(p->end <= parent->end || p->body == p->end);
}

/* Behind a part comes its first child, or something outside of it. */
static void
check_order(const struct mime *m, size_t i)
{
	const struct mime_part *p = &m->v[i - 1], *next = &m->v[i];

	EXPECT(next->head > p->head || (i == 1 && next->head > 0));
	EXPECT(next->parent == i - 1 || next->head >= p->end);
}

static void
check_same(const struct mime_part *p, const struct mime_part *q)
{
	EXPECT_SAME(p->type, q->type);
	EXPECT_SAME(p->charset, q->charset);
	EXPECT_SAME(p->boundary, q->boundary);
	EXPECT(p->coding == q->coding && p->faults == q->faults);
	EXPECT(p->head == q->head && p->body == q->body && p->end == q->end);
	EXPECT(p->coding_at == q->coding_at && p->coding_len == q->coding_len);
	EXPECT(p->is_attachment == q->is_attachment);
	EXPECT(p->has_filename == q->has_filename);
	EXPECT(p->parent == q->parent && p->depth == q->depth);
}

static void
scan(struct arena *a, struct str text, struct mime *m, struct str *body)
{
	struct headers h;
	size_t at = 0;

	headers_init(&h, a);
	headers_parse(&h, text, &at);
	*body = fuzz_exact(a, str_sub(text, at, text.n));
	mime_scan(m, a, &h, *body);
	for (size_t i = 0; i < h.n; i++) {
		struct str out;

		if (mime_param(a, h.v[i].value, STR("boundary"), &out))
			EXPECT(out.n <= h.v[i].value.n);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = str_make((const char *)data, size), body;
	struct mime m, again;

	scan(a, fuzz_exact(a, text), &m, &body);
	EXPECT(m.n > 0 && m.n <= MIME_MAX_PARTS);
	EXPECT(mime_fault_text(m.faults) != NULL);
	for (size_t i = 0; i < m.n; i++) {
		check_part(&m, i, body);
		if (i > 0)
			check_order(&m, i);
		charset_hides_ascii(m.v[i].charset);
	}
	scan(a, fuzz_exact(a, text), &again, &body);
	EXPECT(again.n == m.n && again.faults == m.faults);
	for (size_t i = 0; i < m.n; i++)
		check_same(&m.v[i], &again.v[i]);
	arena_free(&a);
	return 0;
}
