/*
 * answer.c - the one answer to whatever is not there, or not for you.
 */
#include "trackd/track.h"

void
answer_not_found(struct answer *a)
{
	*a = (struct answer){
		.status = 404,
		.type = STR("text/plain; charset=utf-8"),
		.body = STR("Not found\n"),
	};
}
