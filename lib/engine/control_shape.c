/*
 * control_shape.c - reads the values of control fields, one function a shape.
 * Which field has which shape is in control_rules.c.
 */
#include "engine/control_rule.h"

#include "engine/control_json.h"

/* How much of a word that we do not know is shown. */
#define SHOWN_MAX 40

/* The part of *rest before sep, trimmed; *rest moves behind it. */
static struct str
next_part(struct str *rest, char sep)
{
	size_t end = str_chr(*rest, sep, 0);
	struct str part = str_trim(str_sub(*rest, 0, end));

	*rest = str_sub(*rest, end + 1, rest->n);
	return part;
}

void
control_read_text(struct control_reader *r, const struct control_rule *rule,
    struct str name, struct str value)
{
	(void)name;
	if (value.n == 0)
		control_problem(r, "empty");
	else
		control_set_text(r, rule->slot, value);
}

void
control_read_first(struct control_reader *r, const struct control_rule *rule,
    struct str name, struct str value)
{
	struct str part = { NULL, 0 };

	while (part.n == 0 && value.n > 0)
		part = next_part(&value, rule->between);
	control_read_text(r, rule, name, part);
}

static const struct control_word *
find_word(const struct control_word *words, struct str s)
{
	for (; words->word != NULL; words++)
		if (str_ieq(str_from(words->word), s))
			return words;
	return NULL;
}

static void
unknown_word(struct control_reader *r, struct str word)
{
	word = control_clean(r->arena, word);
	control_problem(r, "unknown word \"%.*s\"",
	    STR_ARG(str_sub(word, 0, SHOWN_MAX)));
}

void
control_read_switch(struct control_reader *r, const struct control_rule *rule,
    struct str name, struct str value)
{
	const struct control_word *w = find_word(rule->words, value);

	(void)name;
	if (w != NULL)
		control_set_track(r, rule->track, w->clicks, w->opens);
	else
		unknown_word(r, value);
}

void
control_read_switches(struct control_reader *r,
    const struct control_rule *rule, struct str name, struct str value)
{
	enum control_switch clicks = CONTROL_OFF, opens = CONTROL_OFF;
	unsigned known = 0;

	(void)name;
	if (value.n == 0)
		control_problem(r, "empty");
	while (value.n > 0) {
		struct str part = next_part(&value, rule->between);
		const struct control_word *w = find_word(rule->words, part);

		if (part.n == 0)
			continue;
		if (w == NULL) {
			unknown_word(r, part);
			continue;
		}
		known++;
		clicks = w->clicks == CONTROL_UNSET ? clicks : w->clicks;
		opens = w->opens == CONTROL_UNSET ? opens : w->opens;
	}
	if (known > 0)
		control_set_track(r, rule->track, clicks, opens);
}

void
control_read_pairs(struct control_reader *r, const struct control_rule *rule,
    struct str name, struct str value)
{
	(void)name;
	while (value.n > 0) {
		struct str part = next_part(&value, rule->between);
		struct str rest = part;
		struct str key = next_part(&rest, rule->equals);

		if (part.n == 0)
			continue;
		if (key.n == 0 || str_chr(part, rule->equals, 0) == part.n)
			control_problem(r, "a member is not KEY%cVALUE",
			    rule->equals);
		else
			control_add_pair(r, key, str_trim(rest));
	}
}

void
control_read_value(struct control_reader *r, const struct control_rule *rule,
    struct str name, struct str value)
{
	struct str key = str_from(rule->key);

	if (rule->key == NULL)
		key = str_sub(name, strlen(rule->name), name.n);
	if (key.n == 0)
		control_problem(r, "no key");
	else
		control_add_pair(r, key, value);
}

void
control_read_topic(struct control_reader *r, const struct control_rule *rule,
    struct str name, struct str value)
{
	struct str list = { NULL, 0 }, topic = { NULL, 0 };

	(void)name;
	while (value.n > 0) {
		struct str rest = next_part(&value, ';');
		struct str key = next_part(&rest, '=');

		if (str_ieq(key, STR("contactListName")))
			list = str_trim(rest);
		else if (str_ieq(key, STR("topicName")) ||
		    str_ieq(key, STR("topic")))
			topic = str_trim(rest);
		else if (rest.n == 0 && list.n == 0)
			list = key;
	}
	if (list.n == 0)
		control_problem(r, "names no list");
	else if (topic.n == 0)
		control_set_text(r, rule->slot, list);
	else
		control_set_text(r, rule->slot, arena_printf(r->arena,
		    "%.*s/%.*s", STR_ARG(list), STR_ARG(topic)));
}

void
control_read_unknown(struct control_reader *r, const struct control_rule *rule,
    struct str name, struct str value)
{
	(void)rule;
	(void)value;
	name = control_clean(r->arena, name);
	control_problem(r, "no such control field: %.*s",
	    STR_ARG(str_sub(name, 0, SHOWN_MAX)));
}

static void
add_member(void *arg, struct str key, struct str value)
{
	control_add_pair(arg, key, value);
}

static void
read_member(struct control_reader *r, const struct control_member *m,
    const struct json_t *json)
{
	const struct control_word *w;
	enum control_json_found found;
	struct str text = { NULL, 0 };

	if (m->is_metadata)
		found = control_json_each(json, r->arena, m->path, add_member,
		    r);
	else
		found = control_json_text(json, r->arena, m->path, &text);
	if (found == CONTROL_JSON_OTHER)
		control_problem(r, "%s has the wrong type", m->path);
	if (found != CONTROL_JSON_TEXT || m->is_metadata)
		return;
	if (m->track == 0) {
		control_set_text(r, m->slot, text);
		return;
	}
	w = find_word(control_yes_no, str_trim(text));
	if (w != NULL)
		control_set_track(r, m->track, w->clicks, w->opens);
	else
		control_problem(r, "%s is neither true nor false", m->path);
}

/* Folded at a TAB inside a string, JSON would not be JSON any more. */
static struct str
without_tabs(struct arena *a, struct str s)
{
	char *p = arena_bytes(a, s.n);

	for (size_t i = 0; i < s.n; i++)
		p[i] = (char)(s.p[i] == '\t' ? ' ' : s.p[i]);
	return str_make(p, s.n);
}

void
control_read_json(struct control_reader *r, const struct control_rule *rule,
    struct str name, struct str value)
{
	struct str why = { NULL, 0 }, text;
	struct json_t *json = control_json_parse(r->arena,
	    without_tabs(r->arena, value), &why);

	(void)name;
	if (json == NULL) {
		control_problem(r, "%.*s", STR_ARG(why));
		return;
	}
	if (rule->unless != NULL && control_json_text(json, r->arena,
	    rule->unless, &text) != CONTROL_JSON_ABSENT)
		control_problem(r, "for one recipient only (%s)", rule->unless);
	else
		for (const struct control_member *m = rule->members;
		    m->path != NULL; m++)
			read_member(r, m, json);
	control_json_free(&json);
}
