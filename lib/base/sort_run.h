/*
 * sort_run.h - sorts an index of byte strings that are all in memory.
 */
#ifndef BULKHEAD_BASE_SORT_RUN_H
#define BULKHEAD_BASE_SORT_RUN_H

#include <stddef.h>
#include <stdint.h>

/* A string of text: length bytes at an offset. */
struct sort_item {
	uint64_t word; /* for sort_run() alone */
	uint32_t offset, length;
};

/* Puts the n items into the order of str_cmp() over their bytes. */
void sort_run(const char *text, struct sort_item *v, size_t n);

#endif
