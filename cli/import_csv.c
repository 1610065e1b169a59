/*
 * import_csv.c - records of fields apart by commas, semicolons or tabs (RFC
 * 4180).  A quote that is never closed costs its own line, not the file.
 */
#include "cli/import.h"

#include <errno.h>

/* One field less its delimiter: from *at of the record on, false at its end. */
static bool
take_plain(struct str record, size_t *at, char delimiter, struct str *field)
{
	const char *end =
	    memchr(record.p + *at, delimiter, record.n - *at);
	size_t to = end != NULL ? (size_t)(end - record.p) : record.n;

	*field = str_make(record.p + *at, to - *at);
	*at = to + 1;
	return end != NULL;
}

static size_t
skip_blanks(struct str record, size_t at, char delimiter)
{
	while (at < record.n && record.p[at] != delimiter &&
	    (record.p[at] == ' ' || record.p[at] == '\t'))
		at++;
	return at;
}

/* Where the quoted field whose quote is at `at` closes; record.n: nowhere. */
static size_t
find_close(struct str record, size_t at)
{
	at++;
	while (at < record.n) {
		const char *q = memchr(record.p + at, '"', record.n - at);

		if (q == NULL)
			return record.n;
		at = (size_t)(q - record.p);
		if (at + 1 >= record.n || record.p[at + 1] != '"')
			return at;
		at += 2;
	}
	return record.n;
}

/* Takes doubled quotes out of text, in place: the input's own buffer. */
static struct str
unquote(struct import_input *in, struct str text)
{
	char *p = in->p + (text.p - in->p);
	size_t n = 0;

	if (text.n == 0 || memchr(text.p, '"', text.n) == NULL)
		return text;
	for (size_t i = 0; i < text.n; i++) {
		p[n++] = text.p[i];
		if (text.p[i] == '"')
			i++;
	}
	return str_make(p, n);
}

enum cut { CUT_DONE, CUT_OPEN, CUT_MANY, CUT_DAMAGED };

/*
 * A field over several lines that ends in the midst of text: the quote that
 * seems to close it opens another one.
 */
static bool
is_damaged(struct str record, size_t close, struct str field, char delimiter)
{
	size_t next = skip_blanks(record, close + 1, delimiter);

	return next < record.n && record.p[next] != delimiter &&
	    memchr(field.p, '\n', field.n) != NULL;
}

/*
 * Cuts a record into fields.  CUT_OPEN: a quote is not closed in it.
 * CUT_DAMAGED: nor will it be in what follows.
 */
static enum cut
cut_fields(struct import_input *in, struct str record, char delimiter,
    struct import_fields *out, bool for_real)
{
	size_t at = 0;
	bool more = true;

	out->n = 0;
	while (more) {
		size_t start = skip_blanks(record, at, delimiter);
		size_t close;
		struct str field;

		if (out->n == IMPORT_FIELDS_MAX)
			return CUT_MANY;
		if (start >= record.n || record.p[start] != '"') {
			more = take_plain(record, &at, delimiter, &field);
			out->v[out->n++] = str_trim(field);
			continue;
		}
		close = find_close(record, start);
		if (close == record.n)
			return CUT_OPEN;
		field = str_sub(record, start + 1, close);
		if (is_damaged(record, close, field, delimiter))
			return CUT_DAMAGED;
		out->v[out->n++] = for_real ? unquote(in, field) : field;
		/* What follows a closing quote belongs to nothing. */
		at = close + 1;
		more = take_plain(record, &at, delimiter, &field);
	}
	return CUT_DONE;
}

/*
 * The record that starts at in->from and goes on to *end, a line end; more
 * lines while a quote is open.
 */
static enum import_got
find_record(struct import_input *in, char delimiter, struct import_fields *out,
    size_t *length, uint64_t *nlines)
{
	size_t seen = *length;

	for (;;) {
		const char *lf = in->to - in->from > seen
		    ? memchr(in->p + in->from + seen, '\n',
			  in->to - in->from - seen)
		    : NULL;
		struct str record;

		if (lf == NULL && !in->is_eof) {
			if (in->to - in->from > IMPORT_RECORD_MAX)
				return IMPORT_BAD;
			if (import_input_more(in) < 0)
				return IMPORT_ERROR;
			continue;
		}
		*length = lf != NULL ? (size_t)(lf - in->p) - in->from
				     : in->to - in->from;
		if (*length > IMPORT_RECORD_MAX)
			return IMPORT_BAD;
		record = str_make(in->p + in->from, *length);
		if (record.n > 0 && record.p[record.n - 1] == '\r')
			record.n--;
		++*nlines;
		switch (cut_fields(in, record, delimiter, out, false)) {
		case CUT_DONE:
		case CUT_MANY:
			return IMPORT_ROW;
		case CUT_OPEN:
			if (lf != NULL)
				break; /* it may go on on the next line */
			return IMPORT_BAD;
		case CUT_DAMAGED:
			return IMPORT_BAD;
		}
		seen = *length + 1;
	}
}

/* A record with quotes in it, which may be of several lines. */
static enum import_got
quoted_record(struct import_input *in, char delimiter,
    struct import_fields *out, const char **cause)
{
	size_t length = 0;
	uint64_t nlines = 0;
	enum import_got got = find_record(in, delimiter, out, &length, &nlines);
	struct str record;

	if (got == IMPORT_ERROR)
		return got;
	if (got == IMPORT_BAD) {
		*cause = "a quote is opened and not closed";
		got = import_input_line(in, &record);
		out->n = 1;
		out->v[0] = record;
		return got == IMPORT_ROW ? IMPORT_BAD : got;
	}
	record = str_make(in->p + in->from, length);
	in->from += length + (in->from + length < in->to);
	in->line += nlines;
	if (record.n > 0 && record.p[record.n - 1] == '\r')
		record.n--;
	if (cut_fields(in, record, delimiter, out, true) == CUT_MANY) {
		*cause = "more than 256 fields";
		return IMPORT_BAD;
	}
	return IMPORT_ROW;
}

/* The first line that is there, wholly in memory, has no quote. */
static bool
is_plain(struct import_input *in)
{
	size_t n = in->to - in->from;
	const char *lf = n > 0 ? memchr(in->p + in->from, '\n', n) : NULL;

	return lf != NULL &&
	    memchr(in->p + in->from, '"', (size_t)(lf - in->p) - in->from) ==
	    NULL;
}

enum import_got
import_csv_next(struct import_input *in, char delimiter,
    struct import_fields *out, uint64_t *line, const char **cause)
{
	struct str record;
	enum import_got got;

	out->n = 0;
	*line = in->line;
	if (in->from == in->to && import_input_more(in) < 0)
		return IMPORT_ERROR;
	if (in->from == in->to)
		return IMPORT_END;
	if (!is_plain(in))
		return quoted_record(in, delimiter, out, cause);
	got = import_input_line(in, &record);
	if (got == IMPORT_BAD)
		*cause = "longer than 64 KiB";
	if (got != IMPORT_ROW || record.n == 0)
		return got;
	if (cut_fields(in, record, delimiter, out, true) == CUT_MANY) {
		*cause = "more than 256 fields";
		return IMPORT_BAD;
	}
	return IMPORT_ROW;
}
