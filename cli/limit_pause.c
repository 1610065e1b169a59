/*
 * limit_pause.c - `bulkhead limit pause` and `resume`: the stop button.  What
 * is paused is written in the store first, then policyd is told.
 */
#include "cli/limit.h"

#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/load.h"
#include "cli/owner.h"
#include "mail/addr.h"
#include "store/meta.h"

#define PUT_MILLIS  5000
#define READ_MILLIS 10000
#define NOTE_MAX    1000

struct collecting {
	struct arena *arena;
	struct limit_pause *v;
	size_t n, cap;
};

static bool
collect(void *arg, const struct meta_item *item)
{
	struct collecting *c = arg;
	struct limit_pause p;

	if (!limit_pause_parse(arena_copy(c->arena, item->key),
	    arena_copy(c->arena, item->value), &p))
		return true;
	c->v = arena_grow(c->arena, c->v, c->n, &c->cap, sizeof(*c->v));
	c->v[c->n++] = p;
	return true;
}

/* False: told on stderr.  True and *s NULL: nothing was ever stored. */
static bool
open_pauses(struct limit_run *r, enum store_access access, struct store **s)
{
	*s = NULL;
	if (access == STORE_READ &&
	    limit_is_new(r, r->settings->store, "meta.db"))
		return true;
	*s = limit_store(r, STORE_META, access);
	return *s != NULL;
}

static int
read_pauses(struct limit_run *r, struct store *s, struct collecting *c)
{
	c->arena = r->arena;
	if (s == NULL || store_meta_walk(s, STR(LIMIT_PAUSE_PREFIX), collect,
	    c, store_deadline(READ_MILLIS)) == STORE_YES)
		return EX_OK;
	limit_say("what is paused is not known: %s",
	    store_error(s, STORE_META));
	return EX_UNAVAILABLE;
}

int
limit_pauses(struct limit_run *r, struct limit_pause **v, size_t *n)
{
	struct collecting c = { .n = 0 };
	struct store *s = NULL;
	int rc = EX_OK;

	if (!open_pauses(r, STORE_READ, &s))
		rc = EX_UNAVAILABLE;
	else
		rc = read_pauses(r, s, &c);
	store_close(&s);
	*v = c.v;
	*n = c.n;
	return rc;
}

static const struct limit_pause *
find_pause(const struct collecting *c, const char *kind, struct str name)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->v[i].kind, str_from(kind)) &&
		    str_eq(c->v[i].name, name))
			return &c->v[i];
	return NULL;
}

/* What the argument may mean. */
struct target {
	struct str stream, domain; /* as each would be spelled */
	bool is_stream, is_domain;
};

/* "stream" or "domain", or NULL with one line on stderr. */
static const char *
choose(const struct limit_run *r, const struct target *t, const char *none)
{
	bool stream = t->is_stream && !r->o->is_domain;
	bool domain = t->is_domain && !r->o->is_stream;

	if (stream && domain)
		limit_say("\"%.*s\" is a stream and a domain: add --stream or "
		    "--domain", STR_ARG(t->stream));
	else if (!stream && !domain)
		limit_say("\"%.*s\" is %s", STR_ARG(t->stream), none);
	else
		return stream ? "stream" : "domain";
	return NULL;
}

static struct target
target_of(struct limit_run *r)
{
	struct str arg = limit_arg(r, 0);

	return (struct target){ .stream = arg,
		.domain = addr_domain_ascii(r->arena, arg) };
}

static int
put(struct store *s, struct str key, struct str value)
{
	struct meta_item item = { .key = key, .value = value };

	if (store_meta_put(s, &item, 1, store_deadline(PUT_MILLIS)) ==
	    STORE_YES)
		return EX_OK;
	limit_say("%s", store_error(s, STORE_META));
	return EX_UNAVAILABLE;
}

/* policyd looks before each decision anyway; where it is down, as it starts. */
static void
tell_policyd(struct limit_run *r)
{
	struct str lines, error;

	if (r->settings->policyd.control.n != 0 &&
	    limit_ask(r, "refresh", STR(""), STR(""), &lines, &error) < 0)
		limit_say("policyd does not answer (%.*s): it will see this "
		    "when it runs", STR_ARG(error));
}

static int
report(struct limit_run *r, const char *kind, struct str name, bool is_paused,
    bool is_changed)
{
	struct buf out;

	buf_init(&out, LIMIT_OUTPUT_MAX);
	if (r->o->json) {
		buf_char(&out, '{');
		json_key(&out, "kind");
		json_string(&out, str_from(kind));
		json_key(&out, "name");
		json_string(&out, name);
		json_key(&out, "paused");
		json_bool(&out, is_paused);
		json_key(&out, "changed");
		json_bool(&out, is_changed);
		json_key(&out, "dry_run");
		json_bool(&out, r->o->dry_run);
		buf_puts(&out, "}\n");
	} else {
		buf_printf(&out, "%s %.*s %s%s%s\n", kind, STR_ARG(name),
		    r->o->dry_run && is_changed ? "would be " : "is ",
		    !is_changed ? "already " : "",
		    is_paused ? "paused" : "resumed");
	}
	return load_flush(&out, "limit");
}

static bool
note_is_well(struct str note)
{
	if (note.n > NOTE_MAX) {
		limit_say("the note is too long: %d octets are the most",
		    NOTE_MAX);
		return false;
	}
	for (size_t i = 0; i < note.n; i++)
		if ((unsigned char)note.p[i] < ' ' || note.p[i] == 0x7f) {
			limit_say("the note must be one line of text");
			return false;
		}
	return true;
}

/* Pauses it unless it is paused; an exit code. */
static int
pause_it(struct limit_run *r, struct store *s, const char *kind,
    struct str name)
{
	struct limit_pause p = { .since = r->now, .note =
		str_from(r->o->note), .by = owner_actor(r->arena) };
	struct collecting c = { .n = 0 };
	int rc = read_pauses(r, s, &c);
	bool is_new;

	if (rc != EX_OK)
		return rc;
	is_new = find_pause(&c, kind, name) == NULL;
	if (is_new && !r->o->dry_run) {
		rc = put(s, limit_pause_key(r->arena, kind, name),
		    limit_pause_value(r->arena, &p));
		if (rc != EX_OK)
			return rc;
		tell_policyd(r);
	}
	return report(r, kind, name, true, is_new);
}

int
limit_pause(struct limit_run *r)
{
	struct target t = target_of(r);
	const char *kind;
	struct store *s;
	int rc = EX_UNAVAILABLE;

	t.is_stream = settings_stream_named(r->settings, t.stream) != NULL;
	t.is_domain = settings_domain(r->settings, t.domain) != NULL;
	kind = choose(r, &t, "no stream and no domain of the settings");
	if (kind == NULL || !note_is_well(str_from(r->o->note)))
		return EX_DATAERR;
	if (open_pauses(r, r->o->dry_run ? STORE_READ : STORE_CHANGE, &s))
		rc = pause_it(r, s, kind, *kind == 's' ? t.stream : t.domain);
	store_close(&s);
	return rc;
}

/* What is paused may be gone from the settings: the store alone counts. */
static int
resume_it(struct limit_run *r, struct store *s)
{
	struct target t = target_of(r);
	struct collecting c = { .n = 0 };
	int rc = read_pauses(r, s, &c);
	const char *kind;
	struct str name;

	if (rc != EX_OK)
		return rc;
	t.is_stream = find_pause(&c, "stream", t.stream) != NULL;
	t.is_domain = find_pause(&c, "domain", t.domain) != NULL;
	kind = choose(r, &t, "not paused");
	if (kind == NULL)
		return t.is_stream && t.is_domain ? EX_DATAERR : 1;
	name = *kind == 's' ? t.stream : t.domain;
	if (!r->o->dry_run) {
		rc = put(s, limit_pause_key(r->arena, kind, name), STR(""));
		if (rc != EX_OK)
			return rc;
		tell_policyd(r);
	}
	return report(r, kind, name, false, true);
}

int
limit_resume(struct limit_run *r)
{
	int rc = EX_UNAVAILABLE;
	struct store *s;

	if (open_pauses(r, r->o->dry_run ? STORE_READ : STORE_CHANGE, &s))
		rc = resume_it(r, s);
	store_close(&s);
	return rc;
}
