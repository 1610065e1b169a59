/*
 * rotate.h - what the daemons know of a key, and having them load it.
 */
#ifndef BULKHEAD_CLI_ROTATE_H
#define BULKHEAD_CLI_ROTATE_H

#include "cli/daemon.h"

enum rotate_need {
	ROTATE_HAS,  /* opens what was made with the key */
	ROTATE_FIRST /* and makes new ones with it */
};

enum rotate_state {
	ROTATE_IDLE,   /* it does not run, or needs no such keys */
	ROTATE_SILENT, /* it may run, and cannot be asked */
	ROTATE_LACKS,
	ROTATE_READY
};

struct rotate {
	bool is_return_path;
	bool is_quiet; /* says nothing on stdout */
	uint64_t seconds; /* to wait, at most */
	struct daemon daemons[DAEMONS];
	enum rotate_state states[DAEMONS];
};

/* Asks all daemons, and fills in their states. */
void rotate_look(struct rotate *r, struct arena *a, enum rotate_need need,
    struct str name);

/*
 * Has daemons that lack it load the settings, and waits until none lacks it.
 * EX_OK, whatever the silent ones do; or with a line on stderr EX_NOPERM: may
 * not signal; EX_CONFIG: it refused the settings; EX_TEMPFAIL: too late.
 */
int rotate_wait(struct rotate *r, struct arena *a, enum rotate_need need,
    struct str name);

#endif
