/*
 * events.h - what happened to mail: handed to the MTA, opened, clicked, ...
 * One file a day; what is in a file never moves, so that a reader resumes
 * where it stopped.  What they add up to is rollup.h's.
 */
#ifndef BULKHEAD_STORE_EVENTS_H
#define BULKHEAD_STORE_EVENTS_H

#include "base/arena.h"
#include "store/store.h"

#define EVENT_URL_MAX  4096
/* Of each other text; what is longer is cut, and metadata left out. */
#define EVENT_TEXT_MAX 1024

/* The numbers are stored: they never change. */
enum event_kind {
	EVENT_HANDED = 1, /* the milter let it go; the MTA may yet drop it */
	EVENT_OPENED = 2,
	EVENT_CLICKED = 3,
	EVENT_UNSUBSCRIBED = 4,
	EVENT_SUPPRESSED = 5, /* a recipient was refused or removed */
	EVENT_LIMITED = 6,    /* put off or refused by a limit or a pause */
	EVENT_KINDS = 7
};

/* Who did it.  The numbers are stored. */
enum event_verdict {
	EVENT_NOBODY = 0, /* the question does not arise: EVENT_HANDED */
	EVENT_HUMAN = 1,
	EVENT_PREFETCH = 2, /* a mail provider or program, for the reader */
	EVENT_SCANNER = 3,  /* looks for bad links */
	EVENT_UNKNOWN = 4,
	EVENT_VERDICTS = 5
};

/* "handed", "human", ...; NULL for a number that is none. */
const char *event_kind_name(enum event_kind kind);
const char *event_verdict_name(enum event_verdict verdict);
/* 0 with *out set, or -1. */
int event_kind_parse(struct str name, enum event_kind *out);
int event_verdict_parse(struct str name, enum event_verdict *out);

/*
 * One event.  Texts may be empty: not known, or not of this kind.
 *
 * A correction says that an event was judged wrongly: all as in that one (id
 * and at, too), verdict and rule as they should be, and was as they were.  It
 * follows its event in the files; EVENT_NOBODY in was: no correction.
 */
struct event {
	uint64_t id; /* random; 0: store_events_add() chooses one */
	int64_t at;  /* microseconds since 1970 */
	enum event_kind kind;
	enum event_verdict verdict, was;
	struct str rule;	/* that decided: "gmail-proxy" */
	struct str domain;	/* section */
	uint32_t stream;	/* id; 0: none */
	struct str campaign, list;
	/* normal form, or "hash:" and 32 hex digits: event-addresses */
	struct str recipient;
	uint32_t hours;		/* of the token: when the mail was made; 0 */
	struct str url;		/* clicked */
	struct str instance, queue_id, message_id; /* handed */
	/*
	 * suppressed: the reason; limited: the limit or "paused"; unsubscribed:
	 * "one-click" or "page"
	 */
	struct str detail;
	struct str metadata;	/* the application's: a JSON object */
	struct str visitor;	/* "192.0.2.1 Mozilla/5.0 ...": keep-visitors */
};

/*
 * Where a reader is: behind event n (from 1) of a day.  All zero: before the
 * first.  As text "20261123-4711".
 */
struct event_cursor {
	uint32_t day; /* 20261123, UTC */
	uint64_t n;
};

#define EVENT_CURSOR_TEXT 40

void event_cursor_format(const struct event_cursor *c,
    char out[EVENT_CURSOR_TEXT]);
/* 0, or -1 when it is no cursor. */
int event_cursor_parse(struct str s, struct event_cursor *out);

/*
 * Adds them to the file of the day (of the store's clock), all or nothing.
 * STORE_YES: committed; a power failure may take the last ones.  Texts that
 * are too long are cut; recipients become hashes here when as_hash.  STORE_NO:
 * one has a kind or verdict that is none.
 */
enum store_answer store_events_add(struct store *s, const struct event *v,
    size_t n, bool as_hash, int64_t deadline);

/* Empty and 0 mean any. */
struct event_filter {
	unsigned kinds; /* bit 1 << kind */
	struct str domain;
	bool has_stream;
	uint32_t stream;
	struct str campaign;
	struct str recipient; /* normal form; finds its hash, too */
	int64_t until;	      /* microseconds: events before it */
};

/*
 * Calls each() for the events behind *cursor in order, in short read
 * transactions, until there are no more now or each() returns false; *cursor
 * is then behind the last one that was looked at, so that the next call goes
 * on.  Every event is given once to a reader that goes on like this, whoever
 * writes meanwhile.  at: its own cursor.  What retention has taken away is
 * passed over: store_events_oldest() tells.
 */
enum store_answer store_events_walk(struct store *s,
    struct event_cursor *cursor, const struct event_filter *filter,
    bool (*each)(void *arg, const struct event *e,
    const struct event_cursor *at), void *arg);

/*
 * A cursor with no event of that time (microseconds) or later before it, and
 * few earlier ones behind it: events are in the order they were written.
 */
enum store_answer store_events_seek(struct store *s, int64_t at,
    struct event_cursor *out, int64_t deadline);

/* The first day there is; STORE_NO: none. */
enum store_answer store_events_oldest(struct store *s, uint32_t *day,
    int64_t deadline);

/* "hash:..." of a normal form as events have it (HMAC under events.key). */
enum store_answer store_events_hash(struct store *s, struct arena *a,
    struct str recipient, struct str *out, int64_t deadline);

/*
 * Replaces a recipient by its hash in all events, and takes what else could
 * tell who it was (visitor, metadata) from them, and URLs with the address in
 * them from all; nothing of it stays in the files.  In short transactions;
 * done(day, n) after each file, may be NULL.  dry: counts only.
 */
enum store_answer store_events_forget(struct store *s, struct str recipient,
    bool dry, uint64_t *n, void (*done)(void *arg, uint32_t day, uint64_t n),
    void *arg);

/*
 * Unlinks the files of days before that one, rolled up or not; how many.
 * Today's never.
 */
enum store_answer store_events_purge(struct store *s, uint32_t before_day,
    unsigned *nfiles, int64_t deadline);

/* 20261123 of microseconds since 1970, and the first microsecond of a day. */
uint32_t event_day(int64_t micros);
int64_t event_day_start(uint32_t day);

#endif
