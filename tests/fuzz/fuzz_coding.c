/*
 * fuzz_coding.c - an encoded body and edits of its text: what is read back is
 * the edited text, and encoded lines without an edit are as they came.
 *
 * Octets: coding; number of edits; for each how far, how much, and the length
 * of a text that follows; then the body.
 */
#include "tests/fuzz/fuzz.h"

#include "mail/coding.h"
#include "mail/dkim.h"
#include "mail/wire.h"

#define SMALL 600 /* check_untouched() is quadratic */

static void
read_edits(struct fuzz_input *in, struct arena *a, size_t length,
    struct splices *s)
{
	size_t at = 0, n = fuzz_byte(in) % 8;

	for (size_t i = 0; i < n; i++) {
		size_t skip = fuzz_byte(in), del = fuzz_byte(in) % 64;
		struct str ins = fuzz_text(in, a);

		at += skip;
		if (at > length || del > length - at || del + ins.n == 0)
			continue;
		splices_add(s, a, at, del, ins);
		at += del;
	}
}

/* The longest line without its end. */
static size_t
longest(struct str raw)
{
	size_t max = 0;

	for (size_t at = 0, lf; at < raw.n; at = lf + 1) {
		size_t end = lf = str_chr(raw, '\n', at);

		if (lf < raw.n && lf > at && raw.p[lf - 1] == '\r')
			end--;
		max = end - at > max ? end - at : max;
	}
	return max;
}

/* A line that a splice touches holds an edit, or ends where one stands. */
static void
check_untouched(struct arena *a, enum coding coding, struct str raw,
    const struct splices *edits, const struct splices *out)
{
	size_t before = 0;

	for (size_t at = 0, next; at < raw.n; at = next) {
		bool has_edit = false, is_touched = false;
		struct coded c;

		next = str_chr(raw, '\n', at);
		next = next < raw.n ? next + 1 : next;
		EXPECT(coded_open(&c, a, coding, str_sub(raw, 0, next)) == 0);
		for (size_t e = 0; e < edits->n; e++)
			has_edit |= edits->v[e].at <= c.text.n &&
			    edits->v[e].at + edits->v[e].del >= before;
		for (size_t k = 0; k < out->n; k++)
			is_touched |= out->v[k].at < next &&
			    out->v[k].at + out->v[k].del > at;
		EXPECT(!is_touched || has_edit);
		before = c.text.n;
	}
}

/* Both ways to hash what will leave. */
static void
check_hash(const struct splices *out, struct str raw, struct str got)
{
	unsigned char a[DKIM_HASH_SIZE], b[DKIM_HASH_SIZE];

	dkim_body_hash(out, raw, a);
	dkim_body_hash(NULL, got, b);
	EXPECT(memcmp(a, b, sizeof(a)) == 0);
}

/* Does a group of four digits end where s ends? */
static bool
is_whole(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += str_is_alpha(s.p[i]) || str_is_digit(s.p[i]) ||
		    s.p[i] == '+' || s.p[i] == '/';
	return n % 4 == 0;
}

/*
 * base64 is written anew from the line of the first edit, or from the last
 * one before where a group begins, too.
 */
static void
check_kept(struct arena *a, const struct coded *c, size_t edit,
    const struct splices *out)
{
	size_t at = out->n > 0 ? out->v[0].at : c->raw.n, end;
	struct coded before;

	end = str_chr(c->raw, '\n', at);
	end += end < c->raw.n;
	if (coded_open(&before, a, c->coding, str_sub(c->raw, 0, at)) == 0)
		EXPECT(before.text.n <= edit);
	if (is_whole(str_sub(c->raw, 0, end)) && coded_open(&before, a,
	    c->coding, str_sub(c->raw, 0, end)) == 0)
		EXPECT(before.text.n >= edit);
}

static void
check_edited(struct arena *a, const struct coded *c, const struct splices *s,
    const struct splices *out)
{
	size_t room = c->coding == CODING_QP || c->coding == CODING_BASE64 ?
	    76 : CODING_LINE_OURS, was = longest(c->raw);
	struct str got = fuzz_exact(a, splices_apply(out, a, c->raw));
	struct coded back;

	check_hash(out, c->raw, got);
	EXPECT(coded_open(&back, a, c->coding, got) == 0);
	EXPECT_SAME(back.text, splices_apply(s, a, c->text));
	/* what is left of a line may come before one that is too long */
	EXPECT(longest(got) <= (was > room ? was + room : room));
	if (c->raw.n <= SMALL && c->coding == CODING_QP)
		check_untouched(a, c->coding, c->raw, s, out);
	if (c->coding == CODING_BASE64 && s->n > 0)
		check_kept(a, c, s->v[0].at, out);
}

/* Line breaks may become CRLF; nothing else is different. */
static void
check_as_qp(struct arena *a, struct str text, const struct splices *s)
{
	struct str want = splices_apply(s, a, text), raw;
	struct coded back;
	size_t k = 0;

	raw = fuzz_exact(a, coded_anew(a, CODING_QP, text, s));
	EXPECT(longest(raw) <= 76);
	EXPECT(coded_open(&back, a, CODING_QP, raw) == 0);
	for (size_t i = 0; i < want.n; i++, k++) {
		if (want.p[i] == '\n' && k < back.text.n &&
		    back.text.p[k] == '\r')
			k++;
		EXPECT(k < back.text.n && back.text.p[k] == want.p[i]);
	}
	EXPECT(k == back.text.n);
	for (size_t i = 0; i < raw.n; i++)
		EXPECT((unsigned char)raw.p[i] < 127);
	EXPECT(coded_is_strict(CODING_QP, raw));
}

static void
check_as_base64(struct arena *a, struct str text, const struct splices *s)
{
	struct str raw = fuzz_exact(a, coded_anew(a, CODING_BASE64, text, s));
	struct coded back;

	EXPECT(longest(raw) <= 76);
	EXPECT(coded_is_strict(CODING_BASE64, raw));
	EXPECT(coded_open(&back, a, CODING_BASE64, raw) == 0);
	EXPECT_SAME(back.text, splices_apply(s, a, text));
}

/* What a hop stumbles over does not depend on how the text is cut. */
static void
check_wire(struct str raw, size_t cut)
{
	struct wire all = wire_of(raw), pieces = { 0 };

	cut = raw.n > 0 ? cut % raw.n : 0;
	wire_look(&pieces, str_sub(raw, 0, cut));
	wire_look(&pieces, str_sub(raw, cut, raw.n));
	wire_end(&pieces);
	EXPECT(pieces.is_8bit == all.is_8bit && pieces.nodd == all.nodd &&
	    pieces.has_lone_lf == all.has_lone_lf &&
	    pieces.longest == all.longest);
	EXPECT(all.longest == longest(raw) || all.nodd > 0);
	EXPECT(all.is_8bit == wire_is_8bit(raw));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct arena *a = arena_new();
	enum coding coding = (enum coding)(fuzz_byte(&in) % CODING_UNKNOWN);
	struct splices s = { 0 }, out = { 0 };
	struct fuzz_input edits = in;
	struct coded c;

	/* the edits want the length of the text that stands behind them */
	read_edits(&in, a, 0, &s);
	s.n = 0;
	if (coded_open(&c, a, coding, fuzz_rest(&in, a)) == 0) {
		read_edits(&edits, a, c.text.n, &s);
		EXPECT(splices_sort(&s, c.text.n) == 0);
		if (coded_edit(&c, a, &s, 0, &out) == CODED_OK) {
			EXPECT(splices_sort(&out, c.raw.n) == 0);
			check_edited(a, &c, &s, &out);
		} else {
			EXPECT(out.n == 0);
			EXPECT(coding != CODING_QP &&
			    coding != CODING_BASE64);
		}
		check_as_qp(a, c.text, &s);
		check_as_base64(a, c.text, &s);
		check_wire(c.raw, fuzz_hash(c.raw));
		coded_is_strict(coding, c.raw);
	}
	arena_free(&a);
	return 0;
}
