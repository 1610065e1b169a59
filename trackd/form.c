/*
 * form.c - reads forms, of the two kinds that mail providers and browsers
 * send.
 */
#include "trackd/form.h"

#define BOUNDARY_MAX 200 /* RFC 2046 allows 70 */

#define LIST_UNSUBSCRIBE STR("List-Unsubscribe")

/* The fields that count; p NULL: not there. */
struct fields {
	struct str unsubscribe, scope, undo;
	size_t n; /* of all */
};

/* The first of a name counts. */
static void
add_field(struct fields *f, struct str name, struct str value)
{
	struct {
		struct str name;
		struct str *value;
	} const known[] = {
		{ LIST_UNSUBSCRIBE, &f->unsubscribe },
		{ STR("scope"), &f->scope },
		{ STR("undo"), &f->undo },
	};

	f->n++;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].value->p == NULL &&
		    str_ieq(str_trim(name), known[i].name)) {
			*known[i].value = str_trim(value);
			if (known[i].value->p == NULL)
				*known[i].value = STR("");
		}
}

/* "+" is a blank; a "%" that is no escape stands for itself. */
static struct str
decode(struct arena *a, struct str s)
{
	char *out = arena_bytes(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int high = i + 2 < s.n ? str_hex(s.p[i + 1]) : -1;
		int low = high >= 0 ? str_hex(s.p[i + 2]) : -1;

		if (s.p[i] == '%' && low >= 0) {
			out[n++] = (char)(high << 4 | low);
			i += 2;
		} else {
			out[n++] = s.p[i];
			if (s.p[i] == '+')
				out[n - 1] = ' ';
		}
	}
	return str_make(out, n);
}

static void
read_urlencoded(struct arena *a, struct str body, struct fields *f)
{
	size_t at = 0;

	while (at < body.n && f->n < FORM_FIELDS_MAX) {
		size_t end = str_chr(body, '&', at);
		struct str pair = str_sub(body, at, end);
		size_t equals = str_chr(pair, '=', 0);

		if (pair.n > 0)
			add_field(f, decode(a, str_sub(pair, 0, equals)),
			    decode(a, str_sub(pair, equals + 1, pair.n)));
		at = end + 1;
	}
}

/*
 * The value of a parameter, quoted or not, in "type; name=value; ..."; empty:
 * none.  Semicolons in quotes do not part.
 */
static struct str
parameter(struct arena *a, struct str field, struct str name)
{
	size_t at = str_chr(field, ';', 0);

	while (at < field.n) {
		size_t start = ++at, end, equals;
		bool is_quoted = false;

		for (; at < field.n && (is_quoted || field.p[at] != ';'); at++)
			if (field.p[at] == '"')
				is_quoted = !is_quoted;
			else if (field.p[at] == '\\' && is_quoted)
				at++;
		end = at < field.n ? at : field.n;
		equals = str_chr(field, '=', start);
		if (equals >= end || !str_ieq(name,
		    str_trim(str_sub(field, start, equals))))
			continue;
		field = str_trim(str_sub(field, equals + 1, end));
		if (field.n < 2 || field.p[0] != '"')
			return field;
		field = str_sub(field, 1, str_chr(field, '"', 1));
		return arena_copy(a, field);
	}
	return STR("");
}

/* Offset behind the line that ends at or after from. */
static size_t
line_end(struct str s, size_t from)
{
	size_t end = str_chr(s, '\n', from);

	return end < s.n ? end + 1 : s.n;
}

/*
 * The next line at or after from that begins with the delimiter, where s
 * itself begins or behind a line's end; s.n: none.
 */
static size_t
find_delimiter(struct str s, struct str delimiter, size_t from)
{
	for (;;) {
		size_t at = str_find(s, delimiter, from);

		if (at >= s.n || at == 0 || s.p[at - 1] == '\n')
			return at;
		from = at + 1;
	}
}

/* Header fields up to an empty line, then the value. */
static void
read_part(struct arena *a, struct str part, struct fields *f)
{
	size_t at = 0;
	struct str name = STR("");

	while (at < part.n) {
		size_t end = line_end(part, at);
		struct str line = str_trim(str_sub(part, at, end));

		at = end;
		if (line.n == 0)
			break;
		if (str_istarts(line, STR("Content-Disposition:")))
			name = parameter(a, line, STR("name"));
	}
	add_field(f, name, str_sub(part, at, part.n));
}

/* False: nothing in it is a part. */
static bool
read_multipart(struct arena *a, struct str boundary, struct str body,
    struct fields *f)
{
	struct str delimiter, all[] = { STR("--"), boundary };
	size_t at;

	if (boundary.n == 0 || boundary.n > BOUNDARY_MAX)
		return false;
	delimiter = arena_join(a, all, 2);
	at = find_delimiter(body, delimiter, 0);
	while (at < body.n && f->n < FORM_FIELDS_MAX) {
		size_t start = at + delimiter.n, end;

		if (str_starts(str_sub(body, start, body.n), STR("--")))
			break;
		start = line_end(body, start);
		end = find_delimiter(body, delimiter, start);
		if (start < end)
			read_part(a, str_sub(body, start, end), f);
		at = end;
	}
	return f->n > 0;
}

/* Senders that leave the parameter out begin the body with the boundary. */
static struct str
boundary_of(struct arena *a, struct str content_type, struct str body)
{
	struct str boundary = parameter(a, content_type, STR("boundary"));
	struct str line = str_trim(str_sub(body, 0, line_end(body, 0)));

	if (boundary.n == 0 && str_starts(line, STR("--")))
		boundary = str_sub(line, 2, line.n);
	return boundary;
}

static enum form_what
what_of(const struct fields *f)
{
	if (f->undo.n > 0)
		return FORM_UNDO;
	if (str_ieq(f->unsubscribe, STR("One-Click")))
		return FORM_ONE_CLICK;
	if (!str_ieq(f->unsubscribe, STR("page")))
		return FORM_OTHER;
	if (f->scope.n == 0 || str_ieq(f->scope, STR("list")) ||
	    str_ieq(f->scope, STR("domain")))
		return FORM_PAGE;
	return FORM_OTHER;
}

void
form_read(struct arena *a, struct str content_type, struct str body,
    struct form *out)
{
	struct str type = str_trim(str_sub(content_type, 0,
	    str_chr(content_type, ';', 0)));
	struct fields f = { .n = 0 };
	bool is_read = true;

	*out = (struct form){ .what = FORM_EMPTY };
	if (str_trim(body).n == 0)
		return;
	if (str_ieq(str_trim(body), STR("List-Unsubscribe=One-Click"))) {
		out->what = FORM_ONE_CLICK;
		return;
	}
	if (str_ieq(type, STR("multipart/form-data")))
		is_read = read_multipart(a,
		    boundary_of(a, content_type, body), body, &f);
	else if (type.n == 0 ||
	    str_ieq(type, STR("application/x-www-form-urlencoded")))
		read_urlencoded(a, body, &f);
	else
		is_read = false;
	out->what = is_read ? what_of(&f) : FORM_UNREADABLE;
	out->is_domain = str_ieq(f.scope, STR("domain"));
	out->stamp = f.undo;
}
