/*
 * control_json.c - the JSON of control fields, over libjansson.  Which
 * members mean what is in control_rules.c.
 */
#include "engine/control_json.h"

#include <jansson.h>

/* Enough for every decimal that people write, and no 0.10000000000000001. */
#define REAL_DIGITS 15

struct json_t *
control_json_parse(struct arena *a, struct str text, struct str *why)
{
	json_error_t error;
	/* NUL in one string must not cost us the other members. */
	json_t *json = json_loadb(text.n ? text.p : "", text.n, JSON_ALLOW_NUL,
	    &error);

	if (json != NULL && json_is_object(json))
		return json;
	if (json != NULL)
		*why = STR("not a JSON object");
	else if (json_error_code(&error) == json_error_stack_overflow)
		*why = STR("nested too deeply");
	else
		*why = arena_printf(a, "not JSON at octet %d", error.position);
	json_decref(json);
	return NULL;
}

void
control_json_free(struct json_t **json)
{
	json_decref(*json);
	*json = NULL;
}

/* The member at path, or NULL. */
static const json_t *
find(const json_t *json, const char *path)
{
	struct str rest = str_from(path);

	while (json != NULL && rest.n > 0) {
		size_t end = str_chr(rest, '/', 0);

		json = json_object_getn(json, rest.p, end);
		rest = str_sub(rest, end + 1, rest.n);
	}
	return json;
}

/* As JSON writes it; a string without its quotes. */
static struct str
value_text(const json_t *value, struct arena *a)
{
	const size_t flags = JSON_ENCODE_ANY | JSON_COMPACT |
	    JSON_REAL_PRECISION(REAL_DIGITS);
	size_t n;
	char *p;

	if (json_is_string(value))
		return arena_copy(a, str_make(json_string_value(value),
		    json_string_length(value)));
	n = json_dumpb(value, NULL, 0, flags);
	p = arena_bytes(a, n);
	return str_make(p, json_dumpb(value, p, n, flags));
}

enum control_json_found
control_json_text(const struct json_t *json, struct arena *a, const char *path,
    struct str *out)
{
	const json_t *value = find(json, path);

	if (json_is_array(value))
		value = json_array_get(value, 0);
	if (value == NULL || json_is_null(value))
		return CONTROL_JSON_ABSENT;
	if (json_is_object(value) || json_is_array(value))
		return CONTROL_JSON_OTHER;
	*out = value_text(value, a);
	return CONTROL_JSON_TEXT;
}

enum control_json_found
control_json_each(const struct json_t *json, struct arena *a, const char *path,
    control_json_member *fn, void *arg)
{
	const json_t *object = find(json, path);
	/* The iterators take no const, although they change nothing. */
	union {
		const json_t *c;
		json_t *v;
	} u = { object };

	if (object == NULL || json_is_null(object))
		return CONTROL_JSON_ABSENT;
	if (!json_is_object(object))
		return CONTROL_JSON_OTHER;
	for (void *i = json_object_iter(u.v); i != NULL;
	    i = json_object_iter_next(u.v, i)) {
		const json_t *value = json_object_iter_value(i);
		struct str key = str_make(json_object_iter_key(i),
		    json_object_iter_key_len(i));

		if (!json_is_null(value))
			fn(arg, arena_copy(a, key), value_text(value, a));
	}
	return CONTROL_JSON_TEXT;
}
