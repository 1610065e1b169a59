/*
 * forgetful_vfs.h - a VFS of SQLite that, at a chosen moment, does to the
 * files what a power failure does: what was not synced is lost, or a part of
 * it.  For one process that ends with it.
 */
#ifndef BULKHEAD_TESTS_FORGETFUL_VFS_H
#define BULKHEAD_TESTS_FORGETFUL_VFS_H

#include <stdint.h>

/* The exit status of a process whose power went. */
#define FORGETFUL_EXIT 42

/* Which of the syncs that were asked for reach the disk. */
enum forgetful_syncs {
	FORGETFUL_HONEST,
	FORGETFUL_NO_WAL, /* all but the logs': as synchronous = NORMAL */
	FORGETFUL_NONE	  /* as synchronous = OFF */
};

struct forgetful {
	enum forgetful_syncs syncs;
	/* The power goes before this write, sync, truncation or deletion. */
	unsigned cut_at;
	uint64_t seed; /* what of the unsynced is kept, and in what pieces */
};

/* Makes it the default VFS of this process. */
void forgetful_install(const struct forgetful *how);

/* The power goes now, whatever cut_at says.  Does not return. */
void forgetful_cut(void) __attribute__((noreturn));

#endif
