/*
 * stage.h - the stages that make a message sendable, in their fixed order.
 */
#ifndef BULKHEAD_ENGINE_STAGE_H
#define BULKHEAD_ENGINE_STAGE_H

#include "bulkhead/metrics.h"
#include "engine/message.h"

enum stage_result {
	STAGE_NEXT, /* go on */
	STAGE_STOP  /* m->verdict says it all */
};

struct stage {
	const char *name;
	enum stage_result (*run)(struct message *m);
	bool for_bare; /* also for mail of ours that passes as it came */
};

/*
 * Runs all stages; m->verdict holds the outcome.  Each run, how long it took
 * and whether it was the last are counted in metrics, which may be NULL, under
 * the stage's place in the table.
 */
#define STAGE_COUNT 9
void stages_run(struct message *m, struct metrics *metrics);
extern const struct stage stage_table[STAGE_COUNT];

/* The name of the stage at that place; NULL behind the last. */
const char *stage_name(unsigned place);

/* Whose mail, which stream, which domain.  ARCHITECTURE section 3. */
enum stage_result stage_select(struct message *m);

/*
 * Asks policyd who may get it: suppressed recipients are removed, a message
 * that has none left is refused or dropped as its stream says.
 */
enum stage_result stage_admit(struct message *m);

/* A return path that names stream and recipient. */
enum stage_result stage_returnpath(struct message *m);

/* List-Unsubscribe, -Post (RFC 8058), Feedback-ID, CFBL-Address, places. */
enum stage_result stage_unsubscribe(struct message *m);

/* Links and the open pixel in HTML parts. */
enum stage_result stage_track(struct message *m);

/* Date and Message-ID where they are missing. */
enum stage_result stage_complete(struct message *m);

/* Renders the parts; names what a later hop may break. */
enum stage_result stage_encode(struct message *m);

/* DKIM signatures over what will leave. */
enum stage_result stage_sign(struct message *m);

/* The last step: all limits are charged for whom is left, or none. */
enum stage_result stage_charge(struct message *m);

#endif
