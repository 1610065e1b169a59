/*
 * pages_private.h - what pages.c and pages_load.c share.
 */
#ifndef BULKHEAD_TRACKD_PAGES_PRIVATE_H
#define BULKHEAD_TRACKD_PAGES_PRIVATE_H

#include "trackd/pages.h"

#define PAGES_LANGUAGES_MAX 40

struct page_template {
	struct str text;
	struct str language; /* empty: the operator's file does not say */
};

struct pages {
	struct arena *arena;
	struct str languages[PAGES_LANGUAGES_MAX]; /* the built-in ones first */
	size_t nlanguages;
	struct page_template pages[PAGE_COUNT][PAGES_LANGUAGES_MAX];
};

#endif
