/*
 * message.c - notes and replies of a message.
 */
#include "engine/message.h"

#include <stdarg.h>
#include <stdio.h>

bool
client_is_ours(const struct settings *s, const struct client *c)
{
	if (c->sasl_user.n > 0 || c->is_sendmail)
		return true;
	return c->has_addr && settings_trusts(s, &c->addr);
}

void
message_note(struct message *m, const char *stage, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	if (!m->wants_notes)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	m->notes = arena_grow(m->arena, m->notes, m->nnotes, &m->cap_notes,
	    sizeof(*m->notes));
	m->notes[m->nnotes++] = (struct note){ stage,
		arena_copy(m->arena, str_from(text)) };
}

void
message_refuse(struct message *m, const char *code, const char *status,
    const char *fmt, ...)
{
	struct reply *r = &m->reply;
	va_list ap;

	snprintf(r->code, sizeof(r->code), "%s", code);
	snprintf(r->status, sizeof(r->status), "%s", status);
	va_start(ap, fmt);
	vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
	for (char *p = r->text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	m->verdict = VERDICT_REJECT;
}

void
message_defer(struct message *m, const char *status, const char *reason)
{
	message_refuse(m, "451", status, "%s, please try again", reason);
	m->verdict = VERDICT_TEMPFAIL;
	m->reason = reason;
}

bool
message_reserve(struct message *m, size_t n)
{
	uint64_t most = m->settings->milter.max_memory;
	size_t held = arena_held(m->arena);

	if (m->shortage != SHORTAGE_NONE)
		return false;
	if (arena_reserve(m->arena, n))
		return true;
	m->shortage = held > most || n > most - held ? SHORTAGE_EVER :
						       SHORTAGE_NOW;
	return false;
}

bool
message_is_edited(const struct message *m)
{
	return m->splices.n > 0 || headers_edited(&m->headers);
}
