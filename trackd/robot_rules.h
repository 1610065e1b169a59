/*
 * robot_rules.h - rules as robot_parse.c reads them and robot.c applies them.
 * Nothing else includes it.
 */
#ifndef BULKHEAD_TRACKD_ROBOT_RULES_H
#define BULKHEAD_TRACKD_ROBOT_RULES_H

#include "trackd/robot.h"

#define ROBOT_NAMES	64   /* of header fields: a bit of a word each */
#define ROBOT_NAME_MAX	64   /* octets of such a name */
#define ROBOT_RULES_MAX 2000
#define ROBOT_AGENT_MAX 1024 /* further octets of an agent are not looked at */

/* Names that every set of rules has, by their place. */
#define ROBOT_USER_AGENT 0
#define ROBOT_ACCEPT	 1

#define ROBOT_GRAMS	4
#define ROBOT_GRAM_BITS 4096
#define ROBOT_NO_GRAM	ROBOT_GRAM_BITS /* a bit that is always set */

/*
 * Groups of three octets that a text must have to match: few browsers' agents
 * have those of a robot's name, so that few patterns are tried at all.
 */
struct robot_glob {
	struct str pattern;
	unsigned name; /* of the header field */
	unsigned ngrams;
	uint16_t grams[ROBOT_GRAMS];
};

struct robot_rule {
	struct str name;
	enum event_verdict verdict;
	unsigned kinds;	   /* bit 1 << kind; 0: any */
	uint64_t need, no; /* fields, by the bit of their name */
	struct str method; /* empty: any */
	uint64_t below, above; /* seconds since sending; 0: any */
	struct robot_glob *agents, *headers;
	size_t nagents, nheaders;
	struct net_cidr *nets; /* one of them; none: any */
	size_t nnets;
	unsigned line;
};

/* What a rule wants at least: bits to compare, and no more. */
struct robot_front {
	uint64_t need, no;
	unsigned kinds;
	uint16_t grams[ROBOT_GRAMS]; /* of the first agent: */
};

struct robots {
	struct arena *arena;
	struct robot_rule *v;
	struct robot_front *fronts; /* of each rule */
	size_t n, cap;
	struct str names[ROBOT_NAMES];
	size_t nnames;
	uint64_t by_length[ROBOT_NAME_MAX + 1]; /* names of that length */
};

/* The bit number of three octets, any case. */
static inline unsigned
robot_gram(const char *p)
{
	uint32_t x = (uint32_t)(unsigned char)str_lower(p[0]) << 16 |
	    (uint32_t)(unsigned char)str_lower(p[1]) << 8 |
	    (unsigned char)str_lower(p[2]);

	return x * UINT32_C(2654435761) >> 20;
}

#endif
