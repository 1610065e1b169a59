/*
 * stages.c - the fixed table of stages and how it is run.
 */
#include "engine/stage.h"

#include "base/clock.h"

const struct stage stage_table[STAGE_COUNT] = {
	{ "select", stage_select },
	{ "admit", stage_admit },
	{ "returnpath", stage_returnpath },
	{ "unsubscribe", stage_unsubscribe },
	{ "track", stage_track },
	{ "complete", stage_complete },
	{ "encode", stage_encode },
	{ "sign", stage_sign },
	{ "charge", stage_charge },
};

void
stages_run(struct message *m, struct metrics *metrics)
{
	int64_t start = clock_monotonic();

	for (unsigned i = 0; i < STAGE_COUNT; i++) {
		enum stage_result result = stage_table[i].run(m);
		int64_t now = clock_monotonic();

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
