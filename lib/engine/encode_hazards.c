/*
 * encode_hazards.c - what some hop will cut or convert in a message that is
 * rendered: header lines are folded, the rest is only named.
 */
#include "engine/encode.h"

static bool
has_long_line(struct str name, struct str value)
{
	struct wire w = { .column = name.n + 1 };

	if (name.n + 1 + value.n <= HEADER_LINE_MAX)
		return false;
	wire_look(&w, value);
	wire_end(&w);
	return w.longest > HEADER_LINE_MAX;
}

static bool
is_too_long(const struct header *f)
{
	return f->edit != HEADER_DELETED && has_long_line(f->name, f->value);
}

/*
 * Postfix counts what is left of a name after a deletion, Sendmail what came:
 * a field of which another is deleted is not changed.
 */
static bool
is_one_deleted(const struct headers *h, const struct header *f)
{
	while (f->edit != HEADER_DELETED && f->same != 0)
		f = &h->v[f->same];
	return f->edit == HEADER_DELETED;
}

static void
fold(struct message *m, struct header *f)
{
	if (!is_too_long(f) || has_long_line(f->name,
	    header_wire_value(m->arena, f->name.n, f->value)))
		return;
	headers_change(&m->headers, f, f->value);
	message_note(m, "encode", "%.*s folded: a line of more than 998 octets",
	    STR_ARG(f->name));
}

void
encode_fold_header(struct message *m)
{
	struct headers *h = &m->headers;

	/* name by name: added fields are folded, or cannot be */
	for (size_t i = 0; i < h->n; i++) {
		struct header *f = &h->v[i];

		if (f->index != 1 || is_one_deleted(h, f))
			continue;
		for (fold(m, f); f->same != 0; fold(m, f))
			f = &h->v[f->same];
	}
}

static void
add_hazard(struct message *m, unsigned hazard, const char *what)
{
	if ((m->hazards & hazard) == 0)
		message_note(m, "encode", "hazard: %s", what);
	m->hazards |= hazard;
}

/* The body that will leave; our own edits are ASCII and short. */
static struct wire
look_at_output(struct message *m)
{
	const struct wire *came = parts_look(m);
	struct splice_cursor cursor = { 0 };
	struct wire w = { 0 };
	struct str piece;

	if (m->splices.n == 0 ||
	    (!came->is_8bit && came->longest <= CODING_LINE_MAX))
		return *came;
	while (splices_next(&m->splices, m->body, &cursor, &piece))
		wire_look(&w, piece);
	wire_end(&w);
	return w;
}

/* What the message says of its body: hops go by that, too. */
static bool
is_called_8bit(struct message *m)
{
	struct header *f = headers_find(&m->headers,
	    STR("Content-Transfer-Encoding"));
	enum coding c = f != NULL ? coding_parse(f->value) : CODING_7BIT;

	return c == CODING_8BIT || c == CODING_BINARY;
}

void
encode_name_hazards(struct message *m)
{
	struct wire w = look_at_output(m);

	if ((w.is_8bit || m->parts.stays_8bit || is_called_8bit(m)) &&
	    !encode_is_utf8_mail(m))
		add_hazard(m, HAZARD_8BIT, "8-bit content: a hop without "
		    "8BITMIME breaks the signature");
	if (w.longest > CODING_LINE_MAX)
		add_hazard(m, HAZARD_BODY_LINE, "a body line over 998 octets: "
		    "the smtp client cuts it and breaks the signature");
	for (size_t i = 0; i < m->headers.n; i++)
		if (is_too_long(&m->headers.v[i]))
			add_hazard(m, HAZARD_HEADER_LINE, "a header line over "
			    "998 octets: the smtp client cuts it and breaks "
			    "the signature");
}
