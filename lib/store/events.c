/*
 * events.c - the calls of events.h: checked, cut, hashed, handed to the
 * driver; walks piece by piece.  Names, cursors and days are events_text.c's.
 */
#include "store/events.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "store/store_private.h"

static bool
is_well(const struct event *e)
{
	return event_kind_name(e->kind) != NULL &&
	    event_verdict_name(e->verdict) != NULL &&
	    event_verdict_name(e->was) != NULL;
}

/* The key is asked for once; STORE_NO: there is none. */
static enum store_answer
find_mac(struct store *s, enum store_access access, int64_t deadline)
{
	unsigned char key[SHA256_SIZE] = { 0 };
	enum store_answer answer;
	struct driver_call call;
	struct driver *d;

	if (s->event_mac != NULL)
		return STORE_YES;
	d = store_enter(s, STORE_EVENTS, access, deadline, &call);
	if (d == NULL)
		return STORE_UNKNOWN;
	answer = store_leave(s, STORE_EVENTS, &call,
	    d->ops->events->key(d, &call, key));
	if (answer == STORE_YES)
		s->event_mac = hash_mac_new(str_make((char *)key,
		    sizeof(key)));
	explicit_bzero(key, sizeof(key));
	return answer;
}

static bool
is_hash(struct str recipient)
{
	return str_starts(recipient, STR("hash:"));
}

static struct str
hash_of(const struct store *s, struct arena *a, struct str recipient)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char mac[SHA256_SIZE];
	char *out = arena_bytes(a, EVENT_HASH_TEXT);

	hash_mac(s->event_mac, recipient, mac);
	memcpy(out, "hash:", 5);
	for (size_t i = 5; i < EVENT_HASH_TEXT; i++) {
		unsigned char octet = mac[(i - 5) / 2];

		out[i] = hex[i & 1 ? octet >> 4 : octet & 15];
	}
	return str_make(out, EVENT_HASH_TEXT);
}

enum store_answer
store_events_hash(struct store *s, struct arena *a, struct str recipient,
    struct str *out, int64_t deadline)
{
	enum store_answer answer;

	*out = recipient;
	if (is_hash(recipient))
		return STORE_YES;
	answer = find_mac(s, s->access, deadline);
	if (answer == STORE_YES)
		*out = hash_of(s, a, recipient);
	return answer;
}

/* Ids for those that have none; false: the system has no random numbers. */
static bool
choose_ids(struct event *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t id;

		while (v[i].id == 0) {
			if (getrandom(&id, sizeof(id), 0) != sizeof(id))
				return false;
			v[i].id = id;
		}
	}
	return true;
}

static enum store_answer
add(struct store *s, struct arena *a, const struct event *v, size_t n,
    bool as_hash, int64_t deadline)
{
	struct event *w = arena_array(a, n, sizeof(*w));
	struct driver_call call;
	struct driver *d;

	if (as_hash && find_mac(s, STORE_CHANGE, deadline) != STORE_YES)
		return STORE_UNKNOWN;
	d = store_enter(s, STORE_EVENTS, STORE_CHANGE, deadline, &call);
	if (d == NULL)
		return STORE_UNKNOWN;
	for (size_t i = 0; i < n; i++) {
		if (!is_well(&v[i])) {
			driver_unknown(&call, "event %zu of %zu: kind %d, "
			    "verdict %d, was %d", i + 1, n, (int)v[i].kind,
			    (int)v[i].verdict, (int)v[i].was);
			return STORE_NO;
		}
		w[i] = v[i];
		event_cut(&w[i]);
		if (as_hash && w[i].recipient.n > 0 &&
		    !is_hash(w[i].recipient))
			w[i].recipient = hash_of(s, a, w[i].recipient);
	}
	if (!choose_ids(w, n))
		return driver_unknown(&call, "events: no random numbers: %s",
		    strerror(errno));
	return store_leave(s, STORE_EVENTS, &call,
	    d->ops->events->add(d, &call, w, n));
}

enum store_answer
store_events_add(struct store *s, const struct event *v, size_t n,
    bool as_hash, int64_t deadline)
{
	enum store_answer answer;
	struct arena *a;

	if (n == 0)
		return STORE_YES;
	a = arena_new();
	answer = add(s, a, v, n, as_hash, deadline);
	arena_free(&a);
	return answer;
}

static enum store_answer
scan_piece(struct store *s, struct driver_event_piece *piece)
{
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_EVENTS, STORE_READ,
	    store_deadline(STORE_PIECE_MILLIS), &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	piece->n = 0;
	piece->is_end = false;
	return store_leave(s, STORE_EVENTS, &call,
	    d->ops->events->scan(d, &call, piece));
}

static enum store_answer
walk_pieces(struct store *s, struct event_cursor *cursor,
    struct driver_event_piece *piece, bool (*each)(void *arg,
    const struct event *e, const struct event_cursor *at), void *arg)
{
	enum store_answer answer = STORE_YES;

	while (answer == STORE_YES && !piece->is_end) {
		arena_reset(piece->arena);
		piece->cursor = *cursor;
		answer = scan_piece(s, piece);
		if (answer != STORE_YES)
			break;
		for (size_t i = 0; i < piece->n; i++) {
			*cursor = piece->at[i];
			if (!each(arg, &piece->v[i], &piece->at[i]))
				return STORE_YES;
		}
		*cursor = piece->cursor;
	}
	return answer;
}

enum store_answer
store_events_walk(struct store *s, struct event_cursor *cursor,
    const struct event_filter *filter, bool (*each)(void *arg,
    const struct event *e, const struct event_cursor *at), void *arg)
{
	struct arena *hashes = arena_new();
	struct event_match match = { .filter = filter };
	struct driver_event_piece piece = { .match = &match,
		.arena = arena_new() };
	enum store_answer answer = STORE_YES;

	if (filter->recipient.n > 0)
		answer = store_events_hash(s, hashes, filter->recipient,
		    &match.hash, store_deadline(STORE_PIECE_MILLIS));
	if (answer != STORE_UNKNOWN)
		answer = walk_pieces(s, cursor, &piece, each, arg);
	arena_free(&piece.arena);
	arena_free(&hashes);
	return answer;
}

enum store_answer
store_events_seek(struct store *s, int64_t at, struct event_cursor *out,
    int64_t deadline)
{
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_EVENTS, STORE_READ, deadline,
	    &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	*out = (struct event_cursor){ .day = 0 };
	return store_leave(s, STORE_EVENTS, &call,
	    d->ops->events->seek(d, &call, at, out));
}

enum store_answer
store_events_oldest(struct store *s, uint32_t *day, int64_t deadline)
{
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_EVENTS, STORE_READ, deadline,
	    &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	return store_leave(s, STORE_EVENTS, &call,
	    d->ops->events->oldest(d, &call, day));
}

/* One day; where that takes longer than a piece, it is said so. */
static enum store_answer
forget_day(struct store *s, struct driver_event_forget *step)
{
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_EVENTS, step->is_dry ?
	    STORE_READ : STORE_CHANGE, store_deadline(30 *
	    STORE_PIECE_MILLIS), &call);

	if (d == NULL)
		return STORE_UNKNOWN;
	return store_leave(s, STORE_EVENTS, &call,
	    d->ops->events->forget(d, &call, step));
}

enum store_answer
store_events_forget(struct store *s, struct str recipient, bool dry,
    uint64_t *n, void (*done)(void *arg, uint32_t day, uint64_t n), void *arg)
{
	struct arena *a = arena_new();
	struct driver_event_forget step = { .recipient = recipient,
		.is_dry = dry };
	enum store_answer answer = find_mac(s, dry ? STORE_READ : STORE_CHANGE,
	    store_deadline(STORE_PIECE_MILLIS));

	*n = 0;
	if (answer == STORE_YES)
		step.hash = is_hash(recipient) ? recipient :
		    hash_of(s, a, recipient);
	while (answer != STORE_UNKNOWN && !step.is_end) {
		answer = forget_day(s, &step);
		if (answer != STORE_YES || step.is_end)
			continue;
		*n += step.n;
		if (done != NULL)
			done(arg, step.day, step.n);
	}
	arena_free(&a);
	return answer;
}

enum store_answer
store_events_purge(struct store *s, uint32_t before_day, unsigned *nfiles,
    int64_t deadline)
{
	struct driver_call call;
	struct driver *d = store_enter(s, STORE_EVENTS, STORE_CHANGE, deadline,
	    &call);

	*nfiles = 0;
	if (d == NULL)
		return STORE_UNKNOWN;
	return store_leave(s, STORE_EVENTS, &call,
	    d->ops->events->purge(d, &call, before_day, nfiles));
}
