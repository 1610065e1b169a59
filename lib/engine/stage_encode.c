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

/* The longest line, without its end. */
static size_t
longest_line(struct str s)
{
	size_t longest = 0, at = 0;

	while (at < s.n) {
		size_t end = str_chr(s, '\n', at);
		size_t n = end - at;

		if (n > 0 && s.p[end - 1] == '\r')
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

static void
name_hazards(struct message *m)
{
	if (has_8bit(m->body))
		add_hazard(m, HAZARD_8BIT, "8-bit content: a hop without "
		    "8BITMIME breaks the signature");
	if (longest_line(m->body) > CODING_LINE_MAX)
		add_hazard(m, HAZARD_BODY_LINE, "a body line over 998 octets: "
		    "the smtp client cuts it and breaks the signature");
	for (size_t i = 0; i < m->headers.n; i++)
		if (m->headers.v[i].edit != HEADER_DELETED &&
		    longest_line(m->headers.v[i].value) +
			m->headers.v[i].name.n + 1 > CODING_LINE_MAX)
			add_hazard(m, HAZARD_HEADER_LINE, "a header line over "
			    "998 octets: the smtp client cuts it and breaks "
			    "the signature");
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
	name_hazards(m);
	return STAGE_NEXT;
}
