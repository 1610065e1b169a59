/*
 * token_rotate.c - `bulkhead token rotate`: a key is added behind the others,
 * every daemon loads it, and only then it comes first: no link is ever made
 * with a key that somebody cannot open it with.
 */
#include "cli/token.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/json.h"
#include "cli/keys_file.h"
#include "cli/load.h"
#include "cli/rotate.h"

#define OUTPUT_MAX 65536

struct run {
	const struct token_rotate *spec;
	struct arena *arena;
	const char *setting; /* "token-keys" */
	const char *path;
	struct keys_file file;
	struct rotate daemons;
	struct str name; /* of the key that is to come first */
	bool is_added, is_resumed, is_first;
};

static void __attribute__((format(printf, 2, 3)))
say(const struct run *r, const char *fmt, ...)
{
	va_list ap;

	if (r->spec->json)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static int
refuse(int rc, struct str why)
{
	fprintf(stderr, "bulkhead token: %.*s\n", STR_ARG(why));
	return rc;
}

static int
exit_code(int err)
{
	switch (err) {
	case EACCES:
	case EPERM:
		return EX_NOPERM;
	case EAGAIN:
		return EX_TEMPFAIL;
	case EINVAL:
	case ENOENT:
		return EX_CONFIG;
	default:
		return EX_CANTCREAT;
	}
}

static int
read_file(struct run *r)
{
	struct str why;

	if (keys_file_read(r->arena, r->path, &r->file, &why) == 0)
		return EX_OK;
	return refuse(exit_code(errno), why);
}

static bool
is_in_file(const struct run *r)
{
	return keys_file_find(&r->file, r->name) < r->file.n;
}

static bool
is_first_in_file(const struct run *r)
{
	return keys_file_find(&r->file, r->name) == 0;
}

/* A daemon that runs makes links with another key than the file's first. */
static bool
is_behind(struct run *r)
{
	rotate_look(&r->daemons, r->arena, ROTATE_FIRST, r->file.names[0]);
	for (size_t i = 0; i < DAEMONS; i++)
		if (r->daemons.states[i] == ROTATE_LACKS &&
		    !r->daemons.daemons[i].is_ending)
			return true;
	return false;
}

/* Which key it is about: an unfinished one before a new one. */
static int
choose_name(struct run *r)
{
	const struct token_rotate *spec = r->spec;
	struct str asked = str_from(spec->promote != NULL ? spec->promote :
							    spec->name);

	if (asked.n > 0)
		r->name = asked;
	else if (r->file.pending.n > 0)
		r->name = r->file.pending;
	else if (is_behind(r))
		r->name = r->file.names[0];
	else
		r->name = keys_file_new_name(r->arena, &r->file);
	r->is_resumed = is_in_file(r);
	if (spec->promote != NULL && !r->is_resumed)
		return refuse(EX_USAGE, arena_printf(r->arena, "no key of %s "
		    "is named %s: `bulkhead token list` names them", r->path,
		    spec->promote));
	if (!r->is_resumed && r->file.pending.n > 0)
		return refuse(EX_USAGE, arena_printf(r->arena, "the rotation "
		    "to %.*s is not finished: run this without --name first",
		    STR_ARG(r->file.pending)));
	return EX_OK;
}

/* "reload bulkhead-milter" for each that cannot be asked; how many. */
static size_t
say_silent(const struct run *r)
{
	size_t n = 0;

	for (size_t i = 0; i < DAEMONS; i++) {
		const struct daemon *d = &r->daemons.daemons[i];

		if (r->daemons.states[i] != ROTATE_SILENT)
			continue;
		n++;
		fprintf(stderr, "bulkhead token: %s cannot be asked (%.*s): "
		    "reload it: systemctl reload %s\n", d->program,
		    STR_ARG(d->socket.n > 0 ? d->why :
			STR("it has no metrics socket")), d->program);
	}
	return n;
}

static void
say_how_to_go_on(const struct run *r, const char *option)
{
	const struct token_rotate *spec = r->spec;
	bool has_file = strcmp(spec->file, SETTINGS_DEFAULT_FILE) != 0;

	fprintf(stderr, "bulkhead token: then run: bulkhead token rotate%s%s"
	    "%s%s%.*s\n", has_file ? " -c " : "", has_file ? spec->file : "",
	    spec->is_return_path ? " --return-path" : "", option,
	    option[0] != '\0' ? (int)r->name.n : 0, r->name.p);
}

static int
add(struct run *r)
{
	struct str why;

	if (r->is_resumed) {
		say(r, "%.*s is in %s already: going on with it",
		    STR_ARG(r->name), r->path);
		return EX_OK;
	}
	if (keys_file_add(r->arena, &r->file, r->name, &why) != 0)
		return refuse(exit_code(errno), why);
	r->is_added = true;
	say(r, "added %.*s at the end of %s", STR_ARG(r->name), r->path);
	return EX_OK;
}

/* Every daemon has it before anyone makes links with it. */
static int
have_loaded(struct run *r)
{
	int rc = rotate_wait(&r->daemons, r->arena, ROTATE_HAS, r->name);

	if (rc != EX_OK) {
		say_how_to_go_on(r, "");
		return rc;
	}
	if (r->spec->promote == NULL && say_silent(r) > 0) {
		say_how_to_go_on(r, " --promote ");
		return EX_TEMPFAIL;
	}
	say(r, "every daemon that runs here has %.*s", STR_ARG(r->name));
	return EX_OK;
}

static int
promote(struct run *r)
{
	struct str why;
	int rc = read_file(r);

	if (rc != EX_OK || is_first_in_file(r))
		return rc;
	if (keys_file_promote(r->arena, &r->file, r->name, &why) != 0)
		return refuse(exit_code(errno), why);
	say(r, "%.*s is the first key of %s now", STR_ARG(r->name), r->path);
	return EX_OK;
}

static int
have_used(struct run *r)
{
	int rc = rotate_wait(&r->daemons, r->arena, ROTATE_FIRST, r->name);

	if (rc != EX_OK) {
		say_how_to_go_on(r, "");
		return rc;
	}
	say_silent(r);
	r->is_first = true;
	say(r, "%.*s is used for all that is made from now on; former keys "
	    "still open what they made", STR_ARG(r->name));
	return EX_OK;
}

static int
rotate(struct run *r)
{
	int rc;

	if (is_first_in_file(r)) {
		say(r, "%.*s is the first key of %s: only its loading is left",
		    STR_ARG(r->name), r->path);
		return have_used(r);
	}
	if ((rc = add(r)) != EX_OK || (rc = have_loaded(r)) != EX_OK ||
	    (rc = promote(r)) != EX_OK)
		return rc;
	return have_used(r);
}

/* What a run would do now. */
static void
say_plan(struct run *r)
{
	const char *verb = r->is_resumed ? "would go on with" : "would add";

	rotate_look(&r->daemons, r->arena, is_first_in_file(r) ?
	    ROTATE_FIRST : ROTATE_HAS, r->name);
	say(r, "%s %.*s in %s", verb, STR_ARG(r->name), r->path);
	for (size_t i = 0; i < DAEMONS; i++) {
		const struct daemon *d = &r->daemons.daemons[i];

		if (r->daemons.states[i] == ROTATE_LACKS)
			say(r, "would have %s (pid %lld) load it", d->program,
			    (long long)d->pid);
		else if (r->daemons.states[i] == ROTATE_SILENT)
			say(r, "would stop then: %s cannot be asked",
			    d->program);
	}
	if (!is_first_in_file(r))
		say(r, "would put it first then, and have that loaded, too");
}

static void
write_json(const struct run *r, int rc)
{
	static const char *const states[] = {
		[ROTATE_IDLE] = "idle",
		[ROTATE_SILENT] = "silent",
		[ROTATE_LACKS] = "lacks",
		[ROTATE_READY] = "ready",
	};
	struct buf out;

	buf_init(&out, OUTPUT_MAX);
	buf_char(&out, '{');
	json_key(&out, "keys");
	json_string(&out, str_from(r->setting));
	json_key(&out, "file");
	json_string(&out, str_from(r->path));
	json_key(&out, "name");
	json_string(&out, r->name);
	json_key(&out, "resumed");
	json_bool(&out, r->is_resumed);
	json_key(&out, "added");
	json_bool(&out, r->is_added);
	json_key(&out, "done");
	json_bool(&out, rc == EX_OK && r->is_first);
	json_key(&out, "dry_run");
	json_bool(&out, r->spec->is_dry_run);
	json_key(&out, "daemons");
	buf_char(&out, '{');
	for (size_t i = 0; i < DAEMONS; i++) {
		json_key(&out, r->daemons.daemons[i].section);
		json_string(&out, str_from(states[r->daemons.states[i]]));
	}
	buf_puts(&out, "}}\n");
	load_flush(&out, "token");
}

static int
run(struct run *r, const struct settings *s)
{
	struct str path = r->spec->is_return_path ? s->return_path_keys :
						    s->token_keys;
	int rc;

	r->setting = r->spec->is_return_path ? "return-path-keys" :
					       "token-keys";
	if (path.n == 0)
		return refuse(EX_CONFIG, arena_printf(r->arena, "%s names no "
		    "%s", r->spec->file, r->setting));
	r->path = arena_cstr(r->arena, path);
	daemon_list(s, r->daemons.daemons);
	if ((rc = read_file(r)) != EX_OK || (rc = choose_name(r)) != EX_OK)
		return rc;
	if (r->spec->is_dry_run)
		say_plan(r);
	else
		rc = rotate(r);
	if (r->spec->json)
		write_json(r, rc);
	return rc;
}

int
token_rotate(const struct token_rotate *spec)
{
	struct keyring *k = load_keyring(spec->file, 0);
	struct run r = { .spec = spec, .arena = arena_new() };
	int rc = EX_CONFIG;

	r.daemons.is_return_path = spec->is_return_path;
	r.daemons.is_quiet = spec->json;
	r.daemons.seconds = spec->seconds;
	if (k != NULL)
		rc = run(&r, k->settings);
	keyring_free(&k);
	arena_free(&r.arena);
	return rc;
}
