/*
 * parts.c - which parts there are, and which of them may be changed.
 */
#include "engine/parts.h"

#include "engine/message.h"
#include "mail/charset.h"

/* Faults that make a message malformed: no part of it is touched. */
#define FATAL_FAULTS                                                           \
	(MIME_DUPLICATE_TYPE | MIME_DUPLICATE_CODING | MIME_NO_BOUNDARY |      \
	    MIME_NO_START | MIME_UNCLOSED | MIME_NO_HEADER_END |               \
	    MIME_TOO_DEEP | MIME_TOO_MANY | MIME_CODED_MULTIPART)

/* What these hold must stay as it is: signatures cover it, others wrote it. */
static bool
is_seal(struct str type)
{
	return str_eq(type, STR("multipart/signed")) ||
	    str_eq(type, STR("multipart/encrypted")) ||
	    str_starts(type, STR("message/")) ||
	    str_eq(type, STR("application/pkcs7-mime")) ||
	    str_eq(type, STR("application/x-pkcs7-mime"));
}

bool
parts_is_sealed(const struct mime *mime, const struct mime_part *p)
{
	for (size_t i = p->parent; i != MIME_NO_PARENT; i = mime->v[i].parent)
		if (is_seal(mime->v[i].type))
			return true;
	return false;
}

static bool
is_within_attachment(const struct mime *mime, const struct mime_part *p)
{
	for (size_t i = p->parent; i != MIME_NO_PARENT; i = mime->v[i].parent)
		if (mime->v[i].is_attachment || mime->v[i].has_filename)
			return true;
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
	if (parts_is_sealed(mime, p) || is_within_attachment(mime, p))
		return "signed, encrypted or attached with what holds it";
	if (charset_hides_ascii(p->charset))
		return "its charset hides ASCII";
	return NULL;
}

/*
 * By its 'G', which is rare: dashes are not (36,000 instructions less for 50
 * KB).
 */
static bool
is_inline_pgp(struct str text)
{
	static const struct str mark = { "-----BEGIN PGP ", 15 };
	size_t before = strlen("-----BE");

	for (size_t at = before; (at = str_chr(text, 'G', at)) < text.n; at++)
		if (str_starts(str_sub(text, at - before, text.n), mark))
			return true;
	return false;
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
	if (is_inline_pgp(text))
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

const char *
parts_why_kept(const struct message *m, const struct mime_part *p)
{
	struct str raw = str_sub(m->body, p->body, p->end);

	if (is_seal(p->type) || parts_is_sealed(&m->parts.mime, p))
		return "signed, encrypted or a message of its own";
	if (p->is_coding_unclear || !coded_is_strict(p->coding, raw))
		return "readers may disagree on what it says";
	if (str_starts(p->type, STR("text/")) && is_inline_pgp(raw))
		return "inline PGP";
	return NULL;
}

bool
parts_are_encoded(const struct message *m)
{
	return m->stream != NULL && !m->stream->keep_8bit &&
	    !m->is_null_sender;
}

const struct wire *
parts_look(struct message *m)
{
	if (!m->parts.has_look)
		m->parts.look = wire_of(m->body);
	m->parts.has_look = true;
	return &m->parts.look;
}

/* NUL, and CR alone, that a transfer encoding would carry. */
static size_t
odd_octets(const struct message *m, const struct mime_part *p)
{
	if (p->coding >= CODING_QP)
		return 0;
	return wire_of(str_sub(m->body, p->body, p->end)).nodd;
}

static size_t
odd_octets_of_parts(const struct message *m)
{
	const struct mime *mime = &m->parts.mime;
	size_t n = 0;

	if (!parts_are_encoded(m)) {
		for (size_t i = 0; i < m->parts.n; i++)
			n += odd_octets(m, m->parts.v[i].mime);
		return n;
	}
	for (size_t i = 0; i < mime->n; i++)
		if (!mime_is_multipart(&mime->v[i]) &&
		    parts_why_kept(m, &mime->v[i]) == NULL)
			n += odd_octets(m, &mime->v[i]);
	return n;
}

/*
 * Octets that SMTP does not carry and a replaced body must not hold (FACTS
 * must 6): NUL, and CR without LF.  Postfix makes blanks of such CRs, unless
 * no_header_body_checks is set.  In a part that may change they leave encoded;
 * is there any elsewhere?
 */
static bool
can_carry(struct message *m)
{
	const struct wire *look = parts_look(m);

	if (look->has_lone_lf)
		return false;
	return look->nodd == 0 || look->nodd == odd_octets_of_parts(m);
}

static void
call_malformed(struct message *m, const char *why)
{
	m->malformed = why;
	m->parts.n = 0;
	message_note(m, "parts", "malformed, no part is touched: %s", why);
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
 * each octet of them: decoded, edited, encoded anew (measured: 0 to 2.6).
 */
#define MEMORY_FACTOR 3

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

/* Which parts are open counts where others may not change. */
static void
judge_octets(struct message *m)
{
	if (m->malformed == NULL && !can_carry(m))
		call_malformed(m, "a NUL, or a CR or LF alone, outside of the "
				  "parts that may change");
}

void
parts_scan(struct message *m)
{
	struct mime *mime = &m->parts.mime;

	if (m->parts.is_scanned)
		return;
	m->parts.is_scanned = true;
	mime_scan(mime, m->arena, &m->headers, m->body);
	if ((mime->faults & FATAL_FAULTS) != 0)
		call_malformed(m, mime_fault_text(mime->faults & FATAL_FAULTS));
	else if (parts_are_encoded(m))
		judge_octets(m);
}

void
parts_open(struct message *m)
{
	if (m->parts.is_open)
		return;
	m->parts.is_open = true;
	parts_scan(m);
	if (m->malformed != NULL || !has_memory(m))
		return;
	open_parts(m);
	if (!parts_are_encoded(m))
		judge_octets(m);
}
