/*
 * mime_tree.c - prints the parts of messages, one message a line, to compare
 * them with other parsers.  It is a test of lib/mail, not a program for users.
 *
 * FILE TAB faults TAB part,part,...   (see README.md in tests/corpus)
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/hash.h"
#include "mail/mime.h"

#define MAX_MESSAGE (64 * 1024 * 1024)
#define MAX_TREE (1024 * 1024)
#define MAX_NESTING 16

struct tree {
	struct arena *arena;
	struct buf parts, faults;
};

static void
print_message(struct tree *t, struct str text, unsigned nesting);

/* The coding as it is spelled, without blanks. */
static void
print_coding(struct tree *t, struct str value)
{
	for (size_t i = 0; i < value.n; i++)
		if (!str_is_space(value.p[i]))
			buf_char(&t->parts, str_lower(value.p[i]));
}

static void
print_leaf(struct tree *t, const struct mime_part *p, struct str coding,
    struct str raw)
{
	unsigned char hash[SHA256_SIZE];
	struct coded c;

	if (coded_open(&c, t->arena, p->coding, raw) != 0 &&
	    p->coding != CODING_UNKNOWN)
		buf_puts(&t->faults, "undecodable part;");
	hash_sha256(c.text, hash);
	buf_char(&t->parts, '|');
	print_coding(t, coding);
	buf_printf(&t->parts, "|%.*s|%zu|%02x%02x%02x%02x", STR_ARG(p->charset),
	    c.text.n, hash[0], hash[1], hash[2], hash[3]);
}

static bool
has_children(const struct mime *m, size_t i)
{
	return i + 1 < m->n && m->v[i + 1].parent == i;
}

static void
print_part(struct tree *t, const struct mime *m, size_t i, struct str body,
    struct str coding, unsigned nesting)
{
	const struct mime_part *p = &m->v[i];
	struct str raw = str_sub(body, p->body, p->end);

	for (unsigned bit = 1; bit <= MIME_CODED_MULTIPART; bit <<= 1)
		if (p->faults & bit)
			buf_printf(&t->faults, "%s;", mime_fault_text(bit));
	if (t->parts.n > 0)
		buf_char(&t->parts, ',');
	buf_str(&t->parts, p->type);
	if (has_children(m, i))
		return;
	if (str_starts(p->type, STR("message/")) && nesting < MAX_NESTING)
		print_message(t, raw, nesting + 1);
	else
		print_leaf(t, p, coding, raw);
}

static void
print_message(struct tree *t, struct str text, unsigned nesting)
{
	struct headers h;
	struct header *f;
	struct mime m;
	struct str body;
	size_t at = 0;

	headers_init(&h, t->arena);
	headers_parse(&h, text, &at);
	body = str_sub(text, at, text.n);
	mime_scan(&m, t->arena, &h, body);
	f = headers_find(&h, STR("Content-Transfer-Encoding"));
	for (size_t i = 0; i < m.n; i++)
		print_part(t, &m, i, body, i > 0 ? str_sub(body,
		    m.v[i].coding_at, m.v[i].coding_at + m.v[i].coding_len) :
		    f != NULL ? f->value : STR(""), nesting);
}

static int
print_file(const char *path)
{
	struct tree t = { .arena = arena_new() };
	struct str text;
	int rc = -1;

	buf_init(&t.parts, MAX_TREE);
	buf_init(&t.faults, MAX_TREE);
	if (file_read(t.arena, path, MAX_MESSAGE, &text) != 0) {
		perror(path);
		goto out;
	}
	print_message(&t, text, 0);
	printf("%s\t%.*s\t%.*s\n", path, STR_ARG(buf_view(&t.faults)),
	    STR_ARG(buf_view(&t.parts)));
	rc = 0;
out:
	buf_free(&t.parts);
	buf_free(&t.faults);
	arena_free(&t.arena);
	return rc;
}

int
main(int argc, char **argv)
{
	int rc = EXIT_SUCCESS;

	for (int i = 1; i < argc; i++)
		if (print_file(argv[i]) != 0)
			rc = EXIT_FAILURE;
	return rc;
}
