/*
 * robot_default.c - conf/robots, built in.  make writes it as an array.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "trackd/robot.h"
#include "trackd/robots_text.inc"

#define ERRORS_MAX 65536

struct robots *
robots_default(void)
{
	struct str text = str_make((const char *)robots_text,
	    sizeof(robots_text));
	struct buf errors;
	struct robots *r;

	buf_init(&errors, ERRORS_MAX);
	r = robots_parse(text, "conf/robots", &errors);
	if (r == NULL)
		abort(); /* make check reads it first */
	buf_free(&errors);
	return r;
}
