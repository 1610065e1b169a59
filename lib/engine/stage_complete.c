/*
 * stage_complete.c - Date and Message-ID where they are missing, as they are
 * signed with an extra empty instance: a hop that adds them later would break
 * the signature (FACTS must 11).
 */
#include "engine/stage.h"

#include <inttypes.h>

#include "base/clock.h"

static void
add_date(struct message *m)
{
	char date[CLOCK_TEXT];

	clock_rfc5322(m->now, date);
	headers_add(&m->headers, STR("Date"), str_from(date));
	message_note(m, "complete", "Date added: there was none");
}

/* A function of queue id and time, never random: preview can repeat it. */
static void
add_message_id(struct message *m)
{
	struct str id = m->queue_id.n ? m->queue_id : STR("noqueue");

	headers_add(&m->headers, STR("Message-ID"),
	    arena_printf(m->arena, "<%.*s.%" PRId64 "@%.*s>", STR_ARG(id),
	    m->now, STR_ARG(m->domain->name)));
	message_note(m, "complete", "Message-ID added: there was none");
}

enum stage_result
stage_complete(struct message *m)
{
	if (headers_count(&m->headers, STR("Date")) == 0)
		add_date(m);
	if (headers_count(&m->headers, STR("Message-ID")) == 0)
		add_message_id(m);
	return STAGE_NEXT;
}
