/*
 * conf_load.h - settings from a text, with the messages that came of it.
 */
#ifndef BULKHEAD_TESTS_CONF_LOAD_H
#define BULKHEAD_TESTS_CONF_LOAD_H

#include "conf_file.h"

#include "bulkhead/settings.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

struct loaded {
	struct arena *arena;
	struct settings *s;
	struct buf messages;
};

static inline void
load_text(struct loaded *l, void **state, struct str text)
{
	l->arena = arena_new();
	buf_init(&l->messages, 1000000);
	l->s = settings_load(conf_write(l->arena, state, "a.conf", text),
	    &l->messages);
}

static inline void
unload(struct loaded *l)
{
	settings_free(&l->s);
	assert_null(l->s);
	buf_free(&l->messages);
	arena_free(&l->arena);
}

/* Loads a text that must be good; warnings are allowed. */
static inline void
load_good(struct loaded *l, void **state, const char *text)
{
	load_text(l, state, str_from(text));
	if (l->s == NULL)
		fail_msg("refused:\n%s\n%.*s", text,
		    STR_ARG(buf_view(&l->messages)));
}

#endif
