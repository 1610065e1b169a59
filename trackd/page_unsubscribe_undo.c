/*
 * page_unsubscribe_undo.c - takes back exactly the unsubscription that the
 * page before has made: its stamp names the entry and when it was made.
 */
#include "trackd/page_unsubscribe.h"

#include <inttypes.h>

#include "base/num.h"

/* Clocks of several nodes differ. */
#define SKEW 60

struct str
unsubscribe_stamp(const struct request *r, const struct suppress_entry *e)
{
	struct token_sealer *sealer =
	    token_sealer_new(r->keyring->tokens, r->host);
	struct token t = {
		.kind = TOKEN_UNDO,
		.domain = e->scope.domain,
		.stream = e->scope.stream,
		.list = e->scope.list,
		.recipient = e->address,
		.hours = (uint32_t)(e->created / 3600),
		.url = arena_printf(r->arena, "%" PRId64, e->created),
	};
	struct str stamp;

	if (token_seal(sealer, r->arena, &t, &stamp) != 0)
		stamp = STR("");
	token_sealer_free(&sealer);
	return stamp;
}

/* False: it is none, of another link, or too old. */
static bool
open_stamp(const struct unsubscribe *u, const struct request *r,
    struct str stamp, struct suppress_entry *out)
{
	int64_t age;
	uint64_t created;
	struct token t;

	if (token_open(r->arena, r->keyring->tokens, TOKEN_UNDO, r->host,
	    stamp, &t) != 0 ||
	    !str_eq(t.recipient, u->token.recipient) ||
	    !str_eq(t.domain, u->token.domain) ||
	    num_parse(t.url, INT64_MAX, &created) != 0)
		return false;
	*out = (struct suppress_entry){
		.address = t.recipient,
		.scope = { t.domain, t.stream, t.list },
		.reason = SUPPRESS_UNSUBSCRIBE,
		.created = (int64_t)created,
	};
	age = r->now / 1000000 - out->created;
	return age >= -SKEW && age <= UNSUBSCRIBE_UNDO;
}

static void
finish(const struct request *r, struct answer *a)
{
	const struct unsubscribe *u = a->page;

	if (u->wish.result != WISH_STORED) {
		unsubscribe_later(u, r, a);
	} else if (u->wish.outcome != SUPPRESS_REMOVED) {
		unsubscribe_show(u, r, a, 409, PAGE_ERROR, MESSAGE_GONE,
		    STR(""));
	} else {
		metrics_add(u->t->metrics, METRIC_UNDONE, 1);
		unsubscribe_show(u, r, a, 200, PAGE_UNDONE, MESSAGE_NONE,
		    STR(""));
	}
}

void
unsubscribe_undo(struct unsubscribe *u, const struct request *r,
    struct str stamp, struct answer *a)
{
	u->is_page = true;
	u->wish = (struct request_wish){ .what = SUPPRESS_REMOVE };
	if (!open_stamp(u, r, stamp, &u->wish.entry)) {
		unsubscribe_show(u, r, a, 400, PAGE_ERROR, MESSAGE_STAMP,
		    STR(""));
		return;
	}
	a->wish = &u->wish;
	a->finish = finish;
	a->page = u;
}
