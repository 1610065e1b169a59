/*
 * stage_returnpath.c - the envelope sender becomes an address of ours that
 * says, authenticated, what bounced for whom.
 */
#include "engine/stage.h"

#include "engine/ours.h"

/* xtext (RFC 3461 section 4): queue ids are alphanumeric, all else goes. */
static bool
is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!str_is_alpha(s.p[i]) && !str_is_digit(s.p[i]))
			return false;
	return s.n > 0;
}

/*
 * A content filter hands back what we made, under the sender that we gave it:
 * whom that names is still right, though an alias may have changed recipients.
 */
static bool
is_ours(struct message *m)
{
	struct str at = m->domain->return_path_domain;
	struct returnpath r;
	bool is_forged;

	return str_ieq(m->sender.domain, at) &&
	    returnpath_read(m->arena, m->keyring->returnpath,
		m->keyring->nreturnpath, m->sender.local, at, &r,
		&is_forged) == 0 &&
	    r.kind == RETURNPATH_BOUNCE;
}

enum stage_result
stage_returnpath(struct message *m)
{
	const struct domain_settings *d = m->domain;
	struct str local;

	if (m->stream == NULL || !m->stream->return_path)
		return STAGE_NEXT;
	if (!ours_has_addresses(m)) {
		m->lacks = "a return-path-domain or return-path keys";
		return STAGE_NEXT;
	}
	if (is_ours(m)) {
		message_note(m, "returnpath", "the envelope sender is ours");
		return STAGE_NEXT;
	}
	local = ours_local(m, RETURNPATH_BOUNCE, d->return_path_domain);
	m->new_sender = arena_printf(m->arena, "<%.*s@%.*s>", STR_ARG(local),
	    STR_ARG(d->return_path_domain));
	m->new_sender_args = is_plain(m->queue_id) ?
	    arena_printf(m->arena, "RET=HDRS ENVID=%.*s",
		STR_ARG(m->queue_id)) : STR("RET=HDRS");
	message_note(m, "returnpath", "envelope sender becomes %.*s",
	    STR_ARG(m->new_sender));
	return STAGE_NEXT;
}
