/*
 * control_rule.h - the table of control fields and the shapes their values
 * have.  For lib/engine/control*.c alone: callers use control.h.
 */
#ifndef BULKHEAD_ENGINE_CONTROL_RULE_H
#define BULKHEAD_ENGINE_CONTROL_RULE_H

#include "engine/control.h"

/* Whose field it is: ours are heard first, general ones last. */
enum control_rank {
	CONTROL_SERVICE, /* a service's, for one purpose */
	CONTROL_OURS,	 /* X-Bulkhead- */
	CONTROL_GENERAL	 /* a service's, for several */
};

/* Where a single text goes. */
enum control_slot {
	CONTROL_NOWHERE,
	CONTROL_STREAM,
	CONTROL_CAMPAIGN,
	CONTROL_LIST
};

/* What a switch is about, bits. */
#define CONTROL_CLICKS 1u
#define CONTROL_OPENS  2u

/* A word and what it says of clicks and opens; CONTROL_UNSET: nothing. */
struct control_word {
	const char *word;
	enum control_switch clicks, opens;
};

/* A member of a JSON value: just one of the last three is set. */
struct control_member {
	const char *path; /* keys joined by '/'; "" for the value itself */
	enum control_slot slot;
	unsigned track; /* CONTROL_CLICKS, CONTROL_OPENS */
	bool is_metadata;
};

struct control_reader {
	struct control *c;
	struct arena *arena;
	struct buf *problems;
	struct str name;    /* of the field at hand, as the table spells it */
	unsigned nproblems; /* lines so far */
	size_t cap;	    /* of c->metadata */
};

struct control_rule {
	const char *name;
	bool is_prefix;
	bool is_trace; /* no control field although a prefix covers it */
	enum control_rank rank;

	/*
	 * Reads a value, unfolded and trimmed, of the field called name; NULL
	 * for fields that say nothing to us.
	 */
	void (*read)(struct control_reader *r, const struct control_rule *rule,
	    struct str name, struct str value);

	/* What read needs to know; each shape uses its own. */
	enum control_slot slot;
	unsigned track;
	const struct control_word *words;
	const struct control_member *members;
	const char *key;    /* of metadata */
	const char *unless; /* JSON member that makes us leave the rest */
	char between;	    /* separator of a list */
	char equals;	    /* between key and value */
};

/* The rule for a field of that name (ASCII case folded), or NULL. */
const struct control_rule *control_rule_find(struct str name);

/* Yes and no as services write them; ends with a NULL word. */
extern const struct control_word control_yes_no[];

/*
 * The shapes, values of control_rule.read.  What they find goes into r->c
 * through the functions below them, what is wrong into r->problems.
 */

/* The value as it stands, to rule->slot. */
void control_read_text(struct control_reader *r,
    const struct control_rule *rule, struct str name, struct str value);

/* The first member of a list, to rule->slot. */
void control_read_first(struct control_reader *r,
    const struct control_rule *rule, struct str name, struct str value);

/* One word of rule->words, for what rule->track names. */
void control_read_switch(struct control_reader *r,
    const struct control_rule *rule, struct str name, struct str value);

/* A list of words that is complete: what it does not name is off. */
void control_read_switches(struct control_reader *r,
    const struct control_rule *rule, struct str name, struct str value);

/* "key=value" repeated, to the metadata. */
void control_read_pairs(struct control_reader *r,
    const struct control_rule *rule, struct str name, struct str value);

/* One value of metadata; the key is rule->key, or what follows the prefix. */
void control_read_value(struct control_reader *r,
    const struct control_rule *rule, struct str name, struct str value);

/* Amazon's "contactListName=NAME; topicName=TOPIC", to the list. */
void control_read_topic(struct control_reader *r,
    const struct control_rule *rule, struct str name, struct str value);

/* A JSON object whose rule->members are read. */
void control_read_json(struct control_reader *r,
    const struct control_rule *rule, struct str name, struct str value);

/* A field under a prefix of our own that we do not know: a problem. */
void control_read_unknown(struct control_reader *r,
    const struct control_rule *rule, struct str name, struct str value);

/*
 * The setters.  Each cleans and copies what it is given into the arena and
 * leaves alone what was set before.
 */
void control_set_text(struct control_reader *r, enum control_slot slot,
    struct str text);
void control_set_track(struct control_reader *r, unsigned track,
    enum control_switch clicks, enum control_switch opens);
void control_add_pair(struct control_reader *r, struct str key,
    struct str value);

/* Adds "FIELD: what is wrong" to the problems, as long as there are few. */
void control_problem(struct control_reader *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* s, or a copy with each control character made a blank; trimmed. */
struct str control_clean(struct arena *a, struct str s);

#endif
