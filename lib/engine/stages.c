/*
 * stages.c - the fixed table of stages and how it is run.
 */
#include "engine/stage.h"

#include "base/clock.h"

const struct stage stage_table[STAGE_COUNT] = {
	{ "select", stage_select, true },
	{ "admit", stage_admit, true },
	{ "returnpath", stage_returnpath, false },
	{ "unsubscribe", stage_unsubscribe, false },
	{ "track", stage_track, false },
	{ "complete", stage_complete, false },
	{ "encode", stage_encode, false },
	{ "sign", stage_sign, false },
	{ "charge", stage_charge, true },
};

void
stages_run(struct message *m, struct metrics *metrics)
{
	int64_t start = clock_monotonic();

	for (unsigned i = 0; i < STAGE_COUNT; i++) {
		enum stage_result result;
		int64_t now;

		if (m->is_bare && !stage_table[i].for_bare)
			continue;
		result = stage_table[i].run(m);
		now = clock_monotonic();
		metrics_add_stage(metrics, i, (uint64_t)(now - start),
		    result == STAGE_STOP);
		if (result == STAGE_STOP || m->shortage != SHORTAGE_NONE)
			return;
		start = now;
	}
}

const char *
stage_name(unsigned place)
{
	return place < STAGE_COUNT ? stage_table[place].name : NULL;
}
