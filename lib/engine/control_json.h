/*
 * control_json.h - reads the JSON that mail services take in their control
 * fields.  A thin front for libjansson, whose header is known to
 * control_json.c alone.
 */
#ifndef BULKHEAD_ENGINE_CONTROL_JSON_H
#define BULKHEAD_ENGINE_CONTROL_JSON_H

#include "base/arena.h"
#include "base/str.h"

struct json_t;

/*
 * Parses a JSON object (RFC 8259; of two members of one name the last
 * counts).  Returns it, to be released with control_json_free(), or NULL with
 * *why set to a text in the arena.  Nesting is bounded by the library.
 */
struct json_t *control_json_parse(struct arena *a, struct str text,
    struct str *why);

/* Releases the value; *json becomes NULL, a NULL *json is fine. */
void control_json_free(struct json_t **json);

enum control_json_found {
	CONTROL_JSON_ABSENT, /* no such member, null, or an empty array */
	CONTROL_JSON_TEXT,
	CONTROL_JSON_OTHER /* an object */
};

/*
 * The member at path (keys joined by '/') as text in the arena: a string, or
 * how JSON writes a number, true or false; of an array its first member.  It
 * may hold any characters, control characters too.
 */
enum control_json_found control_json_text(const struct json_t *json,
    struct arena *a, const char *path, struct str *out);

/* Takes one member of an object; both texts live in the arena. */
typedef void control_json_member(void *arg, struct str key, struct str value);

/*
 * Calls fn for each member of the object at path ("" for json itself), in
 * their order; arrays and objects in it are given as JSON text, null is left
 * out.
 */
enum control_json_found control_json_each(const struct json_t *json,
    struct arena *a, const char *path, control_json_member *fn, void *arg);

#endif
