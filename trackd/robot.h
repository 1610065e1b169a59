/*
 * robot.h - person or robot: rules over method, header set, network and time
 * since sending, from a data file.
 */
#ifndef BULKHEAD_TRACKD_ROBOT_H
#define BULKHEAD_TRACKD_ROBOT_H

#include "store/events.h"
#include "trackd/request.h"

/* All rules, immutable; shared by threads. */
struct robots;

/*
 * The rules in text, named file in messages; NULL with a line for each error,
 * all at once, added to *errors as "FILE:LINE: ...".
 */
struct robots *robots_parse(struct str text, const char *file,
    struct buf *errors);
/* Those of conf/robots, built in; never NULL. */
struct robots *robots_default(void);
void robots_free(struct robots **r);

struct visit {
	const struct request *request;
	enum event_kind kind; /* opened, clicked, unsubscribed */
	uint32_t hours;	      /* of the token; 0: not known */
};

/*
 * The verdict of the first rule that applies, and the rule's name in *rule
 * (lives as long as r); EVENT_HUMAN or EVENT_UNKNOWN where none does.
 */
enum event_verdict robots_judge(const struct robots *r,
    const struct visit *visit, struct str *rule);

#endif
