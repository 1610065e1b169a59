/*
 * claims.h - what must hold of any message that went through the engine.
 * Each function aborts when something does not; they know the settings by
 * world.h alone.
 */
#ifndef BULKHEAD_TESTS_FUZZ_CLAIMS_H
#define BULKHEAD_TESTS_FUZZ_CLAIMS_H

#include "engine/message.h"
#include "engine/mta_memory.h"

/* One message: what came, what was thought of it, what would leave. */
struct outcome {
	struct arena *arena;
	const struct headers *came;
	struct str body;	 /* as it came */
	const struct message *m; /* NULL: not ours */
	enum verdict verdict;
	const struct mta_memory *mta;
};

/* Nothing was changed. */
void claims_same(const struct outcome *o);

/*
 * Fields that came are there, as they were and in order, but for those that
 * may go; only known ones are new, and fit for the wire.
 */
void claims_fields(const struct outcome *o);

/* The new return path is ours and names the recipient. */
void claims_sender(const struct outcome *o);

/*
 * The body differs in text parts alone; these read as the old text with the
 * edits, each of which can be turned back; lines of ours are short.
 */
void claims_body(const struct outcome *o);

/* What a hop may break is in m->hazards. */
void claims_hazards(const struct outcome *o);

/* All signatures are there and good; with referee by libopendkim, too. */
void claims_signatures(const struct outcome *o, bool with_referee);

/* The edits of one part that was text/html: see claims_body(). */
void claims_html(const struct outcome *o, const struct part *part);

#endif
