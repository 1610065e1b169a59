/*
 * milter_edited.h - a message with a milter's edits applied, as Postfix's
 * cleanup applies them to its queue file.
 */
#ifndef BULKHEAD_TESTS_MILTER_EDITED_H
#define BULKHEAD_TESTS_MILTER_EDITED_H

#include "base/buf.h"
#include "tests/tools/milter_client.h"

#define MILTER_EDITED_MAX (256 * 1024 * 1024)

struct milter_edited {
	struct arena *arena;
	struct milter_field {
		struct str name, value; /* the value with its leading blank */
	} *fields;
	size_t nfields, cap;
	struct buf body;	/* what came in its place */
	bool has_body;
	struct str sender, args; /* empty p when kept */
	bool *removed;		 /* of the mail's recipients */
	const struct milter_mail *mail;
};

/* The message before any edit; borrows mail until milter_edited_free(). */
void milter_edited_init(struct milter_edited *m,
    const struct milter_mail *mail);
void milter_edited_free(struct milter_edited *m);

/*
 * One edit, see milter_edit_fn.  has_leadspc: values bring their blank.
 * False when the packet is not what Postfix takes.
 */
bool milter_edited_apply(struct milter_edited *m, char command,
    struct str data, bool has_leadspc);

/*
 * Writes the message with CRLF to path and its envelope to path.env: lines
 * sender=, args=, recipient=.  0, or -1 with errno.
 */
int milter_edited_write(const struct milter_edited *m, const char *path);

#endif
