/*
 * dkim.c - the native engine: the field's text and what its b= signs.  Which
 * fields: dkim_fields.c, canonical forms: dkim_canon.c, keys: dkim_key.c.
 */
#include "mail/dkim.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/buf.h"
#include "mail/dkim_canon.h"
#include "mail/dkim_fields.h"
#include "mail/dkim_key.h"

/*
 * Folds fall where libopendkim makes them: a fold inside h= counts for the
 * hash, and with the same text both engines make the same signature.
 */
#define MARGIN	  75
#define TAB	  8
#define MAX_VALUE 60000 /* libmilter carries 64 KB at once */

static const struct str field_name = { "DKIM-Signature", 14 };

/* The field's value, in lines of at most MARGIN columns and a blank. */
struct fold {
	struct buf out;
	size_t column;
};

static void
fold_line(struct fold *f)
{
	buf_puts(&f->out, "\n\t");
	f->column = TAB;
}

/* Inside a value a blank follows the TAB. */
static void
fold_value(struct fold *f)
{
	fold_line(f);
	buf_char(&f->out, ' ');
	f->column++;
}

static void
fold_text(struct fold *f, struct str text)
{
	buf_str(&f->out, text);
	f->column += text.n;
}

/* The blank in front of a tag of n octets, or a fold. */
static void
fold_before(struct fold *f, size_t n)
{
	if (f->column + n > MARGIN)
		fold_line(f);
	else
		fold_text(f, STR(" "));
}

/* A tag, its name with the equals sign, and the semicolon behind it. */
static void
fold_tag(struct fold *f, struct str name, struct str value)
{
	fold_before(f, name.n + value.n + 1);
	fold_text(f, name);
	fold_text(f, value);
	fold_text(f, STR(";"));
}

/* On one line when it fits on this one, else folded behind colons. */
static void
fold_names(struct fold *f, const struct dkim_fields *l)
{
	size_t n = sizeof("h=") - 1, last = l->nnames - 1;
	bool folds;

	for (size_t i = 0; i <= last; i++)
		n += l->names[i].n + 1; /* a colon, or the semicolon */
	folds = f->column + n > MARGIN;
	fold_before(f, n);
	fold_text(f, STR("h="));
	for (size_t i = 0; i <= last; i++) {
		n = l->names[i].n + (i == last);
		if (i > 0)
			buf_char(&f->out, ':');
		if (i > 0 && folds && f->column + n + 1 > MARGIN)
			fold_value(f);
		else
			f->column += i > 0;
		fold_text(f, l->names[i]);
	}
	fold_text(f, STR(";"));
}

static void
fold_base64(struct fold *f, struct str text)
{
	while (text.n > 0) {
		size_t n = MARGIN - f->column;

		if (n > text.n)
			n = text.n;
		fold_text(f, str_sub(text, 0, n));
		text = str_sub(text, n, text.n);
		if (text.n > 0)
			fold_value(f);
	}
}

static struct str
base64_text(struct arena *a, const unsigned char *p, size_t n)
{
	char *out = arena_bytes(a, BASE64_SIZE(n));

	return str_make(out, base64_write(out, p, n));
}

/* Everything up to "b=", which starts a line of its own. */
static void
fold_tags(struct fold *f, struct arena *a, const struct dkim_message *m,
    const struct dkim_request *r, const struct dkim_fields *l)
{
	struct str bh = base64_text(a, m->body_hash, DKIM_HASH_SIZE);
	bool is_rsa = dkim_key_algorithm(r->key) == DKIM_RSA_SHA256;

	f->column = field_name.n + 2;
	fold_text(f, STR("v=1;"));
	fold_tag(f, STR("a="),
	    is_rsa ? STR("rsa-sha256") : STR("ed25519-sha256"));
	fold_tag(f, STR("c="), STR("relaxed/relaxed"));
	fold_tag(f, STR("d="), r->domain);
	fold_tag(f, STR("s="), r->selector);
	fold_tag(f, STR("t="), arena_printf(a, "%" PRId64, r->time));
	fold_tag(f, STR("bh="), bh);
	fold_names(f, l);
	fold_line(f);
	fold_text(f, STR("b="));
}

/* Fields in the order given, each with a line end. */
static struct str
header_text(
    struct arena *a, const struct headers *h, const size_t *order, size_t n)
{
	size_t size = 0;
	char *start, *to;

	for (size_t i = 0; i < n; i++)
		size +=
		    h->v[order[i]].name.n + h->v[order[i]].value.n + 3;
	start = to = arena_bytes(a, size);
	for (size_t i = 0; i < n; i++) {
		to = dkim_canon_field(
		    to, h->v[order[i]].name, h->v[order[i]].value);
		*to++ = '\r';
		*to++ = '\n';
	}
	return str_make(start, (size_t)(to - start));
}

/* Behind the text of the fields stands the signature itself. */
static struct str
header_data(struct arena *a, struct str text, struct str signature)
{
	char *start = arena_bytes(a,
	    text.n + field_name.n + 1 + signature.n), *to = start;

	if (text.n > 0)
		memcpy(to, text.p, text.n);
	to = dkim_canon_field(to + text.n, field_name, signature);
	return str_make(start, (size_t)(to - start));
}

struct str
dkim_header_data(struct arena *a, const struct headers *h,
    const struct str *names, size_t nnames, struct str signature)
{
	size_t n, *order = dkim_fields_find(a, h, names, nnames, &n);

	return header_data(a, header_text(a, h, order, n), signature);
}

struct dkim_covered {
	const struct str *sign, *oversign;
	size_t nsign, noversign;
	struct dkim_fields fields;
	struct str text;
};

static bool
is_for(const struct dkim_covered *c, const struct dkim_request *r)
{
	return c->sign == r->sign && c->nsign == r->nsign &&
	       c->oversign == r->oversign && c->noversign == r->noversign;
}

/*
 * Most messages get an RSA and an Ed25519 signature over the same fields:
 * finding and writing those once saves 55,000 instructions.
 */
static const struct dkim_covered *
cover(struct arena *a, struct dkim_message *m, const struct dkim_request *r)
{
	struct dkim_covered *c;

	if (m->covered != NULL && is_for(m->covered, r))
		return m->covered;
	c = arena_alloc(a, sizeof(*c));
	*c = (struct dkim_covered){ r->sign, r->oversign, r->nsign,
		r->noversign, dkim_fields_select(a, m->headers, r), STR("") };
	c->text = header_text(a, m->headers, c->fields.order,
	    c->fields.norder);
	m->covered = c;
	return c;
}

static struct str
native_sign(
    struct arena *a, struct dkim_message *m, const struct dkim_request *r)
{
	const struct dkim_covered *c = cover(a, m, r);
	unsigned char sig[DKIM_MAX_SIGNATURE];
	struct fold f = { .column = 0 };
	struct str data, value = STR("");
	size_t n;

	if (!m->has_body_hash)
		dkim_body_hash(m->edits, m->body, m->body_hash);
	m->has_body_hash = true;
	buf_init(&f.out, MAX_VALUE);
	fold_tags(&f, a, m, r, &c->fields);
	data = header_data(a, c->text, buf_view(&f.out));
	n = dkim_key_sign(r->key, data, sig);
	if (n > 0) {
		fold_base64(&f, base64_text(a, sig, n));
		if (!f.out.failed)
			value = arena_copy(a, buf_view(&f.out));
	}
	buf_free(&f.out);
	return value;
}

const struct dkim_engine dkim_native = {
	.name = "native",
	.sign = native_sign,
};
