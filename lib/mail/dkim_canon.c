/*
 * dkim_canon.c - relaxed canonicalisation (RFC 6376 sections 3.4.2, 3.4.4):
 * header fields as text, bodies straight into SHA-256.
 */
#include "mail/dkim_canon.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>

#include "mail/dkim.h"

#define CHUNK 4096
#define WORD  16
#define STEP  (2 * WORD)

typedef unsigned char vector __attribute__((vector_size(WORD)));

struct body {
	EVP_MD_CTX *md;
	size_t lines; /* CRLFs held back: they count if text follows */
	bool blank;   /* blanks held back: they count if their line goes on */
	bool cr;      /* the octet before was a CR */
	bool is_empty;
	size_t n;
	char out[CHUNK];
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* No blank and no line end, for certain. */
static bool
is_graph(char c)
{
	return (unsigned char)c > ' ';
}

/*
 * Marks in p[0..WORD) each TAB, and each space before another blank, a CR or
 * some rarer octet.  Many octets at a time, in a form that compilers make
 * vector instructions of, since nearly all of a body is hashed as it is.
 */
static vector
marks(const char *p)
{
	vector here, next;

	memcpy(&here, p, WORD);
	memcpy(&next, p + 1, WORD);
	return (vector)((here == '\t') | ((here == ' ') & (next <= ' ')));
}

/* Which octet of a word, in memory, is the first that is not 0? */
static size_t
first_octet(uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (size_t)__builtin_ctzll(word) / 8;
#else
	return (size_t)__builtin_clzll(word) / 8;
#endif
}

/* The place of the first mark in p[0..STEP), or STEP. */
static size_t
first_mark(const char *p)
{
	vector found[STEP / WORD] = { marks(p), marks(p + WORD) };
	uint64_t any[STEP / 8];
	size_t i = 0;

	memcpy(any, found, STEP);
	if ((any[0] | any[1] | any[2] | any[3]) == 0)
		return STEP;
	while (any[i] == 0)
		i++;
	return i * 8 + first_octet(any[i]);
}

/* Is this a blank that is not just hashed?  The last octet may be one. */
static bool
is_change(const char *p, const char *end)
{
	return *p == '\t' || (*p == ' ' &&
	    (p + 1 == end || is_blank(p[1]) || p[1] == '\r'));
}

/* The first blank that is not just hashed, or end. */
static const char *
find_change(const char *p, const char *end)
{
	while (end - p > STEP) {
		size_t n = first_mark(p);

		p += n;
		if (n == STEP)
			continue;
		if (is_change(p, end))
			return p;
		p++;
	}
	while (p < end && !is_change(p, end))
		p++;
	return p;
}

static void
body_hash(struct body *b, const char *p, size_t n)
{
	if (EVP_DigestUpdate(b->md, p, n) != 1)
		abort(); /* SHA-256 has no way to fail */
}

static void
body_flush(struct body *b)
{
	body_hash(b, b->out, b->n);
	b->n = 0;
}

/* Short texts are gathered: each update costs some 0.1 us by itself. */
static void
body_put(struct body *b, const char *p, size_t n)
{
	if (n > CHUNK - b->n)
		body_flush(b);
	if (n > CHUNK) {
		body_hash(b, p, n);
		return;
	}
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

/* Less the line ends at the end of [p, end), or a CR that may begin one. */
static const char *
less_line_ends(const char *p, const char *end)
{
	if (end > p && end[-1] == '\r')
		end--;
	while (end - p >= 2 && end[-2] == '\r' && end[-1] == '\n')
		end -= 2;
	return end;
}

/*
 * Takes text from an octet on that is neither blank nor CR; line ends are left
 * where their worth hangs on what follows.  A bare LF is data, as other
 * verifiers see it.  Returns where it got to.
 */
static const char *
body_text(struct body *b, const char *p, const char *end)
{
	const char *stop = find_change(p, end), *next = stop;

	while (next < end && is_blank(*next))
		next++;
	body_release(b);
	if (next == end || *next == '\r') {
		stop = less_line_ends(p, stop);
		body_put(b, p, (size_t)(stop - p));
		return stop;
	}
	body_put(b, p, (size_t)(stop - p));
	b->blank = true;
	return next;
}

/* Behind a CR: the end of a line, or the CR was data. */
static bool
body_line_end(struct body *b, char next)
{
	b->cr = false;
	if (next == '\n') {
		b->blank = false;
		b->lines++;
		return true;
	}
	body_release(b);
	body_put(b, "\r", 1);
	return false;
}

static void
body_piece(struct body *b, struct str piece)
{
	const char *p = piece.p, *end = piece.p + piece.n;

	while (p < end) {
		if (b->cr && body_line_end(b, *p)) {
			p++;
		} else if (*p == '\r') {
			b->cr = true;
			p++;
		} else if (is_blank(*p)) {
			b->blank = true;
			p++;
		} else {
			p = body_text(b, p, end);
		}
	}
}

static void
body_finish(struct body *b, unsigned char out[DKIM_HASH_SIZE])
{
	if (b->cr)
		(void)body_line_end(b, '\0');
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
		while (i + 1 < value.n && is_graph(value.p[i + 1]))
			*to++ = value.p[++i];
	}
	return to;
}
