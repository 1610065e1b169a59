/*
 * stage_track.c - links of HTML parts lead through trackd, and a pixel says
 * that the mail was opened.  Text parts are left alone.
 */
#include "engine/stage.h"

#include "bulkhead/names.h"
#include "engine/link.h"
#include "engine/ours.h"
#include "mail/html.h"
#include "mail/listhdr.h"

#define MAX_UNSUBSCRIBE_URIS 8

/* Tracked links a message; more would be no newsletter. */
#define MAX_LINKS 10000

/* A part on its way: its edits before ours are the filled placeholders. */
struct tracking {
	struct part *part;
	size_t nplaced;
	size_t body_end; /* where the pixel goes */
	bool has_room;	 /* for a pixel */
	bool has_pixel;	 /* of ours: the mail comes back, changed */
	bool is_done;	 /* its links were rewritten before */
};

/* Does a placeholder that was filled lie in [from, to)?  They are in order. */
static bool
is_taken(const struct tracking *t, size_t from, size_t to)
{
	const struct splice *v = t->part->edits.v;
	size_t low = 0, high = t->nplaced;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (v[mid].at + v[mid].del <= from)
			low = mid + 1;
		else
			high = mid;
	}
	return low < t->nplaced && v[low].at < to;
}

/*
 * The span that goes with an attribute: the blanks before it too, unless what
 * follows would then belong to what stands before.  False: it has to stay.
 */
static bool
attr_span(struct str text, const struct html_attr *a, size_t *from)
{
	size_t next = a->end;

	*from = a->at;
	while (next < text.n && str_is_space(text.p[next]))
		next++;
	/* at the start of a line "--" could be a MIME delimiter */
	if (next < text.n && (text.p[next] == '=' ||
	    (next == a->end && text.p[next] == '-')))
		return false;
	if (next > a->end || (next < text.n && text.p[next] == '>'))
		while (*from > 0 && str_is_space(text.p[*from - 1]))
			--*from;
	return true;
}

static void
remove_attr(struct message *m, const struct tracking *t,
    const struct html_attr *a)
{
	size_t from;

	if (!attr_span(t->part->coded.text, a, &from) ||
	    is_taken(t, from, a->end))
		return;
	splices_add(&t->part->edits, m->arena, from, a->end - from, STR(""));
	message_note(m, "track", "opt-out attribute %.*s removed",
	    STR_ARG(a->name));
}

/* Why the application does not want this link tracked, or NULL. */
static const char *
opted_out(struct message *m, const struct tracking *tracking,
    const struct html_token *t)
{
	const char *why = NULL;

	for (size_t i = 0; i < t->nattrs; i++) {
		if (link_is_opt_out(&t->attrs[i])) {
			remove_attr(m, tracking, &t->attrs[i]);
			why = "opted out";
		} else if (link_is_unsubscribe_mark(&t->attrs[i])) {
			why = "the unsubscribe link";
		}
	}
	return why;
}

/*
 * Without quotes a value that ends in "--" before '>' would end the MSO
 * conditional comment around it.
 */
static struct str
safe_value(struct message *m, const struct html_attr *href,
    const struct html_token *t, struct str url)
{
	if (href->quote != 0 || !t->in_conditional ||
	    !str_iends(url, STR("-")))
		return url;
	return arena_printf(m->arena, "%.*s&#45;",
	    STR_ARG(str_sub(url, 0, url.n - 1)));
}

/* NULL when the link was rewritten, else why not. */
static const char *
rewrite(struct message *m, const struct tracking *tracking,
    const struct html_token *t, const struct html_attr *href)
{
	struct str url, tracked;
	const char *why;

	if (is_taken(tracking, href->value_at, href->end))
		return "an unsubscribe placeholder";
	if (link_url(m, tracking->part->mime->charset, href->value, &url) != 0)
		return str_istarts(str_trim(href->value), STR("http")) ?
		    "its token would be too long" : "not http or https";
	if ((why = link_why_not(m, url)) != NULL)
		return why;
	if (m->nlinks >= MAX_LINKS)
		return m->lacks = "room for more than 10000 links";
	if (ours_url(m, TOKEN_CLICK, url, &tracked) != 0)
		return "its token would be too long";
	splices_add(&tracking->part->edits, m->arena, href->value_at,
	    href->value.n, safe_value(m, href, t, tracked));
	m->nlinks++;
	message_note(m, "track", "link %.*s tracked", STR_ARG(url));
	return NULL;
}

static void
visit_link(struct message *m, const struct tracking *tracking,
    const struct html_token *t)
{
	const struct html_attr *href = link_href(t);
	const char *why;

	if (href == NULL || !href->has_value ||
	    !message_reserve(m, MESSAGE_EDIT_MEMORY))
		return;
	why = opted_out(m, tracking, t);
	if (why == NULL && tracking->is_done)
		why = "the others are tracked already";
	if (why == NULL)
		why = rewrite(m, tracking, t, href);
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

/* As we write it; in a comment for Outlook it would not be ours. */
static bool
is_our_pixel(const struct message *m, const struct html_token *t)
{
	struct str base = m->domain->tracking_url;

	if (t->in_conditional || !str_ieq(t->name, STR("img")))
		return false;
	for (size_t i = 0; i < t->nattrs; i++) {
		struct str src = t->attrs[i].value;

		if (str_ieq(t->attrs[i].name, STR("src")))
			return str_starts(src, base) &&
			    str_starts(str_sub(src, base.n, src.n),
				STR(NAME_PATH_OPEN));
	}
	return false;
}

static void
visit_links(struct message *m, struct tracking *tracking,
    struct html_lexer *lexer)
{
	struct html_token t;

	html_init(lexer, tracking->part->coded.text);
	while (html_next(lexer, &t)) {
		if (t.kind == HTML_END && !t.in_conditional &&
		    str_ieq(t.name, STR("body"))) {
			tracking->body_end = t.at;
			tracking->has_room = true;
		} else if (t.kind == HTML_START &&
		    (m->track & TRACK_CLICKS) != 0 && link_is_element(&t)) {
			visit_link(m, tracking, &t);
		} else if (t.kind == HTML_START && is_our_pixel(m, &t)) {
			tracking->has_pixel = true;
		}
	}
}

/* Would a tag here be shown as text?  Unclosed styles and titles hide it. */
static bool
shows_tags(const struct html_lexer *l)
{
	return l->state == HTML_PLAINTEXT ||
	    (l->state != HTML_DATA &&
		(str_ieq(l->last_start, STR("textarea")) ||
		    str_ieq(l->last_start, STR("xmp"))));
}

static void
track_part(struct message *m, struct part *part)
{
	struct html_lexer *lexer = arena_alloc(m->arena, sizeof(*lexer));
	struct tracking tracking = {
		.part = part,
		.nplaced = part->edits.n,
		.body_end = end_of_text(part->coded.text),
	};

	/* an empty part may share its line break with the delimiter behind */
	if (part->coded.text.n == 0)
		return;
	/* what was left then had a reason that may be gone: an attribute */
	tracking.is_done = m->was_ours && ours_is_in(m, part->coded.text);
	visit_links(m, &tracking, lexer);
	if ((m->track & TRACK_OPENS) == 0)
		return;
	/* or its '>' would end a tag that readers drop as unfinished */
	if (!tracking.has_room && lexer->open_tag < tracking.body_end)
		tracking.body_end = lexer->open_tag;
	if (tracking.has_pixel)
		message_note(m, "track", "no pixel: it has one of ours");
	else if (!tracking.has_room && shows_tags(lexer))
		message_note(m, "track", "no pixel: the text ends inside %.*s",
		    STR_ARG(lexer->last_start));
	else
		add_pixel(m, part, tracking.body_end);
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
		m->lacks = "a tracking-url or token keys";
		return STAGE_NEXT;
	}
	parts_open(m);
	find_unsubscribe_uris(m);
	for (size_t i = 0; i < m->parts.n; i++)
		if (m->parts.v[i].is_html)
			track_part(m, &m->parts.v[i]);
	return STAGE_NEXT;
}
