/*
 * stage_encode.c - renders the edited parts.  Making 8-bit parts
 * quoted-printable has its seam here: until then what a later hop may break is
 * only named.
 */
#include "engine/stage.h"

#include "base/log.h"

/* Eight octets at a time: this looks at every octet of every message. */
static bool
has_8bit(struct str s)
{
	uint64_t all = 0, word;
	size_t i = 0;

	for (; i + sizeof(word) <= s.n; i += sizeof(word)) {
		memcpy(&word, s.p + i, sizeof(word));
		all |= word;
	}
	for (; i < s.n; i++)
		all |= (unsigned char)s.p[i] & 0x80;
	return (all & UINT64_C(0x8080808080808080)) != 0;
}

/* Adds a piece to the line that was under way; the longest line so far. */
static size_t
longest_line(struct str s, size_t *under_way, size_t longest)
{
	size_t at = 0;

	while (at < s.n) {
		size_t end = str_chr(s, '\n', at);
		size_t n = *under_way + (end - at);

		*under_way = end < s.n ? 0 : n;
		if (end < s.n && end > at && s.p[end - 1] == '\r')
			n--;
		if (n > longest)
			longest = n;
		at = end + 1;
	}
	return longest;
}

static void
add_hazard(struct message *m, unsigned hazard, const char *what)
{
	if ((m->hazards & hazard) == 0)
		message_note(m, "encode", "hazard: %s", what);
	m->hazards |= hazard;
}

/* Over the body that will leave. */
static void
name_body_hazards(struct message *m)
{
	struct splice_cursor cursor = { 0 };
	size_t under_way = 0, longest = 0;
	bool is_8bit = false;
	struct str piece;

	while (splices_next(&m->splices, m->body, &cursor, &piece)) {
		is_8bit = is_8bit || has_8bit(piece);
		longest = longest_line(piece, &under_way, longest);
	}
	if (is_8bit)
		add_hazard(m, HAZARD_8BIT, "8-bit content: a hop without "
		    "8BITMIME breaks the signature");
	if (longest > CODING_LINE_MAX)
		add_hazard(m, HAZARD_BODY_LINE, "a body line over 998 octets: "
		    "the smtp client cuts it and breaks the signature");
}

static void
name_header_hazards(struct message *m)
{
	for (size_t i = 0; i < m->headers.n; i++) {
		const struct header *f = &m->headers.v[i];
		size_t under_way = f->name.n + 1;

		if (f->edit != HEADER_DELETED &&
		    longest_line(f->value, &under_way, 0) > CODING_LINE_MAX)
			add_hazard(m, HAZARD_HEADER_LINE, "a header line over "
			    "998 octets: the smtp client cuts it and breaks "
			    "the signature");
	}
}

enum stage_result
stage_encode(struct message *m)
{
	if (parts_render(m) != 0) {
		log_error("%.*s: edits of a part overlap: please report it",
		    STR_ARG(m->queue_id));
		m->verdict = VERDICT_TEMPFAIL;
		return STAGE_STOP;
	}
	name_body_hazards(m);
	name_header_hazards(m);
	return STAGE_NEXT;
}
