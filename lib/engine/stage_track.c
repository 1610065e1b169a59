/*
 * stage_track.c - links of HTML parts lead through trackd, and a pixel says
 * that the mail was opened.  Text parts are left alone.
 */
#include "engine/stage.h"

#include "engine/link.h"
#include "engine/ours.h"
#include "mail/html.h"
#include "mail/listhdr.h"

#define MAX_UNSUBSCRIBE_URIS 8

/* A tag goes where its attribute was, with the blanks that set it apart. */
static void
remove_attr(struct message *m, struct part *part, const struct html_attr *a)
{
	struct str text = part->coded.text;
	size_t at = a->at;

	if (a->end < text.n && (str_is_space(text.p[a->end]) ||
	    text.p[a->end] == '>' || text.p[a->end] == '/'))
		while (at > 0 && str_is_space(text.p[at - 1]))
			at--;
	splices_add(&part->edits, m->arena, at, a->end - at, STR(""));
	message_note(m, "track", "opt-out attribute %.*s removed",
	    STR_ARG(a->name));
}

/* Why the application does not want this link tracked, or NULL. */
static const char *
opted_out(struct message *m, struct part *part, const struct html_token *t)
{
	const char *why = NULL;

	for (size_t i = 0; i < t->nattrs; i++) {
		if (link_is_opt_out(&t->attrs[i])) {
			remove_attr(m, part, &t->attrs[i]);
			why = "opted out";
		} else if (link_is_unsubscribe_mark(&t->attrs[i])) {
			why = "the unsubscribe link";
		}
	}
	return why;
}

static const char *
rewrite(struct message *m, struct part *part, const struct html_attr *href)
{
	struct str url, tracked;
	const char *why;

	if (link_url(m, part->mime->charset, href->value, &url) != 0)
		return "its token would be too long";
	if ((why = link_why_not(m, url)) != NULL)
		return why;
	if (ours_url(m, TOKEN_CLICK, url, &tracked) != 0)
		return "its token would be too long";
	splices_add(&part->edits, m->arena, href->value_at, href->value.n,
	    tracked);
	m->nlinks++;
	message_note(m, "track", "link %.*s tracked", STR_ARG(url));
	return NULL;
}

static void
visit_link(struct message *m, struct part *part, const struct html_token *t)
{
	const struct html_attr *href = link_href(t);
	const char *why;

	if (href == NULL || !href->has_value)
		return;
	why = opted_out(m, part, t);
	if (why == NULL)
		why = rewrite(m, part, href);
	if (why == NULL)
		return;
	m->nlinks_left++;
	message_note(m, "track", "link %.*s left alone: %s",
	    STR_ARG(href->value), why);
}

static void
add_pixel(struct message *m, struct part *part, size_t at)
{
	struct str url;

	if (ours_url(m, TOKEN_OPEN, STR(""), &url) != 0)
		return;
	splices_add(&part->edits, m->arena, at, 0,
	    arena_printf(m->arena,
		"<img src=\"%.*s\" width=\"1\" height=\"1\" alt=\"\" "
		"style=\"border:0;width:1px;height:1px\">",
		STR_ARG(url)));
	m->npixels++;
	message_note(m, "track", "open pixel inserted");
}

/* Before the last line break, so that the body still ends with one. */
static size_t
end_of_text(struct str text)
{
	size_t n = text.n;

	if (n > 0 && text.p[n - 1] == '\n')
		n--;
	if (n < text.n && n > 0 && text.p[n - 1] == '\r')
		n--;
	return n;
}

static void
track_part(struct message *m, struct part *part)
{
	struct html_lexer *lexer = arena_alloc(m->arena, sizeof(*lexer));
	size_t body_end = end_of_text(part->coded.text);
	struct html_token t;

	html_init(lexer, part->coded.text);
	while (html_next(lexer, &t)) {
		if (t.kind == HTML_END && !t.in_conditional &&
		    str_ieq(t.name, STR("body")))
			body_end = t.at;
		else if (t.kind == HTML_START &&
		    (m->track & TRACK_CLICKS) != 0 && link_is_element(&t))
			visit_link(m, part, &t);
	}
	if ((m->track & TRACK_OPENS) != 0)
		add_pixel(m, part, body_end);
}

/* What List-Unsubscribe names is never tracked in the body either. */
static void
find_unsubscribe_uris(struct message *m)
{
	struct header *f = headers_find(&m->headers, STR("List-Unsubscribe"));

	if (f == NULL)
		return;
	m->unsubscribe_uris = arena_array(m->arena, MAX_UNSUBSCRIBE_URIS,
	    sizeof(*m->unsubscribe_uris));
	m->nunsubscribe_uris = listhdr_uris(m->arena, f->value,
	    m->unsubscribe_uris, MAX_UNSUBSCRIBE_URIS);
	if (m->nunsubscribe_uris > MAX_UNSUBSCRIBE_URIS)
		m->nunsubscribe_uris = MAX_UNSUBSCRIBE_URIS;
}

enum stage_result
stage_track(struct message *m)
{
	if (m->stream == NULL || m->track == 0)
		return STAGE_NEXT;
	if (!ours_has_tokens(m)) {
		message_note(m, "track",
		    "no tracking: %.*s has no tracking-url, or there are no "
		    "token keys",
		    STR_ARG(m->domain->name));
		return STAGE_NEXT;
	}
	parts_open(m);
	find_unsubscribe_uris(m);
	for (size_t i = 0; i < m->parts.n; i++)
		if (m->parts.v[i].is_html)
			track_part(m, &m->parts.v[i]);
	return STAGE_NEXT;
}
