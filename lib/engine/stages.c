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
stages_run(struct message *m, int64_t *micros)
{
	for (size_t i = 0; i < STAGE_COUNT; i++) {
		int64_t start = micros ? clock_thread_cpu() : 0;
		enum stage_result result = stage_table[i].run(m);

		if (micros != NULL)
			micros[i] += clock_thread_cpu() - start;
		if (result == STAGE_STOP)
			return;
	}
}
