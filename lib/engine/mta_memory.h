/*
 * mta_memory.h - an MTA in memory that applies edits as Postfix does: for
 * preview, which writes what it holds, and for tests.
 */
#ifndef BULKHEAD_ENGINE_MTA_MEMORY_H
#define BULKHEAD_ENGINE_MTA_MEMORY_H

#include "base/arena.h"
#include "base/buf.h"
#include "engine/message.h"
#include "engine/mta.h"

struct mta_field {
	struct str name, value; /* value verbatim, leading blank included */
};

struct mta_memory {
	struct mta mta;
	struct arena *arena;
	struct mta_field *fields;
	size_t nfields, cap;
	struct str body;
	struct str sender, sender_args; /* empty: unchanged */
	struct str *removed;		/* recipients */
	size_t nremoved, cap_removed;
	struct reply reply; /* code empty: none */
	bool body_replaced;
};

/* Empty; everything will live in the arena. */
void mta_memory_init(struct mta_memory *m, struct arena *a);

/* One field and the body as they came; copied and borrowed. */
void mta_memory_header(struct mta_memory *m, struct str name, struct str value);
void mta_memory_body(struct mta_memory *m, struct str body);

/*
 * The message as it would leave, with line ends as given ("\r\n" or "\n"; the
 * body is expected with CRLF).  0, or -1 when out failed.
 */
int mta_memory_write(const struct mta_memory *m, const char *eol,
    struct buf *out);

#endif
