/*
 * fuzz_header.c - a header block: what is parsed is in the text, what is
 * written parses the same, what we edit is fit for the wire.
 */
#include "tests/fuzz/fuzz.h"

#include "base/buf.h"
#include "mail/header.h"

#define MAX_OUT (8u << 20)

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A line break in a value is LF and goes on with a blank. */
static void
check_folds(struct str value)
{
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] == '\n')
			EXPECT(i + 1 < value.n && is_blank(value.p[i + 1]));
}

static void
check_unfolded(struct arena *a, struct str value)
{
	struct str flat = header_unfold(a, fuzz_exact(a, value));

	EXPECT(str_chr(flat, '\n', 0) == flat.n);
	EXPECT(str_chr(flat, '\r', 0) == flat.n);
	EXPECT_SAME(header_unfold(a, flat), flat);
}

/* Is there a blank between two words, at which a line could be folded? */
static bool
could_fold(struct str line)
{
	size_t i = 0;

	while (i < line.n && is_blank(line.p[i]))
		i++;
	while (i < line.n && !is_blank(line.p[i]))
		i++;
	return i < line.n && str_trim(str_sub(line, i, line.n)).n > 0;
}

static void
check_wire(struct str name, struct str value)
{
	size_t column = name.n + 1, at = 0;

	EXPECT(value.n > 0 && is_blank(value.p[0]));
	EXPECT(str_chr(value, '\r', 0) == value.n);
	EXPECT(str_chr(value, '\0', 0) == value.n);
	check_folds(value);
	while (at < value.n) {
		size_t lf = str_chr(value, '\n', at);
		struct str line = str_sub(value, at, lf);

		EXPECT(at == 0 || str_trim(line).n > 0);
		EXPECT(column + line.n <= HEADER_LINE_MAX ||
		    !could_fold(line));
		column = 0;
		at = lf + 1;
	}
}

static void
check_found(struct headers *h, struct str name)
{
	struct header *f = headers_find(h, name);
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++) {
		if (h->v[i].edit == HEADER_DELETED ||
		    !str_ieq(h->v[i].name, name))
			continue;
		EXPECT(f == &h->v[i]);
		f = headers_find_next(h, f);
		n++;
	}
	EXPECT(f == NULL);
	EXPECT(headers_count(h, name) == n);
}

static void
put_crlf(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n')
			buf_char(out, '\r');
		buf_char(out, s.p[i]);
	}
}

/* Written with CRLF, and read again: the same fields. */
static void
check_round_trip(struct arena *a, const struct headers *h)
{
	struct headers again;
	struct buf out;
	size_t body, n = 0;

	buf_init(&out, MAX_OUT);
	for (size_t i = 0; i < h->n; i++) {
		if (h->v[i].edit == HEADER_DELETED)
			continue;
		buf_printf(&out, "%.*s:", STR_ARG(h->v[i].name));
		put_crlf(&out, h->v[i].value);
		buf_puts(&out, "\r\n");
	}
	buf_puts(&out, "\r\nbody");
	headers_init(&again, a);
	EXPECT(headers_parse(&again, fuzz_exact(a, buf_view(&out)),
	    &body) == 0);
	EXPECT(body == out.n - 4);
	for (size_t i = 0; i < h->n; i++) {
		if (h->v[i].edit == HEADER_DELETED)
			continue;
		EXPECT(n < again.n);
		EXPECT_SAME(again.v[n].name, h->v[i].name);
		EXPECT_SAME(again.v[n].value, h->v[i].value);
		n++;
	}
	EXPECT(n == again.n);
	buf_free(&out);
}

static void
check_parsed(struct arena *a, struct headers *h, struct str text, size_t body)
{
	EXPECT(body <= text.n);
	for (size_t i = 0; i < h->n; i++) {
		struct header *f = &h->v[i];

		EXPECT(f->edit == HEADER_KEPT && f->index > 0);
		EXPECT(header_name_ok(f->name));
		EXPECT(fuzz_is_in(f->name.p, f->name.n, text));
		check_folds(f->value);
		check_unfolded(a, f->value);
		if (i < 20)
			check_found(h, f->name);
	}
	EXPECT(!headers_edited(h));
}

/* Some of everything that stages do. */
static void
edit(struct headers *h)
{
	size_t n = h->n;

	for (size_t i = 0; i < n && i < 100; i++) {
		struct str value = h->v[i].value;

		switch (fuzz_hash(h->v[i].value) % 4) {
		case 0:
			headers_delete(h, &h->v[i]);
			break;
		case 1:
			headers_change(h, &h->v[i], value);
			check_wire(h->v[i].name, h->v[i].value);
			break;
		case 2:
			headers_add(h, h->v[i].name, value);
			check_wire(h->v[h->n - 1].name,
			    h->v[h->n - 1].value);
			break;
		default:
			break;
		}
	}
	for (size_t i = 0; i < h->n && i < 20; i++)
		check_found(h, h->v[i].name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = fuzz_exact(a, str_make((const char *)data, size));
	struct headers h;
	size_t body = (size_t)-1;

	headers_init(&h, a);
	headers_parse(&h, text, &body);
	check_parsed(a, &h, text, body);
	check_round_trip(a, &h);
	edit(&h);
	check_round_trip(a, &h);
	check_wire(STR("X"), header_wire_value(a, 1, text));
	arena_free(&a);
	return 0;
}
