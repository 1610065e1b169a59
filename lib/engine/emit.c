/*
 * emit.c - the edits go out.
 */
#include "engine/emit.h"

/*
 * Values carry their leading blank in the list; the interface has none.
 */
static struct str
bare(struct str value)
{
	return value.n > 0 && value.p[0] == ' ' ? str_sub(value, 1, value.n) :
						  value;
}

/*
 * As the client spelled it, save for a source route: Postfix forgets that
 * before it notes the recipient (smtpd.c, extract_addr()), and finds nothing
 * to remove by the path with it.
 */
static struct str
without_route(struct arena *a, struct str raw)
{
	size_t from = raw.n > 0 && raw.p[0] == '<';
	size_t colon = str_chr(raw, ':', from);
	const struct str parts[] = { str_sub(raw, 0, from),
		str_sub(raw, colon + 1, raw.n) };

	if (from == raw.n || raw.p[from] != '@' || colon == raw.n)
		return raw;
	return arena_join(a, parts, 2);
}

static int
emit_envelope(struct message *m, struct mta *mta)
{
	if (m->new_sender.n > 0 &&
	    mta->ops->set_sender(mta, m->new_sender, m->new_sender_args) != 0)
		return -1;
	for (size_t i = 0; i < m->nrecipients; i++)
		if (m->recipients[i].is_removed &&
		    mta->ops->remove_recipient(mta, without_route(m->arena,
			m->recipients[i].raw)) != 0)
			return -1;
	return 0;
}

/*
 * Highest index first: Postfix takes a deleted field off its list, so that
 * those below move up (CVE-2022-48521); Sendmail only marks it.
 */
static int
emit_deletions(struct message *m, struct mta *mta)
{
	for (size_t i = m->headers.n; i-- > 0;) {
		struct header *f = &m->headers.v[i];

		/* index 0: added and deleted again, nobody knows it */
		if (f->edit == HEADER_DELETED && f->index > 0 &&
		    mta->ops->delete_header(mta, f->name, f->index) != 0)
			return -1;
	}
	return 0;
}

/* Those of one name, whose first is f: the index counts what stays. */
static int
emit_changes(struct message *m, struct mta *mta, const struct header *f)
{
	unsigned index = 0;

	for (;; f = &m->headers.v[f->same]) {
		index += f->edit != HEADER_DELETED;
		if (f->edit == HEADER_CHANGED &&
		    mta->ops->change_header(mta, f->name, index,
			bare(f->value)) != 0)
			return -1;
		if (f->same == 0)
			return 0;
	}
}

static int
emit_fields(struct message *m, struct mta *mta)
{
	for (size_t i = 0; i < m->headers.n; i++)
		if (m->headers.v[i].index == 1 &&
		    emit_changes(m, mta, &m->headers.v[i]) != 0)
			return -1;
	for (size_t i = 0; i < m->headers.n; i++) {
		struct header *f = &m->headers.v[i];

		if (f->edit == HEADER_ADDED &&
		    mta->ops->add_header(mta, f->name, bare(f->value)) != 0)
			return -1;
	}
	return 0;
}

int
emit_edits(struct message *m, struct mta *mta)
{
	if (emit_envelope(m, mta) != 0 || emit_deletions(m, mta) != 0 ||
	    emit_fields(m, mta) != 0)
		return -1;
	if (m->splices.n > 0 &&
	    mta->ops->replace_body(mta, &m->splices, m->body) != 0)
		return -1;
	for (size_t i = m->nsignatures; i-- > 0;)
		if (mta->ops->insert_top(mta, STR("DKIM-Signature"),
		    m->signatures[i]) != 0)
			return -1;
	return 0;
}
