/*
 * drain.h - the end of the milter: what is under way is finished, what would
 * begin is sent away, and nothing lasts longer than 20 s.
 */
#ifndef BULKHEAD_MILTER_DRAIN_H
#define BULKHEAD_MILTER_DRAIN_H

#include "bulkhead/service.h"

/*
 * service_spec's stop(): frees the socket for a successor, lets each session
 * finish its message and answers 421 to its next MAIL.  Returns true when no
 * session is left; false after 20 s or when it was urged.
 */
bool drain_run(struct service *s);

#endif
