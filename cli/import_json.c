/*
 * import_json.c - records out of JSON of any length: a list is cut into its
 * members here, and jansson reads one at a time.
 */
#include "cli/import.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>

/* Names of lists of records; other lists ("links", "tags") are none. */
static const char *const containers[] = { "suppresseddestinationsummaries",
	"items", "suppressions", "bounces", "results", "recipients", "data",
	"result", "entries", "rejects", "members", "complaints", "unsubscribes", "blocks",
	"spamreports", "contacts", "records", "emails", "addresses", "rows" };

void
import_json_open(struct import_json *j, struct import_input *in)
{
	*j = (struct import_json){ .in = in, .arena = arena_new() };
}

void
import_json_close(struct import_json *j)
{
	json_decref(j->object);
	j->object = NULL;
	arena_free(&j->arena);
}

/* ---- bytes ---- */

/* Takes n octets, which are there, and counts their lines. */
static void
consume(struct import_input *in, size_t n)
{
	const char *p = in->p + in->from, *end = p + n;

	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		in->line++;
		p++;
	}
	in->from += n;
}

/* The octet at `at` beyond in->from: -1 at the end, -2 for an error. */
static int
look(struct import_input *in, size_t at)
{
	while (in->to - in->from <= at) {
		int more = import_input_more(in);

		if (more <= 0)
			return more == 0 ? -1 : -2;
	}
	return (unsigned char)in->p[in->from + at];
}

/* As look(), once blanks and commas are taken. */
static int
look_on(struct import_input *in)
{
	int c;

	while ((c = look(in, 0)) >= 0 && (str_is_space((char)c) || c == ','))
		consume(in, 1);
	return c;
}

/* A value as it goes by: where does it end? */
struct scan {
	unsigned depth;
	bool in_string, is_escaped, is_started;
};

enum step { STEP_ON, STEP_LAST, STEP_BEYOND };

static enum step
step_string(struct scan *s, int c)
{
	/* No string has a line end in it: this one was never closed. */
	if (c == '\n')
		return STEP_BEYOND;
	if (s->is_escaped)
		s->is_escaped = false;
	else if (c == '\\')
		s->is_escaped = true;
	else if (c == '"') {
		s->in_string = false;
		return s->depth == 0 ? STEP_LAST : STEP_ON;
	}
	return STEP_ON;
}

static enum step
step(struct scan *s, int c)
{
	bool was_started = s->is_started;

	if (s->in_string)
		return step_string(s, c);
	s->is_started = true;
	switch (c) {
	case '"':
		s->in_string = true;
		return STEP_ON;
	case '{':
	case '[':
		s->depth++;
		return STEP_ON;
	case '}':
	case ']':
		if (s->depth == 0)
			return STEP_BEYOND;
		return --s->depth == 0 ? STEP_LAST : STEP_ON;
	default:
		return s->depth == 0 && was_started &&
			(c == ',' || str_is_space((char)c))
		    ? STEP_BEYOND
		    : STEP_ON;
	}
}

enum found { FOUND, FOUND_LONG, FOUND_OPEN, FOUND_ERROR };

/* The length of the value at in->from + at, which is not taken. */
static enum found
find_value(struct import_input *in, size_t at, size_t *length)
{
	struct scan s = { 0 };
	size_t i = at;

	for (;; i++) {
		int c = look(in, i);
		enum step was;

		if (c == -2)
			return FOUND_ERROR;
		if (c == -1) {
			*length = i - at;
			return s.depth == 0 && !s.in_string ? FOUND
							    : FOUND_OPEN;
		}
		was = step(&s, c);
		if (was != STEP_ON) {
			*length = i - at + (was == STEP_LAST);
			return FOUND;
		}
		if (i >= IMPORT_RECORD_MAX)
			return FOUND_LONG;
	}
}

/* Takes a value of any length.  0, or -1 with errno. */
static int
skip_value(struct import_input *in)
{
	struct scan s = { 0 };
	int c;

	while ((c = look(in, 0)) >= 0) {
		enum step was = step(&s, c);

		if (was == STEP_BEYOND)
			return 0;
		consume(in, 1);
		if (was == STEP_LAST)
			return 0;
	}
	return c == -1 ? 0 : -1;
}

/* ---- structure ---- */

static bool
is_container(struct str name, char *normal, size_t size)
{
	import_name_normal(normal, size, name);
	for (size_t i = 0; i < sizeof(containers) / sizeof(containers[0]); i++)
		if (strcmp(containers[i], normal) == 0)
			return true;
	normal[0] = '\0';
	return false;
}

/*
 * The member at `at` of an object: its name, and where its value starts.  No
 * name: it is damaged or the object ends here.
 */
static bool
find_member(struct import_input *in, size_t at, struct str *name,
    size_t *value)
{
	size_t length;
	int c;

	while ((c = look(in, at)) >= 0 && (str_is_space((char)c) || c == ','))
		at++;
	if (c != '"' || at > IMPORT_RECORD_MAX ||
	    find_value(in, at, &length) != FOUND || length < 2)
		return false;
	*value = at + length;
	while ((c = look(in, *value)) >= 0 && (str_is_space((char)c) ||
		c == ':'))
		++*value;
	*name = str_make(in->p + in->from + at + 1, length - 2);
	return c >= 0;
}

/* Does the object at in->from have a list of records in it? */
static bool
has_container(struct import_input *in)
{
	char normal[64];
	struct str name;
	size_t at = 1, length;

	while (at < IMPORT_RECORD_MAX && find_member(in, at, &name, &at)) {
		if (look(in, at) == '[' &&
		    is_container(name, normal, sizeof(normal)))
			return true;
		if (find_value(in, at, &length) != FOUND)
			return false;
		at += length;
	}
	return false;
}

/* Inside an object with lists of records: goes on to the next list. */
static enum import_got
next_list(struct import_json *j, const char **cause)
{
	struct import_input *in = j->in;
	struct str name;
	size_t at;
	int c;

	while ((c = look_on(in)) >= 0 && c != '}') {
		if (!find_member(in, 0, &name, &at)) {
			*cause = "damaged: a name in quotes was expected";
			j->where = JSON_TOP;
			return skip_value(in) == 0 ? IMPORT_BAD : IMPORT_ERROR;
		}
		if (look(in, at) == '[' &&
		    is_container(name, j->container, sizeof(j->container))) {
			consume(in, at + 1);
			j->where = JSON_IN_LIST;
			j->has_object = true;
			return IMPORT_ROW;
		}
		consume(in, at);
		if (skip_value(in) != 0)
			return IMPORT_ERROR;
	}
	if (c == '}')
		consume(in, 1);
	j->where = JSON_TOP;
	return c == -2 ? IMPORT_ERROR : IMPORT_ROW;
}

/* ---- a record ---- */

static struct str
member_text(struct import_json *j, const json_t *v)
{
	struct str s = { "", 0 };
	size_t i;
	json_t *part;

	switch (json_typeof(v)) {
	case JSON_STRING:
		return str_make(json_string_value(v), json_string_length(v));
	case JSON_INTEGER:
		return arena_printf(j->arena, "%" PRId64,
		    (int64_t)json_integer_value(v));
	case JSON_REAL:
		return arena_printf(j->arena, "%.6f", json_real_value(v));
	case JSON_TRUE:
		return STR("true");
	case JSON_FALSE:
		return STR("false");
	case JSON_ARRAY:
		json_array_foreach (v, i, part)
			s = arena_printf(j->arena, "%.*s%s%.*s", STR_ARG(s),
			    i > 0 ? "," : "",
			    (int)json_string_length(part),
			    json_is_string(part) ? json_string_value(part)
						 : "");
		return s;
	default:
		return s;
	}
}

static enum import_got
read_record(struct import_json *j, struct str text, struct import_object *out,
    const char **cause)
{
	json_error_t error;
	json_t *object, *value;
	void *at;

	json_decref(j->object);
	arena_reset(j->arena);
	j->object = object = json_loadb(text.p, text.n,
	    JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	out->n = 0;
	if (object == NULL) {
		*cause = arena_cstr(j->arena,
		    arena_printf(j->arena, "damaged JSON: %s", error.text));
		return IMPORT_BAD;
	}
	if (json_is_string(object)) {
		out->v[out->n++] = (struct import_member){
			.name = STR(""),
			.value = member_text(j, object),
		};
		return IMPORT_ROW;
	}
	if (!json_is_object(object)) {
		*cause = "neither an object nor a string";
		return IMPORT_BAD;
	}
	for (at = json_object_iter(object);
	     at != NULL && out->n < IMPORT_FIELDS_MAX;
	     at = json_object_iter_next(object, at)) {
		value = json_object_iter_value(at);
		out->v[out->n++] = (struct import_member){
			.name = str_from(json_object_iter_key(at)),
			.value = member_text(j, value),
		};
	}
	return IMPORT_ROW;
}

/* The value at in->from as a record. */
static enum import_got
take_record(struct import_json *j, struct import_object *out,
    const char **cause)
{
	struct import_input *in = j->in;
	enum import_got got;
	size_t length;

	j->number++;
	switch (find_value(in, 0, &length)) {
	case FOUND:
		out->text = str_make(in->p + in->from, length);
		got = read_record(j, out->text, out, cause);
		if (length == 0)
			length = in->to > in->from; /* a bracket too many */
		consume(in, length);
		return got;
	case FOUND_ERROR:
		return IMPORT_ERROR;
	case FOUND_OPEN:
		*cause = "the file ends within a record";
		break;
	default:
		*cause = "longer than 64 KiB";
		break;
	}
	out->text = str_make(in->p + in->from,
	    in->to - in->from < 200 ? in->to - in->from : 200);
	/* Its text is borrowed, so what follows is dropped at the next call. */
	j->skip = true;
	return IMPORT_BAD;
}

static enum import_got
at_top(struct import_json *j, int c, struct import_object *out,
    const char **cause, bool *is_record)
{
	*is_record = false;
	if (c == '[') {
		consume(j->in, 1);
		j->where = JSON_IN_LIST;
		j->has_object = false;
		j->container[0] = '\0';
		return IMPORT_ROW;
	}
	if (c == '{' && has_container(j->in)) {
		consume(j->in, 1);
		j->where = JSON_IN_OBJECT;
		return IMPORT_ROW;
	}
	j->container[0] = '\0';
	*is_record = true;
	return take_record(j, out, cause);
}

enum import_got
import_json_next(struct import_json *j, struct import_object *out,
    uint64_t *line, const char **cause)
{
	bool is_record;
	enum import_got got;
	int c;

	out->n = 0;
	out->text = str_make("", 0);
	if (j->skip && skip_value(j->in) != 0)
		return IMPORT_ERROR;
	j->skip = false;
	for (;;) {
		c = look_on(j->in);
		*line = j->in->line;
		if (c < 0)
			return c == -1 ? IMPORT_END : IMPORT_ERROR;
		if (j->where == JSON_IN_LIST && c != ']')
			return take_record(j, out, cause);
		if (j->where == JSON_IN_LIST) {
			consume(j->in, 1);
			j->where = j->has_object ? JSON_IN_OBJECT : JSON_TOP;
			continue;
		}
		if (j->where == JSON_IN_OBJECT)
			got = next_list(j, cause), is_record = false;
		else
			got = at_top(j, c, out, cause, &is_record);
		if (is_record || got != IMPORT_ROW)
			return got;
	}
}
