/*
 * metrics_help.h - what each counter counts, in one line, and which daemons
 * count it.
 */
#ifndef BULKHEAD_BULKHEAD_METRICS_HELP_H
#define BULKHEAD_BULKHEAD_METRICS_HELP_H

#include "bulkhead/metrics.h"

/* One line without a backslash, for HELP: "Messages that ended". */
const char *metric_help(enum metric which);

/* Does the daemon of that name count it?  Always true for other names. */
bool metric_is_of(enum metric which, const char *program);

#endif
