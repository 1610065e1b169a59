/*
 * suppress_rules.h - the rules that all drivers share: which entry counts,
 * what a change does to the one that is there; for lib/store alone.
 */
#ifndef BULKHEAD_STORE_SUPPRESS_RULES_H
#define BULKHEAD_STORE_SUPPRESS_RULES_H

#include "store/suppress.h"

/* True when a counts before b; neither scope nor life is looked at. */
bool suppress_is_stronger(const struct suppress_entry *a,
    const struct suppress_entry *b);

/* True when it has not expired by then. */
bool suppress_is_live(const struct suppress_entry *e, int64_t now);

/*
 * What a PUT does where an entry of its key is: ADDED (that one had expired)
 * and EXTENDED replace it, ALREADY leaves it.
 */
enum suppress_outcome suppress_put_outcome(const struct suppress_entry *was,
    const struct suppress_entry *put, int64_t now);

/* Orders by address, domain, stream, list, reason. */
int suppress_key_cmp(const struct suppress_entry *a,
    const struct suppress_entry *b);

/* True when a walk with that filter gives the entry. */
bool suppress_matches(const struct suppress_filter *f,
    const struct suppress_entry *e, int64_t now);

/* A copy with all its texts in the arena. */
struct suppress_entry suppress_copy(struct arena *a,
    const struct suppress_entry *e);

/*
 * "@domain" of an address, written to room (SUPPRESS_ADDRESS_MAX bytes); empty
 * when the text is no address or such an entry itself.
 */
struct str suppress_domain_entry(struct str address, char *room);

/* Adds the outcomes to the import's counts. */
void suppress_count(struct suppress_import *import,
    const struct suppress_change *v, size_t n);

/* True when a's life ends no earlier than b's. */
bool suppress_outlasts(const struct suppress_entry *a,
    const struct suppress_entry *b);

struct driver_call;

/* False, with the reason noted, when one of them is not to be stored. */
bool store_changes_are_well(struct driver_call *call,
    const struct suppress_change *v, size_t n);

#endif
