/*
 * settings_limit.h - from limit sections to struct settings; for
 * settings_build.c alone.
 */
#ifndef BULKHEAD_BULKHEAD_SETTINGS_LIMIT_H
#define BULKHEAD_BULKHEAD_SETTINGS_LIMIT_H

#include "bulkhead/settings.h"
#include "bulkhead/settings_read.h"

/* Fills the limits of *s, whose streams are there. */
void build_limits(struct settings *s, const struct section *root);

#endif
