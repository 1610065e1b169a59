/*
 * events_metadata.c - an application's metadata, as JSON in one line.
 */
#include "cli/events.h"

#include <jansson.h>
#include <stdlib.h>

bool
events_metadata(struct buf *out, struct str text)
{
	json_t *object;
	char *line = NULL;
	bool is_well;

	if (text.n == 0)
		return false;
	object = json_loadb(text.p, text.n, 0, NULL);
	if (json_is_object(object))
		line = json_dumps(object, JSON_COMPACT);
	is_well = line != NULL && buf_puts(out, line) == 0;
	free(line);
	json_decref(object);
	return is_well;
}
