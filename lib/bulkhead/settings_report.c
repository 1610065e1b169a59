/*
 * settings_report.c - the errors and warnings of one load, in the order of the
 * file.
 */
#include "bulkhead/settings_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MESSAGES_MAX 200
#define TEXT_MAX     1000

static void __attribute__((format(printf, 4, 0)))
add(struct settings_report *r, struct settings_pos pos, bool is_warning,
    const char *fmt, va_list ap)
{
	char text[TEXT_MAX];
	struct settings_message *m;

	if (!is_warning)
		r->errors++;
	if (r->n >= MESSAGES_MAX)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	r->v = arena_grow(r->arena, r->v, r->n, &r->cap, sizeof(*r->v));
	m = &r->v[r->n];
	m->pos = pos;
	m->is_warning = is_warning;
	m->text = arena_copy(r->arena, str_from(text));
	m->order = r->n++;
}

void
settings_error(struct settings_report *r, struct settings_pos pos,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(r, pos, false, fmt, ap);
	va_end(ap);
}

void
settings_warn(struct settings_report *r, struct settings_pos pos,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(r, pos, true, fmt, ap);
	va_end(ap);
}

static int
compare(const void *pa, const void *pb, void *arg)
{
	const struct settings_message *a = pa, *b = pb;
	const struct str *main_file = arg;
	bool a_main = str_eq(a->pos.file, *main_file);
	bool b_main = str_eq(b->pos.file, *main_file);
	int c;

	if (a_main != b_main)
		return a_main ? -1 : 1;
	if ((c = str_cmp(a->pos.file, b->pos.file)) != 0)
		return c;
	if (a->pos.line != b->pos.line)
		return a->pos.line < b->pos.line ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

void
settings_report_write(struct settings_report *r, struct str main_file,
    struct buf *out)
{
	if (r->n > 1)
		qsort_r(r->v, r->n, sizeof(*r->v), compare, &main_file);
	for (size_t i = 0; i < r->n; i++) {
		const struct settings_message *m = &r->v[i];

		buf_str(out, m->pos.file);
		if (m->pos.line != 0)
			buf_printf(out, ":%u", m->pos.line);
		buf_puts(out, m->is_warning ? ": warning: " : ": ");
		buf_str(out, m->text);
		buf_char(out, '\n');
	}
	if (r->n >= MESSAGES_MAX)
		buf_printf(out, "%.*s: %zu errors in all, the first %d "
		    "messages are shown\n", STR_ARG(main_file), r->errors,
		    MESSAGES_MAX);
}
