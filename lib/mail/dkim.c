/*
 * dkim.c - DKIM signatures: which fields, the field's text, header hash input.
 * Canonical forms are in dkim_canon.c, keys in dkim_key.c.
 */
#include "mail/dkim.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/buf.h"
#include "mail/dkim_canon.h"
#include "mail/dkim_key.h"

#define LINE	  78
#define MAX_VALUE 60000 /* libmilter carries 64 KB at once */

/*
 * A header with more fields of one name than this is no mail; the lowest are
 * signed.  libopendkim reads no more than 4096 octets of names.
 */
#define MAX_INSTANCES 64

static const struct str field_name = { "DKIM-Signature", 14 };

/* The names of h=, each as often as it stands there. */
struct names {
	struct str *v;
	size_t n, cap;
};

static bool
is_among(const struct str *v, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_ieq(v[i], name))
			return true;
	return false;
}

static size_t
count_fields(const struct headers *h, struct str name)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n && n < MAX_INSTANCES; i++)
		n += h->v[i].edit != HEADER_DELETED &&
		     str_ieq(h->v[i].name, name);
	return n;
}

static void
names_add(struct names *l, struct arena *a, struct str name, size_t times)
{
	while (times-- > 0) {
		l->v = arena_grow(a, l->v, l->n, &l->cap, sizeof(*l->v));
		l->v[l->n++] = name;
	}
}

static void
names_of(struct names *l, struct arena *a, const struct headers *h,
    const struct dkim_request *r, const struct str *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t once_more = is_among(r->oversign, r->noversign, v[i]);

		if (str_ieq(v[i], field_name) || is_among(l->v, l->n, v[i]))
			continue;
		names_add(l, a, v[i], count_fields(h, v[i]) + once_more);
	}
}

static struct names
names_to_sign(
    struct arena *a, const struct headers *h, const struct dkim_request *r)
{
	const struct str from = STR("From");
	struct names l = { 0 };

	names_add(&l, a, from, count_fields(h, from) + 1);
	names_of(&l, a, h, r, r->sign, r->nsign);
	names_of(&l, a, h, r, r->oversign, r->noversign);
	return l;
}

/* The field's value, filling lines of at most LINE columns where it can. */
struct fold {
	struct buf out;
	size_t column;
};

static void
fold_line(struct fold *f)
{
	buf_puts(&f->out, "\n\t");
	f->column = 1;
}

/* A tag, behind a blank or a fold. */
static void
fold_tag(struct fold *f, struct str tag)
{
	if (f->column + 1 + tag.n > LINE)
		fold_line(f);
	else
		buf_char(&f->out, ' ');
	buf_str(&f->out, tag);
	f->column += 1 + tag.n;
}

static void
fold_names(struct fold *f, const struct names *l)
{
	fold_tag(f, STR("h="));
	for (size_t i = 0; i < l->n; i++) {
		if (f->column + l->v[i].n + 1 > LINE)
			fold_line(f);
		buf_str(&f->out, l->v[i]);
		buf_char(&f->out, i + 1 < l->n ? ':' : ';');
		f->column += l->v[i].n + 1;
	}
}

static void
fold_base64(struct fold *f, struct str text)
{
	while (text.n > 0) {
		size_t n =
		    text.n < LINE - f->column ? text.n : LINE - f->column;

		buf_add(&f->out, text.p, n);
		text = str_sub(text, n, text.n);
		f->column += n;
		if (text.n > 0)
			fold_line(f);
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
fold_tags(struct fold *f, struct arena *a, const struct dkim_request *r,
    const struct names *l)
{
	struct str bh = base64_text(a, r->body_hash, DKIM_HASH_SIZE);
	bool is_rsa = dkim_key_algorithm(r->key) == DKIM_RSA_SHA256;

	f->column = field_name.n + 2 + 4;
	buf_puts(&f->out, "v=1;");
	fold_tag(f, is_rsa ? STR("a=rsa-sha256;") : STR("a=ed25519-sha256;"));
	fold_tag(f, STR("c=relaxed/relaxed;"));
	fold_tag(f, arena_printf(a, "d=%.*s;", STR_ARG(r->domain)));
	fold_tag(f, arena_printf(a, "s=%.*s;", STR_ARG(r->selector)));
	fold_tag(f, arena_printf(a, "t=%" PRId64 ";", r->time));
	fold_names(f, l);
	fold_tag(f, arena_printf(a, "bh=%.*s;", STR_ARG(bh)));
	fold_line(f);
	buf_puts(&f->out, "b=");
	f->column += 2;
}

/*
 * The field that the i-th name of the list stands for: the lowest of that name
 * that no earlier entry took (RFC 6376 section 5.4.2).  last: what the entry
 * before took, so that a name many times in a row does not start anew.
 */
static size_t
next_instance(const struct headers *h, const struct str *names, size_t i,
    const bool *taken, size_t last)
{
	size_t at = i > 0 && str_ieq(names[i], names[i - 1]) ? last : h->n;

	while (at-- > 0)
		if (!taken[at] && h->v[at].edit != HEADER_DELETED &&
		    str_ieq(h->v[at].name, names[i]))
			return at;
	return h->n;
}

struct str
dkim_header_data(struct arena *a, const struct headers *h,
    const struct str *names, size_t nnames, struct str signature)
{
	size_t *order = arena_array(a, nnames + 1, sizeof(*order));
	bool *taken = arena_array(a, h->n + 1, sizeof(*taken));
	size_t size = field_name.n + 1 + signature.n, n = 0, at = h->n;
	char *start, *to;

	for (size_t i = 0; i < nnames; i++) {
		at = next_instance(h, names, i, taken, at);
		if (at == h->n) {
			at = 0; /* nor is there one for the next entry */
			continue;
		}
		taken[at] = true;
		order[n++] = at;
		size += h->v[at].name.n + h->v[at].value.n + 3;
	}
	start = to = arena_bytes(a, size);
	for (size_t i = 0; i < n; i++) {
		to = dkim_canon_field(
		    to, h->v[order[i]].name, h->v[order[i]].value);
		*to++ = '\r';
		*to++ = '\n';
	}
	to = dkim_canon_field(to, field_name, signature);
	return str_make(start, (size_t)(to - start));
}

struct str
dkim_sign(
    struct arena *a, const struct headers *h, const struct dkim_request *r)
{
	struct names names = names_to_sign(a, h, r);
	unsigned char sig[DKIM_MAX_SIGNATURE];
	struct fold f = { .column = 0 };
	struct str data, value = STR("");
	size_t n;

	buf_init(&f.out, MAX_VALUE);
	fold_tags(&f, a, r, &names);
	data = dkim_header_data(a, h, names.v, names.n, buf_view(&f.out));
	n = dkim_key_sign(r->key, data, sig);
	if (n > 0) {
		fold_base64(&f, base64_text(a, sig, n));
		if (!f.out.failed)
			value = arena_copy(a, buf_view(&f.out));
	}
	buf_free(&f.out);
	return value;
}
