/*
 * dkim_canon.c - relaxed canonicalisation (RFC 6376 sections 3.4.2, 3.4.4):
 * header fields as text, bodies straight into SHA-256.
 */
#include "mail/dkim_canon.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>

#include "mail/dkim.h"

#define CHUNK 8192
#define WORD  16
#define SLACK 32 /* how far one step of squeeze() passes its stop */

typedef unsigned char vector __attribute__((vector_size(WORD)));

struct body {
	EVP_MD_CTX *md;
	size_t lines; /* CRLFs held back: they count if text follows */
	bool blank;   /* blanks held back: they count if their line goes on */
	bool cr;      /* a piece ended in CR */
	bool is_empty;
	size_t n;
	char out[CHUNK + SLACK];
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * False when p[0..WORD] holds a TAB or two blanks in a row.  Many bytes at a
 * time, in a form that compilers make vector instructions of, since nearly
 * all of a body is to be copied as it is.
 */
static bool
is_clean(const char *p)
{
	vector here, next, bad;
	uint64_t any[WORD / 8];

	memcpy(&here, p, WORD);
	memcpy(&next, p + 1, WORD);
	bad = (vector)(((here == ' ') & (next == ' ')) | (here == '\t') |
		       (next == '\t'));
	memcpy(any, &bad, WORD);
	for (size_t i = 1; i < WORD / 8; i++)
		any[0] |= any[i];
	return any[0] == 0;
}

/*
 * Copies text with each run of blanks made one space, from p until at least
 * stop.  The byte before end is no blank; what lies behind, up to limit, may
 * be looked at.  Returns where it got to; less than stop - p + SLACK bytes
 * were written.
 */
static const char *
squeeze(char **to, const char *p, const char *stop, const char *end,
    const char *limit)
{
	char *out = *to;

	while (p < stop) {
		if (limit - p > WORD && is_clean(p)) {
			size_t n = end - p < WORD ? (size_t)(end - p) : WORD;

			memcpy(out, p, WORD);
			out += n;
			p += n;
			continue;
		}
		for (int i = 0; i < WORD && p < end && !is_blank(*p); i++)
			*out++ = *p++;
		if (p < end && is_blank(*p)) {
			*out++ = ' ';
			while (is_blank(*p))
				p++;
		}
	}
	*to = out;
	return p;
}

static void
body_flush(struct body *b)
{
	if (EVP_DigestUpdate(b->md, b->out, b->n) != 1)
		abort(); /* SHA-256 has no way to fail */
	b->n = 0;
}

static void
body_put(struct body *b, const char *p, size_t n)
{
	if (n > CHUNK - b->n || b->n > CHUNK)
		body_flush(b);
	memcpy(b->out + b->n, p, n);
	b->n += n;
}

/* Before text: what was held back turns out to count. */
static void
body_release(struct body *b)
{
	for (; b->lines > 0; b->lines--)
		body_put(b, "\r\n", 2);
	if (b->blank)
		body_put(b, " ", 1);
	b->blank = false;
	b->is_empty = false;
}

/*
 * Bytes without a line end; a bare LF is data, as other verifiers see it.  The
 * piece goes on until limit.
 */
static void
body_text(struct body *b, const char *p, const char *end, const char *limit)
{
	const char *tail = end;

	while (p < end && is_blank(*p)) {
		b->blank = true;
		p++;
	}
	if (p == end)
		return;
	body_release(b);
	while (is_blank(tail[-1]))
		tail--;
	while (p < tail) {
		const char *stop = tail - p > CHUNK / 2 ? p + CHUNK / 2 : tail;
		char *to;

		if (b->n > CHUNK / 2)
			body_flush(b);
		to = b->out + b->n;
		p = squeeze(&to, p, stop, tail, limit);
		b->n = (size_t)(to - b->out);
	}
	b->blank = tail != end;
}

static void
body_line_end(struct body *b)
{
	b->blank = false;
	b->lines++;
}

static void
body_bare_cr(struct body *b)
{
	body_release(b);
	body_put(b, "\r", 1);
}

static void
body_piece(struct body *b, struct str piece)
{
	const char *p = piece.p, *end = piece.p + piece.n;

	while (p < end) {
		const char *cr;

		if (b->cr && *p == '\n') {
			body_line_end(b);
			p++;
		} else if (b->cr) {
			body_bare_cr(b);
		}
		cr = memchr(p, '\r', (size_t)(end - p));
		b->cr = cr != NULL;
		body_text(b, p, cr != NULL ? cr : end, end);
		p = cr != NULL ? cr + 1 : end;
	}
}

static void
body_finish(struct body *b, unsigned char out[DKIM_HASH_SIZE])
{
	if (b->cr)
		body_bare_cr(b);
	if (!b->is_empty)
		body_put(b, "\r\n", 2);
	body_flush(b);
	if (EVP_DigestFinal_ex(b->md, out, NULL) != 1)
		abort();
	EVP_MD_CTX_free(b->md);
}

void
dkim_body_hash(const struct splices *edits, struct str body,
    unsigned char out[DKIM_HASH_SIZE])
{
	const struct splices none = { 0 };
	struct splice_cursor cursor = { 0 };
	struct str piece;
	struct body b;

	b.md = EVP_MD_CTX_new();
	if (b.md == NULL || EVP_DigestInit_ex2(b.md, EVP_sha256(), NULL) != 1)
		abort(); /* only out of memory or a broken provider */
	b.lines = b.n = 0;
	b.blank = b.cr = false;
	b.is_empty = true;
	if (edits == NULL)
		edits = &none;
	while (splices_next(edits, body, &cursor, &piece))
		body_piece(&b, piece);
	body_finish(&b, out);
}

char *
dkim_canon_field(char *to, struct str name, struct str value)
{
	bool blank = false;
	const char *start;

	while (name.n > 0 && is_blank(name.p[name.n - 1]))
		name.n--;
	for (size_t i = 0; i < name.n; i++)
		*to++ = str_lower(name.p[i]);
	*to++ = ':';
	start = to;
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (is_blank(c)) {
			blank = true;
			continue;
		}
		if (c == '\n' ||
		    (c == '\r' && i + 1 < value.n && value.p[i + 1] == '\n'))
			continue;
		if (blank && to != start)
			*to++ = ' ';
		blank = false;
		*to++ = c;
	}
	return to;
}
