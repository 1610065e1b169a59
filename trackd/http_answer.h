/*
 * http_answer.h - an answer as libmicrohttpd sends it.
 */
#ifndef BULKHEAD_TRACKD_HTTP_ANSWER_H
#define BULKHEAD_TRACKD_HTTP_ANSWER_H

#include <microhttpd.h>

#include "trackd/request.h"

/*
 * Queues it; its texts must live until it was sent.  is_last: the connection
 * is closed behind it.
 */
enum MHD_Result http_answer_queue(struct MHD_Connection *connection,
    struct arena *arena, const struct answer *a, bool is_last);

#endif
