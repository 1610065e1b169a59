/*
 * page_open.c - the pixel: 43 octets that nobody sees.
 */
#include "trackd/track.h"

/* A transparent GIF89a of one by one, the shortest that all programs show. */
static const char pixel[43] = {
	'G', 'I', 'F', '8', '9', 'a', 1, 0, 1, 0, (char)0x80, 0, 0, 0, 0, 0,
	(char)0xff, (char)0xff, (char)0xff, '!', (char)0xf9, 4, 1, 0, 0, 0, 0,
	',', 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 'D', 1, 0, ';'
};

void
page_open(const struct track *t, const struct request *r, struct str text,
    struct answer *a)
{
	struct token token;

	if (request_token(r, TOKEN_OPEN, text, &token) != 0) {
		answer_not_found(a);
		return;
	}
	track_visit(t, r, EVENT_OPENED, &token, STR(""));
	metrics_add(t->metrics, METRIC_OPENS, 1);
	a->status = 200;
	a->type = STR("image/gif");
	a->body = str_make(pixel, sizeof(pixel));
}
