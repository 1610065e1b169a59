/*
 * http_call.h - one request of a connection, from its first line to the end of
 * its answer.
 */
#ifndef BULKHEAD_TRACKD_HTTP_CALL_H
#define BULKHEAD_TRACKD_HTTP_CALL_H

#include <microhttpd.h>

#include "trackd/durable.h"
#include "trackd/lines.h"
#include "trackd/world.h"

/* What all calls share. */
struct http_calls {
	struct metrics *metrics;
	struct worlds *worlds;
	struct durable *durable;
	atomic_bool is_draining;
	atomic_bool is_ending; /* nothing may begin to wait for the disk */
	_Atomic size_t nwaiting; /* for the disk */
};

struct http_call;

/* uri: as it came, with its query; copied. */
struct http_call *http_call_new(struct http_calls *all, struct line *line,
    const char *uri);
void http_call_free(struct http_call **c);

/* As MHD_AccessHandlerCallback has it. */
enum MHD_Result http_call_step(struct http_call *c,
    struct MHD_Connection *connection, const char *method,
    const char *version, const char *data, size_t *size);

#endif
