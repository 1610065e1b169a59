/*
 * settings_lex.c - words, strings and braces of a settings file.  Strict where
 * libconfuse is generous.
 */
#include "bulkhead/settings_lex.h"

#define STRING_MAX 4096

static char
peek(const struct lexer *lx, size_t ahead)
{
	return ahead < lx->in.n - lx->i ? lx->in.p[lx->i + ahead] : '\0';
}

static bool
at_end(const struct lexer *lx)
{
	return lx->i >= lx->in.n;
}

/* One byte goes to the text: as it is, or blanked. */
static void
take(struct lexer *lx, bool blank)
{
	char c = lx->in.p[lx->i++];

	if (c == '\n')
		lx->line++;
	else if (blank || c == '\r')
		c = ' ';
	buf_char(lx->text, c);
}

void
lex_blank(struct buf *text, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < text->n; i++)
		if (text->p[i] != '\n')
			text->p[i] = ' ';
}

static struct settings_pos
here(const struct lexer *lx)
{
	return (struct settings_pos){ lx->file, lx->line };
}

/* From slash-star to star-slash; -1 when it has no end. */
static int
skip_block(struct lexer *lx)
{
	struct settings_pos pos = here(lx);

	take(lx, true);
	take(lx, true);
	while (!at_end(lx)) {
		if (peek(lx, 0) == '*' && peek(lx, 1) == '/') {
			take(lx, true);
			take(lx, true);
			return 0;
		}
		take(lx, true);
	}
	settings_error(lx->report, pos,
	    "the comment that starts here has no end: write */ behind it");
	return -1;
}

static void
skip_line(struct lexer *lx)
{
	while (!at_end(lx) && peek(lx, 0) != '\n')
		take(lx, true);
}

/* Blanks and comments; -1 when a comment has no end. */
static int
skip_blanks(struct lexer *lx)
{
	if (lx->i == 0 && str_starts(lx->in, STR("\xef\xbb\xbf")))
		for (int k = 0; k < 3; k++)
			take(lx, true);
	while (!at_end(lx)) {
		char c = peek(lx, 0);

		if (str_is_space(c))
			take(lx, false);
		else if (c == '#' || (c == '/' && peek(lx, 1) == '/'))
			skip_line(lx);
		else if (c != '/' || peek(lx, 1) != '*')
			break;
		else if (skip_block(lx) != 0)
			return -1;
	}
	return 0;
}

static bool
is_word_char(char c)
{
	return str_is_alpha(c) || str_is_digit(c) ||
	    (c != '\0' && strchr("._:/@-", c) != NULL);
}

static bool
ends_word(char c)
{
	return str_is_space(c) || (c != '\0' && strchr("{}=,()\"'#", c));
}

/* Says of the first byte that may not stand in a word why it may not. */
static void
complain_of_word(struct lexer *lx, struct settings_pos pos, struct str word)
{
	size_t i = 0;

	while (is_word_char(word.p[i]))
		i++;
	if (word.p[i] == ';')
		settings_error(lx->report, pos, "a semicolon has no place "
		    "here: settings are separated by blanks or line ends");
	else if (word.p[i] == '+')
		settings_error(lx->report, pos, "\"+\" has no place here: "
		    "give the whole list once, and quote values that hold a "
		    "\"+\"");
	else
		settings_error(lx->report, pos, "\"%.*s\" must be quoted: only "
		    "letters, digits and . _ : / @ - may stand without quotes",
		    SETTINGS_SHOW(word));
}

static void
read_word(struct lexer *lx, struct lex_token *t)
{
	size_t start = lx->i;

	t->kind = LEX_WORD;
	while (!at_end(lx) && !ends_word(peek(lx, 0))) {
		t->bad |= !is_word_char(peek(lx, 0));
		take(lx, !is_word_char(peek(lx, 0)));
	}
	t->text = str_sub(lx->in, start, lx->i);
	if (t->bad)
		complain_of_word(lx, t->pos, t->text);
}

/* The byte behind a backslash; only the quote and the backslash are known. */
static void
check_escape(struct lexer *lx, struct lex_token *t, char quote)
{
	char c = peek(lx, 1);

	if (c == quote || c == '\\')
		return;
	if (!t->bad)
		settings_error(lx->report, t->pos, "a backslash in a string "
		    "stands only before \\ or %c: write \\\\ for one", quote);
	t->bad = true;
}

static void
check_string_char(struct lexer *lx, struct lex_token *t)
{
	char c = peek(lx, 0);
	const char *why = NULL;

	if (c == '$' && peek(lx, 1) == '{')
		why = "\"${\" in a string: settings do not read the "
		    "environment, write the value itself";
	else if ((unsigned char)c < ' ' || c == 0x7f)
		why = "a control character in a string: leave it out";
	if (why != NULL && !t->bad)
		settings_error(lx->report, t->pos, "%s", why);
	t->bad |= why != NULL;
}

static struct str
unescape(struct arena *a, struct str raw)
{
	size_t n = 0;
	char *to;

	if (str_chr(raw, '\\', 0) == raw.n)
		return raw;
	to = arena_bytes(a, raw.n);
	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] == '\\' && i + 1 < raw.n)
			i++;
		to[n++] = raw.p[i];
	}
	return str_make(to, n);
}

static void
read_string(struct lexer *lx, struct lex_token *t)
{
	char quote = peek(lx, 0);
	struct str raw;
	size_t start;

	t->kind = LEX_STRING;
	take(lx, false);
	start = lx->i;
	while (!at_end(lx) && peek(lx, 0) != '\n' && peek(lx, 0) != quote) {
		check_string_char(lx, t);
		if (peek(lx, 0) == '\\') {
			check_escape(lx, t, quote);
			take(lx, false);
			if (at_end(lx) || peek(lx, 0) == '\n')
				break;
		}
		take(lx, false);
	}
	raw = str_sub(lx->in, start, lx->i);
	if (at_end(lx) || peek(lx, 0) != quote) {
		settings_error(lx->report, t->pos, "the string that starts "
		    "here is not closed in its line: write %c behind it",
		    quote);
		t->kind = LEX_BROKEN;
		return;
	}
	take(lx, false);
	t->text = unescape(lx->arena, raw);
	if (raw.n <= STRING_MAX)
		return;
	settings_error(lx->report, t->pos,
	    "a string of %zu octets: %d are the most", raw.n, STRING_MAX);
	t->bad = true;
}

struct lex_token
lex_next(struct lexer *lx)
{
	struct lex_token t = { 0 };
	int rc = skip_blanks(lx);

	t.pos = here(lx);
	t.from = lx->text->n;
	if (rc != 0) {
		t.kind = LEX_BROKEN;
	} else if (lx->text->failed) {
		settings_error(lx->report, t.pos,
		    "more than 16 MiB of settings: split them over servers");
		t.kind = LEX_BROKEN;
	} else if (at_end(lx)) {
		t.kind = LEX_END;
	} else if (peek(lx, 0) == '"' || peek(lx, 0) == '\'') {
		read_string(lx, &t);
	} else if (!ends_word(peek(lx, 0))) {
		read_word(lx, &t);
	} else {
		t.kind = LEX_PUNCT;
		t.c = peek(lx, 0);
		take(lx, false);
		t.text = str_sub(lx->in, lx->i - 1, lx->i);
	}
	return t;
}
