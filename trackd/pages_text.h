/*
 * pages_text.h - the built-in pages as templates, and what they say in each
 * language; for pages.c alone.
 */
#ifndef BULKHEAD_TRACKD_PAGES_TEXT_H
#define BULKHEAD_TRACKD_PAGES_TEXT_H

#include "trackd/pages.h"

#define PAGES_LANGUAGES 5 /* built in; the first one is English */

/* "de" */
struct str pages_text_language(size_t language);

/* A template. */
struct str pages_text_page(struct arena *a, enum page page, size_t language);

/* A sentence as a template; empty for MESSAGE_NONE. */
struct str pages_text_message(size_t language, enum page_message message);

#endif
