/*
 * header_text.c - reads header blocks and writes field values as the wire
 * wants them.  What fields mean is not known here.
 */
#include "mail/header.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_name_char(char c)
{
	return c > ' ' && c < 127 && c != ':';
}

bool
header_name_ok(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!is_name_char(name.p[i]))
			return false;
	return name.n != 0;
}

size_t
header_name_length(struct str line, size_t *value)
{
	size_t n = 0, i;

	while (n < line.n && is_name_char(line.p[n]))
		n++;
	for (i = n; i < line.n && is_blank(line.p[i]); i++)
		;
	if (n == 0 || i == line.n || line.p[i] != ':')
		return 0;
	*value = i + 1;
	return n;
}

struct str
header_unfold(struct arena *a, struct str value)
{
	char *out = arena_bytes(a, value.n);
	size_t n = 0;

	for (size_t i = 0; i < value.n;) {
		size_t keep = i;

		if (!str_is_space(value.p[i])) {
			out[n++] = value.p[i++];
			continue;
		}
		for (; i < value.n && str_is_space(value.p[i]); i++)
			if (!is_blank(value.p[i]))
				keep = i + 1;
		memcpy(out + n, value.p + keep, i - keep);
		n += i - keep;
	}
	return str_trim(str_make(out, n));
}

/* The next line of text from *at on, without its end; *at moves behind it. */
static struct str
next_line(struct str text, size_t *at)
{
	size_t from = *at, lf = str_chr(text, '\n', from);
	size_t to = lf;

	*at = lf < text.n ? lf + 1 : lf;
	if (lf < text.n && to > from && text.p[to - 1] == '\r')
		to--;
	return str_sub(text, from, to);
}

/* One line of a value: what cannot be sent is left out.  Returns its end. */
static char *
wire_line(char *out, struct str line, bool is_first)
{
	size_t i = 0;

	while (line.n > 0 && str_is_space(line.p[line.n - 1]))
		line.n--;
	while (is_first && i < line.n && str_is_space(line.p[i]))
		i++;
	if (is_first)
		*out++ = ' ';
	else if (!is_blank(line.p[0]))
		*out++ = '\t';
	for (; i < line.n; i++)
		if (line.p[i] != '\r' && line.p[i] != '\0')
			*out++ = line.p[i];
	return out;
}

static bool
has_text(struct str line)
{
	for (size_t i = 0; i < line.n; i++)
		if (!str_is_space(line.p[i]) && line.p[i] != '\0')
			return true;
	return false;
}

/*
 * Folds lines that are too long at the last blank that is not, else at the
 * next one; column is where the text begins in its first line.
 */
static struct str
fold_long(struct arena *a, size_t column, struct str in)
{
	char *out = arena_bytes(a, in.n * 2);
	size_t n = 0, done = 0, blank = 0;
	bool has_word = false;

	for (size_t i = 0; i < in.n; i++, column++) {
		if (in.p[i] == '\n') {
			column = (size_t)-1; /* the next octet is column 0 */
			blank = 0;
			has_word = false;
		} else if (is_blank(in.p[i])) {
			if (has_word &&
			    (blank == 0 || column < HEADER_LINE_MAX))
				blank = i;
		} else if (column >= HEADER_LINE_MAX && blank != 0) {
			memcpy(out + n, in.p + done, blank - done);
			n += blank - done;
			out[n++] = '\n';
			done = blank;
			column = i - blank;
			blank = 0;
		} else {
			has_word = true;
		}
	}
	memcpy(out + n, in.p + done, in.n - done);
	return str_make(out, n + in.n - done);
}

struct str
header_wire_value(struct arena *a, size_t name_len, struct str value)
{
	char *out = arena_bytes(a, value.n * 2 + 1), *end = out;
	struct str wire;
	size_t at = 0;

	while (at < value.n) {
		struct str line = next_line(value, &at);

		if (!has_text(line))
			continue;
		if (end != out)
			*end++ = '\n';
		end = wire_line(end, line, end == out);
	}
	if (end == out)
		*end++ = ' ';
	wire = str_make(out, (size_t)(end - out));
	if (name_len + 1 + wire.n <= HEADER_LINE_MAX)
		return wire;
	return fold_long(a, name_len + 1, wire);
}

/* The value in [from, to) of text with LF line ends. */
static struct str
value_text(struct arena *a, struct str text, size_t from, size_t to)
{
	struct str raw = str_sub(text, from, to);
	char *out;
	size_t n = 0;

	if (str_find(raw, STR("\r\n"), 0) == raw.n)
		return raw;
	out = arena_bytes(a, raw.n);
	for (size_t i = 0; i < raw.n; i++)
		if (raw.p[i] != '\r' || i + 1 == raw.n || raw.p[i + 1] != '\n')
			out[n++] = raw.p[i];
	return str_make(out, n);
}

/* Passes over an mbox line at the top. */
static size_t
mbox_line(struct str text)
{
	size_t i = 0;

	while (i < text.n && text.p[i] == '>')
		i++;
	if (!str_starts(str_sub(text, i, text.n), STR("From ")))
		return 0;
	next_line(text, &i);
	return i;
}

int
headers_parse(struct headers *h, struct str text, size_t *body)
{
	size_t at = mbox_line(text);

	while (at < text.n) {
		size_t from = at, value = 0, name_len, end;
		struct str line = next_line(text, &at);

		*body = line.n == 0 ? at : from;
		if (line.n == 0)
			return 0;
		name_len = header_name_length(line, &value);
		if (name_len == 0)
			return -1;
		end = from + line.n;
		while (at < text.n && is_blank(text.p[at])) {
			end = at;
			end += next_line(text, &at).n;
		}
		headers_append(h, str_sub(text, from, from + name_len),
		    value_text(h->arena, text, from + value, end));
	}
	*body = text.n;
	return -1;
}
