/*
 * pages_load.c - the operator's own pages: PAGE.LANG.html and PAGE.html in a
 * directory, all of them or none.
 */
#include "trackd/pages_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "trackd/pages_text.h"
#include "trackd/template.h"

#define FILE_MAX  65536
#define FILES_MAX 256

static const char *const page_names[PAGE_COUNT] = { "unsubscribe", "done",
	"undone", "shared", "error" };

/* A file of the operator's. */
struct file {
	enum page page;
	struct str language; /* empty: for all that have none of their own */
	struct str text;
};

struct loading {
	struct pages *pages;
	struct buf *errors;
	struct file files[FILES_MAX];
	size_t nfiles;
	bool failed;
};

static void __attribute__((format(printf, 2, 3)))
complain(struct loading *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(l->errors, fmt, ap);
	va_end(ap);
	buf_char(l->errors, '\n');
	l->failed = true;
}

static bool
is_language(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!str_is_alpha(s.p[i]) && !str_is_digit(s.p[i]) &&
		    s.p[i] != '-')
			return false;
	return s.n >= 2 && s.n <= 20;
}

/* "done.de.html": false where it is none; what is no *.html is passed over. */
static bool
parse_name(struct loading *l, struct str name, const char *path,
    struct file *out)
{
	struct str base = str_sub(name, 0, name.n - 5);
	size_t dot = str_chr(base, '.', 0);

	out->language = arena_lower(l->pages->arena,
	    str_sub(base, dot + 1, base.n));
	for (unsigned i = 0; i < PAGE_COUNT; i++)
		if (str_eq(str_sub(base, 0, dot), str_from(page_names[i]))) {
			out->page = i;
			if (dot == base.n || is_language(out->language))
				return true;
			complain(l, "%s:1: \"%.*s\" is no language: "
			    "%s.de.html, or %s.html for all", path,
			    STR_ARG(out->language), page_names[i],
			    page_names[i]);
			return false;
		}
	complain(l, "%s:1: no page has this name: unsubscribe, done, undone, "
	    "shared or error, each with .LANGUAGE.html or .html", path);
	return false;
}

/*
 * The form that a page needs, from its tag to its end; false where there is
 * none that posts.
 */
static bool
has_form(struct str text)
{
	size_t at = 0;

	while ((at = str_ifind(text, STR("<form"), at)) < text.n) {
		size_t end = str_chr(text, '>', at);
		struct str tag = str_sub(text, at, end);
		size_t close = str_ifind(text, STR("</form"), end);

		if (str_ifind(tag, STR("method"), 0) < tag.n &&
		    str_ifind(tag, STR("post"), 0) < tag.n &&
		    template_has(str_sub(text, end, close), TEMPLATE_FIELDS))
			return true;
		at = end;
	}
	return false;
}

static void
check_form(struct loading *l, const struct file *f, const char *path)
{
	struct str undo;
	size_t begin;
	unsigned line = 1;

	if (f->page == PAGE_UNSUBSCRIBE && !has_form(f->text))
		complain(l, "%s:1: without <form method=\"post\" "
		    "action=\"{{action}}\">, and {{fields}} within it, this "
		    "page cannot unsubscribe anybody", path);
	begin = str_find(f->text, STR("{{#undo}}"), 0);
	if (f->page != PAGE_DONE || begin >= f->text.n)
		return;
	for (size_t i = 0; i < begin; i++)
		line += f->text.p[i] == '\n';
	undo = str_sub(f->text, begin,
	    str_find(f->text, STR("{{/undo}}"), begin));
	if (!has_form(undo))
		complain(l, "%s:%u: {{#undo}} needs <form method=\"post\" "
		    "action=\"{{action}}\">, and {{fields}} within it", path,
		    line);
}

static void
load_file(struct loading *l, const char *directory, struct str name)
{
	struct arena *a = l->pages->arena;
	struct file f;
	const char *path = arena_cstr(a,
	    arena_printf(a, "%s/%.*s", directory, STR_ARG(name)));

	if (!parse_name(l, name, path, &f))
		return;
	if (l->nfiles == FILES_MAX) {
		complain(l, "%s:1: more than 256 files", path);
		return;
	}
	if (file_read(a, path, FILE_MAX, &f.text) != 0) {
		complain(l, "%s:1: %s", path, errno == EFBIG ?
		    "a page has at most 64 KB" : strerror(errno));
		return;
	}
	if (template_check(f.text, path, f.page == PAGE_DONE, l->errors) != 0)
		l->failed = true;
	check_form(l, &f, path);
	l->files[l->nfiles++] = f;
}

static void
load_directory(struct loading *l, const char *directory)
{
	struct dirent **names;
	int n = scandir(directory, &names, NULL, alphasort);

	if (n < 0) {
		complain(l, "%s:1: %s: templates must name a directory",
		    directory, strerror(errno));
		return;
	}
	for (int i = 0; i < n; i++) {
		struct str name = str_from(names[i]->d_name);

		if (name.n > 5 && name.p[0] != '.' &&
		    str_iends(name, STR(".html")))
			load_file(l, directory, arena_copy(l->pages->arena,
			    name));
		free(names[i]);
	}
	free(names);
}

static void
add_languages(struct loading *l)
{
	struct pages *p = l->pages;

	for (size_t i = 0; i < PAGES_LANGUAGES; i++)
		p->languages[p->nlanguages++] = pages_text_language(i);
	for (size_t i = 0; i < l->nfiles; i++) {
		struct str language = l->files[i].language;
		size_t at = 0;

		while (at < p->nlanguages &&
		    !str_eq(p->languages[at], language))
			at++;
		if (language.n == 0 || at < p->nlanguages)
			continue;
		if (p->nlanguages == PAGES_LANGUAGES_MAX) {
			complain(l, "templates: more than 40 languages");
			return;
		}
		p->languages[p->nlanguages++] = language;
	}
}

static const struct file *
find_file(const struct loading *l, enum page page, struct str language)
{
	for (size_t i = 0; i < l->nfiles; i++)
		if (l->files[i].page == page &&
		    str_eq(l->files[i].language, language))
			return &l->files[i];
	return NULL;
}

/* The file of that language, the one of all, our own, our own in English. */
static struct page_template
choose(const struct loading *l, enum page page, size_t language)
{
	struct pages *p = l->pages;
	const struct file *f = find_file(l, page, p->languages[language]);
	size_t own = language < PAGES_LANGUAGES ? language : 0;

	if (f == NULL)
		f = find_file(l, page, STR(""));
	if (f != NULL)
		return (struct page_template){ f->text, f->language };
	return (struct page_template){ pages_text_page(p->arena, page, own),
		p->languages[own] };
}

struct pages *
pages_load(struct str directory, struct buf *errors)
{
	struct pages *p = mem_alloc(sizeof(*p));
	struct loading *l;
	bool failed;

	*p = (struct pages){ .arena = arena_new() };
	l = arena_alloc(p->arena, sizeof(*l));
	l->pages = p;
	l->errors = errors;
	if (directory.n > 0)
		load_directory(l, arena_cstr(p->arena, directory));
	add_languages(l);
	failed = l->failed;
	for (unsigned page = 0; page < PAGE_COUNT; page++)
		for (size_t i = 0; i < p->nlanguages; i++)
			p->pages[page][i] = choose(l, page, i);
	if (failed)
		pages_free(&p);
	return p;
}

void
pages_free(struct pages **p)
{
	struct pages *old = *p;

	*p = NULL;
	if (old == NULL)
		return;
	arena_free(&old->arena);
	free(old);
}
