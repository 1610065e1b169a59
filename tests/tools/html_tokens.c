/*
 * html_tokens.c - prints what the HTML tokenizer finds, for tests in other
 * languages.  It tests nothing itself.
 *
 * Reads lines "STATE LASTSTART TEXT", the last two in hexadecimal, '-' for an
 * empty one; STATE is data, rcdata, rawtext, script, plaintext, or mail (all
 * that html_init() follows).  Prints an array of tokens for each line, in
 * JSON; names, values and comments in hexadecimal with the standard's input
 * preprocessing (CR LF is LF, NUL is U+FFFD) done afterwards.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "mail/html.h"

#define MAX_TEXT (64 * 1024 * 1024)

static struct str
from_hex(struct arena *a, const char *hex)
{
	size_t n = strlen(hex) / 2;
	char *p = malloc(n ? n : 1); /* exact, for the address sanitizer */

	if (p == NULL)
		abort();
	arena_on_free(a, free, p);
	if (strcmp(hex, "-") == 0)
		return str_make(p, 0);
	for (size_t i = 0; i < n; i++)
		p[i] = (char)(str_hex(hex[2 * i]) << 4 |
		    str_hex(hex[2 * i + 1]));
	return str_make(p, n);
}

static void
print_hex(const char *key, struct str s)
{
	printf("\"%s\": \"", key);
	for (size_t i = 0; i < s.n; i++)
		printf("%02x", (unsigned char)s.p[i]);
	putchar('"');
}

static struct str
preprocess(struct buf *b, struct str s)
{
	buf_clear(b);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\0')
			buf_puts(b, "\357\277\275");
		else if (s.p[i] != '\r')
			buf_char(b, s.p[i]);
		else if (i + 1 == s.n || s.p[i + 1] != '\n')
			buf_char(b, '\n');
	}
	return buf_view(b);
}

static void
print_attr(const struct html_attr *attr, struct buf *b)
{
	struct buf value;

	printf("{");
	print_hex("name", preprocess(b, attr->name));
	buf_init(&value, MAX_TEXT);
	html_decode_attr(preprocess(b, attr->value), &value);
	printf(", ");
	print_hex("value", buf_view(&value));
	buf_free(&value);
	printf(", \"at\": %zu, \"value_at\": %zu, \"end\": %zu, "
	    "\"duplicate\": %s}", attr->at, attr->value_at, attr->end,
	    attr->is_duplicate ? "true" : "false");
}

static void
print_token(const struct html_token *t, struct buf *b)
{
	static const char *const kinds[] = { "start", "end", "comment" };

	printf("{\"kind\": \"%s\", \"at\": %zu, \"end\": %zu, "
	    "\"self_closing\": %s, \"conditional\": %s, ",
	    kinds[t->kind], t->at, t->end, t->self_closing ? "true" : "false",
	    t->in_conditional ? "true" : "false");
	print_hex("name", preprocess(b, t->name));
	printf(", ");
	print_hex("text", preprocess(b, t->text));
	printf(", \"attrs\": [");
	for (size_t i = 0; i < t->nattrs; i++) {
		if (i > 0)
			printf(", ");
		print_attr(&t->attrs[i], b);
	}
	printf("]}");
}

static void
start(struct html_lexer *l, const char *state, struct str last,
    struct str text)
{
	static const char *const names[] = { "data", "rcdata", "rawtext",
		"script", "plaintext" };

	html_init(l, text);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(state, names[i]) == 0)
			html_init_state(l, text, (enum html_state)i, last);
}

/* The next word of a line, NUL terminated in place. */
static const char *
word(char **line)
{
	char *start = *line + strspn(*line, " \n");
	size_t n = strcspn(start, " \n");

	*line = start + n + (start[n] != '\0');
	start[n] = '\0';
	return start;
}

static void
run(char *line, struct html_lexer *l, struct buf *b)
{
	struct arena *a = arena_new();
	struct html_token t;
	const char *state = word(&line), *last = word(&line);
	const char *text = word(&line);
	size_t n = 0;

	if (*text != '\0') {
		start(l, state, from_hex(a, last), from_hex(a, text));
		printf("[");
		while (html_next(l, &t)) {
			if (n++ > 0)
				printf(", ");
			print_token(&t, b);
		}
		printf("]\n");
	}
	arena_free(&a);
}

int
main(void)
{
	static struct html_lexer lexer;
	struct buf b;
	char *line = NULL;
	size_t size = 0;

	buf_init(&b, MAX_TEXT);
	while (getline(&line, &size, stdin) >= 0)
		run(line, &lexer, &b);
	free(line);
	buf_free(&b);
	return fflush(stdout) == 0 ? 0 : 1;
}
