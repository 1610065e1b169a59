/*
 * splice.h - edits over bytes that are never copied: replace del octets at an
 * offset by new ones.  Rewriting, signing and replacing a body all iterate
 * the same list.
 */
#ifndef BULKHEAD_MAIL_SPLICE_H
#define BULKHEAD_MAIL_SPLICE_H

#include "base/arena.h"
#include "base/str.h"

struct splice {
	size_t at;	/* offset in the original */
	size_t del;	/* octets of the original that go */
	struct str ins; /* octets that come instead; borrowed */
};

struct splices {
	struct splice *v;
	size_t n, cap;
};

/* Records an edit.  ins must outlive the list; the array is the arena's. */
void splices_add(struct splices *s, struct arena *a, size_t at, size_t del,
    struct str ins);

/*
 * Orders the edits by offset; two insertions at one offset keep the order in
 * which they were added, and stand before a deletion there.  0, or -1 when
 * two overlap or one leaves [0, length]: a bug of the caller.
 */
int splices_sort(struct splices *s, size_t length);

/* Length of the edited text.  Sorted lists only, as below. */
size_t splices_length(const struct splices *s, size_t original);

/*
 * The edited text piece by piece, never an empty one.  Start with a zeroed
 * cursor; false at the end.
 */
struct splice_cursor {
	size_t next; /* edit to come */
	size_t at;   /* offset in the original */
	bool inserted; /* the piece just given is new */
};
bool splices_next(const struct splices *s, struct str original,
    struct splice_cursor *c, struct str *piece);

/* The edited text as one block in the arena. */
struct str splices_apply(const struct splices *s, struct arena *a,
    struct str original);

#endif
