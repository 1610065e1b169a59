/*
 * encode_parts.c - decides for each part whether it keeps its transfer
 * encoding, and writes what changes.  What hops break outside of parts is
 * named in encode_hazards.c.
 */
#include "engine/encode.h"

#include "mail/charset.h"

struct renderer {
	struct message *m;
	bool is_edited;	 /* some part has edits: the body is replaced */
	bool encodes;	 /* parts without edits may change, too */
	bool keeps_8bit; /* 8-bit octets alone are no reason */
	/* By part: 8-bit octets, or a name that claims them, will be left. */
	bool *stays;
};

/* Does any hop that goes by the name alone take it for 8-bit content? */
static bool
claims_8bit(const struct mime_part *p)
{
	return p->coding == CODING_8BIT || p->coding == CODING_BINARY;
}

static bool
is_identity(enum coding c)
{
	return c < CODING_QP;
}

/* RFC 2045 section 4: without it the other MIME fields say nothing. */
static void
need_mime_version(struct message *m)
{
	if (headers_find(&m->headers, STR("MIME-Version")) == NULL)
		headers_add(&m->headers, STR("MIME-Version"), STR("1.0"));
}

static void
set_root_coding(struct message *m, struct str value)
{
	struct str name = STR("Content-Transfer-Encoding");
	struct header *f = headers_find(&m->headers, name);

	if (f != NULL)
		headers_change(&m->headers, f, value);
	else
		headers_add(&m->headers, name, value);
}

/* The part says from now on what encoding it is in. */
static void
set_coding(struct message *m, const struct mime_part *p, enum coding coding)
{
	const char *value = coding_name(coding);

	if (p->parent == MIME_NO_PARENT)
		set_root_coding(m, str_from(value));
	else if (p->coding_at > 0)
		splices_add(&m->splices, m->arena, p->coding_at, p->coding_len,
		    arena_printf(m->arena, " %s", value));
	else
		splices_add(&m->splices, m->arena, p->head, 0,
		    arena_printf(m->arena,
			"Content-Transfer-Encoding: %s\r\n", value));
}

/*
 * base64 for what is no text, as readers may rewrite line breaks of others;
 * text as short as can be.
 */
static enum coding
coding_for(const struct mime_part *p, struct str text)
{
	if (!is_identity(p->coding))
		return p->coding;
	if (!str_starts(p->type, STR("text/")) ||
	    (p->faults & MIME_BAD_TYPE) != 0 || charset_hides_ascii(p->charset))
		return CODING_BASE64;
	return coded_shortest(text);
}

/* text: decoded; edits: of it, may be NULL. */
static void
write_anew(struct message *m, const struct mime_part *p, struct str text,
    const struct splices *edits, const char *why)
{
	enum coding coding = coding_for(p, text);
	struct str out = coded_anew(m->arena, coding, text, edits);

	message_note(m, "encode", "%.*s at octet %zu %s %s: %s",
	    STR_ARG(p->type), p->body,
	    coding == p->coding ? "is written anew as" : "becomes",
	    coding_name(coding), why);
	if (coding != p->coding)
		set_coding(m, p, coding);
	need_mime_version(m);
	splices_add(&m->splices, m->arena, p->body, p->end - p->body, out);
	/* a message ends with a line end; a delimiter brings its own */
	if (p->parent == MIME_NO_PARENT && !str_iends(out, STR("\n")))
		splices_add(&m->splices, m->arena, p->end, 0, STR("\r\n"));
	m->nencoded++;
}

/* Why a part cannot leave in the encoding that it came in; NULL: it can. */
static const char *
why_anew(const struct renderer *r, const struct mime_part *p,
    const struct wire *look)
{
	if (look->nodd > 0 && is_identity(p->coding) &&
	    (r->encodes || r->is_edited))
		return "it holds a NUL, or a CR alone";
	if (!r->encodes)
		return NULL;
	if (look->longest > CODING_LINE_MAX)
		return "a line of more than 998 octets";
	if (look->is_8bit && !r->keeps_8bit)
		return "8-bit octets";
	return NULL;
}

/* Its edits, in the encoding that it has.  False: they do not fit into that. */
static bool
render_edits(struct message *m, struct part *part)
{
	return part->edits.n == 0 ||
	    coded_edit(&part->coded, m->arena, &part->edits, part->mime->body,
		&m->splices) == CODED_OK;
}

/*
 * What a part that is not open takes: its text where it is encoded, and what
 * is written, which is no longer than base64 or what there was.
 */
static bool
has_memory(struct message *m, const struct mime_part *p)
{
	size_t n = p->end - p->body;

	return message_reserve(m, is_identity(p->coding) ? n + n / 2 : 3 * n);
}

/* part: NULL where the text is not open.  Those had their memory then. */
static void
render_anew(struct message *m, const struct mime_part *p, struct part *part,
    const char *why)
{
	struct coded coded;

	if (part != NULL)
		write_anew(m, p, part->coded.text, &part->edits, why);
	else if (has_memory(m, p) && coded_open(&coded, m->arena, p->coding,
	    str_sub(m->body, p->body, p->end)) == 0)
		write_anew(m, p, coded.text, NULL, why);
}

/* A body that is clean is clean in all its parts. */
static struct wire
look_at_part(const struct message *m, const struct mime_part *p)
{
	const struct wire *all = &m->parts.look;

	if (!all->is_8bit && all->nodd == 0 && all->longest <= CODING_LINE_MAX)
		return (struct wire){ 0 };
	return wire_of(str_sub(m->body, p->body, p->end));
}

/*
 * Sees only what is in the body as it came: our own edits are ASCII.  True
 * when 8-bit octets, or a name that claims them, will be left.
 */
static bool
render_leaf(struct renderer *r, const struct mime_part *p, struct part *part)
{
	struct message *m = r->m;
	struct wire look = look_at_part(m, p);
	const char *why = why_anew(r, p, &look), *kept = NULL;

	if (r->encodes && (why != NULL || claims_8bit(p)))
		kept = parts_why_kept(m, p);
	if (why != NULL && kept != NULL)
		message_note(m, "encode", "%.*s at octet %zu keeps its "
		    "encoding: %s", STR_ARG(p->type), p->body, kept);
	if (why != NULL && kept == NULL) {
		render_anew(m, p, part, why);
		return false;
	}
	if (part != NULL && !render_edits(m, part)) {
		render_anew(m, p, part, "a line would be too long");
		return false;
	}
	if (!claims_8bit(p) || look.is_8bit || !r->encodes || r->keeps_8bit ||
	    kept != NULL)
		return look.is_8bit || claims_8bit(p);
	set_coding(m, p, CODING_7BIT);
	return false;
}

static void
render_leaves(struct renderer *r)
{
	struct parts *parts = &r->m->parts;
	size_t k = 0;

	for (size_t i = 0; i < parts->mime.n; i++) {
		const struct mime_part *p = &parts->mime.v[i];
		bool is_open = k < parts->n && parts->v[k].mime == p;

		if (!mime_is_multipart(p))
			r->stays[i] = render_leaf(r, p,
			    is_open ? &parts->v[k] : NULL);
		k += is_open;
	}
}

/*
 * Multiparts have octets of their own: part headers, preamble, epilogue.  at
 * is how far each of them has been looked through.
 */
static void
look_between(struct renderer *r, size_t *at)
{
	const struct mime *mime = &r->m->parts.mime;
	struct str body = r->m->body;

	for (size_t i = 0; i < mime->n; i++) {
		const struct mime_part *p = &mime->v[i];

		at[i] = p->body;
		if (p->parent == MIME_NO_PARENT)
			continue;
		r->stays[p->parent] |= wire_is_8bit(
		    str_sub(body, at[p->parent], p->body));
		at[p->parent] = p->end;
	}
	for (size_t i = 0; i < mime->n; i++)
		if (mime_is_multipart(&mime->v[i]))
			r->stays[i] |= wire_is_8bit(
			    str_sub(body, at[i], mime->v[i].end));
}

/* RFC 2045 section 6.4: a multipart is 8bit when something in it is. */
static void
name_multiparts(struct renderer *r)
{
	const struct mime *mime = &r->m->parts.mime;

	if (r->m->parts.look.is_8bit)
		look_between(r, arena_array(r->m->arena, mime->n,
		    sizeof(size_t)));
	for (size_t i = mime->n; i-- > 0;) {
		const struct mime_part *p = &mime->v[i];

		if (mime_is_multipart(p) && claims_8bit(p)) {
			if (r->stays[i] || parts_is_sealed(mime, p))
				r->stays[i] = true;
			else
				set_coding(r->m, p, CODING_7BIT);
		}
		if (p->parent != MIME_NO_PARENT)
			r->stays[p->parent] |= r->stays[i];
	}
}

static int
sort_edits(struct renderer *r)
{
	struct parts *parts = &r->m->parts;

	for (size_t i = 0; i < parts->n; i++) {
		struct part *part = &parts->v[i];

		if (splices_sort(&part->edits, part->coded.text.n) != 0)
			return -1;
		r->is_edited = r->is_edited || part->edits.n > 0;
		/* each comes again in the body's list, which doubles */
		if (!message_reserve(r->m, 4 * part->edits.n *
		    sizeof(struct splice)))
			return 0;
	}
	return 0;
}

static bool
is_ascii(struct str s)
{
	return !wire_is_8bit(s);
}

bool
encode_is_utf8_mail(struct message *m)
{
	if (!m->is_smtputf8)
		return false;
	if (!is_ascii(m->sender_raw))
		return true;
	for (size_t i = 0; i < m->nrecipients; i++)
		if (!is_ascii(m->recipients[i].raw))
			return true;
	for (size_t i = 0; i < m->headers.n; i++)
		if (!is_ascii(m->headers.v[i].value))
			return true;
	return false;
}

/* Is there anything in it for which parts must be found? */
static bool
may_need_encoding(struct message *m)
{
	struct header *coding = headers_find(&m->headers,
	    STR("Content-Transfer-Encoding"));
	struct header *type = headers_find(&m->headers, STR("Content-Type"));
	const struct wire *look = parts_look(m);

	return look->is_8bit || look->nodd > 0 ||
	    look->longest > CODING_LINE_MAX ||
	    (coding != NULL && coding_parse(coding->value) != CODING_7BIT) ||
	    (type != NULL && str_ifind(type->value, STR("multipart"), 0) <
		type->value.n);
}

int
encode_parts(struct message *m)
{
	struct renderer r = { .m = m, .encodes = parts_are_encoded(m) };

	if (sort_edits(&r) != 0)
		return -1;
	if (r.encodes && may_need_encoding(m))
		parts_scan(m);
	if (m->malformed != NULL || m->shortage != SHORTAGE_NONE ||
	    !m->parts.is_scanned || (!r.encodes && !r.is_edited))
		return 0;
	parts_look(m);
	r.keeps_8bit = encode_is_utf8_mail(m);
	r.stays = arena_array(m->arena, m->parts.mime.n, sizeof(*r.stays));
	render_leaves(&r);
	if (r.encodes && !r.keeps_8bit) {
		name_multiparts(&r);
		m->parts.stays_8bit = r.stays[0];
	}
	return splices_sort(&m->splices, m->body.n);
}
