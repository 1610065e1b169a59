/*
 * dkim_fields.c - which fields are signed, and which a h= list means.
 * Canonical forms are in dkim_canon.c.
 */
#include "mail/dkim_fields.h"

/*
 * A header with more fields of one name than this is no mail; the lowest are
 * signed.
 */
#define MAX_INSTANCES 64

/* libopendkim, signing and verifying, reads 4095 octets of a h=. */
#define MAX_SIGNED     2900
#define MAX_OVERSIGNED 1000

struct names {
	struct str *v;
	size_t n, cap;
	size_t octets, max;
};

/* Of a thousand pairs of names most differ in length: no call for those. */
static bool
is_same(struct str a, struct str b)
{
	return a.n == b.n && str_ieq(a, b);
}

static bool
is_among(const struct names *l, struct str name)
{
	for (size_t i = 0; i < l->n; i++)
		if (is_same(l->v[i], name))
			return true;
	return false;
}

/* False when the list is full. */
static bool
names_add(struct names *l, struct arena *a, struct str name)
{
	if (name.n + 1 > l->max - l->octets)
		return false;
	l->octets += name.n + 1;
	l->v = arena_grow(a, l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n++] = name;
	return true;
}

/* A semicolon would end the tag. */
static bool
may_be_signed(struct str name)
{
	return header_name_ok(name) && str_chr(name, ';', 0) == name.n &&
	       !str_ieq(name, STR("DKIM-Signature"));
}

/* A list of names, each once and From in front. */
static struct names
names_of(struct arena *a, const struct str *v, size_t n, size_t max)
{
	struct names l = { .max = max };

	names_add(&l, a, STR("From"));
	for (size_t i = 0; i < n; i++)
		if (may_be_signed(v[i]) && !is_among(&l, v[i]))
			(void)names_add(&l, a, v[i]);
	return l;
}

/* All fields of that name, from the bottom up, behind *order. */
static void
add_fields(struct dkim_fields *f, struct names *l, struct arena *a,
    const struct headers *h, struct str name)
{
	size_t last = f->norder + MAX_INSTANCES;

	for (size_t at = h->n; at-- > 0 && f->norder < last;)
		if (h->v[at].edit != HEADER_DELETED &&
		    is_same(h->v[at].name, name)) {
			if (!names_add(l, a, name))
				return;
			f->order[f->norder++] = at;
		}
}

/*
 * Does a field of that name stay unsigned, the list being full?  Who verifies
 * would take it for the one that is oversigned.
 */
static bool
has_unsigned(const struct headers *h, const struct names *l, struct str name)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		n += h->v[i].edit != HEADER_DELETED &&
		     is_same(h->v[i].name, name);
	for (size_t i = 0; i < l->n && n > 0; i++)
		n -= is_same(l->v[i], name);
	return n > 0;
}

struct dkim_fields
dkim_fields_select(
    struct arena *a, const struct headers *h, const struct dkim_request *r)
{
	struct names sign = names_of(a, r->sign, r->nsign, SIZE_MAX);
	struct names oversign =
	    names_of(a, r->oversign, r->noversign, MAX_OVERSIGNED);
	struct names l = { .max = MAX_SIGNED }, fields;
	struct dkim_fields f = { 0 };

	f.order = arena_array(a, h->n + 1, sizeof(*f.order));
	for (size_t i = 0; i < sign.n; i++)
		add_fields(&f, &l, a, h, sign.v[i]);
	for (size_t i = 0; i < oversign.n; i++)
		if (!is_among(&sign, oversign.v[i]))
			add_fields(&f, &l, a, h, oversign.v[i]);
	fields = l;
	l.max += MAX_OVERSIGNED;
	for (size_t i = 0; i < oversign.n; i++)
		if (!has_unsigned(h, &fields, oversign.v[i]))
			(void)names_add(&l, a, oversign.v[i]);
	f.names = l.v;
	f.nnames = l.n;
	return f;
}

/* last: what the entry before took, so that a run of one name walks once. */
static size_t
next_instance(const struct headers *h, const struct str *names, size_t i,
    const bool *taken, size_t last)
{
	size_t at = i > 0 && is_same(names[i], names[i - 1]) ? last : h->n;

	while (at-- > 0)
		if (!taken[at] && h->v[at].edit != HEADER_DELETED &&
		    is_same(h->v[at].name, names[i]))
			return at;
	return h->n;
}

size_t *
dkim_fields_find(struct arena *a, const struct headers *h,
    const struct str *names, size_t nnames, size_t *n)
{
	size_t *order = arena_array(a, nnames + 1, sizeof(*order));
	bool *taken = arena_array(a, h->n + 1, sizeof(*taken));
	size_t at = h->n;

	*n = 0;
	for (size_t i = 0; i < nnames; i++) {
		at = next_instance(h, names, i, taken, at);
		if (at == h->n) {
			at = 0; /* nor is there one for the next entry */
			continue;
		}
		taken[at] = true;
		order[(*n)++] = at;
	}
	return order;
}
