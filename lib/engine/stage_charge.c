/*
 * stage_charge.c - the last step, which will charge all limits through
 * policyd.  A seam: it accepts until there is one.
 */
#include "engine/stage.h"

enum stage_result
stage_charge(struct message *m)
{
	m->verdict = VERDICT_ACCEPT;
	return STAGE_NEXT;
}
