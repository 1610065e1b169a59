/*
 * mta_memory.c - an MTA in memory.
 */
#include "engine/mta_memory.h"

#include <stdio.h>

static struct mta_memory *
self(struct mta *mta)
{
	return (struct mta_memory *)(void *)mta;
}

static int
set_sender(struct mta *mta, struct str path, struct str args)
{
	self(mta)->sender = arena_copy(self(mta)->arena, path);
	self(mta)->sender_args = arena_copy(self(mta)->arena, args);
	return 0;
}

static int
remove_recipient(struct mta *mta, struct str raw)
{
	struct mta_memory *m = self(mta);

	m->removed = arena_grow(m->arena, m->removed, m->nremoved,
	    &m->cap_removed, sizeof(*m->removed));
	m->removed[m->nremoved++] = arena_copy(m->arena, raw);
	return 0;
}

/* Position of the index-th field of that name, or nfields. */
static size_t
locate(const struct mta_memory *m, struct str name, unsigned index)
{
	for (size_t i = 0; i < m->nfields; i++)
		if (str_ieq(m->fields[i].name, name) && --index == 0)
			return i;
	return m->nfields;
}

static void
insert(struct mta_memory *m, size_t at, struct str name, struct str value)
{
	m->fields = arena_grow(m->arena, m->fields, m->nfields, &m->cap,
	    sizeof(*m->fields));
	memmove(m->fields + at + 1, m->fields + at,
	    (m->nfields - at) * sizeof(*m->fields));
	m->fields[at] = (struct mta_field){ arena_copy(m->arena, name),
		arena_copy(m->arena, value) };
	m->nfields++;
}

static struct str
with_blank(struct mta_memory *m, struct str value)
{
	return arena_printf(m->arena, " %.*s", STR_ARG(value));
}

/* A miss is an error here, so that tests see it; Postfix would append. */
static int
delete_header(struct mta *mta, struct str name, unsigned index)
{
	struct mta_memory *m = self(mta);
	size_t at = locate(m, name, index);

	if (at == m->nfields)
		return -1;
	memmove(m->fields + at, m->fields + at + 1,
	    (m->nfields - at - 1) * sizeof(*m->fields));
	m->nfields--;
	return 0;
}

static int
change_header(struct mta *mta, struct str name, unsigned index,
    struct str value)
{
	struct mta_memory *m = self(mta);
	size_t at = locate(m, name, index);

	if (at == m->nfields)
		return -1;
	m->fields[at].value = with_blank(m, value);
	return 0;
}

static int
add_header(struct mta *mta, struct str name, struct str value)
{
	struct mta_memory *m = self(mta);

	insert(m, m->nfields, name, with_blank(m, value));
	return 0;
}

static int
insert_top(struct mta *mta, struct str name, struct str value)
{
	struct mta_memory *m = self(mta);

	insert(m, 0, name, with_blank(m, value));
	return 0;
}

static int
replace_body(struct mta *mta, const struct splices *edits, struct str body)
{
	struct mta_memory *m = self(mta);

	m->body = splices_apply(edits, m->arena, body);
	m->body_replaced = true;
	return 0;
}

static int
set_reply(struct mta *mta, const char *code, const char *status,
    const char *text)
{
	struct reply *r = &self(mta)->reply;

	snprintf(r->code, sizeof(r->code), "%s", code);
	snprintf(r->status, sizeof(r->status), "%s", status);
	snprintf(r->text, sizeof(r->text), "%s", text);
	return 0;
}

void
mta_memory_init(struct mta_memory *m, struct arena *a)
{
	static const struct mta_ops ops = {
		.set_sender = set_sender,
		.remove_recipient = remove_recipient,
		.delete_header = delete_header,
		.change_header = change_header,
		.add_header = add_header,
		.insert_top = insert_top,
		.replace_body = replace_body,
		.set_reply = set_reply,
	};

	*m = (struct mta_memory){ .mta = { &ops }, .arena = a };
}

void
mta_memory_header(struct mta_memory *m, struct str name, struct str value)
{
	insert(m, m->nfields, name, value);
}

void
mta_memory_body(struct mta_memory *m, struct str body)
{
	m->body = body;
}

/* text with its line ends, LF or CRLF, written as eol. */
static int
write_lines(struct str text, const char *eol, struct buf *out)
{
	size_t at = 0;

	while (at < text.n) {
		size_t lf = str_chr(text, '\n', at);
		size_t end = lf;

		if (lf < text.n && end > at && text.p[end - 1] == '\r')
			end--;
		buf_str(out, str_sub(text, at, end));
		if (lf < text.n)
			buf_puts(out, eol);
		at = lf + 1;
	}
	return out->failed ? -1 : 0;
}

int
mta_memory_write(const struct mta_memory *m, const char *eol, struct buf *out)
{
	for (size_t i = 0; i < m->nfields; i++) {
		buf_str(out, m->fields[i].name);
		buf_char(out, ':');
		write_lines(m->fields[i].value, eol, out);
		buf_puts(out, eol);
	}
	buf_puts(out, eol);
	return write_lines(m->body, eol, out);
}
