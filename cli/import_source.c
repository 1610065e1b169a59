/*
 * import_source.c - what kind of list is it, and its rows.
 */
#include "cli/import.h"

#include <errno.h>

int
import_format_parse(struct str name, enum import_format *out)
{
	if (str_eq(name, STR("csv")))
		*out = IMPORT_CSV;
	else if (str_eq(name, STR("json")))
		*out = IMPORT_JSON;
	else if (str_eq(name, STR("txt")))
		*out = IMPORT_TXT;
	else
		return -1;
	return 0;
}

static enum import_got
fail(struct import_source *s, const char *text)
{
	buf_puts(&s->error, text);
	errno = 0;
	return IMPORT_ERROR;
}

/* ---- which format ---- */

/* The first line that is neither blank nor a comment, of what is there. */
static struct str
first_line(const struct import_input *in)
{
	struct str rest = str_make(in->p + in->from, in->to - in->from);

	while (rest.n > 0) {
		size_t end = str_chr(rest, '\n', 0);
		struct str line = str_trim(str_sub(rest, 0, end));

		if (line.n > 0 && line.p[0] != '#')
			return line;
		rest = str_sub(rest, end + 1, rest.n);
	}
	return rest;
}

static size_t
count_outside_quotes(struct str line, char c)
{
	bool in_quotes = false;
	size_t n = 0;

	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '"')
			in_quotes = !in_quotes;
		n += !in_quotes && line.p[i] == c;
	}
	return n;
}

/* Spreadsheets say "sep=;" in a first line of its own: it is taken. */
static void
take_delimiter(struct import_source *s)
{
	struct str line = first_line(&s->in), taken;

	if (line.n < 4 || line.n > 5 || !str_istarts(line, STR("sep=")))
		return;
	s->delimiter = line.n == 4 ? '\t' : line.p[4];
	do
		import_input_line(&s->in, &taken);
	while (str_trim(taken).n == 0);
}

/* The one that is there most often; NUL: none is. */
static char
find_delimiter(struct str line)
{
	static const char candidates[] = { ',', ';', '\t', '|' };
	size_t best = 0;
	char found = '\0';

	for (size_t i = 0; i < sizeof(candidates); i++) {
		size_t n = count_outside_quotes(line, candidates[i]);

		if (n > best) {
			best = n;
			found = candidates[i];
		}
	}
	return found;
}

static enum import_format
guess_format(struct import_source *s)
{
	struct str line = first_line(&s->in);
	enum import_role role;

	if (line.n == 0)
		return IMPORT_TXT;
	if (line.p[0] == '{' || line.p[0] == '[')
		return IMPORT_JSON;
	if (s->delimiter != '\0' || line.p[0] == '"')
		return IMPORT_CSV;
	/* "email" and nothing else is the head of a single column. */
	return str_chr(line, '@', 0) == line.n &&
		import_kind_guess(&line, 1, &role)
	    ? IMPORT_CSV
	    : IMPORT_TXT;
}

static int
check_encoding(struct import_source *s)
{
	struct str head = str_sub(
	    str_make(s->in.p, s->in.to - s->in.from), 0, 4);

	if (str_starts(head, STR("\xef\xbb\xbf")))
		s->in.from += 3;
	else if (str_starts(head, STR("\x1f\x8b")))
		fail(s, "this is compressed: gunzip it first");
	else if (str_starts(head, STR("PK\x03\x04")))
		fail(s, "this is a ZIP archive (or a spreadsheet): unpack it, "
			"or save it as CSV");
	return s->error.n > 0 ? -1 : 0;
}

int
import_source_open(struct import_source *s, int fd, struct str file,
    struct str from, enum import_format format)
{
	int more = 1;

	*s = (struct import_source){ .format = format, .file = file,
		.from = from };
	buf_init(&s->error, 65536);
	import_input_open(&s->in, fd);
	import_json_open(&s->json, &s->in);
	if (import_format_parse(from, &format) == 0) {
		s->is_generic = true;
		s->from = STR("");
		if (s->format == IMPORT_FORMAT_ANY)
			s->format = format;
	}
	while (more > 0 && s->in.to - s->in.from < IMPORT_RECORD_MAX)
		more = import_input_more(&s->in);
	if (more < 0 || check_encoding(s) != 0)
		return -1;
	take_delimiter(s);
	if (s->delimiter == '\0')
		s->delimiter = find_delimiter(first_line(&s->in));
	if (s->format == IMPORT_FORMAT_ANY)
		s->format = guess_format(s);
	if (s->delimiter == '\0')
		s->delimiter = ',';
	return 0;
}

void
import_source_close(struct import_source *s)
{
	import_json_close(&s->json);
	import_input_close(&s->in);
	buf_free(&s->error);
}

/* ---- which kind ---- */

static enum import_got
refuse_kind(struct import_source *s)
{
	buf_printf(&s->error, "%s: if they are to be suppressed all the same, "
		"say --from csv and --reason", s->kind->refusal);
	errno = 0;
	return IMPORT_ERROR;
}

static void
name_fields(struct import_source *s, const struct str *names, size_t n)
{
	for (size_t i = 0; i < n && i < 30; i++)
		buf_printf(&s->error, "%s\"%.*s\"", i > 0 ? ", " : "",
		    STR_ARG(str_sub(names[i], 0, 60)));
}

/* Names are known: a service's, or roles that many lists have. */
static enum import_got
settle_names(struct import_source *s, const struct str *names, size_t n)
{
	s->nroles = n;
	if (!s->is_generic)
		s->kind = import_kind_find(names, n,
		    str_from(s->json.container), s->file, s->from);
	if (s->kind != NULL && s->kind->refusal != NULL)
		return refuse_kind(s);
	if (s->kind != NULL) {
		import_kind_roles(s->kind, names, n, s->roles);
		return IMPORT_ROW;
	}
	if (s->from.n > 0) {
		buf_printf(&s->error, "this is no list of %.*s: its fields "
			"are ", STR_ARG(s->from));
		name_fields(s, names, n);
		errno = 0;
		return IMPORT_ERROR;
	}
	return import_kind_guess(names, n, s->roles) ? IMPORT_ROW : IMPORT_END;
}

static enum import_got
no_address(struct import_source *s, const struct str *names, size_t n)
{
	buf_puts(&s->error, "no field of it is an address; its fields are ");
	name_fields(s, names, n);
	errno = 0;
	return IMPORT_ERROR;
}

static bool
has_address(const struct import_fields *f)
{
	enum import_role roles[IMPORT_FIELDS_MAX];

	return import_kind_guess_values(f->v, f->n, roles);
}

/* The first record that is not blank. */
static enum import_got
next_fields(struct import_source *s, uint64_t *line, const char **cause)
{
	enum import_got got;

	do
		got = import_csv_next(&s->in, s->delimiter, &s->fields, line,
		    cause);
	while (got == IMPORT_ROW &&
	    (s->fields.n == 0 || (s->fields.n == 1 && s->fields.v[0].n == 0)));
	return got;
}

/* The head has no name that we know: which column has an "@" in it? */
static enum import_got
settle_by_values(struct import_source *s, const struct import_fields *head,
    const char **cause)
{
	enum import_role roles[IMPORT_FIELDS_MAX];
	enum import_got got = next_fields(s, &s->pending_line, cause);

	if (got == IMPORT_ROW &&
	    import_kind_guess_values(s->fields.v, s->fields.n, roles)) {
		for (size_t i = 0; i < s->fields.n && i < s->nroles; i++)
			if (roles[i] == ROLE_ADDRESS)
				s->roles[i] = ROLE_ADDRESS;
		s->has_pending = true;
		return IMPORT_ROW;
	}
	return got == IMPORT_ERROR ? got : no_address(s, head->v, head->n);
}

static enum import_got
settle_csv(struct import_source *s, const char **cause)
{
	enum import_got got = next_fields(s, &s->pending_line, cause);
	struct import_fields head;
	struct arena *a;

	if (got != IMPORT_ROW)
		return got;
	s->is_settled = true;
	if (has_address(&s->fields)) {
		s->nroles = s->fields.n;
		import_kind_guess_values(s->fields.v, s->fields.n, s->roles);
		s->has_pending = true;
		return IMPORT_ROW;
	}
	head = s->fields;
	a = arena_new();
	for (size_t i = 0; i < head.n; i++)
		head.v[i] = arena_copy(a, head.v[i]);
	got = settle_names(s, head.v, head.n);
	if (got == IMPORT_END)
		got = settle_by_values(s, &head, cause);
	arena_free(&a);
	return got;
}

/* ---- rows ---- */

static void
add_value(struct import_row *row, enum import_role role, struct str value)
{
	if (role != ROLE_NONE)
		row->value[role] = value;
}

static enum import_got
next_csv(struct import_source *s, struct import_row *row, const char **cause)
{
	enum import_got got = IMPORT_ROW;

	if (!s->is_settled && (got = settle_csv(s, cause)) != IMPORT_ROW) {
		row->line = s->pending_line;
		s->raw = s->fields.n > 0 ? s->fields.v[0] : STR("");
		return got;
	}
	if (s->has_pending) {
		s->has_pending = false;
		row->line = s->pending_line;
	} else {
		got = next_fields(s, &row->line, cause);
	}
	s->raw = STR("");
	if (s->fields.n > 0) {
		const struct str *last = &s->fields.v[s->fields.n - 1];

		s->raw = str_make(s->fields.v[0].p,
		    (size_t)(last->p + last->n - s->fields.v[0].p));
	}
	for (size_t i = 0; i < s->fields.n && i < s->nroles; i++)
		add_value(row, s->roles[i], s->fields.v[i]);
	return got;
}

static enum import_got
next_txt(struct import_source *s, struct import_row *row, const char **cause)
{
	struct str line;

	s->is_settled = true;
	for (;;) {
		enum import_got got;

		row->line = s->in.line;
		got = import_input_line(&s->in, &line);
		s->raw = line;
		if (got == IMPORT_BAD)
			*cause = "longer than 64 KiB";
		if (got != IMPORT_ROW)
			return got;
		line = str_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		row->value[ROLE_ADDRESS] = line;
		return IMPORT_ROW;
	}
}

/* Most records have the same members in the same order as the last one. */
static bool
has_same_names(struct import_source *s, const struct str *names, size_t n)
{
	char all[sizeof(s->names)];
	size_t used = 0;
	bool is_same;

	for (size_t i = 0; i < n; i++) {
		if (names[i].n >= sizeof(all) - used) {
			s->nnames = 0;
			return false;
		}
		memcpy(all + used, names[i].p, names[i].n);
		used += names[i].n;
		all[used++] = '\0';
	}
	is_same = s->is_settled && used == s->nnames && n == s->nroles &&
	    memcmp(all, s->names, used) == 0;
	memcpy(s->names, all, used);
	s->nnames = used;
	return is_same;
}

static enum import_got
settle_json(struct import_source *s, const struct str *names, size_t n)
{
	enum import_got got = IMPORT_ROW;

	if (has_same_names(s, names, n))
		return IMPORT_ROW;
	if (!s->is_settled) {
		got = settle_names(s, names, n);
		if (got == IMPORT_END && n == 1 && names[0].n == 0)
			s->roles[0] = ROLE_ADDRESS; /* a list of strings */
		else if (got == IMPORT_END)
			got = no_address(s, names, n);
		s->is_settled = got != IMPORT_ERROR;
		return got == IMPORT_END ? IMPORT_ROW : got;
	}
	s->nroles = n;
	if (s->kind != NULL)
		import_kind_roles(s->kind, names, n, s->roles);
	else if (n == 1 && names[0].n == 0)
		s->roles[0] = ROLE_ADDRESS;
	else
		import_kind_guess(names, n, s->roles);
	return got;
}

static enum import_got
next_json(struct import_source *s, struct import_row *row, const char **cause)
{
	struct str names[IMPORT_FIELDS_MAX];
	enum import_got got = import_json_next(&s->json, &s->object,
	    &row->line, cause);

	row->number = s->json.number;
	s->raw = s->object.text;
	if (got != IMPORT_ROW)
		return got;
	for (size_t i = 0; i < s->object.n; i++)
		names[i] = s->object.v[i].name;
	got = settle_json(s, names, s->object.n);
	for (size_t i = 0; i < s->object.n; i++)
		add_value(row, s->roles[i], s->object.v[i].value);
	return got;
}

enum import_got
import_source_next(struct import_source *s, struct import_row *row,
    const char **cause)
{
	*row = (struct import_row){ .line = 0 };
	switch (s->format) {
	case IMPORT_JSON:
		return next_json(s, row, cause);
	case IMPORT_CSV:
		return next_csv(s, row, cause);
	default:
		return next_txt(s, row, cause);
	}
}

void
import_source_describe(const struct import_source *s, struct buf *out)
{
	if (s->kind != NULL)
		buf_printf(out, "%s%s%s, ", s->kind->service,
		    s->kind->kind != NULL ? " " : "",
		    s->kind->kind != NULL ? s->kind->kind : "");
	if (s->format == IMPORT_JSON)
		buf_puts(out, "JSON");
	else if (s->format == IMPORT_TXT)
		buf_puts(out, "an address a line");
	else
		buf_printf(out, "CSV with %s",
		    s->delimiter == ',' ? "commas" :
		    s->delimiter == ';' ? "semicolons" :
		    s->delimiter == '\t' ? "tabs" : "bars");
}
