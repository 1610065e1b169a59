/*
 * wish_spool_private.h - what the files of the wish spool share.
 */
#ifndef BULKHEAD_TRACKD_WISH_SPOOL_PRIVATE_H
#define BULKHEAD_TRACKD_WISH_SPOOL_PRIVATE_H

#include <stdatomic.h>
#include <sys/types.h>

#include "trackd/wish_spool.h"

#define WISH_NAME_MAX 64
#define WISH_SUFFIX   ".wishes"

struct wish_file {
	char name[WISH_NAME_MAX];
	uint64_t n;	/* records */
	off_t done;	/* octets that are in the store */
	off_t reading;	/* where wish_spool_next() stopped */
	bool is_damaged;
};

struct wish_spool {
	struct arena *arena;
	const char *directory;
	int lock; /* of the directory; -1: another has it */
	struct wish_file *v; /* oldest first; the active one is the last */
	size_t n, cap;
	int active; /* the descriptor of the last of v; -1: there is none */
	off_t active_size; /* of it, what is durable */
	unsigned nmade;
	bool has_failed, is_second; /* logged */
	_Atomic uint64_t waiting;
};

/* "DIRECTORY/NAME", for one call: in the arena a. */
const char *wish_path(const struct wish_spool *s, struct arena *a,
    const char *name);

/* Makes what was made, renamed or removed in the directory durable. */
int wish_sync_directory(const struct wish_spool *s);

struct wish_file *wish_add_file(struct wish_spool *s, const char *name);
void wish_drop_file(struct wish_spool *s, size_t i);

/* The active file becomes one like the others. */
void wish_seal(struct wish_spool *s);

#endif
