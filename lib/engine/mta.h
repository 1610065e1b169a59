/*
 * mta.h - what the engine can tell an MTA at end of message.  The real one is
 * milter/mta_milter.c; mta_memory.h keeps a message as Postfix would and
 * serves preview and tests.
 */
#ifndef BULKHEAD_ENGINE_MTA_H
#define BULKHEAD_ENGINE_MTA_H

#include "base/str.h"
#include "mail/splice.h"

struct mta;

/*
 * Each returns 0, or -1 when the edit could not be sent: the message then
 * gets a temporary failure.  Header values stand without the leading blank,
 * folds as LF.  They are called in the order that Postfix accepts (FACTS must
 * 3): sender, recipients, deletions from the highest index down, changes,
 * additions, body, insertions at the top.
 */
struct mta_ops {
	/* path with its angle brackets; args are ESMTP ("RET=HDRS ...") */
	int (*set_sender)(struct mta *mta, struct str path, struct str args);
	/* as the client spelled it: Postfix compares bytes */
	int (*remove_recipient)(struct mta *mta, struct str raw);
	/* index: 1 for the first of that name as the MTA counts them */
	int (*delete_header)(struct mta *mta, struct str name, unsigned index);
	int (*change_header)(struct mta *mta, struct str name, unsigned index,
	    struct str value);
	int (*add_header)(struct mta *mta, struct str name, struct str value);
	int (*insert_top)(struct mta *mta, struct str name, struct str value);
	int (*replace_body)(struct mta *mta, const struct splices *edits,
	    struct str body);
	/* The reply to the message: "550", "5.7.1", one line of text. */
	int (*set_reply)(struct mta *mta, const char *code, const char *status,
	    const char *text);
};

/* Embed as the first member. */
struct mta {
	const struct mta_ops *ops;
};

#endif
