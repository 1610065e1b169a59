/*
 * world.c - snapshots of what requests are answered with, and their change.
 */
#include "trackd/world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "trackd/pages.h"

#define RULES_MAX  (1024 * 1024)
#define ERRORS_MAX (64 * 1024)

/* Rules and pages are shared by the worlds that have the same ones. */
struct rules {
	atomic_int refs;
	struct robots *robots;
	struct pages *pages;
};

struct held {
	struct world world; /* first */
	atomic_int refs;
	struct rules *rules;
};

struct worlds {
	struct world_spec spec;
	pthread_mutex_t lock; /* guards now */
	struct held *now;
};

static void
release_rules(struct rules *r)
{
	if (r == NULL || atomic_fetch_sub(&r->refs, 1) != 1)
		return;
	robots_free(&r->robots);
	pages_free(&r->pages);
	free(r);
}

void
world_release(struct world **w)
{
	struct held *h = (struct held *)*w;

	*w = NULL;
	if (h == NULL || atomic_fetch_sub(&h->refs, 1) != 1)
		return;
	keyring_free(&h->world.keyring);
	release_rules(h->rules);
	free(h);
}

static void
log_lines(struct str lines)
{
	while (lines.n > 0) {
		size_t end = str_chr(lines, '\n', 0);

		log_error("%.*s", STR_ARG(str_sub(lines, 0, end)));
		lines = str_sub(lines, end + 1, lines.n);
	}
}

/* Of the operator's file; NULL, logged. */
static struct robots *
read_robots(const char *path)
{
	struct arena *a = arena_new();
	struct robots *robots = NULL;
	struct buf errors;
	struct str text;

	buf_init(&errors, ERRORS_MAX);
	if (file_read(a, path, RULES_MAX, &text) != 0)
		log_error("%s: %m", path);
	else
		robots = robots_parse(text, path, &errors);
	log_lines(buf_view(&errors));
	buf_free(&errors);
	arena_free(&a);
	return robots;
}

/* The operator's or our own; NULL, logged. */
static struct pages *
read_pages(struct str directory)
{
	struct pages *pages;
	struct buf errors;

	buf_init(&errors, ERRORS_MAX);
	pages = pages_load(directory, &errors);
	log_lines(buf_view(&errors));
	buf_free(&errors);
	return pages;
}

static struct rules *
load_rules(const struct settings *s)
{
	struct rules *r = mem_alloc(sizeof(*r));
	char *path = s->trackd.robots.n > 0 ?
	    strndup(s->trackd.robots.p, s->trackd.robots.n) : NULL;

	atomic_init(&r->refs, 1);
	r->robots = path != NULL ? read_robots(path) : robots_default();
	free(path);
	r->pages = read_pages(s->trackd.templates);
	if (r->robots != NULL && r->pages != NULL)
		return r;
	release_rules(r);
	return NULL;
}

/* Takes the rules. */
static struct held *
make(const struct worlds *w, struct keyring *k, struct rules *rules)
{
	struct held *h = mem_alloc(sizeof(*h));

	atomic_init(&h->refs, 1);
	h->rules = rules;
	h->world.keyring = keyring_ref(k);
	h->world.track = (struct track){
		.metrics = w->spec.metrics,
		.event = w->spec.event,
		.event_arg = w->spec.event_arg,
		.robots = rules->robots,
		.bursts = w->spec.bursts,
		.pages = rules->pages,
	};
	return h;
}

struct worlds *
worlds_new(const struct world_spec *spec, struct keyring *k)
{
	struct rules *rules = load_rules(k->settings);
	struct worlds *w;

	if (rules == NULL)
		return NULL;
	w = mem_alloc(sizeof(*w));
	w->spec = *spec;
	pthread_mutex_init(&w->lock, NULL);
	w->now = make(w, k, rules);
	return w;
}

void
worlds_free(struct worlds **w)
{
	struct worlds *old = *w;
	struct world *now;

	*w = NULL;
	if (old == NULL)
		return;
	now = &old->now->world;
	world_release(&now);
	pthread_mutex_destroy(&old->lock);
	free(old);
}

int
worlds_change(struct worlds *w, struct keyring *k)
{
	struct rules *rules = load_rules(k->settings);
	struct held *fresh;
	struct world *old;
	int rc = rules != NULL ? 0 : -1;

	if (rules == NULL) {
		rules = w->now->rules; /* changed by this thread alone */
		atomic_fetch_add(&rules->refs, 1);
		log_error("rules and pages kept as they were");
	}
	fresh = make(w, k, rules);
	pthread_mutex_lock(&w->lock);
	old = &w->now->world;
	w->now = fresh;
	pthread_mutex_unlock(&w->lock);
	world_release(&old);
	return rc;
}

struct world *
worlds_hold(struct worlds *w)
{
	struct held *h;

	pthread_mutex_lock(&w->lock);
	h = w->now;
	atomic_fetch_add(&h->refs, 1);
	pthread_mutex_unlock(&w->lock);
	return &h->world;
}
