/*
 * instances.h - what is remembered of smtpd's messages under way, by their
 * `instance`: recipients that got DUNNO, and what they cost.  Bounded: the
 * ones untouched for longest go first.
 */
#ifndef BULKHEAD_POLICYD_INSTANCES_H
#define BULKHEAD_POLICYD_INSTANCES_H

#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

#define INSTANCES_MAX	65536
/* And octets of what is remembered of them. */
#define INSTANCES_OCTETS ((size_t)256 * 1024 * 1024)
/* Seconds; a client may take its time between two commands. */
#define INSTANCES_LIFE	600
/* Recipients of one message that are told apart; Postfix takes 1,000. */
#define INSTANCE_RCPT_MAX 50000

struct instances;
struct instance;

/* Remembers up to max messages, in about that many octets. */
struct instances *instances_new(size_t max, size_t octets);
void instances_free(struct instances **t);

/*
 * The message of that name, or NULL.  What is returned lives until the next
 * instances_make() or instances_expire().
 */
struct instance *instances_find(struct instances *t, struct str name);

/* The same, made if there is none. */
struct instance *instances_make(struct instances *t, struct str name,
    int64_t now);

/* Forgets what was not touched for INSTANCES_LIFE; now in seconds. */
void instances_expire(struct instances *t, int64_t now);

/* Was that recipient noted? */
bool instance_has(const struct instance *i, struct str recipient);

/* Notes one; keeps its text if asked to, else only that it was there. */
void instance_add(struct instance *i, struct str recipient, bool keep_text);

/* How many were noted; up to max of their texts, as far as they were kept. */
size_t instance_recipients(const struct instance *i, struct str *out,
    size_t max);

/* What the recipients so far cost of a bucket, and that one more does. */
uint64_t instance_cost(const struct instance *i, struct str bucket);
void instance_charge(struct instance *i, struct str bucket, uint64_t cost);

#endif
