/*
 * settings_build.h - from sections to struct settings.  Each value by itself;
 * what they mean together is settings_check.c's.
 */
#ifndef BULKHEAD_BULKHEAD_SETTINGS_BUILD_H
#define BULKHEAD_BULKHEAD_SETTINGS_BUILD_H

#include "bulkhead/settings.h"
#include "bulkhead/settings_read.h"

/*
 * Fills *s, whose arena and file are set, from the top level.  Errors go to
 * the report of root.  The i-th domain, stream and limit of *s are the i-th
 * good sections of root.
 */
void settings_build(struct settings *s, const struct section *root);

#endif
