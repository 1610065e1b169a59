/*
 * mime_part.c - what the fields of a part say about it.  Where the part is, is
 * found in mime.c.
 */
#include "mail/mime.h"

#include "mail/mime_private.h"

/* A token character of RFC 2045. */
static bool
is_token_char(char c)
{
	return c > ' ' && c < 127 && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

static size_t
skip_token(struct str s, size_t at)
{
	while (at < s.n && is_token_char(s.p[at]))
		at++;
	return at;
}

/* Past blanks and comments. */
static size_t
skip_cfws(struct str s, size_t at)
{
	size_t depth = 0;

	for (; at < s.n; at++) {
		if (s.p[at] == '(')
			depth++;
		else if (depth > 0 && s.p[at] == ')')
			depth--;
		else if (depth > 0 && s.p[at] == '\\')
			at++;
		else if (depth == 0 && !str_is_space(s.p[at]))
			return at;
	}
	return s.n;
}

/* "type/subtype", lower-cased; false when the value does not begin so. */
static bool
parse_type(struct arena *a, struct str value, struct str *out)
{
	size_t from = skip_cfws(value, 0), to = skip_token(value, from);
	size_t slash = skip_cfws(value, to);
	size_t sub = skip_cfws(value, slash + 1), end = skip_token(value, sub);

	if (to == from || slash >= value.n || value.p[slash] != '/' ||
	    end == sub)
		return false;
	if (end < value.n && !str_is_space(value.p[end]) &&
	    strchr(";,(", value.p[end]) == NULL)
		return false;
	*out = arena_lower(a, arena_printf(a, "%.*s/%.*s",
	    (int)(to - from), value.p + from, (int)(end - sub),
	    value.p + sub));
	return true;
}

/* A parameter that is one word: without what stands behind a blank. */
static struct str
word_param(struct arena *a, struct str value, struct str name)
{
	struct str s, word;
	size_t n = 0;

	if (!mime_param(a, value, name, &s))
		return STR("");
	word = str_trim(s);
	while (n < word.n && !str_is_space(word.p[n]))
		n++;
	return arena_lower(a, str_sub(word, 0, n));
}

static bool
has_param(struct arena *a, struct str value, struct str name)
{
	struct str s;

	return mime_param(a, value, name, &s) && s.n > 0;
}

bool
mime_is_multipart(const struct mime_part *p)
{
	return str_starts(p->type, STR("multipart/"));
}

/* RFC 2046 section 5.1.1: a boundary never ends with a blank. */
static struct str
boundary_param(struct arena *a, struct str value)
{
	struct str s;

	if (!mime_param(a, value, STR("boundary"), &s))
		return STR("");
	while (s.n > 0 && str_is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

static void
describe_type(struct arena *a, const struct mime_fields *f, struct mime_part *p)
{
	if (f->has_type && !parse_type(a, f->type, &p->type)) {
		p->faults |= MIME_BAD_TYPE;
		p->type = STR("text/plain");
	}
	p->charset = word_param(a, f->type, STR("charset"));
	if (!mime_is_multipart(p))
		return;
	p->boundary = boundary_param(a, f->type);
	if (p->boundary.n == 0)
		p->faults |= MIME_NO_BOUNDARY;
}

/* Python's email, for one, compares the whole value with the name. */
static bool
is_coding_unclear(const struct mime_fields *f, enum coding coding)
{
	return f->is_coding_spaced || (coding >= CODING_QP &&
	    !str_ieq(str_trim(f->coding), str_from(coding_name(coding))));
}

void
mime_describe(struct arena *a, const struct mime_fields *f,
    struct mime_part *p)
{
	size_t word = skip_cfws(f->disposition, 0);

	p->faults |= f->faults;
	p->charset = p->boundary = STR("");
	describe_type(a, f, p);
	p->coding = coding_parse(f->coding);
	p->is_coding_unclear = is_coding_unclear(f, p->coding);
	if (p->coding == CODING_UNKNOWN)
		p->faults |= MIME_BAD_CODING;
	if ((p->coding == CODING_QP || p->coding == CODING_BASE64) &&
	    (mime_is_multipart(p) || str_starts(p->type, STR("message/"))))
		p->faults |= MIME_CODED_MULTIPART;
	p->is_attachment = str_ieq(STR("attachment"), str_sub(f->disposition,
	    word, skip_token(f->disposition, word)));
	p->has_filename = has_param(a, f->disposition, STR("filename")) ||
	    has_param(a, f->type, STR("name"));
}

bool
mime_note_field(struct mime_fields *f, struct str name, struct str value)
{
	if (str_ieq(name, STR("Content-Type"))) {
		if (f->has_type)
			f->faults |= MIME_DUPLICATE_TYPE;
		else
			f->type = value;
		f->has_type = true;
	} else if (str_ieq(name, STR("Content-Disposition"))) {
		if (!f->has_disposition)
			f->disposition = value;
		f->has_disposition = true;
	} else if (str_ieq(name, STR("Content-Transfer-Encoding"))) {
		if (f->has_coding)
			f->faults |= MIME_DUPLICATE_CODING;
		else
			f->coding = value;
		f->has_coding = true;
		return !(f->faults & MIME_DUPLICATE_CODING);
	}
	return false;
}
