/*
 * stage_unsubscribe.c - exactly one List-Unsubscribe and, for one recipient
 * and an https URL, one List-Unsubscribe-Post (RFC 2369, RFC 8058); places in
 * the body; Feedback-ID; CFBL-Address (RFC 9477).
 */
#include "engine/stage.h"

#include "engine/ours.h"
#include "engine/placeholder.h"
#include "mail/listhdr.h"

#define UNSUBSCRIBE	 STR("List-Unsubscribe")
#define UNSUBSCRIBE_POST STR("List-Unsubscribe-Post")
#define ONE_CLICK	 STR("List-Unsubscribe=One-Click")

/* Deletes all fields of a name but the first keep of them. */
static void
delete_beyond(struct message *m, struct str name, unsigned keep)
{
	struct header *f = headers_find(&m->headers, name);

	for (unsigned i = 0; f != NULL; i++) {
		struct header *next = headers_find_next(&m->headers, f);

		if (i >= keep) {
			headers_delete(&m->headers, f);
			message_note(m, "unsubscribe", "%.*s field %u removed",
			    STR_ARG(name), i + 1);
			m->nunsubscribe_removed++;
		}
		f = next;
	}
}

/* RFC 6068: what is no unreserved character is percent-encoded. */
static struct str
encode_subject(struct arena *a, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = arena_bytes(a, s.n * 3);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (str_is_alpha((char)c) || str_is_digit((char)c) ||
		    c == '-' || c == '.' || c == '_') {
			out[n++] = (char)c;
		} else {
			out[n++] = '%';
			out[n++] = hex[c >> 4];
			out[n++] = hex[c & 15];
		}
	}
	return str_make(out, n);
}

static struct str
mailto_of(struct message *m)
{
	struct str mailto = m->domain->unsubscribe_mailto;
	struct addr addr;
	struct str local;

	if (mailto.n == 0 || m->keyring->nreturnpath == 0 ||
	    addr_parse_path(m->arena, mailto, &addr) != 0)
		return STR("");
	local = ours_local(m, RETURNPATH_UNSUBSCRIBE, addr.domain);
	local = encode_subject(m->arena, local);
	return arena_printf(m->arena, "mailto:%.*s?subject=%.*s",
	    STR_ARG(mailto), STR_ARG(local));
}

/* Ours, where none was there or where ours replace what was. */
static void
add_ours(struct message *m)
{
	struct str url = m->unsubscribe_url, mailto = mailto_of(m);

	delete_beyond(m, UNSUBSCRIBE, 0);
	delete_beyond(m, UNSUBSCRIBE_POST, 0);
	if (url.n == 0 && mailto.n == 0) {
		m->unsubscribe_kind = "none";
		return;
	}
	headers_add(&m->headers, UNSUBSCRIBE,
	    listhdr_unsubscribe(m->arena, url, mailto));
	m->unsubscribe_kind = m->nleft == 1 ? "header" : "shared";
	if (m->stream->unsubscribe == UNSUBSCRIBE_ONE_CLICK &&
	    m->recipient.n > 0 && str_starts(url, STR("https://"))) {
		headers_add(&m->headers, UNSUBSCRIBE_POST, ONE_CLICK);
		m->unsubscribe_kind = "one-click";
	}
	message_note(m, "unsubscribe", "List-Unsubscribe added (%s)",
	    m->unsubscribe_kind);
}

static void
set_fields(struct message *m)
{
	if (headers_count(&m->headers, UNSUBSCRIBE) > 0 &&
	    !m->stream->replace_unsubscribe) {
		delete_beyond(m, UNSUBSCRIBE, 1);
		delete_beyond(m, UNSUBSCRIBE_POST, 1);
		m->unsubscribe_kind = "kept";
		message_note(m, "unsubscribe",
		    "the message's own List-Unsubscribe is kept");
		return;
	}
	add_ours(m);
}

static void
fill_part(struct message *m, struct part *part)
{
	struct str text = part->coded.text;
	struct placeholder_search search;
	size_t at, len;

	placeholder_search_init(&search, text);
	while (placeholder_next(&search, &at, &len) &&
	    message_reserve(m, MESSAGE_EDIT_MEMORY)) {
		splices_add(&part->edits, m->arena, at, len,
		    m->unsubscribe_url);
		m->nplaceholders++;
		message_note(m, "unsubscribe",
		    "placeholder %.*s becomes the unsubscribe URL",
		    STR_ARG(str_sub(text, at, at + len)));
	}
}

static void
fill_placeholders(struct message *m)
{
	if (m->unsubscribe_url.n == 0)
		return;
	parts_open(m);
	for (size_t i = 0; i < m->parts.n; i++)
		fill_part(m, &m->parts.v[i]);
}

static void
add_feedback_id(struct message *m)
{
	struct str value = listhdr_feedback_id(m->arena, m->campaign,
	    m->stream->name, m->list, m->domain->name);

	/* one line that cannot be folded: rather none than a broken one */
	if (headers_count(&m->headers, STR("Feedback-ID")) == 0 &&
	    value.n < CODING_LINE_OURS - strlen("Feedback-ID: "))
		headers_add(&m->headers, STR("Feedback-ID"), value);
}

/* RFC 9477 section 3.1: the address's domain is From's, or below it. */
static bool
is_below(struct str domain, struct str parent)
{
	if (str_ieq(domain, parent))
		return true;
	return domain.n > parent.n && str_iends(domain, parent) &&
	    domain.p[domain.n - parent.n - 1] == '.';
}

static void
add_cfbl_address(struct message *m)
{
	struct str at = m->domain->return_path_domain, local;

	if (!m->stream->return_path || !ours_has_addresses(m) ||
	    !is_below(at, m->from_domain) ||
	    !is_below(m->from_domain, m->domain->name) ||
	    headers_count(&m->headers, STR("CFBL-Address")) > 0)
		return;
	local = ours_local(m, RETURNPATH_COMPLAINT, at);
	headers_add(&m->headers, STR("CFBL-Address"),
	    arena_printf(m->arena, "%.*s@%.*s; report=arf", STR_ARG(local),
		STR_ARG(at)));
}

/*
 * The URL stands in a header line of its own, which cannot be folded (FACTS
 * must 5).  The campaign is only for reports: it goes where there is no room.
 */
static void
make_url(struct message *m)
{
	struct str campaign = m->campaign;
	size_t room = CODING_LINE_OURS - UNSUBSCRIBE.n - strlen(": <>,");

	if (!ours_has_tokens(m))
		return;
	for (int i = 0; i < 2 && m->unsubscribe_url.n == 0; i++) {
		if (ours_url(m, TOKEN_UNSUBSCRIBE, STR(""),
		    &m->unsubscribe_url) != 0 || m->unsubscribe_url.n > room)
			m->unsubscribe_url = STR("");
		m->campaign = STR("");
	}
	m->campaign = campaign;
	if (m->unsubscribe_url.n == 0)
		m->lacks = "room for an unsubscribe URL";
}

enum stage_result
stage_unsubscribe(struct message *m)
{
	if (m->stream == NULL)
		return STAGE_NEXT;
	if (m->stream->unsubscribe != UNSUBSCRIBE_NONE) {
		make_url(m);
		set_fields(m);
		fill_placeholders(m);
	}
	add_feedback_id(m);
	add_cfbl_address(m);
	return STAGE_NEXT;
}
