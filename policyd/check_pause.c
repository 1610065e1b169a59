/*
 * check_pause.c - the stop button: nothing leaves of a stream or domain that
 * is paused.
 */
#include "policyd/check.h"

static bool
is_asked(const struct question *q)
{
	return q->request.kind != POLICY_CHARGE && q->knows_scope &&
	    (q->stream_title.n > 0 || q->domain.n > 0);
}

static void
look_up(struct batch *b)
{
	const struct question *q = b->first;

	while (q != NULL && (q->is_decided || !is_asked(q)))
		q = q->next;
	if (q != NULL)
		pauses_update(b->desk->pauses, b->desk->lists, false,
		    b->deadline);
}

/* True when it is, and said so. */
static bool
judge_one(struct batch *b, struct question *q, const char *kind,
    struct str name)
{
	struct str key;

	if (name.n == 0)
		return false;
	key = limit_pause_key(b->arena, kind, name);
	if (!pauses_has(b->desk->pauses, key, b->now / 1000000))
		return false;
	question_refuse(b, q, CAUSE_PAUSED, "450", "4.7.1",
	    "%s %.*s is paused: try again later", kind, STR_ARG(name));
	q->reply.is_paused = true;
	return true;
}

static void
judge(struct batch *b, struct question *q)
{
	if (!is_asked(q))
		return;
	if (!pauses_are_known(b->desk->pauses)) {
		question_unknown(b, q, STORE_META);
		return;
	}
	if (pauses_are_any(b->desk->pauses) &&
	    !judge_one(b, q, "stream", q->stream_title))
		judge_one(b, q, "domain", q->domain);
}

const struct check check_pause = {
	.name = "pause",
	.look_up = look_up,
	.judge = judge,
};
