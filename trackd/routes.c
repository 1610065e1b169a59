/*
 * routes.c - which page answers which path, and with which methods.
 */
#include "bulkhead/names.h"
#include "trackd/track.h"

#define ALLOW_GET  "GET, HEAD, OPTIONS"
#define ALLOW_POST "GET, HEAD, POST, OPTIONS"

typedef void page(const struct track *t, const struct request *r,
    struct str text, struct answer *a);

struct route {
	const char *path;
	bool is_prefix; /* with a text behind it */
	bool takes_post;
	page *page;
};

static void
page_health(const struct track *t, const struct request *r, struct str text,
    struct answer *a)
{
	(void)t;
	(void)r;
	(void)text;
	a->status = 200;
	a->type = STR("text/plain; charset=utf-8");
	a->body = STR("ok\n");
}

static void
page_robots(const struct track *t, const struct request *r, struct str text,
    struct answer *a)
{
	(void)t;
	(void)r;
	(void)text;
	a->status = 200;
	a->type = STR("text/plain; charset=utf-8");
	a->body = STR("User-agent: *\nDisallow: /\n");
}

static const struct route routes[] = {
	{ NAME_PATH_CLICK, true, false, page_click },
	{ NAME_PATH_OPEN, true, false, page_open },
	{ NAME_PATH_UNSUBSCRIBE, true, true, page_unsubscribe },
	{ "/healthz", false, false, page_health },
	{ "/robots.txt", false, false, page_robots },
};

static const struct route *
find(struct str path, struct str *text)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		struct str known = str_from(routes[i].path);

		*text = str_sub(path, known.n, path.n);
		if (!str_starts(path, known))
			continue;
		if (routes[i].is_prefix ? text->n > 0 : text->n == 0)
			return &routes[i];
	}
	return NULL;
}

static bool
is_method(const struct request *r, const char *name)
{
	return str_eq(r->method, str_from(name));
}

/* A method that no page has is refused only where there is a page. */
void
track_answer(const struct track *t, const struct request *r, struct answer *a)
{
	struct str text;
	const struct route *route = find(r->path, &text);

	if (route == NULL && is_method(r, "OPTIONS") &&
	    str_eq(r->path, STR("*"))) {
		a->status = 204;
		a->allow = STR(ALLOW_POST);
		return;
	}
	if (route == NULL) {
		answer_not_found(a);
		return;
	}
	if (is_method(r, "GET") || is_method(r, "HEAD") ||
	    (route->takes_post && is_method(r, "POST"))) {
		route->page(t, r, text, a);
		return;
	}
	a->allow = route->takes_post ? STR(ALLOW_POST) : STR(ALLOW_GET);
	a->status = is_method(r, "OPTIONS") ? 204 : 405;
	if (a->status == 405) {
		a->type = STR("text/plain; charset=utf-8");
		a->body = STR("Method not allowed\n");
	}
}
