/*
 * page_unsubscribe.c - unsubscribes on POST (RFC 8058, or our own page's
 * form) and on nothing else: whoever looks at a link changes nothing.
 */
#include "trackd/page_unsubscribe.h"

#include <inttypes.h>

#include "base/log.h"
#include "trackd/form.h"

#define RETRY_AFTER 60 /* seconds */

static const struct stream_settings *
stream_of(const struct request *r, const struct token *token)
{
	return settings_stream(r->keyring->settings, token->stream);
}

void
unsubscribe_show(const struct unsubscribe *u, const struct request *r,
    struct answer *a, unsigned status, enum page page,
    enum page_message message, struct str stamp)
{
	const struct token *token = &u->token;
	const struct stream_settings *stream = stream_of(r, token);
	struct page_values v = {
		.message = message,
		.recipient = token->recipient,
		.sender = token->domain,
		.stream = token->list,
		.stamp = stamp,
	};

	if (v.stream.n == 0 && stream != NULL)
		v.stream = stream->name;
	a->status = status;
	a->type = STR("text/html; charset=utf-8");
	a->body = page_write(u->t->pages, r->arena, page,
	    request_field(r, "Accept-Language"), &v, &a->language);
}

/* A mail provider's program reads no page. */
static void
answer_plain(struct answer *a, unsigned status, struct str body)
{
	a->status = status;
	a->type = STR("text/plain; charset=utf-8");
	a->body = body;
}

void
unsubscribe_later(const struct unsubscribe *u, const struct request *r,
    struct answer *a)
{
	if (u->is_page)
		unsubscribe_show(u, r, a, 503, PAGE_ERROR, MESSAGE_LATER,
		    STR(""));
	else
		answer_plain(a, 503, STR("cannot be saved now: try again\n"));
	a->retry_after = RETRY_AFTER;
}

static bool
is_domain_wide(const struct suppress_scope *s)
{
	return s->stream == 0 && s->list.n == 0;
}

/* The wish came true, or did not. */
static void
finish(const struct request *r, struct answer *a)
{
	const struct unsubscribe *u = a->page;
	const struct request_wish *wish = &u->wish;
	bool is_new = wish->result == WISH_SPOOLED ||
	    wish->outcome != SUPPRESS_ALREADY;
	struct str stamp = STR("");

	if (wish->result == WISH_LOST) {
		unsubscribe_later(u, r, a);
		return;
	}
	if (is_new)
		track_visit(u->t, r, EVENT_UNSUBSCRIBED, &u->token,
		    u->is_page ? STR("page") : STR("one-click"));
	if (!u->is_page) {
		answer_plain(a, 200, STR("unsubscribed\n"));
		return;
	}
	if (is_new && wish->result == WISH_STORED)
		stamp = unsubscribe_stamp(r, &wish->entry);
	unsubscribe_show(u, r, a, 200, PAGE_DONE,
	    is_domain_wide(&wish->entry.scope) ? MESSAGE_DOMAIN :
						 MESSAGE_LIST, stamp);
}

/*
 * What was sent years ago must still unsubscribe, from what it says it is:
 * whoever brings the stream back finds it so.
 */
static void
log_unknown(const struct request *r, const struct token *token)
{
	if (settings_domain(r->keyring->settings, token->domain) == NULL)
		log_info("somebody unsubscribes from \"%.*s\", which is no "
		    "domain in the settings any more", STR_ARG(token->domain));
	else if (stream_of(r, token) == NULL)
		log_info("somebody unsubscribes from a stream of \"%.*s\" "
		    "that the settings do not have any more (id %" PRIu32 ")",
		    STR_ARG(token->domain), token->stream);
}

/* A list key that is too long for an entry is none: as mail is asked for. */
static struct suppress_scope
scope_of(const struct request *r, const struct token *token, bool is_domain)
{
	const struct stream_settings *stream = stream_of(r, token);
	struct suppress_scope scope = { .domain = token->domain };

	if (is_domain)
		return scope;
	scope.stream = stream != NULL ? stream->id : token->stream;
	if (token->list.n <= SUPPRESS_LABEL_MAX)
		scope.list = token->list;
	return scope;
}

static void
wish_for(struct unsubscribe *u, const struct request *r,
    const struct form *form, struct answer *a)
{
	log_unknown(r, &u->token);
	u->is_page = form->what == FORM_PAGE;
	u->wish = (struct request_wish){
		.what = SUPPRESS_PUT,
		.entry = {
			.address = u->token.recipient,
			.scope = scope_of(r, &u->token, form->is_domain &&
			    u->is_page),
			.reason = SUPPRESS_UNSUBSCRIBE,
			.created = r->now / 1000000,
			.source = STR("trackd"),
			.evidence = !u->is_page ? STR("one-click") :
			    form->is_domain ? STR("page, all of domain") :
					      STR("page"),
		},
	};
	a->wish = &u->wish;
	a->finish = finish;
	a->page = u;
}

static void
act(struct unsubscribe *u, const struct request *r, struct answer *a)
{
	struct form form;

	form_read(r->arena, request_field(r, "Content-Type"), r->body, &form);
	switch (form.what) {
	case FORM_ONE_CLICK:
	case FORM_PAGE:
		wish_for(u, r, &form, a);
		return;
	case FORM_UNDO:
		unsubscribe_undo(u, r, form.stamp, a);
		return;
	case FORM_EMPTY:
		unsubscribe_show(u, r, a, 400, PAGE_ERROR, MESSAGE_EMPTY,
		    STR(""));
		return;
	case FORM_UNREADABLE:
	case FORM_OTHER:
		break;
	}
	unsubscribe_show(u, r, a, 400, PAGE_ERROR, MESSAGE_FORM, STR(""));
}

void
page_unsubscribe(const struct track *t, const struct request *r,
    struct str text, struct answer *a)
{
	struct unsubscribe *u = arena_alloc(r->arena, sizeof(*u));
	bool is_post = str_eq(r->method, STR("POST"));

	u->t = t;
	if (request_token(r, TOKEN_UNSUBSCRIBE, text, &u->token) != 0) {
		answer_not_found(a);
		return;
	}
	if (u->token.recipient.n == 0)
		unsubscribe_show(u, r, a, is_post ? 400 : 200, PAGE_SHARED,
		    MESSAGE_NONE, STR(""));
	else if (is_post)
		act(u, r, a);
	else
		unsubscribe_show(u, r, a, 200, PAGE_UNSUBSCRIBE, MESSAGE_NONE,
		    STR(""));
}
