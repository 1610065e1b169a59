/*
 * checks.c - the order of the checks: what needs no store first; nothing is
 * charged that another one refuses.
 */
#include "policyd/check.h"

const struct check *const checks[] = {
	&check_domain,
	&check_pause,
	&check_suppress,
	&check_rate,
	NULL,
};
