/*
 * milter_edited.c - a milter's edits applied.  Postfix's own Received is not
 * there: an index of insertion counts it, one of change does not.
 */
#include "tests/tools/milter_edited.h"

#include <sys/types.h>

#include <arpa/inet.h>
#include <libmilter/mfdef.h>
#include <stdio.h>
#include <stdlib.h>

static void
insert(struct milter_edited *m, size_t at, struct str name, struct str value)
{
	m->fields = arena_grow(m->arena, m->fields, m->nfields, &m->cap,
	    sizeof(*m->fields));
	if (at > m->nfields)
		at = m->nfields;
	memmove(m->fields + at + 1, m->fields + at,
	    (m->nfields - at) * sizeof(*m->fields));
	m->fields[at] = (struct milter_field){ name, value };
	m->nfields++;
}

void
milter_edited_init(struct milter_edited *m, const struct milter_mail *mail)
{
	*m = (struct milter_edited){ .arena = arena_new(), .mail = mail };
	buf_init(&m->body, MILTER_EDITED_MAX);
	for (size_t i = 0; i < mail->headers->n; i++)
		insert(m, i, mail->headers->v[i].name,
		    mail->headers->v[i].value);
	m->removed = arena_array(m->arena, mail->nrecipients + 1,
	    sizeof(*m->removed));
}

void
milter_edited_free(struct milter_edited *m)
{
	buf_free(&m->body);
	arena_free(&m->arena);
}

/* The next NUL terminated text of data, copied; false when there is none. */
static bool
take_text(struct milter_edited *m, struct str *data, struct str *text)
{
	size_t end = str_chr(*data, '\0', 0);

	if (end == data->n)
		return false;
	*text = arena_copy(m->arena, str_sub(*data, 0, end));
	*data = str_sub(*data, end + 1, data->n);
	return true;
}

static bool
take_index(struct str *data, size_t *index)
{
	uint32_t n;

	if (data->n < 4)
		return false;
	memcpy(&n, data->p, 4);
	*index = ntohl(n);
	*data = str_sub(*data, 4, data->n);
	return true;
}

/* The place of the field of that name and number, or nfields. */
static size_t
find(const struct milter_edited *m, struct str name, size_t number)
{
	size_t at = 0;

	for (; at < m->nfields; at++)
		if (str_ieq(m->fields[at].name, name) && --number == 0)
			break;
	return at;
}

/* What is not there is appended (cleanup_upd_header), or stays away. */
static void
change(struct milter_edited *m, size_t number, struct str name,
    struct str value, bool is_deletion)
{
	size_t at = find(m, name, number > 0 ? number : 1);

	if (!is_deletion && at < m->nfields) {
		m->fields[at].value = value;
	} else if (!is_deletion) {
		insert(m, at, name, value);
	} else if (at < m->nfields) {
		memmove(m->fields + at, m->fields + at + 1,
		    (m->nfields - at - 1) * sizeof(*m->fields));
		m->nfields--;
	}
}

static bool
apply_header(struct milter_edited *m, char command, struct str data,
    bool has_leadspc)
{
	struct str name, value;
	size_t index = 0;
	bool is_empty;

	if ((command != SMFIR_ADDHEADER && !take_index(&data, &index)) ||
	    !take_text(m, &data, &name) || !take_text(m, &data, &value) ||
	    data.n > 0 || name.n == 0)
		return false;
	is_empty = value.n == 0;
	if (!has_leadspc)
		value = arena_printf(m->arena, " %.*s", STR_ARG(value));
	if (command == SMFIR_CHGHEADER)
		change(m, index, name, value, is_empty);
	else if (command == SMFIR_INSHEADER)
		insert(m, index > 0 ? index - 1 : 0, name, value);
	else
		insert(m, m->nfields, name, value);
	return true;
}

static struct str
without_brackets(struct str s)
{
	return s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>' ?
	    str_sub(s, 1, s.n - 1) : s;
}

static bool
remove_recipient(struct milter_edited *m, struct str data)
{
	struct str text;

	if (!take_text(m, &data, &text))
		return false;
	text = without_brackets(text);
	for (size_t i = 0; i < m->mail->nrecipients; i++)
		if (str_eq(str_from(m->mail->recipients[i]), text))
			m->removed[i] = true;
	return true;
}

bool
milter_edited_apply(struct milter_edited *m, char command, struct str data,
    bool has_leadspc)
{
	switch (command) {
	case SMFIR_ADDHEADER:
	case SMFIR_INSHEADER:
	case SMFIR_CHGHEADER:
		return apply_header(m, command, data, has_leadspc);
	case SMFIR_REPLBODY:
		m->has_body = true;
		return buf_str(&m->body, data) == 0;
	case SMFIR_CHGFROM:
		if (!take_text(m, &data, &m->sender))
			return false;
		return data.n == 0 || take_text(m, &data, &m->args);
	case SMFIR_DELRCPT:
		return remove_recipient(m, data);
	default:
		return true;
	}
}

static void
write_value(FILE *f, struct str value)
{
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '\n')
			fputc('\r', f);
		fputc(value.p[i], f);
	}
}

static int
write_envelope(const struct milter_edited *m, const char *path)
{
	FILE *f = fopen(path, "w");

	if (f == NULL)
		return -1;
	if (m->sender.p != NULL)
		fprintf(f, "sender=%.*s\n", STR_ARG(without_brackets(
						m->sender)));
	else
		fprintf(f, "sender=%s\n", m->mail->sender);
	if (m->args.p != NULL)
		fprintf(f, "args=%.*s\n", STR_ARG(m->args));
	for (size_t i = 0; i < m->mail->nrecipients; i++)
		if (!m->removed[i])
			fprintf(f, "recipient=%s\n", m->mail->recipients[i]);
	return fclose(f) == 0 ? 0 : -1;
}

int
milter_edited_write(const struct milter_edited *m, const char *path)
{
	struct str body = m->has_body ? buf_view(&m->body) : m->mail->body;
	FILE *f = fopen(path, "w");
	char env[4096];

	if (f == NULL)
		return -1;
	for (size_t i = 0; i < m->nfields; i++) {
		fprintf(f, "%.*s:", STR_ARG(m->fields[i].name));
		write_value(f, m->fields[i].value);
		fputs("\r\n", f);
	}
	fputs("\r\n", f);
	fwrite(body.p, 1, body.n, f);
	snprintf(env, sizeof(env), "%s.env", path);
	return fclose(f) == 0 ? write_envelope(m, env) : -1;
}
