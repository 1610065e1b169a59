/*
 * parts.c - which parts may be changed, and how their edits become splices.
 */
#include "engine/parts.h"

#include "engine/message.h"
#include "mail/charset.h"

/* Faults that make a message malformed: no part of it is touched. */
#define FATAL_FAULTS                                                           \
	(MIME_DUPLICATE_TYPE | MIME_DUPLICATE_CODING | MIME_NO_BOUNDARY |      \
	    MIME_NO_START | MIME_UNCLOSED | MIME_NO_HEADER_END |               \
	    MIME_TOO_DEEP | MIME_TOO_MANY | MIME_CODED_MULTIPART)

/* In these nothing may change: signatures cover it, or it is attached. */
static bool
is_sealed(const struct mime *mime, const struct mime_part *p)
{
	for (size_t i = p->parent; i != MIME_NO_PARENT; i = mime->v[i].parent) {
		struct str type = mime->v[i].type;

		if (str_eq(type, STR("multipart/signed")) ||
		    str_eq(type, STR("multipart/encrypted")) ||
		    str_starts(type, STR("message/")) ||
		    mime->v[i].is_attachment || mime->v[i].has_filename)
			return true;
	}
	return false;
}

/* Why the part is left alone by what its MIME fields say; NULL: it is not. */
static const char *
why_not(const struct mime *mime, const struct mime_part *p)
{
	if (p->is_attachment)
		return "an attachment";
	if (p->has_filename)
		return "it has a filename";
	if (is_sealed(mime, p))
		return "signed, encrypted or attached with what holds it";
	if (charset_hides_ascii(p->charset))
		return "its charset hides ASCII";
	return NULL;
}

/* The same question to its decoded text. */
static const char *
why_not_text(struct str text)
{
	if (str_chr(text, 0x1b, 0) < text.n)
		return "its text holds escape sequences";
	if (str_starts(text, STR("\xff\xfe")) ||
	    str_starts(text, STR("\xfe\xff")))
		return "its text is UTF-16";
	if (str_find(text, STR("-----BEGIN PGP "), 0) < text.n)
		return "inline PGP";
	return NULL;
}

static void
open_part(struct message *m, const struct mime_part *p)
{
	struct part *part = &m->parts.v[m->parts.n];
	const char *why = why_not(&m->parts.mime, p);

	*part = (struct part){ .mime = p };
	part->is_html = str_eq(p->type, STR("text/html"));
	if (why == NULL &&
	    coded_open(&part->coded, m->arena, p->coding,
		str_sub(m->body, p->body, p->end)) != 0)
		why = m->lacks = "a transfer encoding that can be read";
	if (why == NULL)
		why = why_not_text(part->coded.text);
	if (why != NULL)
		message_note(m, "parts", "%.*s at octet %zu left alone: %s",
		    STR_ARG(p->type), p->body, why);
	else
		m->parts.n++;
}

/*
 * Octets that SMTP does not carry and a replaced body must not hold (FACTS
 * must 6): NUL, and CR without LF.  Postfix makes blanks of them, unless
 * no_header_body_checks is set.
 */
static size_t
count_odd(struct str s)
{
	size_t n = 0;

	for (size_t at = 0; (at = str_chr(s, '\0', at)) < s.n; at++)
		n++;
	for (size_t at = 0; (at = str_chr(s, '\r', at)) < s.n; at++)
		if (at + 1 == s.n || s.p[at + 1] != '\n')
			n++;
	return n;
}

static bool
has_lone_lf(struct str s)
{
	for (size_t at = 0; (at = str_chr(s, '\n', at)) < s.n; at++)
		if (at == 0 || s.p[at - 1] != '\r')
			return true;
	return false;
}

/*
 * Quoted-printable can carry such octets: a part that holds them will be
 * written so.  False when there are others, outside the parts we may change.
 */
static bool
can_carry(struct message *m)
{
	size_t odd = count_odd(m->body);

	if (has_lone_lf(m->body))
		return false;
	for (size_t i = 0; odd > 0 && i < m->parts.n; i++) {
		struct part *part = &m->parts.v[i];
		size_t n = part->mime->coding < CODING_QP ?
		    count_odd(part->coded.raw) : 0;

		part->needs_qp = n > 0;
		odd -= n;
	}
	return odd == 0;
}

static bool
is_text(const struct mime_part *p)
{
	return str_eq(p->type, STR("text/html")) ||
	    str_eq(p->type, STR("text/plain"));
}

static void
open_parts(struct message *m)
{
	struct mime *mime = &m->parts.mime;

	m->parts.v = arena_array(m->arena, mime->n, sizeof(*m->parts.v));
	for (size_t i = 0; i < mime->n; i++)
		if (is_text(&mime->v[i]))
			open_part(m, &mime->v[i]);
}

/*
 * What opening and rendering the parts may take from the arena, in octets for
 * each octet of them: decoded and encoded anew, base64 and quoted-printable.
 */
#define MEMORY_FACTOR 4

static bool
has_memory(struct message *m)
{
	const struct mime *mime = &m->parts.mime;
	size_t n = 0;

	for (size_t i = 0; i < mime->n; i++)
		if (is_text(&mime->v[i]) && why_not(mime, &mime->v[i]) == NULL)
			n += mime->v[i].end - mime->v[i].body;
	return message_reserve(m, MEMORY_FACTOR * n);
}

void
parts_open(struct message *m)
{
	struct mime *mime = &m->parts.mime;

	if (m->parts.is_open)
		return;
	m->parts.is_open = true;
	mime_scan(mime, m->arena, &m->headers, m->body);
	if ((mime->faults & FATAL_FAULTS) != 0) {
		m->malformed = mime_fault_text(mime->faults & FATAL_FAULTS);
	} else if (!has_memory(m)) {
		return;
	} else {
		open_parts(m);
		if (can_carry(m))
			return;
		m->malformed = "a NUL, or a CR or LF alone, outside of the "
			       "parts that may change";
	}
	m->parts.n = 0;
	message_note(m, "parts", "malformed, no part is touched: %s",
	    m->malformed);
}

/* The part says from now on that it is quoted-printable. */
static void
set_coding(struct message *m, const struct mime_part *p)
{
	struct str name = STR("Content-Transfer-Encoding");
	struct str value = STR("quoted-printable");

	if (p->parent == MIME_NO_PARENT) {
		struct header *f = headers_find(&m->headers, name);

		if (f != NULL)
			headers_change(&m->headers, f, value);
		else
			headers_add(&m->headers, name, value);
	} else if (p->coding_at > 0) {
		splices_add(&m->splices, m->arena, p->coding_at, p->coding_len,
		    STR(" quoted-printable"));
	} else {
		splices_add(&m->splices, m->arena, p->head, 0,
		    STR("Content-Transfer-Encoding: quoted-printable\r\n"));
	}
}

static void
render_as_qp(struct message *m, struct part *part, const char *why)
{
	const struct mime_part *p = part->mime;

	message_note(m, "encode", "%.*s at octet %zu becomes "
	    "quoted-printable: %s", STR_ARG(p->type), p->body, why);
	set_coding(m, p);
	splices_add(&m->splices, m->arena, p->body, p->end - p->body,
	    coded_as_qp(m->arena, part->coded.text, &part->edits));
}

static int
render_part(struct message *m, struct part *part)
{
	if (splices_sort(&part->edits, part->coded.text.n) != 0)
		return -1;
	if (part->needs_qp)
		render_as_qp(m, part, "it holds a NUL, or a CR alone");
	else if (part->edits.n > 0 &&
	    coded_edit(&part->coded, m->arena, &part->edits,
		part->mime->body, &m->splices) != CODED_OK)
		render_as_qp(m, part, "a line would be too long");
	return 0;
}

int
parts_render(struct message *m)
{
	bool is_edited = false;

	for (size_t i = 0; i < m->parts.n; i++)
		is_edited = is_edited || m->parts.v[i].edits.n > 0;
	for (size_t i = 0; is_edited && i < m->parts.n; i++)
		if (render_part(m, &m->parts.v[i]) != 0)
			return -1;
	return splices_sort(&m->splices, m->body.n);
}
