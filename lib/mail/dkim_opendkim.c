/*
 * dkim_opendkim.c - the engine over libopendkim.  It takes no decision of its
 * own: fields come from dkim_fields.c, what it cannot do from the native one.
 */
#include "mail/dkim.h"

#include <opendkim/dkim.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "mail/dkim_fields.h"
#include "mail/dkim_key.h"

/* Its buffer for one field is 65,536 octets. */
#define MAX_FIELD 60000

struct block {
	_Alignas(max_align_t) size_t n;
};

/* libopendkim frees its copy of the key as it is; this wipes it. */
static void *
wiping_alloc(void *closure, size_t n)
{
	struct block *b = mem_alloc(sizeof(*b) + n);

	(void)closure;
	b->n = n;
	return b + 1;
}

static void
wiping_free(void *closure, void *p)
{
	struct block *b = p;

	(void)closure;
	if (b-- == NULL)
		return;
	OPENSSL_cleanse(b, sizeof(*b) + b->n);
	free(b);
}

/* Its interface knows no const, but changes nothing. */
static u_char *
octets(const char *p)
{
	return (u_char *)(uintptr_t)p;
}

/*
 * It takes VT and FF for blanks, drops CR where no LF follows, and ends a
 * value at a NUL; RFC 6376 section 3.4.2 knows neither.
 */
static bool
hashes_rightly(struct str value)
{
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];
		char next = i + 1 < value.n ? value.p[i + 1] : '\0';

		if (c == '\0' || c == '\v' || c == '\f' ||
		    (c == '\r' && next != '\n') ||
		    (c == '\n' && next != ' ' && next != '\t'))
			return false;
	}
	return true;
}

/* It drops a CR in the body that no LF follows. */
static bool
has_bare_cr(const struct dkim_message *m, const struct splices *edits)
{
	struct splice_cursor cursor = { 0 };
	bool is_open = false;
	struct str piece;

	while (splices_next(edits, m->body, &cursor, &piece)) {
		size_t at = 0;

		if (is_open && piece.p[0] != '\n')
			return true;
		for (;;) {
			at = str_chr(piece, '\r', at);
			is_open = at + 1 == piece.n;
			if (at == piece.n || is_open)
				break;
			if (piece.p[++at] != '\n')
				return true;
		}
	}
	return is_open;
}

/* It asserts that there is a field, and takes 0 for the clock's time. */
static bool
signs_rightly(const struct dkim_message *m, const struct splices *edits,
    const struct dkim_request *r, const struct dkim_fields *l)
{
	if (l->norder == 0 || r->time <= 0 || has_bare_cr(m, edits))
		return false;
	for (size_t i = 0; i < l->norder; i++) {
		struct str value = m->headers->v[l->order[i]].value;

		if (value.n > MAX_FIELD || !hashes_rightly(value))
			return false;
	}
	return true;
}

/*
 * One for each signature: time and oversigned names belong to the library
 * handle, and there is nothing to share that way.
 */
static DKIM_LIB *
library_new(
    struct arena *a, const struct dkim_request *r, const struct dkim_fields *l)
{
	DKIM_LIB *lib = dkim_init(wiping_alloc, wiping_free);
	const char *none[] = { NULL }, **oversign;
	uint64_t now = (uint64_t)r->time;
	unsigned bits = 0; /* the keyring's to judge */
	size_t n = l->nnames - l->norder;

	oversign = arena_array(a, n + 1, sizeof(*oversign));
	for (size_t i = 0; i < n; i++)
		oversign[i] = arena_cstr(a, l->names[l->norder + i]);
	if (lib == NULL ||
	    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_FIXEDTIME, &now,
		sizeof(now)) != DKIM_STAT_OK ||
	    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_MINKEYBITS, &bits,
		sizeof(bits)) != DKIM_STAT_OK ||
	    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_REQUIREDHDRS, none,
		sizeof(u_char **)) != DKIM_STAT_OK ||
	    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_OVERSIGNHDRS,
		oversign, sizeof(u_char **)) != DKIM_STAT_OK)
		abort(); /* out of memory, or not the library we know */
	return lib;
}

static DKIM *
handle_new(DKIM_LIB *lib, struct arena *a, const struct dkim_request *r)
{
	bool is_rsa = dkim_key_algorithm(r->key) == DKIM_RSA_SHA256;
	DKIM_STAT stat;

	return dkim_sign(lib, NULL, NULL, octets(dkim_key_pem(r->key)),
	    octets(arena_cstr(a, r->selector)),
	    octets(arena_cstr(a, r->domain)), DKIM_CANON_RELAXED,
	    DKIM_CANON_RELAXED,
	    is_rsa ? DKIM_SIGN_RSASHA256 : DKIM_SIGN_ED25519SHA256, -1, &stat);
}

static bool
feed_field(DKIM *dkim, struct str name, struct str value)
{
	size_t n = name.n + 1 + value.n;
	char *text = mem_alloc(n);
	bool is_taken;

	memcpy(text, name.p, name.n);
	text[name.n] = ':';
	if (value.n > 0)
		memcpy(text + name.n + 1, value.p, value.n);
	is_taken = dkim_header(dkim, octets(text), n) == DKIM_STAT_OK;
	free(text);
	return is_taken;
}

/*
 * Just the fields to sign: without a list of names it signs all it is fed, in
 * that order but fields of one name from the last one up.
 */
static bool
feed_header(
    DKIM *dkim, const struct headers *h, const struct dkim_fields *l)
{
	size_t end;

	for (size_t i = 0; i < l->norder; i = end) {
		end = i + 1;
		while (end < l->norder && str_eq(l->names[end], l->names[i]))
			end++;
		for (size_t j = end; j-- > i;)
			if (!feed_field(
				dkim, l->names[i], h->v[l->order[j]].value))
				return false;
	}
	return dkim_eoh(dkim) == DKIM_STAT_OK;
}

/*
 * It refuses a last line without CRLF, which relaxed takes for ended; an empty
 * line at the end counts for nothing.
 */
static bool
feed_body(
    DKIM *dkim, const struct dkim_message *m, const struct splices *edits)
{
	struct splice_cursor cursor = { 0 };
	struct str piece;
	bool is_taken = true;

	while (is_taken && splices_next(edits, m->body, &cursor, &piece))
		is_taken = dkim_body(dkim, octets(piece.p), piece.n) ==
			   DKIM_STAT_OK;
	return is_taken &&
	       dkim_body(dkim, octets("\r\n"), 2) == DKIM_STAT_OK;
}

/* The field's value, folds as LF. */
static struct str
signature_of(struct arena *a, DKIM *dkim)
{
	size_t n, initial = sizeof(DKIM_SIGNHEADER ": ") - 1;
	char *out, *to;
	u_char *text;

	if (dkim_getsighdr_d(dkim, initial, &text, &n) != DKIM_STAT_OK)
		return STR("");
	to = out = arena_bytes(a, n);
	for (size_t i = 0; i < n; i++)
		if (text[i] != '\r')
			*to++ = (char)text[i];
	return str_make(out, (size_t)(to - out));
}

static struct str
opendkim_sign(
    struct arena *a, struct dkim_message *m, const struct dkim_request *r)
{
	const struct splices none = { 0 };
	const struct splices *edits = m->edits != NULL ? m->edits : &none;
	struct dkim_fields l = dkim_fields_select(a, m->headers, r);
	DKIM_STAT stat = DKIM_STAT_INVALID;
	struct str value = STR("");
	DKIM_LIB *lib;
	DKIM *dkim;

	if (!signs_rightly(m, edits, r, &l)) {
		m->ntaken_over++;
		return dkim_native.sign(a, m, r);
	}
	lib = library_new(a, r, &l);
	dkim = handle_new(lib, a, r);
	if (dkim != NULL && feed_header(dkim, m->headers, &l) &&
	    feed_body(dkim, m, edits))
		stat = dkim_eom(dkim, NULL);
	if (stat == DKIM_STAT_OK)
		value = signature_of(a, dkim);
	/* after an error of OpenSSL it would free the key once more */
	if (dkim != NULL && stat != DKIM_STAT_INTERNAL)
		(void)dkim_free(dkim);
	dkim_close(lib);
	ERR_clear_error();
	return value;
}

const struct dkim_engine dkim_opendkim = {
	.name = "opendkim",
	.needs_pem = true,
	.sign = opendkim_sign,
};
