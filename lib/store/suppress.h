/*
 * suppress.h - who must not get mail, and why.  An entry's key is (address,
 * scope, reason); of the live entries that apply to a mail the strongest one
 * counts, so no entry ever weakens another.
 */
#ifndef BULKHEAD_STORE_SUPPRESS_H
#define BULKHEAD_STORE_SUPPRESS_H

#include "base/arena.h"
#include "store/store.h"

#define SUPPRESS_ADDRESS_MAX  320 /* RFC 5321: 64 + "@" + 255 */
#define SUPPRESS_LABEL_MAX    255 /* list key, source, actor */
#define SUPPRESS_EVIDENCE_MAX 500

/* Strongest first.  The numbers are stored: they never change. */
enum suppress_reason {
	SUPPRESS_COMPLAINT = 1,
	SUPPRESS_UNSUBSCRIBE = 2,
	SUPPRESS_MANUAL = 3,
	SUPPRESS_HARD_BOUNCE = 4,
	SUPPRESS_IMPORT = 5,
	SUPPRESS_SOFT_BOUNCES = 6
};

/* "hard-bounce" and so on; NULL for a number that is none. */
const char *suppress_reason_name(enum suppress_reason reason);
/* 0 with *out set, or -1. */
int suppress_reason_parse(struct str name, enum suppress_reason *out);

/*
 * Where an entry holds.  All empty: global.  Each part narrows it: the name of
 * a domain section, a stream's id (0: all) within it, a list key within that.
 */
struct suppress_scope {
	struct str domain; /* lower case */
	uint32_t stream;   /* hash_id32(title) */
	struct str list;
};

/* True when an entry of scope e applies to mail of scope m. */
bool suppress_scope_applies(const struct suppress_scope *e,
    const struct suppress_scope *m);

struct suppress_entry {
	/* addr_normal(), or "@" and a domain: exactly that domain. */
	struct str address;
	struct suppress_scope scope;
	enum suppress_reason reason;
	int64_t created, expires; /* seconds since 1970; expires 0: never */
	struct str source;   /* who says so: "cli", "import", "trackd", ... */
	struct str evidence; /* "550 5.1.1 no such user"; one line, or empty */
	uint64_t import;     /* of which it came; 0: of none */
};

/*
 * The normal form of an address or "@domain" as entries have it, in the
 * arena; empty when the text is neither.  Blanks around it and the angle
 * brackets of a path are taken off.
 */
struct str suppress_normal(struct arena *a, struct str text);

/*
 * Text as evidence, source, list key or actor may have it: one line, cut to
 * SUPPRESS_EVIDENCE_MAX octets (cut labels yourself: a list key that was cut
 * would be another list).  In the arena.
 */
struct str suppress_line(struct arena *a, struct str text);

/* Why the store would not take the entry (STORE_NO); NULL: it would. */
const char *suppress_fault(const struct suppress_entry *e);

struct suppress_query {
	struct str address;	     /* normal form */
	struct suppress_scope scope; /* of the mail */
	/* what was found */
	enum store_answer answer;
	struct suppress_entry entry; /* STORE_YES: the strongest, in arena */
};

/*
 * Looks all up as one batch, in one snapshot: one seek each, one more for the
 * domain while any "@domain" entry exists.  Expired entries do not count.
 * Ties: the stronger reason, the wider scope, the older entry.
 */
void store_suppress_find(struct store *s, struct arena *a,
    struct suppress_query *v, size_t n, int64_t deadline);

/*
 * A sieve of all addresses that have entries answers most look-ups, those of
 * addresses without any, at the same cost whatever the length of the list: two
 * octets of memory an address.  Look-ups give the same answers with it and
 * without; what others add counts at once.
 */
struct suppress_sieve;

/*
 * Makes one: reads the whole list, seconds for ten million, so by a handle and
 * a thread of their own.  NULL: the driver has no use for one, it did not
 * succeed (store_error()), or *stop became true.
 */
struct suppress_sieve *store_suppress_make_sieve(struct store *s,
    const atomic_bool *stop, int64_t deadline);

/* *s becomes NULL, a NULL *s is fine. */
void suppress_sieve_free(struct suppress_sieve **s);

/*
 * Look-ups by this handle use it from now on; it is the handle's, *sieve
 * becomes NULL.  One that does not fit is dropped, at once or when that shows.
 */
void store_suppress_use_sieve(struct store *s, struct suppress_sieve **sieve);

/* True: look-ups would be faster with one, or with a new one. */
bool store_suppress_wants_sieve(const struct store *s);

enum suppress_what { SUPPRESS_PUT, SUPPRESS_REMOVE };

enum suppress_outcome {
	SUPPRESS_ADDED,
	SUPPRESS_EXTENDED, /* one was there and now lasts longer */
	SUPPRESS_ALREADY,  /* one is there that lasts as long: left alone */
	SUPPRESS_REMOVED,
	SUPPRESS_ABSENT	   /* nothing of that key to remove */
};

/*
 * PUT of a key whose live entry lasts at least as long leaves it as it is;
 * else it takes its place.  REMOVE takes the entry of exactly that key away
 * (expired or not).  What a change takes away goes to the history.
 */
struct suppress_change {
	enum suppress_what what;
	struct suppress_entry entry;
	struct str actor; /* for the history: a user's or program's name */
	bool is_exact; /* REMOVE: only if it was created at entry.created */
	enum suppress_outcome outcome; /* when the answer is STORE_YES */
};

/*
 * All or nothing, durable when STORE_YES is answered; after STORE_UNKNOWN it
 * may or may not have happened, and doing it again is harmless.  STORE_NO:
 * one of them is no entry (store_error() says which and why); nothing is
 * changed.
 */
enum store_answer store_suppress_change(struct store *s,
    struct suppress_change *v, size_t n, int64_t deadline);

/* What a walk is to give; empty and 0 mean any. */
struct suppress_filter {
	struct str address;	/* exactly */
	struct str rcpt_domain; /* of the address, "@domain" too */
	const struct suppress_scope *scope; /* exactly; NULL: any */
	enum suppress_reason reason;
	struct str source;
	uint64_t import;
	int64_t since, until; /* created in [since, until) */
	bool with_expired;
};

/*
 * Calls each() for the entries in order of (address, scope, reason), in short
 * read transactions, so that nobody waits and an entry that is there all the
 * while is given exactly once.  each() returns false to end.  STORE_YES when
 * all were given or each() ended it.
 */
enum store_answer store_suppress_walk(struct store *s,
    const struct suppress_filter *filter,
    bool (*each)(void *arg, const struct suppress_entry *e), void *arg);

/* A line of the history: what was taken away or changed, when, by whom. */
struct suppress_event {
	int64_t at;
	struct str actor;
	enum suppress_what what; /* PUT: it was replaced by a longer one */
	uint64_t import;	 /* that replaced or undid it; 0: none */
	struct suppress_entry entry; /* as it was */
};

/* Of that address, oldest first; no more than the newest 10,000. */
enum store_answer store_suppress_history(struct store *s, struct str address,
    bool (*each)(void *arg, const struct suppress_event *e), void *arg);

/*
 * Calls each() for the removals since then, oldest first, whose key has no
 * entry now: what somebody who copies the list is to take off it.  In short
 * read transactions; a key that was removed twice may be given twice.  each()
 * returns false to end.
 */
enum store_answer store_suppress_removed(struct store *s, int64_t since,
    bool (*each)(void *arg, const struct suppress_event *e), void *arg);

/*
 * Imports.  begin gives a new id; its entries are PUT with entry.import = id,
 * sorted by address where they are many; progress and the end are kept, so
 * that one that was cut short can go on.
 */
struct suppress_import {
	uint64_t id;
	int64_t started, ended; /* ended 0: cut short or under way */
	struct str source;	/* file name and format, for people */
	struct str fingerprint; /* of the input, to find it again */
	uint64_t nadded, nextended, nalready, nrefused;
	uint64_t position; /* of the sorted input: done up to here */
	bool is_undone;
};

/* Fills id and, where it is 0, started. */
enum store_answer store_import_begin(struct store *s,
    struct suppress_import *import, int64_t deadline);
/*
 * One slice: the changes (whose entries get the import's id) and the import's
 * new counts and position, in one transaction.  The counts of added, extended
 * and already are the store's to do: on STORE_YES they have grown in *import,
 * else *import is as it was.  STORE_NO: as store_suppress_change(), or the
 * import is unknown or was undone.
 *
 * Durable by store_import_end(), or any other change that is: until then a
 * power failure may take the last slices, and the position with them.
 */
enum store_answer store_import_slice(struct store *s,
    struct suppress_import *import, struct suppress_change *v, size_t n,
    int64_t deadline);
enum store_answer store_import_end(struct store *s,
    struct suppress_import *import, int64_t deadline);
enum store_answer store_import_walk(struct store *s,
    bool (*each)(void *arg, const struct suppress_import *i), void *arg);
/*
 * Takes exactly the entries of that import away, in slices, and puts back what
 * it had replaced, unless that was an import's that is undone itself: then
 * what lay beneath that.  What was removed by hand since stays away.  STORE_NO:
 * there is no such import.  Counts in *nremoved and *nrestored.  One that was
 * cut short is finished by doing it again.
 */
enum store_answer store_import_undo(struct store *s, uint64_t id,
    struct str actor, uint64_t *nremoved, uint64_t *nrestored);

/*
 * Takes away up to max entries (and old history) that expired before now; for
 * a slow background job.  *more says whether to come again.
 */
enum store_answer store_suppress_purge(struct store *s, size_t max, bool *more,
    int64_t deadline);

#endif
